/* create.h - take a snapshot of Maildirs */
#ifndef MT_BACKUP_CREATE_H
#define MT_BACKUP_CREATE_H

#include <glib.h>
#include <stdint.h>

#include "backup/repo.h"
#include "base/progress.h"

struct mt_backup_create {
	const char *const *roots;	/* absolute paths, without a "/" at the end */
	size_t nroots;
	struct mt_progress *progress;	/* or NULL */
};

struct mt_backup_created {
	struct mt_backup_snapshot *snapshot;
	char *ahead;		/* the last one, when the clock is behind it; else NULL */
	uint64_t messages;
	uint64_t bytes;
	uint64_t read;		/* messages whose content had to be read */
	uint64_t stored;	/* of those, how many were new to the repository */
	uint64_t added_bytes;	/* to the repository */
	GPtrArray *missing;	/* one line for each file that could not be read */
};

/*
 * Snapshot every Maildir at or below the roots. r must be locked and loaded.
 *
 * A message whose inode, unique name, size and time are as in the last snapshot of its
 * folder is not read again. Mail may come, go, change flags and move between folders
 * meanwhile: folders are listed again until none has changed since it was listed; if that never
 * happens (five rounds), what was seen in an earlier round stays in the snapshot, so a message
 * may be there that was just deleted, and none is missed that was there all the time.
 *
 * A file that cannot be read is no error: it is in *missing, and the snapshot counts it.
 * MT_ENOINPUT when there is no Maildir below a root.
 */
int mt_backup_create(struct mt_backup_repo *r, const struct mt_backup_create *params,
    struct mt_backup_created *out, struct mt_err *err);
void mt_backup_created_clear(struct mt_backup_created *c);

MT_AUTO_VALUE_DEFINE(mt_backup_created, mt_backup_created_clear);

#endif
