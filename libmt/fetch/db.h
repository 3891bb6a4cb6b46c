/* db.h - a state file of mt-fetch: SQLite, durable, of one version, one writer at a time */
#ifndef MT_FETCH_DB_H
#define MT_FETCH_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

struct mt_fetch_db {
	char *path;
	sqlite3 *db;
	int lock_fd;
	const char *without;	/* what is lost without the file, for messages */
};

/*
 * Open dir/file, or make it: versions[i] makes of version i (PRAGMA user_version) the next
 * one. WAL, synchronous = FULL. Takes dir/lock until the end: MT_ETEMP when another process
 * has it, at work on `what`. A database that is damaged or newer than we are is MT_EIO or
 * MT_ESOFTWARE, and says what it is: it is never started anew.
 */
struct mt_fetch_db_params {
	const char *dir, *file, *lock;
	const char *what;
	const char *without;
	const char *const *versions;
	size_t nversions;
};

int mt_fetch_db_open(struct mt_fetch_db *d, const struct mt_fetch_db_params *p,
    struct mt_err *err);
/* All statements are finalized before. */
void mt_fetch_db_close(struct mt_fetch_db *d);

/* The last error of the database: -1. */
int mt_fetch_db_fail(const struct mt_fetch_db *d, struct mt_err *err);
int mt_fetch_db_execute(struct mt_fetch_db *d, const char *text, struct mt_err *err);
sqlite3_stmt *mt_fetch_db_prepare(struct mt_fetch_db *d, const char *text,
    struct mt_err *err);
/* Run a statement that gives no rows, and reset it. A binding that failed shows as a NOT NULL
   error. */
int mt_fetch_db_run(struct mt_fetch_db *d, sqlite3_stmt *st, struct mt_err *err);
/* The next row: 1, 0 (and it is reset), -1. */
int mt_fetch_db_step(struct mt_fetch_db *d, sqlite3_stmt *st, struct mt_err *err);
/* Undo what was begun, if anything was. */
void mt_fetch_db_rollback(struct mt_fetch_db *d);

#endif
