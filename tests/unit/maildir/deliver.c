/* deliver.c - delivery into a Maildir: what is there afterwards, and what is not */
#include "maildir/deliver.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "maildir/folder.h"
#include "tap.h"

static char *root;

static char *
in_root(const char *name)
{
	return g_build_filename(root, name, NULL);
}

static size_t
count(const char *maildir, const char *sub)
{
	g_autofree char *path = g_build_filename(maildir, sub, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	size_t n = 0;

	while (dir != NULL && g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void
check_one(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("one/INBOX"), *file = NULL, *content = NULL;
	mt_auto(mt_maildir) m = mt_maildir_create(path, &err);
	mt_auto(mt_deliver) d = mt_deliver_begin(m, &err);

	ok(d != NULL, "a Maildir is made with its parents");
	ok(mt_deliver_write(d, "a: b\n\nc", 7, &err) == 0, "write");
	is_int(count(path, "new"), 0, "nothing is in new/ before the commit");
	ok(mt_deliver_commit(d, &err) == 0, "commit");
	ok(mt_deliver_error(d) == NULL, "it has no error");
	is_str(mt_deliver_subdir(d), "new", "it is in new/");
	ok(g_str_has_suffix(mt_deliver_name(d), ",S=7"), "its name tells its size");
	is_int(count(path, "tmp"), 0, "tmp/ is empty");
	file = g_build_filename(path, "new", mt_deliver_name(d), NULL);
	g_file_get_contents(file, &content, NULL, NULL);
	is_str(content, "a: b\n\nc", "the bytes are those that were written");
}

static void
check_aborted(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("aborted");
	mt_auto(mt_maildir) m = mt_maildir_create(path, &err);
	struct mt_deliver *d = mt_deliver_begin(m, &err);

	mt_deliver_write(d, "x", 1, &err);
	is_int(count(path, "tmp"), 1, "a delivery under way is in tmp/");
	mt_deliver_free(d);
	is_int(count(path, "tmp"), 0, "one that is not committed leaves nothing");
	is_int(count(path, "new"), 0, "neither in new/");
}

static void
check_flags(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("flags"), *file = NULL;
	mt_auto(mt_maildir) m = mt_maildir_create(path, &err);
	mt_auto(mt_deliver) d = mt_deliver_begin(m, &err);
	mt_auto(mt_deliver) again = mt_deliver_begin(m, &err);
	struct stat st;

	mt_deliver_set_flags(d, MT_SLICE("SRSF"));
	mt_deliver_set_unique(d, MT_SLICE("1000.x.y,S=3"));
	mt_deliver_set_time(d, 1000);
	mt_deliver_write(d, "abc", 3, &err);
	ok(mt_deliver_commit(d, &err) == 0, "commit with flags");
	is_str(mt_deliver_name(d), "1000.x.y,S=3:2,FRS", "flags are sorted, each once");
	file = g_build_filename(path, "cur", mt_deliver_name(d), NULL);
	ok(stat(file, &st) == 0 && st.st_mtime == 1000, "the file has the date given");
	is_int(st.st_mode & 0777, 0600, "only its owner may read it");

	mt_deliver_set_flags(again, MT_SLICE("FRS"));
	mt_deliver_set_unique(again, MT_SLICE("1000.x.y,S=3"));
	mt_deliver_write(again, "def", 3, &err);
	ok(mt_deliver_commit(again, &err) < 0, "a name that is taken is refused");
	is_int(err.kind, MT_EDATA, "as an error of the data");
	ok(stat(file, &st) == 0 && st.st_size == 3, "the file that is there stays");
	is_int(count(path, "tmp"), 0, "and tmp/ is empty");
}

static void
check_exact_name(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("exact"), *file = NULL;
	mt_auto(mt_maildir) m = mt_maildir_create(path, &err);
	mt_auto(mt_deliver) d = mt_deliver_begin(m, &err);
	mt_auto(mt_deliver) again = mt_deliver_begin(m, &err);

	mt_deliver_set_name(d, "cur", "odd;name,S=3");
	mt_deliver_write(d, "abc", 3, &err);
	ok(mt_deliver_commit(d, &err) == 0, "commit under a name that was given whole");
	is_str(mt_deliver_name(d), "odd;name,S=3", "the name is kept as it is");
	file = g_build_filename(path, "cur", "odd;name,S=3", NULL);
	ok(access(file, F_OK) == 0, "and is the file's");
	mt_deliver_set_name(again, "cur", "odd;name,S=3");
	ok(mt_deliver_commit(again, &err) < 0, "a second file does not get it");
	is_int(err.kind, MT_EDATA, "as an error of the data");
}

static void
check_batch(void)
{
	struct mt_err err = { 0 };
	g_autofree char *a = in_root("batch-a"), *b = in_root("batch-b");
	mt_auto(mt_maildir) ma = mt_maildir_create(a, &err);
	mt_auto(mt_maildir) mb = mt_maildir_create(b, &err);
	struct mt_deliver *list[40];
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(list); i++) {
		list[i] = mt_deliver_begin(i % 3 == 0 ? mb : ma, &err);
		mt_deliver_write(list[i], "hello\n", 6, &err);
	}
	mt_deliver_set_unique(list[7], MT_SLICE("same"));
	mt_deliver_set_unique(list[8], MT_SLICE("same"));
	ok(mt_deliver_commit_all(list, G_N_ELEMENTS(list), &err) < 0,
	    "a batch in which one name stands twice fails");
	ok(mt_deliver_error(list[7]) == NULL && mt_deliver_error(list[8]) != NULL,
	    "for that one alone");
	is_int(count(a, "new") + count(b, "new"), 39, "all others are delivered");
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
		g_hash_table_add(names, g_strdup(mt_deliver_name(list[i])));
	is_int(g_hash_table_size(names), 39, "under names of their own");
	for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
		mt_deliver_free(list[i]);
	is_int(count(a, "tmp") + count(b, "tmp"), 0, "tmp/ is empty");
	g_hash_table_unref(names);
}

static void
check_errors(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("absent"), *file = in_root("file");

	ok(mt_maildir_open(path, &err) == NULL, "a Maildir that is not there");
	is_int(err.kind, MT_ENOINPUT, "is a missing input");
	ok(strstr(err.msg, path) != NULL, "and named: %s", err.msg);
	g_file_set_contents(file, "x", 1, NULL);
	ok(mt_maildir_create(file, &err) == NULL, "a file in its place: %s", err.msg);
}

static void
check_sweep(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("sweep"), *fresh = in_root("sweep/tmp/fresh");
	mt_auto(mt_maildir) m = mt_maildir_create(path, &err);

	g_file_set_contents(fresh, "x", 1, NULL);
	is_int(mt_maildir_sweep(m), 0, "a file of today in tmp/ is not swept");
	is_int(count(path, "tmp"), 1, "and stays");
}

static void
check_walk(void)
{
	struct mt_err err = { 0 };
	g_autofree char *path = in_root("one");
	mt_auto(mt_folder_walk) w = mt_folder_walk_new(root, &err);
	mt_auto(mt_folder_scan) s = NULL;
	struct mt_folder_entry e;
	const char *found;
	size_t n = 0;

	while (mt_folder_walk_next(w, &found, &err) > 0) {
		ok(mt_folder_is_maildir(found), "found %s", found + strlen(root));
		n++;
	}
	is_int(n, 7, "the walk finds every Maildir below the root, nested ones too");
	g_free(path);
	path = in_root("flags");
	s = mt_folder_scan_new(path, &err);
	ok(mt_folder_scan_next(s, &e, &err) == 1, "a scan gives the message");
	ok(!e.is_new && e.name.size == 3 && e.name.time == 1000 &&
	    mt_slice_eq(e.name.flags, MT_SLICE("FRS")), "with what its name says");
	is_int(mt_folder_scan_next(s, &e, &err), 0, "and ends");
}

int
main(void)
{
	struct mt_err err = { 0 };
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "mt-unit-XXXXXX", NULL);

	root = g_mkdtemp(template);
	check_one();
	check_aborted();
	check_flags();
	check_exact_name();
	check_batch();
	check_errors();
	check_sweep();
	check_walk();
	mt_file_remove_tree(root, &err);
	return tap_done();
}
