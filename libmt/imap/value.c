/* value.c - what IMAP responses are made of: atoms, strings, literals, lists (RFC 9051 4) */
#include "imap/value.h"

#include <glib.h>

static void
skip_blanks(struct mt_slice *s)
{
	while (mt_slice_take_char(s, ' '))
		;
}

/* Servers put more into atoms than the grammar has, such as "]" and "%". */
static bool
is_atom(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != '(' && c != ')' && c != '"' && c != '{';
}

static bool
take_quoted(struct mt_slice *s, struct mt_slice *out)
{
	for (size_t i = 1; i < s->n && s->p[i] != '\r' && s->p[i] != '\n'; i++) {
		if (s->p[i] == '\\') {
			i++;
		} else if (s->p[i] == '"') {
			*out = mt_slice_from(mt_slice_first(*s, i), 1);
			*s = mt_slice_from(*s, i + 1);
			return true;
		}
	}
	return false;
}

/* "{5}" CRLF hello; also ~{5} and {5+}. */
static bool
take_literal(struct mt_slice *s, struct mt_slice *out)
{
	struct mt_slice rest = *s;
	uint64_t n;

	mt_slice_take_char(&rest, '~');
	if (!mt_slice_take_char(&rest, '{') || !mt_slice_take_u64(&rest, SIZE_MAX / 2, &n))
		return false;
	mt_slice_take_char(&rest, '+');
	if (!mt_slice_take_char(&rest, '}'))
		return false;
	mt_slice_take_char(&rest, '\r');
	if (!mt_slice_take_char(&rest, '\n') || n > rest.n)
		return false;
	*out = mt_slice_first(rest, n);
	*s = mt_slice_from(rest, n);
	return true;
}

/* Parentheses are counted; those in strings are none. */
static bool
take_list(struct mt_slice *s, struct mt_slice *out)
{
	struct mt_slice rest = mt_slice_from(*s, 1), ignored;
	size_t depth = 1;

	while (rest.n > 0) {
		switch (rest.p[0]) {
		case '(':
			depth++;
			break;
		case ')':
			if (--depth == 0) {
				*out = mt_slice_mem(s->p + 1, (size_t)(rest.p - s->p) - 1);
				*s = mt_slice_from(rest, 1);
				return true;
			}
			break;
		case '"':
			if (!take_quoted(&rest, &ignored))
				return false;
			continue;
		case '{':
			if (!take_literal(&rest, &ignored))
				return false;
			continue;
		default:
			break;
		}
		rest = mt_slice_from(rest, 1);
	}
	return false;
}

bool
mt_imap_take(struct mt_slice *s, struct mt_imap_value *out)
{
	struct mt_slice rest = *s;
	char first = s->n > 0 ? s->p[0] : '\0';
	bool good;

	if (first == '"') {
		out->type = MT_IMAP_QUOTED;
		good = take_quoted(&rest, &out->text);
	} else if (first == '(') {
		out->type = MT_IMAP_PARENS;
		good = take_list(&rest, &out->text);
	} else if (first == '{' || (first == '~' && s->n > 1 && s->p[1] == '{')) {
		out->type = MT_IMAP_LITERAL;
		good = take_literal(&rest, &out->text);
	} else {
		out->type = MT_IMAP_ATOM;
		out->text = mt_slice_take_while(&rest, is_atom);
		good = out->text.n > 0;
	}
	if (!good)
		return false;
	skip_blanks(&rest);
	*s = rest;
	return true;
}

static bool
take_type(struct mt_slice *s, enum mt_imap_type type, struct mt_slice *out)
{
	struct mt_slice rest = *s;
	struct mt_imap_value v;

	if (!mt_imap_take(&rest, &v) || v.type != type)
		return false;
	*s = rest;
	*out = v.text;
	return true;
}

bool
mt_imap_take_list(struct mt_slice *s, struct mt_slice *out)
{
	return take_type(s, MT_IMAP_PARENS, out);
}

bool
mt_imap_take_atom(struct mt_slice *s, struct mt_slice *out)
{
	return take_type(s, MT_IMAP_ATOM, out);
}

bool
mt_imap_take_number(struct mt_slice *s, uint64_t max, uint64_t *out)
{
	struct mt_slice rest = *s, text;

	if (!mt_imap_take_atom(&rest, &text) || !mt_slice_take_u64(&text, max, out) || text.n > 0)
		return false;
	*s = rest;
	return true;
}

bool
mt_imap_is_nil(const struct mt_imap_value *v)
{
	return v->type == MT_IMAP_ATOM && mt_slice_eq_nocase(v->text, MT_SLICE("NIL"));
}

char *
mt_imap_value_dup(const struct mt_imap_value *v)
{
	char *out;
	size_t n = 0;

	if (v->type == MT_IMAP_PARENS || mt_imap_is_nil(v) ||
	    mt_slice_find(v->text, '\0') < v->text.n)
		return NULL;
	out = mt_slice_dup(v->text);
	if (v->type != MT_IMAP_QUOTED)
		return out;
	for (size_t i = 0; i < v->text.n; i++) {
		if (v->text.p[i] == '\\' && i + 1 < v->text.n)
			i++;
		out[n++] = v->text.p[i];
	}
	out[n] = '\0';
	return out;
}

bool
mt_imap_ends_in_literal(struct mt_slice text, uint64_t *n)
{
	struct mt_slice rest;
	size_t at = text.n;

	if (text.n < 3 || text.p[text.n - 1] != '}')
		return false;
	while (at > 0 && text.p[at - 1] != '{') {
		if (text.n - at > 24)
			return false;
		at--;
	}
	if (at == 0)
		return false;
	rest = mt_slice_from(text, at);
	if (!mt_slice_take_u64(&rest, UINT64_MAX >> 1, n))
		return false;
	mt_slice_take_char(&rest, '+');
	return mt_slice_eq(rest, MT_SLICE("}"));
}
