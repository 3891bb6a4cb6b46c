/* session.c - the SMTP server engine, as dialogues with a driver that knows a few names */
#include "smtp/session.h"

#include "base/buf.h"
#include "base/limits.h"
#include "tap.h"

/* What the driver has seen, for tests that look behind the replies. */
struct driver {
	struct mt_smtp_session *s;
	struct mt_buf out;
	bool is_closed;
	bool in_data;
	struct mt_smtp_data data;
	GString *message;
	char envelope[1000];
	char with[20];
	unsigned lmtp_failures;	/* every second recipient fails */
};

static const struct mt_smtp_answer *
judge_rcpt(const struct mt_smtp_path *p)
{
	if (strcmp(p->local, "nobody") == 0)
		return &mt_smtp_no_user;
	if (strcmp(p->local, "busy") == 0)
		return &mt_smtp_try_later;
	if (strcmp(p->domain, "elsewhere.example") == 0)
		return &mt_smtp_no_relay;
	return NULL;
}

static const struct mt_smtp_answer *
judge_login(const struct mt_smtp_session *s)
{
	const char *secret = mt_smtp_session_secret(s);

	if (strcmp(secret, "later") == 0)
		return &mt_smtp_login_later;
	return strcmp(mt_smtp_session_user(s), "ada") == 0 &&
	    strcmp(secret, "pass word") == 0 ? NULL : &mt_smtp_bad_login;
}

static void
note_envelope(struct driver *d)
{
	const struct mt_smtp_envelope *e = mt_smtp_session_envelope(d->s);
	GString *text = g_string_new(e->from.text);

	for (size_t i = 0; i < e->rcpts_n; i++)
		g_string_append_printf(text, " %s", e->rcpts[i].text);
	g_string_append_printf(text, " size=%u%s%s", (unsigned)e->size,
	    e->is_8bit ? " 8bit" : "", e->is_utf8 ? " utf8" : "");
	g_strlcpy(d->envelope, text->str, sizeof(d->envelope));
	g_strlcpy(d->with, mt_smtp_session_with(d->s), sizeof(d->with));
	g_string_free(text, TRUE);
}

/* Act on events until the engine wants a line or a message, or the session is over. */
static void
act(struct driver *d, enum mt_smtp_event ev)
{
	for (;;) {
		mt_buf_append_slice(&d->out, mt_smtp_session_output(d->s));
		switch (ev) {
		case MT_SMTP_GO_ON:
			return;
		case MT_SMTP_START_TLS:
			ev = mt_smtp_session_tls_started(d->s);
			break;
		case MT_SMTP_CHECK_LOGIN:
			ev = mt_smtp_session_answer(d->s, judge_login(d->s));
			break;
		case MT_SMTP_CHECK_SENDER:
			ev = mt_smtp_session_answer(d->s,
			    strcmp(mt_smtp_session_envelope(d->s)->from.local, "evil")
			    == 0 ? &mt_smtp_not_your_address : NULL);
			break;
		case MT_SMTP_CHECK_RCPT:
			ev = mt_smtp_session_answer(d->s,
			    judge_rcpt(mt_smtp_session_rcpt(d->s)));
			break;
		case MT_SMTP_BEGIN_DATA:
			note_envelope(d);
			ev = mt_smtp_session_answer(d->s,
			    strcmp(mt_smtp_session_envelope(d->s)->from.local, "full")
			    == 0 ? &mt_smtp_no_space : NULL);
			break;
		case MT_SMTP_RECEIVE_DATA:
			d->in_data = true;
			mt_smtp_data_init(&d->data, 1000);
			g_string_truncate(d->message, 0);
			return;
		case MT_SMTP_CLOSE:
			d->is_closed = true;
			return;
		}
	}
}

static void
data_over(struct driver *d, enum mt_smtp_data_status status)
{
	struct mt_smtp_answer answers[MT_MAX_RCPTS];
	size_t n = mt_smtp_session_envelope(d->s)->rcpts_n;
	const struct mt_smtp_answer *a = mt_smtp_answer_of_data(status);

	d->in_data = false;
	if (a != NULL || d->lmtp_failures == 0) {
		act(d, mt_smtp_session_data_done(d->s, a, 1));
		return;
	}
	for (size_t i = 0; i < n; i++)
		answers[i] = i % 2 == 1 ? mt_smtp_mailbox_full
					: (struct mt_smtp_answer){ 0 };
	act(d, mt_smtp_session_data_done(d->s, answers, n));
}

static void
feed(struct driver *d, const char *bytes, size_t n)
{
	char *exact = tap_exact(bytes, n);
	char *out = g_malloc(n + 1);
	struct mt_slice in = mt_slice_mem(exact, n);

	if (d->is_closed) {
		mt_buf_append_str(&d->out, "(closed)\r\n");
	} else if (d->in_data) {
		size_t out_n;
		enum mt_smtp_data_status status =
		    mt_smtp_data_decode(&d->data, &in, out, &out_n);

		g_string_append_len(d->message, out, (gssize)out_n);
		if (status != MT_SMTP_DATA_MORE)
			data_over(d, status);
	} else {
		act(d, mt_smtp_session_line(d->s, in));
	}
	g_free(out);
	free(exact);
}

static void
begin(struct driver *d, const struct mt_smtp_session_params *params)
{
	*d = (struct driver){
		.s = mt_smtp_session_new(params), .out = MT_BUF_INIT(MT_MIB(1)),
		.message = g_string_new(NULL),
	};
	act(d, mt_smtp_session_greet(d->s, NULL));
}

static void
end(struct driver *d)
{
	mt_smtp_session_free(d->s);
	mt_buf_clear(&d->out);
	g_string_free(d->message, TRUE);
}

/*
 * Play a script: "> text" is a line that the client sends, "< text" is how the next line of
 * reply begins, "= closed" says that the session is over. At the end no reply may be left.
 */
static bool
play(struct driver *d, const char *script)
{
	g_auto(GStrv) lines = g_strsplit(script, "\n", -1);
	struct mt_slice left, line = { NULL, 0 };
	size_t taken = 0;
	bool held = true;

	for (size_t i = 0; lines[i] != NULL && held; i++) {
		const char *text = lines[i][0] == '\0' ? "" : lines[i] + 2;

		if (lines[i][0] == '>') {
			g_autofree char *wire = g_strconcat(text, "\r\n", NULL);

			feed(d, wire, strlen(wire));
		} else if (lines[i][0] == '<') {
			left = mt_slice_from(mt_buf_slice(&d->out), taken);
			held = mt_slice_take_line(&left, &line) &&
			    mt_slice_starts(line, mt_slice_str(text));
			taken = d->out.n - left.n;
		} else if (lines[i][0] == '=') {
			held = d->is_closed;
		}
		if (!held)
			printf("# expected \"%s\", got \"%.*s\"\n", lines[i],
			    MT_SLICE_ARG(line));
	}
	if (held && taken < d->out.n) {
		printf("# one reply too many: %s", d->out.p + taken);
		held = false;
	}
	return held;
}

static const struct mt_smtp_session_params mx = {
	.mode = MT_SMTP_MODE_MX, .host = "mx.example", .size_max = 1000, .can_tls = true,
};
static const struct mt_smtp_session_params plain_mx = {
	.mode = MT_SMTP_MODE_MX, .host = "mx.example", .rcpts_max = 2, .errors_max = 3,
};
static const struct mt_smtp_session_params with_dsn = {
	.mode = MT_SMTP_MODE_MX, .host = "mx.example", .can_dsn = true, .errors_max = 30,
};
static const struct mt_smtp_session_params submission = {
	.mode = MT_SMTP_MODE_SUBMISSION, .host = "mx.example", .can_tls = true,
};
static const struct mt_smtp_session_params submissions = {
	.mode = MT_SMTP_MODE_SUBMISSION, .host = "mx.example", .is_tls = true,
	.can_tls = true,
};
static const struct mt_smtp_session_params lmtp = {
	.mode = MT_SMTP_MODE_LMTP, .host = "mx.example",
};

#define HELLO "< 220 mx.example ESMTP\n> HELO c.example\n< 250 mx.example\n"
#define EHLO_TLS "> EHLO c.example\n< 250-mx.example\n< 250-PIPELINING\n" \
	"< 250-SIZE\n< 250-8BITMIME\n< 250-AUTH PLAIN LOGIN\n" \
	"< 250-ENHANCEDSTATUSCODES\n< 250 SMTPUTF8\n"
#define TLS_HELLO "< 220 mx.example ESMTP\n" EHLO_TLS
#define RCPT "> MAIL FROM:<a@b>\n< 250 2.1.0\n> RCPT TO:<c@d>\n< 250 2.1.5\n"

static const struct {
	const char *name;
	const struct mt_smtp_session_params *params;
	const char *script;
} dialogues[] = {
	{ "a message", &mx, HELLO RCPT "> DATA\n< 354 \n> Subject: x\n> \n> ..\n> .\n"
	  "< 250 2.0.0\n> QUIT\n< 221 2.0.0\n= closed\n" },
	{ "EHLO offers what we do", &mx, "< 220 \n> EHLO c.example\n< 250-mx.example\n"
	  "< 250-PIPELINING\n< 250-SIZE 1000\n< 250-8BITMIME\n< 250-STARTTLS\n"
	  "< 250-ENHANCEDSTATUSCODES\n< 250 SMTPUTF8\n" },
	{ "verbs are read without case", &mx, "< 220\n> hElo x\n< 250\n"
	  "> mail from:<a@b> size=10 body=8bitmime\n< 250\n> rcpt to:<c@d>\n< 250\n" },
	{ "two messages on one connection", &mx, HELLO RCPT "> DATA\n< 354\n> .\n"
	  "< 250\n" RCPT "> DATA\n< 354\n> .\n< 250\n" },
	{ "nothing before HELO", &mx, "< 220\n> MAIL FROM:<a@b>\n< 503 5.5.1\n"
	  "> RCPT TO:<a@b>\n< 503 5.5.1\n> DATA\n< 503 5.5.1\n" },
	{ "no RCPT before MAIL, no DATA before RCPT", &mx, HELLO
	  "> RCPT TO:<a@b>\n< 503 5.5.1\n> DATA\n< 503 5.5.1\n> MAIL FROM:<a@b>\n"
	  "< 250\n> DATA\n< 554 5.5.1\n" },
	{ "MAIL twice", &mx, HELLO "> MAIL FROM:<a@b>\n< 250\n> MAIL FROM:<a@b>\n"
	  "< 503 5.5.1\n> RCPT TO:<c@d>\n< 250\n" },
	{ "RSET forgets", &mx, HELLO RCPT "> RSET\n< 250 2.0.0\n> DATA\n< 503\n" RCPT },
	{ "HELO again forgets", &mx, HELLO RCPT "> HELO again\n< 250\n> DATA\n< 503\n" },
	{ "an empty HELO", &mx, "< 220\n> HELO\n< 501 5.5.4\n> EHLO \n< 501 5.5.4\n"
	  "> HELO (x)\n< 501\n> HELO [192.0.2.1]\n< 250\n" },
	{ "verbs that tell nothing", &mx, HELLO "> VRFY ada\n< 252 2.5.2\n> VRFY\n< 501\n"
	  "> EXPN list\n< 502 5.5.1\n> HELP\n< 214\n> NOOP anything\n< 250 2.0.0\n"
	  "> WHATISTHIS\n< 500 5.5.1\n> \n< 500 5.5.1\n> DATA x\n< 503\n" },
	{ "arguments where none belong", &mx, HELLO RCPT "> DATA x\n< 501 5.5.4\n"
	  "> RSET x\n< 501\n> QUIT x\n< 501\n> STARTTLS x\n< 503\n" },
	{ "the null sender", &mx, HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<>\n"
	  "< 501 5.1.3\n> RCPT TO:<c@d>\n< 250\n" },
	{ "blanks and no brackets", &mx, HELLO "> MAIL FROM: a@b SIZE=5\n< 250\n"
	  "> RCPT TO:  c@d\n< 250\n" },
	{ "broken MAIL", &mx, HELLO "> MAIL LALA: <>\n< 501 5.5.4\n> MAIL FROM:\n"
	  "< 501 5.1.7\n> MAIL FROM:<pepe>\n< 501 5.1.7\n> MAIL FROM:<a@xn--->\n"
	  "< 501 5.1.7\n> MAIL\n< 501\n" },
	{ "broken RCPT", &mx, HELLO "> MAIL FROM:<a@b>\n< 250\n> RCPT LALA: <>\n"
	  "< 501 5.5.4\n> RCPT TO:\n< 501 5.1.3\n> RCPT TO:<pepe>\n< 501 5.1.3\n"
	  "> RCPT TO:<Postmaster>\n< 250\n" },
	{ "parameters of MAIL", &mx, HELLO
	  "> MAIL FROM:<a@b> SIZE=1000 BODY=7BIT SMTPUTF8\n< 250\n> RSET\n< 250\n"
	  "> MAIL FROM:<a@b> SIZE=1001\n< 552 5.3.4\n"
	  "> MAIL FROM:<a@b> SIZE=99999999999999999999\n< 501\n"
	  "> MAIL FROM:<a@b> SIZE=x\n< 501 5.5.4\n> MAIL FROM:<a@b> SIZE\n< 501\n"
	  "> MAIL FROM:<a@b> BODY=BINARYMIME\n< 501 5.5.4\n"
	  "> MAIL FROM:<a@b> SMTPUTF8=1\n< 501\n> MAIL FROM:<a@b> RET=FULL\n< 555 5.5.4\n"
	  "> MAIL FROM:<a@b> AUTH=<>\n< 555\n> MAIL FROM:<a@b>SIZE=1\n< 501\n" },
	{ "parameters of RCPT", &mx, HELLO "> MAIL FROM:<a@b>\n< 250\n"
	  "> RCPT TO:<c@d> NOTIFY=NEVER\n< 555 5.5.4\n> RCPT TO:<c@d> =\n< 501\n" },
	{ "DSN is offered where it is heeded", &with_dsn, "< 220\n> EHLO c.example\n"
	  "< 250-mx.example\n< 250-PIPELINING\n< 250-SIZE\n< 250-8BITMIME\n< 250-DSN\n"
	  "< 250-ENHANCEDSTATUSCODES\n< 250 SMTPUTF8\n" },
	{ "its words behind MAIL", &with_dsn, HELLO
	  "> MAIL FROM:<a@b> RET=HDRS ENVID=a+2Bb\n< 250\n> RSET\n< 250\n"
	  "> MAIL FROM:<a@b> RET=ALL\n< 501 5.5.4\n> MAIL FROM:<a@b> RET\n< 501\n"
	  "> MAIL FROM:<a@b> RET=FULL RET=FULL\n< 501\n> MAIL FROM:<a@b> ENVID=\n< 501\n"
	  "> MAIL FROM:<a@b> ENVID=a ENVID=b\n< 501\n> MAIL FROM:<a@b> ENVID=a+0Ab\n< 501\n"
	  "> MAIL FROM:<a@b> ENVID=a+00\n< 501\n> MAIL FROM:<a@b> NOTIFY=NEVER\n< 555\n" },
	{ "and behind RCPT", &with_dsn, HELLO "> MAIL FROM:<a@b>\n< 250\n"
	  "> RCPT TO:<c@d> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@d\n< 250\n"
	  "> RCPT TO:<e@d> notify=never\n< 250\n> RCPT TO:<f@d>\n< 250\n"
	  "> RCPT TO:<c@d> NOTIFY=NEVER,DELAY\n< 501 5.5.4\n> RCPT TO:<c@d> NOTIFY\n< 501\n"
	  "> RCPT TO:<c@d> NOTIFY=NEVER NOTIFY=NEVER\n< 501\n"
	  "> RCPT TO:<c@d> ORCPT=c@d\n< 501\n> RCPT TO:<c@d> ORCPT=rfc822;a+zz\n< 501\n"
	  "> RCPT TO:<c@d> RET=FULL\n< 555 5.5.4\n> RCPT TO:<c@d> ORCPT\n< 501\n" },
	{ "SMTPUTF8 is asked for where needed", &mx, HELLO
	  "> MAIL FROM:<\xc3\xa5@b>\n< 550 5.6.7\n> MAIL FROM:<a@b>\n< 250\n"
	  "> RCPT TO:<\xc3\xa5@b>\n< 553 5.6.7\n> RSET\n< 250\n"
	  "> MAIL FROM:<\xc3\xa5@b> SMTPUTF8\n< 250\n> RCPT TO:<\xc3\xa5@b>\n< 250\n" },
	{ "the driver's answers", &mx, HELLO "> MAIL FROM:<evil@b>\n< 550 5.7.1\n"
	  "> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<nobody@d>\n< 550 5.1.1\n"
	  "> RCPT TO:<c@elsewhere.example>\n< 550 5.7.1\n> RCPT TO:<busy@d>\n"
	  "< 451 4.3.0\n> DATA\n< 554 5.5.1\n> RCPT TO:<c@d>\n< 250\n> DATA\n< 354\n"
	  "> .\n< 250\n" },
	{ "no room at DATA", &mx, HELLO "> MAIL FROM:<full@b>\n< 250\n> RCPT TO:<c@d>\n"
	  "< 250\n> DATA\n< 452 4.3.1\n" },
	{ "what is pipelined behind a refused MAIL is no mistake", &plain_mx,
	  HELLO "> MAIL FROM:<evil@b>\n< 550\n> RCPT TO:<a@b>\n< 503\n> RCPT TO:<a@b>\n"
	  "< 503\n> RCPT TO:<a@b>\n< 503\n> DATA\n< 503\n" RCPT },
	{ "too many recipients", &plain_mx, HELLO RCPT "> RCPT TO:<e@d>\n< 250\n"
	  "> RCPT TO:<f@d>\n< 452 4.5.3\n> DATA\n< 354\n> .\n< 250\n" },
	{ "too many unknown recipients", &plain_mx, HELLO "> MAIL FROM:<a@b>\n< 250\n"
	  "> RCPT TO:<nobody@d>\n< 550\n> RCPT TO:<nobody@d>\n< 550\n"
	  "> RCPT TO:<nobody@d>\n< 550\n> RCPT TO:<nobody@d>\n< 550\n"
	  "> RCPT TO:<nobody@d>\n< 421 4.7.0\n= closed\n" },
	{ "too many errors", &plain_mx, HELLO "> A\n< 500\n> B\n< 500\n> C\n"
	  "< 421 4.7.0\n= closed\n" },
	{ "a web browser", &mx, "< 220\n> POST / HTTP/1.1\n< 502 5.7.0\n= closed\n" },
	{ "BDAT closes, for a message stands behind it", &mx, HELLO RCPT
	  "> BDAT 20 LAST\n< 502\n= closed\n" },
	{ "a message that is too big", &mx, HELLO RCPT "> DATA\n< 354\n"
	  "> 0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789\n"
	  "> 0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456789\n"
	  "> .\n< 552 5.3.4\n" RCPT },
	{ "STARTTLS forgets", &mx, HELLO RCPT "> STARTTLS\n< 503\n> RSET\n< 250\n"
	  "> STARTTLS\n< 220 2.0.0\n> MAIL FROM:<a@b>\n< 503 5.5.1 say EHLO\n"
	  "> EHLO c\n< 250-mx.example\n< 250-PIPELINING\n< 250-SIZE\n< 250-8BITMIME\n"
	  "< 250-ENH\n< 250 SMTPUTF8\n> STARTTLS\n< 503\n" RCPT },
	{ "STARTTLS before EHLO", &mx, "< 220\n> STARTTLS\n< 220\n> HELO x\n< 250\n" },
	{ "no TLS to start", &plain_mx, HELLO "> STARTTLS\n< 502\n" },
	{ "no AUTH at a mail exchanger", &mx, HELLO "> AUTH PLAIN\n< 502\n" },
	{ "submission needs TLS, then a login", &submission, HELLO
	  "> MAIL FROM:<a@b>\n< 530 5.7.0\n> AUTH PLAIN AGFkYQBwYXNzIHdvcmQ=\n"
	  "< 538 5.7.11\n> STARTTLS\n< 220\n" EHLO_TLS "> MAIL FROM:<a@b>\n< 530 5.7.0\n"
	  "> AUTH PLAIN AGFkYQBwYXNzIHdvcmQ=\n< 235 2.7.0\n" RCPT },
	{ "AUTH PLAIN in two steps", &submissions, TLS_HELLO "> AUTH PLAIN\n< 334 \n"
	  "> AGFkYQBwYXNzIHdvcmQ=\n< 235\n> AUTH PLAIN\n< 503 5.5.1\n" RCPT },
	{ "AUTH LOGIN", &submissions, TLS_HELLO "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n"
	  "> YWRh\n< 334 UGFzc3dvcmQ6\n> cGFzcyB3b3Jk\n< 235\n" },
	{ "AUTH LOGIN with the name at once", &submissions, TLS_HELLO
	  "> auth login YWRh\n< 334 UGFzc3dvcmQ6\n> cGFzcyB3b3Jk\n< 235\n" },
	{ "a login is cancelled", &submissions, TLS_HELLO "> AUTH LOGIN\n< 334\n> *\n"
	  "< 501\n> AUTH PLAIN\n< 334\n> *\n< 501\n> AUTH LOGIN YWRh\n< 334\n> *\n"
	  "< 501\n> MAIL FROM:<a@b>\n< 530\n" },
	{ "wrong passwords end the session", &submissions, TLS_HELLO
	  "> AUTH PLAIN AGFkYQB4\n< 535 5.7.8\n> AUTH LOGIN YWRh\n< 334\n> eA==\n"
	  "< 535 5.7.8\n> AUTH PLAIN AGFkYQB4\n< 421 4.7.0\n= closed\n" },
	{ "logins that cannot be read end it too", &submissions, TLS_HELLO
	  "> AUTH PLAIN something\n< 501 5.5.2\n> AUTH LOGIN ====\n< 501\n"
	  "> AUTH PLAIN =\n< 421\n= closed\n" },
	{ "a temporary failure is not the user's fault", &submissions, TLS_HELLO
	  "> AUTH PLAIN AGFkYQBsYXRlcg==\n< 454 4.7.0\n"
	  "> AUTH PLAIN AGFkYQBsYXRlcg==\n< 454 4.7.0\n"
	  "> AUTH PLAIN AGFkYQBsYXRlcg==\n< 454 4.7.0\n"
	  "> AUTH PLAIN AGFkYQBwYXNzIHdvcmQ=\n< 235\n" },
	{ "nobody acts for another", &submissions, TLS_HELLO
	  "> AUTH PLAIN Ym9iAGFkYQBwYXNzIHdvcmQ=\n< 501\n" },
	{ "mechanisms that we lack", &submissions, TLS_HELLO
	  "> AUTH CRAM-MD5\n< 504 5.5.4\n> AUTH\n< 501\n" },
	{ "no AUTH within a message", &submissions, TLS_HELLO
	  "> AUTH PLAIN AGFkYQBwYXNzIHdvcmQ=\n< 235\n> MAIL FROM:<a@b> AUTH=ada\n< 250\n"
	  "> AUTH PLAIN\n< 503\n" },
	{ "LMTP says LHLO", &lmtp, "< 220 mx.example LMTP\n> EHLO c\n< 500\n> HELO c\n"
	  "< 500\n> LHLO c\n< 250-mx\n< 250-P\n< 250-SIZE\n< 250-8\n< 250-E\n< 250 S\n"
	  "> MAIL FROM:<root>\n< 250\n> RCPT TO:<ada>\n< 250\n" },
	{ "SMTP does not", &mx, "< 220\n> LHLO c\n< 500\n" },
};

static void
test_dialogue(size_t i)
{
	struct driver d;

	begin(&d, dialogues[i].params);
	ok(play(&d, dialogues[i].script), "%s", dialogues[i].name);
	end(&d);
}

static void
test_envelope(void)
{
	struct driver d;

	begin(&d, &mx);
	play(&d, HELLO);
	feed(&d, "EHLO x\r\n", 8);
	feed(&d, "STARTTLS\r\n", 10);
	feed(&d, "EHLO x\r\n", 8);
	feed(&d, "MAIL FROM:<a@b> SIZE=7 BODY=8BITMIME SMTPUTF8\r\n", 47);
	feed(&d, "RCPT TO:<@x:\"c\"@d>\r\n", 20);
	feed(&d, "RCPT TO:<nobody@d>\r\n", 20);
	feed(&d, "RCPT TO:<e@f>\r\n", 15);
	feed(&d, "DATA\r\n", 6);
	is_str(d.envelope, "a@b c@d e@f size=7 8bit utf8", "the envelope at DATA");
	is_str(d.with, "UTF8SMTPS", "the protocol of a Received field");
	is_str(mt_smtp_session_helo(d.s), "x", "the name of the peer");
	feed(&d, "a\r\n..b\r\n.\r\n", 11);
	is_str(d.message->str, "a\n.b\n", "the message");
	ok(mt_smtp_session_envelope(d.s)->rcpts_n == 0, "the envelope is forgotten");
	feed(&d, "MAIL FROM:<g@h>\r\n", 17);
	feed(&d, "RCPT TO:<i@j>\r\n", 15);
	feed(&d, "DATA\r\n", 6);
	is_str(d.envelope, "g@h i@j size=0", "nothing is left for the next one");
	is_str(d.with, "ESMTPS", "nor its protocol");
	end(&d);
}

static void
test_lmtp_replies(void)
{
	struct driver d;

	begin(&d, &lmtp);
	d.lmtp_failures = 1;
	feed(&d, "LHLO x\r\n", 8);
	feed(&d, "MAIL FROM:<>\r\n", 14);
	feed(&d, "RCPT TO:<a@b>\r\n", 15);
	feed(&d, "RCPT TO:<c@b>\r\n", 15);
	feed(&d, "RCPT TO:<nobody@b>\r\n", 20);
	feed(&d, "RCPT TO:<e@b>\r\n", 15);
	feed(&d, "DATA\r\n", 6);
	mt_buf_reset(&d.out);
	feed(&d, "x\r\n.\r\n", 6);
	ok(play(&d, "< 250 2.0.0\n< 452 4.2.2\n< 250 2.0.0\n"),
	    "LMTP has a reply for each recipient");
	end(&d);
}

/* Lines that no mail software sends. */
static const struct {
	const char *name;
	struct mt_slice bytes;
} hostile[] = {
#define BYTES(s) { "" s, sizeof(s) - 1 }
	{ "a bare LF", BYTES("NOOP\n") },
	{ "a bare CR inside", BYTES("NOOP x\ry\r\n") },
	{ "two CRs", BYTES("NOOP\r\r\n") },
	{ "a NUL", BYTES("NOOP \0\r\n") },
	{ "no end", BYTES("NOOP") },
	{ "nothing", BYTES("") },
};

static void
test_hostile(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		struct driver d;

		begin(&d, &mx);
		mt_buf_reset(&d.out);
		feed(&d, hostile[i].bytes.p, hostile[i].bytes.n);
		ok(d.is_closed && g_str_has_prefix(d.out.p, "500 5.5.2"),
		    "%s in a command ends the session", hostile[i].name);
		end(&d);
	}
}

static void
test_smuggling_closes(void)
{
	struct driver d;

	begin(&d, &mx);
	play(&d, HELLO RCPT "> DATA\n< 354\n");
	mt_buf_reset(&d.out);
	feed(&d, "a\n.\r\nQUIT\r\n", 11);
	ok(d.is_closed && g_str_has_prefix(d.out.p, "521 5.5.2"),
	    "a bare LF in a message ends the session");
	end(&d);
}

static void
test_long_lines(void)
{
	g_autofree char *many = g_strnfill(3000, 'a');
	g_autofree char *helo = g_strconcat("HELO ", many, "\r\n", NULL);
	g_autofree char *name = g_strdup_printf("HELO %.256s\r\n", many);
	g_autofree char *fits = g_strdup_printf("HELO %.255s\r\n", many);
	struct driver d;

	begin(&d, &mx);
	mt_buf_reset(&d.out);
	feed(&d, helo, strlen(helo));
	feed(&d, name, strlen(name));
	feed(&d, fits, strlen(fits));
	ok(play(&d, "< 500 5.5.2\n< 501\n< 250\n"), "long lines and long names");
	end(&d);
}

static void
test_secrets(void)
{
	struct driver d;
	struct mt_slice auth = MT_SLICE("auth PLAIN AGFkYQBwYXNzIHdvcmQ=\r\n");

	begin(&d, &submissions);
	feed(&d, "EHLO x\r\n", 8);
	ok(mt_smtp_session_user(d.s) == NULL && mt_smtp_session_secret(d.s) == NULL,
	    "there is no user before a login");
	ok(mt_slice_eq(mt_smtp_session_loggable(d.s, auth), MT_SLICE("AUTH")),
	    "the log does not see an initial response");
	feed(&d, "AUTH PLAIN\r\n", 12);
	ok(mt_slice_eq(mt_smtp_session_loggable(d.s, MT_SLICE("AGFkYQBwYXNzIHdvcmQ=\r\n")),
	    MT_SLICE("(within AUTH)")), "nor what follows AUTH");
	feed(&d, "AGFkYQBwYXNzIHdvcmQ=\r\n", 22);
	is_str(mt_smtp_session_user(d.s), "ada", "the user is known after the login");
	ok(mt_smtp_session_secret(d.s) == NULL, "the secret is not");
	ok(mt_slice_eq(mt_smtp_session_loggable(d.s, MT_SLICE("cGFzcyB3b3Jk\r\n")),
	    MT_SLICE("(unknown command)")), "nor is a word that went astray");
	ok(mt_slice_eq(mt_smtp_session_loggable(d.s, MT_SLICE("MAIL FROM:<a@b>\r\n")),
	    MT_SLICE("MAIL FROM:<a@b>")), "other commands are logged");
	is_str(mt_smtp_session_with(d.s), "ESMTPSA", "the protocol tells of the login");
	end(&d);
}

static void
test_waiting(void)
{
	struct driver d;

	begin(&d, &mx);
	feed(&d, "EHLO x\r\n", 8);
	ok(mt_smtp_session_peer_must_wait(d.s), "nothing goes behind EHLO");
	feed(&d, "MAIL FROM:<a@b>\r\n", 17);
	ok(!mt_smtp_session_peer_must_wait(d.s), "RCPT may go behind MAIL");
	end(&d);
}

static void
test_refused_and_aborted(void)
{
	struct mt_smtp_answer odd = { 554, "5.7.1", "no\r\n250 \xff" };
	struct driver d;

	d = (struct driver){
		.s = mt_smtp_session_new(&mx), .out = MT_BUF_INIT(1000),
		.message = g_string_new(NULL),
	};
	act(&d, mt_smtp_session_greet(d.s, &odd));
	ok(d.is_closed && play(&d, "< 554 5.7.1 no??250 ?\n= closed\n"),
	    "a refusal at the greeting; an answer cannot forge a line");
	end(&d);
	begin(&d, &mx);
	act(&d, mt_smtp_session_abort(d.s, &mt_smtp_timed_out));
	ok(play(&d, "< 220\n< 421 4.4.2\n= closed\n"), "the driver gives up");
	is_int(mt_smtp_session_last_code(d.s), 421, "the last code");
	end(&d);
}

static void
test_many_rcpts(void)
{
	struct driver d;
	size_t accepted = 0;

	begin(&d, &mx);
	play(&d, HELLO "> MAIL FROM:<a@b>\n< 250\n");
	for (size_t i = 0; i < MT_MAX_RCPTS + 1; i++) {
		mt_buf_reset(&d.out);
		feed(&d, "RCPT TO:<c@d>\r\n", 15);
		accepted += g_str_has_prefix(d.out.p, "250");
	}
	is_int(accepted, MT_MAX_RCPTS, "100 recipients are accepted");
	ok(g_str_has_prefix(d.out.p, "452 4.5.3"), "one more is for later");
	end(&d);
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(dialogues); i++)
		test_dialogue(i);
	test_envelope();
	test_lmtp_replies();
	test_hostile();
	test_smuggling_closes();
	test_long_lines();
	test_secrets();
	test_waiting();
	test_refused_and_aborted();
	test_many_rcpts();
	return tap_done();
}
