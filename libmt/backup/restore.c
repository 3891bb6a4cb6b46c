/* restore.c - bring messages of a snapshot back into Maildirs */
#include "backup/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/select.h"
#include "base/file.h"
#include "base/limits.h"
#include "maildir/deliver.h"
#include "maildir/folder.h"

/* Messages that become durable together. Each holds a descriptor, and three more when it is
   the only one of its folder: 512 of the usual 1,024. */
#define BATCH 128
#define BATCH_BYTES MT_MIB(64)

/* One message that is to be restored. */
struct item {
	const char *dir;	/* the Maildir; owned by run.dirs */
	const char *folder;	/* for messages to people */
	struct mt_backup_entry *entry;
	const struct mt_backup_where *where;
	char *name;		/* instead of the entry's, or NULL */
	bool is_renamed;	/* with name NULL: a name that nobody has had yet */
};

struct run {
	struct mt_backup_repo *repo;
	const struct mt_backup_restore *params;
	struct mt_backup_restored *out;
	GPtrArray *dirs;
	GPtrArray *items;
	GHashTable *to_sync;	/* paths of directories that were there */
	struct mt_backup_select *select;	/* NULL: everything */
};

/* The files of a Maildir, by their unique part, wherever they lie and whatever their
   flags are. */
struct present {
	GHashTable *by_unique;	/* -> GPtrArray of whole paths */
};

static void
item_free(void *p)
{
	struct item *item = p;

	mt_backup_entry_free(item->entry);
	g_free(item->name);
	g_free(item);
}

static void
present_clear(struct present *p)
{
	g_hash_table_unref(p->by_unique);
}

static void
present_add(struct present *p, const struct mt_folder_entry *e)
{
	g_autofree char *unique = mt_slice_dup(e->name.unique);
	GPtrArray *paths = g_hash_table_lookup(p->by_unique, unique);

	if (paths == NULL) {
		paths = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(p->by_unique, g_steal_pointer(&unique), paths);
	}
	g_ptr_array_add(paths, g_strdup(e->path));
}

/* A Maildir of which a copy has left out what was empty: new/ or cur/. */
static bool
is_half(const char *dir)
{
	g_autofree char *cur = g_build_filename(dir, "cur", NULL);
	g_autofree char *new = g_build_filename(dir, "new", NULL);

	return g_file_test(cur, G_FILE_TEST_IS_DIR) != g_file_test(new, G_FILE_TEST_IS_DIR);
}

static int
present_load(struct present *p, const char *dir, struct mt_err *err)
{
	mt_auto(mt_maildir) made = NULL;
	mt_auto(mt_folder_scan) scan = NULL;
	struct mt_folder_entry e;
	int rc;

	p->by_unique = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    (GDestroyNotify)g_ptr_array_unref);
	if (is_half(dir) && (made = mt_maildir_create(dir, err)) == NULL)
		return -1;
	if (!mt_folder_is_maildir(dir))
		return 0;
	scan = mt_folder_scan_new(dir, err);
	if (scan == NULL)
		return -1;
	while ((rc = mt_folder_scan_next(scan, &e, err)) > 0)
		present_add(p, &e);
	return rc;
}

/* Whether the file has this content. What cannot be read has not. */
static bool
has_content(const char *path, const struct mt_backup_entry *e)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	mt_auto(mt_digest) digest = NULL;
	struct mt_backup_id id;
	struct stat st;
	char chunk[65536];
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != e->size)
		return false;
	digest = mt_digest_new();
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		mt_digest_add(digest, chunk, (size_t)n);
	mt_digest_end(digest, id.b);
	return n == 0 && mt_backup_id_same(&id, &e->id);
}

/* A file of that unique part: the one with the content of the entry (*is_same) if there is
   one; NULL when there is none at all. */
static const char *
find_present(const struct present *p, const char *file, const struct mt_backup_entry *e,
    bool *is_same)
{
	struct mt_maildir_name name;
	g_autofree char *unique = NULL;
	const GPtrArray *paths;

	mt_maildir_name_parse(file, &name);
	unique = mt_slice_dup(name.unique);
	paths = g_hash_table_lookup(p->by_unique, unique);
	for (guint i = 0; paths != NULL && i < paths->len; i++) {
		*is_same = has_content(g_ptr_array_index(paths, i), e);
		if (*is_same)
			return g_ptr_array_index(paths, i);
	}
	*is_same = false;
	return paths == NULL ? NULL : g_ptr_array_index(paths, 0);
}

/* UNIQUE,R=XXXXXXXX:2,FLAGS: the same for the same message each time; g_free. NULL
   when that is too long. */
static char *
other_name(const struct mt_backup_entry *e)
{
	struct mt_maildir_name name;
	char *made;

	mt_maildir_name_parse(e->name, &name);
	made = g_strdup_printf("%.*s,R=%02x%02x%02x%02x%s", (int)name.unique.n,
	    name.unique.p, e->id.b[0], e->id.b[1], e->id.b[2], e->id.b[3],
	    e->name + name.unique.n);
	if (strlen(made) < MT_MAILDIR_NAME_SIZE)
		return made;
	g_free(made);
	return NULL;
}

/* A line for what cannot be restored: it is damaged, or the disk does not give it. */
static void
note_missing(struct run *run, char *line, const struct mt_err *why)
{
	if (why->kind == MT_EDATA) {
		g_ptr_array_add(run->out->lost, line);
		return;
	}
	if (run->out->unread->len == 0)
		run->out->failure = *why;
	g_ptr_array_add(run->out->unread, line);
}

static void
lose(struct run *run, const char *folder, const struct mt_backup_entry *e,
    const struct mt_err *why)
{
	g_autofree char *path = mt_backup_message_path(folder, e);

	note_missing(run, g_strdup_printf("%s: %s", path, why->msg), why);
	mt_progress_add(run->params->progress, 1);
}

static void
lose_content(struct run *run, const char *folder, const struct mt_backup_entry *e)
{
	const struct mt_err *unread = mt_backup_repo_unread(run->repo);
	struct mt_err why = { 0 };

	mt_fail(&why, MT_EDATA, "its content is in no pack that can be read");
	lose(run, folder, e, unread != NULL ? unread : &why);
}

/* Another message has the name: whether this one lies beside it already. Else *name is
   the one that it gets (g_free), NULL for a new one. */
static bool
is_beside(struct run *run, const struct present *present,
    const struct mt_backup_entry *e, const char *taken, char **name)
{
	g_autofree char *other = other_name(e);
	bool is_same = false;

	/* That one may be taken by yet another message, or damaged. */
	if (other != NULL && find_present(present, other, e, &is_same) != NULL && !is_same)
		g_clear_pointer(&other, g_free);
	if (is_same)
		return true;
	g_ptr_array_add(run->out->renamed, g_strdup_printf(
	    "%s: another message has this name; restored beside it as %s", taken,
	    other != NULL ? other : "a new one"));
	*name = g_steal_pointer(&other);
	return false;
}

/* Decide what becomes of one message. Takes the entry. */
static void
plan_entry(struct run *run, const char *dir, const char *folder,
    const struct present *present, struct mt_backup_entry *e)
{
	const struct mt_backup_where *where = mt_backup_repo_find(run->repo, &e->id);
	g_autofree char *name = NULL;
	bool is_present;
	const char *there = find_present(present, e->name, e, &is_present);
	bool is_renamed = there != NULL && !is_present;
	struct item *item;

	if (is_renamed)
		is_present = is_beside(run, present, e, there, &name);
	if (is_present || where == NULL) {
		if (is_present) {
			run->out->present++;
			mt_progress_add(run->params->progress, 1);
		} else {
			lose_content(run, folder, e);
		}
		mt_backup_entry_free(e);
		return;
	}
	item = g_new0(struct item, 1);
	*item = (struct item){ dir, folder, e, where, g_steal_pointer(&name), is_renamed };
	g_ptr_array_add(run->items, item);
}

/* Where a root goes, unlike all in bases, which hold it then. */
static const char *
base_of(const struct run *run, const struct mt_backup_root *root, GPtrArray *bases)
{
	g_autofree char *name = g_path_get_basename(root->path);
	char *base;

	if (run->params->to == NULL)
		base = g_strdup(root->path);
	else if (run->params->snapshot->roots->len == 1)
		base = g_strdup(run->params->to);
	else
		base = g_build_filename(run->params->to, name, NULL);
	for (unsigned n = 2; run->params->to != NULL &&
	    g_ptr_array_find_with_equal_func(bases, base, g_str_equal, NULL); n++) {
		g_free(base);
		base = g_strdup_printf("%s/%s-%u", run->params->to, name, n);
	}
	g_ptr_array_add(bases, base);
	return base;
}

/* Leave in entries what is wanted of the folder. */
static void
drop_unwanted(const struct run *run, size_t root, const struct mt_backup_folder *f,
    GPtrArray *entries)
{
	guint kept = 0;

	for (guint i = 0; i < entries->len; i++) {
		struct mt_backup_entry *e = g_ptr_array_index(entries, i);

		if (mt_backup_select_has_entry(run->select, root, f, e))
			entries->pdata[kept++] = e;
		else
			mt_backup_entry_free(e);
	}
	for (guint i = kept; i < entries->len; i++)
		entries->pdata[i] = NULL;
	g_ptr_array_set_size(entries, (int)kept);
}

/* What is there may come from a restore that was killed before it was durable: the
   Maildir is synced at the end, with all above it up to where the base has its name. */
static void
sync_later(struct run *run, const char *base, const char *dir)
{
	g_autofree char *above = g_path_get_dirname(base);
	char *at = g_strdup(dir);

	if (mt_folder_is_maildir(dir)) {
		g_hash_table_add(run->to_sync, g_build_filename(dir, "new", NULL));
		g_hash_table_add(run->to_sync, g_build_filename(dir, "cur", NULL));
	}
	while (strlen(at) > strlen(above)) {
		char *next = g_path_get_dirname(at);

		if (g_file_test(at, G_FILE_TEST_IS_DIR))
			g_hash_table_add(run->to_sync, g_strdup(at));
		g_free(at);
		at = next;
	}
	if (g_file_test(base, G_FILE_TEST_IS_DIR))
		g_hash_table_add(run->to_sync, g_strdup(above));
	g_free(at);
}

static int
sync_dirs(struct run *run, struct mt_err *err)
{
	GHashTableIter it;
	char *path;

	g_hash_table_iter_init(&it, run->to_sync);
	while (g_hash_table_iter_next(&it, (void **)&path, NULL)) {
		struct mt_err why = { 0 };

		/* Of others' directories above ours some cannot be read, and so not synced. */
		if (mt_file_sync_dir(path, &why) == 0 || why.kind == MT_EPERM)
			continue;
		*err = why;
		return -1;
	}
	return 0;
}

static int
plan_folder(struct run *run, size_t root, const char *base,
    const struct mt_backup_folder *f, struct mt_err *err)
{
	g_autoptr(GPtrArray) entries = mt_backup_entries_new();
	bool all = run->select == NULL ||
	    mt_backup_select_has_folder(run->select, root, f);
	mt_auto(mt_maildir) made = NULL;
	struct present present;
	struct mt_err why = { 0 };
	char *dir;

	if (mt_backup_repo_read_folder(run->repo, f, entries, &why) < 0)
		note_missing(run, g_strdup_printf(
		    "%s: the names of %llu of %llu messages are lost: %s", f->path,
		    (unsigned long long)(f->messages - MIN(f->messages, entries->len)),
		    (unsigned long long)f->messages, why.msg), &why);
	if (!all)
		drop_unwanted(run, root, f, entries);
	if (!all && entries->len == 0)
		return 0;
	dir = g_str_equal(f->path, ".") ? g_strdup(base) :
	    g_build_filename(base, f->path, NULL);
	g_ptr_array_add(run->dirs, dir);
	if (present_load(&present, dir, err) < 0) {
		present_clear(&present);
		return -1;
	}
	for (guint i = 0; i < entries->len; i++)
		plan_entry(run, dir, f->path, &present,
		    g_steal_pointer(&entries->pdata[i]));
	present_clear(&present);
	sync_later(run, base, dir);
	if (all && (made = mt_maildir_create(dir, err)) == NULL)
		return -1;
	return 0;
}

static int
plan(struct run *run, struct mt_err *err)
{
	const GPtrArray *roots = run->params->snapshot->roots;
	g_autoptr(GPtrArray) bases = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(roots, i);
		const char *base = base_of(run, root, bases);

		for (guint k = 0; k < root->folders->len; k++) {
			if (plan_folder(run, i, base,
			    g_ptr_array_index(root->folders, k), err) < 0)
				return -1;
		}
	}
	return 0;
}

/* As they lie in the packs, so that each frame is decompressed once. */
static int
compare_items(const void *a, const void *b)
{
	const struct mt_backup_where *x = (*(struct item *const *)a)->where;
	const struct mt_backup_where *y = (*(struct item *const *)b)->where;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Messages on their way, and the Maildirs that they need. */
struct batch {
	struct mt_deliver *deliver[BATCH];
	const struct item *item[BATCH];
	size_t n;
	uint64_t bytes;
	GHashTable *maildirs;	/* path -> struct mt_maildir */
};

static int
commit_batch(struct run *run, struct batch *b, struct mt_err *err)
{
	int rc = 0;

	if (b->n > 0)
		mt_deliver_commit_all(b->deliver, b->n, NULL);
	for (size_t i = 0; i < b->n; i++) {
		const struct mt_err *why = mt_deliver_error(b->deliver[i]);

		if (why == NULL) {
			run->out->messages++;
			run->out->bytes += b->item[i]->entry->size;
		} else if (rc == 0) {
			rc = mt_fail(err, why->kind, "%s", why->msg);
		}
		mt_deliver_free(b->deliver[i]);
	}
	mt_progress_add(run->params->progress, b->n);
	b->n = 0;
	b->bytes = 0;
	g_hash_table_remove_all(b->maildirs);
	return rc;
}

static struct mt_maildir *
maildir_of(struct batch *b, const char *dir, struct mt_err *err)
{
	struct mt_maildir *m = g_hash_table_lookup(b->maildirs, dir);

	if (m != NULL)
		return m;
	m = mt_maildir_create(dir, err);
	if (m == NULL)
		return NULL;
	mt_maildir_sweep(m);
	g_hash_table_insert(b->maildirs, g_strdup(dir), m);
	return m;
}

/* Copy the content, verified: 1; 0 when it is damaged or cannot be read (*why), -1 when
   it cannot be written. */
static int
copy_content(struct run *run, const struct item *item, struct mt_deliver *d,
    struct mt_err *why, struct mt_err *err)
{
	mt_auto(mt_digest) digest = mt_digest_new();
	const struct mt_backup_where *w = item->where;
	struct mt_backup_id id;

	for (uint64_t at = 0; at < w->size;) {
		struct mt_slice bytes;

		if (mt_backup_repo_read(run->repo, w, at, &bytes, why) < 0)
			return 0;
		mt_digest_add(digest, bytes.p, bytes.n);
		if (mt_deliver_write(d, bytes.p, bytes.n, err) < 0)
			return -1;
		at += bytes.n;
	}
	mt_digest_end(digest, id.b);
	if (mt_backup_id_same(&id, &item->entry->id))
		return 1;
	mt_fail(why, MT_EDATA, "pack %s: its content has another SHA-256",
	    (char *)g_ptr_array_index(mt_backup_repo_packs(run->repo), w->pack));
	return 0;
}

static void
set_name(struct mt_deliver *d, const struct item *item)
{
	const struct mt_backup_entry *e = item->entry;
	const char *name = item->name != NULL ? item->name : e->name;

	mt_deliver_set_time(d, e->mtime);
	if (item->name == NULL && item->is_renamed) {
		struct mt_maildir_name parsed;

		mt_maildir_name_parse(e->name, &parsed);
		if (!e->is_new)
			mt_deliver_set_flags(d, parsed.flags);
		return;
	}
	mt_deliver_set_name(d, e->is_new ? "new" : "cur", name);
}

static int
add_item(struct run *run, struct batch *b, const struct item *item, struct mt_err *err)
{
	struct mt_maildir *m = maildir_of(b, item->dir, err);
	mt_auto(mt_deliver) d = NULL;
	struct mt_err why = { 0 };
	int rc;

	if (m == NULL)
		return -1;
	d = mt_deliver_begin(m, err);
	if (d == NULL)
		return -1;
	rc = copy_content(run, item, d, &why, err);
	if (rc == 0)
		lose(run, item->folder, item->entry, &why);
	if (rc <= 0)
		return rc;
	set_name(d, item);
	b->item[b->n] = item;
	b->deliver[b->n++] = mt_steal(&d);
	b->bytes += item->entry->size;
	if (b->n == BATCH || b->bytes >= BATCH_BYTES)
		return commit_batch(run, b, err);
	return 0;
}

static int
restore_items(struct run *run, struct mt_err *err)
{
	struct batch b = { .n = 0 };
	int rc = 0;

	b.maildirs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    (GDestroyNotify)mt_maildir_free);
	g_ptr_array_sort(run->items, compare_items);
	for (guint i = 0; rc == 0 && i < run->items->len; i++)
		rc = add_item(run, &b, g_ptr_array_index(run->items, i), err);
	/* What was read in full is kept, also when something went wrong behind it. */
	if (commit_batch(run, &b, rc == 0 ? err : NULL) < 0)
		rc = -1;
	g_hash_table_unref(b.maildirs);
	return rc;
}

int
mt_backup_restore(struct mt_backup_repo *r, const struct mt_backup_restore *params,
    struct mt_backup_restored *out, struct mt_err *err)
{
	mt_auto(mt_backup_select) select = NULL;
	struct run run = { .repo = r, .params = params, .out = out };
	int rc;

	*out = (struct mt_backup_restored){ 0 };
	out->renamed = g_ptr_array_new_with_free_func(g_free);
	out->lost = g_ptr_array_new_with_free_func(g_free);
	out->unread = g_ptr_array_new_with_free_func(g_free);
	if (params->nwords > 0) {
		select = mt_backup_select_new(r, params->snapshot, params->words,
		    params->nwords, params->cwd, err);
		if (select == NULL)
			return -1;
	}
	run.select = select;
	run.dirs = g_ptr_array_new_with_free_func(g_free);
	run.items = g_ptr_array_new_with_free_func(item_free);
	run.to_sync = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	rc = plan(&run, err);
	if (rc == 0)
		rc = restore_items(&run, err);
	if (rc == 0)
		rc = sync_dirs(&run, err);
	g_hash_table_unref(run.to_sync);
	g_ptr_array_unref(run.items);
	g_ptr_array_unref(run.dirs);
	return rc;
}

void
mt_backup_restored_clear(struct mt_backup_restored *r)
{
	g_clear_pointer(&r->renamed, g_ptr_array_unref);
	g_clear_pointer(&r->lost, g_ptr_array_unref);
	g_clear_pointer(&r->unread, g_ptr_array_unref);
}
