/* create.c - take a snapshot of Maildirs */
#include "backup/create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "backup/ingest.h"
#include "maildir/folder.h"

#define MAX_ROUNDS 5
/* A directory that changed so short a time before it was listed may change again
   without a new time: file systems count in ticks of up to 10 ms. */
#define TICK_NS (20 * 1000 * 1000)
/* Seconds by which a clock may be set back without a word. */
#define CLOCK_SLACK 60

/* The messages of one folder, as one listing found them. */
struct listing {
	GPtrArray *entries;	/* struct mt_backup_entry */
	GHashTable *by_inode;	/* uint64_t * into the entry -> entry; borrowed */
};

struct folder {
	struct mt_backup_root *root;
	char *path;		/* absolute */
	char *rel;
	struct listing now;
	struct timespec changed[2];	/* of new/ and cur/, when they were listed */
	bool is_listed;
	bool is_unsure;		/* something changed while it was listed */
	unsigned seen;		/* the last round whose walk found it */
};

struct run {
	struct mt_backup_repo *repo;
	const struct mt_backup_create *params;
	struct mt_backup_created *out;
	GHashTable *folders;	/* path -> struct folder */
	GPtrArray *before;	/* for each root: the snapshot to compare with, or NULL */
	GHashTable *failed;	/* path of a file or folder -> why it could not be read */
	struct mt_backup_ingest *ingest;
	unsigned round;
	bool is_stable;		/* the last round found nothing changed */
};

static void
listing_init(struct listing *l)
{
	l->entries = mt_backup_entries_new();
	l->by_inode = g_hash_table_new(g_int64_hash, g_int64_equal);
}

static void
listing_clear(struct listing *l)
{
	if (l->entries == NULL)
		return;
	g_hash_table_unref(l->by_inode);
	g_ptr_array_unref(l->entries);
	*l = (struct listing){ 0 };
}

static void
listing_add(struct listing *l, struct mt_backup_entry *e)
{
	g_ptr_array_add(l->entries, e);
	g_hash_table_insert(l->by_inode, &e->inode, e);
}

static void
folder_free(void *p)
{
	struct folder *f = p;

	listing_clear(&f->now);
	g_free(f->path);
	g_free(f->rel);
	g_free(f);
}

/* What the last snapshot of this root says about the folder. Damage there costs time
   only: the messages are read again. */
static void
load_before(struct run *run, const struct folder *f, struct listing *out)
{
	const struct mt_backup_snapshot *s = NULL;
	const struct mt_backup_root *root;
	const struct mt_backup_folder *old = NULL;
	g_autoptr(GPtrArray) entries = mt_backup_entries_new();

	listing_init(out);
	for (guint i = 0; i < run->before->len && old == NULL; i++) {
		s = g_ptr_array_index(run->before, i);
		root = mt_backup_snapshot_root(s, f->root->path);
		if (root != NULL)
			old = mt_backup_root_folder(root, f->rel);
	}
	if (old == NULL)
		return;
	mt_backup_repo_read_folder(run->repo, old, entries, NULL);
	for (guint i = 0; i < entries->len; i++) {
		struct mt_backup_entry *e = g_ptr_array_index(entries, i);

		/* A file that was written about when the snapshot was taken may have been
		   written again within the same tick. */
		if (e->mtime < s->time - 2 && mt_backup_repo_has(run->repo, &e->id)) {
			listing_add(out, e);
			entries->pdata[i] = NULL;
		}
	}
}

/* The entry of that listing that is this very file, whatever its flags are by now. */
static const struct mt_backup_entry *
find_known(const struct listing *l, const struct mt_folder_entry *e,
    const struct stat *st)
{
	uint64_t inode = (uint64_t)st->st_ino;
	const struct mt_backup_entry *known;
	struct mt_maildir_name name;

	if (l->by_inode == NULL)
		return NULL;
	known = g_hash_table_lookup(l->by_inode, &inode);
	if (known == NULL || known->size != (uint64_t)st->st_size ||
	    known->mtime != (int64_t)st->st_mtim.tv_sec ||
	    known->mtime_ns != (uint32_t)st->st_mtim.tv_nsec ||
	    !mt_maildir_name_parse(known->name, &name) ||
	    !mt_slice_eq(name.unique, e->name.unique))
		return NULL;
	return known;
}

/* It is named as missing; the snapshot of everything else is made. */
static void
note_failed(struct run *run, const char *path, const char *why)
{
	g_hash_table_replace(run->failed, g_strdup(path),
	    g_strdup_printf("%s: %s", path, why));
}

/* 1: read; 0: gone, or noted as a file that cannot be read; -1: the run must end. */
static int
read_message(struct run *run, struct folder *f, const char *path,
    struct mt_backup_entry *e, struct mt_err *err)
{
	struct mt_err why = { 0 };

	switch (mt_backup_ingest(run->ingest, path, e, &why)) {
	case MT_BACKUP_INGEST_NEW:
		run->out->stored++;
		/* fall through */
	case MT_BACKUP_INGEST_KNOWN:
		run->out->read++;
		g_hash_table_remove(run->failed, path);
		return 1;
	case MT_BACKUP_INGEST_GONE:
		f->is_unsure = true;
		return 0;
	case MT_BACKUP_INGEST_UNREADABLE:
		note_failed(run, path, why.msg);
		return 0;
	case MT_BACKUP_INGEST_BROKEN:
		break;
	}
	*err = why;
	return -1;
}

static int
list_message(struct run *run, struct folder *f, const struct mt_folder_entry *found,
    const struct listing *before, struct listing *now, struct mt_err *err)
{
	struct mt_backup_entry *e;
	const struct mt_backup_entry *known = NULL;
	struct stat st;

	if (stat(found->path, &st) < 0) {
		int why = errno;

		if (why == ENOENT && lstat(found->path, &st) < 0 && errno == ENOENT)
			f->is_unsure = true;
		else
			note_failed(run, found->path, why == ENOENT ?
			    "a symbolic link to nothing" : strerror(why));
		return 0;
	}
	known = find_known(&f->now, found, &st);
	if (known == NULL)
		known = find_known(before, found, &st);
	e = g_new0(struct mt_backup_entry, 1);
	if (known != NULL) {
		*e = *known;
	} else {
		int rc = read_message(run, f, found->path, e, err);

		if (rc <= 0) {
			g_free(e);
			return rc;
		}
	}
	e->name = g_strdup(found->file);
	e->is_new = found->is_new;
	listing_add(now, e);
	mt_progress_add(run->params->progress, 1);
	return 0;
}

/*
 * Keep from an earlier listing what this one has neither by inode nor by name: the
 * folder changed while it was listed, and such a message may still be there.
 */
static void
keep_earlier(struct folder *f, struct listing *now)
{
	g_autoptr(GHashTable) paths =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < now->entries->len; i++)
		g_hash_table_add(paths,
		    mt_backup_entry_path(g_ptr_array_index(now->entries, i)));
	for (guint i = 0; f->now.entries != NULL && i < f->now.entries->len; i++) {
		struct mt_backup_entry *e = g_ptr_array_index(f->now.entries, i);
		g_autofree char *path = mt_backup_entry_path(e);

		if (g_hash_table_contains(now->by_inode, &e->inode) ||
		    g_hash_table_contains(paths, path))
			continue;
		f->now.entries->pdata[i] = NULL;
		listing_add(now, e);
	}
}

/* The times at which new/ and cur/ changed last; false when one is gone. */
static bool
times_of(const struct folder *f, struct timespec out[2])
{
	static const char *const subs[2] = { "new", "cur" };

	for (size_t i = 0; i < 2; i++) {
		g_autofree char *path = g_build_filename(f->path, subs[i], NULL);
		struct stat st;

		if (stat(path, &st) < 0)
			return false;
		out[i] = st.st_mtim;
	}
	return true;
}

static bool
same_times(const struct timespec a[2], const struct timespec b[2])
{
	return a[0].tv_sec == b[0].tv_sec && a[0].tv_nsec == b[0].tv_nsec &&
	    a[1].tv_sec == b[1].tv_sec && a[1].tv_nsec == b[1].tv_nsec;
}

/* Whether t is so close to now that a later change may bear the same time. */
static bool
is_recent(const struct timespec *t, const struct timespec *now)
{
	int64_t ns = ((int64_t)now->tv_sec - (int64_t)t->tv_sec) * 1000000000 +
	    (now->tv_nsec - t->tv_nsec);

	return ns < TICK_NS && ns > -TICK_NS;
}

/* List a folder, reading what is not known. A folder that has gone is left out. */
static int
list_folder(struct run *run, struct folder *f, struct mt_err *err)
{
	struct listing before = { 0 }, now = { 0 };
	struct timespec start, after[2];
	mt_auto(mt_folder_scan) scan = NULL;
	struct mt_folder_entry e;
	struct mt_err why = { 0 };
	int rc;

	clock_gettime(CLOCK_REALTIME, &start);
	if (!times_of(f, f->changed)) {
		if (errno != ENOENT)
			note_failed(run, f->path, strerror(errno));
		return 0;
	}
	scan = mt_folder_scan_new(f->path, &why);
	if (scan == NULL && why.kind == MT_ENOINPUT)
		return 0;
	if (scan == NULL) {
		g_hash_table_replace(run->failed, g_strdup(f->path), g_strdup(why.msg));
		return 0;
	}
	g_hash_table_remove(run->failed, f->path);
	f->is_unsure = is_recent(&f->changed[0], &start) ||
	    is_recent(&f->changed[1], &start);
	if (!f->is_listed)
		load_before(run, f, &before);
	listing_init(&now);
	while ((rc = mt_folder_scan_next(scan, &e, err)) > 0) {
		rc = list_message(run, f, &e, &before, &now, err);
		if (rc < 0)
			break;
	}
	listing_clear(&before);
	if (rc < 0) {
		listing_clear(&now);
		return -1;
	}
	if (!times_of(f, after) || !same_times(f->changed, after))
		f->is_unsure = true;
	if (f->is_unsure)
		keep_earlier(f, &now);
	listing_clear(&f->now);
	f->now = now;
	f->is_listed = true;
	return 0;
}

/* Walk a root: folders that are new get a record, folders that are there are marked. */
static int
find_folders(struct run *run, struct mt_backup_root *root, struct mt_err *err)
{
	mt_auto(mt_folder_walk) walk = mt_folder_walk_new(root->path, err);
	struct mt_err why = { 0 };
	const char *path;
	int rc;

	if (walk == NULL)
		return -1;
	while ((rc = mt_folder_walk_next(walk, &path, &why)) != 0) {
		struct folder *f = g_hash_table_lookup(run->folders, path);

		if (rc < 0) {
			/* The folder itself may be fine: another key. */
			g_hash_table_replace(run->failed, g_strconcat(path, "/", NULL),
			    g_strdup(why.msg));
			continue;
		}
		if (f == NULL) {
			const char *rel = path + strlen(root->path);

			f = g_new0(struct folder, 1);
			f->root = root;
			f->path = g_strdup(path);
			rel += strspn(rel, "/");
			f->rel = g_strdup(*rel == '\0' ? "." : rel);
			g_hash_table_insert(run->folders, f->path, f);
		}
		f->seen = run->round;
	}
	return 0;
}

/* One round over all folders: how many had changed, or -1. */
static int
list_round(struct run *run, struct mt_err *err)
{
	GPtrArray *roots = run->out->snapshot->roots;
	GHashTableIter it;
	struct folder *f;
	int listed = 0;

	run->round++;
	for (guint i = 0; i < roots->len; i++) {
		if (find_folders(run, g_ptr_array_index(roots, i), err) < 0)
			return -1;
	}
	g_hash_table_iter_init(&it, run->folders);
	while (g_hash_table_iter_next(&it, NULL, (void **)&f)) {
		struct timespec times[2];

		/* One that has just gone may have got another name behind our back. */
		if (f->seen != run->round) {
			listed += f->is_listed && f->seen + 1 == run->round;
			continue;
		}
		if (f->is_listed && !f->is_unsure && times_of(f, times) &&
		    same_times(times, f->changed))
			continue;
		if (list_folder(run, f, err) < 0)
			return -1;
		listed++;
	}
	return listed;
}

/* Snapshots to compare with: for each root the newest that has it. */
static void
find_before(struct run *run)
{
	const GPtrArray *names = mt_backup_repo_snapshots(run->repo);
	size_t left = run->params->nroots;
	g_autofree bool *found = g_new0(bool, left);

	for (guint i = names->len; i > 0 && left > 0; i--) {
		mt_auto(mt_backup_snapshot) s = mt_backup_repo_snapshot(run->repo,
		    g_ptr_array_index(names, i - 1), NULL);
		bool useful = false;

		for (size_t k = 0; s != NULL && k < run->params->nroots; k++) {
			if (found[k] ||
			    mt_backup_snapshot_root(s, run->params->roots[k]) == NULL)
				continue;
			found[k] = useful = true;
			left--;
		}
		if (useful)
			g_ptr_array_add(run->before, mt_steal(&s));
	}
}

static int
compare_entries(const void *a, const void *b)
{
	const struct mt_backup_entry *x = *(struct mt_backup_entry *const *)a;
	const struct mt_backup_entry *y = *(struct mt_backup_entry *const *)b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (int)x->is_new - (int)y->is_new;
}

static int
compare_folders(const void *a, const void *b)
{
	const struct folder *x = *(struct folder *const *)a;
	const struct folder *y = *(struct folder *const *)b;

	return strcmp(x->path, y->path);
}

static int
put_list(struct run *run, struct mt_backup_folder *to, struct mt_buf *blob,
    struct mt_err *err)
{
	struct mt_backup_id id;

	if (blob->n == 0)
		return 0;
	if (mt_backup_repo_put(run->repo, MT_BACKUP_LIST, mt_buf_slice(blob), &id,
	    err) < 0)
		return -1;
	g_array_append_val(to->lists, id);
	mt_buf_reset(blob);
	return 0;
}

static int
put_folder(struct run *run, struct folder *f, struct mt_err *err)
{
	struct mt_backup_folder *to = mt_backup_root_add_folder(f->root, f->rel);
	mt_auto_value(mt_buf) blob = MT_BUF_INIT(MT_BACKUP_MAX_LIST);
	size_t n = 0;

	g_ptr_array_sort(f->now.entries, compare_entries);
	for (guint i = 0; i < f->now.entries->len; i++) {
		const struct mt_backup_entry *e = g_ptr_array_index(f->now.entries, i);

		to->messages++;
		to->bytes += e->size;
		mt_backup_list_append(&blob, e);
		if (!mt_backup_list_cuts(e, ++n))
			continue;
		n = 0;
		if (put_list(run, to, &blob, err) < 0)
			return -1;
	}
	return put_list(run, to, &blob, err);
}

static int
put_folders(struct run *run, struct mt_err *err)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	unsigned oldest = run->is_stable ? run->round : run->round - 1;
	GHashTableIter it;
	struct folder *f;

	g_hash_table_iter_init(&it, run->folders);
	while (g_hash_table_iter_next(&it, NULL, (void **)&f)) {
		if (f->is_listed && f->seen >= oldest)
			g_ptr_array_add(list, f);
	}
	g_ptr_array_sort(list, compare_folders);
	for (guint i = 0; i < list->len; i++) {
		if (put_folder(run, g_ptr_array_index(list, i), err) < 0)
			return -1;
	}
	return 0;
}

/* Files that could not be read, unless they have gone since. */
static void
collect_missing(struct run *run)
{
	GHashTableIter it;
	char *path, *why;

	run->out->missing = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_iter_init(&it, run->failed);
	while (g_hash_table_iter_next(&it, (void **)&path, (void **)&why)) {
		struct stat st;

		if (lstat(path, &st) == 0)
			g_ptr_array_add(run->out->missing, g_strdup(why));
	}
	run->out->snapshot->missing = run->out->missing->len;
}

static int
check_roots(struct run *run, struct mt_err *err)
{
	const GPtrArray *roots = run->out->snapshot->roots;

	for (guint i = 0; i < roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(roots, i);

		if (root->folders->len == 0)
			return mt_fail(err, MT_ENOINPUT, "%s: no Maildir there", root->path);
	}
	return 0;
}

/* The time is in the name. Snapshots of one second, or of a clock that was set back by a
   little, get times one after another. */
static void
set_time(struct run *run)
{
	const GPtrArray *names = mt_backup_repo_snapshots(run->repo);
	int64_t now = (int64_t)time(NULL);
	mt_auto(mt_backup_snapshot) last = NULL;

	if (names->len > 0)
		last = mt_backup_repo_snapshot(run->repo,
		    g_ptr_array_index(names, names->len - 1), NULL);
	if (last != NULL && now <= last->time && last->time - now < CLOCK_SLACK)
		now = last->time + 1;
	if (last != NULL && now < last->time)
		run->out->ahead = g_strdup(last->name);
	run->out->snapshot->time = now;
}

static int
take(struct run *run, struct mt_err *err)
{
	struct mt_backup_created *out = run->out;
	int rc;

	for (size_t i = 0; i < run->params->nroots; i++)
		mt_backup_snapshot_add_root(out->snapshot, run->params->roots[i]);
	set_time(run);
	find_before(run);
	while ((rc = list_round(run, err)) > 0 && run->round < MAX_ROUNDS)
		g_usleep(TICK_NS / 1000);
	run->is_stable = rc == 0;
	if (rc < 0 || put_folders(run, err) < 0 || check_roots(run, err) < 0)
		return -1;
	collect_missing(run);
	mt_backup_snapshot_sum(out->snapshot, &out->messages, &out->bytes);
	if (mt_backup_repo_commit(run->repo, out->snapshot, err) < 0)
		return -1;
	out->added_bytes = mt_backup_repo_added(run->repo);
	return 0;
}

int
mt_backup_create(struct mt_backup_repo *r, const struct mt_backup_create *params,
    struct mt_backup_created *out, struct mt_err *err)
{
	struct run run = { .repo = r, .params = params, .out = out };
	char host[256] = "";
	int rc;

	*out = (struct mt_backup_created){ .snapshot = mt_backup_snapshot_new() };
	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	out->snapshot->host = g_strdup(host);
	run.folders = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, folder_free);
	run.failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	run.before = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)mt_backup_snapshot_free);
	run.ingest = mt_backup_ingest_new(r);
	rc = take(&run, err);
	mt_backup_ingest_free(run.ingest);
	g_ptr_array_unref(run.before);
	g_hash_table_unref(run.failed);
	g_hash_table_unref(run.folders);
	return rc;
}

void
mt_backup_created_clear(struct mt_backup_created *c)
{
	mt_backup_snapshot_free(c->snapshot);
	g_free(c->ahead);
	if (c->missing != NULL)
		g_ptr_array_unref(c->missing);
	*c = (struct mt_backup_created){ 0 };
}
