/* dial.c - what mt_conn_dial() makes of servers that refuse, lie and break off */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn.h"
#include "tap.h"

/*
 * A script: "< text" is said, "> text" is a line that must begin so, "." cuts the
 * connection, "=" waits for its end and for the next one. Lines are separated by LF.
 */
struct server {
	int listen_fd;
	uint16_t port;
	const char *script;
	bool failed;
};

static bool
play(struct mt_conn *c, struct mt_slice step)
{
	struct mt_err err = { 0 };
	struct mt_slice line, want = mt_slice_from(step, 2);

	if (step.p[0] == '<')
		return mt_conn_write(c, want.p, want.n, &err) == 0 &&
		    mt_conn_write(c, "\r\n", 2, &err) == 0 &&
		    mt_conn_flush(c, &err) == 0;
	if (mt_conn_line(c, 1000, &line, &err) == 1 && mt_slice_starts(line, want))
		return true;
	printf("# server: wanted \"%.*s\"\n", (int)want.n, want.p);
	return false;
}

static void *
server_main(void *arg)
{
	struct server *s = arg;
	struct mt_slice script = mt_slice_str(s->script), step;
	mt_auto(mt_conn) c = mt_conn_new(accept(s->listen_fd, NULL, NULL));
	struct mt_err err = { 0 };

	mt_conn_set_deadline(c, 10000);
	while (mt_slice_take_line(&script, &step) && step.p[0] != '.') {
		if (step.p[0] == '=') {
			while (mt_conn_line(c, 1000, &step, &err) > 0)
				;
			mt_conn_free(mt_steal(&c));
			c = mt_conn_new(accept(s->listen_fd, NULL, NULL));
			continue;
		}
		if (!play(c, step)) {
			s->failed = true;
			return NULL;
		}
	}
	/* The client closes first, unless the script cuts. */
	while (step.p[0] != '.' && mt_conn_line(c, 1000, &step, &err) > 0)
		;
	return NULL;
}

static void
server_start(struct server *s, pthread_t *thread)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listen_fd, (struct sockaddr *)&a, n) < 0 || listen(s->listen_fd, 5) < 0 ||
	    getsockname(s->listen_fd, (struct sockaddr *)&a, &n) < 0)
		abort();
	s->port = ntohs(a.sin_port);
	pthread_create(thread, NULL, server_main, s);
}

#define POP3 "< +OK hi\n> CAPA\n< +OK\n< USER\n< UIDL\n< .\n"
#define KERBEROS "< +OK hi\n> CAPA\n< +OK\n< SASL GSSAPI PLAIN\n< .\n"
#define SMTP "< 220 hi\n> EHLO me\n< 250-me\n< 250 AUTH PLAIN LOGIN\n"

static const struct {
	const char *name, *scheme, *script;
	enum mt_err_kind kind;		/* MT_ENONE: it works */
	const char *dsn, *says;		/* in the message, or in the preamble */
	const char *mechanism;		/* asked for, or NULL */
} cases[] = {
	{ "POP3 login", "pop3", POP3 "> USER ada\n< +OK\n> PASS secret\n< +OK in\n",
		MT_ENONE, "", "UIDL\n.\n+OK\n+OK in\n", NULL },
	{ "SMTP login", "smtp", SMTP "> AUTH PLAIN\n< 334 \n> AGFkYQBzZWNyZXQ=\n< 235 2.7.0 in\n",
		MT_ENONE, "", "250 AUTH PLAIN LOGIN\n334\n235 2.7.0 in\n", NULL },
	{ "Kerberos is offered, but we have a password", "pop3", KERBEROS
		"> AUTH GSSAPI\n< + \n=\n" KERBEROS "> AUTH PLAIN\n< + \n> AGFkYUB4AH"
		"NlY3JldA==\n< +OK in\n", MT_ENONE, "", "+OK in", NULL },
	{ "POP3 login refused", "pop3",
		POP3 "> USER ada\n< +OK\n> PASS secret\n< -ERR [AUTH] wrong, ada\n", MT_EPERM, "",
		"login as ada refused: -ERR [AUTH] wrong, ada", NULL },
	{ "POP3 login refused for now", "pop3",
		POP3 "> USER ada\n< +OK\n> PASS secret\n< -ERR [LOGIN-DELAY] wait\n", MT_ETEMP,
		"", "-ERR [LOGIN-DELAY] wait", NULL },
	{ "SMTP login refused", "smtp", SMTP "> AUTH PLAIN\n< 535 5.7.8 bad password\n",
		MT_EPERM, "5.7.8", "login as ada refused: 535 5.7.8 bad password", NULL },
	{ "SMTP login refused for now", "smtp", SMTP "> AUTH PLAIN\n< 454 4.7.0 later\n",
		MT_ETEMP, "4.7.0", "454 4.7.0 later", NULL },
	{ "SMTP without a mechanism that we know", "smtp",
		"< 220 hi\n> EHLO me\n< 250-me\n< 250 AUTH NOVEL\n", MT_EPERM, "",
		"offers no way to log in that we know (it offers: NOVEL)", NULL },
	{ "SMTP without the mechanism that is asked for", "smtp", SMTP, MT_EPERM, "",
		"the server offers no CRAM-MD5 (it offers: PLAIN LOGIN)", "CRAM-MD5" },
	{ "a token is refused", "smtp", "< 220 hi\n> EHLO me\n< 250-me\n< 250 AUTH XOAUTH2\n"
		"> AUTH XOAUTH2\n< 334 \n> dXNlcj1hZGE\n< 334 eyJzdGF0dXMiOiI0MDAifQ==\n",
		MT_EPERM, "", "the access token is refused: {\"status\":\"400\"}", "XOAUTH2" },
	{ "POP3 without SASL, PLAIN asked for", "pop3", POP3 "=\n" POP3
		"> USER ada\n< +OK\n> PASS secret\n< +OK in\n", MT_ENONE, "", "+OK in",
		"PLAIN" },
	{ "POP3 with SASL, but not PLAIN, which was asked for", "pop3",
		"< +OK hi\n> CAPA\n< +OK\n< SASL CRAM-MD5\n< USER\n< .\n", MT_EPERM, "",
		"the server offers no PLAIN (it offers: CRAM-MD5)", "PLAIN" },
	{ "SMTP refuses everybody", "smtp", "< 554 5.7.1 go away\n", MT_EUNAVAIL, "5.7.1",
		"554 5.7.1 go away", NULL },
	{ "SMTP is busy", "smtp", "< 421 4.3.2 too many\n", MT_ETEMP, "4.3.2",
		"421 4.3.2 too many", NULL },
	{ "POP3 refuses everybody", "pop3", "< -ERR no\n", MT_EUNAVAIL, "", "-ERR no", NULL },
	{ "another protocol", "pop3", "< 220 hello\n.\n", MT_EPROTO, "", "220 hello", NULL },
	{ "broken off at once", "pop3", ".\n", MT_ETEMP, "", "127.0.0.1", NULL },
	{ "broken off in the login", "pop3", POP3 "> USER ada\n.\n", MT_ETEMP, "", "127.0.0.1",
		NULL },
};

static void
test_case(size_t at)
{
	struct server s = { .script = cases[at].script };
	struct mt_err err = { 0 };
	g_autofree char *url = NULL;
	/* libcurl thinks of Kerberos for a user with a domain only. */
	struct mt_conn_dial dial = {
		.user = strstr(cases[at].script, "GSSAPI") != NULL ? "ada@x" : "ada",
		.password = "secret", .helo = "me", .mechanism = cases[at].mechanism,
		.connect_timeout_ms = 10000 };
	mt_auto(mt_conn) c = NULL;
	g_autofree char *said = NULL;
	pthread_t thread;

	server_start(&s, &thread);
	dial.url = url = g_strdup_printf("%s://127.0.0.1:%u", cases[at].scheme, s.port);
	c = mt_conn_dial(&dial, &err);
	is_int(c == NULL ? err.kind : MT_ENONE, cases[at].kind, "%s: %s", cases[at].name,
	    err.msg);
	said = c == NULL ? g_strdup(err.msg) : mt_slice_dup(mt_conn_preamble(c));
	if (!ok(strstr(said, cases[at].says) != NULL, "%s: words", cases[at].name))
		printf("# %s\n", said);
	is_str(err.dsn, cases[at].dsn, "%s: status code", cases[at].name);
	ok(strstr(said, "secret") == NULL, "%s: no password is shown", cases[at].name);
	mt_conn_free(mt_steal(&c));
	pthread_join(thread, NULL);
	ok(!s.failed, "%s: the server heard what it should", cases[at].name);
	close(s.listen_fd);
}

static void
test_urls(void)
{
	static const struct {
		const char *url;
		bool valid;
		const char *scheme, *user, *host;
		uint16_t port;
	} urls[] = {
		{ "pop3s://ada@mail.example.org", true, "pop3s", "ada", "mail.example.org", 0 },
		{ "pop3s://ada@example.org@Mail.example.org:1995", true, "pop3s",
			"ada@example.org", "mail.example.org", 1995 },
		{ "smtp://ada%40example.org@mail.example.org/", true, "smtp",
			"ada@example.org", "mail.example.org", 0 },
		{ "imaps://[::1]:993", true, "imaps", NULL, "[::1]", 993 },
		{ "pop3s://ada:secret@mail.example.org", false, NULL, NULL, NULL, 0 },
		{ "pop3s://ada;AUTH=LOGIN@mail.example.org", false, NULL, NULL, NULL, 0 },
		{ "https://mail.example.org", false, NULL, NULL, NULL, 0 },
		{ "file:///etc/passwd", false, NULL, NULL, NULL, 0 },
		{ "pop3s://mail.example.org/INBOX", false, NULL, NULL, NULL, 0 },
		{ "mail.example.org", false, NULL, NULL, NULL, 0 },
		{ "pop3s://mail.example.org:99999", false, NULL, NULL, NULL, 0 },
		{ "", false, NULL, NULL, NULL, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		mt_auto_value(mt_conn_url) u = { NULL };
		struct mt_err err = { 0 };
		bool valid = mt_conn_url_parse(urls[i].url, &u, &err) == 0;

		is_int(valid, urls[i].valid, "%s", urls[i].url);
		is_str(u.scheme, urls[i].scheme, "scheme");
		is_str(u.user, urls[i].user, "user");
		is_str(u.host, urls[i].host, "host");
		is_int(u.port, urls[i].port, "port");
		if (!valid)
			is_int(err.kind, MT_ECONF, "%s", err.msg);
		ok(strstr(err.msg, "secret") == NULL, "no password is shown");
	}
}

static void
test_no_password(void)
{
	struct mt_conn_dial dial = { .url = "pop3s://ada@127.0.0.1:1" };
	struct mt_err err = { 0 };

	ok(mt_conn_dial(&dial, &err) == NULL, "a user without a password");
	is_int(err.kind, MT_ECONF, "%s", err.msg);
	dial.password = "secret";
	ok(mt_conn_dial(&dial, &err) == NULL, "nobody listens");
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
}

/* A server that accepts and says nothing. */
static void
test_timeout(void)
{
	struct server s = { .script = "> never\n" };
	g_autofree char *url = NULL;
	struct mt_conn_dial dial = { .connect_timeout_ms = 300 };
	struct mt_err err = { 0 };
	pthread_t thread;

	server_start(&s, &thread);
	dial.url = url = g_strdup_printf("pop3://127.0.0.1:%u", s.port);
	ok(mt_conn_dial(&dial, &err) == NULL, "a silent server");
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
	pthread_join(thread, NULL);
	close(s.listen_fd);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		test_case(i);
	test_urls();
	test_no_password();
	test_timeout();
	return tap_done();
}
