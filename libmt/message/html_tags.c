/* html_tags.c - HTML with only the tags and attributes that its renderer reads */
#include "message/html_tags.h"

#include <glib.h>

/* libxml2 takes what is behind so many bytes of a name for an attribute. */
#define MAX_NAME 100

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
begins_name(unsigned char c)
{
	return g_ascii_isalpha(c) || c == '_' || c == ':' || c == '.';
}

static bool
is_name(unsigned char c)
{
	return begins_name(c) || g_ascii_isdigit(c) || c == '-';
}

static bool
is_unquoted(unsigned char c)
{
	return !is_blank(c) && c != '>';
}

static bool
at_name(struct mt_slice s)
{
	return s.n > 0 && begins_name((unsigned char)s.p[0]);
}

/* Skip what is before the byte, and the byte; to the end when there is none. */
static void
skip_past(struct mt_slice *s, char c)
{
	*s = mt_slice_from(*s, mt_slice_find(*s, c) + 1);
}

static void
skip_comment(struct mt_slice *s)
{
	while (s->n > 0 && !mt_slice_take(s, MT_SLICE("-->")) &&
	    !mt_slice_take(s, MT_SLICE("--!>")))
		*s = mt_slice_from(*s, 1);
}

/* The content of an element that has no markup: up to its end tag. */
static void
skip_raw(struct mt_slice *s, struct mt_slice name)
{
	for (; s->n > 0; *s = mt_slice_from(*s, 1)) {
		*s = mt_slice_from(*s, mt_slice_find(*s, '<'));
		if (mt_slice_starts(*s, MT_SLICE("</")) &&
		    mt_slice_starts_nocase(mt_slice_from(*s, 2), name))
			return;
	}
}

/* Which of the attributes that are kept it is; the number of them when it is none. */
static size_t
kept_attribute(struct mt_slice name)
{
	static const struct mt_slice kept[] = {
		MT_SLICE("alt"), MT_SLICE("hidden"), MT_SLICE("href"), MT_SLICE("style"),
	};
	size_t i = 0;

	while (i < G_N_ELEMENTS(kept) && !mt_slice_eq_nocase(name, kept[i]))
		i++;
	return i;
}

static struct mt_slice
take_value(struct mt_slice *s)
{
	struct mt_slice value;
	char quote = s->n > 0 ? s->p[0] : '\0';

	if (quote != '"' && quote != '\'')
		return mt_slice_take_while(s, is_unquoted);
	*s = mt_slice_from(*s, 1);
	value = mt_slice_first(*s, mt_slice_find(*s, quote));
	*s = mt_slice_from(*s, value.n + 1);
	return value;
}

static void
put_value(struct mt_slice value, struct mt_buf *out)
{
	mt_buf_append_str(out, "=\"");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"')
			mt_buf_append_str(out, "&quot;");
		else if (value.p[i] == '<')
			mt_buf_append_str(out, "&lt;");
		else if (value.p[i] == '>')
			mt_buf_append_str(out, "&gt;");
		else
			mt_buf_append_char(out, value.p[i]);
	}
	mt_buf_append_char(out, '"');
}

/* seen: the kept attributes that this tag has already, a bit for each. */
static void
reduce_attribute(struct mt_slice *s, unsigned *seen, struct mt_buf *out)
{
	struct mt_slice name = mt_slice_take_while(s, is_name), value = { NULL, 0 };
	unsigned bit = 1U << kept_attribute(name);
	bool has_value;

	mt_slice_take_while(s, is_blank);
	has_value = mt_slice_take_char(s, '=');
	if (has_value) {
		mt_slice_take_while(s, is_blank);
		value = take_value(s);
	}
	if ((*seen & bit) != 0)
		return;
	*seen |= bit;
	mt_buf_append_char(out, ' ');
	mt_buf_append_slice(out, name);
	if (has_value)
		put_value(value, out);
}

static void
skip_bogus(struct mt_slice *s)
{
	while (s->n > 0 && is_unquoted((unsigned char)s->p[0]) &&
	    !mt_slice_starts(*s, MT_SLICE("/>")))
		*s = mt_slice_from(*s, 1);
}

static void
reduce_start_tag(struct mt_slice *s, struct mt_buf *out)
{
	struct mt_slice name = mt_slice_take_while(s, is_name);
	/* What is not kept counts as seen. */
	unsigned seen = 1U << kept_attribute(MT_SLICE(""));
	bool ends = false;

	mt_buf_append_char(out, '<');
	mt_buf_append_slice(out, mt_slice_first(name, MAX_NAME));
	for (;;) {
		mt_slice_take_while(s, is_blank);
		ends = mt_slice_take(s, MT_SLICE("/>"));
		if (ends || s->n == 0 || mt_slice_take_char(s, '>'))
			break;
		if (at_name(*s))
			reduce_attribute(s, &seen, out);
		else
			skip_bogus(s);
	}
	mt_buf_append_str(out, ends ? "/>" : ">");
	if (!ends && (mt_slice_eq_nocase(name, MT_SLICE("script")) ||
	    mt_slice_eq_nocase(name, MT_SLICE("style"))))
		skip_raw(s, name);
}

static void
reduce_end_tag(struct mt_slice *s, struct mt_buf *out)
{
	struct mt_slice name = mt_slice_take_while(s, is_name);

	mt_buf_append_str(out, "</");
	mt_buf_append_slice(out, mt_slice_first(name, MAX_NAME));
	mt_buf_append_char(out, '>');
	skip_past(s, '>');
}

/* At a "<". */
static void
reduce_markup(struct mt_slice *s, struct mt_buf *out)
{
	if (mt_slice_take(s, MT_SLICE("<!--"))) {
		skip_comment(s);
	} else if (mt_slice_take(s, MT_SLICE("<!")) || mt_slice_take(s, MT_SLICE("<?"))) {
		skip_past(s, '>');
	} else if (mt_slice_take(s, MT_SLICE("</"))) {
		if (at_name(*s))
			reduce_end_tag(s, out);
	} else {
		*s = mt_slice_from(*s, 1);
		if (at_name(*s))
			reduce_start_tag(s, out);
		else
			mt_buf_append_str(out, "&lt;");
	}
}

void
mt_html_tags_reduce(struct mt_slice html, struct mt_buf *out)
{
	g_assert(out->max - out->n >= MT_HTML_TAGS_MAX(html.n));
	while (html.n > 0) {
		struct mt_slice text = mt_slice_first(html, mt_slice_find(html, '<'));

		mt_buf_append_slice(out, text);
		html = mt_slice_from(html, text.n);
		if (html.n > 0)
			reduce_markup(&html, out);
	}
}
