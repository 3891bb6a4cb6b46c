/* client.c - POP3 sessions against servers that are right, odd, broken or hostile */
#include "pop3/client.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "tap.h"

#define PIPELINING "+OK\r\nPIPELINING\r\n.\r\n"

/* A session whose server says all of this, and then ends the connection. */
static struct mt_pop3 *
session(const char *said, int *peer, struct mt_err *err)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 ||
	    write(fd[1], said, strlen(said)) != (ssize_t)strlen(said) ||
	    shutdown(fd[1], SHUT_WR) < 0)
		abort();
	*peer = fd[1];
	return mt_pop3_new(mt_conn_new(fd[0]), err);
}

static void
test_lists(void)
{
	static const struct {
		const char *name, *said;
		enum mt_err_kind kind;
		const char *want;	/* "number:size:uid " for each, or in the message */
	} cases[] = {
		{ "both lists", PIPELINING "+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
			MT_ENONE, "1:10:a 2:20:b " },
		{ "one after the other", "-ERR no CAPA\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 10\r\n.\r\n",
			MT_ENONE, "1:10:a " },
		{ "an empty maildrop", PIPELINING "+OK\r\n.\r\n+OK\r\n.\r\n", MT_ENONE, "" },
		{ "gaps and disorder",
			PIPELINING "+OK\r\n9 i\r\n3 c\r\n.\r\n+OK\r\n3 30\r\n9 90\r\n.\r\n",
			MT_ENONE, "3:30:c 9:90:i " },
		{ "UIDL lacks one", PIPELINING "+OK\r\n2 b\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
			MT_ENONE, "1:10:- 2:20:b " },
		{ "LIST lacks one", PIPELINING "+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n2 20\r\n.\r\n",
			MT_ENONE, "1:0:a 2:20:b " },
		{ "a UID with a blank",
			PIPELINING "+OK\r\n1 a b\r\n.\r\n+OK\r\n1 10\r\n.\r\n", MT_ENONE,
			"1:10:- " },
		{ "one number twice", PIPELINING "+OK\r\n1 a\r\n1 b\r\n.\r\n+OK\r\n1 10\r\n.\r\n",
			MT_ENONE, "1:10:" },
		{ "LF alone", "+OK\nPIPELINING\n.\n+OK\n1 a\n.\n+OK\n1 10\n.\n", MT_ENONE,
			"1:10:a " },
		{ "no UIDL", PIPELINING "-ERR what?\r\n+OK\r\n.\r\n", MT_EUNAVAIL, "-ERR what?" },
		{ "not now", PIPELINING "-ERR [SYS/TEMP] later\r\n+OK\r\n.\r\n", MT_ETEMP,
			"-ERR [SYS/TEMP] later" },
		{ "LIST refused", PIPELINING "+OK\r\n.\r\n-ERR no\r\n", MT_EUNAVAIL, "-ERR no" },
		{ "LIST is no list", PIPELINING "+OK\r\n.\r\n+OK\r\nhello\r\n.\r\n", MT_EPROTO,
			"hello" },
		{ "no reply", PIPELINING "hello\r\n", MT_EPROTO, "not a reply: hello" },
		{ "ends in a list", PIPELINING "+OK\r\n1 a\r\n", MT_ETEMP, "closed" },
		{ "ends in a line", PIPELINING "+OK\r\n1 a", MT_ETEMP, "closed" },
		{ "ends at once", PIPELINING, MT_ETEMP, "closed" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		int peer;
		mt_auto(mt_pop3) p = session(cases[i].said, &peer, &err);
		const struct mt_pop3_entry *list;
		GString *got = g_string_new(NULL);
		size_t n;

		if (p != NULL && mt_pop3_list(p, &list, &n, &err) == 0) {
			for (size_t j = 0; j < n; j++)
				g_string_append_printf(got, "%u:%llu:%s ", list[j].number,
				    (unsigned long long)list[j].size,
				    list[j].uid != NULL ? list[j].uid : "-");
		} else {
			g_string_assign(got, err.msg);
		}
		is_int(err.kind, cases[i].kind, "%s: %s", cases[i].name, err.msg);
		ok(strstr(got->str, cases[i].want) != NULL, "%s: got \"%s\"",
		    cases[i].name, got->str);
		g_string_free(got, TRUE);
		close(peer);
	}
}

/* What remains to be said of a message: the whole of it, or why not. */
static char *
message(struct mt_pop3 *p, struct mt_err *err)
{
	GString *text = g_string_new(NULL);
	struct mt_slice piece;
	int rc;

	while ((rc = mt_pop3_read(p, &piece, err)) > 0)
		g_string_append_len(text, piece.p, (gssize)piece.n);
	if (rc < 0)
		g_string_append(text, " [broken]");
	return g_string_free(text, FALSE);
}

static void
test_messages(void)
{
	struct mt_err err = { 0 };
	int peer;
	mt_auto(mt_pop3) p = session(PIPELINING "+OK\r\none\r\n..dot\r\n.\r\n-ERR gone\r\n"
	    "+OK\r\n.\r\n+OK\r\nhalf\r\n", &peer, &err);
	char *text, sent[200];
	ssize_t n;

	is_int(mt_pop3_window(p), 50, "many commands may be in flight");
	for (uint32_t i = 1; i <= 4; i++)
		is_int(mt_pop3_send_retr(p, i, &err), 0, "RETR %u", i);
	is_int(mt_pop3_answer(p, &err), 1, "the first comes");
	n = recv(peer, sent, sizeof(sent), MSG_DONTWAIT);
	ok(n > 0, "everything was sent by then");
	is_str(text = message(p, &err), "one\n.dot\n", "as it is");
	g_free(text);
	is_int(mt_pop3_answer(p, &err), 0, "the second is refused");
	is_str(err.msg, "RETR 2: the server says: -ERR gone", "in the server's words");
	is_int(mt_pop3_answer(p, &err), 1, "the third comes");
	is_str(text = message(p, &err), "", "and is empty");
	g_free(text);
	is_int(mt_pop3_answer(p, &err), 1, "the fourth begins");
	is_str(text = message(p, &err), "half\n [broken]", "and breaks off");
	g_free(text);
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
	close(peer);
}

static void
test_endless(void)
{
	struct mt_err err = { 0 };
	GString *said = g_string_new("+OK\r\n");
	struct mt_pop3 *p;
	int peer;

	for (int i = 0; i < 1100; i++)
		g_string_append(said, "WORD\r\n");
	p = session(said->str, &peer, &err);
	ok(p == NULL && err.kind == MT_EPROTO, "capabilities without end: %s", err.msg);
	mt_pop3_free(p);
	close(peer);
	g_string_assign(said, PIPELINING "+OK\r\n1 ");
	for (int i = 0; i < 5000; i++)
		g_string_append_c(said, 'x');
	g_string_append(said, "\r\n.\r\n");
	p = session(said->str, &peer, &err);
	ok(p != NULL, "a session");
	{
		const struct mt_pop3_entry *list;
		size_t n;

		is_int(mt_pop3_list(p, &list, &n, &err), -1, "a line without end");
		is_int(err.kind, MT_EPROTO, "%s", err.msg);
	}
	mt_pop3_free(p);
	close(peer);
	g_string_free(said, TRUE);
}

static void *
say_for_ever(void *arg)
{
	int fd = *(int *)arg;
	static char lines[MT_KIB(64)];

	for (size_t i = 0; i < sizeof(lines); i += 4)
		memcpy(lines + i, "?? \n", 4);
	while (write(fd, lines, sizeof(lines)) > 0)
		;
	return NULL;
}

/* Lines that are no entries come for ever: no more than messages could be. */
static void
test_endless_uidl(void)
{
	struct mt_err err = { 0 };
	const struct mt_pop3_entry *list;
	pthread_t server;
	size_t n;
	int fd[2];
	struct mt_pop3 *p;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 ||
	    write(fd[1], PIPELINING "+OK\r\n", 23) != 23 ||
	    pthread_create(&server, NULL, say_for_ever, &fd[1]) != 0)
		abort();
	p = mt_pop3_new(mt_conn_new(fd[0]), &err);
	ok(p != NULL, "a session");
	is_int(mt_pop3_list(p, &list, &n, &err), -1, "a list without end");
	is_int(err.kind, MT_EPROTO, "%s", err.msg);
	mt_pop3_free(p);
	pthread_join(server, NULL);
	close(fd[1]);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_lists();
	test_messages();
	test_endless();
	test_endless_uidl();
	return tap_done();
}
