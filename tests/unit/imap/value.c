/* value.c - atoms, strings, literals and lists off the front of a response */
#include "imap/value.h"

#include "tap.h"

static const struct {
	const char *name, *text;
	bool good;
	enum mt_imap_type type;
	const char *is, *rest;
} cases[] = {
	{ "an atom", "abc def", true, MT_IMAP_ATOM, "abc", "def" },
	{ "a flag", "\\Seen)", true, MT_IMAP_ATOM, "\\Seen", ")" },
	{ "a quoted string", "\"a b\" c", true, MT_IMAP_QUOTED, "a b", "c" },
	{ "an empty one", "\"\"", true, MT_IMAP_QUOTED, "", "" },
	{ "with quotes in it", "\"a\\\"\\\\\" c", true, MT_IMAP_QUOTED, "a\\\"\\\\", "c" },
	{ "without an end", "\"abc", false, MT_IMAP_ATOM, NULL, NULL },
	{ "a backslash at its end", "\"abc\\", false, MT_IMAP_ATOM, NULL, NULL },
	{ "over a line's end", "\"a\r\nb\"", false, MT_IMAP_ATOM, NULL, NULL },
	{ "a literal", "{3}\r\nabcd", true, MT_IMAP_LITERAL, "abc", "d" },
	{ "one of 0", "{0}\r\n", true, MT_IMAP_LITERAL, "", "" },
	{ "of LITERAL+", "{1+}\r\na", true, MT_IMAP_LITERAL, "a", "" },
	{ "of BINARY", "~{1}\r\na", true, MT_IMAP_LITERAL, "a", "" },
	{ "one byte short", "{3}\r\nab", false, MT_IMAP_ATOM, NULL, NULL },
	{ "without a line's end", "{3}abc", false, MT_IMAP_ATOM, NULL, NULL },
	{ "of no number", "{}\r\n", false, MT_IMAP_ATOM, NULL, NULL },
	{ "of a huge number", "{99999999999999999999}\r\n", false, MT_IMAP_ATOM, NULL, NULL },
	{ "a list", "(a (b) \")\" {1}\r\n)) c", true, MT_IMAP_PARENS, "a (b) \")\" {1}\r\n)",
		"c" },
	{ "a list without an end", "(a (b)", false, MT_IMAP_ATOM, NULL, NULL },
	{ "a list in which a string has no end", "(\"a)", false, MT_IMAP_ATOM, NULL, NULL },
	{ "an end", ")", false, MT_IMAP_ATOM, NULL, NULL },
	{ "nothing", "", false, MT_IMAP_ATOM, NULL, NULL },
};

static const struct {
	const char *text;
	bool good;
	uint64_t n;
} heads[] = {
	{ "* LIST () \"/\" {5}", true, 5 },
	{ "{0}", true, 0 },
	{ "x {12+}", true, 12 },
	{ "x ~{12}", true, 12 },
	{ "{}", false, 0 },
	{ "x 5}", false, 0 },
	{ "{a}", false, 0 },
	{ "{5+-}", false, 0 },
	{ "{5} ", false, 0 },
	{ "{18446744073709551616}", false, 0 },
	{ "{1111111111111111111111111111111}", false, 0 },
	{ "", false, 0 },
};

int
main(void)
{
	g_autofree char *deep = g_malloc(100000);
	struct mt_slice s;
	struct mt_imap_value v;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].text);
		g_autofree char *copy = tap_exact(cases[i].text, n), *is = NULL, *rest = NULL;
		bool good;

		s = mt_slice_mem(copy, n);
		good = mt_imap_take(&s, &v);
		ok(good == cases[i].good, "%s", cases[i].name);
		if (!good) {
			is_int(s.n, n, "%s: nothing is taken", cases[i].name);
			continue;
		}
		is = mt_slice_dup(v.text);
		rest = mt_slice_dup(s);
		ok(v.type == cases[i].type && g_str_equal(is, cases[i].is) &&
		    g_str_equal(rest, cases[i].rest), "%s: what it is", cases[i].name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
		uint64_t n = 0;
		bool good = mt_imap_ends_in_literal(mt_slice_str(heads[i].text), &n);

		ok(good == heads[i].good && (!good || n == heads[i].n), "head \"%s\"",
		    heads[i].text);
	}
	memset(deep, '(', 50000);
	memset(deep + 50000, ')', 50000);
	s = mt_slice_mem(deep, 100000);
	ok(mt_imap_take(&s, &v) && v.text.n == 99998, "50,000 lists in one another");
	return tap_done();
}
