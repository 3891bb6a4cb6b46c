/* reply.c - replies of servers, and what an EHLO answer offers */
#include "smtp/reply.h"

#include "smtp/extensions.h"
#include "tap.h"

static const struct {
	const char *name;
	const char *lines;
	unsigned code;		/* 0: refused */
	const char *dsn;
	const char *text;
} replies[] = {
	{ "one line", "250 ok", 250, "", "ok" },
	{ "an enhanced code", "550 5.1.1 no such user", 550, "5.1.1",
	  "5.1.1 no such user" },
	{ "many lines", "250-a\n250-b\n250 c", 250, "", "a\nb\nc" },
	{ "the last enhanced code counts", "550-5.1.0 a\n550 5.1.1 b", 550, "5.1.1",
	  "5.1.0 a\n5.1.1 b" },
	{ "an enhanced code of another class is text", "550 4.1.1 x", 550, "",
	  "4.1.1 x" },
	{ "a number is no enhanced code", "250 2.0 x", 250, "", "2.0 x" },
	{ "an enhanced code that is too long", "250 2.0.1234 x", 250, "", "2.0.1234 x" },
	{ "an enhanced code with a tail", "250 2.0.0x", 250, "", "2.0.0x" },
	{ "an enhanced code with a zero before it", "550 05.1.1 x", 550, "", "05.1.1 x" },
	{ "an enhanced code alone", "250 2.1.5", 250, "2.1.5", "2.1.5" },
	{ "a code alone", "354", 354, "", "" },
	{ "an empty line", "250-\n250 ", 250, "", "\n" },
	{ "a tab", "250\tok", 250, "", "ok" },
	{ "any bytes", "550 \xff\x01", 550, "", "\xff\x01" },
	{ "a second digit of 9", "299 x", 299, "", "x" },
	{ "two codes", "250-a\n550 b", 0, "", "" },
	{ "no code", "hello", 0, "", "" },
	{ "two digits", "25 x", 0, "", "" },
	{ "four digits", "2500 x", 0, "", "" },
	{ "a code below 200", "150 x", 0, "", "" },
	{ "a code above 599", "600 x", 0, "", "" },
	{ "nothing", "", 0, "", "" },
};

/* Feed lines: what the last _add() gave. */
static int
feed(struct mt_smtp_reply *r, struct mt_slice lines, struct mt_err *err)
{
	struct mt_slice line = { "", 0 };
	int rc = 0;

	if (lines.n == 0)
		return mt_smtp_reply_add(r, lines, err);
	while (rc == 0 && mt_slice_take_line(&lines, &line)) {
		char *exact = tap_exact(line.p, line.n);

		rc = mt_smtp_reply_add(r, mt_slice_mem(exact, line.n), err);
		free(exact);
	}
	return lines.n == 0 ? rc : -2;
}

static void
test_reply(size_t i)
{
	struct mt_smtp_reply r;
	struct mt_err err = { 0 };
	int rc;

	mt_smtp_reply_init(&r);
	rc = feed(&r, mt_slice_str(replies[i].lines), &err);
	if (replies[i].code == 0)
		ok(rc == -1 && err.kind == MT_EPROTO, "%s: refused", replies[i].name);
	else
		ok(rc == 1 && r.code == replies[i].code &&
		    strcmp(r.dsn, replies[i].dsn) == 0 &&
		    mt_slice_eq(mt_buf_slice(&r.text), mt_slice_str(replies[i].text)),
		    "%s", replies[i].name);
	mt_smtp_reply_clear(&r);
}

static void
test_bounds(void)
{
	g_autofree char *big = g_strnfill(MT_MAX_SMTP_REPLY_LINE + 1, 'x');
	struct mt_smtp_reply r;
	struct mt_err err = { 0 };
	int rc = 0;
	size_t n = 0;

	memcpy(big, "250-", 4);
	mt_smtp_reply_init(&r);
	is_int(mt_smtp_reply_add(&r, mt_slice_mem(big, MT_MAX_SMTP_REPLY_LINE + 1), &err),
	    -1, "a line that is too long");
	while (rc == 0 && n++ < 1000)
		rc = mt_smtp_reply_add(&r, mt_slice_mem(big, 1000), &err);
	ok(rc == -1 && n < 100, "a reply without end is cut off");
	mt_smtp_reply_clear(&r);
}

static void
test_reuse(void)
{
	struct mt_smtp_reply r;

	mt_smtp_reply_init(&r);
	feed(&r, MT_SLICE("550-5.1.1 a\n550 5.1.1 b"), NULL);
	feed(&r, MT_SLICE("250 ok"), NULL);
	ok(r.code == 250 && r.lines == 1 && r.dsn[0] == '\0' &&
	    strcmp(r.text.p, "ok") == 0, "nothing of a reply is left in the next");
	mt_smtp_reply_clear(&r);
}

static const struct {
	const char *reply;
	enum mt_err_kind kind;
	const char *dsn, *msg;
} errors[] = {
	{ "550-5.1.1 a\n550 5.1.1 b", MT_EUNAVAIL, "5.1.1", "x: 550 5.1.1 a 5.1.1 b" },
	{ "550 no", MT_EUNAVAIL, "5.0.0", "x: 550 no" },
	{ "451 later", MT_ETEMP, "4.0.0", "x: 451 later" },
	{ "535 5.7.8 wrong", MT_EPERM, "5.7.8", "x: 535 5.7.8 wrong" },
	{ "354 what", MT_EPROTO, "", "x: 354 what" },
	{ "550 a\033[2Jb", MT_EUNAVAIL, "5.0.0", "x: 550 a\\x1b[2Jb" },
};

static void
test_errors(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
		struct mt_smtp_reply r;
		struct mt_err err = { 0 };

		mt_smtp_reply_init(&r);
		feed(&r, mt_slice_str(errors[i].reply), NULL);
		ok(mt_smtp_reply_fail(&r, "x", &err) == -1 &&
		    err.kind == errors[i].kind && strcmp(err.dsn, errors[i].dsn) == 0 &&
		    strcmp(err.msg, errors[i].msg) == 0, "as an error: %s",
		    errors[i].msg);
		mt_smtp_reply_clear(&r);
	}
}

static void
test_extensions(void)
{
	struct mt_smtp_extensions e;

	mt_smtp_extensions_parse(MT_SLICE("mx PIPELINING\npipelining\nSIZE 1000\n8BITMIME\n"
	    "X-ODD\nCHUNKING\n\nSMTPUTF8 x"), &e);
	ok(e.is_esmtp && e.has_pipelining && e.has_size && e.size_max == 1000 &&
	    e.has_8bitmime && e.has_chunking && e.has_smtputf8 && !e.has_starttls &&
	    !e.has_dsn, "keywords of EHLO");
	mt_smtp_extensions_parse(MT_SLICE("SIZE 5\nSIZE"), &e);
	ok(e.has_size && e.size_max == 0, "SIZE without a number; a host named SIZE");
	mt_smtp_extensions_of_preamble(MT_SLICE("220 mx ESMTP\n250-mx\n250-SIZE 1\n"
	    "250 STARTTLS\n220 go\n250-mx\n250-AUTH PLAIN\n250 PIPELINING\n334 \n"
	    "235 2.7.0 ok\n"), &e);
	ok(e.is_esmtp && e.has_pipelining && !e.has_size && !e.has_starttls,
	    "the answer to EHLO after STARTTLS is in force");
	mt_smtp_extensions_of_preamble(MT_SLICE("220 mx\n250 mx says SIZE\n"), &e);
	ok(!e.is_esmtp && !e.has_size, "HELO offers nothing");
	mt_smtp_extensions_of_preamble(MT_SLICE("junk\n\n220 mx\n250-mx\n250 DSN\n"), &e);
	ok(e.has_dsn, "junk is passed over");
	mt_smtp_extensions_of_preamble(MT_SLICE(""), &e);
	ok(!e.is_esmtp, "nothing was said");
}

/* Real servers' answers: each file holds one reply or, pipelined, more. */
static void
test_transcripts(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;
	size_t files = 0;

	if (d == NULL) {
		ok(true, "real servers' replies # SKIP no %s", dir);
		return;
	}
	while ((name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autofree char *content = NULL;
		struct mt_slice left, line;
		struct mt_smtp_reply r;
		int rc = 1;
		gsize n;

		if (!g_str_has_suffix(name, ".txt") ||
		    !g_file_get_contents(path, &content, &n, NULL))
			continue;
		left = mt_slice_mem(content, n);
		mt_smtp_reply_init(&r);
		while (rc >= 0 && mt_slice_take_line(&left, &line))
			rc = mt_smtp_reply_add(&r, line, NULL);
		ok(rc == 1, "%s", name);
		if (g_str_has_prefix(name, "comcast-ehlo")) {
			struct mt_smtp_extensions e;

			mt_smtp_extensions_parse(mt_buf_slice(&r.text), &e);
			ok(e.size_max == 36700160 && e.has_8bitmime && e.has_starttls &&
			    e.has_pipelining == (strstr(name, "dsn") != NULL ||
			    strstr(name, "pipelining") != NULL) &&
			    e.has_dsn == (strstr(name, "dsn") != NULL) &&
			    e.has_chunking == (strstr(name, "binarymime") != NULL) &&
			    e.has_smtputf8 == (strstr(name, "smtputf8") != NULL),
			    "%s: what it offers", name);
		}
		mt_smtp_reply_clear(&r);
		files++;
	}
	g_dir_close(d);
	is_int(files, 36, "all replies of real servers were read");
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(replies); i++)
		test_reply(i);
	test_bounds();
	test_reuse();
	test_errors();
	test_extensions();
	test_transcripts("../shared/suites/smtp-transcripts");
	return tap_done();
}
