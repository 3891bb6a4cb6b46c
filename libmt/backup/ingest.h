/* ingest.h - read one message file into a repository */
#ifndef MT_BACKUP_INGEST_H
#define MT_BACKUP_INGEST_H

#include "backup/repo.h"

struct mt_backup_ingest;

struct mt_backup_ingest *mt_backup_ingest_new(struct mt_backup_repo *r);
void mt_backup_ingest_free(struct mt_backup_ingest *in);

enum mt_backup_ingest_result {
	MT_BACKUP_INGEST_NEW,		/* stored */
	MT_BACKUP_INGEST_KNOWN,		/* the repository had the same content */
	MT_BACKUP_INGEST_GONE,		/* renamed or deleted since it was listed */
	MT_BACKUP_INGEST_UNREADABLE,	/* there, but cannot be read: err says why */
	MT_BACKUP_INGEST_BROKEN,	/* the repository cannot be written to: err */
};

/*
 * Read the file and store its content, in constant memory; fills the entry's id, size,
 * inode and time.
 */
enum mt_backup_ingest_result mt_backup_ingest(struct mt_backup_ingest *in,
    const char *path, struct mt_backup_entry *e, struct mt_err *err);

MT_AUTO_DEFINE(mt_backup_ingest, mt_backup_ingest_free);

#endif
