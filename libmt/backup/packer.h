/* packer.h - puts blobs into packs, and packs into their place in a repository */
#ifndef MT_BACKUP_PACKER_H
#define MT_BACKUP_PACKER_H

#include <stdint.h>

#include "backup/pack.h"
#include "base/auto.h"
#include "base/err.h"

struct mt_backup_packer;

/* Packs are begun in REPO/tmp when there is something to write, and end in REPO/packs. */
struct mt_backup_packer *mt_backup_packer_new(const char *repo);
/* A pack that is not finished is dropped. */
void mt_backup_packer_free(struct mt_backup_packer *p);

/* Append bytes of a blob. */
int mt_backup_packer_write(struct mt_backup_packer *p, const void *bytes, size_t n,
    struct mt_err *err);
/* The blob is complete; a pack that is full is finished. Lists get a frame each. */
int mt_backup_packer_end_blob(struct mt_backup_packer *p, enum mt_backup_kind kind,
    const struct mt_backup_id *id, struct mt_err *err);
void mt_backup_packer_drop_blob(struct mt_backup_packer *p);
/*
 * Finish the pack that was begun: its data is durable and it has its name when this returns;
 * the name is durable when the caller has synced REPO/packs.
 */
int mt_backup_packer_finish(struct mt_backup_packer *p, struct mt_err *err);
/* Bytes of all finished packs. */
uint64_t mt_backup_packer_written(const struct mt_backup_packer *p);

/* Sync a file that was written at temp, close it, and move it to path. */
int mt_backup_packer_place(int fd, const char *temp, const char *path,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_backup_packer, mt_backup_packer_free);

#endif
