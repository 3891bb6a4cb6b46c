/* verify.c - read a whole repository and say what is damaged, and what cannot be read */
#include "backup/verify.h"

#include <string.h>

/* Why a blob is not whole: it is damaged, or may be sound and cannot be read. */
struct fault {
	char *why;
	bool is_unread;
};

/* A message that is not whole, and the snapshots that have it. */
struct lost {
	struct fault fault;
	const char *snapshot;	/* the newest; owned by the repository */
	unsigned snapshots;
};

struct run {
	struct mt_backup_repo *repo;
	struct mt_progress *progress;
	struct mt_backup_verified *out;
	GHashTable *good;	/* struct mt_backup_id, copied */
	GHashTable *bad;	/* the same -> struct fault; also in good when another pack
				   has it */
	struct fault nowhere;	/* of what is in no pack that was read */
	GHashTable *lists;	/* id of a list -> GPtrArray of its entries that are bad */
	GHashTable *lost;	/* "FOLDER/cur/NAME" -> struct lost */
};

static void
fault_free(void *p)
{
	struct fault *f = p;

	g_free(f->why);
	g_free(f);
}

static void
lost_free(void *p)
{
	struct lost *l = p;

	g_free(l->fault.why);
	g_free(l);
}

static void
add_line(struct run *run, bool is_unread, const char *line)
{
	GPtrArray *lines = is_unread ? run->out->unread : run->out->damage;

	/* All blobs of a frame say the same. */
	if (lines->len == 0 ||
	    !g_str_equal(g_ptr_array_index(lines, lines->len - 1), line))
		g_ptr_array_add(lines, g_strdup(line));
}

static void
add_error(struct run *run, const struct mt_err *why)
{
	add_line(run, why->kind != MT_EDATA, why->msg);
}

/* Takes the id. Of two packs the one that may be sound counts. */
static void
add_bad(struct run *run, struct mt_backup_id *id, const struct mt_err *why)
{
	const struct fault *old = g_hash_table_lookup(run->bad, id);
	struct fault *f;

	if (old != NULL && old->is_unread) {
		g_free(id);
		return;
	}
	f = g_new0(struct fault, 1);
	*f = (struct fault){ g_strdup(why->msg), why->kind != MT_EDATA };
	g_hash_table_replace(run->bad, id, f);
}

static int
check_blob(struct mt_backup_pack *pack, const struct mt_backup_blob *b,
    struct mt_err *err)
{
	mt_auto(mt_digest) digest = mt_digest_new();
	struct mt_backup_id id;

	for (uint64_t at = 0; at < b->size;) {
		struct mt_slice bytes;

		if (mt_backup_pack_read(pack, b->offset + at, &bytes, err) < 0)
			return -1;
		bytes = mt_slice_first(bytes, b->size - at);
		mt_digest_add(digest, bytes.p, bytes.n);
		at += bytes.n;
	}
	mt_digest_end(digest, id.b);
	if (!mt_backup_id_same(&id, &b->id))
		return mt_fail(err, MT_EDATA,
		    "bytes %llu to %llu of its content: wrong SHA-256",
		    (unsigned long long)b->offset,
		    (unsigned long long)(b->offset + b->size));
	return 0;
}

static void
check_blobs(struct run *run, struct mt_backup_pack *pack, const char *name)
{
	for (size_t i = 0; i < mt_backup_pack_count(pack); i++) {
		const struct mt_backup_blob *b = mt_backup_pack_blob(pack, i);
		struct mt_backup_id *id = g_memdup2(&b->id, sizeof(b->id));
		struct mt_err why = { 0 };

		if (check_blob(pack, b, &why) < 0) {
			mt_backup_repo_fail_in_pack(run->repo, name, &why);
			add_error(run, &why);
			add_bad(run, id, &why);
		} else if (g_hash_table_add(run->good, id) &&
		    b->kind == MT_BACKUP_MESSAGE) {
			run->out->messages++;
			run->out->bytes += b->size;
		}
		mt_progress_add(run->progress, 1);
	}
}

/* What is in no other pack may be in this one. */
static void
unread_pack(struct run *run, const char *why)
{
	if (run->nowhere.is_unread)
		return;
	g_free(run->nowhere.why);
	run->nowhere = (struct fault){ g_strdup(why), true };
}

static void
check_pack(struct run *run, const char *name)
{
	struct mt_err why = { 0 };
	mt_auto(mt_backup_pack) pack = mt_backup_repo_open_pack(run->repo, name, &why);
	size_t before = run->out->damage->len + run->out->unread->len;

	run->out->packs++;
	if (pack == NULL) {
		add_error(run, &why);
		if (why.kind != MT_EDATA)
			unread_pack(run, why.msg);
		return;
	}
	if (mt_backup_pack_is_suspect(pack)) {
		g_autofree char *line =
		    g_strdup_printf("pack %s: the table's checksum is wrong", name);

		add_line(run, false, line);
	}
	check_blobs(run, pack, name);
	/* Say this only when nothing says it better. */
	if (mt_backup_repo_check_pack(run->repo, name, &why) < 0 &&
	    run->out->damage->len + run->out->unread->len == before)
		add_error(run, &why);
}

static const struct fault *
why_bad(struct run *run, const struct mt_backup_id *id)
{
	const struct fault *f = g_hash_table_lookup(run->bad, id);

	return f != NULL ? f : &run->nowhere;
}

/* The entries of a list that are not whole; NULL when the list itself is not. Each list
   is read once, however many snapshots share it. Owned by run. */
static const GPtrArray *
bad_entries(struct run *run, const struct mt_backup_id *id, struct mt_err *err)
{
	mt_auto_value(mt_buf) blob = MT_BUF_INIT(MT_BACKUP_MAX_LIST);
	g_autoptr(GPtrArray) entries = NULL;
	GPtrArray *bad = g_hash_table_lookup(run->lists, id);

	if (bad != NULL)
		return bad;
	if (!g_hash_table_contains(run->good, id)) {
		const struct fault *f = why_bad(run, id);

		return mt_fail_null(err, f->is_unread ? MT_EIO : MT_EDATA, "%s", f->why);
	}
	entries = mt_backup_entries_new();
	if (mt_backup_repo_read_blob(run->repo, id, &blob, err) < 0 ||
	    mt_backup_list_parse(mt_buf_slice(&blob), entries, err) < 0)
		return NULL;
	bad = mt_backup_entries_new();
	for (guint i = 0; i < entries->len; i++) {
		struct mt_backup_entry *e = g_ptr_array_index(entries, i);

		if (g_hash_table_contains(run->good, &e->id))
			continue;
		g_ptr_array_add(bad, e);
		entries->pdata[i] = NULL;
	}
	g_hash_table_insert(run->lists, g_memdup2(id, sizeof(*id)), bad);
	return bad;
}

static void
lose(struct run *run, const char *snapshot, const char *folder,
    const struct mt_backup_entry *e)
{
	g_autofree char *path = mt_backup_message_path(folder, e);
	struct lost *l = g_hash_table_lookup(run->lost, path);

	if (l == NULL) {
		const struct fault *f = why_bad(run, &e->id);

		l = g_new0(struct lost, 1);
		l->fault = (struct fault){ g_strdup(f->why), f->is_unread };
		g_hash_table_insert(run->lost, g_steal_pointer(&path), l);
	}
	l->snapshot = snapshot;
	l->snapshots++;
}

static void
check_folder(struct run *run, const char *snapshot, const struct mt_backup_folder *f)
{
	for (guint i = 0; i < f->lists->len; i++) {
		struct mt_err why = { 0 };
		const GPtrArray *bad = bad_entries(run,
		    &g_array_index(f->lists, struct mt_backup_id, i), &why);

		if (bad == NULL) {
			g_autofree char *line = g_strdup_printf(
			    "snapshot %s: folder %s: part %u of %u of its list %s: %s",
			    snapshot, f->path, i + 1, f->lists->len,
			    why.kind == MT_EDATA ? "is lost" : "was not read", why.msg);

			add_line(run, why.kind != MT_EDATA, line);
			continue;
		}
		for (guint k = 0; k < bad->len; k++)
			lose(run, snapshot, f->path, g_ptr_array_index(bad, k));
	}
}

static void
check_snapshot(struct run *run, const char *name)
{
	struct mt_err why = { 0 };
	mt_auto(mt_backup_snapshot) s = mt_backup_repo_snapshot(run->repo, name, &why);

	run->out->snapshots++;
	if (s == NULL) {
		add_error(run, &why);
		return;
	}
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		for (guint k = 0; k < root->folders->len; k++)
			check_folder(run, name, g_ptr_array_index(root->folders, k));
	}
}

static void
report_lost(struct run *run)
{
	g_autoptr(GList) paths = g_hash_table_get_keys(run->lost);

	paths = g_list_sort(paths, (GCompareFunc)strcmp);
	for (const GList *at = paths; at != NULL; at = at->next) {
		const struct lost *l = g_hash_table_lookup(run->lost, at->data);
		g_autofree char *more = l->snapshots == 1 ? g_strdup("") :
		    g_strdup_printf(" and %u more", l->snapshots - 1);
		g_autofree char *line = g_strdup_printf("%s (%s%s): %s: %s",
		    (const char *)at->data, l->snapshot, more,
		    l->fault.is_unread ? "not read" : "lost", l->fault.why);

		add_line(run, l->fault.is_unread, line);
		run->out->lost += !l->fault.is_unread;
	}
}

int
mt_backup_verify(struct mt_backup_repo *r, struct mt_progress *progress,
    struct mt_backup_verified *out, struct mt_err *err)
{
	const GPtrArray *packs = mt_backup_repo_packs(r);
	const GPtrArray *snapshots = mt_backup_repo_snapshots(r);
	struct run run = { .repo = r, .progress = progress, .out = out };

	(void)err;
	*out = (struct mt_backup_verified){ 0 };
	out->damage = g_ptr_array_new_with_free_func(g_free);
	out->unread = g_ptr_array_new_with_free_func(g_free);
	run.nowhere.why = g_strdup("in no pack that can be read");
	run.good = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    NULL);
	run.bad = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    fault_free);
	run.lists = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    (GDestroyNotify)g_ptr_array_unref);
	run.lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lost_free);
	for (guint i = 0; i < packs->len; i++)
		check_pack(&run, g_ptr_array_index(packs, i));
	/* The disk gave it now, and not at first: it is failing all the same. */
	if (mt_backup_repo_unread(r) != NULL && out->unread->len == 0)
		add_error(&run, mt_backup_repo_unread(r));
	for (guint i = 0; i < snapshots->len; i++)
		check_snapshot(&run, g_ptr_array_index(snapshots, i));
	report_lost(&run);
	g_hash_table_unref(run.lost);
	g_hash_table_unref(run.lists);
	g_hash_table_unref(run.bad);
	g_hash_table_unref(run.good);
	g_free(run.nowhere.why);
	return 0;
}

void
mt_backup_verified_clear(struct mt_backup_verified *v)
{
	g_clear_pointer(&v->damage, g_ptr_array_unref);
	g_clear_pointer(&v->unread, g_ptr_array_unref);
}
