/* sync_state.c - what both sides of an account agreed upon last: durable, in SQLite */
#include "fetch/sync_state.h"

#include "fetch/db.h"
#include "fetch/sync_flags.h"

static const char *const versions[] = {
	"CREATE TABLE folder ("
	"  id INTEGER PRIMARY KEY,"
	"  name TEXT NOT NULL UNIQUE,"
	"  validity INTEGER NOT NULL DEFAULT 0,"
	"  uidnext INTEGER NOT NULL DEFAULT 0,"
	"  modseq INTEGER NOT NULL DEFAULT 0,"
	"  messages INTEGER NOT NULL DEFAULT 0,"
	"  cur_ns INTEGER NOT NULL DEFAULT 0,"
	"  new_ns INTEGER NOT NULL DEFAULT 0,"
	"  success INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE message ("
	"  folder INTEGER NOT NULL REFERENCES folder(id),"
	"  uid INTEGER NOT NULL,"
	"  state INTEGER NOT NULL,"	/* enum mt_sync_state_of_row */
	"  name TEXT NOT NULL,"
	"  flags INTEGER NOT NULL,"
	"  keywords TEXT,"
	"  size INTEGER NOT NULL,"
	"  msgid TEXT,"
	"  PRIMARY KEY (folder, uid)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;",
};

enum statement { MAKE, FOLDER, SAVE, RENAME, DROP, NAMES, COUNT, COUNT_ALL, ROWS, PUT, REMOVE,
	FORGET, BEGIN, COMMIT, NSTATEMENTS };

static const char *const sql[] = {
	[MAKE] = "INSERT OR IGNORE INTO folder (name) VALUES (?1)",
	[FOLDER] = "SELECT id, validity, uidnext, modseq, messages, cur_ns, new_ns, success"
	    " FROM folder WHERE name = ?1",
	[SAVE] = "UPDATE folder SET validity = ?2, uidnext = ?3, modseq = ?4, messages = ?5,"
	    " cur_ns = ?6, new_ns = ?7, success = ?8 WHERE id = ?1",
	[RENAME] = "UPDATE folder SET name = ?2 WHERE id = ?1",
	[DROP] = "DELETE FROM folder WHERE id = ?1",
	[NAMES] = "SELECT name FROM folder ORDER BY name",
	[COUNT] = "SELECT count(*) FROM message WHERE folder = ?1 AND state = 0",
	[COUNT_ALL] = "SELECT count(*) FROM message WHERE state = 0",
	[ROWS] = "SELECT uid, name, flags, keywords, size, msgid FROM message"
	    " WHERE folder = ?1 AND state = ?2 ORDER BY uid",
	[PUT] = "INSERT OR REPLACE INTO message"
	    " (folder, uid, state, name, flags, keywords, size, msgid)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[REMOVE] = "DELETE FROM message WHERE folder = ?1 AND uid = ?2",
	[FORGET] = "DELETE FROM message WHERE folder = ?1",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
};

struct mt_sync_state {
	struct mt_fetch_db db;
	sqlite3_stmt *st[NSTATEMENTS];
	GRecMutex lock;		/* of all that is above; held from begin to its end */
};

/* To the end of the function. */
#define LOCKED(s) g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&(s)->lock); \
	(void)locker

struct mt_sync_state *
mt_sync_state_open(const char *dir, const char *account, struct mt_err *err)
{
	mt_auto(mt_sync_state) s = g_new0(struct mt_sync_state, 1);
	g_autofree char *file = g_strdup_printf("sync-%s.sqlite", account);
	g_autofree char *lock = g_strdup_printf("sync-%s.lock", account);
	const struct mt_fetch_db_params params = { .dir = dir, .file = file, .lock = lock,
		.what = account, .versions = versions, .nversions = G_N_ELEMENTS(versions),
		.without = "both sides would be compared anew, message by message" };

	g_rec_mutex_init(&s->lock);
	if (mt_fetch_db_open(&s->db, &params, err) < 0)
		return NULL;
	for (size_t i = 0; i < NSTATEMENTS; i++) {
		s->st[i] = mt_fetch_db_prepare(&s->db, sql[i], err);
		if (s->st[i] == NULL)
			return NULL;
	}
	return mt_steal(&s);
}

void
mt_sync_state_free(struct mt_sync_state *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < NSTATEMENTS; i++)
		sqlite3_finalize(s->st[i]);
	mt_fetch_db_close(&s->db);
	g_rec_mutex_clear(&s->lock);
	g_free(s);
}

/* --- folders ---------------------------------------------------------------------- */

int
mt_sync_state_folder(struct mt_sync_state *s, const char *name, bool make,
    struct mt_sync_folder *out, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_stmt *st = s->st[FOLDER];
	int rc;

	*out = (struct mt_sync_folder){ 0 };
	sqlite3_bind_text(s->st[MAKE], 1, name, -1, SQLITE_STATIC);
	if (make && mt_fetch_db_run(&s->db, s->st[MAKE], err) < 0)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	rc = mt_fetch_db_step(&s->db, st, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		out->name = g_strdup(name);
		return 0;
	}
	*out = (struct mt_sync_folder){
		.id = sqlite3_column_int64(st, 0),
		.name = g_strdup(name),
		.validity = (uint32_t)sqlite3_column_int64(st, 1),
		.uidnext = (uint32_t)sqlite3_column_int64(st, 2),
		.modseq = (uint64_t)sqlite3_column_int64(st, 3),
		.messages = (uint32_t)sqlite3_column_int64(st, 4),
		.cur_ns = sqlite3_column_int64(st, 5),
		.new_ns = sqlite3_column_int64(st, 6),
		.success = sqlite3_column_int64(st, 7),
	};
	sqlite3_reset(st);
	return 0;
}

int
mt_sync_state_rename(struct mt_sync_state *s, int64_t folder, const char *name,
    struct mt_err *err)
{
	LOCKED(s);
	sqlite3_bind_int64(s->st[RENAME], 1, folder);
	sqlite3_bind_text(s->st[RENAME], 2, name, -1, SQLITE_STATIC);
	return mt_fetch_db_run(&s->db, s->st[RENAME], err);
}

int
mt_sync_state_drop(struct mt_sync_state *s, int64_t folder, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_bind_int64(s->st[DROP], 1, folder);
	if (mt_sync_state_begin(s, err) == 0) {
		if (mt_sync_state_forget(s, folder, err) == 0 &&
		    mt_fetch_db_run(&s->db, s->st[DROP], err) == 0 &&
		    mt_sync_state_commit(s, err) == 0)
			return 0;
		mt_sync_state_rollback(s);
	}
	return -1;
}

void
mt_sync_folder_clear(struct mt_sync_folder *f)
{
	g_free(f->name);
	*f = (struct mt_sync_folder){ 0 };
}

int
mt_sync_state_save(struct mt_sync_state *s, const struct mt_sync_folder *f,
    struct mt_err *err)
{
	LOCKED(s);
	sqlite3_stmt *st = s->st[SAVE];

	sqlite3_bind_int64(st, 1, f->id);
	sqlite3_bind_int64(st, 2, f->validity);
	sqlite3_bind_int64(st, 3, f->uidnext);
	sqlite3_bind_int64(st, 4, (int64_t)f->modseq);
	sqlite3_bind_int64(st, 5, f->messages);
	sqlite3_bind_int64(st, 6, f->cur_ns);
	sqlite3_bind_int64(st, 7, f->new_ns);
	sqlite3_bind_int64(st, 8, f->success);
	return mt_fetch_db_run(&s->db, st, err);
}

GPtrArray *
mt_sync_state_names(struct mt_sync_state *s, struct mt_err *err)
{
	LOCKED(s);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int rc;

	while ((rc = mt_fetch_db_step(&s->db, s->st[NAMES], err)) > 0)
		g_ptr_array_add(names,
		    g_strdup((const char *)sqlite3_column_text(s->st[NAMES], 0)));
	return rc < 0 ? NULL : g_steal_pointer(&names);
}

/* The number that a statement gives. */
static int64_t
number_of(struct mt_sync_state *s, sqlite3_stmt *st, struct mt_err *err)
{
	LOCKED(s);
	int rc = mt_fetch_db_step(&s->db, st, err);
	int64_t n = rc > 0 ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_reset(st);
	return rc < 0 ? -1 : n;
}

int64_t
mt_sync_state_count(struct mt_sync_state *s, int64_t folder, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_bind_int64(s->st[COUNT], 1, folder);
	return number_of(s, s->st[COUNT], err);
}

int64_t
mt_sync_state_count_all(struct mt_sync_state *s, struct mt_err *err)
{
	return number_of(s, s->st[COUNT_ALL], err);
}

/* --- rows ------------------------------------------------------------------------- */

static const char *
text_of(sqlite3_stmt *st, int column, GStringChunk *chunk)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text == NULL ? NULL : g_string_chunk_insert(chunk, text);
}

static int
read_rows(struct mt_sync_state *s, int64_t folder, enum mt_sync_state_of_row state,
    GArray *rows, GStringChunk *chunk, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_stmt *st = s->st[ROWS];
	int rc;

	sqlite3_bind_int64(st, 1, folder);
	sqlite3_bind_int64(st, 2, state);
	while ((rc = mt_fetch_db_step(&s->db, st, err)) > 0) {
		const char *keywords = (const char *)sqlite3_column_text(st, 3);
		struct mt_sync_row row = {
			.uid = (uint32_t)sqlite3_column_int64(st, 0),
			.name = text_of(st, 1, chunk),
			.flags = (unsigned)sqlite3_column_int64(st, 2),
			.keywords = keywords != NULL ? mt_sync_keywords(keywords) : NULL,
			.size = (uint64_t)sqlite3_column_int64(st, 4),
			.msgid = text_of(st, 5, chunk),
		};

		g_array_append_val(rows, row);
	}
	return rc;
}

int
mt_sync_state_rows(struct mt_sync_state *s, int64_t folder, GArray *rows,
    GStringChunk *chunk, struct mt_err *err)
{
	return read_rows(s, folder, MT_SYNC_AGREED, rows, chunk, err);
}

int
mt_sync_state_intended(struct mt_sync_state *s, int64_t folder, GArray *rows,
    GStringChunk *chunk, struct mt_err *err)
{
	return read_rows(s, folder, MT_SYNC_INTENDED, rows, chunk, err);
}

int
mt_sync_state_begin(struct mt_sync_state *s, struct mt_err *err)
{
	g_rec_mutex_lock(&s->lock);
	if (mt_fetch_db_run(&s->db, s->st[BEGIN], err) == 0)
		return 0;
	g_rec_mutex_unlock(&s->lock);
	return -1;
}

int
mt_sync_state_commit(struct mt_sync_state *s, struct mt_err *err)
{
	if (mt_fetch_db_run(&s->db, s->st[COMMIT], err) < 0)
		return -1;
	g_rec_mutex_unlock(&s->lock);
	return 0;
}

void
mt_sync_state_rollback(struct mt_sync_state *s)
{
	mt_fetch_db_rollback(&s->db);
	g_rec_mutex_unlock(&s->lock);
}

int
mt_sync_state_put(struct mt_sync_state *s, int64_t folder, const struct mt_sync_row *row,
    enum mt_sync_state_of_row state, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_stmt *st = s->st[PUT];

	sqlite3_bind_int64(st, 1, folder);
	sqlite3_bind_int64(st, 2, row->uid);
	sqlite3_bind_int64(st, 3, state);
	sqlite3_bind_text(st, 4, row->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, row->flags);
	sqlite3_bind_text(st, 6, row->keywords, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 7, (int64_t)MIN(row->size, INT64_MAX));
	sqlite3_bind_text(st, 8, row->msgid, -1, SQLITE_STATIC);
	return mt_fetch_db_run(&s->db, st, err);
}

int
mt_sync_state_remove(struct mt_sync_state *s, int64_t folder, uint32_t uid,
    struct mt_err *err)
{
	LOCKED(s);
	sqlite3_bind_int64(s->st[REMOVE], 1, folder);
	sqlite3_bind_int64(s->st[REMOVE], 2, uid);
	return mt_fetch_db_run(&s->db, s->st[REMOVE], err);
}

int
mt_sync_state_forget(struct mt_sync_state *s, int64_t folder, struct mt_err *err)
{
	LOCKED(s);
	sqlite3_bind_int64(s->st[FORGET], 1, folder);
	return mt_fetch_db_run(&s->db, s->st[FORGET], err);
}
