/* header.c - the scanner of header blocks, and encoded words */
#include "message/header.h"

#include <glib.h>

#include "base/limits.h"
#include "message/word.h"
#include "tap.h"

static const struct {
	const char *name, *raw, *want;
} decoded[] = {
	{ "plain text stays", "Hello, world", "Hello, world" },
	{ "a fold is a blank", "one\r\n two\n\tthree", "one two three" },
	{ "Q", "=?iso-8859-1?q?caf=E9_au_lait?=", "café au lait" },
	{ "B", "=?UTF-8?B?w6nDqA==?=", "éè" },
	{ "blanks between two words go", "=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab" },
	{ "blanks before text stay", "=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c" },
	{ "a character split over two words", "=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é" },
	{ "two charsets side by side", "=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "éé" },
	{ "a language (RFC 2231 5)", "=?us-ascii*en?q?hi?=", "hi" },
	{ "a word that touches text", "a=?utf-8?q?b?=c", "abc" },
	{ "blanks inside a word", "=?utf-8?q?a b?=", "a b" },
	{ "an unknown charset is guessed", "=?x-none?q?=C3=A9?=", "é" },
	{ "a charset that is a path is not opened", "=?../../x?q?a?=", "=?../../x?q?a?=" },
	{ "an unknown encoding stays", "=?utf-8?x?abc?=", "=?utf-8?x?abc?=" },
	{ "a word without end stays", "=?utf-8?q?abc", "=?utf-8?q?abc" },
	{ "undeclared UTF-8", "caf\xc3\xa9", "café" },
	{ "undeclared Windows-1252", "caf\xe9 \x93x\x94", "café “x”" },
	{ "ISO-2022-JP", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本" },
	{ "GB2312 means its superset", "=?gb2312?B?xOO6ww==?=", "你好" },
	{ "controls become spaces", "=?utf-8?q?a=1B[31mb=0Ac=C2=9Bd?=", "a [31mb c d" },
	{ "a bidirectional override becomes a space", "x=?utf-8?b?4oCuZnBj?=", "x fpc" },
	{ "wrong UTF-8 in a word", "=?utf-8?q?a=FFb?=", "a\xef\xbf\xbd" "b" },
	{ "broken base64", "=?utf-8?b?!!!?= x", " x" },
	{ "nothing", "", "" },
};

static void
test_decode(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(decoded); i++) {
		size_t n = strlen(decoded[i].raw);
		char *exact = tap_exact(decoded[i].raw, n);
		g_autofree char *got = mt_header_decode(mt_slice_mem(exact, n));

		is_str(got, decoded[i].want, "decode: %s", decoded[i].name);
		free(exact);
	}
}

static void
test_fields(void)
{
	static const char text[] = "From someone Mon Jan  1 00:00:00 2026\n"
	    "Subject: one\r\n two\r\n"
	    "no field here\n"
	    " nor its continuation\n"
	    "X-Old : blank before the colon\n"
	    "Empty:\n"
	    "to: a@b\n"
	    "To: c@d\n"
	    "\n"
	    "Body: is no field\n";
	char *exact = tap_exact(text, sizeof(text) - 1);
	struct mt_slice message = { exact, sizeof(text) - 1 };
	struct mt_slice block = mt_header_block(message), rest = block;
	struct mt_header_field f;
	g_autofree char *subject = mt_header_value(block, "SUBJECT");
	g_autofree char *old = mt_header_value(block, "x-old");
	g_autofree char *empty = mt_header_value(block, "Empty");
	g_autofree char *to = mt_header_value(block, "To");
	size_t n = 0, bytes = 0;

	is_int(block.n, sizeof(text) - 1 - strlen("Body: is no field\n"),
	    "the block ends behind the empty line");
	while (mt_header_next(&rest, &f)) {
		n++;
		bytes += f.whole.n;
	}
	is_int(n, 5, "lines that are no fields are passed over");
	is_int(rest.n, 1, "the iterator stops at the empty line");
	ok(bytes < block.n, "whole fields lie inside the block");
	is_str(subject, "one two", "a folded value");
	is_str(old, "blank before the colon", "blanks before the colon");
	is_str(empty, "", "an empty value is there");
	is_str(to, "a@b", "the first of two fields counts");
	ok(mt_header_value(block, "Body") == NULL, "the body is not searched");
	free(exact);
}

static void
test_odd_blocks(void)
{
	struct mt_header_field f;
	struct mt_slice s;

	is_int(mt_header_block(MT_SLICE("\nbody")).n, 1, "an empty block");
	is_int(mt_header_block(MT_SLICE("\r\nbody")).n, 2, "an empty block with CRLF");
	is_int(mt_header_block(MT_SLICE("A: b")).n, 4, "no end: all is header");
	is_int(mt_header_block(MT_SLICE("")).n, 0, "nothing at all");
	s = MT_SLICE("A: b");
	ok(mt_header_next(&s, &f) && mt_slice_eq(f.raw, MT_SLICE(" b")),
	    "a last field without a line end");
	s = MT_SLICE("A:");
	ok(mt_header_next(&s, &f) && f.raw.n == 0, "a last field without anything");
	s = MT_SLICE(": x\nB: y\n");
	ok(mt_header_next(&s, &f) && mt_slice_eq(f.name, MT_SLICE("B")),
	    "a field without a name is none");
	s = MT_SLICE("A: b\n \t\n c\nD: e\n");
	ok(mt_header_next(&s, &f) && mt_slice_eq(f.raw, MT_SLICE(" b\n \t\n c")),
	    "a blank continuation line is one");
}

static void
test_bounds(void)
{
	g_autoptr(GString) long_field = g_string_new("Subject: ");
	g_autofree char *value = NULL;
	g_autofree char *nul = mt_header_unfold(mt_slice_mem("a\0b", 3));

	for (size_t i = 0; i < MT_MAX_FIELD * 2; i++)
		g_string_append_c(long_field, 'x');
	value = mt_header_text(mt_slice_mem(long_field->str, long_field->len), "subject");
	is_int(strlen(value), MT_MAX_FIELD, "a field is kept up to its ceiling");
	is_str(nul, "a\xef\xbf\xbd" "b", "a NUL is shown as one");
}

/* Text goes through words and comes back. */
static void
test_round_trip(void)
{
	static const char *const texts[] = {
		"café",
		"日本語のとても長い題名、"
		"とてもとても長い題名、本当に長い題名です。",
		"a=?utf-8?q?b?=", "tab\there", "x  y   é  z", "(\"é\") <a@b>, =_?",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *words = mt_word_encode(mt_slice_str(texts[i]), 9);
		g_autofree char *back = mt_word_decode(mt_slice_str(words));
		g_autofree char *want = g_strdelimit(g_strdup(texts[i]), "\t", ' ');
		g_auto(GStrv) each = g_strsplit(words, " ", -1);
		bool fits = g_str_is_ascii(words);

		is_str(back, want, "there and back: %s", texts[i]);
		for (char **w = each; *w != NULL; w++)
			fits = fits && strlen(*w) <= 75;
		ok(fits, "words of ASCII, at most 75 characters each");
	}
}

int
main(void)
{
	test_decode();
	test_fields();
	test_odd_blocks();
	test_bounds();
	test_round_trip();
	return tap_done();
}
