/* response.c - responses of IMAP servers: a table, public fixtures, real transcripts */
#include "imap/response.h"

#include "tap.h"

static const struct {
	const char *name, *text;
	bool good;
	enum mt_imap_kind kind;
	enum mt_imap_code code;
} cases[] = {
	{ "a greeting", "* OK hello", true, MT_IMAP_OK, MT_IMAP_CODE_NONE },
	{ "an end", "A1 OK done", true, MT_IMAP_OK, MT_IMAP_CODE_NONE },
	{ "an end without a text", "A1 OK", true, MT_IMAP_OK, MT_IMAP_CODE_NONE },
	{ "a refusal", "M2 no [NONEXISTENT] none", true, MT_IMAP_NO,
		MT_IMAP_CODE_NONEXISTENT },
	{ "a code that is unknown", "* OK [NOVEL 1 2] hi", true, MT_IMAP_OK,
		MT_IMAP_CODE_OTHER },
	{ "a code without an end", "* OK [UIDNEXT 5", true, MT_IMAP_OK, MT_IMAP_CODE_NONE },
	{ "a bracket in a string", "* OK [BADCHARSET (\"a]b\")] x", true, MT_IMAP_OK,
		MT_IMAP_CODE_OTHER },
	{ "a tag cannot say BYE", "A1 BYE x", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a tag and nothing", "A1", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a tag with a sign", "A(1 OK x", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "nothing", "", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a star", "*", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a star and a blank", "* ", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "continue", "+ go", true, MT_IMAP_CONTINUE, MT_IMAP_CODE_NONE },
	{ "continue, without a blank", "+", true, MT_IMAP_CONTINUE, MT_IMAP_CODE_NONE },
	{ "a word that is unknown", "* NOVEL (a b) {", true, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a number and a word that is unknown", "* 5 NOVEL", true, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "a number alone", "* 5", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "a number that is too large", "* 4294967296 EXISTS", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "FETCH without a list", "* 1 FETCH", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "FETCH of nothing", "* 1 FETCH ()", true, MT_IMAP_FETCH, MT_IMAP_CODE_NONE },
	{ "FETCH without an end", "* 1 FETCH (UID 5", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "FETCH of a name without a value", "* 1 FETCH (UID)", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "FETCH with a section without an end", "* 1 FETCH (BODY[ NIL)", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "a literal longer than the response", "* 1 FETCH (BODY[] {9}\r\nshort)", false,
		MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "LIST without a name", "* LIST () \"/\"", false, MT_IMAP_OTHER, MT_IMAP_CODE_NONE },
	{ "LIST with a long delimiter", "* LIST () \"//\" x", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "STATUS without a value", "* STATUS x (MESSAGES)", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "VANISHED of something", "* VANISHED (LATER) 5", false, MT_IMAP_OTHER,
		MT_IMAP_CODE_NONE },
	{ "ESEARCH of nothing", "* ESEARCH (TAG \"A\") UID", true, MT_IMAP_ESEARCH,
		MT_IMAP_CODE_NONE },
	{ "SEARCH of nothing", "* SEARCH", true, MT_IMAP_SEARCH, MT_IMAP_CODE_NONE },
	{ "two blanks", "*  OK x", true, MT_IMAP_OK, MT_IMAP_CODE_NONE },
};

/* The bytes alone, so that a sanitizer sees one too far. */
static bool
parse(const char *text, size_t n, char **copy, struct mt_imap_response *r)
{
	*copy = tap_exact(text, n);
	return mt_imap_response_parse(mt_slice_mem(*copy, n), r);
}

static void
test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *copy = NULL;
		struct mt_imap_response r;
		bool good = parse(cases[i].text, strlen(cases[i].text), &copy, &r);

		ok(good == cases[i].good, "%s", cases[i].name);
		if (!good)
			continue;
		is_int(r.kind, cases[i].kind, "%s: kind", cases[i].name);
		is_int(r.code, cases[i].code, "%s: code", cases[i].name);
	}
}

static void
test_fetch(void)
{
	static const char text[] = "* 7 FETCH (FLAGS (\\Seen $Forwarded) BODY[] {9}\r\n)( \"{3}\r\n"
	    " UID 12 MODSEQ (624140003) X-GM-MSGID 18446744073709551615 RFC822.SIZE 9"
	    " BODY[HEADER.FIELDS (\"Message-ID\")] {4}\r\nA: b ENVELOPE (NIL (\"a\" \"(\\\"\"))"
	    " INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\")";
	g_autofree char *copy = NULL;
	struct mt_imap_response r;
	const struct mt_imap_fetch *f = &r.fetch;

	ok(parse(text, strlen(text), &copy, &r) && r.kind == MT_IMAP_FETCH, "FETCH");
	is_int(r.number, 7, "FETCH: number");
	is_int(f->has, MT_IMAP_HAS_UID | MT_IMAP_HAS_FLAGS | MT_IMAP_HAS_RFC822_SIZE |
	    MT_IMAP_HAS_FETCH_MODSEQ | MT_IMAP_HAS_DATE | MT_IMAP_HAS_BODY | MT_IMAP_HAS_HEADER |
	    MT_IMAP_HAS_GMAIL, "FETCH: all items");
	ok(mt_slice_eq(f->flags, MT_SLICE("\\Seen $Forwarded")), "FETCH: flags");
	ok(mt_slice_eq(f->body, MT_SLICE(")( \"{3}\r\n")), "FETCH: a body is not looked into");
	ok(mt_slice_eq(f->header, MT_SLICE("A: b")), "FETCH: header");
	is_int(f->uid, 12, "FETCH: UID");
	is_int(f->modseq, 624140003, "FETCH: MODSEQ");
	is_int(f->date, 760686745, "FETCH: date");
	ok(f->gmail_id == UINT64_MAX, "FETCH: an id of 64 bits");
}

#define PARSE(text, copy) parse(text, sizeof(text) - 1, copy, &r)

static void
test_data(void)
{
	g_autofree char *one = NULL, *two = NULL, *three = NULL, *four = NULL, *name = NULL;
	struct mt_imap_response r;

	ok(PARSE("* LIST (\\HasNoChildren \\Trash) \"/\" \"a \\\"b\\\\\"", &one), "LIST");
	name = mt_imap_value_dup(&r.name);
	is_str(name, "a \"b\\", "LIST: a quoted name");
	is_int(r.list.delimiter, '/', "LIST: delimiter");
	ok(PARSE("* STATUS {3}\r\na b (MESSAGES 5 NOVEL (1 2) HIGHESTMODSEQ 7 UIDNEXT 9)",
	    &two) && mt_slice_eq(r.name.text, MT_SLICE("a b")), "STATUS of a literal");
	is_int(r.status.has, MT_IMAP_HAS_MESSAGES | MT_IMAP_HAS_MODSEQ | MT_IMAP_HAS_UIDNEXT,
	    "STATUS: what is known is taken");
	ok(PARSE("* VANISHED (EARLIER) 41,43:116", &three) && r.is_earlier &&
	    mt_slice_eq(r.data, MT_SLICE("41,43:116")), "VANISHED");
	ok(PARSE("* ESEARCH (TAG \"A\") UID COUNT 5 ALL 4:19,21 MODSEQ 1236", &four) &&
	    mt_slice_eq(r.data, MT_SLICE("4:19,21")) && r.status.modseq == 1236, "ESEARCH");
}

static const struct {
	const char *text;
	int64_t time;	/* -1: none */
} dates[] = {
	{ "17-Jul-1996 02:44:25 -0700", 837596665 },
	{ " 1-Jan-1970 00:00:00 +0000", 0 },
	{ "1-JAN-1970 01:00:00 +0100", 0 },
	{ "31-Feb-2000 00:00:00 +0000", -1 },
	{ "01-Foo-2000 00:00:00 +0000", -1 },
	{ "01-anf-2000 00:00:00 +0000", -1 },
	{ "01-Jan-2000 24:00:00 +0000", -1 },
	{ "01-Jan-2000 00:00:00 0000", -1 },
	{ "01-Jan-2000 00:00:00 +00000", -1 },
	{ "01-Jan-2000", -1 },
	{ "", -1 },
};

static void
test_dates(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
		int64_t got = -1;

		if (!mt_imap_date_parse(mt_slice_str(dates[i].text), &got))
			got = -1;
		is_int(got, dates[i].time, "date \"%s\"", dates[i].text);
	}
}

/* --- public suites ------------------------------------------------------------------ */

/* The next response off a stream: its lines, with their literals. */
static bool
take_response(struct mt_slice *s, struct mt_slice *out)
{
	struct mt_slice start = *s, line;
	uint64_t n;

	while (mt_slice_take_line(s, &line)) {
		if (!mt_imap_ends_in_literal(line, &n)) {
			*out = mt_slice_mem(start.p, (size_t)(line.p + line.n - start.p));
			return true;
		}
		*s = mt_slice_from(*s, n);
	}
	return false;
}

static void
test_transcript(const char *dir, const char *file, size_t *responses)
{
	g_autofree char *path = g_build_filename(dir, file, NULL), *text = NULL;
	g_autoptr(GString) wire = g_string_new(NULL);
	struct mt_slice s, one;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	/* Tags are left open there, and lines end in LF. */
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n' && (p == text || p[-1] != '\r'))
			g_string_append_c(wire, '\r');
		g_string_append_c(wire, *p == '#' ? '1' : *p);
	}
	s = mt_slice_mem(wire->str, wire->len);
	while (take_response(&s, &one)) {
		g_autofree char *copy = NULL;
		struct mt_imap_response r;

		if (one.n == 0)
			continue;
		if (!parse(one.p, one.n, &copy, &r) ||
		    (r.kind == MT_IMAP_OTHER && strstr(file, "acl") == NULL &&
		    strstr(file, "rights") == NULL && strstr(file, "quota") == NULL &&
		    strstr(file, "sort") == NULL && strstr(file, "thread") == NULL &&
		    strstr(file, "id.txt") == NULL && strstr(file, "notify") == NULL)) {
			ok(false, "%s: %.*s", file, (int)MIN(one.n, 100), one.p);
			return;
		}
		(*responses)++;
	}
}

static void
test_transcripts(void)
{
	static const char top[] = "../shared/suites/imap-transcripts";
	g_autoptr(GDir) dirs = g_dir_open(top, 0, NULL);
	size_t responses = 0;
	const char *name;

	if (dirs == NULL) {
		ok(true, "transcripts # SKIP no %s", top);
		return;
	}
	while ((name = g_dir_read_name(dirs)) != NULL) {
		g_autofree char *path = g_build_filename(top, name, NULL);
		g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
		const char *file;

		while (files != NULL && (file = g_dir_read_name(files)) != NULL) {
			if (g_str_has_suffix(file, ".txt"))
				test_transcript(path, file, &responses);
		}
	}
	ok(responses > 400, "every response of the transcripts (%zu)", responses);
}

/* A double-quoted string of YAML: escapes, and lines that are folded. */
static bool
take_yaml(struct mt_slice *s, GString *out)
{
	static const char plain[] = "abtnvfre0\"\\/", means[] = "\a\b\t\n\v\f\r\033\0\"\\/";

	g_string_truncate(out, 0);
	if (!mt_slice_take_char(s, '"'))
		return false;
	while (s->n > 1 && s->p[0] != '"') {
		const char *at;

		if (s->p[0] == '\n') {
			while (out->len > 0 && out->str[out->len - 1] == ' ')
				g_string_truncate(out, out->len - 1);
			while (s->n > 0 && g_ascii_isspace(s->p[0]))
				*s = mt_slice_from(*s, 1);
			g_string_append_c(out, ' ');
		} else if (s->p[0] != '\\') {
			g_string_append_c(out, s->p[0]);
			*s = mt_slice_from(*s, 1);
		} else if (s->p[1] == '\n') {
			*s = mt_slice_from(*s, 1);
			while (s->n > 0 && g_ascii_isspace(s->p[0]))
				*s = mt_slice_from(*s, 1);
		} else if (s->p[1] == 'x' && s->n > 3) {
			g_string_append_c(out, (char)(g_ascii_xdigit_value(s->p[2]) * 16 +
			    g_ascii_xdigit_value(s->p[3])));
			*s = mt_slice_from(*s, 4);
		} else if (s->p[1] == 'u' && s->n > 5) {
			g_autofree char *hex = g_strndup(s->p + 2, 4);

			g_string_append_unichar(out, (gunichar)strtoul(hex, NULL, 16));
			*s = mt_slice_from(*s, 6);
		} else if ((at = memchr(plain, s->p[1], sizeof(plain) - 1)) != NULL) {
			g_string_append_c(out, means[at - plain]);
			*s = mt_slice_from(*s, 2);
		} else {
			g_string_append_c(out, s->p[1]);
			*s = mt_slice_from(*s, 2);
		}
	}
	return mt_slice_take_char(s, '"');
}

static const struct {
	const char *name;
	enum mt_imap_kind kind;
} names[] = {
	{ "FETCH", MT_IMAP_FETCH }, { "OK", MT_IMAP_OK }, { "NO", MT_IMAP_NO },
	{ "BAD", MT_IMAP_BAD }, { "BYE", MT_IMAP_BYE }, { "PREAUTH", MT_IMAP_PREAUTH },
	{ "LIST", MT_IMAP_LIST }, { "LSUB", MT_IMAP_LIST }, { "STATUS", MT_IMAP_STATUS },
	{ "SEARCH", MT_IMAP_SEARCH }, { "ESEARCH", MT_IMAP_ESEARCH },
	{ "EXISTS", MT_IMAP_EXISTS }, { "RECENT", MT_IMAP_RECENT },
	{ "EXPUNGE", MT_IMAP_EXPUNGE }, { "VANISHED", MT_IMAP_VANISHED },
	{ "FLAGS", MT_IMAP_FLAGS }, { "CAPABILITY", MT_IMAP_CAPABILITY },
	{ "ENABLED", MT_IMAP_ENABLED }, { "NAMESPACE", MT_IMAP_NAMESPACE },
};

/* The number behind "key: " in the expectation, or -1. */
static long long
expected(struct mt_slice block, const char *key)
{
	g_autofree char *text = mt_slice_dup(block), *word = g_strdup_printf(" %s: ", key);
	const char *at = strstr(text, word);

	return at == NULL || !g_ascii_isdigit(at[strlen(word)]) ? -1 :
	    strtoll(at + strlen(word), NULL, 10);
}

/* Responses whose fixture wants them refused, and those of extensions whose grammar differs. */
static bool
is_passed_over(struct mt_slice block)
{
	g_autofree char *text = mt_slice_dup(block);

	return strstr(text, ":expected:") == NULL || strstr(text, "ResponseParseError") != NULL ||
	    strstr(text, "UIDFETCH") != NULL;
}

static void
check_fixture(const char *file, struct mt_slice block, const GString *text, size_t *done)
{
	g_autofree char *copy = NULL, *all = mt_slice_dup(block);
	struct mt_imap_response r;
	size_t n = text->len;
	bool good;

	while (n > 0 && (text->str[n - 1] == '\n' || text->str[n - 1] == '\r'))
		n--;
	good = parse(text->str, n, &copy, &r);
	(*done)++;
	if (!good) {
		ok(false, "%s: %s", file, text->str);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *line = g_strdup_printf("\n      name: %s\n", names[i].name);

		if (strstr(all, line) != NULL && r.kind != names[i].kind)
			ok(false, "%s: %s is %d", file, text->str, r.kind);
	}
	if (r.kind != MT_IMAP_FETCH)
		return;
	if (expected(block, "seqno") >= 0 && expected(block, "seqno") != r.number)
		ok(false, "%s: number of %s", file, text->str);
	if (expected(block, "UID") >= 0 && expected(block, "UID") != r.fetch.uid)
		ok(false, "%s: UID of %s", file, text->str);
	if (expected(block, "MODSEQ") >= 0 &&
	    expected(block, "MODSEQ") != (long long)r.fetch.modseq)
		ok(false, "%s: MODSEQ of %s", file, text->str);
	if (expected(block, "RFC822.SIZE") >= 0 &&
	    expected(block, "RFC822.SIZE") != (long long)r.fetch.size)
		ok(false, "%s: size of %s", file, text->str);
}

static void
test_fixture(const char *dir, const char *file, size_t *done)
{
	g_autofree char *path = g_build_filename(dir, file, NULL), *text = NULL;
	g_autoptr(GString) response = g_string_new(NULL);
	const char *at, *next;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	for (at = strstr(text, ":response: "); at != NULL; at = next) {
		struct mt_slice block, s;

		at += strlen(":response: ");
		next = strstr(at, ":response: ");
		block = mt_slice_mem(at, next != NULL ? (size_t)(next - at) : strlen(at));
		s = block;
		if (s.p[0] == '&')
			s = mt_slice_from(s, strcspn(s.p, " \n") + 1);
		while (s.n > 0 && g_ascii_isspace(s.p[0]))
			s = mt_slice_from(s, 1);
		if (!is_passed_over(block) && take_yaml(&s, response))
			check_fixture(file, block, response, done);
	}
}

static void
test_fixtures(void)
{
	static const char dir[] = "../shared/suites/imap-fixtures/response_parser";
	g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
	size_t done = 0;
	const char *file;

	if (files == NULL) {
		ok(true, "fixtures # SKIP no %s", dir);
		return;
	}
	while ((file = g_dir_read_name(files)) != NULL) {
		if (g_str_has_suffix(file, ".yml"))
			test_fixture(dir, file, &done);
	}
	ok(done > 100, "every response of the fixtures (%zu)", done);
}

int
main(void)
{
	test_cases();
	test_fetch();
	test_data();
	test_dates();
	test_transcripts();
	test_fixtures();
	return tap_done();
}
