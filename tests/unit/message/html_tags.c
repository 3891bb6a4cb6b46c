/* html_tags.c - tests of message/html_tags: what libxml2 gets to see of HTML */
#include "message/html_tags.h"

#include "tap.h"

static const struct {
	const char *name, *html, *want;
} cases[] = {
	{ "text", "a > b & c", "a > b & c" },
	{ "nothing", "", "" },
	{ "attributes that nobody reads",
	    "<p id=1 class='a b' title=\"c\" x>d</p>", "<p>d</p>" },
	{ "those that are read", "<a HREF=x alt='y z' Style=\"q\" hidden>",
	    "<a HREF=\"x\" alt=\"y z\" Style=\"q\" hidden>" },
	{ "one said twice", "<a href=x href=y>", "<a href=\"x\">" },
	{ "blanks around the sign", "<a\thref\n = \r'x'>", "<a href=\"x\">" },
	{ "quotes and brackets in a value", "<a href='\"<b>&amp;'>",
	    "<a href=\"&quot;&lt;b&gt;&amp;\">" },
	{ "an empty value", "<a href=>b", "<a href=\"\">b" },
	{ "a tag that ends itself", "<br/><br /><p x/y href=z/>", "<br/><br/><p href=\"z/\">" },
	{ "what is no attribute", "<ada@example.org><p \"x\" 1=2 / href=a>",
	    "<ada><p href=\"a\">" },
	{ "end tags", "</b></b x=\"<i>\">", "</b></b>\">" },
	{ "a sign that begins nothing", "1 < 2 <3 << </ 4", "1 &lt; 2 &lt;3 &lt;&lt;  4" },
	{ "comments", "a<!-- <p x=\" -->b<!---->c<!--d--!>e<!-- f", "abce" },
	{ "declarations", "<!DOCTYPE html><![if x]>a<?php b ?>", "a" },
	{ "script and style", "<script a>\"</p>\" x<y </SCRIPT >b<STYLE>p > q</style>",
	    "<script></SCRIPT>b<STYLE></style>" },
	{ "a script that is empty", "<script/><b x>", "<script/><b>" },
	{ "a script without end", "a<script>b</scrip>", "a<script>" },
	{ "a tag that a comment does not hide", "<!-- <p x=\"--><p y=\">\" z>", "<p>" },
	{ "a tag without end", "<a b href", "<a href>" },
	{ "a value without end", "<a href='x>y", "<a href=\"x&gt;y\">" },
	{ "an end tag without end", "</a", "</a>" },
	{ "a sign at the end", "a<", "a&lt;" },
};

static void
test_reduce(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].html);
		char *exact = tap_exact(cases[i].html, n);
		mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_HTML_TAGS_MAX(n));

		mt_html_tags_reduce(mt_slice_mem(exact, n), &out);
		is_str(out.p != NULL ? out.p : "", cases[i].want, "%s", cases[i].name);
		free(exact);
	}
}

/* libxml2 would take the rest of the name for attributes. */
static void
test_long_name(void)
{
	GString *html = g_string_new("<");
	mt_auto_value(mt_buf) out = MT_BUF_INIT(10000);

	for (int i = 0; i < 1000; i++)
		g_string_append_c(html, 'x');
	g_string_append(html, " href=a>");
	mt_html_tags_reduce(mt_slice_mem(html->str, html->len), &out);
	is_int(out.n, strlen("< href=\"a\">") + 100, "a long name is cut");
	g_string_free(html, TRUE);
}

/* Nothing grows above what is promised. */
static void
test_room(void)
{
	static const char *const worst[] = { "<", "<a", "</a", "<a href", "<a href=",
		"<a href='\"\"", "<script", "<a href='\"\"\"\"\"\"\"\"" };
	bool fits = true;

	for (size_t i = 0; i < G_N_ELEMENTS(worst); i++) {
		struct mt_slice html = mt_slice_str(worst[i]);
		mt_auto_value(mt_buf) out = MT_BUF_INIT(10000);

		mt_html_tags_reduce(html, &out);
		fits = fits && out.n <= MT_HTML_TAGS_MAX(html.n);
	}
	ok(fits, "the room that is asked for is enough");
}

int
main(void)
{
	test_reduce();
	test_long_name();
	test_room();
	return tap_done();
}
