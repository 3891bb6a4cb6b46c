/* backup_snapshot.c - snapshot files and the lists of folders, from a bad disk */
#include <glib.h>
#include <stdint.h>

#include "backup/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_list(struct mt_slice bytes)
{
	g_autoptr(GPtrArray) entries = mt_backup_entries_new();
	mt_auto_value(mt_buf) again = MT_BUF_INIT(bytes.n + 1);

	if (mt_backup_list_parse(bytes, entries, NULL) < 0 || entries->len == 0)
		return;
	for (guint i = 0; i < entries->len; i++)
		mt_backup_list_append(&again, g_ptr_array_index(entries, i));
	g_assert(mt_slice_eq(mt_buf_slice(&again), bytes));
}

/* What is read is written as it was, or means the same. */
static void
check_snapshot(struct mt_slice bytes)
{
	mt_auto(mt_backup_snapshot) s = NULL;
	mt_auto(mt_backup_snapshot) t = NULL;
	mt_auto_value(mt_buf) again = MT_BUF_INIT(bytes.n * 3 + 4096);
	uint8_t sum[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	g_autofree char *text = NULL;
	uint64_t messages, size;

	/* The fuzzer cannot know a SHA-256: sign what it wrote. */
	mt_digest_sha256(bytes.p, bytes.n, sum);
	mt_digest_hex(sum, hex);
	text = g_malloc(bytes.n + 70);
	memcpy(text, bytes.p, bytes.n);
	memcpy(text + bytes.n, "end ", 4);
	memcpy(text + bytes.n + 4, hex, 64);
	text[bytes.n + 68] = '\n';
	s = mt_backup_snapshot_parse(mt_slice_mem(text, bytes.n + 69), NULL);
	if (s == NULL)
		return;
	mt_backup_snapshot_sum(s, &messages, &size);
	g_assert(mt_backup_snapshot_write(s, &again, NULL) == 0);
	t = mt_backup_snapshot_parse(mt_buf_slice(&again), NULL);
	g_assert(t != NULL && t->roots->len == s->roots->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice bytes = mt_slice_mem(data, size);

	check_list(bytes);
	mt_backup_snapshot_free(mt_backup_snapshot_parse(bytes, NULL));
	check_snapshot(bytes);
	return 0;
}
