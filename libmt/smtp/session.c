/* session.c - the server session: lines to verbs, answers to replies, counters */
#include "smtp/session.h"

#include <glib.h>

#include "base/limits.h"
#include "smtp/verb.h"

#define ERRORS_MAX 10
#define LOGINS_MAX 3
/* Command lines but AUTH: 512 octets and what SIZE, BODY, SMTPUTF8 and AUTH= add. */
#define LINE_MAX_PLAIN 2048

const struct mt_smtp_answer mt_smtp_no_user = { 550, "5.1.1", "no such user here" };
const struct mt_smtp_answer mt_smtp_no_relay = { 550, "5.7.1",
	"relaying is not allowed" };
const struct mt_smtp_answer mt_smtp_mailbox_full = { 452, "4.2.2",
	"the mailbox is full" };
const struct mt_smtp_answer mt_smtp_try_later = { 451, "4.3.0",
	"a problem on our side, try again later" };
const struct mt_smtp_answer mt_smtp_no_space = { 452, "4.3.1",
	"not enough space, try again later" };
const struct mt_smtp_answer mt_smtp_bad_login = { 535, "5.7.8",
	"user name or password is wrong" };
const struct mt_smtp_answer mt_smtp_login_later = { 454, "4.7.0",
	"logins cannot be checked now, try again later" };
const struct mt_smtp_answer mt_smtp_not_your_address = { 550, "5.7.1",
	"you may not send from this address" };
const struct mt_smtp_answer mt_smtp_shutting_down = { 421, "4.3.2",
	"shutting down, try again later" };
const struct mt_smtp_answer mt_smtp_timed_out = { 421, "4.4.2",
	"timed out, closing" };
const struct mt_smtp_answer mt_smtp_too_busy = { 421, "4.3.2",
	"too many connections, try again later" };

static const struct mt_smtp_answer too_big = { 552, "5.3.4",
	"the message is too big" };
static const struct mt_smtp_answer in_a_loop = { 554, "5.4.6",
	"the message is in a loop: too many Received fields" };
static const struct mt_smtp_answer bare_cr = { 521, "5.5.2",
	"a CR without LF in the message: closing" };
static const struct mt_smtp_answer bare_lf = { 521, "5.5.2",
	"an LF without CR in the message: closing" };
static const struct mt_smtp_answer nul_byte = { 521, "5.5.2",
	"a NUL in the message: closing" };

const struct mt_smtp_answer *
mt_smtp_answer_of_data(enum mt_smtp_data_status status)
{
	static const struct mt_smtp_answer *const answers[] = {
		[MT_SMTP_DATA_MORE] = &mt_smtp_try_later,
		[MT_SMTP_DATA_OK] = NULL,
		[MT_SMTP_DATA_TOO_BIG] = &too_big,
		[MT_SMTP_DATA_LOOP] = &in_a_loop,
		[MT_SMTP_DATA_BARE_CR] = &bare_cr,
		[MT_SMTP_DATA_BARE_LF] = &bare_lf,
		[MT_SMTP_DATA_NUL] = &nul_byte,
	};

	return answers[status];
}

enum {
	ANY = MT_SMTP_ST_NEW | MT_SMTP_ST_READY | MT_SMTP_ST_MAIL | MT_SMTP_ST_RCPT,
	IN_MAIL = MT_SMTP_ST_MAIL | MT_SMTP_ST_RCPT,
	OUTSIDE = MT_SMTP_ST_NEW | MT_SMTP_ST_READY,
};

/* Verbs, the states that allow them (others get 503), and whether a client has to wait
   for the reply before it sends more (RFC 2920 3.1). */
static const struct verb {
	const char *name;
	mt_smtp_verb *run;
	unsigned states;
	bool must_wait;
} verbs[] = {
	{ "MAIL", mt_smtp_verb_mail, MT_SMTP_ST_READY, false },
	{ "RCPT", mt_smtp_verb_rcpt, IN_MAIL, false },
	{ "DATA", mt_smtp_verb_data, IN_MAIL, true },
	{ "EHLO", mt_smtp_verb_ehlo, ANY, true },
	{ "HELO", mt_smtp_verb_helo, ANY, true },
	{ "LHLO", mt_smtp_verb_lhlo, ANY, true },
	{ "STARTTLS", mt_smtp_verb_starttls, OUTSIDE, true },
	{ "AUTH", mt_smtp_verb_auth, MT_SMTP_ST_READY, true },
	{ "RSET", mt_smtp_verb_rset, ANY, false },
	{ "NOOP", mt_smtp_verb_noop, ANY, true },
	{ "QUIT", mt_smtp_verb_quit, ANY, true },
	{ "VRFY", mt_smtp_verb_vrfy, ANY, true },
	{ "EXPN", mt_smtp_verb_expn, ANY, true },
	{ "HELP", mt_smtp_verb_help, ANY, false },
	{ "BDAT", mt_smtp_verb_bdat, ANY, false },
	{ "GET", mt_smtp_verb_http, ANY, false },
	{ "POST", mt_smtp_verb_http, ANY, false },
	{ "PUT", mt_smtp_verb_http, ANY, false },
	{ "HEAD", mt_smtp_verb_http, ANY, false },
	{ "OPTIONS", mt_smtp_verb_http, ANY, false },
	{ "CONNECT", mt_smtp_verb_http, ANY, false },
};

struct mt_smtp_session *
mt_smtp_session_new(const struct mt_smtp_session_params *params)
{
	struct mt_smtp_session *s = g_new0(struct mt_smtp_session, 1);

	s->params = *params;
	s->host = g_strdup(params->host);
	s->params.host = s->host;
	if (s->params.rcpts_max == 0 || s->params.rcpts_max > MT_MAX_RCPTS)
		s->params.rcpts_max = MT_MAX_RCPTS;
	if (s->params.errors_max == 0)
		s->params.errors_max = ERRORS_MAX;
	if (s->params.logins_max == 0)
		s->params.logins_max = LOGINS_MAX;
	s->is_tls = params->is_tls;
	s->state = MT_SMTP_ST_NEW;
	mt_buf_init(&s->out, MT_SMTP_OUT_MAX);
	mt_buf_init(&s->user, MT_MAX_SECRET);
	mt_buf_init(&s->secret, MT_MAX_SECRET);
	return s;
}

void
mt_smtp_session_free(struct mt_smtp_session *s)
{
	if (s == NULL)
		return;
	mt_buf_clear(&s->out);
	mt_buf_clear_secret(&s->user);
	mt_buf_clear_secret(&s->secret);
	g_free(s->rcpts);
	g_free(s->wishes);
	g_free(s->host);
	g_free(s);
}

/* Append "CODE[-]DSN TEXT". A reply that does not fit would be our bug: all are short and
   the driver empties the buffer between commands. */
static void
say_line(struct mt_smtp_session *s, unsigned code, const char *dsn, const char *text)
{
	int rc;

	if (s->out_taken)
		mt_buf_reset(&s->out);
	s->out_taken = false;
	s->last_code = code;
	rc = mt_buf_appendf(&s->out, "%u %s%s%s\r\n", code, dsn, *dsn == '\0' ? "" : " ",
	    text);
	g_assert(rc == 0);
}

enum mt_smtp_event
mt_smtp_say(struct mt_smtp_session *s, unsigned code, const char *dsn, const char *fmt,
    ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	say_line(s, code, dsn, text);
	return MT_SMTP_GO_ON;
}

enum mt_smtp_event
mt_smtp_close(struct mt_smtp_session *s)
{
	mt_buf_clear_secret(&s->secret);
	s->wait = MT_SMTP_WAIT_NOTHING;
	return MT_SMTP_CLOSE;
}

enum mt_smtp_event
mt_smtp_mistake(struct mt_smtp_session *s, unsigned code, const char *dsn,
    const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (++s->errors >= s->params.errors_max) {
		mt_smtp_say(s, 421, "4.7.0", "too many errors, closing");
		return mt_smtp_close(s);
	}
	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	say_line(s, code, dsn, text);
	return MT_SMTP_GO_ON;
}

enum mt_smtp_event
mt_smtp_say_answer(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	g_autofree char *text = g_strndup(a->text, 400);

	g_assert(a->code >= 200 && a->code <= 599);
	for (char *c = text; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	mt_smtp_say(s, a->code, a->dsn, "%s", text);
	if (a->code == 421 || a->code == 521)
		return mt_smtp_close(s);
	return MT_SMTP_GO_ON;
}

enum mt_smtp_event
mt_smtp_ask(struct mt_smtp_session *s, enum mt_smtp_wait wait, enum mt_smtp_event event)
{
	s->wait = wait;
	return event;
}

void
mt_smtp_forget_transaction(struct mt_smtp_session *s)
{
	s->env = (struct mt_smtp_envelope){ 0 };
	if (s->state != MT_SMTP_ST_NEW)
		s->state = MT_SMTP_ST_READY;
}

enum mt_smtp_event
mt_smtp_session_greet(struct mt_smtp_session *s, const struct mt_smtp_answer *refusal)
{
	static const char *const protocol[] = {
		[MT_SMTP_MODE_MX] = "ESMTP",
		[MT_SMTP_MODE_SUBMISSION] = "ESMTP",
		[MT_SMTP_MODE_LMTP] = "LMTP",
	};

	if (refusal != NULL) {
		mt_smtp_say_answer(s, refusal);
		return mt_smtp_close(s);
	}
	return mt_smtp_say(s, 220, "", "%s %s", s->host, protocol[s->params.mode]);
}

/* Find the verb of a line; *args is what stands behind it. */
static const struct verb *
find_verb(struct mt_slice line, struct mt_slice *args)
{
	struct mt_slice word;

	if (!mt_slice_take_word(&line, &word))
		return NULL;
	*args = line;
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (mt_slice_eq_nocase(word, mt_slice_str(verbs[i].name)))
			return &verbs[i];
	}
	return NULL;
}

/*
 * RCPT and DATA that a client had pipelined behind a MAIL which was refused are no
 * mistakes of its own.
 */
static enum mt_smtp_event
out_of_order(struct mt_smtp_session *s, const struct verb *v)
{
	if (s->state == MT_SMTP_ST_NEW)
		return mt_smtp_mistake(s, 503, "5.5.1", "say EHLO first");
	if ((v->states & MT_SMTP_ST_READY) != 0)
		return mt_smtp_mistake(s, 503, "5.5.1", "a message is under way");
	if (s->mail_was_refused)
		return mt_smtp_say(s, 503, "5.5.1", "MAIL was refused");
	return mt_smtp_mistake(s, 503, "5.5.1", "say MAIL first");
}

/* Take CRLF off the line. False: it ends otherwise, or holds a NUL or a CR. */
static bool
strip_end(struct mt_slice *line)
{
	if (!mt_slice_ends(*line, MT_SLICE("\r\n")))
		return false;
	line->n -= 2;
	return mt_slice_find(*line, '\r') == line->n &&
	    mt_slice_find(*line, '\0') == line->n;
}

static enum mt_smtp_event
run_command(struct mt_smtp_session *s, struct mt_slice line)
{
	struct mt_slice args = { NULL, 0 };
	const struct verb *v = find_verb(line, &args);

	s->must_wait = v != NULL && v->must_wait;
	if (v == NULL)
		return mt_smtp_mistake(s, 500, "5.5.1", "unknown command");
	if (line.n + 2 > LINE_MAX_PLAIN && v->run != mt_smtp_verb_auth)
		return mt_smtp_mistake(s, 500, "5.5.2", "the line is too long");
	if ((v->states & s->state) == 0)
		return out_of_order(s, v);
	return v->run(s, args);
}

enum mt_smtp_event
mt_smtp_session_line(struct mt_smtp_session *s, struct mt_slice line)
{
	g_assert(s->wait <= MT_SMTP_WAIT_AUTH_SECRET);
	s->must_wait = false;
	if (!mt_slice_ends(line, MT_SLICE("\n"))) {
		mt_smtp_say(s, 500, "5.5.2", "the line is too long: closing");
		return mt_smtp_close(s);
	}
	if (!strip_end(&line)) {
		mt_smtp_say(s, 500, "5.5.2", "lines end in CRLF: closing");
		return mt_smtp_close(s);
	}
	if (s->wait != MT_SMTP_WAIT_LINE)
		return mt_smtp_auth_line(s, line);
	return run_command(s, line);
}

struct mt_slice
mt_smtp_session_loggable(const struct mt_smtp_session *s, struct mt_slice line)
{
	struct mt_slice args = { NULL, 0 };
	const struct verb *v;

	line = mt_slice_trim(line);
	if (s->wait != MT_SMTP_WAIT_LINE)
		return MT_SLICE("(within AUTH)");
	v = find_verb(line, &args);
	/* An unknown verb may be the second line of a broken AUTH. */
	if (v == NULL)
		return MT_SLICE("(unknown command)");
	if (v->run == mt_smtp_verb_auth)
		return MT_SLICE("AUTH");
	return line;
}

enum mt_smtp_event
mt_smtp_session_answer(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	enum mt_smtp_wait question = s->wait;

	s->wait = MT_SMTP_WAIT_LINE;
	switch (question) {
	case MT_SMTP_WAIT_LOGIN:
		return mt_smtp_auth_done(s, a);
	case MT_SMTP_WAIT_SENDER:
		return mt_smtp_mail_done(s, a);
	case MT_SMTP_WAIT_RCPT:
		return mt_smtp_rcpt_done(s, a);
	case MT_SMTP_WAIT_BEGIN:
		if (a != NULL && a->code >= 400)
			return mt_smtp_say_answer(s, a);
		mt_smtp_say(s, 354, "", "go ahead, end with a dot on a line of its own");
		return mt_smtp_ask(s, MT_SMTP_WAIT_DATA, MT_SMTP_RECEIVE_DATA);
	default:
		g_error("SMTP session: an answer without a question");
	}
}

static enum mt_smtp_event
data_answer(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	if (a == NULL || a->code == 0)
		return mt_smtp_say(s, 250, "2.0.0", "the message is stored");
	return mt_smtp_say_answer(s, a);
}

enum mt_smtp_event
mt_smtp_session_data_done(struct mt_smtp_session *s,
    const struct mt_smtp_answer *answers, size_t n)
{
	size_t replies = s->params.mode == MT_SMTP_MODE_LMTP ? s->env.rcpts_n : 1;

	g_assert(s->wait == MT_SMTP_WAIT_DATA);
	g_assert(answers == NULL || n == 1 || n == replies);
	s->wait = MT_SMTP_WAIT_LINE;
	mt_smtp_forget_transaction(s);
	for (size_t i = 0; i < replies; i++) {
		const struct mt_smtp_answer *a =
		    answers == NULL ? NULL : &answers[n == 1 ? 0 : i];

		if (data_answer(s, a) == MT_SMTP_CLOSE)
			return MT_SMTP_CLOSE;
	}
	return MT_SMTP_GO_ON;
}

enum mt_smtp_event
mt_smtp_session_tls_started(struct mt_smtp_session *s)
{
	g_assert(s->wait == MT_SMTP_WAIT_TLS);
	s->wait = MT_SMTP_WAIT_LINE;
	s->is_tls = true;
	s->is_esmtp = false;
	s->helo[0] = '\0';
	mt_smtp_forget_transaction(s);
	s->state = MT_SMTP_ST_NEW;
	return MT_SMTP_GO_ON;
}

enum mt_smtp_event
mt_smtp_session_abort(struct mt_smtp_session *s, const struct mt_smtp_answer *why)
{
	mt_smtp_say_answer(s, why);
	return mt_smtp_close(s);
}

struct mt_slice
mt_smtp_session_output(struct mt_smtp_session *s)
{
	struct mt_slice out = s->out_taken ? (struct mt_slice){ "", 0 }
					   : mt_buf_slice(&s->out);

	s->out_taken = true;
	return out;
}

bool
mt_smtp_session_peer_must_wait(const struct mt_smtp_session *s)
{
	return s->must_wait;
}

const struct mt_smtp_envelope *
mt_smtp_session_envelope(const struct mt_smtp_session *s)
{
	return &s->env;
}

const struct mt_smtp_path *
mt_smtp_session_rcpt(const struct mt_smtp_session *s)
{
	return &s->rcpt;
}

const char *
mt_smtp_session_user(const struct mt_smtp_session *s)
{
	return s->is_logged_in || s->wait == MT_SMTP_WAIT_LOGIN ? s->user.p : NULL;
}

const char *
mt_smtp_session_secret(const struct mt_smtp_session *s)
{
	return s->wait == MT_SMTP_WAIT_LOGIN ? s->secret.p : NULL;
}

const char *
mt_smtp_session_helo(const struct mt_smtp_session *s)
{
	return s->helo;
}

/* RFC 3848, and RFC 6531 4.3 for SMTPUTF8. */
const char *
mt_smtp_session_with(const struct mt_smtp_session *s)
{
	static const char *const esmtp[] = { "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" };
	static const char *const lmtp[] = { "LMTP", "LMTPS", "LMTPA", "LMTPSA" };
	static const char *const utf8_smtp[] = {
		"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA",
	};
	static const char *const utf8_lmtp[] = {
		"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA",
	};
	unsigned i = (s->is_tls ? 1 : 0) + (s->is_logged_in ? 2 : 0);

	if (s->params.mode == MT_SMTP_MODE_LMTP)
		return s->env.is_utf8 ? utf8_lmtp[i] : lmtp[i];
	if (!s->is_esmtp)
		return "SMTP";
	return s->env.is_utf8 ? utf8_smtp[i] : esmtp[i];
}

unsigned
mt_smtp_session_last_code(const struct mt_smtp_session *s)
{
	return s->last_code;
}
