/* page.c - a page of HTML in a message: its charset, its pictures, the text beside it */
#include "send/page.h"

#include <glib.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/charset.h"
#include "message/html.h"
#include "send/page_files.h"

/* --- charset --------------------------------------------------------------------- */

static bool
is_known(const char *charset)
{
	GIConv cd = g_iconv_open("utf-8", charset);

	if (cd == (GIConv)-1)
		return false;
	g_iconv_close(cd);
	return true;
}

/* What the page declares does not hold any more when it is UTF-8. */
static int
append_as_utf8(struct mt_buf *out, struct mt_slice page)
{
	struct mt_slice name = mt_html_charset(page);
	size_t at = name.n > 0 ? (size_t)(name.p - page.p) : 0;

	if (mt_buf_append_slice(out, mt_slice_first(page, at)) < 0 ||
	    (name.n > 0 && mt_buf_append_str(out, "utf-8") < 0))
		return -1;
	return mt_buf_append_slice(out, mt_slice_from(page, at + name.n));
}

static int
convert(struct mt_slice page, struct mt_buf *out, struct mt_err *err)
{
	static const char advice[] = "save it as UTF-8";
	struct mt_slice name = mt_html_charset(page);
	g_autofree char *charset = mt_slice_dup(name);
	mt_auto_value(mt_buf) utf8 = MT_BUF_INIT(MT_MAX_HTML * 3);

	if (name.n == 0)
		return mt_fail(err, MT_EDATA, "it is not UTF-8, and declares no charset: %s",
		    advice);
	if (!is_known(charset))
		return mt_fail(err, MT_EDATA, "it is not UTF-8, and \"%s\" is no charset: %s",
		    charset, advice);
	if (!mt_charset_to_utf8(page, charset, &utf8) || utf8.p == NULL ||
	    strstr(utf8.p, "\xef\xbf\xbd") != NULL)
		return mt_fail(err, MT_EDATA, "it has bytes that are no %s, which it declares: "
		    "%s", charset, advice);
	if (append_as_utf8(out, mt_buf_slice(&utf8)) < 0)
		return mt_fail(err, MT_EDATA, "it is too long");
	return 0;
}

/* Append the page as UTF-8. ESC begins another charset in ISO-2022, all in ASCII. */
static int
to_utf8(struct mt_slice page, struct mt_buf *out, struct mt_err *err)
{
	mt_slice_take(&page, MT_SLICE("\xef\xbb\xbf"));
	if (mt_slice_trim(page).n == 0)
		return mt_fail(err, MT_EDATA, "it is empty");
	if (memchr(page.p, '\0', page.n) != NULL)
		return mt_fail(err, MT_EDATA, "it has NUL bytes, as UTF-16 has: save it as UTF-8");
	if (!g_utf8_validate_len(page.p, page.n, NULL) ||
	    memchr(page.p, '\033', page.n) != NULL)
		return convert(page, out, err);
	return mt_buf_append_slice(out, page) < 0 ?
	    mt_fail(err, MT_EDATA, "it is too long") : 0;
}

/* --- the text beside it ---------------------------------------------------------- */

static int
make_text(struct mt_compose *c, struct mt_err *err)
{
	if (mt_slice_trim(mt_buf_slice(&c->body)).n > 0)
		return 0;
	mt_buf_reset(&c->body);
	if (!mt_html_to_text(mt_buf_slice(&c->html), "utf-8", &c->body))
		return mt_fail(err, MT_EDATA, "it cannot be made text, for it is too long or too "
		    "deeply nested: give the text too, with --body-file");
	c->own = c->body.n;
	return 0;
}

int
mt_page_read(struct mt_compose *c, int fd, struct mt_err *err)
{
	mt_auto_value(mt_buf) raw = MT_BUF_INIT(MT_MAX_HTML), page = MT_BUF_INIT(c->html.max);

	if (mt_file_read_fd(fd, &raw, err) < 0 ||
	    to_utf8(mt_buf_slice(&raw), &page, err) < 0)
		return -1;
	mt_buf_reset(&c->html);
	if (mt_page_files_link(c, mt_buf_slice(&page), err) < 0)
		return -1;
	return make_text(c, err);
}

/* --- an answer ------------------------------------------------------------------- */

/* Where the body of the page ends. */
static size_t
end_of_body(struct mt_slice page)
{
	for (size_t at = page.n; at > 0; at--) {
		struct mt_slice rest = mt_slice_from(page, at - 1);

		if (mt_slice_starts_nocase(rest, MT_SLICE("</body")))
			return at - 1;
	}
	for (size_t at = page.n; at > 0; at--) {
		if (mt_slice_starts_nocase(mt_slice_from(page, at - 1), MT_SLICE("</html")))
			return at - 1;
	}
	return page.n;
}

int
mt_page_quote(struct mt_compose *c, const char *who, struct mt_slice text,
    struct mt_err *err)
{
	size_t at = end_of_body(mt_buf_slice(&c->html));
	g_autofree char *end = mt_slice_dup(mt_slice_from(mt_buf_slice(&c->html), at));
	g_autofree char *safe_who = g_markup_escape_text(who, -1);
	g_autofree char *safe_text = text.n == 0 ? g_strdup("") :
	    g_markup_escape_text(text.p, (gssize)text.n);

	c->html.n = at;
	if (mt_buf_append_str(&c->html, "\n<p>") < 0 ||
	    mt_buf_append_str(&c->html, g_strchomp(safe_who)) < 0 ||
	    mt_buf_append_str(&c->html, "</p>\n<blockquote type=\"cite\">"
	    "<pre style=\"white-space: pre-wrap\">\n") < 0 ||
	    mt_buf_append_str(&c->html, safe_text) < 0 ||
	    mt_buf_append_str(&c->html, "</pre></blockquote>\n") < 0 ||
	    mt_buf_append_str(&c->html, end) < 0)
		return mt_fail(err, MT_EDATA, "too long to be quoted: use --no-quote");
	return 0;
}
