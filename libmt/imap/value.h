/* value.h - what IMAP responses are made of: atoms, strings, literals, lists (RFC 9051 4) */
#ifndef MT_IMAP_VALUE_H
#define MT_IMAP_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * A response is one run of bytes without its last CRLF, in which each literal stands as it
 * came: "{5}" CRLF and 5 bytes. Everything here is a bounded cursor (base/slice.h): it moves
 * past what it took, or fails and stays. Nothing recurses: a list is taken whole.
 */
enum mt_imap_type {
	MT_IMAP_ATOM,		/* a word, a number, \Seen; NIL too */
	MT_IMAP_QUOTED,		/* text between the quotes, with its backslashes */
	MT_IMAP_LITERAL,	/* the bytes, also of a literal8 (RFC 9051 4.4) */
	MT_IMAP_PARENS,		/* text between the parentheses */
};

struct mt_imap_value {
	enum mt_imap_type type;
	struct mt_slice text;
};

/* One value, and the blanks behind it. */
bool mt_imap_take(struct mt_slice *s, struct mt_imap_value *out);
/* One value of this type. */
bool mt_imap_take_list(struct mt_slice *s, struct mt_slice *out);
bool mt_imap_take_atom(struct mt_slice *s, struct mt_slice *out);
bool mt_imap_take_number(struct mt_slice *s, uint64_t max, uint64_t *out);

/* The atom NIL, which stands for no string. */
bool mt_imap_is_nil(const struct mt_imap_value *v);
/* A string or atom without the backslashes of a quoted one: g_free. NULL for NIL, for a
   list, and for what holds a NUL. */
char *mt_imap_value_dup(const struct mt_imap_value *v);

/* Whether text ends in the head of a literal, "{n}", "{n+}" or "~{n}": that many bytes
   follow its line. text is without the end of the line. */
bool mt_imap_ends_in_literal(struct mt_slice text, uint64_t *n);

#endif
