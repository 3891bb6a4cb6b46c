/* word.c - words of header fields, encoded (RFC 2047) or quoted (RFC 5322 3.2.4) */
#include "message/word.h"

#include <glib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "message/charset.h"

/* UTF-8 of what Windows-1252 bytes become is at most three times as long. */
#define MAX_DECODED (MT_MAX_FIELD * 3)
/* RFC 2047 2: 75 characters, and 76 a line; "=?UTF-8?Q?" and "?=" leave 63. */
#define MAX_ENCODED_TEXT ((size_t)63)

struct word {
	struct mt_slice charset;
	char encoding;		/* 'q' or 'b' */
	struct mt_slice text;
};

static bool
is_charset_char(unsigned char c)
{
	return g_ascii_isalnum(c) || strchr("-_.:+", c) != NULL;
}

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
   (RFC 2047 2, RFC 2231 5) */
static bool
take_word(struct mt_slice *s, struct word *w)
{
	struct mt_slice at = *s;

	if (!mt_slice_take(&at, MT_SLICE("=?")))
		return false;
	w->charset = mt_slice_take_while(&at, is_charset_char);
	if (mt_slice_take_char(&at, '*'))
		mt_slice_take_while(&at, is_charset_char);
	if (w->charset.n == 0 || !mt_slice_take_char(&at, '?') || at.n == 0)
		return false;
	w->encoding = g_ascii_tolower(at.p[0]);
	at = mt_slice_from(at, 1);
	if ((w->encoding != 'q' && w->encoding != 'b') || !mt_slice_take_char(&at, '?'))
		return false;
	if (!mt_slice_take_until(&at, '?', &w->text) || !mt_slice_take_char(&at, '='))
		return false;
	*s = at;
	return true;
}

static void
decode_q(struct mt_slice text, struct mt_buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '=' && i + 2 < text.n && g_ascii_isxdigit(text.p[i + 1]) &&
		    g_ascii_isxdigit(text.p[i + 2])) {
			c = (char)(g_ascii_xdigit_value(text.p[i + 1]) * 16 +
			    g_ascii_xdigit_value(text.p[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		mt_buf_append_char(out, c);
	}
}

static void
decode_b(struct mt_slice text, struct mt_buf *out)
{
	int state = 0;
	guint save = 0;
	char *at = mt_buf_room(out, text.n / 4 * 3 + 3);

	if (at != NULL)
		mt_buf_wrote(out, g_base64_decode_step(text.p, text.n, (guchar *)at,
		    &state, &save));
}

/* Bytes of neighbouring words with one charset: a character may be split over two. */
struct run {
	struct mt_slice charset;
	struct mt_buf bytes;
};

static void
flush_run(struct run *r, struct mt_buf *out)
{
	g_autofree char *charset = NULL;

	if (r->bytes.n > 0) {
		charset = mt_slice_dup(r->charset);
		mt_charset_to_utf8(mt_buf_slice(&r->bytes), charset, out);
	}
	mt_buf_reset(&r->bytes);
}

char *
mt_word_decode(struct mt_slice text)
{
	struct mt_buf out = MT_BUF_INIT(MAX_DECODED);
	struct run run = { { NULL, 0 }, MT_BUF_INIT(MT_MAX_FIELD) };
	struct mt_slice rest = mt_slice_first(text, MT_MAX_FIELD), gap = { rest.p, 0 };
	bool after_word = false;
	struct word w;

	while (rest.n > 0) {
		if (!take_word(&rest, &w)) {
			size_t skip = 1 + mt_slice_find(mt_slice_from(rest, 1), '=');

			rest = mt_slice_from(rest, skip);
			gap.n += skip;
			continue;
		}
		/* Blanks between two words are not part of the text (RFC 2047 6.2). */
		if (!after_word || mt_slice_trim(gap).n > 0) {
			flush_run(&run, &out);
			mt_charset_to_utf8(gap, NULL, &out);
		}
		if (run.bytes.n > 0 && !mt_slice_eq_nocase(run.charset, w.charset))
			flush_run(&run, &out);
		run.charset = w.charset;
		if (w.encoding == 'q')
			decode_q(w.text, &run.bytes);
		else
			decode_b(w.text, &run.bytes);
		after_word = true;
		gap = mt_slice_first(rest, 0);
	}
	flush_run(&run, &out);
	mt_charset_to_utf8(gap, NULL, &out);
	mt_buf_clear(&run.bytes);
	if (out.p == NULL)
		return g_strdup("");
	mt_charset_clean_line(out.p);
	return out.p;
}

/* What Q leaves as it is: safe in a phrase too (RFC 2047 5 (3)). */
static bool
is_q_plain(unsigned char c)
{
	return g_ascii_isalnum(c) || strchr("!*+-/", c) != NULL;
}

static size_t
q_length(struct mt_slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ' ' || (s.p[i] != '\0' &&
		    is_q_plain((unsigned char)s.p[i])) ? 1 : 3;
	return n;
}

static void
append_q(GString *out, struct mt_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == ' ')
			g_string_append_c(out, '_');
		else if (c != '\0' && is_q_plain(c))
			g_string_append_c(out, (char)c);
		else
			g_string_append_printf(out, "=%02X", c);
	}
}

char *
mt_word_encode(struct mt_slice utf8, size_t column)
{
	GString *out = g_string_new(NULL);
	size_t room = MAX_ENCODED_TEXT - MIN(column, 40);
	bool q = q_length(utf8) <= (utf8.n + 2) / 3 * 4;

	while (utf8.n > 0) {
		struct mt_slice rest = utf8, one;
		size_t take = 0;
		uint32_t c;

		/* As many whole characters as fit in one word. */
		while (mt_slice_take_utf8(&rest, &one, &c)) {
			size_t next = take + one.n;

			if ((q ? q_length(mt_slice_first(utf8, next)) :
			    (next + 2) / 3 * 4) > room)
				break;
			take = next;
		}
		if (out->len > 0)
			g_string_append_c(out, ' ');
		if (q) {
			g_string_append(out, "=?UTF-8?Q?");
			append_q(out, mt_slice_first(utf8, take));
		} else {
			g_autofree char *b =
			    g_base64_encode((const guchar *)utf8.p, take);

			g_string_append_printf(out, "=?UTF-8?B?%s", b);
		}
		g_string_append(out, "?=");
		utf8 = mt_slice_from(utf8, take);
		room = MAX_ENCODED_TEXT;
	}
	return g_string_free(out, FALSE);
}

bool
mt_word_is_plain(struct mt_slice text)
{
	size_t run = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c < ' ' && c != '\t') || c >= 0x7f)
			return false;
		if (c == '=' && i + 1 < text.n && text.p[i + 1] == '?')
			return false;
		run = c == ' ' || c == '\t' ? 0 : run + 1;
		/* A line has 998 bytes at most (RFC 5322 2.1.1), the name among them. */
		if (run > 900)
			return false;
	}
	return true;
}

void
mt_word_append_quoted(GString *out, const char *s)
{
	g_string_append_c(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *s);
	}
	g_string_append_c(out, '"');
}
