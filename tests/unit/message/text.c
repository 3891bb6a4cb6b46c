/* text.c - what a person reads of a message; HTML; the prescan */
#include "message/text.h"

#include <glib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "message/html.h"
#include "message/prescan.h"
#include "tap.h"

static int
file_of(const char *text, size_t n)
{
	struct mt_err err = { 0 };
	int fd = mt_file_temp(&err);

	if (fd < 0 || mt_file_write_all(fd, text, n) < 0)
		abort();
	return fd;
}

static const struct {
	const char *name, *html, *want;
} pages[] = {
	{ "a paragraph", "<p>one\n two</p><p>three", "one two\n\nthree\n" },
	{ "inline markup", "a <b>b</b> <i>c</i>d", "a b cd\n" },
	{ "a break", "a<br>b<br/>c", "a\nb\nc\n" },
	{ "blocks", "<div>a</div><div>b</div>", "a\nb\n" },
	{ "nested blocks", "<div><div>a</div></div><div>b</div>", "a\nb\n" },
	{ "a list", "<ul><li>a<li>b</ul>c", "* a\n* b\n\nc\n" },
	{ "a table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
	    "a b\nc\n" },
	{ "preformatted", "<pre>a  b\n  c</pre>", "a  b\n  c\n" },
	{ "a quotation", "<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc\n" },
	{ "a rule", "a<hr>b", "a\n\n----------------------------------------\nb\n" },
	{ "references", "&eacute;&#8364;&nbsp;&lt;x&gt;", "é€ <x>\n" },
	{ "a link", "see <a href=\"http://a.example/\">this</a>.",
	    "see this[1].\n\n[1] http://a.example/\n" },
	{ "a link that says where", "<a href='http://a.example/'>http://a.example/</a>",
	    "http://a.example/\n" },
	{ "a mail link", "<a href=mailto:a@b.c>a@b.c</a>", "a@b.c\n" },
	{ "a script for a link", "<a href='javascript:x()'>x</a>", "x\n" },
	{ "an image", "<img src=x alt='A cat'> <img src=y>", "[A cat]\n" },
	{ "style and script", "<style>p{}</style><script>x<y</script>a", "a\n" },
	{ "a title", "<head><title>t</title></head><body>a", "a\n" },
	{ "what is hidden", "<div style='color:red; Display : none'>x<p>y</p></div>a", "a\n" },
	{ "hidden void elements", "<br style=display:none><p hidden>x</p>a", "a\n" },
	{ "a comment", "a<!-- b -->c", "ac\n" },
	{ "a condition for another program", "<![if !mso]>a<![endif]>", "a\n" },
	{ "broken tags", "<p>a <b>b <i>c</p> d</b> < e", "a b c\n\nd < e\n" },
	{ "controls", "a\x1b[31mb&#27;[0mc&#x202e;d&#7;", "a[31mb[0mcd\n" },
	{ "a control in a link", "<a href=\"http://a/&#10;x\">b</a>",
	    "b[1]\n\n[1] http://a/ x\n" },
	{ "no-break spaces", "a\xc2\xa0\xc2\xa0 b", "a b\n" },
	{ "nothing", "", "" },
};

static void
test_html(void)
{
	static const char meta[] = "<meta charset=koi8-r><p>\xd7\xd3\xc5</p>";
	mt_auto_value(mt_buf) koi = MT_BUF_INIT(1000);

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		size_t n = strlen(pages[i].html);
		char *exact = tap_exact(pages[i].html, n);
		mt_auto_value(mt_buf) out = MT_BUF_INIT(10000);
		bool whole = mt_html_to_text(mt_slice_mem(exact, n), "utf-8", &out);

		is_str(out.p != NULL ? out.p : "", pages[i].want, "html: %s", pages[i].name);
		ok(whole, "and it is not cut");
		free(exact);
	}
	mt_html_to_text(mt_slice_mem(meta, sizeof(meta) - 1), NULL, &koi);
	is_str(koi.p, "все\n", "html: the charset that it declares");
}

static void
test_html_hostile(void)
{
	static const struct {
		const char *name, *unit, *tail;
		bool whole;
	} shapes[] = {
		{ "nested blocks", "<div>", "", false },
		{ "nested tables", "<table><tr><td>", "", false },
		{ "end tags alone", "</b>", "x", true },
		{ "text", "x ", "", false },
		{ "links", "<a href=http://a>b</a>", "", false },
		{ "open comments", "<!--", "", true },
		{ "open tags", "<a ", "", true },
		{ "entities", "&amp;", "", false },
		{ "attributes", "<p a=b c=d>", "", true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		GString *html = g_string_new(NULL);
		mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_KIB(64));

		while (html->len < MT_MIB(1))
			g_string_append(html, shapes[i].unit);
		g_string_append(html, shapes[i].tail);
		is_int(mt_html_to_text(mt_slice_mem(html->str, html->len), "utf-8", &out),
		    shapes[i].whole, "1 MB of %s: whole or cut", shapes[i].name);
		ok(out.n <= out.max, "in bounds");
		g_string_free(html, TRUE);
	}
}

static const struct {
	const char *name, *text, *body, *type, *attachments;
} messages[] = {
	{ "plain", "Subject: =?utf-8?q?=C3=A9?=\n\nhello\n", "hello\n", "text/plain", "" },
	{ "escape sequences", "\nhello \x1b]0;x\x07 \xc2\x9b" "1m\r\n", "hello ]0;x 1m\n",
	    "text/plain", "" },
	{ "an alternative, plain first", "Content-Type: multipart/alternative; boundary=b\n\n"
	    "--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>html\n--b--\n",
	    "plain", "text/plain", "" },
	{ "an alternative without plain text", "Content-Type: multipart/alternative; "
	    "boundary=b\n\n--b\nContent-Type: text/html\n\n<p>html\n--b\n"
	    "Content-Type: text/calendar; name=x.ics\n\nBEGIN\n--b--\n",
	    "html\n", "text/html", "x.ics text/calendar 5|" },
	{ "an alternative with an empty plain part", "Content-Type: multipart/alternative; "
	    "boundary=b\n\n--b\n\n--b\nContent-Type: text/html\n\n<p>html\n--b--\n",
	    "html\n", "text/html", "" },
	{ "an alternative with pictures", "Content-Type: multipart/alternative; boundary=b\n\n"
	    "--b\n\nplain\n--b\nContent-Type: multipart/related; boundary=c\n\n"
	    "--c\nContent-Type: text/html\n\n<p>html\n--c\nContent-Type: image/png\n\nPNG\n"
	    "--c--\n--b--\n", "plain", "text/plain", "- image/png 3|" },
	{ "text and an attachment", "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\n\none\n--b\nContent-Type: application/pdf; name=\"a b.pdf\"\n"
	    "Content-Transfer-Encoding: base64\n\naGVsbG8=\n--b\n\ntwo\n--b--\n",
	    "one\n\ntwo", "text/plain", "a b.pdf application/pdf 5|" },
	{ "text as an attachment", "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\n\none\n--b\nContent-Disposition: attachment; filename=x.txt\n\ntwo\n--b--\n",
	    "one", "text/plain", "x.txt text/plain 3|" },
	{ "a message inside", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n"
	    "Content-Type: message/rfc822\n\nFrom: a@b.c\nSubject: =?utf-8?q?=C3=A9=1B?=\n\n"
	    "inner\n--b--\n",
	    "one\n\n-------- message --------\nFrom: a@b.c\nSubject: é \n\ninner",
	    "text/plain", "" },
	{ "a multipart without a boundary", "Content-Type: multipart/mixed\n\nhello\n",
	    "hello\n", "text/plain", "" },
	{ "a multipart with another boundary", "Content-Type: multipart/mixed; boundary=x\n\n"
	    "--b\n\nhello\n--b--\n", "--b\n\nhello\n--b--\n", "text/plain", "" },
	{ "only a picture", "Content-Type: image/png\n\nPNG", "", NULL, "- image/png 3|" },
	{ "nothing", "", "", "text/plain", "" },
};

static char *
list(const struct mt_text *t)
{
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < t->nattachments; i++)
		g_string_append_printf(s, "%s %s %d|", t->attachments[i].name != NULL ?
		    t->attachments[i].name : "-", t->attachments[i].type,
		    (int)t->attachments[i].size);
	return g_string_free(s, FALSE);
}

/* To libxml2 each attribute of a tag is one more to compare all later ones with. */
static void
test_html_attributes(void)
{
	GString *html = g_string_new("<a");
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_KIB(64));
	uint64_t start = mt_proc_now_ms();

	for (unsigned i = 0; i < 300000; i++)
		g_string_append_printf(html, " a%x=b", i);
	g_string_append(html, " href='http://x/'>link</a>");
	ok(mt_html_to_text(mt_slice_mem(html->str, html->len), "utf-8", &out),
	    "html: a tag with 300,000 attributes is read");
	is_str(out.p, "link[1]\n\n[1] http://x/\n", "with the one that says something");
	ok(mt_proc_now_ms() - start < 10000, "soon");
	g_string_free(html, TRUE);
}

static void
test_messages(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		mt_auto_fd int fd = file_of(messages[i].text, strlen(messages[i].text));
		mt_auto_value(mt_text) t = { 0 };
		struct mt_err err = { 0 };
		g_autofree char *attachments = NULL;

		lseek(fd, 1, SEEK_SET);
		if (!ok(mt_text_read(fd, &t, &err) == 0, "read: %s", messages[i].name))
			continue;
		attachments = list(&t);
		is_str(t.body, messages[i].body, "its body");
		is_str(t.body_type, messages[i].type, "what that was");
		is_str(attachments, messages[i].attachments, "its attachments");
		is_int(lseek(fd, 0, SEEK_CUR), 1, "the file's offset stays");
	}
}

/* Groups in a header field, nested: each takes stack in GMime. */
static GString *
nested_groups(size_t n)
{
	GString *s = g_string_new("Subject: groups\nTo: ");

	for (size_t i = 0; i < n; i++)
		g_string_append(s, "a:");
	g_string_append(s, "\n\nhello\n");
	return s;
}

static void
test_groups(void)
{
	GString *some = nested_groups(100000), *many = nested_groups(500000);
	mt_auto_fd int fd = file_of(some->str, some->len);
	mt_auto_fd int big = file_of(many->str, many->len);
	mt_auto_value(mt_text) t = { 0 };
	mt_auto_value(mt_text) u = { 0 };
	struct mt_err err = { 0 };
	enum mt_prescan found;
	int rc;

	ok(mt_prescan_fd(fd, &found, &err) == 0 && found == MT_PRESCAN_GROUPS,
	    "200 KB of nested groups are seen before");
	ok(mt_prescan_fd(big, &found, &err) == 0 && found == MT_PRESCAN_GROUPS,
	    "1 MB of them, too");
#if defined(__SANITIZE_ADDRESS__)
	/* Its larger stack frames die earlier: the point is that we do not. */
	rc = mt_text_read(fd, &t, &err);
	ok(rc == 0 || err.kind == MT_EDATA, "they are read, or refused, by a child");
#else
	rc = mt_text_read(fd, &t, &err);
	ok(rc == 0 && strcmp(t.body, "hello\n") == 0, "200 KB of them are read by a child");
	is_str(t.subject, "groups", "with their header");
	ok(t.trouble != NULL, "and said to be odd");
#endif
	rc = mt_text_read(big, &u, &err);
	ok(rc == 0 || err.kind == MT_EDATA, "1 MB of them end clearly: %s",
	    rc == 0 ? "read" : err.msg);
	g_string_free(some, TRUE);
	g_string_free(many, TRUE);
}

static void
test_huge(void)
{
	static const char head[] = "Subject: ";
	mt_auto_fd int fd = file_of(head, sizeof(head) - 1);
	mt_auto_value(mt_text) t = { 0 };
	struct mt_err err = { 0 };
	enum mt_prescan found;

	if (ftruncate(fd, (off_t)1 << 30) < 0) {
		ok(true, "a line of 1 GiB # SKIP no room for a sparse file");
		return;
	}
	ok(mt_prescan_fd(fd, &found, &err) == 0 && found == MT_PRESCAN_HEADER,
	    "a header line of 1 GiB is seen before");
	ok(mt_text_read(fd, &t, &err) == 0 && t.cut && t.body[0] == '\0',
	    "and read as far as we look at headers");
	is_str(t.trouble, "a header of more than 1 MB", "which is said");
}

#define COLONS (2 * MT_MAX_FIELD_COLONS)
#define FIELDS (3 * MT_MAX_HEADER_FIELDS)
#define MESSAGE "Content-Type: message/rfc822\n"

static void
test_prescan(void)
{
	static const struct {
		const char *name, *before, *unit, *after;
		size_t size;
		enum mt_prescan want;
	} shapes[] = {
		{ "a long body line", "A: b\n\n<p ", "x ", "\n", MT_KIB(200), MT_PRESCAN_PLAIN },
		{ "a long body", "A: b\n\n", "hello, world\n", "", MT_MIB(2), MT_PRESCAN_PLAIN },
		{ "base64", "A: b\n\n", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n", "", MT_MIB(2),
		    MT_PRESCAN_PLAIN },
		{ "indented text", "A: b\n\nx y\n", "  code\n", "", MT_KIB(200),
		    MT_PRESCAN_PLAIN },
		{ "many fields", "", "Received: x\n", "\n", MT_KIB(500), MT_PRESCAN_PLAIN },
		{ "a folded field", "To: a\n", " b,\n", "\n", MT_KIB(70), MT_PRESCAN_FIELD },
		{ "one with CRLF", "To: a\r\n", "\tb,\r\n", "\r\n", MT_KIB(70), MT_PRESCAN_FIELD },
		{ "blank folds", "To: a\n", " \n", "\n", MT_KIB(70), MT_PRESCAN_FIELD },
		{ "a blank before the colon", "To  : a", "a,", "\n", MT_KIB(70),
		    MT_PRESCAN_FIELD },
		{ "a field in a part", "A: b\n\n--b\nTo: ", "a,", "\n", MT_KIB(70),
		    MT_PRESCAN_FIELD },
		{ "a name without end", "A: b\n\n", "x", "", MT_KIB(70), MT_PRESCAN_FIELD },
		{ "a field below the limit", "To: ", "a,", "\n", MT_KIB(60), MT_PRESCAN_PLAIN },
		{ "a header without end", "", "Received: x\n", "", MT_MIB(1) + 12,
		    MT_PRESCAN_HEADER },
		{ "boundaries", "A: b\n\n", "--b\n", "", 4 * MT_MAX_BOUNDARY_LINES + 4,
		    MT_PRESCAN_PARTS },
		{ "fewer boundaries", "A: b\n\n", "--b\n", "", 4 * MT_MAX_BOUNDARY_LINES,
		    MT_PRESCAN_PLAIN },
		{ "groups in groups", "To: ", "a:", "\n", COLONS, MT_PRESCAN_GROUPS },
		{ "groups that may end", "To: ", "a:\";\"", "\n", 5 * COLONS / 2,
		    MT_PRESCAN_GROUPS },
		{ "fewer groups", "To: ", "a:", "\n", COLONS - 2, MT_PRESCAN_PLAIN },
		{ "groups in a folded field", "To:\n", " a:\n", "\n", 2 * COLONS,
		    MT_PRESCAN_GROUPS },
		{ "in a part", "A: b\n\n--b\nTo: ", "a:", "\n", COLONS, MT_PRESCAN_GROUPS },
		{ "in a message", MESSAGE "\nTo: ", "a:", "\n", COLONS, MT_PRESCAN_GROUPS },
		{ "in fields one after the other", "", "a: b\n c:\n", "\n", 9 * COLONS,
		    MT_PRESCAN_PLAIN },
		{ "in text", "A: b\n\nTo: ", "a:", "\n", COLONS, MT_PRESCAN_PLAIN },
		{ "fields of three bytes", "", "a:\n", "\n", FIELDS + 3, MT_PRESCAN_FIELDS },
		{ "fewer", "", "a:\n", "\n", FIELDS, MT_PRESCAN_PLAIN },
		{ "those of a part", "A: b\n\n--b\n", "a:\n", "", FIELDS + 3,
		    MT_PRESCAN_FIELDS },
		{ "of a part in a digest", "A: b\n\n--b\n\n", "a:\n", "", FIELDS + 3,
		    MT_PRESCAN_FIELDS },
		{ "of a message", MESSAGE "\n", "a:\n", "", FIELDS + 3, MT_PRESCAN_FIELDS },
		{ "of one with CRLF", MESSAGE "\r\n", "a:\r\n", "", 4 * FIELDS / 3 + 4,
		    MT_PRESCAN_FIELDS },
		{ "of a message in a message", MESSAGE "\n" MESSAGE "\n", "a:\n", "",
		    FIELDS + 3, MT_PRESCAN_FIELDS },
		{ "behind a line that is no field", MESSAGE "\nx y\n", "a:\n", "", FIELDS + 3,
		    MT_PRESCAN_FIELDS },
		{ "some without a name", MESSAGE "\n:\n", "a:\n", "", FIELDS,
		    MT_PRESCAN_FIELDS },
		{ "some with an 8-bit name", MESSAGE "\n\xe9 x:\n", "a:\n", "", FIELDS,
		    MT_PRESCAN_FIELDS },
		{ "a Content-Type of another form", "CONTENT-type : x\n\n", "a:\n", "",
		    FIELDS + 3, MT_PRESCAN_FIELDS },
		{ "some in each part", "A: b\n", "\n--b\na:b\nc:\nd:\ne:\nf:\ng:\n\nh:\n", "",
		    MT_MAX_HEADER_FIELDS / 7 * 28 + 28, MT_PRESCAN_FIELDS },
		{ "text like fields", "A: b\n\n", "a:\n", "", FIELDS + 3, MT_PRESCAN_PLAIN },
		{ "and behind other text", "Content-Type: text/plain\n\nx\n\n", "a:\n", "",
		    FIELDS + 3, MT_PRESCAN_PLAIN },
		{ "nothing", "", "", "", 0, MT_PRESCAN_PLAIN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		GString *s = g_string_new(shapes[i].before);
		enum mt_prescan found;
		struct mt_err err = { 0 };
		int fd;

		while (s->len < shapes[i].size + strlen(shapes[i].before))
			g_string_append(s, shapes[i].unit);
		g_string_append(s, shapes[i].after);
		fd = file_of(s->str, s->len);
		ok(mt_prescan_fd(fd, &found, &err) == 0 && found == shapes[i].want,
		    "prescan: %s: %s", shapes[i].name, mt_prescan_word(shapes[i].want));
		close(fd);
		g_string_free(s, TRUE);
	}
}

/* The prescan reads pieces of 64 KiB: here a CR is the last byte of one. */
static void
test_prescan_pieces(void)
{
	GString *s = g_string_new("A: ");
	enum mt_prescan found;
	struct mt_err err = { 0 };
	int fd;

	while (s->len < MT_KIB(64) - 3)
		g_string_append_c(s, 'b');
	g_string_append(s, "\r\n\r\n");
	while (s->len < MT_MIB(2))
		g_string_append(s, "hello, world\r\n");
	fd = file_of(s->str, s->len);
	ok(mt_prescan_fd(fd, &found, &err) == 0 && found == MT_PRESCAN_PLAIN,
	    "prescan: an empty line that two reads see ends the header");
	close(fd);
	g_string_free(s, TRUE);
}

int
main(void)
{
	test_html();
	test_html_hostile();
	test_html_attributes();
	test_messages();
	test_prescan();
	test_prescan_pieces();
	test_groups();
	test_huge();
	return tap_done();
}
