/* verify.h - read a whole repository and say what is damaged, and what cannot be read */
#ifndef MT_BACKUP_VERIFY_H
#define MT_BACKUP_VERIFY_H

#include <glib.h>
#include <stdint.h>

#include "backup/repo.h"
#include "base/progress.h"

struct mt_backup_verified {
	uint64_t packs;
	uint64_t snapshots;
	uint64_t messages;	/* contents that are whole, each once */
	uint64_t bytes;		/* of those */
	uint64_t lost;		/* messages of snapshots that are damaged or missing */
	/* One line each: "pack HEX: bytes 8 to 1234: damaged", "snapshot NAME: line 7: damaged",
	   "INBOX/cur/NAME (20261122T2... and 3 more): lost: pack HEX: ..." */
	GPtrArray *damage;
	/* The same for what may be sound but cannot be read: "REPO/packs/HEX: byte 8: read:
	   Input/output error", "INBOX/cur/NAME (20261122T2...): not read: ..." */
	GPtrArray *unread;
};

/*
 * Reads every byte, compares every hash, and looks up every message of every snapshot.
 * r must be loaded. Damage is no error, nor is what
 * cannot be read: 0 also when there is some.
 */
int mt_backup_verify(struct mt_backup_repo *r, struct mt_progress *progress,
    struct mt_backup_verified *out, struct mt_err *err);
void mt_backup_verified_clear(struct mt_backup_verified *v);

MT_AUTO_VALUE_DEFINE(mt_backup_verified, mt_backup_verified_clear);

#endif
