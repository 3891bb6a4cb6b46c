/* word.c - encoded words: any text can be printed, and what we write comes back */
#include <glib.h>
#include <stdint.h>

#include "message/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = mt_word_decode(mt_slice_mem(data, size));
	g_autofree char *words = NULL, *again = NULL;

	g_assert(g_utf8_validate(text, -1, NULL));
	words = mt_word_encode(mt_slice_str(text), size % 50);
	g_assert(g_str_is_ascii(words));
	/* Words that are longer than a field are cut. */
	if (strlen(words) > 200000)
		return 0;
	again = mt_word_decode(mt_slice_str(words));
	g_assert(strcmp(again, text) == 0);
	return 0;
}
