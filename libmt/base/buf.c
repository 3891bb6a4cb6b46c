/* buf.c - a growing buffer with a ceiling */
#include "base/buf.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

void
mt_buf_init(struct mt_buf *b, size_t max)
{
	*b = MT_BUF_INIT(max);
}

void
mt_buf_clear(struct mt_buf *b)
{
	g_free(b->p);
	*b = MT_BUF_INIT(b->max);
}

void
mt_buf_clear_secret(struct mt_buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	mt_buf_clear(b);
}

void
mt_buf_reset(struct mt_buf *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

char *
mt_buf_room(struct mt_buf *b, size_t n)
{
	size_t want;
	char *grown;

	if (n > b->max || b->n > b->max - n || n >= SIZE_MAX / 4)
		return NULL;
	want = b->n + n + 1;
	if (want > b->cap) {
		size_t cap = b->cap < 64 ? 64 : b->cap;

		while (cap < want)
			cap *= 2;
		/* Not realloc: it could leave a copy of a secret behind. */
		grown = g_malloc(cap);
		if (b->p != NULL) {
			memcpy(grown, b->p, b->n);
			explicit_bzero(b->p, b->n);
			g_free(b->p);
		}
		b->p = grown;
		b->cap = cap;
	}
	return b->p + b->n;
}

void
mt_buf_wrote(struct mt_buf *b, size_t n)
{
	g_assert(n < b->cap - b->n);
	b->n += n;
	b->p[b->n] = '\0';
}

int
mt_buf_append(struct mt_buf *b, const void *p, size_t n)
{
	char *at = mt_buf_room(b, n);

	if (at == NULL)
		return -1;
	if (n > 0)
		memcpy(at, p, n);
	mt_buf_wrote(b, n);
	return 0;
}

int
mt_buf_append_slice(struct mt_buf *b, struct mt_slice s)
{
	return mt_buf_append(b, s.p, s.n);
}

int
mt_buf_append_str(struct mt_buf *b, const char *s)
{
	return mt_buf_append(b, s, strlen(s));
}

int
mt_buf_append_char(struct mt_buf *b, char c)
{
	return mt_buf_append(b, &c, 1);
}

int
mt_buf_vappendf(struct mt_buf *b, const char *fmt, va_list ap)
{
	g_autofree char *text = g_strdup_vprintf(fmt, ap);

	return mt_buf_append_str(b, text);
}

int
mt_buf_appendf(struct mt_buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = mt_buf_vappendf(b, fmt, ap);
	va_end(ap);
	return rc;
}

void
mt_buf_drop(struct mt_buf *b, size_t n)
{
	g_assert(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}
