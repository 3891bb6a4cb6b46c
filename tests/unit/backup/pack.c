/* pack.c - tests of libmt/backup/pack.c */
#include "tap.h"

#include <sys/mman.h>
#include <unistd.h>

#include "backup/pack.h"

#define BLOBS 200

static char *content[BLOBS];
static size_t size[BLOBS];

/* Blobs of all sizes: empty, small, one of several frames. */
static void
make_contents(void)
{
	GRand *rand = g_rand_new_with_seed(11);

	for (size_t i = 0; i < BLOBS; i++) {
		size[i] = i == 3 ? 0 : i == 5 ? MT_BACKUP_FRAME * 2 + 77 :
		    (size_t)g_rand_int_range(rand, 1, 9000);
		content[i] = g_malloc(size[i] + 1);
		for (size_t k = 0; k < size[i]; k++)
			content[i][k] = (char)g_rand_int_range(rand, 'a', 'a' + (gint)(i % 20) + 1);
	}
	g_rand_free(rand);
}

static void
id_of(size_t i, struct mt_backup_id *id)
{
	mt_digest_sha256(content[i], size[i], id->b);
}

/* Write a pack of the first n blobs; its descriptor. */
static int
write_pack(size_t n, struct mt_backup_id *name)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);
	mt_auto(mt_backup_pack_writer) w = mt_backup_pack_writer_new(fd);
	struct mt_err err = { 0 };
	struct mt_backup_id id;

	for (size_t i = 0; i < n; i++) {
		mt_backup_pack_write(w, content[i], size[i], &err);
		id_of(i, &id);
		mt_backup_pack_end_blob(w, MT_BACKUP_MESSAGE, &id);
		if (i == 7) {
			mt_backup_pack_write(w, "dropped", 7, &err);
			mt_backup_pack_drop_blob(w);
		}
	}
	if (mt_backup_pack_finish(w, name, &err) < 0)
		return -1;
	return fd;
}

/* 1 when the blob comes out with its hash, 0 when it is said to be damaged; wrong content
   without a word is what must never be, but the hash tells. */
static int
read_back(struct mt_backup_pack *p, const struct mt_backup_blob *b)
{
	mt_auto(mt_digest) d = mt_digest_new();
	struct mt_err err = { 0 };
	struct mt_backup_id got;

	for (uint64_t at = 0; at < b->size;) {
		struct mt_slice s;

		if (mt_backup_pack_read(p, b->offset + at, &s, &err) < 0)
			return 0;
		if (s.n == 0)
			return -1;
		s = mt_slice_first(s, b->size - at);
		mt_digest_add(d, s.p, s.n);
		at += s.n;
	}
	mt_digest_end(d, got.b);
	return memcmp(&got, &b->id, sizeof(got)) == 0;
}

static void
check_round_trip(void)
{
	struct mt_backup_id name, again;
	struct mt_err err = { 0 };
	int fd = write_pack(BLOBS, &name), fd2 = write_pack(BLOBS, &again);
	mt_auto(mt_backup_pack) p = mt_backup_pack_open(fd, &err);
	size_t good = 0;

	close(fd2);
	ok(p != NULL && !mt_backup_pack_is_suspect(p), "a pack opens: %s", err.msg);
	is_int(mt_backup_pack_count(p), BLOBS, "with all its blobs, and not the dropped one");
	for (size_t i = 0; i < BLOBS; i++) {
		const struct mt_backup_blob *b = mt_backup_pack_blob(p, i);
		struct mt_backup_id id;

		id_of(i, &id);
		good += memcmp(&id, &b->id, sizeof(id)) == 0 && b->size == size[i] &&
		    read_back(p, b) == 1;
	}
	is_int(good, BLOBS, "each comes out as it went in");
	ok(memcmp(&name, &again, sizeof(name)) == 0, "the same blobs make the same pack");
	ok(mt_backup_pack_read(p, UINT64_MAX, &(struct mt_slice){ 0 }, &err) < 0 &&
	    err.kind == MT_EDATA, "behind the end there is nothing");
}

static void
check_empty(void)
{
	struct mt_backup_id name;
	struct mt_err err = { 0 };
	mt_auto(mt_backup_pack) none = mt_backup_pack_open(write_pack(0, &name), &err);

	ok(none != NULL && mt_backup_pack_count(none) == 0, "a pack without a blob");
}

static int
copy_of(int fd, size_t n)
{
	g_autofree char *bytes = g_malloc(n);
	int copy = memfd_create("copy", MFD_CLOEXEC);

	if (pread(fd, bytes, n, 0) != (ssize_t)n || write(copy, bytes, n) != (ssize_t)n)
		abort();
	return copy;
}

static void
check_cut(void)
{
	struct mt_backup_id name;
	int fd = write_pack(3, &name);
	off_t n = lseek(fd, 0, SEEK_END);
	size_t opened = 0, said = 0;

	for (off_t i = 0; i < n; i++) {
		struct mt_err err = { 0 };
		struct mt_backup_pack *p =
		    mt_backup_pack_open(copy_of(fd, (size_t)i), &err);

		opened += p != NULL;
		said += p == NULL && err.kind == MT_EDATA && err.msg[0] != '\0';
		mt_backup_pack_free(p);
	}
	is_int(opened, 0, "a pack that is cut, wherever, does not open");
	is_int(said, n, "and it is said why");
	close(fd);
}

/* Each byte of a small pack, changed: whatever comes out whole has the right hash, and
   every blob but those that the byte belongs to comes out. */
static void
check_flips(void)
{
	struct mt_backup_id name;
	int fd = write_pack(3, &name);
	off_t n = lseek(fd, 0, SEEK_END);
	size_t silent = 0, table_losses = 0;

	for (off_t i = 0; i < n; i++) {
		int copy = copy_of(fd, (size_t)n);
		struct mt_err err = { 0 };
		struct mt_backup_pack *p;
		size_t good = 0;
		char c;

		if (pread(copy, &c, 1, i) != 1)
			abort();
		c = (char)(c ^ 0x21);
		if (pwrite(copy, &c, 1, i) != 1)
			abort();
		p = mt_backup_pack_open(copy, &err);
		for (size_t k = 0; p != NULL && k < mt_backup_pack_count(p); k++)
			good += read_back(p, mt_backup_pack_blob(p, k)) == 1;
		/* Not seen at all: it opened, is not suspect, and all is whole. */
		silent += p != NULL && !mt_backup_pack_is_suspect(p) && good == 3;
		/* The table of three blobs, behind the data, before its one frame's entry. */
		if (i >= n - 56 - 24 - 3 * 49 && i < n - 56 - 24)
			table_losses += good < 2;
		mt_backup_pack_free(p);
	}
	ok(silent <= 1, "a changed byte is seen, wherever it is (%zu are not)", silent);
	is_int(table_losses, 0, "in a blob's place in the table it costs that blob alone");
	close(fd);
}

int
main(void)
{
	make_contents();
	check_round_trip();
	check_empty();
	check_cut();
	check_flips();
	for (size_t i = 0; i < BLOBS; i++)
		g_free(content[i]);
	return tap_done();
}
