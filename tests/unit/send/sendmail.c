/* sendmail.c - tests of libmt/send/sendmail.c */
#include "tap.h"

#include <unistd.h>

#include "base/file.h"
#include "send/sendmail.h"

static char local[] = "ada", domain[] = "example.org";
static const struct mt_addr author = { NULL, local, domain };

/* The message that comes out, or NULL; recipients go to *rcpts as "a@b c@d". g_free. */
static char *
run(const char *in, size_t n, bool from_fields, char **rcpts, struct mt_err *err)
{
	const struct mt_sendmail params = { from_fields, NULL, &author };
	mt_auto_value(mt_addr_list) list = { 0 };
	mt_auto_value(mt_buf) got = MT_BUF_INIT(1 << 20);
	g_autoptr(GString) names = g_string_new(NULL);
	int fd = mt_file_temp(NULL), out;

	if (mt_file_write_all(fd, in, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	out = mt_sendmail_read(fd, &params, &list, err);
	close(fd);
	for (size_t i = 0; i < list.n; i++) {
		g_autofree char *spec = mt_addr_spec(&list.v[i]);

		g_string_append_printf(names, "%s%s", i > 0 ? " " : "", spec);
	}
	if (rcpts != NULL)
		*rcpts = g_strdup(names->str);
	if (out < 0)
		return NULL;
	lseek(out, 0, SEEK_SET);
	if (mt_file_read_fd(out, &got, NULL) < 0)
		abort();
	close(out);
	return g_strndup(got.n > 0 ? got.p : "", got.n);
}

#define WHOLE "Date: x\nFrom: a@b.c\nMessage-ID: <1@x>\n"

static void
test_unchanged(void)
{
	static const char *const cases[] = {
		WHOLE "\nbody\n",
		WHOLE "\n.\n..\nFrom me\n",
		WHOLE "Subject: \xe9t\xe9\n\n\xff\n",
		WHOLE "this is no field\n\nbody",
		"Date: x\r\nFrom: a@b.c\r\nMESSAGE-id: <1@x>\r\n\r\nbody\r\n",
		WHOLE,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = run(cases[i], strlen(cases[i]), false, NULL, NULL);

		is_str(got, cases[i], "a whole message stays as it is (%zu)", i);
	}
}

static void
test_edits(void)
{
	static const struct {
		const char *name, *in, *out;
	} cases[] = {
		{ "Bcc goes", WHOLE "Bcc: x@y.z,\n\tq@r.s\nTo: t@u.v\n\nb\n",
		    WHOLE "To: t@u.v\n\nb\n" },
		{ "every Bcc goes, in any case", "bCC: a@b.c\n" WHOLE "BCC : d@e.f\n\nb\n",
		    WHOLE "\nb\n" },
		{ "Resent-Bcc goes", WHOLE "Resent-Bcc: x@y.z\n\nb\n", WHOLE "\nb\n" },
		{ "Bcc in the body stays", WHOLE "\nBcc: x@y.z\n", WHOLE "\nBcc: x@y.z\n" },
		{ "Bcc behind a line that is no field is refused: it may be text",
		    WHOLE "junk\nBcc: x@y.z\n\nb\n", NULL },
		{ "another field there is none of our business",
		    WHOLE "junk\nTo: x@y.z\n\nb\n", WHOLE "junk\nTo: x@y.z\n\nb\n" },
		{ "an mbox line goes", "From a Sat Nov 21\n" WHOLE "\nb\n", WHOLE "\nb\n" },
		{ "an author without a domain has the account's address",
		    "Date: x\nMessage-ID: <1@x>\nFrom: root (Cron Daemon)\nX: y\n\nFrom: root\n",
		    "Date: x\nMessage-ID: <1@x>\nFrom: Cron Daemon <ada@example.org>\nX: y\n\n"
		    "From: root\n" },
		{ "with CRLF", "Date: x\r\nMessage-ID: <1@x>\r\nfrom: root\r\n\r\nb\r\n",
		    "Date: x\r\nMessage-ID: <1@x>\r\nfrom: root <ada@example.org>\r\n\r\nb\r\n" },
		{ "nobody said who root is", WHOLE "To: root\n\nb\n", WHOLE "To: root\n\nb\n" },
		{ "what is no field of addresses anyway stays",
		    WHOLE "Reply-To: a b, root\n\nb\n", WHOLE "Reply-To: a b, root\n\nb\n" },
		{ "text behind a line that is no field stays", WHOLE "junk\nSender: root\n\nb\n",
		    WHOLE "junk\nSender: root\n\nb\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got =
		    run(cases[i].in, strlen(cases[i].in), false, NULL, NULL);

		is_str(got, cases[i].out, "%s", cases[i].name);
	}
}

static void
test_missing(void)
{
	static const struct {
		const char *name, *in, *tail;
	} cases[] = {
		{ "fields", "Subject: x\n\nb\n", "@example.org>\nSubject: x\n\nb\n" },
		{ "CRLF", "Subject: x\r\n\r\nb\r\n",
		    "@example.org>\r\nSubject: x\r\n\r\nb\r\n" },
		{ "text only", "hello\n", "@example.org>\n\nhello\n" },
		{ "an empty header", "\nhello\n", "@example.org>\n\nhello\n" },
		{ "one word", "x", "@example.org>\n\nx" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got =
		    run(cases[i].in, strlen(cases[i].in), false, NULL, NULL);

		ok(got != NULL && g_str_has_prefix(got, "Date: ") &&
		    strstr(got, "\nFrom: ada@example.org") != NULL &&
		    strstr(got, "\nMessage-ID: <") != NULL &&
		    g_str_has_suffix(got, cases[i].tail),
		    "what is missing is put in front: %s", cases[i].name);
	}
}

static void
test_recipients(void)
{
	static const struct {
		const char *name, *in, *rcpts;
	} cases[] = {
		{ "To, Cc and Bcc", "To: A <a@x.y>\nCc: b@x.y, a@x.y\nBcc: c@x.y\n\n",
		    "a@x.y b@x.y c@x.y" },
		{ "names in Latin-1, undeclared", "To: J\xf6rg <a@x.y>,\n"
		    " \"\xc9va\" <b@x.y>, d@x.y (J\xf6rg)\n\n", "a@x.y b@x.y d@x.y" },
		{ "several fields", "To: a@x.y\nTo: b@x.y\n\n", "a@x.y b@x.y" },
		{ "folded", "To: a@x.y,\n b@x.y\n\n", "a@x.y b@x.y" },
		{ "a group", "To: all: a@x.y, b@x.y;\n\n", "a@x.y b@x.y" },
		{ "nobody", "To: undisclosed-recipients:;\n\n", "" },
		{ "Resent fields win", "Resent-To: r@x.y\nTo: a@x.y\n\n", "r@x.y" },
		{ "the newest Resent block", "Resent-To: new@x.y\nReceived: z\n"
		    "Resent-To: old@x.y\nTo: a@x.y\n\n", "new@x.y" },
		{ "not the body", "To: a@x.y\n\nTo: b@x.y\n", "a@x.y" },
		{ "before a line that is no field", "To: a@x.y\njunk\nX: b@x.y\n\n",
		    "a@x.y" },
	};
	static const char *const late[] = { "To", "cc", "Bcc", "Resent-To", "Resent-Cc",
		"Resent-Bcc" };
	struct mt_err err = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *rcpts = NULL;
		g_autofree char *got =
		    run(cases[i].in, strlen(cases[i].in), true, &rcpts, NULL);

		is_str(rcpts, cases[i].rcpts, "-t: %s", cases[i].name);
		ok(got != NULL && strstr(got, "c@x.y") == NULL, "-t: no Bcc is left");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(late); i++) {
		g_autofree char *in = g_strdup_printf("To: a@x.y\njunk\nSubject: s\n"
		    "%s: d@x.y\n\n", late[i]);

		memset(&err, 0, sizeof(err));
		ok(run(in, strlen(in), true, NULL, &err) == NULL &&
		    err.kind == MT_EDATA && strstr(err.msg, "line 2 ") != NULL &&
		    strstr(err.msg, late[i]) != NULL,
		    "-t: %s behind a line that is no field is refused", late[i]);
	}
	memset(&err, 0, sizeof(err));
	ok(run("To: a@x.y, root\n\n", 16, true, NULL, &err) == NULL &&
	    err.kind == MT_EDATA && strstr(err.msg, "root") != NULL,
	    "-t: an address that is none refuses the message, and is named");
}

static void
test_refused(void)
{
	static const struct {
		const char *name, *in;
		size_t n;
		const char *line;
	} cases[] = {
		{ "bare CR", "A: b\n\nx\ry\n", 10, "line 3" },
		{ "NUL", "A: b\n\n\nx\0y\n", 11, "line 4" },
		{ "CR at the end", "A: b\n\nx\r", 8, "line 3" },
		{ "CR CR LF", "A: b\r\r\n\r\n", 9, "line 1" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		char *in = tap_exact(cases[i].in, cases[i].n);

		ok(run(in, cases[i].n, false, NULL, &err) == NULL &&
		    err.kind == MT_EDATA && strstr(err.msg, cases[i].line) != NULL,
		    "refused with its line: %s", cases[i].name);
		free(in);
	}
}

int
main(void)
{
	test_unchanged();
	test_edits();
	test_missing();
	test_recipients();
	test_refused();
	return tap_done();
}
