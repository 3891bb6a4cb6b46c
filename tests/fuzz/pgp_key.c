/* pgp_key.c - what GnuPG lists: a key that is chosen has a fingerprint of it */
#include <glib.h>
#include <stdint.h>

#include "message/pgp_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "<b@x.example>", "Bob", "<b@[IPv6::1]>" };
	struct mt_slice listing = mt_slice_mem(data, size);

	for (size_t i = 0; i < 2 * G_N_ELEMENTS(names); i++) {
		struct mt_pgp_key key;
		struct mt_err err = { 0 };

		if (mt_pgp_key_choose(listing, names[i / 2],
		    i % 2 == 0 ? MT_PGP_SIGN : MT_PGP_ENCRYPT, &key, &err) < 0) {
			g_assert(err.kind == MT_ECONF);
			continue;
		}
		g_assert(key.fpr[0] != '\0');
		for (const char *p = key.fpr; *p != '\0'; p++)
			g_assert(g_ascii_isxdigit(*p));
	}
	return 0;
}
