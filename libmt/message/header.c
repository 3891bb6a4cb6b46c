/* header.c - our own scanner of header blocks (RFC 5322 2.2), fast and bounded */
#include "message/header.h"

#include <glib.h>

#include "base/limits.h"
#include "message/word.h"

struct mt_slice
mt_header_block(struct mt_slice message)
{
	struct mt_slice rest = message;

	while (rest.n > 0) {
		size_t eol;

		if (rest.p[0] == '\n')
			return mt_slice_first(message, message.n - rest.n + 1);
		if (rest.p[0] == '\r' && rest.n > 1 && rest.p[1] == '\n')
			return mt_slice_first(message, message.n - rest.n + 2);
		eol = mt_slice_find(rest, '\n');
		rest = mt_slice_from(rest, eol + 1);
	}
	return message;
}

/* Length of the line at the front, with its LF. */
static size_t
line_length(struct mt_slice s)
{
	size_t eol = mt_slice_find(s, '\n');

	return eol == s.n ? eol : eol + 1;
}

/* Without one LF or CRLF at the end. */
static struct mt_slice
chop(struct mt_slice s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* field-name = 1*ftext ; %d33-57 / %d59-126. Obsolete: blanks before the colon
   (RFC 5322 4.5). */
static bool
field_name(struct mt_slice line, struct mt_slice *name, size_t *colon)
{
	size_t n = 0, at;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f && line.p[n] != ':')
		n++;
	at = n;
	while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
		at++;
	if (n == 0 || at == line.n || line.p[at] != ':')
		return false;
	*name = mt_slice_first(line, n);
	*colon = at;
	return true;
}

bool
mt_header_next(struct mt_slice *block, struct mt_header_field *f)
{
	while (block->n > 0 && block->p[0] != '\n' &&
	    !mt_slice_starts(*block, MT_SLICE("\r\n"))) {
		size_t n = line_length(*block), colon;
		struct mt_slice line = mt_slice_first(*block, n);

		if (!field_name(line, &f->name, &colon)) {
			*block = mt_slice_from(*block, n);
			continue;
		}
		while (n < block->n && (block->p[n] == ' ' || block->p[n] == '\t'))
			n += line_length(mt_slice_from(*block, n));
		f->whole = mt_slice_first(*block, n);
		f->raw = chop(mt_slice_from(f->whole, colon + 1));
		*block = mt_slice_from(*block, n);
		return true;
	}
	return false;
}

bool
mt_header_is_message(struct mt_slice block)
{
	struct mt_slice rest = block;
	struct mt_header_field f;
	size_t start = 0;

	if (mt_slice_starts(block, MT_SLICE("From ")))
		start = mt_slice_find(block, '\n') + 1;
	return mt_header_next(&rest, &f) && f.whole.p == block.p + start;
}

bool
mt_header_find(struct mt_slice block, const char *name, struct mt_header_field *f)
{
	struct mt_slice wanted = mt_slice_str(name);

	while (mt_header_next(&block, f)) {
		if (mt_slice_eq_nocase(f->name, wanted))
			return true;
	}
	return false;
}

char *
mt_header_unfold(struct mt_slice raw)
{
	struct mt_slice s = mt_slice_first(mt_slice_trim(raw), MT_MAX_FIELD);
	GString *out = g_string_sized_new(s.n + 1);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		/* A fold: the blank behind it stays. */
		if (c == '\n' && i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t'))
			continue;
		if (c == '\0')
			g_string_append(out, "\xef\xbf\xbd");
		else
			g_string_append_c(out, c == '\r' || c == '\n' ? ' ' : c);
	}
	return g_string_free(out, FALSE);
}

char *
mt_header_value(struct mt_slice block, const char *name)
{
	struct mt_header_field f;

	return mt_header_find(block, name, &f) ? mt_header_unfold(f.raw) : NULL;
}

char *
mt_header_decode(struct mt_slice raw)
{
	g_autofree char *text = mt_header_unfold(raw);

	return mt_word_decode(mt_slice_str(text));
}

char *
mt_header_text(struct mt_slice block, const char *name)
{
	struct mt_header_field f;

	return mt_header_find(block, name, &f) ? mt_header_decode(f.raw) : NULL;
}
