/* slice.h - a piece of somebody's bytes, and the bounded cursor that parsers use */
#ifndef MT_BASE_SLICE_H
#define MT_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * n bytes at p, borrowed, not NUL-terminated; may hold any byte. As a cursor, a
 * parser takes bytes off the front: every mt_slice_take_*() either moves past what
 * it names, or fails and leaves the slice where it was. None reads past n.
 */
struct mt_slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, and of a NUL-terminated string (NULL is empty). */
#define MT_SLICE(literal) ((struct mt_slice){ "" literal, sizeof(literal) - 1 })

static inline struct mt_slice
mt_slice_str(const char *s)
{
	return (struct mt_slice){ s, s == NULL ? 0 : strlen(s) };
}

static inline struct mt_slice
mt_slice_mem(const void *p, size_t n)
{
	return (struct mt_slice){ p, n };
}

/* For printf: "%.*s", MT_SLICE_ARG(s). Only for text that the caller has checked. */
#define MT_SLICE_ARG(s) ((s).n > 1000 ? 1000 : (int)(s).n), (s).p

bool mt_slice_eq(struct mt_slice a, struct mt_slice b);
/* ASCII case-insensitive, as keywords and header names are. */
bool mt_slice_eq_nocase(struct mt_slice a, struct mt_slice b);
bool mt_slice_starts(struct mt_slice s, struct mt_slice prefix);
bool mt_slice_starts_nocase(struct mt_slice s, struct mt_slice prefix);
bool mt_slice_ends(struct mt_slice s, struct mt_slice suffix);
/* Index of the first c, or s.n. */
size_t mt_slice_find(struct mt_slice s, char c);
/* Without spaces, tabs, CR and LF at both ends. */
struct mt_slice mt_slice_trim(struct mt_slice s);
/* The part from at (at most s.n) on; the first n bytes at most. */
struct mt_slice mt_slice_from(struct mt_slice s, size_t at);
struct mt_slice mt_slice_first(struct mt_slice s, size_t n);
/* A copy with a NUL behind it (g_free). A NUL inside the slice stays where it is. */
char *mt_slice_dup(struct mt_slice s);

/* Take one given byte, or one given word (exact, or ASCII case-insensitive). */
bool mt_slice_take_char(struct mt_slice *s, char c);
bool mt_slice_take(struct mt_slice *s, struct mt_slice word);
bool mt_slice_take_nocase(struct mt_slice *s, struct mt_slice word);
/* Skip spaces and tabs; how many. */
size_t mt_slice_skip_blank(struct mt_slice *s);
/* Take the longest run of bytes for which is(byte) holds; may be empty. */
struct mt_slice mt_slice_take_while(struct mt_slice *s, bool (*is)(unsigned char));
/* Take what stands before c, and c. Fails when there is no c. */
bool mt_slice_take_until(struct mt_slice *s, char c, struct mt_slice *out);
/*
 * Take one line with its LF or CRLF; *line is without them. The last line may lack
 * its end. Fails at the end of the bytes.
 */
bool mt_slice_take_line(struct mt_slice *s, struct mt_slice *line);
/*
 * Take one character of UTF-8 into *c, or one byte that begins none (NUL too), with
 * MT_SLICE_NO_CHAR; *bytes is what was taken. Fails at the end of the bytes.
 */
#define MT_SLICE_NO_CHAR UINT32_MAX
bool mt_slice_take_utf8(struct mt_slice *s, struct mt_slice *bytes, uint32_t *c);
/* Take a word up to a space or tab (and the blanks behind it). Fails when empty. */
bool mt_slice_take_word(struct mt_slice *s, struct mt_slice *word);
/* Take decimal digits; fails without a digit or when the value is above max. */
bool mt_slice_take_u64(struct mt_slice *s, uint64_t max, uint64_t *value);

#endif
