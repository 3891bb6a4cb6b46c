/* sync_join.c - what only the server and what only the Maildir has may be the same message */
#include "fetch/sync_job.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"

/*
 * It happens after a run was killed, or a connection lost, behind an upload; when the server
 * has given all messages new UIDs; when the state is lost; when a Maildir comes from
 * elsewhere; and when a program keeps its copy on both sides. Two messages are one when they
 * have the same Message-ID and the same size with CRLF; without a Message-ID, when they have
 * the same bytes. Of several copies each is joined once.
 */
struct join {
	struct mt_sync_job *job;
	GHashTable *rows;	/* name -> row of `old`: what the server once said of the file */
	GHashTable *metas;	/* "msgid size" -> GPtrArray of struct mt_sync_meta *, unjoined */
	GArray *meta;
	GArray *found;		/* struct mt_sync_row */
};

static void
list_free(void *p)
{
	g_ptr_array_unref(p);
}

static char *
key_of(const char *msgid, uint64_t size)
{
	return g_strdup_printf("%llu %s", (unsigned long long)size, msgid != NULL ? msgid : "");
}

/* UIDs that no row has. */
static void
new_uids(const struct mt_sync_job *j, struct mt_imap_set *out)
{
	guint at = 0;

	for (guint i = 0; i < j->sel.remote->len; i++) {
		uint32_t uid = g_array_index(j->sel.remote, struct mt_sync_remote, i).uid;

		while (at < j->rows->len &&
		    g_array_index(j->rows, struct mt_sync_row, at).uid < uid)
			at++;
		if (at >= j->rows->len || g_array_index(j->rows, struct mt_sync_row, at).uid != uid)
			mt_imap_set_add(out, uid, uid);
	}
}

/* Files that no row has. */
static GPtrArray *
new_files(const struct mt_sync_job *j)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *out = g_ptr_array_new();

	for (guint i = 0; i < j->rows->len; i++)
		g_hash_table_add(names, (void *)(uintptr_t)
		    g_array_index(j->rows, struct mt_sync_row, i).name);
	for (guint i = 0; i < j->dir.files->len; i++) {
		struct mt_sync_file *f = &g_array_index(j->dir.files, struct mt_sync_file, i);

		if (!g_hash_table_contains(names, f->name))
			g_ptr_array_add(out, f);
	}
	return out;
}

static void
index_metas(struct join *join)
{
	for (guint i = 0; i < join->meta->len; i++) {
		struct mt_sync_meta *m = &g_array_index(join->meta, struct mt_sync_meta, i);
		char *key = key_of(m->msgid, m->size);
		GPtrArray *list = g_hash_table_lookup(join->metas, key);

		if (list == NULL) {
			list = g_ptr_array_new();
			g_hash_table_insert(join->metas, key, list);
		} else {
			g_free(key);
		}
		g_ptr_array_add(list, m);
	}
}

/* --- the same bytes ------------------------------------------------------------------ */

struct bytes {
	uint32_t uid;
	GChecksum *sum;
	char *digest;
	char last;
};

/* CRLF as LF: so it is stored. */
static void
add_bytes(struct bytes *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (b->last == '\r' && p[i] != '\n')
			g_checksum_update(b->sum, (const guchar *)"\r", 1);
		if (p[i] != '\r')
			g_checksum_update(b->sum, (const guchar *)p + i, 1);
		b->last = p[i];
	}
}

static int
bytes_begin(void *arg, uint64_t n, struct mt_err *err)
{
	struct bytes *b = arg;

	(void)n, (void)err;
	g_checksum_reset(b->sum);
	b->last = '\0';
	return 0;
}

static int
bytes_write(void *arg, const char *p, size_t n, struct mt_err *err)
{
	(void)err;
	add_bytes(arg, p, n);
	return 0;
}

static int
bytes_end(void *arg, const struct mt_imap_fetch *what, struct mt_err *err)
{
	struct bytes *b = arg;

	(void)err;
	if ((what->has & MT_IMAP_HAS_UID) == 0 || what->uid != b->uid)
		return 0;
	g_free(b->digest);
	b->digest = g_strdup(g_checksum_get_string(b->sum));
	return 0;
}

/* Whether a message of the server has the bytes of the file: 1, 0, -1. */
static int
is_same(const struct join *join, uint32_t uid, const struct mt_sync_file *f, struct mt_err *err)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	mt_auto_value(mt_imap_set) set = { 0 };
	struct bytes b = { uid, sum, NULL, '\0' };
	const struct mt_sync_bodies bodies = { bytes_begin, bytes_write, bytes_end, &b };
	g_autofree char *path = mt_sync_dir_path(&join->job->dir, f), *theirs = NULL;
	mt_auto_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	char buf[8192];
	ssize_t n;

	mt_imap_set_add(&set, uid, uid);
	if (fd < 0)
		return 0;
	if (mt_sync_server_fetch(join->job->run->server, &set, &bodies, err) < 0)
		return -1;
	theirs = b.digest;
	bytes_begin(&b, 0, NULL);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		add_bytes(&b, buf, (size_t)n);
	return n == 0 && g_strcmp0(theirs, g_checksum_get_string(sum)) == 0;
}

/* --- joining ------------------------------------------------------------------------- */

static const struct mt_sync_remote *
remote_of(const struct mt_sync_job *j, uint32_t uid)
{
	const GArray *list = j->sel.remote;
	guint low = 0, high = list->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(list, struct mt_sync_remote, middle).uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return &g_array_index(list, struct mt_sync_remote, low);
}

/* What only one side has set is a change of that side: base is what both have. */
static void
add_row(struct join *join, const struct mt_sync_file *f, const struct mt_sync_meta *m)
{
	const struct mt_sync_remote *r = remote_of(join->job, m->uid);
	struct mt_sync_row row = { .uid = m->uid, .name = f->name, .flags = r->flags & f->flags,
		.keywords = r->keywords, .size = m->size,
		.msgid = m->msgid == NULL ? NULL :
		    g_string_chunk_insert(join->job->strings, m->msgid) };

	g_array_append_val(join->found, row);
}

static int
join_file(struct join *join, const struct mt_sync_file *f, struct mt_err *err)
{
	const struct mt_sync_row *old = g_hash_table_lookup(join->rows, f->name);
	g_autofree char *msgid = NULL, *key = NULL;
	struct mt_err ignored = { 0 };
	GPtrArray *list;
	uint64_t size;

	if (old != NULL) {
		msgid = g_strdup(old->msgid);
		size = old->size;
	} else if (mt_sync_dir_identify(&join->job->dir, f, &msgid, &size, &ignored) < 0) {
		return 0;	/* its owner has just changed it: next time */
	}
	key = key_of(msgid, size);
	list = g_hash_table_lookup(join->metas, key);
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const struct mt_sync_meta *m = g_ptr_array_index(list, i);
		int rc = msgid != NULL ? 1 : is_same(join, m->uid, f, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		add_row(join, f, m);
		g_ptr_array_remove_index(list, i);
		break;
	}
	return 0;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct mt_sync_row *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static int
keep(struct join *join, struct mt_err *err)
{
	struct mt_sync_job *j = join->job;
	int rc = 0;

	g_array_append_vals(j->rows, join->found->data, join->found->len);
	g_array_sort(j->rows, compare_rows);
	j->run->result->joined += join->found->len;
	if (j->run->params->dry_run || join->found->len == 0)
		return 0;
	if (mt_sync_state_begin(j->run->state, err) < 0)
		return -1;
	for (guint i = 0; i < join->found->len && rc == 0; i++)
		rc = mt_sync_state_put(j->run->state, j->folder.id,
		    &g_array_index(join->found, struct mt_sync_row, i), MT_SYNC_AGREED, err);
	if (rc == 0 && mt_sync_state_commit(j->run->state, err) == 0)
		return 0;
	mt_sync_state_rollback(j->run->state);
	return -1;
}

int
mt_sync_join(struct mt_sync_job *j, struct mt_err *err)
{
	g_autoptr(GPtrArray) files = new_files(j);
	g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) metas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    list_free);
	g_autoptr(GArray) meta = NULL, found = g_array_new(FALSE, FALSE,
	    sizeof(struct mt_sync_row));
	mt_auto_value(mt_imap_set) uids = { 0 };
	struct join join = { j, rows, metas, NULL, found };

	new_uids(j, &uids);
	if (uids.n == 0 || files->len == 0)
		return 0;
	join.meta = meta = mt_sync_server_meta(j->run->server, &uids, err);
	if (meta == NULL)
		return -1;
	for (guint i = 0; j->old != NULL && i < j->old->len; i++) {
		struct mt_sync_row *row = &g_array_index(j->old, struct mt_sync_row, i);

		g_hash_table_insert(rows, (void *)(uintptr_t)row->name, row);
	}
	index_metas(&join);
	for (guint i = 0; i < files->len; i++) {
		if (join_file(&join, g_ptr_array_index(files, i), err) < 0)
			return -1;
	}
	return keep(&join, err);
}
