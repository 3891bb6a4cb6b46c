/* client.c - the SMTP client against servers that follow a script */
#include "smtp/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "tap.h"

/*
 * A script of the server, one step a line:
 *
 *	> TEXT	the client says this line		< TEXT	the server says this line, or
 *							lines in one packet: a|b
 *	* N	N bytes come				.	a message comes, to its dot
 *	?	the client waits: nothing comes		!	the server closes
 *
 * At its end the client closes and nothing more has come. Runs in a child of its own; its
 * exit status tells whether the client kept to the script.
 */
static bool
server_line(FILE *f, const char *text)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, f);
	g_autofree char *want = g_strconcat(text, "\r\n", NULL);
	bool same = n > 0 && (size_t)n == strlen(want) && memcmp(line, want, (size_t)n) == 0;

	if (!same)
		printf("# the server expected \"%s\", got \"%.*s\"\n", text,
		    n > 0 ? (int)n : 0, line);
	free(line);
	return same;
}

static bool
server_skip_message(FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	bool ended = false;

	while (!ended && getline(&line, &size, f) > 0)
		ended = strcmp(line, ".\r\n") == 0;
	free(line);
	return ended;
}

static bool
server_skip(FILE *f, long n)
{
	while (n > 0 && getc(f) != EOF)
		n--;
	return n == 0;
}

static bool
server_step(FILE *in, int fd, const char *step)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	g_auto(GStrv) said = NULL;
	g_autofree char *joined = NULL, *line = NULL;

	switch (step[0]) {
	case '>':
		return server_line(in, step + 2);
	case '<':
		said = g_strsplit(step + 2, "|", -1);
		joined = g_strjoinv("\r\n", said);
		line = g_strconcat(joined, "\r\n", NULL);
		return mt_file_write_all(fd, line, strlen(line)) == 0;
	case '*':
		return server_skip(in, strtol(step + 2, NULL, 10));
	case '.':
		return server_skip_message(in);
	case '?':
		return poll(&p, 1, 30) == 0;
	default:
		return true;
	}
}

static void
serve(int fd, const char *script)
{
	g_auto(GStrv) steps = g_strsplit(script, "\n", -1);
	FILE *in = fdopen(dup(fd), "r");

	setvbuf(in, NULL, _IONBF, 0);	/* for "?" */
	for (size_t i = 0; steps[i] != NULL; i++) {
		if (steps[i][0] == '!')
			_exit(0);
		if (!server_step(in, fd, steps[i])) {
			printf("# the server stopped at \"%s\"\n", steps[i]);
			fflush(stdout);
			_exit(1);
		}
	}
	if (getc(in) != EOF) {
		printf("# the client says too much\n");
		fflush(stdout);
		_exit(1);
	}
	_exit(0);
}

struct session {
	struct mt_smtp_client *client;
	pid_t server;
};

static struct session
begin(const char *script, struct mt_smtp_extensions ext)
{
	struct session s;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	fflush(stdout);
	s.server = fork();
	if (s.server == 0) {
		close(fds[0]);
		serve(fds[1], script);
	}
	close(fds[1]);
	s.client = mt_smtp_client_new(mt_conn_new(fds[0]));
	mt_smtp_client_set_extensions(s.client, &ext);
	mt_smtp_client_set_timeouts(s.client, 5000, 5000);
	return s;
}

/* Whether the server's script was followed to its end. */
static bool
end(struct session *s)
{
	int status = -1;

	mt_smtp_client_free(s->client);
	waitpid(s->server, &status, 0);
	return status == 0;
}

static int
message_file(const char *text, size_t n)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, text, n) < 0)
		abort();
	return fd;
}

#define PIPELINING { .is_esmtp = true, .has_pipelining = true }
#define ALL { .is_esmtp = true, .has_pipelining = true, .has_size = true, \
	.has_8bitmime = true, .has_smtputf8 = true, .has_enhanced = true }
#define UTF8 { .is_esmtp = true, .has_pipelining = true, .has_smtputf8 = true }
#define CHUNKING { .is_esmtp = true, .has_pipelining = true, .has_chunking = true }
#define PLAIN { 0 }
#define SMALL { .is_esmtp = true, .has_size = true, .size_max = 5 }

/* One message to up to three recipients; fates: S(ent) D(eferred) R(efused) U(nknown). */
static const struct {
	const char *name;
	struct mt_smtp_extensions ext;
	const char *from;
	const char *rcpts[3];
	const char *message;
	const char *script;
	int rc;
	enum mt_err_kind kind;
	const char *fates;
	const char *text;	/* how the first outcome's text begins */
	bool is_usable;
} cases[] = {
	{ "pipelined", PIPELINING, "a@b", { "c@d" }, "S: x\n\n.y\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n? \n< 250 ok\n< 250 ok\n< 354 go\n"
	  "> S: x\n> \n> ..y\n> .\n< 250 2.0.0 taken",
	  0, MT_ENONE, "S", "250 2.0.0 taken", true },
	{ "one command at a time", PLAIN, "", { "c@d" }, "x",
	  "> MAIL FROM:<>\n? \n< 250 ok\n> RCPT TO:<c@d>\n? \n< 250 ok\n> DATA\n? \n< 354 go\n"
	  "> x\n> .\n< 250 ok", 0, MT_ENONE, "S", "250 ok", true },
	{ "all parameters", ALL, "a@b", { "\xc3\xa5@d" }, "S: x\n\n\xc3\xa5\n",
	  "> MAIL FROM:<a@b> SIZE=12 BODY=8BITMIME SMTPUTF8\n> RCPT TO:<\xc3\xa5@d>\n"
	  "> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n< 250 ok", 0, MT_ENONE, "S", "250", true },
	{ "a message that needs no parameters", ALL, "a@b", { "c@d" }, "x\r\n",
	  "> MAIL FROM:<a@b> SIZE=3\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n"
	  "< 354 go\n> x\n> .\n< 250 ok", 0, MT_ENONE, "S", "250", true },
	{ "a domain as A-labels", PIPELINING, "a@\xc3\xbc.example", { "c@\xc3\xbc.example" },
	  "x\n", "> MAIL FROM:<a@xn--tda.example>\n> RCPT TO:<c@xn--tda.example>\n"
	  "> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n< 250 ok", 0, MT_ENONE, "S", "250",
	  true },
	{ "some recipients are refused", PIPELINING, "a@b", { "c@d", "e@f", "g@h" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> RCPT TO:<g@h>\n> DATA\n"
	  "< 250 ok\n< 550-5.1.1 no\n< 550 5.1.1 user\n< 250 ok\n< 451 4.2.0 later\n"
	  "< 354 go\n> x\n> .\n< 250 ok",
	  0, MT_ENONE, "RSD", "550 5.1.1 no 5.1.1 user", true },
	{ "all are refused, DATA too", PIPELINING, "a@b", { "c@d", "e@f" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> DATA\n< 250 ok\n"
	  "< 550 no\n< 550 no\n< 554 nobody", -1, MT_EUNAVAIL, "RR", "550 no", true },
	{ "all are refused, but DATA is not", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 550 no\n< 354 go\n"
	  "> .\n< 250 ok", -1, MT_EUNAVAIL, "R", "550 no", true },
	{ "one may be tried again", PIPELINING, "a@b", { "c@d", "e@f" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> DATA\n< 250 ok\n"
	  "< 550 no\n< 450 busy\n< 554 nobody", -1, MT_ETEMP, "RD", "550 no", true },
	{ "MAIL is refused", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 550 5.7.1 not you\n< 503 order\n"
	  "< 503 order", -1, MT_EUNAVAIL, "R", "550 5.7.1 not you", true },
	{ "MAIL is refused, one command at a time", PLAIN, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n< 451 later", -1, MT_ETEMP, "D", "451 later", true },
	{ "a RCPT that passes behind a refused MAIL counts for nothing", PIPELINING, "a@b",
	  { "c@d" }, "x\n", "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 550 no\n"
	  "< 250 ok\n< 354 go\n> .\n< 250 ok", -1, MT_EUNAVAIL, "R", "550 no", true },
	{ "DATA is refused", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 451 full",
	  -1, MT_ETEMP, "D", "451 full", true },
	{ "the message is refused", PIPELINING, "a@b", { "c@d", "e@f" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> DATA\n< 250 ok\n< 250 ok\n"
	  "< 250 ok\n< 354 go\n.\n< 554 5.7.1 spam", -1, MT_EUNAVAIL, "RR",
	  "554 5.7.1 spam", true },
	{ "the message is deferred", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n"
	  "< 451 later", -1, MT_ETEMP, "D", "451 later", true },
	{ "the connection is lost behind the last dot", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n!",
	  -1, MT_ETEMP, "U", "the message was sent whole, but no answer came", false },
	{ "the final reply is no reply", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n"
	  "< what", -1, MT_EPROTO, "U", "the message was sent whole", false },
	{ "the final reply is cut", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n"
	  "< 250-ok\n!", -1, MT_ETEMP, "U", "the message was sent whole", false },
	{ "354 is no final reply", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n"
	  "< 354 more", -1, MT_ETEMP, "D", "354 more", false },
	{ "the connection is lost in the envelope", PIPELINING, "a@b", { "c@d", "e@f" },
	  "x\n", "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> DATA\n< 250 ok\n"
	  "< 550 no\n!", -1, MT_ETEMP, "RD", "550 no", false },
	{ "421 at MAIL", PLAIN, "a@b", { "c@d" }, "x\n", "> MAIL FROM:<a@b>\n< 421 bye\n!",
	  -1, MT_ETEMP, "D", "421 bye", false },
	{ "421 at the message", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n.\n"
	  "< 421 bye", -1, MT_ETEMP, "D", "421 bye", false },
	{ "a 250 to the message before it has come", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok|250 ok|354 go|250 taken\n!",
	  -1, MT_EPROTO, "D", "the server answers what it was not asked", false },
	{ "DATA gets 250", PIPELINING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 250 ok",
	  -1, MT_EPROTO, "D", "DATA: 250 ok", false },
	{ "BDAT in one round trip", CHUNKING, "a@b", { "c@d", "e@f" }, "S: x\n\n.\nz",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> RCPT TO:<e@f>\n> BDAT 14 LAST\n> S: x\n> \n"
	  "> .\n> z\n< 250 ok\n< 250 ok\n< 550 no\n< 250 taken", 0, MT_ENONE, "SR",
	  "250 taken", true },
	{ "BDAT: lost before any reply, when all was sent", CHUNKING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> BDAT 3 LAST\n> x\n!", -1, MT_ETEMP, "U",
	  "", false },
	{ "BDAT to nobody", CHUNKING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> BDAT 3 LAST\n> x\n< 250 ok\n< 550 no\n"
	  "< 503 nobody", -1, MT_EUNAVAIL, "R", "550 no", true },
	{ "a server that takes a BDAT to nobody", CHUNKING, "a@b", { "c@d" }, "x\n",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> BDAT 3 LAST\n> x\n< 250 ok\n< 550 no\n"
	  "< 250 taken", -1, MT_EUNAVAIL, "R", "550 no", true },
	{ "an empty message", PIPELINING, "a@b", { "c@d" }, "",
	  "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n> .\n"
	  "< 250 ok", 0, MT_ENONE, "S", "250", true },
	/* Nothing is said to the server about these. */
	{ "a bare CR", PIPELINING, "a@b", { "c@d" }, "a\rb\n", "", -1, MT_EDATA, "R",
	  "a bare CR in line 1 (offset 1)", true },
	{ "a message over SIZE", SMALL, "a@b", { "c@d" }, "12345\n", "", -1, MT_EUNAVAIL,
	  "R", "the message has 7 octets, the server takes 5", true },
	{ "no SMTPUTF8 for the sender", PIPELINING, "\xc3\xa5@b", { "c@d" }, "x\n", "", -1,
	  MT_EUNAVAIL, "R", "sender <\xc3\xa5@b>: the server takes only", true },
	{ "no SMTPUTF8 for the only recipient", PIPELINING, "a@b", { "\xc3\xa5@b" }, "x\n",
	  "", -1, MT_EUNAVAIL, "R", "the server takes only addresses in ASCII", true },
	{ "an address with a line in it", PIPELINING, "a@b", { "c@d>\r\nRCPT TO:<e@f" },
	  "x\n", "", -1, MT_EDATA, "R", "", true },
	{ "the others get it all the same", PIPELINING, "a@b", { "\xc3\xa5@b", "c@d" },
	  "x\n", "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n"
	  "< 354 go\n.\n< 250 ok", 0, MT_ENONE, "RS", "the server takes only", true },
	{ "a header of ours with such an address", PIPELINING, "a@b", { "c@d" },
	  "To: \xc3\xa5@b\n\nx\n", "", -1, MT_EUNAVAIL, "R", "the message names addresses", true },
	{ "and where there is SMTPUTF8 it is said", UTF8, "a@b", { "c@d" },
	  "To: \xc3\xa5@b\n\nx\n", "> MAIL FROM:<a@b> SMTPUTF8\n> RCPT TO:<c@d>\n> DATA\n"
	  "< 250 ok\n< 250 ok\n< 354 go\n.\n< 250 ok", 0, MT_ENONE, "S", "250", true },
};

static char
letter(const struct mt_smtp_outcome *o)
{
	if (o->is_unknown)
		return o->fate == MT_SMTP_DEFERRED ? 'U' : '?';
	return o->fate == MT_SMTP_SENT ? 'S' : o->fate == MT_SMTP_DEFERRED ? 'D' : 'R';
}

static size_t
count(const char *const rcpts[3])
{
	size_t n = 0;

	while (n < 3 && rcpts[n] != NULL)
		n++;
	return n;
}

static void
test_case(size_t i)
{
	struct session s = begin(cases[i].script, cases[i].ext);
	struct mt_smtp_envelope_out env = {
		.from = cases[i].from, .rcpts = cases[i].rcpts,
		.rcpts_n = count(cases[i].rcpts), /* The others have no fields. */
		.is_ours = g_str_has_prefix(cases[i].message, "To: "),
	};
	struct mt_smtp_outcome o[3];
	char fates[4] = "";
	struct mt_err err = { 0 };
	mt_auto_fd int fd = message_file(cases[i].message, strlen(cases[i].message));
	int rc = mt_smtp_client_send(s.client, &env, fd, o, &err);
	bool usable = mt_smtp_client_is_usable(s.client);

	for (size_t k = 0; k < env.rcpts_n; k++)
		fates[k] = letter(&o[k]);
	ok(end(&s) && rc == cases[i].rc && err.kind == cases[i].kind &&
	    strcmp(fates, cases[i].fates) == 0 &&
	    g_str_has_prefix(o[0].text, cases[i].text) && usable == cases[i].is_usable,
	    "%s", cases[i].name);
	if (tap_failed > 0)
		printf("# rc %d, kind %s, \"%s\", fates %s, \"%s\", usable %d\n", rc,
		    mt_err_word(err.kind), err.msg, fates, o[0].text, usable);
}

static int
send_one(struct session *s, const char *from, const char *to, int fd,
    struct mt_smtp_outcome *o)
{
	const char *const rcpts[] = { to };
	struct mt_smtp_envelope_out env = { .from = from, .rcpts = rcpts, .rcpts_n = 1 };

	return mt_smtp_client_send(s->client, &env, fd, o, NULL);
}

/* What one message leaves behind must not touch the next. */
static void
test_next_message(void)
{
	struct mt_smtp_extensions chunking = CHUNKING, pipelining = PIPELINING;
	struct mt_smtp_outcome o;
	struct session s = begin(
	    "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 550 no\n< 554 nobody\n"
	    "> RSET\n> MAIL FROM:<a@b>\n> RCPT TO:<e@f>\n> DATA\n< 250 reset\n< 250 ok\n"
	    "< 250 ok\n< 354 go\n> x\n> .\n< 250 ok\n"
	    "> MAIL FROM:<a@b>\n> RCPT TO:<g@h>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n"
	    "> x\n> .\n< 250 ok\n> QUIT\n< 221 bye", pipelining);
	mt_auto_fd int fd = message_file("x\n", 2);
	int first = send_one(&s, "a@b", "c@d", fd, &o);
	int second = send_one(&s, "a@b", "e@f", fd, &o);
	int third = send_one(&s, "a@b", "g@h", fd, &o);

	mt_smtp_client_quit(s.client);
	ok(end(&s) && first == -1 && second == 0 && third == 0,
	    "a transaction that was left open is reset before the next");
	s = begin("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> BDAT 3 LAST\n> x\n< 250 ok\n"
	    "< 250 ok\n< 554 spam\n> RSET\n> MAIL FROM:<a@b>\n> RCPT TO:<e@f>\n"
	    "> BDAT 3 LAST\n> x\n< 250 ok\n< 250 ok\n< 250 ok\n< 250 ok", chunking);
	first = send_one(&s, "a@b", "c@d", fd, &o);
	second = send_one(&s, "a@b", "e@f", fd, &o);
	ok(end(&s) && first == -1 && second == 0, "a BDAT that failed is reset (RFC 3030)");
}

static void
test_after_loss(void)
{
	struct mt_smtp_extensions pipelining = PIPELINING;
	struct session s = begin("> MAIL FROM:<a@b>\n!", pipelining);
	struct mt_smtp_outcome o;
	mt_auto_fd int fd = message_file("x\n", 2);
	int first = send_one(&s, "a@b", "c@d", fd, &o);
	int second = send_one(&s, "a@b", "c@d", fd, &o);

	ok(first == -1 && second == -1 && o.fate == MT_SMTP_DEFERRED && !o.is_unknown &&
	    !mt_smtp_client_is_usable(s.client), "nothing is sent on a lost connection");
	end(&s);
}

/* A message that does not fit in any buffer. */
static void
test_large(void)
{
	struct mt_smtp_extensions chunking = CHUNKING, pipelining = PIPELINING;
	const size_t lines = 400000;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *script = NULL;
	struct mt_smtp_outcome o;
	struct session s;
	int fd, rc;

	for (size_t i = 0; i < lines; i++)
		g_string_append(text, i % 10 == 0 ? ".234567\n" : "1234567\n");
	fd = message_file(text->str, text->len);
	s = begin("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n"
	    ".\n< 250 ok", pipelining);
	rc = send_one(&s, "a@b", "c@d", fd, &o);
	ok(end(&s) && rc == 0, "3 MB by DATA");
	script = g_strdup_printf("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n? \n< 250 ok\n"
	    "< 250 ok\n> BDAT %zu LAST\n* %zu\n< 250 ok", lines * 9, lines * 9);
	s = begin(script, chunking);
	rc = send_one(&s, "a@b", "c@d", fd, &o);
	ok(end(&s) && rc == 0, "3 MB by BDAT wait for the recipients");
	s = begin("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n< 250 ok\n< 550 no", chunking);
	rc = send_one(&s, "a@b", "c@d", fd, &o);
	ok(end(&s) && rc == -1 && o.fate == MT_SMTP_REFUSED, "and are not sent in vain");
	s = begin("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n"
	    "* 100000\n< 552 5.3.4 too big\n!", pipelining);
	rc = send_one(&s, "a@b", "c@d", fd, &o);
	ok(!mt_smtp_client_is_usable(s.client) && end(&s) && rc == -1 &&
	    o.fate == MT_SMTP_REFUSED && o.code == 552,
	    "a refusal in the middle of a message is heard");
	s = begin("> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go\n"
	    "* 100000\n< 250 ok\n!", pipelining);
	rc = send_one(&s, "a@b", "c@d", fd, &o);
	ok(end(&s) && rc == -1 && o.fate == MT_SMTP_DEFERRED,
	    "a 250 in the middle of a message is no success");
	close(fd);
}

static void
test_scan(void)
{
	g_autoptr(GString) big = g_string_new("A: b\n\n");
	struct mt_smtp_scan scan;
	struct mt_err err = { 0 };
	int fd = message_file("S: \xc3\xa5\nT: x\r\n\n12345678\nabc", 24), pipes[2];

	ok(mt_smtp_scan(fd, &scan, &err) == 0 && scan.size == 29 && scan.stored == 24 &&
	    scan.header_is_8bit && !scan.body_is_8bit && scan.line_max == 8,
	    "size, 8-bit bytes and the longest line");
	close(fd);
	for (size_t i = 0; i < 200000; i++)
		g_string_append_c(big, i == 199999 ? '\xff' : 'x');
	fd = message_file(big->str, big->len);
	ok(mt_smtp_scan(fd, &scan, &err) == 0 && scan.line_max == 200000 &&
	    !scan.header_is_8bit && scan.body_is_8bit && scan.size == 200000 + 10,
	    "a line of 200,000 octets");
	close(fd);
	g_string_append(big, "\ra");
	fd = message_file(big->str, big->len);
	ok(mt_smtp_scan(fd, &scan, &err) < 0 && err.kind == MT_EDATA &&
	    strstr(err.msg, "line 3 (offset 200006)") != NULL, "a bare CR far behind");
	close(fd);
	if (pipe(pipes) < 0)
		abort();
	ok(mt_smtp_scan(pipes[0], &scan, &err) < 0 && err.kind == MT_EUSAGE,
	    "a pipe is no file");
	close(pipes[0]);
	close(pipes[1]);
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		test_case(i);
	test_next_message();
	test_after_loss();
	test_large();
	test_scan();
	return tap_done();
}
