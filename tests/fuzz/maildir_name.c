/* maildir_name.c - names of files in a Maildir, as anybody may have made them */
#include <glib.h>
#include <stdint.h>

#include "maildir/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *file = mt_slice_dup(mt_slice_mem(data, size));
	char again[MT_MAILDIR_NAME_SIZE];
	struct mt_maildir_name n, m;

	if (!mt_maildir_name_parse(file, &n))
		return 0;
	/* What we write for it is understood as the same message. */
	if (mt_maildir_name_with_flags(n.unique, n.flags, again))
		g_assert(mt_maildir_name_parse(again, &m) &&
		    mt_slice_eq(m.unique, n.unique) && m.size == n.size);
	return 0;
}
