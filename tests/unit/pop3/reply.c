/* reply.c - what POP3 servers say, and messages between dots */
#include "pop3/reply.h"

#include "base/limits.h"
#include "tap.h"

/* Each input as an exact-size copy, so that ASan sees one byte too far. */
static struct mt_slice
exact(const char *text, size_t n)
{
	return mt_slice_mem(tap_exact(text, n), n);
}

static void
drop(struct mt_slice s)
{
	free((char *)(uintptr_t)s.p);
}

static void
is_slice(struct mt_slice got, const char *want, const char *name, const char *what)
{
	g_autofree char *text = mt_slice_dup(got);

	is_str(text, want, "%s: %s", name, what);
}

static void
test_replies(void)
{
	static const struct {
		const char *name, *line;
		bool valid, ok;
		const char *code, *text;
		enum mt_err_kind kind;
	} cases[] = {
		{ "plain", "+OK ready", true, true, "", "ready", MT_EUNAVAIL },
		{ "nothing behind +OK", "+OK", true, true, "", "", MT_EUNAVAIL },
		{ "nothing behind -ERR", "-ERR", true, false, "", "", MT_EUNAVAIL },
		{ "lower case", "-err no", true, false, "", "no", MT_EUNAVAIL },
		{ "in use", "-ERR [IN-USE] busy", true, false, "IN-USE", "busy", MT_ETEMP },
		{ "delay", "-ERR [LOGIN-DELAY] soon", true, false, "LOGIN-DELAY", "soon",
			MT_ETEMP },
		{ "temporary", "-ERR [sys/temp] x", true, false, "sys/temp", "x", MT_ETEMP },
		{ "for good", "-ERR [SYS/PERM] x", true, false, "SYS/PERM", "x",
			MT_EUNAVAIL },
		{ "password", "-ERR [AUTH] no", true, false, "AUTH", "no", MT_EPERM },
		{ "code alone", "-ERR [AUTH]", true, false, "AUTH", "", MT_EPERM },
		{ "open bracket", "-ERR [AUTH no", true, false, "", "[AUTH no", MT_EUNAVAIL },
		{ "a word that begins so", "+OKAY", false, false, NULL, NULL, MT_ENONE },
		{ "empty", "", false, false, NULL, NULL, MT_ENONE },
		{ "half", "-ER", false, false, NULL, NULL, MT_ENONE },
		{ "SMTP", "220 hello", false, false, NULL, NULL, MT_ENONE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_slice line = exact(cases[i].line, strlen(cases[i].line));
		struct mt_pop3_reply r;
		bool valid = mt_pop3_reply_parse(line, &r);

		is_int(valid, cases[i].valid, "%s: a reply or not", cases[i].name);
		if (valid) {
			is_int(r.ok, cases[i].ok, "%s: good or bad", cases[i].name);
			is_slice(r.code, cases[i].code, cases[i].name, "code");
			is_slice(r.text, cases[i].text, cases[i].name, "text");
			is_int(mt_pop3_reply_kind(&r), cases[i].kind, "%s: kind",
			    cases[i].name);
		}
		drop(line);
	}
}

static void
test_lists(void)
{
	static const struct {
		const char *line;
		bool valid;
		uint32_t number;
		uint64_t size;
	} list[] = {
		{ "1 120", true, 1, 120 },
		{ "4294967295 0", true, UINT32_MAX, 0 },
		{ "1 120 and more", true, 1, 120 },
		{ "  7  9", true, 7, 9 },
		{ "0 120", false, 0, 0 },
		{ "4294967296 1", false, 0, 0 },
		{ "1", false, 0, 0 },
		{ "1 ", false, 0, 0 },
		{ "1 x", false, 0, 0 },
		{ "1 12x", false, 0, 0 },
		{ "-1 12", false, 0, 0 },
		{ "1 99999999999999999999", false, 0, 0 },
		{ "", false, 0, 0 },
	};
	static const struct {
		const char *line;
		bool valid;
		const char *uid;
	} uidl[] = {
		{ "1 whqtswO00WBw418f9t5JxYwZ", true, "whqtswO00WBw418f9t5JxYwZ" },
		{ "1 !~", true, "!~" },
		{ "1 trailing ", true, "trailing" },
		{ "1  two blanks before", false, NULL },
		{ "1 a b", false, NULL },
		{ "1 ", false, NULL },
		{ "1", false, NULL },
		{ "1 \x7f", false, NULL },
		{ "1 \xc3\xa4", false, NULL },
		{ "1 tab\there", false, NULL },
		{ "0 x", false, NULL },
		/* Longer than RFC 1939 7 allows: seen, and no reason to leave mail there. */
		{ "1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		  "AAAAAAAAAA", true, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAA" },
	};

	char longest[MT_MAX_UIDL_TAKEN + 4];

	memset(longest, 'A', sizeof(longest));
	memcpy(longest, "1 ", 2);
	{
		struct mt_slice uid;
		uint32_t number;

		ok(mt_pop3_uidl_parse(mt_slice_mem(longest, MT_MAX_UIDL_TAKEN + 2),
		    &number, &uid), "the longest UID that is taken");
		ok(!mt_pop3_uidl_parse(mt_slice_mem(longest, MT_MAX_UIDL_TAKEN + 3),
		    &number, &uid), "a longer one");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++) {
		struct mt_slice line = exact(list[i].line, strlen(list[i].line));
		uint32_t number = 0;
		uint64_t size = 0;

		is_int(mt_pop3_list_parse(line, &number, &size), list[i].valid,
		    "LIST \"%s\"", list[i].line);
		is_int(number, list[i].number, "number");
		is_int(size, list[i].size, "size");
		drop(line);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(uidl); i++) {
		struct mt_slice line = exact(uidl[i].line, strlen(uidl[i].line)), uid;
		uint32_t number;
		bool valid = mt_pop3_uidl_parse(line, &number, &uid);

		is_int(valid, uidl[i].valid, "UIDL %zu", i);
		if (valid)
			is_slice(uid, uidl[i].uid, "UIDL", uidl[i].line);
		drop(line);
	}
}

static void
test_capabilities(void)
{
	static const struct {
		const char *name, *said;
		bool found, pipelining;
	} cases[] = {
		{ "one list", "+OK hi\n+OK\nTOP\nPIPELINING\n.\n+OK in\n", true, true },
		{ "case and arguments", "+OK\npipelining\nSASL PLAIN\n.\n", true, true },
		{ "the last list counts: gone", "+OK\nPIPELINING\nSTLS\n.\n+OK\n+OK\nUIDL\n.\n",
			true, false },
		{ "the last list counts: new", "+OK\nSTLS\n.\n+OK\n+OK\nPIPELINING\n.\n",
			true, true },
		{ "no list", "+OK hi\n-ERR what?\n+OK\n", false, false },
		{ "nothing", "", false, false },
		{ "another word", "+OK\nPIPELININGS\n.\n", true, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_slice said = exact(cases[i].said, strlen(cases[i].said));
		struct mt_pop3_capa capa = { false };

		is_int(mt_pop3_capa_find(said, &capa), cases[i].found, "%s: found",
		    cases[i].name);
		is_int(capa.pipelining, cases[i].pipelining, "%s: PIPELINING",
		    cases[i].name);
		drop(said);
	}
}

static const struct {
	const char *name;
	const char *in;
	size_t n;
	const char *want;
	size_t nwant;
	const char *rest;	/* NULL: not at the end yet */
} bodies[] = {
#define BODY(name, in, want, rest) \
	{ name, in, sizeof(in) - 1, want, sizeof(want) - 1, rest }
	BODY("empty", ".\r\n", "", ""),
	BODY("lines", "a\r\nb\r\n.\r\n", "a\nb\n", ""),
	BODY("what follows stays", "a\r\n.\r\n+OK\r\n", "a\n", "+OK\r\n"),
	BODY("stuffed", "..\r\n...\r\n..x\r\n.\r\n", ".\n..\n.x\n", ""),
	BODY("a dot that should have been stuffed", ".x\r\n.\r\n", "x\n", ""),
	BODY("dots inside a line", "a.\r\na..b\r\n.\r\n", "a.\na..b\n", ""),
	BODY("LF dot LF ends nothing", "a\n.\nb\r\n.\r\n", "a\n.\nb\n", ""),
	BODY("LF dot CRLF ends nothing", "a\n.\r\nb\r\n.\r\n", "a\n.\nb\n", ""),
	BODY("CRLF dot LF ends nothing", "a\r\n.\nb\r\n.\r\n", "a\n\nb\n", ""),
	BODY("CR dot CR ends nothing", "a\r.\rb\r\n.\r\n", "a\r.\rb\n", ""),
	BODY("bare CR", "a\rb\r\r\nc\r\n.\r\n", "a\rb\r\nc\n", ""),
	BODY("dot, CR, no LF", ".\rx\r\n.\r\n", "\rx\n", ""),
	BODY("dot, CR, CRLF", ".\r\r\n.\r\n", "\r\n", ""),
	BODY("NUL and 8-bit", "\0\xff\r\n.\r\n", "\0\xff\n", ""),
	BODY("no end", "a\r\n.", "a\n", NULL),
	BODY("no end, CR", "a\r\n.\r", "a\n", NULL),
	BODY("empty lines", "\r\n\r\n.\r\n", "\n\n", ""),
};

/* Give the input in pieces of `step` and take the output in pieces of `room`. */
static void
decode(size_t at, size_t step, size_t room)
{
	struct mt_pop3_body b = MT_POP3_BODY_INIT;
	GString *got = g_string_new(NULL);
	size_t used = 0;
	bool same;

	while (used < bodies[at].n && b.state != MT_POP3_BODY_END) {
		size_t n = MIN(step, bodies[at].n - used);
		struct mt_slice piece = exact(bodies[at].in + used, n), in = piece;

		do {
			char *out = g_malloc(room);
			size_t wrote = mt_pop3_body_decode(&b, &in, out, room);

			g_string_append_len(got, out, (gssize)wrote);
			g_free(out);
		} while (in.n > 0 && b.state != MT_POP3_BODY_END);
		used += n - in.n;
		drop(piece);
	}
	same = got->len == bodies[at].nwant &&
	    memcmp(got->str, bodies[at].want, got->len) == 0;
	ok(same, "%s: pieces of %zu into %zu", bodies[at].name, step, room);
	is_int(b.state == MT_POP3_BODY_END, bodies[at].rest != NULL, "%s: the end",
	    bodies[at].name);
	if (bodies[at].rest != NULL)
		is_int(bodies[at].n - used, strlen(bodies[at].rest),
		    "%s: what follows is left", bodies[at].name);
	g_string_free(got, TRUE);
}

/* Real servers' answers. */
static void
test_transcripts(void)
{
	static const struct {
		const char *file;
		bool is_list;
	} files[] = {
		{ "common/ok-greeting.txt", false }, { "common/err-greeting.txt", false },
		{ "lang/greeting.txt", false }, { "lang/auth.txt", false },
		{ "lang/stat.txt", false }, { "lang/quit.txt", false },
		{ "lang/setlang.txt", false }, { "lang/utf8.txt", false },
		{ "lang/capa1.txt", true }, { "lang/capa2.txt", true },
		{ "lang/getlang.txt", true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat("../shared/suites/pop3-transcripts/",
		    files[i].file, NULL);
		g_autofree char *text = NULL;
		struct mt_slice rest, line = { NULL, 0 };
		struct mt_pop3_reply r;
		struct mt_pop3_capa capa = { false };

		if (!g_file_get_contents(path, &text, NULL, NULL)) {
			ok(true, "%s # SKIP not here", files[i].file);
			continue;
		}
		rest = mt_slice_str(text);
		ok(mt_slice_take_line(&rest, &line) && mt_pop3_reply_parse(line, &r),
		    "%s: a reply", files[i].file);
		while (mt_slice_take_line(&rest, &line))
			mt_pop3_capa_parse(line, &capa);
		is_int(mt_slice_eq(line, MT_SLICE(".")), files[i].is_list, "%s: a list",
		    files[i].file);
		is_int(capa.uidl, strstr(files[i].file, "capa") != NULL, "%s: UIDL",
		    files[i].file);
		is_int(capa.pipelining, strstr(files[i].file, "capa2") != NULL,
		    "%s: PIPELINING", files[i].file);
	}
}

int
main(void)
{
	test_replies();
	test_lists();
	test_capabilities();
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		for (size_t step = 1; step <= bodies[i].n; step++)
			decode(i, step, 2 + step % 3);
		decode(i, bodies[i].n, 1000);
	}
	test_transcripts();
	return tap_done();
}
