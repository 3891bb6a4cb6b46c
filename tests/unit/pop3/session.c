/* session.c - the POP3 server engine, as dialogues with a driver that knows one user */
#include "pop3/session.h"

#include "base/buf.h"
#include "base/limits.h"
#include "net/dot.h"
#include "tap.h"

static const struct {
	struct mt_pop3_message entry;
	const char *text;
} drop[] = {
	{ { 11, "uid-one" }, "A: b\n\n.x\ny\n" },
	{ { 200, "uid-two" }, "C: d\n\n" },
	{ { 3000, "uid-three" }, NULL },	/* cannot be read */
};

struct driver {
	struct mt_pop3_session *s;
	struct mt_pop3_message list[G_N_ELEMENTS(drop)];
	struct mt_buf out;
	bool is_closed;
	bool fails_to_delete;
	char committed[100];
};

static enum mt_pop3_event
login(struct driver *d)
{
	const char *secret = mt_pop3_session_secret(d->s);

	if (strcmp(secret, "busy") == 0)
		return mt_pop3_session_login_failed(d->s, MT_POP3_LOGIN_IN_USE);
	if (strcmp(secret, "later") == 0)
		return mt_pop3_session_login_failed(d->s, MT_POP3_LOGIN_TEMP);
	if (strcmp(mt_pop3_session_user(d->s), "ada") != 0 ||
	    strcmp(secret, "pass word ") != 0)
		return mt_pop3_session_login_failed(d->s, MT_POP3_LOGIN_WRONG);
	return mt_pop3_session_login_ok(d->s, d->list, G_N_ELEMENTS(d->list));
}

static enum mt_pop3_event
send_message(struct driver *d)
{
	const char *text = drop[mt_pop3_session_number(d->s)].text;
	struct mt_dot dot;

	if (text == NULL)
		return mt_pop3_session_send_failed(d->s);
	mt_pop3_session_send_begins(d->s);
	mt_buf_append_slice(&d->out, mt_pop3_session_output(d->s));
	mt_dot_init(&dot, MT_DOT_POP3);
	if (mt_pop3_session_lines(d->s) >= 0)
		mt_dot_limit_body(&dot, (uint64_t)mt_pop3_session_lines(d->s));
	mt_dot_encode(&dot, mt_slice_str(text), &d->out, NULL);
	mt_dot_finish(&dot, &d->out, NULL);
	return MT_POP3_GO_ON;
}

static enum mt_pop3_event
commit(struct driver *d)
{
	g_autoptr(GString) text = g_string_new("deleted");

	for (size_t i = 0; i < G_N_ELEMENTS(d->list); i++) {
		if (mt_pop3_session_is_deleted(d->s, i))
			g_string_append_printf(text, " %zu", i);
	}
	g_strlcpy(d->committed, text->str, sizeof(d->committed));
	return mt_pop3_session_committed(d->s, !d->fails_to_delete);
}

static void
act(struct driver *d, enum mt_pop3_event ev)
{
	for (;;) {
		mt_buf_append_slice(&d->out, mt_pop3_session_output(d->s));
		switch (ev) {
		case MT_POP3_GO_ON:
			return;
		case MT_POP3_MORE:
			ev = mt_pop3_session_more(d->s);
			break;
		case MT_POP3_START_TLS:
			ev = mt_pop3_session_tls_started(d->s);
			break;
		case MT_POP3_CHECK_LOGIN:
			ev = login(d);
			break;
		case MT_POP3_SEND:
			ev = send_message(d);
			break;
		case MT_POP3_COMMIT:
			ev = commit(d);
			break;
		case MT_POP3_CLOSE:
			d->is_closed = true;
			return;
		}
	}
}

static void
feed(struct driver *d, const char *bytes, size_t n)
{
	char *exact = tap_exact(bytes, n);

	if (!d->is_closed)
		act(d, mt_pop3_session_line(d->s, mt_slice_mem(exact, n)));
	free(exact);
}

static void
begin(struct driver *d, const struct mt_pop3_session_params *params)
{
	*d = (struct driver){
		.s = mt_pop3_session_new(params), .out = MT_BUF_INIT(MT_MIB(100)),
	};
	for (size_t i = 0; i < G_N_ELEMENTS(drop); i++)
		d->list[i] = drop[i].entry;
	act(d, mt_pop3_session_greet(d->s));
}

static void
end(struct driver *d)
{
	mt_pop3_session_free(d->s);
	mt_buf_clear(&d->out);
}

/* As in the SMTP tests: "> line", "< how the next line begins", "= closed". */
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

static const struct mt_pop3_session_params pop3 = { .host = "mx.example", .can_tls = true };
static const struct mt_pop3_session_params pop3s = {
	.host = "mx.example", .is_tls = true, .errors_max = 4,
};

#define LOGIN "< +OK mx.example\n> USER ada\n< +OK\n> PASS pass word \n< +OK 3 messages\n"

static const struct {
	const char *name;
	const struct mt_pop3_session_params *params;
	const char *script;
} dialogues[] = {
	{ "no password in plain text", &pop3, "< +OK\n> USER ada\n< -ERR\n> PASS x\n< -ERR\n"
	  "> AUTH PLAIN\n< -ERR\n> AUTH\n< -ERR\n" },
	{ "CAPA without TLS", &pop3, "< +OK\n> CAPA\n< +OK\n< TOP\n< UIDL\n< RESP-CODES\n"
	  "< AUTH-RESP-CODE\n< PIPELINING\n< EXPIRE NEVER\n< STLS\n< .\n" },
	{ "STLS", &pop3, "< +OK\n> STLS\n< +OK\n> STLS\n< -ERR\n> CAPA\n< +OK\n< TOP\n"
	  "< UIDL\n< RESP-CODES\n< AUTH-RESP-CODE\n< PIPELINING\n< EXPIRE NEVER\n< USER\n"
	  "< SASL PLAIN\n< .\n> USER ada\n< +OK\n> PASS pass word \n< +OK 3\n" },
	{ "a session", &pop3s, LOGIN "> STAT\n< +OK 3 3211\n> LIST\n< +OK\n< 1 11\n"
	  "< 2 200\n< 3 3000\n< .\n> LIST 2\n< +OK 2 200\n> UIDL\n< +OK\n< 1 uid-one\n"
	  "< 2 uid-two\n< 3 uid-three\n< .\n> UIDL 3\n< +OK 3 uid-three\n> NOOP\n< +OK\n"
	  "> QUIT\n< +OK\n= closed\n" },
	{ "messages", &pop3s, LOGIN "> RETR 1\n< +OK\n< A: b\n< \n< ..x\n< y\n< .\n"
	  "> TOP 1 1\n< +OK\n< A: b\n< \n< ..x\n< .\n> TOP 1 0\n< +OK\n< A: b\n< \n< .\n"
	  "> RETR 3\n< -ERR [SYS/TEMP]\n> RETR 2\n< +OK\n< C: d\n< \n< .\n" },
	{ "messages that are not there", &pop3s, LOGIN "> RETR 4\n< -ERR no such\n> RETR 0\n"
	  "< -ERR\n> RETR x\n< -ERR\n> RETR\n< -ERR\n> RETR 1 2\n< -ERR\n> TOP 4 1\n< -ERR\n"
	  "> LIST 99999999999999999999\n< -ERR\n> UIDL 4\n< -ERR\n> DELE 4\n< -ERR\n"
	  "> RETR 1x\n< -ERR\n> STAT\n< +OK 3\n" },
	{ "TOP needs two numbers", &pop3s, LOGIN "> TOP 1\n< -ERR\n> TOP 1 x\n< -ERR\n"
	  "> TOP 1 -1\n< -ERR\n" },
	{ "deletions", &pop3s, LOGIN "> DELE 2\n< +OK\n> DELE 2\n< -ERR\n> RETR 2\n< -ERR\n"
	  "> STAT\n< +OK 2 3011\n> LIST\n< +OK 2\n< 1 11\n< 3 3000\n< .\n> UIDL 2\n< -ERR\n"
	  "> RSET\n< +OK 3\n> STAT\n< +OK 3 3211\n> DELE 1\n< +OK\n> DELE 3\n< +OK\n"
	  "> QUIT\n< +OK\n= closed\n" },
	{ "AUTH PLAIN", &pop3s, "< +OK\n> AUTH\n< +OK\n< PLAIN\n< .\n"
	  "> AUTH PLAIN AGFkYQBwYXNzIHdvcmQg\n< +OK 3\n" },
	{ "AUTH PLAIN in two steps", &pop3s, "< +OK\n> AUTH PLAIN\n< + \n> *\n< -ERR\n"
	  "> AUTH PLAIN\n< + \n> AGFkYQBwYXNzIHdvcmQg\n< +OK 3\n" },
	{ "AUTH that cannot be read", &pop3s, "< +OK\n> AUTH PLAIN x\n< -ERR\n"
	  "> AUTH CRAM-MD5\n< -ERR\n> AUTH PLAIN =\n< -ERR\n" },
	{ "wrong passwords end the session", &pop3s, "< +OK\n> USER ada\n< +OK\n> PASS x\n"
	  "< -ERR [AUTH]\n> PASS x\n< -ERR say USER\n> USER ada\n< +OK\n> PASS x\n"
	  "< -ERR [AUTH]\n> AUTH PLAIN AGFkYQB4\n< -ERR [AUTH]\n= closed\n" },
	{ "other failures have their codes", &pop3s, "< +OK\n> USER ada\n< +OK\n"
	  "> PASS busy\n< -ERR [IN-USE]\n> USER ada\n< +OK\n> PASS later\n"
	  "< -ERR [SYS/TEMP]\n" },
	{ "too many errors", &pop3s, "< +OK\n> A\n< -ERR\n> STAT\n< -ERR log in\n> \n< -ERR\n"
	  "> STLS\n< -ERR too many\n= closed\n" },
	{ "a login is once", &pop3s, LOGIN "> USER ada\n< -ERR\n> STLS\n< -ERR\n" },
	{ "QUIT before the login", &pop3s, "< +OK\n> QUIT\n< +OK\n= closed\n" },
	{ "verbs are read without case", &pop3s, "< +OK\n> user ada\n< +OK\n> quit\n< +OK\n" },
};

static void
test_commit(void)
{
	struct driver d;

	begin(&d, &pop3s);
	play(&d, LOGIN "> DELE 1\n< +OK\n> DELE 3\n< +OK\n");
	is_str(d.committed, "", "nothing is deleted before QUIT");
	feed(&d, "QUIT\r\n", 6);
	is_str(d.committed, "deleted 0 2", "QUIT deletes what was marked");
	end(&d);
	begin(&d, &pop3s);
	d.fails_to_delete = true;
	play(&d, LOGIN "> DELE 1\n< +OK\n");
	mt_buf_reset(&d.out);
	feed(&d, "QUIT\r\n", 6);
	ok(play(&d, "< -ERR [SYS/TEMP]\n= closed\n"), "what could not be deleted is said");
	end(&d);
}

static void
test_lines(void)
{
	struct driver d;

	begin(&d, &pop3s);
	mt_buf_reset(&d.out);
	feed(&d, "NOOP", 4);
	ok(d.is_closed && g_str_has_prefix(d.out.p, "-ERR"), "a line without end closes");
	end(&d);
	begin(&d, &pop3s);
	mt_buf_reset(&d.out);
	feed(&d, "USER a\0b\r\n", 10);
	feed(&d, "CAPA\n", 5);
	ok(g_str_has_prefix(d.out.p, "-ERR say USER") && strstr(d.out.p, "\r\n.\r\n"),
	    "a NUL is refused, a bare LF is an end here");
	end(&d);
}

static void
test_secrets(void)
{
	struct driver d;

	begin(&d, &pop3s);
	ok(mt_slice_eq(mt_pop3_session_loggable(d.s, MT_SLICE("PASS hunter2\r\n")),
	    MT_SLICE("PASS")), "the log does not see a password");
	ok(mt_slice_eq(mt_pop3_session_loggable(d.s, MT_SLICE("hunter2\r\n")),
	    MT_SLICE("(unknown command)")), "nor one that went astray");
	feed(&d, "AUTH PLAIN\r\n", 12);
	ok(mt_slice_eq(mt_pop3_session_loggable(d.s, MT_SLICE("AGFk\r\n")),
	    MT_SLICE("(within AUTH)")), "nor what follows AUTH");
	feed(&d, "AGFkYQBwYXNzIHdvcmQg\r\n", 22);
	is_str(mt_pop3_session_user(d.s), "ada", "the user is known after the login");
	ok(mt_pop3_session_secret(d.s) == NULL, "the secret is not");
	ok(mt_slice_eq(mt_pop3_session_loggable(d.s, MT_SLICE("RETR 1\r\n")),
	    MT_SLICE("RETR 1")), "other commands are logged");
	end(&d);
}

/* A listing is given in parts, so that it needs little memory. */
static void
test_long_list(void)
{
	const size_t n = 100000;
	struct mt_pop3_message *list = g_new(struct mt_pop3_message, n);
	struct mt_pop3_session *s = mt_pop3_session_new(&pop3s);
	size_t lines = 0, biggest = 0, parts = 0;
	enum mt_pop3_event ev;

	for (size_t i = 0; i < n; i++)
		list[i] = (struct mt_pop3_message){ 1000, "0123456789abcdef" };
	mt_pop3_session_line(s, MT_SLICE("AUTH PLAIN AGFkYQBwYXNzIHdvcmQg\r\n"));
	mt_pop3_session_login_ok(s, list, n);
	mt_pop3_session_output(s);
	ev = mt_pop3_session_line(s, MT_SLICE("UIDL\r\n"));
	for (;;) {
		struct mt_slice out = mt_pop3_session_output(s), line;

		biggest = MAX(biggest, out.n);
		parts++;
		while (mt_slice_take_line(&out, &line))
			lines++;
		if (ev != MT_POP3_MORE)
			break;
		ev = mt_pop3_session_more(s);
	}
	is_int(lines, n + 2, "100,000 lines, the first and the dot");
	ok(parts > 10 && biggest < MT_KIB(64), "in parts of less than 64 KiB");
	ok(ev == MT_POP3_GO_ON, "then the next command");
	mt_pop3_session_free(s);
	g_free(list);
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(dialogues); i++) {
		struct driver d;

		begin(&d, dialogues[i].params);
		ok(play(&d, dialogues[i].script), "%s", dialogues[i].name);
		end(&d);
	}
	test_commit();
	test_lines();
	test_secrets();
	test_long_list();
	return tap_done();
}
