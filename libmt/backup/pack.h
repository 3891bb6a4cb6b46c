/* pack.h - pack files of a backup: many blobs, compressed together, with a table */
#ifndef MT_BACKUP_PACK_H
#define MT_BACKUP_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/*
 * A pack is written once and never changed. Integers are little-endian.
 *
 *	header	"MTPACK", u8 version (1), u8 cipher (0: none)
 *	data	zstd frames of at most MT_BACKUP_FRAME bytes of content each, one behind
 *		the other. Together their contents are the raw stream, in which the blobs
 *		lie. A blob may span frames.
 *	table	for each blob:	u8 kind, u8 id[32], u64 offset and u64 size in the raw stream
 *		for each frame:	u64 offset in the raw stream, u64 offset in the file,
 *				u32 raw bytes, u32 bytes in the file
 *	footer	u32 blobs, u32 frames, u64 where the table starts,
 *		u8 SHA-256 of header, table and the footer so far, "MTPACKE1"
 *
 * The id of a blob is the SHA-256 of its bytes: whoever reads one checks it. So a table whose
 * checksum is wrong is still used (mt_backup_pack_is_suspect()): each entry stands for
 * itself, and a false one can only fail.
 */

#define MT_BACKUP_FRAME MT_MIB(1)
/* A pack is ended when so many bytes, or so many blobs, are in it. One large message
   makes a larger pack. */
#define MT_BACKUP_PACK_BYTES MT_MIB(4)
#define MT_BACKUP_PACK_BLOBS 16384
/* A table that says more is damaged: a message of 1 TiB has a million frames. */
#define MT_BACKUP_MAX_BLOBS 65536
#define MT_BACKUP_MAX_FRAMES (1 << 20)

enum mt_backup_kind {
	MT_BACKUP_MESSAGE = 1,
	MT_BACKUP_LIST = 2,	/* a piece of a folder's list: snapshot.h */
};

struct mt_backup_id {
	uint8_t b[MT_DIGEST_SIZE];
};

struct mt_backup_blob {
	struct mt_backup_id id;
	enum mt_backup_kind kind;
	uint64_t offset;	/* in the pack's raw stream */
	uint64_t size;
};

/* Writes a pack to a descriptor, which stays the caller's (who syncs it). */
struct mt_backup_pack_writer;

struct mt_backup_pack_writer *mt_backup_pack_writer_new(int fd);
void mt_backup_pack_writer_free(struct mt_backup_pack_writer *w);
/* Append bytes of a blob. */
int mt_backup_pack_write(struct mt_backup_pack_writer *w, const void *p, size_t n,
    struct mt_err *err);
/* What was written since the last blob is a blob; or is nothing. */
void mt_backup_pack_end_blob(struct mt_backup_pack_writer *w, enum mt_backup_kind kind,
    const struct mt_backup_id *id);
void mt_backup_pack_drop_blob(struct mt_backup_pack_writer *w);
/* End the frame, so that damage in it does not reach what follows. */
int mt_backup_pack_end_frame(struct mt_backup_pack_writer *w, struct mt_err *err);
/* Whether it is time to finish. */
bool mt_backup_pack_is_full(const struct mt_backup_pack_writer *w);
/* Write the table; *id is the SHA-256 of the whole file: its name. */
int mt_backup_pack_finish(struct mt_backup_pack_writer *w, struct mt_backup_id *id,
    struct mt_err *err);
/* Bytes in the file so far. */
uint64_t mt_backup_pack_written(const struct mt_backup_pack_writer *w);

/* Reads a pack. */
struct mt_backup_pack;

/*
 * Reads the table. fd is taken over, also when it fails. MT_EDATA says what is damaged
 * and at which byte.
 */
struct mt_backup_pack *mt_backup_pack_open(int fd, struct mt_err *err);
void mt_backup_pack_free(struct mt_backup_pack *p);
/* The checksum of the table is wrong. */
bool mt_backup_pack_is_suspect(const struct mt_backup_pack *p);
size_t mt_backup_pack_count(const struct mt_backup_pack *p);
const struct mt_backup_blob *mt_backup_pack_blob(const struct mt_backup_pack *p, size_t i);

/*
 * The bytes of the raw stream from offset on, at least one, to the end of a frame; borrowed
 * until the next call. MT_EDATA names the byte of the file at which it is damaged;
 * MT_EIO when it cannot be read.
 */
int mt_backup_pack_read(struct mt_backup_pack *p, uint64_t offset, struct mt_slice *bytes,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_backup_pack_writer, mt_backup_pack_writer_free);
MT_AUTO_DEFINE(mt_backup_pack, mt_backup_pack_free);

#endif
