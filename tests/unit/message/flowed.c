/* flowed.c - tests of libmt/message/flowed.c */
#include "message/flowed.h"

#include <glib.h>

#include "tap.h"

#define TEN "123456789 "
#define FIFTY TEN TEN TEN TEN TEN
#define W70 FIFTY TEN TEN
#define A80 "aaaaaaaaaaaaaaaaaaaa" "aaaaaaaaaaaaaaaaaaaa" "aaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaa"
#define E7 "e\xcc\x81" "e\xcc\x81" "e\xcc\x81" "e\xcc\x81" "e\xcc\x81" "e\xcc\x81" \
	"e\xcc\x81"

static const struct {
	const char *name, *text, *want;
} written[] = {
	{ "nothing", "", "" },
	{ "lines", "a\n\nb", "a\n\nb\n" },
	{ "CRLF", "a\r\nb\r\n", "a\nb\n" },
	{ "78 columns", W70 "12345678\n", W70 "12345678\n" },
	{ "79 columns", W70 "123456789\n", W70 "\n123456789\n" },
	{ "words, at 72", W70 "1 2 3 4 5 6\n", W70 "1 \n2 3 4 5 6\n" },
	{ "a long word", "a " FIFTY "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n",
	    "a " FIFTY "\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n" },
	{ "a word that no line holds", A80 " z\n", A80 " \nz\n" },
	{ "blanks at a break stay together", FIFTY TEN "1234   56789012345678\n",
	    FIFTY TEN "1234   \n56789012345678\n" },
	{ "wide characters", "\xe4\xbd\xa0 " FIFTY TEN "\xe4\xbd\xa0\xe4\xbd\xa0 "
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0" "123\n",
	    "\xe4\xbd\xa0 " FIFTY TEN "\xe4\xbd\xa0\xe4\xbd\xa0 \n"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0" "123\n" },
	{ "combining characters have no width", W70 "1" E7 "\n", W70 "1" E7 "\n" },
	{ "stuffing", " a\nFrom b\nFrome\n", "  a\n From b\nFrome\n" },
	{ "stuffing behind a break", W70 "From me.\nx\n", W70 "From me.\nx\n" },
	{ "the same, broken", W70 "1 From me to you\n", W70 "1 \n From me to you\n" },
	{ "no break before >", W70 "1 > me to you\n", W70 "\n1 > me to you\n" },
	{ "quoted", "> a\n>> b\n> > c\n>d\n>\n>  e\n", "> a\n>> b\n>> c\n> d\n>\n>  e\n" },
	{ "quoted and long", "> " W70 "123456789\n", "> " W70 "\n> 123456789\n" },
	{ "a signature", "a\n-- \nAda \n", "a\n-- \nAda\n" },
	{ "a line that must not read as one", "-- " FIFTY FIFTY "\n",
	    "-- " FIFTY TEN "\n" TEN TEN TEN "123456789\n" },
	{ "nor may a break make one", "-- " A80 " b\n", "-- " A80 " \nb\n" },
	{ "a line that goes on", "a \nb\nc\n", "a b\nc\n" },
	{ "not into nothing", "a \n\nb\n", "a\n\nb\n" },
	{ "nor a quotation, nor a signature", "a \n> b \nc \n-- \n", "a\n> b\nc\n-- \n" },
	{ "nor the end", "a ", "a\n" },
	{ "a line of blanks", "a\n   \nb\n", "a\n\nb\n" },
	{ "bytes that are no text", "\xff \xfe\n", "\xff \xfe\n" },
};

static const struct {
	const char *name, *text, *want;
	bool delsp;
} flows[] = {
	{ "nothing", "", "", false },
	{ "a paragraph", "a \nb\nc\n", "a b\nc\n", false },
	{ "CRLF", "a \r\nb\r\n", "a b\n", false },
	{ "DelSp", "a \nb  \nc\n", "ab c\n", true },
	{ "stuffing", " From a\n  b\n", "From a\n b\n", false },
	{ "quoted", "> a \n> b\n>> c\n", "> a b\n>> c\n", false },
	{ "the depth changes in a paragraph", "> a \nb \n> c\n", "> a\nb\n> c\n", false },
	{ "marks with blanks are text", "> > a\n", "> > a\n", false },
	{ "a signature ends a paragraph", "a \n-- \nAda\n", "a\n-- \nAda\n", false },
	{ "a quoted signature", "> -- \n> Bob\n", "> -- \n> Bob\n", false },
	{ "the end in a paragraph", "a \n", "a\n", false },
	{ "without a line end", "a \nb", "a b\n", false },
	{ "an empty line ends one", "a \n\nb\n", "a\nb\n", false },
	{ "what is too wide is wrapped anew", FIFTY "\n" TEN TEN "\n" TEN "\nx\n",
	    FIFTY TEN "123456789\n" TEN "x\n", false },
	{ "also where it is quoted", "> " FIFTY "\n> " TEN TEN "\n> " TEN "\n> x\n",
	    "> " FIFTY TEN "123456789\n> " TEN "x\n", false },
	{ "nothing but marks", ">>>\n>\n", ">>>\n>\n", false },
};

static void
check(const char *name, const char *text, const char *want,
    int (*convert)(struct mt_slice, struct mt_buf *))
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(10000);
	size_t n = strlen(text);
	char *exact = tap_exact(text, n);

	ok(convert(mt_slice_mem(exact, n), &out) == 0, "%s", name);
	is_str(out.n > 0 ? out.p : "", want, "%s: what comes out", name);
	free(exact);
}

static int
read_plain(struct mt_slice text, struct mt_buf *out)
{
	return mt_flowed_read(text, false, out);
}

static int
read_delsp(struct mt_slice text, struct mt_buf *out)
{
	return mt_flowed_read(text, true, out);
}

int
main(void)
{
	mt_auto_value(mt_buf) tiny = MT_BUF_INIT(3);

	for (size_t i = 0; i < G_N_ELEMENTS(written); i++)
		check(written[i].name, written[i].text, written[i].want, mt_flowed_write);
	check("text of others does not go on", "a \nb \n-- \n", "a\nb\n-- \n",
	    mt_flowed_write_lines);
	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++)
		check(flows[i].name, flows[i].text, flows[i].want,
		    flows[i].delsp ? read_delsp : read_plain);
	ok(mt_flowed_write(MT_SLICE("abcd"), &tiny) < 0 &&
	    mt_flowed_read(MT_SLICE("abcd"), false, &tiny) < 0, "no more than there is room for");
	return tap_done();
}
