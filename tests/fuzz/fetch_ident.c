/* fetch_ident.c - a message has one identity, in whatever pieces it comes */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "fetch/ident.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto(mt_fetch_ident) i = mt_fetch_ident_new();
	uint8_t whole[MT_DIGEST_SIZE], pieces[MT_DIGEST_SIZE];

	mt_fetch_ident_add(i, (const char *)data, size);
	mt_fetch_ident_end(i, whole);
	for (size_t at = 0; at < size; at++)
		mt_fetch_ident_add(i, (const char *)data + at, 1);
	mt_fetch_ident_end(i, pieces);
	g_assert(memcmp(whole, pieces, MT_DIGEST_SIZE) == 0);
	return 0;
}
