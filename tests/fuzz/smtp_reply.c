/* smtp_reply.c - what a server says: replies line by line, and offers of EHLO */
#include <glib.h>
#include <stdint.h>

#include "smtp/extensions.h"
#include "smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct mt_smtp_reply *r)
{
	struct mt_smtp_extensions e;
	struct mt_err err = { 0 };

	g_assert(r->code >= 200 && r->code <= 599 && r->lines > 0);
	g_assert(r->text.n <= MT_MAX_SMTP_REPLY);
	g_assert(r->dsn[0] == '\0' || (unsigned)(r->dsn[0] - '0') == r->code / 100);
	g_assert(mt_smtp_reply_fail(r, "x", &err) == -1 && err.kind != MT_ENONE);
	for (const char *p = err.msg; *p != '\0'; p++)
		g_assert((unsigned char)*p >= ' ' && *p != 0x7f);
	mt_smtp_extensions_parse(mt_buf_slice(&r->text), &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice lines = mt_slice_mem(data, size), line;
	struct mt_smtp_extensions e;
	struct mt_smtp_reply r;
	int rc = 0;

	mt_smtp_extensions_of_preamble(lines, &e);
	mt_smtp_reply_init(&r);
	while (rc >= 0 && mt_slice_take_line(&lines, &line)) {
		rc = mt_smtp_reply_add(&r, line, NULL);
		if (rc > 0)
			check(&r);
	}
	mt_smtp_reply_clear(&r);
	return 0;
}
