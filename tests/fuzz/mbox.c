/* mbox.c - any file as an mbox: messages lie in it, one behind the other */
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/file.h"
#include "message/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)p;
	(void)err;
	*(uint64_t *)arg += n;
	return 0;
}

static void
walk(int fd, enum mt_mbox_quoting quoting, size_t size)
{
	struct mt_err err = { 0 };
	mt_auto(mt_mbox) m = mt_mbox_open(fd, quoting, &err);
	struct mt_mbox_entry e;
	uint64_t end = 0;

	while (m != NULL && mt_mbox_next(m, &e, &err) > 0) {
		uint64_t n = 0;

		g_assert(e.from_line >= end && e.start > e.from_line &&
		    e.start + e.size <= size);
		end = e.start + e.size;
		g_assert(mt_mbox_copy(m, &e, count, &n, &err) == 0);
		g_assert(quoting == MT_MBOX_ASIS ? n == e.size : n <= e.size);
	}
	g_assert(err.kind == MT_ENONE || m == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_fd int fd = memfd_create("mbox", MFD_CLOEXEC);

	g_assert(fd >= 0 && mt_file_write_all(fd, data, size) == 0);
	walk(fd, MT_MBOX_RD, size);
	walk(fd, MT_MBOX_ASIS, size);
	return 0;
}
