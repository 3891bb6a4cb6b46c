/* slice.c - the cursor: what it takes, and that it never reads past its end */
#include "base/slice.h"

#include "tap.h"

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static const struct {
	const char *name, *text;
	uint64_t max, value;
	bool good;
	size_t left;
} numbers[] = {
	{ "plain", "42", 100, 42, true, 0 },
	{ "stops at a letter", "42x", 100, 42, true, 1 },
	{ "at the ceiling", "100", 100, 100, true, 0 },
	{ "above the ceiling", "101", 100, 0, false, 3 },
	{ "largest", "18446744073709551615", UINT64_MAX, UINT64_MAX, true, 0 },
	{ "one too many", "18446744073709551616", UINT64_MAX, 0, false, 20 },
	{ "no digit", "x", 100, 0, false, 1 },
	{ "empty", "", 100, 0, false, 0 },
	{ "sign", "-1", 100, 0, false, 2 },
};

static void
check_numbers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		size_t n = strlen(numbers[i].text);
		char *copy = tap_exact(numbers[i].text, n);
		struct mt_slice s = { copy, n };
		uint64_t v = 0;
		bool good = mt_slice_take_u64(&s, numbers[i].max, &v);

		ok(good == numbers[i].good && (!good || v == numbers[i].value),
		    "number: %s", numbers[i].name);
		is_int(s.n, numbers[i].left, "and the rest stays");
		free(copy);
	}
}

static void
check_lines(void)
{
	char *copy = tap_exact("one\r\ntwo\n\nlast", 14);
	struct mt_slice s = { copy, 14 }, line;
	static const char *const want[] = { "one", "two", "", "last" };

	for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
		ok(mt_slice_take_line(&s, &line) &&
		    mt_slice_eq(line, mt_slice_str(want[i])), "line %zu", i);
	}
	ok(!mt_slice_take_line(&s, &line), "no line at the end");
	free(copy);
}

static void
check_utf8(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		uint32_t c;
		size_t taken;
	} cases[] = {
		{ "ASCII", "ab", 2, 'a', 1 },
		{ "three bytes", "\xe2\x82\xac!", 4, 0x20ac, 3 },
		{ "the last character", "\xf4\x8f\xbf\xbf", 4, 0x10ffff, 4 },
		{ "one that is cut", "\xe2\x82", 2, MT_SLICE_NO_CHAR, 1 },
		{ "a byte that begins none", "\x82\xac", 2, MT_SLICE_NO_CHAR, 1 },
		{ "a surrogate", "\xed\xa0\x80", 3, MT_SLICE_NO_CHAR, 1 },
		{ "a long form", "\xc0\xaf", 2, MT_SLICE_NO_CHAR, 1 },
		{ "NUL", "\0a", 2, MT_SLICE_NO_CHAR, 1 },
	};
	struct mt_slice none = { NULL, 0 }, bytes;
	uint32_t c;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *copy = tap_exact(cases[i].bytes, cases[i].n);
		struct mt_slice s = { copy, cases[i].n };

		ok(mt_slice_take_utf8(&s, &bytes, &c) && c == cases[i].c &&
		    bytes.p == copy && bytes.n == cases[i].taken &&
		    s.n == cases[i].n - cases[i].taken, "UTF-8: %s", cases[i].name);
		free(copy);
	}
	ok(!mt_slice_take_utf8(&none, &bytes, &c), "UTF-8: nothing at the end");
}

int
main(void)
{
	struct mt_slice s = MT_SLICE("Key: value"), out;

	check_numbers();
	check_lines();
	check_utf8();
	ok(mt_slice_take_nocase(&s, MT_SLICE("kEY")), "take a word without case");
	ok(!mt_slice_take(&s, MT_SLICE("; ")), "not what does not stand there");
	ok(mt_slice_take_until(&s, ' ', &out) && mt_slice_eq(out, MT_SLICE(":")), "until");
	ok(!mt_slice_take_until(&s, '!', &out) && s.n == 5, "until what is not there");
	s = MT_SLICE("  12 ab");
	is_int(mt_slice_skip_blank(&s), 2, "blanks");
	out = mt_slice_take_while(&s, is_digit);
	ok(mt_slice_eq(out, MT_SLICE("12")), "a run");
	ok(mt_slice_eq(mt_slice_trim(MT_SLICE(" \t a b\r\n")), MT_SLICE("a b")), "trim");
	ok(mt_slice_trim(MT_SLICE(" \n")).n == 0, "trim nothing but blanks");
	ok(mt_slice_ends(MT_SLICE("abc"), MT_SLICE("bc")) &&
	    !mt_slice_ends(MT_SLICE("c"), MT_SLICE("bc")), "ends");
	ok(mt_slice_from(MT_SLICE("ab"), 9).n == 0, "from past the end is empty");
	ok(mt_slice_eq((struct mt_slice){ NULL, 0 }, MT_SLICE("")), "NULL is empty");
	return tap_done();
}
