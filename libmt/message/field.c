/* field.c - write header fields: folding, encoded words, parameters (RFC 5322 2.2.3) */
#include "message/field.h"

#include <glib.h>

#include "message/charset.h"
#include "message/word.h"

/* RFC 5322 2.1.1: lines should have 78 characters, and must not have more than 998. */
#define FOLD_COLUMN ((size_t)78)
#define LINE_MAX_BYTES ((size_t)998)
/* A quoted parameter longer than this goes in pieces (RFC 2231 3). */
#define QUOTED_PARAM_MAX ((size_t)200)
#define PARAM_PIECE ((size_t)60)

static bool
is_ftext(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

static int
check(const char *name, const char *value, struct mt_err *err)
{
	struct mt_slice s = mt_slice_str(name);

	mt_slice_take_while(&s, is_ftext);
	if (name[0] == '\0' || s.n > 0 || strlen(name) >= FOLD_COLUMN - 2)
		return mt_fail(err, MT_EUSAGE, "\"%s\" is no name of a header field",
		    name);
	if (strpbrk(value, "\r\n") != NULL)
		return mt_fail(err, MT_EUSAGE, "header field %s: line end in its value",
		    name);
	return 0;
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_not_blank(unsigned char c)
{
	return !is_blank(c);
}

/*
 * Append "Name: value" LF. A line end goes before blanks only, and never right behind
 * the name, so that no line is empty or blank.
 */
static int
write_folded(struct mt_buf *out, const char *name, struct mt_slice value,
    struct mt_err *err)
{
	size_t start = out->n, column = strlen(name) + 1;
	bool first = true, full;

	full = mt_buf_appendf(out, "%s:", name) < 0;
	value = mt_slice_trim(value);
	while (value.n > 0 && !full) {
		struct mt_slice blanks = mt_slice_take_while(&value, is_blank);
		struct mt_slice word = mt_slice_take_while(&value, is_not_blank);

		if (first)
			blanks = MT_SLICE(" ");
		if (!first && column + blanks.n + word.n > FOLD_COLUMN) {
			full = mt_buf_append_char(out, '\n') < 0;
			column = 0;
		}
		first = false;
		column += blanks.n + word.n;
		if (column > LINE_MAX_BYTES) {
			out->n = start;
			return mt_fail(err, MT_EUSAGE,
			    "header field %s: a line of more than 998 bytes", name);
		}
		full = full || mt_buf_append_slice(out, blanks) < 0 ||
		    mt_buf_append_slice(out, word) < 0;
	}
	if (!full && mt_buf_append_char(out, '\n') == 0)
		return 0;
	out->n = start;
	return mt_fail(err, MT_EDATA, "header field %s: header longer than %zu bytes", name,
	    out->max);
}

int
mt_field_text(struct mt_buf *out, const char *name, const char *text,
    struct mt_err *err)
{
	struct mt_slice s = mt_slice_trim(mt_slice_str(text));
	g_autofree char *words = NULL;

	if (check(name, text, err) < 0)
		return -1;
	if (!mt_word_is_plain(s)) {
		mt_auto_value(mt_buf) utf8 = MT_BUF_INIT(s.n * 3);

		mt_charset_to_utf8(s, NULL, &utf8);
		words = mt_word_encode(mt_buf_slice(&utf8), strlen(name) + 1);
		s = mt_slice_str(words);
	}
	return write_folded(out, name, s, err);
}

int
mt_field_tokens(struct mt_buf *out, const char *name, const char *value,
    struct mt_err *err)
{
	if (check(name, value, err) < 0)
		return -1;
	return write_folded(out, name, mt_slice_str(value), err);
}

int
mt_field_addrs(struct mt_buf *out, const char *name, const struct mt_addr_list *list,
    struct mt_err *err)
{
	g_autoptr(GString) value = g_string_new(NULL);

	if (list == NULL || list->n == 0)
		return 0;
	for (size_t i = 0; i < list->n; i++) {
		g_autofree char *one = mt_addr_format(&list->v[i]);

		g_string_append_printf(value, "%s%s", i > 0 ? ", " : "", one);
	}
	return mt_field_tokens(out, name, value->str, err);
}

/* token = 1*<any CHAR except SPACE, CTLs, or tspecials> (RFC 2045 5.1) */
static bool
is_token_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* attribute-char: a token's without "*", "'" and "%" (RFC 2231 7) */
static bool
is_attribute_char(unsigned char c)
{
	return is_token_char(c) && strchr("*'%", c) == NULL;
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			return false;
	}
	return true;
}

/* A value that needs no quotes. Python takes "'" for a sign of RFC 2231 without them. */
static bool
is_bare(const char *s)
{
	const char *at = s;

	while (is_attribute_char((unsigned char)*at))
		at++;
	return at > s && *at == '\0';
}

/*
 * What every reader of a quoted string reads as it is: many do not undo a backslash, and
 * some decode what looks like an encoded word (RFC 2047).
 */
static bool
can_be_quoted(const char *s)
{
	return is_printable(s) && strlen(s) <= QUOTED_PARAM_MAX &&
	    strpbrk(s, "\"\\") == NULL && strstr(s, "=?") == NULL;
}

/* "; text", on a new line where it would pass the column. */
static int
append_param(struct mt_buf *out, const char *text)
{
	size_t column = 0;

	while (column < out->n && out->p[out->n - 1 - column] != '\n')
		column++;
	return mt_buf_appendf(out, column + 2 + strlen(text) > FOLD_COLUMN - 1 ?
	    ";\n %s" : "; %s", text);
}

/* One character of UTF-8 by RFC 2231 4. */
static void
append_percent(GString *to, const char *p, const char *end)
{
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (is_attribute_char(c))
			g_string_append_c(to, (char)c);
		else
			g_string_append_printf(to, "%%%02X", c);
	}
}

/* name*=utf-8''..., or name*0*=utf-8''...; name*1*=... when it is long. */
static int
write_extended(struct mt_buf *out, const char *name, const char *utf8)
{
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GString) piece = g_string_new("utf-8''");
	unsigned count = 0;

	append_percent(all, utf8, utf8 + strlen(utf8));
	for (const char *p = utf8; *p != '\0';) {
		const char *next = g_utf8_next_char(p);

		append_percent(piece, p, next);
		p = next;
		/* A character takes 12 bytes at most. */
		if (*p == '\0' ||
		    (all->len > PARAM_PIECE && piece->len >= PARAM_PIECE - 12)) {
			g_autofree char *head = all->len <= PARAM_PIECE ?
			    g_strdup_printf("%s*=", name) :
			    g_strdup_printf("%s*%u*=", name, count++);

			g_string_prepend(piece, head);
			if (append_param(out, piece->str) < 0)
				return -1;
			g_string_truncate(piece, 0);
		}
	}
	return 0;
}

int
mt_field_param(struct mt_buf *out, const char *name, const char *value,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) utf8 = MT_BUF_INIT(strlen(value) * 3 + 1);
	g_autoptr(GString) text = g_string_new(name);
	int rc;

	g_string_append_c(text, '=');
	if (can_be_quoted(value)) {
		if (is_bare(value))
			g_string_append(text, value);
		else
			mt_word_append_quoted(text, value);
		rc = append_param(out, text->str);
	} else {
		mt_charset_to_utf8(mt_slice_str(value), NULL, &utf8);
		rc = write_extended(out, name, utf8.p);
	}
	if (rc < 0)
		return mt_fail(err, MT_EDATA, "header longer than %zu bytes", out->max);
	return 0;
}
