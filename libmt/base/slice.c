/* slice.c - a piece of somebody's bytes, and the bounded cursor that parsers use */
#include "base/slice.h"

#include <glib.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
mt_slice_eq(struct mt_slice a, struct mt_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
mt_slice_eq_nocase(struct mt_slice a, struct mt_slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (g_ascii_tolower(a.p[i]) != g_ascii_tolower(b.p[i]))
			return false;
	}
	return true;
}

bool
mt_slice_starts(struct mt_slice s, struct mt_slice prefix)
{
	return s.n >= prefix.n && mt_slice_eq(mt_slice_first(s, prefix.n), prefix);
}

bool
mt_slice_starts_nocase(struct mt_slice s, struct mt_slice prefix)
{
	return s.n >= prefix.n && mt_slice_eq_nocase(mt_slice_first(s, prefix.n), prefix);
}

bool
mt_slice_ends(struct mt_slice s, struct mt_slice suffix)
{
	return s.n >= suffix.n && mt_slice_eq(mt_slice_from(s, s.n - suffix.n), suffix);
}

size_t
mt_slice_find(struct mt_slice s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

struct mt_slice
mt_slice_trim(struct mt_slice s)
{
	while (s.n > 0 && (is_blank(s.p[0]) || s.p[0] == '\r' || s.p[0] == '\n'))
		s = mt_slice_from(s, 1);
	while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r' ||
	    s.p[s.n - 1] == '\n'))
		s.n--;
	return s;
}

struct mt_slice
mt_slice_from(struct mt_slice s, size_t at)
{
	if (at > s.n)
		at = s.n;
	/* An empty slice may have no address, and C has no NULL + 0. */
	if (at == 0)
		return s;
	return (struct mt_slice){ s.p + at, s.n - at };
}

struct mt_slice
mt_slice_first(struct mt_slice s, size_t n)
{
	return (struct mt_slice){ s.p, n < s.n ? n : s.n };
}

char *
mt_slice_dup(struct mt_slice s)
{
	char *copy = g_malloc(s.n + 1);

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

bool
mt_slice_take_char(struct mt_slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = mt_slice_from(*s, 1);
	return true;
}

bool
mt_slice_take(struct mt_slice *s, struct mt_slice word)
{
	if (!mt_slice_starts(*s, word))
		return false;
	*s = mt_slice_from(*s, word.n);
	return true;
}

bool
mt_slice_take_nocase(struct mt_slice *s, struct mt_slice word)
{
	if (!mt_slice_starts_nocase(*s, word))
		return false;
	*s = mt_slice_from(*s, word.n);
	return true;
}

size_t
mt_slice_skip_blank(struct mt_slice *s)
{
	size_t n = 0;

	while (n < s->n && is_blank(s->p[n]))
		n++;
	*s = mt_slice_from(*s, n);
	return n;
}

struct mt_slice
mt_slice_take_while(struct mt_slice *s, bool (*is)(unsigned char))
{
	struct mt_slice run = *s;
	size_t n = 0;

	while (n < s->n && is((unsigned char)s->p[n]))
		n++;
	*s = mt_slice_from(*s, n);
	return mt_slice_first(run, n);
}

bool
mt_slice_take_until(struct mt_slice *s, char c, struct mt_slice *out)
{
	size_t n = mt_slice_find(*s, c);

	if (n == s->n)
		return false;
	*out = mt_slice_first(*s, n);
	*s = mt_slice_from(*s, n + 1);
	return true;
}

bool
mt_slice_take_line(struct mt_slice *s, struct mt_slice *line)
{
	size_t n = mt_slice_find(*s, '\n');

	if (s->n == 0)
		return false;
	*line = mt_slice_first(*s, n);
	*s = mt_slice_from(*s, n + 1);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

bool
mt_slice_take_utf8(struct mt_slice *s, struct mt_slice *bytes, uint32_t *c)
{
	size_t n = 1;

	if (s->n == 0)
		return false;
	*c = *s->p == '\0' ? MT_SLICE_NO_CHAR :
	    g_utf8_get_char_validated(s->p, (gssize)s->n);
	if (*c <= 0x10ffff)
		n = (size_t)(g_utf8_next_char(s->p) - s->p);
	else
		*c = MT_SLICE_NO_CHAR;
	*bytes = mt_slice_first(*s, n);
	*s = mt_slice_from(*s, n);
	return true;
}

bool
mt_slice_take_word(struct mt_slice *s, struct mt_slice *word)
{
	size_t n = 0;

	while (n < s->n && !is_blank(s->p[n]))
		n++;
	if (n == 0)
		return false;
	*word = mt_slice_first(*s, n);
	*s = mt_slice_from(*s, n);
	mt_slice_skip_blank(s);
	return true;
}

bool
mt_slice_take_u64(struct mt_slice *s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < s->n && g_ascii_isdigit(s->p[n]); n++) {
		uint64_t digit = (uint64_t)(s->p[n] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (n == 0 || v > max)
		return false;
	*s = mt_slice_from(*s, n);
	*value = v;
	return true;
}
