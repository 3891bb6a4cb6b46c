/* plan.c - tests of libmt/fetch/plan.c: what is listed against what is known */
#include "fetch/plan.h"

#include <glib.h>
#include <stdlib.h>

#include "base/file.h"
#include "tap.h"

#define END { 0, 0, NULL }

/* A row of the state before, and what it is after. */
struct row {
	const char *uid;
	enum mt_fetch_row before;
	uint64_t size;
	bool is_shared, has_ident;
	enum mt_fetch_row after;
};

static const struct {
	const char *name;
	struct row rows[4];
	struct mt_pop3_entry list[5];
	const char *todo;	/* numbers, in order */
} cases[] = {
	{ "nothing is known", { { NULL } }, { { 1, 10, "a" }, { 2, 20, "b" }, END }, "1 2 " },
	{ "an empty maildrop", { { "a", MT_FETCH_STORED, 10, false, true, MT_FETCH_GONE } },
	    { END }, "" },
	{ "ours", { { "a", MT_FETCH_STORED, 10, false, true, MT_FETCH_STORED } },
	    { { 1, 10, "a" }, { 2, 20, "b" }, END }, "2 " },
	{ "ours, and the server tells no size",
	    { { "a", MT_FETCH_STORED, 10, false, true, MT_FETCH_STORED } },
	    { { 1, 0, "a" }, END }, "" },
	{ "ours since before there were identities: the UID has to do",
	    { { "a", MT_FETCH_STORED, 0, false, false, MT_FETCH_STORED } },
	    { { 1, 10, "a" }, END }, "" },
	{ "the UID with another size", { { "a", MT_FETCH_STORED, 10, false, true,
	    MT_FETCH_STORED } }, { { 1, 11, "a" }, END }, "1 " },
	{ "the UID was shared, and is alone now", { { "a", MT_FETCH_STORED, 10, true, true,
	    MT_FETCH_STORED } }, { { 1, 10, "a" }, END }, "1 " },
	{ "a crash came before the end", { { "a", MT_FETCH_INTENDED, 10, false, true,
	    MT_FETCH_INTENDED } }, { { 1, 10, "a" }, END }, "1 " },
	{ "one that was gone is back", { { "a", MT_FETCH_GONE, 10, false, true,
	    MT_FETCH_GONE } }, { { 1, 10, "a" }, END }, "1 " },
	{ "one that broke a session is listed no more", { { "a", MT_FETCH_BROKEN, 0, false,
	    false, MT_FETCH_UNSEEN } }, { { 1, 10, "b" }, END }, "1 " },
	{ "new ones, then those in doubt, then what broke a session",
	    { { "a", MT_FETCH_BROKEN, 0, false, false, MT_FETCH_BROKEN },
	      { "b", MT_FETCH_GONE, 20, false, true, MT_FETCH_GONE },
	      { "c", MT_FETCH_STORED, 9, false, true, MT_FETCH_STORED } },
	    { { 1, 10, "a" }, { 2, 20, "b" }, { 3, 30, "c" }, { 4, 40, "d" }, END },
	    "4 2 3 1 " },
	{ "two with one UID, one of them ours",
	    { { "a", MT_FETCH_STORED, 10, true, true, MT_FETCH_STORED } },
	    { { 1, 10, "a" }, { 2, 20, "a" }, END }, "2 " },
	{ "no UID", { { NULL } }, { { 1, 10, NULL }, { 2, 20, "b" }, END }, "2 " },
};

static void
put_rows(struct mt_fetch_state *s, const struct row *rows)
{
	struct mt_err err = { 0 };

	for (const struct row *r = rows; r->uid != NULL; r++) {
		struct mt_fetch_known known = { .row = r->before, .is_shared = r->is_shared,
			.has_ident = r->has_ident, .size = r->size, .time = 1 };
		struct mt_fetch_id id = { r->uid, 0 };

		if (mt_fetch_state_put(s, &id, &known, "/mail", "name", &err) < 0 ||
		    (r->before == MT_FETCH_GONE &&
		    mt_fetch_state_set(s, &id, MT_FETCH_GONE, &err) < 0))
			abort();
	}
}

static void
check_rows(struct mt_fetch_state *s, const struct row *rows, bool changed,
    const char *name)
{
	for (const struct row *r = rows; r->uid != NULL; r++) {
		struct mt_fetch_id id = { r->uid, 0 };
		struct mt_fetch_known known;
		struct mt_err err = { 0 };

		if (mt_fetch_state_get(s, &id, &known, &err) < 0)
			abort();
		is_int(known.row, changed ? r->after : r->before, "%s: row of %s", name,
		    r->uid);
	}
}

static void
test_plan(const char *dir, size_t at, bool dry_run)
{
	g_autofree char *key = g_strdup_printf("user%zu@%d", at, dry_run);
	g_autofree char *name = g_strconcat(cases[at].name, dry_run ? ", dry run" : "", NULL);
	struct mt_err err = { 0 };
	mt_auto(mt_fetch_state) s = mt_fetch_state_open(dir, key, &err);
	mt_auto_value(mt_fetch_plan) p = { 0 };
	GString *todo = g_string_new(NULL);
	uint64_t bytes = 0;
	size_t n = 0;

	if (s == NULL)
		abort();
	put_rows(s, cases[at].rows);
	while (cases[at].list[n].number != 0)
		n++;
	is_int(mt_fetch_plan_make(&p, s, cases[at].list, n, dry_run, &err), 0, "%s", name);
	for (size_t i = 0; i < p.todo_n; i++) {
		g_string_append_printf(todo, "%u ", p.todo[i]->number);
		bytes += p.todo[i]->size;
	}
	is_str(todo->str, cases[at].todo, "%s: what is fetched", name);
	is_int(p.bytes, bytes, "%s: its bytes", name);
	check_rows(s, cases[at].rows, !dry_run, name);
	g_string_free(todo, TRUE);
}

static void
test_due(void)
{
	static const struct {
		const char *name;
		struct mt_fetch_item item;
		int64_t after;
		bool want;
	} due[] = {
		{ "ours and old", { .size = 9, .known = { .row = MT_FETCH_STORED,
		    .has_ident = true, .size = 9, .time = 100 } }, 50, true },
		{ "ours and too young", { .size = 9, .known = { .row = MT_FETCH_STORED,
		    .has_ident = true, .size = 9, .time = 151 } }, 50, false },
		{ "never", { .size = 9, .known = { .row = MT_FETCH_STORED, .has_ident = true,
		    .size = 9, .time = 100 } }, -1, false },
		{ "of another size, not fetched now", { .size = 8,
		    .known = { .row = MT_FETCH_STORED, .has_ident = true, .size = 9,
		    .time = 100 } }, 0, false },
		{ "of another size, fetched now", { .size = 8, .is_fetched = true,
		    .known = { .row = MT_FETCH_STORED, .has_ident = true, .size = 9,
		    .time = 100 } }, 0, true },
		{ "one of several with its UID", { .size = 9, .is_shared = true,
		    .known = { .row = MT_FETCH_STORED, .is_shared = true, .has_ident = true,
		    .size = 9, .time = 100 } }, 0, false },
		{ "the same, fetched now", { .size = 9, .is_shared = true,
		    .is_fetched = true, .known = { .row = MT_FETCH_STORED,
		    .is_shared = true, .has_ident = true, .size = 9, .time = 100 } }, 0,
		    true },
		{ "not stored", { .is_fetched = true, .known = { .row = MT_FETCH_INTENDED,
		    .time = 100 } }, 0, false },
		{ "gone", { .known = { .row = MT_FETCH_GONE, .time = 100 } }, 0, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(due); i++)
		is_int(mt_fetch_is_due(&due[i].item, due[i].after, 200), due[i].want,
		    "due: %s", due[i].name);
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-XXXXXX", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		test_plan(dir, i, true);
		test_plan(dir, i, false);
	}
	test_due();
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
