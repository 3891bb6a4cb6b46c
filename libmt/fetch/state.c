/* state.c - which messages of a server are ours already: durable, in SQLite */
#include "fetch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <time.h>

#include "base/file.h"

/* Another mt-fetch may write for another maildrop. */
#define BUSY_MS 30000

/* Each makes of one version of the database (PRAGMA user_version) the next. */
static const char *const versions[] = {
	"CREATE TABLE maildrop ("
	"  id INTEGER PRIMARY KEY,"
	"  key TEXT NOT NULL UNIQUE);"
	"CREATE TABLE message ("
	"  maildrop INTEGER NOT NULL REFERENCES maildrop(id),"
	"  uid TEXT NOT NULL,"
	"  nth INTEGER NOT NULL,"
	"  row INTEGER NOT NULL,"	/* enum mt_fetch_row */
	"  maildir TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  size INTEGER NOT NULL,"	/* by the server's count */
	"  time INTEGER NOT NULL,"	/* when it was fetched */
	"  PRIMARY KEY (maildrop, uid, nth)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;",

	"ALTER TABLE message ADD COLUMN ident BLOB;"	/* ident.h */
	"ALTER TABLE message ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN gone INTEGER;"	/* since when, or NULL */
	"PRAGMA user_version = 2;",
};

enum statement { GET, HAS, PUT, SET, SHARE, REMOVE, PRUNE, NEXT, BEGIN, COMMIT, NSTATEMENTS };

static const char *const sql[] = {
	[GET] = "SELECT row, shared, ident, size, time FROM message"
	    " WHERE maildrop = ?1 AND uid = ?2 AND nth = ?3",
	[HAS] = "SELECT 1 FROM message WHERE maildrop = ?1 AND uid = ?2 AND ident = ?3",
	[PUT] = "INSERT OR REPLACE INTO message"
	    " (maildrop, uid, nth, row, shared, ident, size, time, maildir, name)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SET] = "UPDATE message SET row = ?4, gone = ?5"
	    " WHERE maildrop = ?1 AND uid = ?2 AND nth = ?3",
	[SHARE] = "UPDATE message SET shared = 1 WHERE maildrop = ?1 AND uid = ?2",
	[REMOVE] = "DELETE FROM message WHERE maildrop = ?1 AND uid = ?2 AND nth = ?3",
	[PRUNE] = "DELETE FROM message WHERE maildrop = ?1 AND gone < ?2",
	[NEXT] = "SELECT uid, nth, row, maildir, name FROM message"
	    " WHERE maildrop = ?1 AND gone IS NULL",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
};

struct mt_fetch_state {
	char *path;
	int lock_fd;
	sqlite3 *db;
	sqlite3_stmt *st[NSTATEMENTS];
	int64_t maildrop;
};

static int
fail_db(struct mt_fetch_state *s, struct mt_err *err)
{
	int code = s->db != NULL ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;
	const char *why = s->db != NULL ? sqlite3_errmsg(s->db) : "no memory";

	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
		return mt_fail(err, MT_ETEMP, "%s: %s", s->path, why);
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return mt_fail(err, MT_EPERM, "%s: %s", s->path, why);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return mt_fail(err, MT_EIO, "%s: %s (without it, all mail that is still on the "
		    "server would be fetched again)", s->path, why);
	default:
		return mt_fail(err, MT_EIO, "%s: %s", s->path, why);
	}
}

/* Opening. */

/* One process at a time for one maildrop; others go on beside it. */
static int
take_lock(struct mt_fetch_state *s, const char *dir, const char *key, struct mt_err *err)
{
	uint8_t digest[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	g_autofree char *path = NULL;

	mt_digest_sha256(key, strlen(key), digest);
	mt_digest_hex(digest, hex);
	path = g_strdup_printf("%s/fetch-%.16s.lock", dir, hex);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return mt_fail(err, MT_ETEMP, "another mt-fetch is at work on %s", key);
	return mt_fail(err, MT_EIO, "%s: lock: %m", path);
}

static int
number_of(struct mt_fetch_state *s, const char *query, int64_t *out, struct mt_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, query, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		fail_db(s, err);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : -1;
}

static int
execute(struct mt_fetch_state *s, const char *text, struct mt_err *err)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return fail_db(s, err);
	return 0;
}

/* Two processes may both find an empty file, or an old one: the write lock decides who
   brings it up to date. */
static int
make_tables(struct mt_fetch_state *s, struct mt_err *err)
{
	int64_t version = 0;
	int rc;

	if (execute(s, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	rc = number_of(s, "PRAGMA user_version", &version, err);
	while (rc == 0 && version < (int64_t)G_N_ELEMENTS(versions))
		rc = execute(s, versions[version++], err);
	if (rc < 0 || execute(s, "COMMIT", err) < 0) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}

static int
open_db(struct mt_fetch_state *s, struct mt_err *err)
{
	int64_t version;

	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	    NULL) != SQLITE_OK)
		return fail_db(s, err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (execute(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON", err) < 0 ||
	    number_of(s, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (version < 0 || version > (int64_t)G_N_ELEMENTS(versions))
		return mt_fail(err, MT_ESOFTWARE, "%s: made by a newer version of mt",
		    s->path);
	return version < (int64_t)G_N_ELEMENTS(versions) ? make_tables(s, err) : 0;
}

/* The maildrop's number, made when it is seen for the first time. */
static int
find_maildrop(struct mt_fetch_state *s, const char *key, struct mt_err *err)
{
	static const char *const steps[] = {
		"INSERT OR IGNORE INTO maildrop (key) VALUES (?1)",
		"SELECT id FROM maildrop WHERE key = ?1",
	};
	int rc = SQLITE_ERROR;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		sqlite3_stmt *st = NULL;

		rc = sqlite3_prepare_v2(s->db, steps[i], -1, &st, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
		if (rc == SQLITE_OK)
			rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			s->maildrop = sqlite3_column_int64(st, 0);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			fail_db(s, err);
		sqlite3_finalize(st);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return -1;
	}
	if (rc != SQLITE_ROW)
		return mt_fail(err, MT_ESOFTWARE, "%s: no number for %s", s->path, key);
	return 0;
}

struct mt_fetch_state *
mt_fetch_state_open(const char *dir, const char *key, struct mt_err *err)
{
	mt_auto(mt_fetch_state) s = g_new0(struct mt_fetch_state, 1);

	s->lock_fd = -1;
	s->path = g_build_filename(dir, "fetch.sqlite", NULL);
	if (mt_file_mkdirs(dir, 0700, err) < 0 || take_lock(s, dir, key, err) < 0 ||
	    open_db(s, err) < 0 || find_maildrop(s, key, err) < 0)
		return NULL;
	for (size_t i = 0; i < NSTATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &s->st[i], NULL) != SQLITE_OK) {
			fail_db(s, err);
			return NULL;
		}
		/* ?1 is the maildrop wherever there is one, and stays bound. */
		if (sqlite3_bind_parameter_count(s->st[i]) > 0)
			sqlite3_bind_int64(s->st[i], 1, s->maildrop);
	}
	return mt_steal(&s);
}

void
mt_fetch_state_free(struct mt_fetch_state *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < NSTATEMENTS; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	g_free(s->path);
	g_free(s);
}

/* Statements. */

static sqlite3_stmt *
bind_id(struct mt_fetch_state *s, enum statement which, const struct mt_fetch_id *id)
{
	sqlite3_stmt *st = s->st[which];

	sqlite3_bind_text(st, 2, id->uid, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, id->nth);
	return st;
}

/* Run a statement that gives no rows. A binding that failed shows as a NOT NULL error. */
static int
run(struct mt_fetch_state *s, sqlite3_stmt *st, struct mt_err *err)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		fail_db(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
mt_fetch_state_get(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    struct mt_fetch_known *out, struct mt_err *err)
{
	sqlite3_stmt *st = bind_id(s, GET, id);
	int rc = sqlite3_step(st);

	*out = (struct mt_fetch_known){ MT_FETCH_UNSEEN };
	if (rc == SQLITE_ROW) {
		out->row = (enum mt_fetch_row)sqlite3_column_int(st, 0);
		out->is_shared = sqlite3_column_int(st, 1) != 0;
		out->has_ident = sqlite3_column_bytes(st, 2) == MT_DIGEST_SIZE;
		if (out->has_ident)
			memcpy(out->ident, sqlite3_column_blob(st, 2), MT_DIGEST_SIZE);
		out->size = (uint64_t)sqlite3_column_int64(st, 3);
		out->time = sqlite3_column_int64(st, 4);
	} else if (rc != SQLITE_DONE) {
		fail_db(s, err);
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int
mt_fetch_state_has(struct mt_fetch_state *s, const char *uid,
    const uint8_t ident[MT_DIGEST_SIZE], struct mt_err *err)
{
	sqlite3_stmt *st = s->st[HAS];
	int rc;

	sqlite3_bind_text(st, 2, uid, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 3, ident, MT_DIGEST_SIZE, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail_db(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

int
mt_fetch_state_begin(struct mt_fetch_state *s, struct mt_err *err)
{
	return run(s, s->st[BEGIN], err);
}

int
mt_fetch_state_commit(struct mt_fetch_state *s, struct mt_err *err)
{
	return run(s, s->st[COMMIT], err);
}

void
mt_fetch_state_rollback(struct mt_fetch_state *s)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int
mt_fetch_state_put(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    const struct mt_fetch_known *known, const char *maildir, const char *name,
    struct mt_err *err)
{
	sqlite3_stmt *st = bind_id(s, PUT, id);

	sqlite3_bind_int(st, 4, known->row);
	sqlite3_bind_int(st, 5, known->is_shared);
	if (known->has_ident)
		sqlite3_bind_blob(st, 6, known->ident, MT_DIGEST_SIZE, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, 6);
	sqlite3_bind_int64(st, 7, (int64_t)MIN(known->size, INT64_MAX));
	sqlite3_bind_int64(st, 8, known->time);
	sqlite3_bind_text(st, 9, maildir, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 10, name, -1, SQLITE_STATIC);
	return run(s, st, err);
}

int
mt_fetch_state_set(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    enum mt_fetch_row row, struct mt_err *err)
{
	sqlite3_stmt *st;

	if (row == MT_FETCH_UNSEEN)
		return run(s, bind_id(s, REMOVE, id), err);
	st = bind_id(s, SET, id);
	sqlite3_bind_int(st, 4, row);
	if (row == MT_FETCH_GONE)
		sqlite3_bind_int64(st, 5, time(NULL));
	else
		sqlite3_bind_null(st, 5);
	return run(s, st, err);
}

int
mt_fetch_state_share(struct mt_fetch_state *s, const char *uid, struct mt_err *err)
{
	sqlite3_bind_text(s->st[SHARE], 2, uid, -1, SQLITE_STATIC);
	return run(s, s->st[SHARE], err);
}

int
mt_fetch_state_prune(struct mt_fetch_state *s, struct mt_err *err)
{
	sqlite3_bind_int64(s->st[PRUNE], 2, time(NULL) - MT_FETCH_GONE_S);
	return run(s, s->st[PRUNE], err);
}

int
mt_fetch_state_next(struct mt_fetch_state *s, struct mt_fetch_row_info *out,
    struct mt_err *err)
{
	sqlite3_stmt *st = s->st[NEXT];
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		out->id.uid = (const char *)sqlite3_column_text(st, 0);
		out->id.nth = (uint32_t)sqlite3_column_int64(st, 1);
		out->row = (enum mt_fetch_row)sqlite3_column_int(st, 2);
		out->maildir = (const char *)sqlite3_column_text(st, 3);
		out->name = (const char *)sqlite3_column_text(st, 4);
		return 1;
	}
	if (rc != SQLITE_DONE)
		fail_db(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}
