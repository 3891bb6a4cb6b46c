/* header.c - header blocks: fields lie inside them, and their text can be printed */
#include <glib.h>
#include <stdint.h>

#include "message/charset.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice block = mt_header_block(mt_slice_mem(data, size));
	struct mt_slice rest = block;
	struct mt_header_field f;

	g_assert(block.n <= size);
	while (mt_header_next(&rest, &f)) {
		g_autofree char *text = mt_header_decode(f.raw);

		g_assert(f.name.n > 0 && f.whole.p >= block.p &&
		    f.whole.p + f.whole.n <= block.p + block.n);
		g_assert(f.raw.p >= f.whole.p && f.raw.n <= f.whole.n);
		g_assert(g_utf8_validate(text, -1, NULL));
		for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
			g_assert(!mt_charset_is_control(g_utf8_get_char(p)));
	}
	return 0;
}
