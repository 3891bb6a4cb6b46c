/* pack.c - pack files of a backup: many blobs, compressed together, with a table */
#include "backup/pack.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/file.h"

/* Level 3: higher ones cost more time than they save in bytes (2.6 to 2.8 times smaller
   at a third of the speed). */
#define ZSTD_LEVEL 3
#define HEADER_SIZE 8
#define BLOB_SIZE 49
#define FRAME_SIZE 24
#define FOOTER_SIZE 56
#define FOOTER_CHECKED 16	/* bytes of it that its checksum covers */

static const uint8_t header[HEADER_SIZE] = { 'M', 'T', 'P', 'A', 'C', 'K', 1, 0 };
static const char trailer[8] = { 'M', 'T', 'P', 'A', 'C', 'K', 'E', '1' };

struct frame {
	uint64_t raw_offset;
	uint64_t file_offset;
	uint32_t raw_size;
	uint32_t file_size;
};

static uint8_t *
put_u32(uint8_t *p, uint32_t v)
{
	v = GUINT32_TO_LE(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static uint8_t *
put_u64(uint8_t *p, uint64_t v)
{
	v = GUINT64_TO_LE(v);
	memcpy(p, &v, 8);
	return p + 8;
}

static uint32_t
get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return GUINT32_FROM_LE(v);
}

static uint64_t
get_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return GUINT64_FROM_LE(v);
}

struct mt_backup_pack_writer {
	int fd;
	ZSTD_CCtx *zstd;
	struct mt_digest *digest;	/* of the file */
	GArray *blobs;			/* struct mt_backup_blob */
	GArray *frames;			/* struct frame */
	uint8_t *raw;			/* the frame that is being filled */
	size_t raw_n;
	uint8_t *packed;
	size_t packed_max;
	uint64_t raw_end;		/* of the stream: all frames before this one */
	uint64_t blob_start;
	uint64_t file_end;
};

struct mt_backup_pack_writer *
mt_backup_pack_writer_new(int fd)
{
	struct mt_backup_pack_writer *w = g_new0(struct mt_backup_pack_writer, 1);

	w->fd = fd;
	w->zstd = ZSTD_createCCtx();
	g_assert(w->zstd != NULL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	w->digest = mt_digest_new();
	w->blobs = g_array_new(FALSE, FALSE, sizeof(struct mt_backup_blob));
	w->frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
	w->raw = g_malloc(MT_BACKUP_FRAME);
	w->packed_max = ZSTD_compressBound(MT_BACKUP_FRAME);
	w->packed = g_malloc(w->packed_max);
	return w;
}

void
mt_backup_pack_writer_free(struct mt_backup_pack_writer *w)
{
	if (w == NULL)
		return;
	ZSTD_freeCCtx(w->zstd);
	mt_digest_free(w->digest);
	g_array_unref(w->blobs);
	g_array_unref(w->frames);
	g_free(w->raw);
	g_free(w->packed);
	g_free(w);
}

static int
write_file(struct mt_backup_pack_writer *w, const void *p, size_t n, struct mt_err *err)
{
	if (mt_file_write_all(w->fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "write pack: %m");
	mt_digest_add(w->digest, p, n);
	w->file_end += n;
	return 0;
}

int
mt_backup_pack_end_frame(struct mt_backup_pack_writer *w, struct mt_err *err)
{
	struct frame f = { w->raw_end, 0, (uint32_t)w->raw_n, 0 };
	size_t n;

	if (w->raw_n == 0)
		return 0;
	if (w->file_end == 0 && write_file(w, header, sizeof(header), err) < 0)
		return -1;
	n = ZSTD_compress2(w->zstd, w->packed, w->packed_max, w->raw, w->raw_n);
	if (ZSTD_isError(n))
		return mt_fail(err, MT_ESOFTWARE, "zstd: %s", ZSTD_getErrorName(n));
	f.file_offset = w->file_end;
	f.file_size = (uint32_t)n;
	if (write_file(w, w->packed, n, err) < 0)
		return -1;
	g_array_append_val(w->frames, f);
	w->raw_end += w->raw_n;
	w->raw_n = 0;
	return 0;
}

int
mt_backup_pack_write(struct mt_backup_pack_writer *w, const void *p, size_t n,
    struct mt_err *err)
{
	const uint8_t *at = p;

	while (n > 0) {
		size_t take = MIN(n, MT_BACKUP_FRAME - w->raw_n);

		memcpy(w->raw + w->raw_n, at, take);
		w->raw_n += take;
		at += take;
		n -= take;
		if (w->raw_n == MT_BACKUP_FRAME && mt_backup_pack_end_frame(w, err) < 0)
			return -1;
	}
	return 0;
}

void
mt_backup_pack_end_blob(struct mt_backup_pack_writer *w, enum mt_backup_kind kind,
    const struct mt_backup_id *id)
{
	uint64_t end = w->raw_end + w->raw_n;
	struct mt_backup_blob b = { *id, kind, w->blob_start, end - w->blob_start };

	g_array_append_val(w->blobs, b);
	w->blob_start = end;
}

void
mt_backup_pack_drop_blob(struct mt_backup_pack_writer *w)
{
	w->blob_start = w->raw_end + w->raw_n;
}

bool
mt_backup_pack_is_full(const struct mt_backup_pack_writer *w)
{
	return w->raw_end + w->raw_n >= MT_BACKUP_PACK_BYTES ||
	    w->blobs->len >= MT_BACKUP_PACK_BLOBS;
}

uint64_t
mt_backup_pack_written(const struct mt_backup_pack_writer *w)
{
	return w->file_end;
}

static uint8_t *
put_table(const struct mt_backup_pack_writer *w, uint8_t *p)
{
	for (guint i = 0; i < w->blobs->len; i++) {
		const struct mt_backup_blob *b =
		    &g_array_index(w->blobs, struct mt_backup_blob, i);

		*p++ = (uint8_t)b->kind;
		memcpy(p, b->id.b, sizeof(b->id.b));
		p = put_u64(p + sizeof(b->id.b), b->offset);
		p = put_u64(p, b->size);
	}
	for (guint i = 0; i < w->frames->len; i++) {
		const struct frame *f = &g_array_index(w->frames, struct frame, i);

		p = put_u64(p, f->raw_offset);
		p = put_u64(p, f->file_offset);
		p = put_u32(p, f->raw_size);
		p = put_u32(p, f->file_size);
	}
	return p;
}

static void
checksum(const uint8_t head[HEADER_SIZE], const uint8_t *table, size_t n,
    uint8_t out[MT_DIGEST_SIZE])
{
	mt_auto(mt_digest) d = mt_digest_new();

	mt_digest_add(d, head, HEADER_SIZE);
	mt_digest_add(d, table, n);
	mt_digest_end(d, out);
}

int
mt_backup_pack_finish(struct mt_backup_pack_writer *w, struct mt_backup_id *id,
    struct mt_err *err)
{
	size_t n = (size_t)w->blobs->len * BLOB_SIZE +
	    ((size_t)w->frames->len + 1) * FRAME_SIZE + FOOTER_SIZE;
	g_autofree uint8_t *table = g_malloc(n);
	uint8_t *p;

	if (mt_backup_pack_end_frame(w, err) < 0)
		return -1;
	/* A pack with nothing but empty blobs has no frame, and so no header yet. */
	if (w->file_end == 0 && write_file(w, header, sizeof(header), err) < 0)
		return -1;
	p = put_table(w, table);
	p = put_u32(p, w->blobs->len);
	p = put_u32(p, w->frames->len);
	p = put_u64(p, w->file_end);
	checksum(header, table, (size_t)(p - table), p);
	p += MT_DIGEST_SIZE;
	memcpy(p, trailer, sizeof(trailer));
	p += sizeof(trailer);
	if (write_file(w, table, (size_t)(p - table), err) < 0)
		return -1;
	mt_digest_end(w->digest, id->b);
	return 0;
}

struct mt_backup_pack {
	int fd;
	bool suspect;
	uint64_t data_end;
	struct mt_backup_blob *blobs;
	size_t nblobs;
	struct frame *frames;
	size_t nframes;
	size_t current;		/* the frame in raw[]; nframes: none */
	size_t raw_n;
	char *raw;
	char *packed;
	ZSTD_DCtx *zstd;
};

static int
read_at(int fd, void *p, size_t n, uint64_t offset, struct mt_err *err)
{
	char *at = p;

	while (n > 0) {
		ssize_t r = pread(fd, at, n, (off_t)offset);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return mt_fail(err, MT_EIO, "byte %llu: read: %m",
			    (unsigned long long)offset);
		if (r == 0)
			return mt_fail(err, MT_EDATA, "ends at byte %llu",
			    (unsigned long long)offset);
		at += r;
		n -= (size_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

static void
get_table(struct mt_backup_pack *p, const uint8_t *t)
{
	p->blobs = g_new0(struct mt_backup_blob, p->nblobs);
	p->frames = g_new0(struct frame, p->nframes);
	for (size_t i = 0; i < p->nblobs; i++) {
		struct mt_backup_blob *b = &p->blobs[i];

		b->kind = (enum mt_backup_kind)*t++;
		memcpy(b->id.b, t, sizeof(b->id.b));
		t += sizeof(b->id.b);
		b->offset = get_u64(t);
		b->size = get_u64(t + 8);
		t += 16;
	}
	for (size_t i = 0; i < p->nframes; i++) {
		struct frame *f = &p->frames[i];

		f->raw_offset = get_u64(t);
		f->file_offset = get_u64(t + 8);
		f->raw_size = get_u32(t + 16);
		f->file_size = get_u32(t + 20);
		t += FRAME_SIZE;
	}
}

static int
check_header(const uint8_t head[HEADER_SIZE], struct mt_err *err)
{
	if (memcmp(head, header, 6) != 0)
		return mt_fail(err, MT_EDATA, "byte 0: not a pack");
	if (head[6] != header[6] || head[7] != header[7])
		return mt_fail(err, MT_EDATA,
		    "byte 6: pack version %u, cipher %u: damaged, or of a later version",
		    head[6], head[7]);
	return 0;
}

static int
load_table(struct mt_backup_pack *p, struct mt_err *err)
{
	uint8_t head[HEADER_SIZE], foot[FOOTER_SIZE], sum[MT_DIGEST_SIZE];
	g_autofree uint8_t *table = NULL;
	struct stat st;
	uint64_t size, foot_at, table_size;

	if (fstat(p->fd, &st) < 0)
		return mt_fail(err, MT_EIO, "stat: %m");
	size = (uint64_t)st.st_size;
	if (size < HEADER_SIZE + FOOTER_SIZE)
		return mt_fail(err, MT_EDATA, "ends at byte %llu",
		    (unsigned long long)size);
	foot_at = size - FOOTER_SIZE;
	if (read_at(p->fd, head, sizeof(head), 0, err) < 0 ||
	    read_at(p->fd, foot, sizeof(foot), foot_at, err) < 0 ||
	    check_header(head, err) < 0)
		return -1;
	p->nblobs = get_u32(foot);
	p->nframes = get_u32(foot + 4);
	p->data_end = get_u64(foot + 8);
	table_size = (uint64_t)p->nblobs * BLOB_SIZE + (uint64_t)p->nframes * FRAME_SIZE;
	if (p->nblobs > MT_BACKUP_MAX_BLOBS || p->nframes > MT_BACKUP_MAX_FRAMES ||
	    p->data_end < HEADER_SIZE || p->data_end > foot_at ||
	    foot_at - p->data_end != table_size)
		return mt_fail(err, MT_EDATA, "byte %llu: the footer is damaged",
		    (unsigned long long)foot_at);
	table = g_malloc(table_size + FOOTER_CHECKED);
	if (read_at(p->fd, table, table_size, p->data_end, err) < 0)
		return -1;
	memcpy(table + table_size, foot, FOOTER_CHECKED);
	checksum(head, table, table_size + FOOTER_CHECKED, sum);
	p->suspect = memcmp(sum, foot + FOOTER_CHECKED, sizeof(sum)) != 0 ||
	    memcmp(foot + FOOTER_CHECKED + sizeof(sum), trailer, sizeof(trailer)) != 0;
	get_table(p, table);
	p->current = p->nframes;
	return 0;
}

struct mt_backup_pack *
mt_backup_pack_open(int fd, struct mt_err *err)
{
	mt_auto(mt_backup_pack) p = g_new0(struct mt_backup_pack, 1);

	p->fd = fd;
	if (load_table(p, err) < 0)
		return NULL;
	return mt_steal(&p);
}

void
mt_backup_pack_free(struct mt_backup_pack *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	g_free(p->blobs);
	g_free(p->frames);
	g_free(p->raw);
	g_free(p->packed);
	ZSTD_freeDCtx(p->zstd);
	g_free(p);
}

bool
mt_backup_pack_is_suspect(const struct mt_backup_pack *p)
{
	return p->suspect;
}

size_t
mt_backup_pack_count(const struct mt_backup_pack *p)
{
	return p->nblobs;
}

const struct mt_backup_blob *
mt_backup_pack_blob(const struct mt_backup_pack *p, size_t i)
{
	return &p->blobs[i];
}

/* The frame that holds this byte of the raw stream; nframes when none does. Mostly
   the one that is loaded, or the next. */
static size_t
find_frame(const struct mt_backup_pack *p, uint64_t offset)
{
	size_t start = p->current < p->nframes ? p->current : 0;

	for (size_t k = 0; k < p->nframes; k++) {
		size_t i = (start + k) % p->nframes;
		const struct frame *f = &p->frames[i];

		if (offset >= f->raw_offset && offset - f->raw_offset < f->raw_size)
			return i;
	}
	return p->nframes;
}

static int
load_frame(struct mt_backup_pack *p, size_t i, struct mt_err *err)
{
	const struct frame *f = &p->frames[i];
	unsigned long long at = f->file_offset;
	size_t packed_max = ZSTD_compressBound(MT_BACKUP_FRAME), n;

	p->current = p->nframes;
	if (f->raw_size > MT_BACKUP_FRAME || f->file_size > packed_max ||
	    f->file_offset > p->data_end ||
	    f->file_size > p->data_end - f->file_offset)
		return mt_fail(err, MT_EDATA, "byte %llu: the table is damaged",
		    (unsigned long long)p->data_end);
	if (p->raw == NULL) {
		p->raw = g_malloc(MT_BACKUP_FRAME);
		p->packed = g_malloc(packed_max);
		p->zstd = ZSTD_createDCtx();
		g_assert(p->zstd != NULL);
	}
	if (read_at(p->fd, p->packed, f->file_size, at, err) < 0)
		return -1;
	n = ZSTD_decompressDCtx(p->zstd, p->raw, MT_BACKUP_FRAME, p->packed, f->file_size);
	if (ZSTD_isError(n))
		return mt_fail(err, MT_EDATA, "bytes %llu to %llu: damaged (%s)", at,
		    at + f->file_size - 1, ZSTD_getErrorName(n));
	if (n != f->raw_size)
		return mt_fail(err, MT_EDATA, "bytes %llu to %llu: hold %zu bytes, not %u",
		    at, at + f->file_size - 1, n, f->raw_size);
	p->raw_n = n;
	p->current = i;
	return 0;
}

int
mt_backup_pack_read(struct mt_backup_pack *p, uint64_t offset, struct mt_slice *bytes,
    struct mt_err *err)
{
	size_t i = find_frame(p, offset);

	if (i == p->nframes)
		return mt_fail(err, MT_EDATA, "byte %llu: the table is damaged",
		    (unsigned long long)p->data_end);
	if (i != p->current && load_frame(p, i, err) < 0)
		return -1;
	*bytes = mt_slice_from(mt_slice_mem(p->raw, p->raw_n),
	    offset - p->frames[i].raw_offset);
	return 0;
}
