/* repo.h - a backup repository: a directory of packs and snapshots */
#ifndef MT_BACKUP_REPO_H
#define MT_BACKUP_REPO_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "backup/pack.h"
#include "backup/snapshot.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

/*
 *	REPO/config		text: "mt-backup repository", "version 1", "id HEX", "cipher none"
 *	REPO/lock		flock(2) of the one process that writes
 *	REPO/tmp/		files on their way
 *	REPO/packs/HEX		pack.h; HEX is the SHA-256 of the file
 *	REPO/snapshots/NAME	snapshot.h; YYYYMMDDTHHMMSSZ and 8 digits of the SHA-256 of the file
 *
 * The latest snapshot is the one that was made last, whatever the clock said. A clock
 * that is behind the last snapshot starts a new count of its own: YYYYMMDDTHHMMSSZ.1-...
 * comes behind all names without it, then .2, and so on.
 *
 * Files are written once and never changed. Everything that a snapshot refers to is
 * durable before the snapshot's own name is:
 *
 *	state			on disk				a crash here costs
 *	pack is written		a file in tmp/			the work; the next run sweeps tmp/
 *	pack is in place	a pack that no snapshot names	nothing: the next run finds its
 *								blobs and uses them
 *	packs/ is synced	the same, durable		the same
 *	snapshot in tmp/	a file in tmp/			the same
 *	snapshot in place	complete, perhaps not durable	this snapshot, at worst
 *	snapshots/ is synced	complete			nothing
 *
 * Version 1 has no encryption ("cipher none"); a later version that has it changes the
 * version or the cipher, and this code then refuses the repository.
 */
struct mt_backup_repo;

/* Make one. MT_EDATA when path holds anything, MT_EUSAGE when it is one already. */
int mt_backup_repo_init(const char *path, struct mt_err *err);

/* MT_ENOINPUT when there is none; MT_EDATA when its config is damaged (every line of it
   but the id must be there) or of a later version. */
struct mt_backup_repo *mt_backup_repo_open(const char *path, struct mt_err *err);
void mt_backup_repo_free(struct mt_backup_repo *r);

/*
 * Become the one writer (MT_ETEMP when there is another; the lock goes with the process)
 * and remove what a crashed one left in tmp/.
 */
int mt_backup_repo_lock(struct mt_backup_repo *r, struct mt_err *err);

/*
 * Read the names of the snapshots and the tables of all packs. A damaged pack is no
 * error: it is in mt_backup_repo_damage(), one line each.
 */
int mt_backup_repo_load(struct mt_backup_repo *r, struct mt_err *err);
const GPtrArray *mt_backup_repo_damage(const struct mt_backup_repo *r);
/* Why a pack could not be read that may be sound (a failing disk, no permission), the
   first of them; NULL when there is none. What seems to be in no pack may be there. */
const struct mt_err *mt_backup_repo_unread(const struct mt_backup_repo *r);
/* Names of snapshots in the order in which they were made; names of packs. */
const GPtrArray *mt_backup_repo_snapshots(const struct mt_backup_repo *r);
const GPtrArray *mt_backup_repo_packs(const struct mt_backup_repo *r);
/* MT_EIO when it cannot be read, whatever forbids it: it may be sound. */
struct mt_backup_pack *mt_backup_repo_open_pack(struct mt_backup_repo *r,
    const char *name, struct mt_err *err);
/* Say which pack: by its name when it is damaged, by its path when it cannot be read. -1. */
int mt_backup_repo_fail_in_pack(const struct mt_backup_repo *r, const char *name,
    struct mt_err *err);
/* The SHA-256 of a pack's file, which must be its name (else MT_EDATA). */
int mt_backup_repo_check_pack(struct mt_backup_repo *r, const char *name,
    struct mt_err *err);

/* Where a blob lies. */
struct mt_backup_where {
	struct mt_backup_id id;
	uint32_t pack;		/* index in mt_backup_repo_packs() */
	bool suspect;		/* found in a table whose checksum is wrong */
	uint64_t offset;
	uint64_t size;
};

/* NULL when no pack has it. */
const struct mt_backup_where *mt_backup_repo_find(const struct mt_backup_repo *r,
    const struct mt_backup_id *id);
/*
 * Bytes of a blob from offset `at` (below its size) on, at least one; borrowed until the
 * next call. Not verified: whoever reads it to the end compares the SHA-256.
 */
int mt_backup_repo_read(struct mt_backup_repo *r, const struct mt_backup_where *w,
    uint64_t at, struct mt_slice *bytes, struct mt_err *err);
/* Append a whole blob, verified. MT_EDATA when it is missing or damaged, another kind when
   it may be neither and cannot be read. */
int mt_backup_repo_read_blob(struct mt_backup_repo *r, const struct mt_backup_id *id,
    struct mt_buf *out, struct mt_err *err);
/* Append the entries of all lists of a folder. Damaged lists are passed over: then -1
   at the end with the first error, and *out holds the rest. */
int mt_backup_repo_read_folder(struct mt_backup_repo *r,
    const struct mt_backup_folder *f, GPtrArray *out, struct mt_err *err);

/* Whether a sound pack has (or will have) this blob. */
bool mt_backup_repo_has(const struct mt_backup_repo *r, const struct mt_backup_id *id);
/* Store a blob, unless it is there. */
int mt_backup_repo_put(struct mt_backup_repo *r, enum mt_backup_kind kind,
    struct mt_slice bytes, struct mt_backup_id *id, struct mt_err *err);
/* Store a message piece by piece; its id comes with the end. Or drop it. */
int mt_backup_repo_put_piece(struct mt_backup_repo *r, const void *p, size_t n,
    struct mt_err *err);
int mt_backup_repo_put_end(struct mt_backup_repo *r, const struct mt_backup_id *id,
    uint64_t size, struct mt_err *err);
void mt_backup_repo_put_drop(struct mt_backup_repo *r);
/* Make everything that was stored durable, then the snapshot, which gets its name. */
int mt_backup_repo_commit(struct mt_backup_repo *r, struct mt_backup_snapshot *s,
    struct mt_err *err);
/* Bytes that this process has added to the repository. */
uint64_t mt_backup_repo_added(const struct mt_backup_repo *r);

struct mt_backup_snapshot *mt_backup_repo_snapshot(struct mt_backup_repo *r,
    const char *name, struct mt_err *err);
/*
 * The name that "latest", NULL, a whole name or the beginning of one, or the 8 digits
 * at its end stand for; owned by r. MT_ENOINPUT when there is none, MT_EUSAGE when
 * there are several.
 */
const char *mt_backup_repo_resolve(struct mt_backup_repo *r, const char *word,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_backup_repo, mt_backup_repo_free);

#endif
