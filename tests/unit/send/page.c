/* page.c - tests of libmt/send/page.c and libmt/send/page_files.c */
#include "send/page.h"

#include <glib.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

/* Read a page into c, as a file has it. */
static int
read_page(struct mt_compose *c, const char *page, size_t n, struct mt_err *err)
{
	mt_auto_fd int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, page, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return mt_page_read(c, fd, err);
}

/* The page with "ID" for every Content-ID. */
static char *
page_of(const struct mt_compose *c)
{
	g_autofree char *page = mt_slice_dup(mt_buf_slice(&c->html));
	GString *out = g_string_new(page);

	for (guint i = 0; i < c->attachments->len; i++) {
		const struct mt_build_attachment *a =
		    &g_array_index(c->attachments, struct mt_build_attachment, i);
		g_autofree char *id = a->content_id == NULL ? NULL :
		    g_strndup(a->content_id + 1, strlen(a->content_id) - 2);
		g_autofree char *name = g_strdup_printf("ID%u", i);

		if (id != NULL)
			g_string_replace(out, id, name, 0);
	}
	return g_string_free(out, FALSE);
}

static const struct {
	const char *name, *files[3], *page, *want, *why;	/* why: of the error */
} cases[] = {
	{ "no files", { NULL }, "<p>a</p>\n", "<p>a</p>\n", NULL },
	{ "cid:", { "a/l.png" }, "<img src=\"cid:l.png\">", "<img src=\"cid:ID0\">", NULL },
	{ "the name", { "a/l.png" }, "<IMG SRC='l.png' alt=x/>", "<IMG SRC='cid:ID0' alt=x/>",
	    NULL },
	{ "the path", { "./a/l.png" }, "<img src = a/l.png>", "<img src = cid:ID0>", NULL },
	{ "CID:, blanks, percents", { "a b\xc3\xbc.png" }, "<img src=\" CID:a%20b%C3%BC.png \">",
	    "<img src=\"cid:ID0\">", NULL },
	{ "a name with a blank as it is", { "a b.png" }, "<img src=\"cid:a b.png\">",
	    "<img src=\"cid:ID0\">", NULL },
	{ "a name with a percent", { "a%20b.png" }, "<img src=\"cid:a%2520b.png\">",
	    "<img src=\"cid:ID0\">", NULL },
	{ "twice, and two", { "1.png", "2.png" },
	    "<img src=1.png><img src=2.png><td background=cid:1.png>",
	    "<img src=cid:ID0><img src=cid:ID1><td background=cid:ID0>", NULL },
	{ "in styles", { "1.png" }, "<style>a { b: URL( 'cid:1.png' ) }</style>"
	    "<p style=\"b: url(cid:1.png); c: url(1.png)\">",
	    "<style>a { b: URL( 'cid:ID0' ) }</style>"
	    "<p style=\"b: url(cid:ID0); c: url(cid:ID0)\">", NULL },
	{ "in another attribute", { "1.png" }, "<a href=\"cid:1.png\"><a title=1.png>",
	    "<a href=\"cid:ID0\"><a title=1.png>", NULL },
	{ "in a comment for Outlook", { "1.png" }, "<!--[if mso]><img src=cid:1.png><![endif]-->",
	    "<!--[if mso]><img src=cid:ID0><![endif]-->", NULL },
	{ "one path of two with the same name", { "a/1.png", "b/1.png" },
	    "<img src=a/1.png><img src=cid:b/1.png>", "<img src=cid:ID0><img src=cid:ID1>", NULL },
	{ "what is on the web", { NULL }, "<img src=https://x.y/1.png><img src=//x.y/1.png>"
	    "<img src=data:image/png;base64,AA><img src=''><img src=#a><a href=1.html>",
	    "<img src=https://x.y/1.png><img src=//x.y/1.png>"
	    "<img src=data:image/png;base64,AA><img src=''><img src=#a><a href=1.html>", NULL },
	{ "relative to a base", { NULL }, "<base href=https://x.y/><img src=1.png>",
	    "<base href=https://x.y/><img src=1.png>", NULL },
	{ "what is said of it", { "1.png" }, "<img src=1.png>cid:x src=\"2.png\" a < b <3 <",
	    "<img src=cid:ID0>cid:x src=\"2.png\" a < b <3 <", NULL },
	{ "a tag that does not end", { "1.png" }, "<img src=\"1.png", "<img src=\"cid:ID0", NULL },
	{ "a tag of nonsense", { NULL }, "<a =\"==<b ' src>", "<a =\"==<b ' src>", NULL },
	{ "no such file", { "1.png" }, "<img src=1.png><img src=cid:2.png>", NULL, "cid:2.png" },
	{ "nor in a style", { "1.png" }, "<img src=1.png><p style='b:url(cid:2.png)'>", NULL,
	    "cid:2.png" },
	{ "a file of this machine", { NULL }, "<img src=\"pics/2.png\">", NULL, "pics/2.png" },
	{ "a file: of it", { NULL }, "<img src=\"file:///2.png\">", NULL, "file:///2.png" },
	{ "a file that is not shown", { "1.png", "2.png" }, "<img src=1.png>", NULL, "2.png" },
	{ "two of a name", { "a/1.png", "b/1.png" }, "<img src=cid:1.png>", NULL, "1.png" },
	{ "nothing", { NULL }, "", NULL, "empty" },
	{ "blanks", { NULL }, " \r\n\t", NULL, "empty" },
};

static void
test_files(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };
		g_autofree char *got = NULL;
		int rc;

		mt_compose_set_from(c, "a@x.y", &err);
		for (size_t k = 0; k < 3 && cases[i].files[k] != NULL; k++)
			mt_compose_add_inline(c, cases[i].files[k]);
		rc = read_page(c, cases[i].page, strlen(cases[i].page), &err);
		got = page_of(c);
		if (cases[i].why == NULL)
			is_str(rc == 0 ? got : err.msg, cases[i].want, "%s", cases[i].name);
		else
			ok(rc < 0 && err.kind == MT_EDATA && strstr(err.msg, cases[i].why) != NULL,
			    "%s: %s", cases[i].name, err.msg);
	}
}

static const struct {
	const char *name;
	struct mt_slice page;
	const char *want, *why;
} charsets[] = {
	{ "ASCII", MT_SLICE("<meta charset=latin1>a"), "<meta charset=latin1>a", NULL },
	{ "UTF-8", MT_SLICE("gr\xc3\xbc"), "gr\xc3\xbc", NULL },
	{ "a byte order mark", MT_SLICE("\xef\xbb\xbfgr\xc3\xbc"), "gr\xc3\xbc", NULL },
	{ "a declared one", MT_SLICE("<meta charset=\"ISO-8859-15\">\xa4"),
	    "<meta charset=\"utf-8\">\xe2\x82\xac", NULL },
	{ "declared as in HTTP", MT_SLICE("<meta http-equiv=Content-Type "
	    "content='text/html; charset=koi8-r'>\xc1"), "<meta http-equiv=Content-Type "
	    "content='text/html; charset=utf-8'>\xd0\xb0", NULL },
	{ "seven bits", MT_SLICE("<meta charset=iso-2022-jp>\x1b$B$\"\x1b(B"),
	    "<meta charset=utf-8>\xe3\x81\x82", NULL },
	{ "none", MT_SLICE("gr\xfc"), NULL, "declares no charset" },
	{ "one that nobody knows", MT_SLICE("<meta charset=klingon>\xfc"), NULL, "klingon" },
	{ "one that it is not", MT_SLICE("<meta charset=utf-8>\xfc"), NULL, "utf-8" },
	{ "UTF-16", MT_SLICE("\xff\xfe<\0p\0>\0"), NULL, "UTF-16" },
};

static void
test_charsets(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(charsets); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };
		g_autofree char *got = NULL;
		int rc = read_page(c, charsets[i].page.p, charsets[i].page.n, &err);

		got = page_of(c);
		if (charsets[i].why == NULL)
			is_str(rc == 0 ? got : err.msg, charsets[i].want, "charset: %s",
			    charsets[i].name);
		else
			ok(rc < 0 && err.kind == MT_EDATA &&
			    strstr(err.msg, charsets[i].why) != NULL, "charset: %s: %s",
			    charsets[i].name, err.msg);
	}
}

static void
test_text(void)
{
	static const char page[] = "<p>Hello <b>you</b></p><img alt=Us src=\"data:,\">";
	mt_auto(mt_compose) made = mt_compose_new();
	mt_auto(mt_compose) given = mt_compose_new();
	struct mt_err err = { 0 };
	g_autofree char *text = NULL;

	mt_buf_append_str(&made->body, " \n");
	mt_buf_append_str(&given->body, "my text\n");
	read_page(made, page, sizeof(page) - 1, &err);
	read_page(given, page, sizeof(page) - 1, &err);
	text = mt_slice_dup(mt_buf_slice(&made->body));
	is_str(text, "Hello you\n\n[Us]\n", "the text is made from the page");
	is_str(given->body.p, "my text\n", "unless there is one");
	ok(!mt_compose_is_blank(made), "a page is not nothing");
}

static void
test_long(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	g_autoptr(GString) deep = g_string_new(NULL);
	g_autofree char *wide = g_strnfill((5 << 20), 'x');
	struct mt_err err = { 0 }, too_long = { 0 };

	for (int i = 0; i < 1000; i++)
		g_string_append(deep, "<div>");
	g_string_append(deep, "text");
	ok(read_page(c, deep->str, deep->len, &err) < 0 && err.kind == MT_EDATA &&
	    strstr(err.msg, "--body-file") != NULL, "text that is too deep: %s", err.msg);
	ok(read_page(c, wide, 5 << 20, &too_long) < 0 && too_long.kind == MT_EDATA,
	    "a page that is too long: %s", too_long.msg);
	mt_buf_append_str(&c->body, "my text\n");
	ok(read_page(c, deep->str, deep->len, &err) == 0, "with a text of mine it may be deep");
}

static void
test_quote(void)
{
	static const struct {
		const char *page, *before, *behind;
	} pages[] = {
		{ "<html><body>a</BODY></html>", "<html><body>a", "</BODY></html>" },
		{ "<html>a</html>", "<html>a", "</html>" },
		{ "a", "a", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };
		g_autofree char *got = NULL, *want = g_strdup_printf("%s\n<p>Eve &lt;e&gt; "
		    "wrote:</p>\n<blockquote type=\"cite\"><pre style=\"white-space: pre-wrap\">\n"
		    "&lt;/pre&gt; &amp;\nb</pre></blockquote>\n%s", pages[i].before,
		    pages[i].behind);

		read_page(c, pages[i].page, strlen(pages[i].page), &err);
		ok(mt_page_quote(c, "Eve <e> wrote:\n", MT_SLICE("</pre> &\nb"), &err) == 0,
		    "a quotation in %s", pages[i].page);
		got = page_of(c);
		is_str(got, want, "stands at the end, and is text");
	}
}

int
main(void)
{
	test_files();
	test_charsets();
	test_text();
	test_long();
	test_quote();
	return tap_done();
}
