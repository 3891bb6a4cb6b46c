/* db.c - a state file of mt-fetch: SQLite, durable, of one version, one writer at a time */
#include "fetch/db.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/file.h>

#include "base/file.h"

/* Another mt-fetch may write for another maildrop. */
#define BUSY_MS 30000

int
mt_fetch_db_fail(const struct mt_fetch_db *d, struct mt_err *err)
{
	int code = d->db != NULL ? sqlite3_errcode(d->db) & 0xff : SQLITE_NOMEM;
	const char *why = d->db != NULL ? sqlite3_errmsg(d->db) : "no memory";

	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
		return mt_fail(err, MT_ETEMP, "%s: %s", d->path, why);
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return mt_fail(err, MT_EPERM, "%s: %s", d->path, why);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return mt_fail(err, MT_EIO, "%s: %s (without it, %s)", d->path, why, d->without);
	default:
		return mt_fail(err, MT_EIO, "%s: %s", d->path, why);
	}
}

static int
take_lock(struct mt_fetch_db *d, const struct mt_fetch_db_params *p, struct mt_err *err)
{
	g_autofree char *path = g_build_filename(p->dir, p->lock, NULL);

	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return mt_fail(err, MT_ETEMP, "another mt-fetch is at work on %s", p->what);
	return mt_fail(err, MT_EIO, "%s: lock: %m", path);
}

static int
version_of(struct mt_fetch_db *d, int64_t *out, struct mt_err *err)
{
	sqlite3_stmt *st = mt_fetch_db_prepare(d, "PRAGMA user_version", err);
	int rc = st == NULL ? -1 : mt_fetch_db_step(d, st, err);

	if (rc > 0)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc > 0 ? 0 : -1;
}

/* Two processes may both find an empty file, or an old one: the write lock decides who
   brings it up to date. */
static int
make_tables(struct mt_fetch_db *d, const struct mt_fetch_db_params *p, struct mt_err *err)
{
	int64_t version = 0;
	int rc;

	if (mt_fetch_db_execute(d, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	rc = version_of(d, &version, err);
	while (rc == 0 && version < (int64_t)p->nversions)
		rc = mt_fetch_db_execute(d, p->versions[version++], err);
	if (rc < 0 || mt_fetch_db_execute(d, "COMMIT", err) < 0) {
		mt_fetch_db_rollback(d);
		return -1;
	}
	return 0;
}

static int
open_file(struct mt_fetch_db *d, const struct mt_fetch_db_params *p, struct mt_err *err)
{
	int64_t version;

	if (sqlite3_open_v2(d->path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	    NULL) != SQLITE_OK)
		return mt_fetch_db_fail(d, err);
	sqlite3_busy_timeout(d->db, BUSY_MS);
	if (mt_fetch_db_execute(d, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON", err) < 0 || version_of(d, &version, err) < 0)
		return -1;
	if (version < 0 || version > (int64_t)p->nversions)
		return mt_fail(err, MT_ESOFTWARE, "%s: made by a newer version of mt", d->path);
	return version < (int64_t)p->nversions ? make_tables(d, p, err) : 0;
}

int
mt_fetch_db_open(struct mt_fetch_db *d, const struct mt_fetch_db_params *p,
    struct mt_err *err)
{
	*d = (struct mt_fetch_db){ .lock_fd = -1, .without = p->without };
	d->path = g_build_filename(p->dir, p->file, NULL);
	if (mt_file_mkdirs(p->dir, 0700, err) < 0 || take_lock(d, p, err) < 0)
		return -1;
	return open_file(d, p, err);
}

void
mt_fetch_db_close(struct mt_fetch_db *d)
{
	sqlite3_close(d->db);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	g_free(d->path);
	*d = (struct mt_fetch_db){ .lock_fd = -1 };
}

int
mt_fetch_db_execute(struct mt_fetch_db *d, const char *text, struct mt_err *err)
{
	if (sqlite3_exec(d->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return mt_fetch_db_fail(d, err);
	return 0;
}

sqlite3_stmt *
mt_fetch_db_prepare(struct mt_fetch_db *d, const char *text, struct mt_err *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v3(d->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
	    SQLITE_OK)
		mt_fetch_db_fail(d, err);
	return st;
}

int
mt_fetch_db_run(struct mt_fetch_db *d, sqlite3_stmt *st, struct mt_err *err)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		mt_fetch_db_fail(d, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
mt_fetch_db_step(struct mt_fetch_db *d, sqlite3_stmt *st, struct mt_err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		mt_fetch_db_fail(d, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void
mt_fetch_db_rollback(struct mt_fetch_db *d)
{
	if (sqlite3_get_autocommit(d->db) == 0)
		sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
}
