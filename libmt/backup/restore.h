/* restore.h - bring messages of a snapshot back into Maildirs */
#ifndef MT_BACKUP_RESTORE_H
#define MT_BACKUP_RESTORE_H

#include <glib.h>
#include <stdint.h>

#include "backup/repo.h"
#include "base/progress.h"

struct mt_backup_restore {
	const struct mt_backup_snapshot *snapshot;
	/* A directory, made when it is not there; NULL: where the mail was. Of a snapshot with
	   several roots, each goes into a directory of its name below it. */
	const char *to;
	/* What to restore, as select.h says; none: everything. */
	const char *const *words;
	size_t nwords;
	const char *cwd;	/* of those that are paths */
	struct mt_progress *progress;	/* or NULL */
};

struct mt_backup_restored {
	uint64_t messages;	/* restored, durable */
	uint64_t bytes;
	uint64_t present;	/* were there already, with the same content */
	GPtrArray *renamed;	/* a line for each whose name another message had */
	GPtrArray *lost;	/* a line for each that is damaged in the repository */
	GPtrArray *unread;	/* a line for each that the disk does not give */
	struct mt_err failure;	/* of the first of these */
};

/*
 * r must be loaded. Messages come back byte for byte (SHA-256 verified on the way), with the name,
 * the flags and the time that they had. Nothing that is there is replaced: a file of
 * the same unique name and content counts as restored; one with other content stays, and
 * the message gets ",R=" and a part of its hash behind its unique name. So a restore
 * that was interrupted can be run again: then what was there is durable, too.
 *
 * What is damaged is in *lost, what may be sound and cannot be read is in *unread, and
 * everything else is restored. -1 when a Maildir cannot be written to; MT_ENOINPUT when
 * a word names nothing: then nothing is done.
 */
int mt_backup_restore(struct mt_backup_repo *r, const struct mt_backup_restore *params,
    struct mt_backup_restored *out, struct mt_err *err);
void mt_backup_restored_clear(struct mt_backup_restored *r);

MT_AUTO_VALUE_DEFINE(mt_backup_restored, mt_backup_restored_clear);

#endif
