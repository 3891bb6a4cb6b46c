/* backup_pack.c - pack files, as a bad disk or a bad person may have made them */
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backup/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);
	struct mt_err err = { 0 };
	mt_auto(mt_backup_pack) p = NULL;
	size_t budget = 1000;

	g_assert(write(fd, data, size) == (ssize_t)size);
	p = mt_backup_pack_open(fd, &err);
	for (size_t i = 0; p != NULL && i < mt_backup_pack_count(p); i++) {
		const struct mt_backup_blob *b = mt_backup_pack_blob(p, i);
		struct mt_slice s;
		uint64_t at = 0;

		while (at < b->size && budget-- > 0 &&
		    mt_backup_pack_read(p, b->offset + at, &s, &err) == 0) {
			g_assert(s.n > 0 && s.n <= MT_BACKUP_FRAME);
			/* Every byte of it is ours to read. */
			mt_digest_sha256(s.p, s.n, (uint8_t[MT_DIGEST_SIZE]){ 0 });
			at += s.n;
		}
		if (budget == 0 || budget > 1000)
			break;
	}
	return 0;
}
