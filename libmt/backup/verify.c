/* verify.c - read a whole repository and say what is damaged */
#include "backup/verify.h"

#include <string.h>

/* A message that is not whole, and the snapshots that have it. */
struct lost {
	char *why;
	const char *snapshot;	/* the newest; owned by the repository */
	unsigned snapshots;
};

struct run {
	struct mt_backup_repo *repo;
	struct mt_progress *progress;
	struct mt_backup_verified *out;
	GHashTable *good;	/* struct mt_backup_id, copied */
	GHashTable *bad;	/* the same -> why; also in good when another pack has it */
	GHashTable *lists;	/* id of a list -> GPtrArray of its entries that are bad */
	GHashTable *lost;	/* "FOLDER/cur/NAME" -> struct lost */
};

static void
lost_free(void *p)
{
	struct lost *l = p;

	g_free(l->why);
	g_free(l);
}

static void
add_damage(struct run *run, const char *line)
{
	const GPtrArray *damage = run->out->damage;

	/* All blobs of a frame say the same. */
	if (damage->len == 0 ||
	    !g_str_equal(g_ptr_array_index(damage, damage->len - 1), line))
		g_ptr_array_add(run->out->damage, g_strdup(line));
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
			mt_fail_in(&why, "pack %s", name);
			add_damage(run, why.msg);
			g_hash_table_replace(run->bad, id, g_strdup(why.msg));
		} else if (g_hash_table_add(run->good, id) &&
		    b->kind == MT_BACKUP_MESSAGE) {
			run->out->messages++;
			run->out->bytes += b->size;
		}
		mt_progress_add(run->progress, 1);
	}
}

static void
check_pack(struct run *run, const char *name)
{
	struct mt_err why = { 0 };
	mt_auto(mt_backup_pack) pack = mt_backup_repo_open_pack(run->repo, name, &why);
	size_t before = run->out->damage->len;

	run->out->packs++;
	if (pack == NULL) {
		add_damage(run, why.msg);
		return;
	}
	if (mt_backup_pack_is_suspect(pack)) {
		g_autofree char *line =
		    g_strdup_printf("pack %s: the table's checksum is wrong", name);

		add_damage(run, line);
	}
	check_blobs(run, pack, name);
	/* Say this only when nothing says it better. */
	if (mt_backup_repo_check_pack(run->repo, name, &why) < 0 &&
	    run->out->damage->len == before)
		add_damage(run, why.msg);
}

static const char *
why_bad(struct run *run, const struct mt_backup_id *id)
{
	const char *why = g_hash_table_lookup(run->bad, id);

	return why != NULL ? why : "in no pack that can be read";
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
	if (!g_hash_table_contains(run->good, id))
		return mt_fail_null(err, MT_EDATA, "%s", why_bad(run, id));
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
		l = g_new0(struct lost, 1);
		l->why = g_strdup(why_bad(run, &e->id));
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
			    "snapshot %s: folder %s: part %u of %u of its list is lost: %s",
			    snapshot, f->path, i + 1, f->lists->len, why.msg);

			add_damage(run, line);
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
		add_damage(run, why.msg);
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
		g_autofree char *line = g_strdup_printf("%s (%s%s): lost: %s",
		    (const char *)at->data, l->snapshot, more, l->why);

		add_damage(run, line);
		run->out->lost++;
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
	run.good = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    NULL);
	run.bad = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    g_free);
	run.lists = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, g_free,
	    (GDestroyNotify)g_ptr_array_unref);
	run.lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lost_free);
	for (guint i = 0; i < packs->len; i++)
		check_pack(&run, g_ptr_array_index(packs, i));
	for (guint i = 0; i < snapshots->len; i++)
		check_snapshot(&run, g_ptr_array_index(snapshots, i));
	report_lost(&run);
	g_hash_table_unref(run.lost);
	g_hash_table_unref(run.lists);
	g_hash_table_unref(run.bad);
	g_hash_table_unref(run.good);
	return 0;
}

void
mt_backup_verified_clear(struct mt_backup_verified *v)
{
	g_clear_pointer(&v->damage, g_ptr_array_unref);
}
