/* state.c - what mt-fetch remembers: rows, transactions, the lock */
#include "fetch/state.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static char *dir;
static const struct mt_fetch_known intended = { .row = MT_FETCH_INTENDED, .has_ident = true,
	.ident = { 1, 2, 3 }, .size = 120, .time = 1600000000 };

static struct mt_fetch_state *
open_state(const char *key)
{
	struct mt_err err = { 0 };
	struct mt_fetch_state *s = mt_fetch_state_open(dir, key, &err);

	if (s == NULL)
		printf("# %s\n", err.msg);
	return s;
}

static enum mt_fetch_row
row_of(struct mt_fetch_state *s, const char *uid, uint32_t nth)
{
	struct mt_fetch_id id = { uid, nth };
	struct mt_fetch_known known;
	struct mt_err err = { 0 };

	if (mt_fetch_state_get(s, &id, &known, &err) < 0)
		abort();
	return known.row;
}

static void
intend(struct mt_fetch_state *s, const char *uid, uint32_t nth)
{
	struct mt_fetch_id id = { uid, nth };
	struct mt_err err = { 0 };

	if (mt_fetch_state_begin(s, &err) < 0 ||
	    mt_fetch_state_put(s, &id, &intended, "/mail", "name", &err) < 0 ||
	    mt_fetch_state_commit(s, &err) < 0)
		abort();
}

static void
test_rows(void)
{
	mt_auto(mt_fetch_state) s = open_state("ada@example.org");
	struct mt_fetch_id id = { "uid'; DROP TABLE message; --", 0 };
	struct mt_fetch_row_info row;
	struct mt_fetch_known known;
	struct mt_err err = { 0 };

	is_int(row_of(s, id.uid, 0), MT_FETCH_UNSEEN, "nothing is known");
	intend(s, id.uid, 0);
	is_int(row_of(s, id.uid, 0), MT_FETCH_INTENDED, "intended");
	is_int(row_of(s, id.uid, 1), MT_FETCH_UNSEEN, "its namesake is not");
	mt_fetch_state_get(s, &id, &known, &err);
	is_int(known.time, 1600000000, "when");
	is_int(known.size, 120, "how big");
	ok(!known.is_shared, "alone");
	ok(known.has_ident && memcmp(known.ident, intended.ident, MT_DIGEST_SIZE) == 0,
	    "what");
	is_int(mt_fetch_state_has(s, id.uid, known.ident, &err), 1, "it was here");
	is_int(mt_fetch_state_has(s, "other", known.ident, &err), 0, "not under another UID");
	known.ident[31] = 1;
	is_int(mt_fetch_state_has(s, id.uid, known.ident, &err), 0, "and nothing else was");
	is_int(mt_fetch_state_share(s, id.uid, &err), 0, "not alone any more");
	mt_fetch_state_get(s, &id, &known, &err);
	ok(known.is_shared, "is remembered");
	is_int(mt_fetch_state_next(s, &row, &err), 1, "a row");
	is_str(row.id.uid, id.uid, "its UID");
	is_str(row.maildir, "/mail", "its Maildir");
	is_str(row.name, "name", "its name");
	is_int(mt_fetch_state_next(s, &row, &err), 0, "no more");
	is_int(mt_fetch_state_next(s, &row, &err), 1, "and again from the start");
	is_int(mt_fetch_state_next(s, &row, &err), 0, "to the end");
	is_int(mt_fetch_state_set(s, &id, MT_FETCH_STORED, &err), 0, "stored");
	is_int(row_of(s, id.uid, 0), MT_FETCH_STORED, "is remembered");
	is_int(mt_fetch_state_begin(s, &err), 0, "a change");
	is_int(mt_fetch_state_set(s, &id, MT_FETCH_UNSEEN, &err), 0, "is made");
	mt_fetch_state_rollback(s);
	is_int(row_of(s, id.uid, 0), MT_FETCH_STORED, "and taken back");
	mt_fetch_state_rollback(s);
	is_int(mt_fetch_state_set(s, &id, MT_FETCH_UNSEEN, &err), 0, "forgotten");
	is_int(row_of(s, id.uid, 0), MT_FETCH_UNSEEN, "for good");
	intend(s, id.uid, 0);
	is_int(mt_fetch_state_set(s, &id, MT_FETCH_GONE, &err), 0, "gone");
	is_int(mt_fetch_state_next(s, &row, &err), 0, "no row to walk");
	is_int(mt_fetch_state_prune(s, &err), 0, "too young to be pruned");
	mt_fetch_state_get(s, &id, &known, &err);
	is_int(known.row, MT_FETCH_GONE, "so it is known");
	ok(known.has_ident, "and what");
	is_int(mt_fetch_state_set(s, &id, MT_FETCH_STORED, &err), 0, "back");
	is_int(mt_fetch_state_next(s, &row, &err), 1, "and a row again");
	is_int(mt_fetch_state_next(s, &row, &err), 0, "the only one");
	intend(s, "left", 3);
}

/* Run SQL on the database, behind its back. */
static void
tamper(const char *text)
{
	g_autofree char *path = g_build_filename(dir, "fetch.sqlite", NULL);
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		printf("# %s\n", sqlite3_errmsg(db));
		abort();
	}
	sqlite3_close(db);
}

static void
test_prune(void)
{
	mt_auto(mt_fetch_state) s = open_state("ada@example.org");
	struct mt_err err = { 0 };

	tamper("UPDATE message SET row = 3, gone = unixepoch() - 86400 * 89 WHERE nth = 3");
	is_int(mt_fetch_state_prune(s, &err), 0, "gone for 89 days");
	is_int(row_of(s, "left", 3), MT_FETCH_GONE, "is kept");
	tamper("UPDATE message SET gone = gone - 86400 * 2 WHERE nth = 3");
	is_int(mt_fetch_state_prune(s, &err), 0, "gone for 91 days");
	is_int(row_of(s, "left", 3), MT_FETCH_UNSEEN, "is not");
	intend(s, "left", 3);
}

static void
test_versions(void)
{
	struct mt_fetch_id id = { "old", 0 };
	struct mt_fetch_known known;
	struct mt_err err = { 0 };
	mt_auto(mt_fetch_state) s = NULL;

	tamper("ALTER TABLE message DROP COLUMN ident; ALTER TABLE message DROP COLUMN gone;"
	    "ALTER TABLE message DROP COLUMN shared;"
	    "INSERT INTO message VALUES (1, 'old', 0, 2, '/mail', 'old', 7, 7);"
	    "PRAGMA user_version = 1");
	s = open_state("ada@example.org");
	is_int(mt_fetch_state_get(s, &id, &known, &err), 0, "a database of version 1");
	is_int(known.row, MT_FETCH_STORED, "keeps its rows");
	ok(!known.has_ident, "but knows no digests");
	mt_fetch_state_free(mt_steal(&s));
	tamper("PRAGMA user_version = 3");
	ok(mt_fetch_state_open(dir, "ada@example.org", &err) == NULL, "version 3");
	is_int(err.kind, MT_ESOFTWARE, "%s", err.msg);
	tamper("PRAGMA user_version = 2");
}

static void
test_maildrops(void)
{
	mt_auto(mt_fetch_state) a = open_state("ada@example.org");
	mt_auto(mt_fetch_state) b = open_state("bob@example.org");
	struct mt_err err = { 0 };

	is_int(row_of(a, "left", 3), MT_FETCH_INTENDED, "a row outlives its process");
	is_int(row_of(b, "left", 3), MT_FETCH_UNSEEN, "another maildrop has its own");
	intend(b, "left", 3);
	ok(mt_fetch_state_open(dir, "ada@example.org", &err) == NULL,
	    "one process at a time");
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
}

static void
test_damage(void)
{
	g_autofree char *path = g_build_filename(dir, "fetch.sqlite", NULL);
	struct mt_err err = { 0 };
	mt_auto(mt_fetch_state) s = NULL;

	mt_file_replace(path, MT_SLICE("no database at all, but a text that is longer"),
	    0600, &err);
	ok(mt_fetch_state_open(dir, "ada@example.org", &err) == NULL, "damaged");
	is_int(err.kind, MT_EIO, "%s", err.msg);
	unlink(path);
	s = open_state("ada@example.org");
	ok(s != NULL, "an empty folder is a fresh start");
}

int
main(void)
{
	struct mt_err err = { 0 };

	dir = g_dir_make_tmp("mt-state.XXXXXX", NULL);
	test_rows();
	test_maildrops();
	test_prune();
	test_versions();
	test_damage();
	mt_file_remove_tree(dir, &err);
	g_free(dir);
	return tap_done();
}
