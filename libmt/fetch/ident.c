/* ident.c - what makes two messages from a POP3 server the same one */
#include "fetch/ident.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* With the colon. */
static const char *const volatile_fields[] = {
	"Status:", "X-Status:", "X-UID:", "X-UIDL:", "X-Keywords:", "Content-Length:",
};

#define NAME_SIZE sizeof("Content-Length:")

struct mt_fetch_ident {
	struct mt_digest *digest;
	enum { LINE_BEGIN, NAME, TAKEN, LEFT_OUT, BODY } state;
	bool was_left_out;	/* the last line: its continuation is, too */
	char name[NAME_SIZE];	/* of the line, while it may be a volatile field's */
	size_t name_n;
};

struct mt_fetch_ident *
mt_fetch_ident_new(void)
{
	struct mt_fetch_ident *i = g_new0(struct mt_fetch_ident, 1);

	i->digest = mt_digest_new();
	return i;
}

void
mt_fetch_ident_free(struct mt_fetch_ident *i)
{
	if (i == NULL)
		return;
	mt_digest_free(i->digest);
	g_free(i);
}

static bool
is_volatile(const struct mt_fetch_ident *i)
{
	for (size_t f = 0; f < G_N_ELEMENTS(volatile_fields); f++) {
		if (strlen(volatile_fields[f]) == i->name_n &&
		    g_ascii_strncasecmp(volatile_fields[f], i->name, i->name_n) == 0)
			return true;
	}
	return false;
}

/* One more character of a name. At its end it is known which kind of line this is. */
static void
add_to_name(struct mt_fetch_ident *i, char c)
{
	i->name[i->name_n++] = c;
	if (c != ':' && c != '\n' && i->name_n < NAME_SIZE)
		return;
	i->was_left_out = is_volatile(i);
	i->state = i->was_left_out ? LEFT_OUT : c == '\n' ? LINE_BEGIN : TAKEN;
	if (!i->was_left_out)
		mt_digest_add(i->digest, i->name, i->name_n);
}

/* The first character of a line. */
static void
begin_line(struct mt_fetch_ident *i, char c)
{
	i->name_n = 0;
	i->state = NAME;
	if (c == '\n')
		i->state = BODY;
	else if (c == ' ' || c == '\t')
		i->state = i->was_left_out ? LEFT_OUT : TAKEN;
}

void
mt_fetch_ident_add(struct mt_fetch_ident *i, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *stop = end;

		if (i->state == LINE_BEGIN)
			begin_line(i, *p);
		if (i->state == NAME) {
			add_to_name(i, *p++);
			continue;
		}
		if (i->state != BODY) {
			const char *lf = memchr(p, '\n', (size_t)(end - p));

			stop = lf != NULL ? lf + 1 : end;
		}
		if (i->state != LEFT_OUT)
			mt_digest_add(i->digest, p, (size_t)(stop - p));
		if (i->state != BODY && stop[-1] == '\n')
			i->state = LINE_BEGIN;
		p = stop;
	}
}

void
mt_fetch_ident_end(struct mt_fetch_ident *i, uint8_t out[MT_DIGEST_SIZE])
{
	if (i->state == NAME)
		mt_digest_add(i->digest, i->name, i->name_n);
	i->state = LINE_BEGIN;
	i->was_left_out = false;
	mt_digest_end(i->digest, out);
}
