/* html.c - HTML of a mail as text for a terminal, by libxml2's parser without a tree */
#include "message/html.h"

#include <glib.h>
#include <libxml/HTMLparser.h>

#include "base/limits.h"
#include "message/charset.h"
#include "message/html_tags.h"

enum role {
	ROLE_INLINE,
	ROLE_BLOCK,	/* begins and ends a line */
	ROLE_PARAGRAPH,	/* with an empty line around it */
	ROLE_SKIP,	/* not for readers, and nothing in it */
	ROLE_BREAK,
	ROLE_RULE,
	ROLE_ITEM,
	ROLE_CELL,
	ROLE_LINK,
	ROLE_IMAGE,
	ROLE_PRE,
	ROLE_QUOTE,
};

static const struct {
	const char *name;
	enum role role;
} roles[] = {
	{ "a", ROLE_LINK }, { "address", ROLE_BLOCK }, { "applet", ROLE_SKIP },
	{ "article", ROLE_BLOCK }, { "blockquote", ROLE_QUOTE }, { "br", ROLE_BREAK },
	{ "center", ROLE_BLOCK }, { "dd", ROLE_BLOCK }, { "div", ROLE_BLOCK },
	{ "dl", ROLE_PARAGRAPH }, { "dt", ROLE_BLOCK }, { "embed", ROLE_SKIP },
	{ "footer", ROLE_BLOCK }, { "form", ROLE_BLOCK }, { "h1", ROLE_PARAGRAPH },
	{ "h2", ROLE_PARAGRAPH }, { "h3", ROLE_PARAGRAPH }, { "h4", ROLE_PARAGRAPH },
	{ "h5", ROLE_PARAGRAPH }, { "h6", ROLE_PARAGRAPH }, { "head", ROLE_SKIP },
	{ "header", ROLE_BLOCK }, { "hr", ROLE_RULE }, { "iframe", ROLE_SKIP },
	{ "img", ROLE_IMAGE }, { "li", ROLE_ITEM }, { "main", ROLE_BLOCK },
	{ "object", ROLE_SKIP }, { "ol", ROLE_PARAGRAPH }, { "p", ROLE_PARAGRAPH },
	{ "pre", ROLE_PRE }, { "script", ROLE_SKIP }, { "section", ROLE_BLOCK },
	{ "select", ROLE_SKIP }, { "style", ROLE_SKIP }, { "table", ROLE_PARAGRAPH },
	{ "td", ROLE_CELL }, { "template", ROLE_SKIP }, { "textarea", ROLE_SKIP },
	{ "th", ROLE_CELL }, { "title", ROLE_SKIP }, { "tr", ROLE_BLOCK },
	{ "ul", ROLE_PARAGRAPH },
};

/* One open element. */
struct element {
	enum role role;
	bool hidden;
	size_t link;		/* number of the link, from 1; 0: none */
	size_t link_text;	/* where its text begins */
};

struct render {
	struct mt_buf *out;
	htmlParserCtxt *parser;
	struct element open[MT_MAX_HTML_DEPTH];
	size_t depth;
	unsigned hidden, pre, quote;	/* open elements of such a kind */
	unsigned newlines;		/* at the end of the text; 2 at its start */
	bool space;			/* one is due before the next word */
	bool cut;
	GPtrArray *links;
};

static enum role
role_of(const xmlChar *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
		if (g_ascii_strcasecmp((const char *)name, roles[i].name) == 0)
			return roles[i].role;
	}
	return ROLE_INLINE;
}

/* The attribute's value, "" when it has none; NULL when it is not there. */
static const char *
attribute(const xmlChar **atts, const char *name)
{
	for (size_t i = 0; atts != NULL && atts[i] != NULL; i += 2) {
		if (g_ascii_strcasecmp((const char *)atts[i], name) == 0)
			return atts[i + 1] == NULL ? "" : (const char *)atts[i + 1];
	}
	return NULL;
}

static void
stop(struct render *r)
{
	r->cut = true;
	if (r->parser != NULL)
		xmlStopParser(r->parser);
}

static void
emit(struct render *r, const char *p, size_t n)
{
	if (r->cut || n == 0)
		return;
	if (mt_buf_append(r->out, p, n) < 0)
		stop(r);
}

/* End the line, if one is begun; n = 2: with an empty line behind it. */
static void
break_line(struct render *r, unsigned n)
{
	r->space = false;
	for (; r->newlines < n; r->newlines++)
		emit(r, "\n", 1);
}

/* Before text: the line's quote marks, or the blank that is due. */
static void
begin_text(struct render *r)
{
	if (r->newlines > 0) {
		for (unsigned i = 0; i < MIN(r->quote, 20); i++)
			emit(r, "> ", 2);
	} else if (r->space) {
		emit(r, " ", 1);
	}
	r->newlines = 0;
	r->space = false;
}

static void
put(struct render *r, const char *text)
{
	begin_text(r);
	emit(r, text, strlen(text));
}

/* White space of HTML; no-break spaces are for layout, and would not fold. */
static size_t
space_length(const char *p, size_t n)
{
	if (n > 0 && strchr(" \t\r\n\f", *p) != NULL && *p != '\0')
		return 1;
	return n > 1 && p[0] == '\xc2' && p[1] == '\xa0' ? 2 : 0;
}

static void
put_flow(struct render *r, const char *p, size_t n)
{
	while (n > 0) {
		size_t space = space_length(p, n), word = 0;

		if (space > 0) {
			r->space = r->newlines == 0;
			p += space;
			n -= space;
			continue;
		}
		while (word < n && space_length(p + word, n - word) == 0)
			word++;
		begin_text(r);
		emit(r, p, word);
		p += word;
		n -= word;
	}
}

static void
put_pre(struct render *r, const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t end = i;

		while (end < n && p[end] != '\n')
			end++;
		if (end > i) {
			begin_text(r);
			emit(r, p + i, end - i);
		}
		if (end < n) {
			emit(r, "\n", 1);
			r->newlines++;
		}
		i = end + 1;
	}
}

static void
on_text(void *arg, const xmlChar *text, int n)
{
	struct render *r = arg;

	if (r->hidden > 0 || n <= 0 || r->cut)
		return;
	if (r->pre > 0)
		put_pre(r, (const char *)text, (size_t)n);
	else
		put_flow(r, (const char *)text, (size_t)n);
}

/* Content of <script> and <style>. */
static void
on_cdata(void *arg, const xmlChar *text, int n)
{
	(void)arg;
	(void)text;
	(void)n;
}

static bool
is_hidden(enum role role, const xmlChar **atts)
{
	const char *style = attribute(atts, "style");
	g_autofree char *plain = NULL;
	char *to;

	if (role == ROLE_SKIP || attribute(atts, "hidden") != NULL)
		return true;
	if (style == NULL)
		return false;
	plain = g_ascii_strdown(style, (gssize)MIN(strlen(style), 1000));
	to = plain;
	for (const char *p = plain; *p != '\0'; p++) {
		if (!g_ascii_isspace(*p))
			*to++ = *p;
	}
	*to = '\0';
	return strstr(plain, "display:none") != NULL;
}

/* What a reader may want to follow; the others act inside the page, or in a browser. */
static bool
is_worth_listing(const char *href)
{
	static const char *const schemes[] = {
		"http:", "https:", "mailto:", "ftp:", "tel:",
	};

	for (size_t i = 0; href != NULL && i < G_N_ELEMENTS(schemes); i++) {
		if (g_ascii_strncasecmp(href, schemes[i], strlen(schemes[i])) == 0)
			return true;
	}
	return false;
}

static void
begin_link(struct render *r, struct element *e, const xmlChar **atts)
{
	const char *href = attribute(atts, "href");

	if (!is_worth_listing(href) || r->links->len >= MT_MAX_HTML_LINKS)
		return;
	/* What is cut within a character is mended. */
	g_ptr_array_add(r->links, g_strstrip(g_utf8_make_valid(href,
	    (gssize)strnlen(href, 2000))));
	e->link = r->links->len;
	e->link_text = r->out->n;
}

/* "[3]" behind a link's text, unless the text is the address. */
static void
end_link(struct render *r, const struct element *e)
{
	const char *href = e->link > 0 ? r->links->pdata[e->link - 1] : NULL;
	g_autofree char *text = NULL, *mark = NULL;
	const char *shown;

	if (href == NULL || r->cut)
		return;
	text = mt_slice_dup(mt_slice_from(mt_buf_slice(r->out), e->link_text));
	shown = g_strstrip(text);
	if (strcmp(shown, href) == 0 || (g_str_has_prefix(href, "mailto:") &&
	    strcmp(shown, href + strlen("mailto:")) == 0)) {
		if (e->link == r->links->len)
			g_ptr_array_set_size(r->links, (int)e->link - 1);
		return;
	}
	mark = g_strdup_printf("[%zu]", e->link);
	emit(r, mark, strlen(mark));
	r->newlines = 0;
}

static void
put_image(struct render *r, const xmlChar **atts)
{
	const char *alt = attribute(atts, "alt");
	g_autofree char *text = NULL;

	if (alt == NULL || alt[strspn(alt, " \t\r\n")] == '\0')
		return;
	text = g_strdup_printf("[%s]", alt);
	put_flow(r, text, strlen(text));
}

static void
begin_role(struct render *r, struct element *e, const xmlChar **atts)
{
	switch (e->role) {
	case ROLE_BLOCK:
		break_line(r, 1);
		break;
	case ROLE_PARAGRAPH:
		break_line(r, 2);
		break;
	case ROLE_PRE:
		break_line(r, 2);
		r->pre++;
		break;
	case ROLE_QUOTE:
		break_line(r, 2);
		r->quote++;
		break;
	case ROLE_BREAK:
		r->space = false;
		emit(r, "\n", r->newlines < 2);
		r->newlines++;
		break;
	case ROLE_RULE:
		break_line(r, 1);
		put(r, "----------------------------------------");
		break_line(r, 1);
		break;
	case ROLE_ITEM:
		break_line(r, 1);
		put(r, "* ");
		break;
	case ROLE_CELL:
		r->space = r->newlines == 0;
		break;
	case ROLE_LINK:
		begin_link(r, e, atts);
		break;
	case ROLE_IMAGE:
		put_image(r, atts);
		break;
	case ROLE_INLINE:
	case ROLE_SKIP:
		break;
	}
}

static void
end_role(struct render *r, const struct element *e)
{
	switch (e->role) {
	case ROLE_BLOCK:
	case ROLE_ITEM:
		break_line(r, 1);
		break;
	case ROLE_PARAGRAPH:
		break_line(r, 2);
		break;
	case ROLE_PRE:
		r->pre--;
		break_line(r, 2);
		break;
	case ROLE_QUOTE:
		break_line(r, 2);
		r->quote--;
		break;
	case ROLE_CELL:
		r->space = r->newlines == 0;
		break;
	case ROLE_LINK:
		end_link(r, e);
		break;
	default:
		break;
	}
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar **atts)
{
	struct render *r = arg;
	struct element *e;

	if (r->cut)
		return;
	if (r->depth == MT_MAX_HTML_DEPTH) {
		stop(r);
		return;
	}
	e = &r->open[r->depth++];
	*e = (struct element){ .role = role_of(name) };
	e->hidden = is_hidden(e->role, atts);
	if (e->hidden)
		r->hidden++;
	else if (r->hidden == 0)
		begin_role(r, e, atts);
	else
		e->role = ROLE_INLINE;
}

static void
on_end(void *arg, const xmlChar *name)
{
	struct render *r = arg;
	const struct element *e;

	(void)name;
	if (r->depth == 0)
		return;
	e = &r->open[--r->depth];
	if (e->hidden)
		r->hidden--;
	else
		end_role(r, e);
}

struct mt_slice
mt_html_charset(struct mt_slice html)
{
	struct mt_slice s = mt_slice_first(html, 2048), name;

	for (; s.n > 0; s = mt_slice_from(s, 1)) {
		if (!mt_slice_take_nocase(&s, MT_SLICE("charset=")))
			continue;
		if (!mt_slice_take_char(&s, '"'))
			mt_slice_take_char(&s, '\'');
		name = s;
		name.n = 0;
		while (name.n < s.n && (g_ascii_isalnum(s.p[name.n]) ||
		    strchr("-_.:", s.p[name.n]) != NULL) && s.p[name.n] != '\0')
			name.n++;
		return name;
	}
	return MT_SLICE("");
}

/* The same as a string, or NULL; g_free. */
static char *
declared_charset(struct mt_slice html)
{
	struct mt_slice name = mt_html_charset(html);

	return name.n > 0 ? mt_slice_dup(name) : NULL;
}

static void
parse(struct render *r, const struct mt_buf *html)
{
	htmlSAXHandler sax = {
		.startElement = on_start,
		.endElement = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_cdata,
	};

	r->parser = htmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL,
	    XML_CHAR_ENCODING_UTF8);
	if (r->parser == NULL) {
		r->cut = true;
		return;
	}
	htmlCtxtUseOptions(r->parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
	    HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
	for (size_t at = 0; at < html->n && !r->cut; at += 4096)
		htmlParseChunk(r->parser, html->p + at, (int)MIN(html->n - at, 4096),
		    0);
	htmlParseChunk(r->parser, NULL, 0, 1);
	if (r->parser->myDoc != NULL)
		xmlFreeDoc(r->parser->myDoc);
	htmlFreeParserCtxt(r->parser);
	r->parser = NULL;
}

static void
list_links(struct render *r)
{
	for (guint i = 0; i < r->links->len; i++) {
		g_autofree char *line = NULL;
		char *href = r->links->pdata[i];

		mt_charset_clean_line(href);
		line = g_strdup_printf("%s[%u] %s\n", i == 0 ? "\n" : "", i + 1, href);
		emit(r, line, strlen(line));
	}
}

bool
mt_html_to_text(struct mt_slice html, const char *charset, struct mt_buf *out)
{
	g_autofree struct render *r = g_new0(struct render, 1);
	g_autofree char *declared = charset == NULL ? declared_charset(html) : NULL;
	mt_auto_value(mt_buf) utf8 = MT_BUF_INIT(MT_MAX_HTML * 3);
	mt_auto_value(mt_buf) reduced = MT_BUF_INIT(MT_HTML_TAGS_MAX(MT_MAX_HTML * 3));
	mt_auto_value(mt_buf) text = MT_BUF_INIT(out->max - out->n);
	bool cut = html.n > MT_MAX_HTML;

	mt_charset_to_utf8(mt_slice_first(html, MT_MAX_HTML),
	    charset != NULL ? charset : declared, &utf8);
	mt_charset_clean_text(&utf8);
	mt_html_tags_reduce(mt_buf_slice(&utf8), &reduced);
	r->out = &text;
	r->newlines = 2;
	r->links = g_ptr_array_new_with_free_func(g_free);
	parse(r, &reduced);
	cut = cut || r->cut;
	r->cut = false;
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n > 0)
		emit(r, "\n", 1);
	list_links(r);
	cut = cut || r->cut;
	g_ptr_array_free(r->links, TRUE);
	/* Character references may have brought controls in again. */
	mt_charset_clean_text(&text);
	mt_buf_append_slice(out, mt_buf_slice(&text));
	return !cut;
}
