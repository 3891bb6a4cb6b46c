/* imap_utf7.c - names of mailboxes: what is taken is written as it was, and is a safe path */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "fetch/sync_names.h"
#include "imap/utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mt_sync_names names[] = { { '/', false }, { '.', false },
		{ '\0', false } };
	g_autofree char *name = mt_imap_utf7_decode(mt_slice_mem(data, size));
	g_autofree char *wire = name != NULL ? mt_imap_utf7_encode(name) : NULL;

	if (name == NULL || name[0] == '\0')
		return 0;
	/* 8-bit names are taken, and written otherwise. */
	for (size_t i = 0; i < size; i++) {
		if (data[i] < ' ' || data[i] > 126)
			wire[0] = '\0';
	}
	g_assert(wire[0] == '\0' || (strlen(wire) == size && memcmp(wire, data, size) == 0));
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = mt_sync_names_path(&names[i], name);
		g_autofree char *again = mt_sync_names_name(&names[i], path);
		g_auto(GStrv) parts = g_strsplit(path, "/", -1);

		for (char **p = parts; *p != NULL; p++)
			g_assert((*p)[0] != '\0' && (*p)[0] != '.');
		g_assert(again == NULL || strcmp(again, name) == 0);
	}
	return 0;
}
