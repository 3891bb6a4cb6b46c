/* buf.h - a growing buffer with a ceiling, for whatever grows with what a peer sends */
#ifndef MT_BASE_BUF_H
#define MT_BASE_BUF_H

#include <stdarg.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Bytes [p, p+n). p[n] is always a NUL that does not count, once something was
 * appended, so a buffer of text can be printed. Never grows past max bytes (a value
 * from base/limits.h): an append that would is refused whole, and the content stays.
 */
struct mt_buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
};

#define MT_BUF_INIT(max_) ((struct mt_buf){ .max = (max_) })

void mt_buf_init(struct mt_buf *b, size_t max);
/* Free the memory; the buffer is empty and can be used again. */
void mt_buf_clear(struct mt_buf *b);
/* The same for a secret: the bytes are overwritten first. */
void mt_buf_clear_secret(struct mt_buf *b);
/* Forget the content, keep the memory. */
void mt_buf_reset(struct mt_buf *b);

/* 0, or -1 when the ceiling would be passed. The formatted forms likewise. */
int mt_buf_append(struct mt_buf *b, const void *p, size_t n);
int mt_buf_append_slice(struct mt_buf *b, struct mt_slice s);
int mt_buf_append_str(struct mt_buf *b, const char *s);
int mt_buf_append_char(struct mt_buf *b, char c);
int mt_buf_appendf(struct mt_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int mt_buf_vappendf(struct mt_buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Make room for n more bytes; where they start, or NULL past the ceiling. Add the
   bytes that were written to b->n with mt_buf_wrote(). */
char *mt_buf_room(struct mt_buf *b, size_t n);
void mt_buf_wrote(struct mt_buf *b, size_t n);
/* Take n bytes (at most b->n) off the front. */
void mt_buf_drop(struct mt_buf *b, size_t n);

static inline struct mt_slice
mt_buf_slice(const struct mt_buf *b)
{
	return (struct mt_slice){ b->p, b->n };
}

MT_AUTO_VALUE_DEFINE(mt_buf, mt_buf_clear);

#endif
