/* html.c - any bytes as HTML: text that can be printed, within its bounds */
#include <glib.h>
#include <stdint.h>

#include "message/charset.h"
#include "message/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(20000);

	mt_html_to_text(mt_slice_mem(data, size), size % 2 == 0 ? "utf-8" : NULL, &out);
	g_assert(out.n <= 20000 && (out.n == 0 || g_utf8_validate(out.p, -1, NULL)));
	for (const char *p = out.p; p != NULL && *p != '\0'; p = g_utf8_next_char(p))
		g_assert(!mt_charset_is_control(g_utf8_get_char(p)) || *p == '\n' || *p == '\t');
	return 0;
}
