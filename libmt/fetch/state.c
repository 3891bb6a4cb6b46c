/* state.c - which messages of a server are ours already: durable, in SQLite */
#include "fetch/state.h"

#include <glib.h>
#include <time.h>

#include "fetch/db.h"

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
	struct mt_fetch_db db;
	sqlite3_stmt *st[NSTATEMENTS];
	int64_t maildrop;
};

/* Opening. One process at a time for one maildrop; others go on beside it. */

/* The maildrop's number, made when it is seen for the first time. */
static int
find_maildrop(struct mt_fetch_state *s, const char *key, struct mt_err *err)
{
	static const char *const steps[] = {
		"INSERT OR IGNORE INTO maildrop (key) VALUES (?1)",
		"SELECT id FROM maildrop WHERE key = ?1",
	};
	int rc = -1;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		sqlite3_stmt *st = mt_fetch_db_prepare(&s->db, steps[i], err);

		if (st == NULL)
			return -1;
		sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
		rc = mt_fetch_db_step(&s->db, st, err);
		if (rc > 0)
			s->maildrop = sqlite3_column_int64(st, 0);
		sqlite3_finalize(st);
		if (rc < 0)
			return -1;
	}
	if (rc == 0)
		return mt_fail(err, MT_ESOFTWARE, "%s: no number for %s", s->db.path, key);
	return 0;
}

struct mt_fetch_state *
mt_fetch_state_open(const char *dir, const char *key, struct mt_err *err)
{
	mt_auto(mt_fetch_state) s = g_new0(struct mt_fetch_state, 1);
	uint8_t digest[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	g_autofree char *lock = NULL;
	struct mt_fetch_db_params params = { .dir = dir, .file = "fetch.sqlite", .what = key,
		.without = "all mail that is still on the server would be fetched again",
		.versions = versions, .nversions = G_N_ELEMENTS(versions) };

	mt_digest_sha256(key, strlen(key), digest);
	mt_digest_hex(digest, hex);
	params.lock = lock = g_strdup_printf("fetch-%.16s.lock", hex);
	if (mt_fetch_db_open(&s->db, &params, err) < 0 || find_maildrop(s, key, err) < 0)
		return NULL;
	for (size_t i = 0; i < NSTATEMENTS; i++) {
		s->st[i] = mt_fetch_db_prepare(&s->db, sql[i], err);
		if (s->st[i] == NULL)
			return NULL;
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
	mt_fetch_db_close(&s->db);
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

int
mt_fetch_state_get(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    struct mt_fetch_known *out, struct mt_err *err)
{
	sqlite3_stmt *st = bind_id(s, GET, id);
	int rc = mt_fetch_db_step(&s->db, st, err);

	*out = (struct mt_fetch_known){ MT_FETCH_UNSEEN };
	if (rc > 0) {
		out->row = (enum mt_fetch_row)sqlite3_column_int(st, 0);
		out->is_shared = sqlite3_column_int(st, 1) != 0;
		out->has_ident = sqlite3_column_bytes(st, 2) == MT_DIGEST_SIZE;
		if (out->has_ident)
			memcpy(out->ident, sqlite3_column_blob(st, 2), MT_DIGEST_SIZE);
		out->size = (uint64_t)sqlite3_column_int64(st, 3);
		out->time = sqlite3_column_int64(st, 4);
		sqlite3_reset(st);
	}
	return rc < 0 ? -1 : 0;
}

int
mt_fetch_state_has(struct mt_fetch_state *s, const char *uid,
    const uint8_t ident[MT_DIGEST_SIZE], struct mt_err *err)
{
	sqlite3_stmt *st = s->st[HAS];
	int rc;

	sqlite3_bind_text(st, 2, uid, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 3, ident, MT_DIGEST_SIZE, SQLITE_STATIC);
	rc = mt_fetch_db_step(&s->db, st, err);
	sqlite3_reset(st);
	return rc;
}

int
mt_fetch_state_begin(struct mt_fetch_state *s, struct mt_err *err)
{
	return mt_fetch_db_run(&s->db, s->st[BEGIN], err);
}

int
mt_fetch_state_commit(struct mt_fetch_state *s, struct mt_err *err)
{
	return mt_fetch_db_run(&s->db, s->st[COMMIT], err);
}

void
mt_fetch_state_rollback(struct mt_fetch_state *s)
{
	mt_fetch_db_rollback(&s->db);
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
	return mt_fetch_db_run(&s->db, st, err);
}

int
mt_fetch_state_set(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    enum mt_fetch_row row, struct mt_err *err)
{
	sqlite3_stmt *st;

	if (row == MT_FETCH_UNSEEN)
		return mt_fetch_db_run(&s->db, bind_id(s, REMOVE, id), err);
	st = bind_id(s, SET, id);
	sqlite3_bind_int(st, 4, row);
	if (row == MT_FETCH_GONE)
		sqlite3_bind_int64(st, 5, time(NULL));
	else
		sqlite3_bind_null(st, 5);
	return mt_fetch_db_run(&s->db, st, err);
}

int
mt_fetch_state_share(struct mt_fetch_state *s, const char *uid, struct mt_err *err)
{
	sqlite3_bind_text(s->st[SHARE], 2, uid, -1, SQLITE_STATIC);
	return mt_fetch_db_run(&s->db, s->st[SHARE], err);
}

int
mt_fetch_state_prune(struct mt_fetch_state *s, struct mt_err *err)
{
	sqlite3_bind_int64(s->st[PRUNE], 2, time(NULL) - MT_FETCH_GONE_S);
	return mt_fetch_db_run(&s->db, s->st[PRUNE], err);
}

int
mt_fetch_state_next(struct mt_fetch_state *s, struct mt_fetch_row_info *out,
    struct mt_err *err)
{
	sqlite3_stmt *st = s->st[NEXT];
	int rc = mt_fetch_db_step(&s->db, st, err);

	if (rc > 0) {
		out->id.uid = (const char *)sqlite3_column_text(st, 0);
		out->id.nth = (uint32_t)sqlite3_column_int64(st, 1);
		out->row = (enum mt_fetch_row)sqlite3_column_int(st, 2);
		out->maildir = (const char *)sqlite3_column_text(st, 3);
		out->name = (const char *)sqlite3_column_text(st, 4);
	}
	return rc;
}
