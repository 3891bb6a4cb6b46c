/* sync_gone.c - folders that the server had, and has no more: renamed, or removed */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fetch/sync_folders.h"
#include "maildir/folder.h"

static const char *const subs[] = { "cur", "new", "tmp" };

static const struct mt_sync_box *
box_of(const struct mt_sync_folders *f, const char *name)
{
	for (guint i = 0; i < f->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

		if (g_str_equal(b->name, name))
			return b;
	}
	return NULL;
}

static char *
path_of(const struct mt_sync_folders *f, const char *name)
{
	g_autofree char *below = mt_sync_names_path(&f->names, name);

	return g_build_filename(f->run->params->root, below, NULL);
}

static bool
has(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++) {
		if (g_str_equal(names->pdata[i], name))
			return true;
	}
	return false;
}

static void
tell(const struct mt_sync_folders *f, enum mt_sync_what what, const char *folder,
    const char *from)
{
	const struct mt_sync_params *p = f->run->params;
	const struct mt_sync_event ev = { .kind = p->dry_run ? MT_SYNC_WOULD : MT_SYNC_DONE,
		.what = what, .folder = folder, .from = from };

	if (!p->dry_run)
		f->run->result->done[what]++;
	if (p->report != NULL)
		p->report(p->report_arg, &ev);
}

/* --- renamed --------------------------------------------------------------------------- */

/* UIDVALIDITY may be a time: two folders that were made in one second have the same. Some of
   the messages are to be the same. */
static int
has_messages_of(struct mt_sync_folders *f, const struct mt_sync_box *b,
    const struct mt_sync_folder *old, struct mt_err *err)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row));
	g_autoptr(GStringChunk) chunk = g_string_chunk_new(4096);
	g_autoptr(GArray) meta = NULL;
	mt_auto_value(mt_imap_set) uids = { 0 };
	guint same = 0, at = 0;

	if (mt_sync_state_rows(f->run->state, old->id, rows, chunk, err) < 0)
		return -1;
	for (guint i = 0; i < rows->len; i += MAX(rows->len / 8, 1)) {
		uint32_t uid = g_array_index(rows, struct mt_sync_row, i).uid;

		mt_imap_set_add(&uids, uid, uid);
	}
	if (uids.n == 0)
		return 1;
	if (mt_sync_server_open(f->run->server, b->name, old->validity, err) < 0)
		return -1;
	meta = mt_sync_server_meta(f->run->server, &uids, err);
	if (meta == NULL)
		return -1;
	for (guint i = 0; i < meta->len; i++) {
		const struct mt_sync_meta *m = &g_array_index(meta, struct mt_sync_meta, i);
		const struct mt_sync_row *row;

		while (at < rows->len && g_array_index(rows, struct mt_sync_row, at).uid < m->uid)
			at++;
		row = at < rows->len ? &g_array_index(rows, struct mt_sync_row, at) : NULL;
		if (row == NULL || row->uid != m->uid || g_strcmp0(row->msgid, m->msgid) != 0 ||
		    (row->size != 0 && row->size != m->size))
			return 0;
		same += m->msgid != NULL;
	}
	return same > 0;
}

/* The one that it is now called: 1 with *to, 0, -1. */
static int
find_new_name(struct mt_sync_folders *f, const struct mt_sync_folder *old,
    const GPtrArray *known, const struct mt_sync_box **to, struct mt_err *err)
{
	for (guint i = 0; i < f->boxes->len; i++) {
		struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);
		const unsigned all = MT_IMAP_HAS_UIDVALIDITY | MT_IMAP_HAS_UIDNEXT;
		struct mt_err why = { 0 };
		int rc;

		if (has(known, b->name))
			continue;
		if ((b->status.has & all) != all &&
		    mt_sync_server_status(f->run->server, b, err) < 0)
			return -1;
		if ((b->status.has & all) != all || b->status.uidvalidity != old->validity ||
		    b->status.uidnext < old->uidnext)
			continue;
		rc = has_messages_of(f, b, old, &why);
		if (rc < 0 && why.kind != MT_EUNAVAIL && why.kind != MT_ETEMP) {
			*err = why;
			return -1;
		}
		*to = b;
		if (rc > 0)
			return 1;
	}
	return 0;
}

/* Away with it, and with those that it is in, as long as there is nothing in them. */
static void
remove_empty(const char *root, const char *path)
{
	g_autofree char *at = g_strdup(path);

	while (strlen(at) > strlen(root) && rmdir(at) == 0) {
		char *above = g_path_get_dirname(at);

		g_free(at);
		at = above;
	}
}

/* What is in a Maildir goes to the other; a run that was killed here is gone on with. */
static int
move_maildir(const char *root, const char *from, const char *to, struct mt_err *err)
{
	mt_auto(mt_maildir) made = NULL;

	if (mt_file_mkdirs(to, 0700, err) < 0)
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *old = g_build_filename(from, subs[i], NULL);
		g_autofree char *new = g_build_filename(to, subs[i], NULL);

		if (renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) < 0 &&
		    errno != ENOENT)
			return mt_fail(err, mt_err_kind_of_errno(errno), "%s: rename to %s: %m",
			    old, new);
	}
	if (mt_file_sync_dir(to, err) < 0 || mt_file_sync_dir(from, err) < 0)
		return -1;
	made = mt_maildir_create(to, err);
	remove_empty(root, from);
	return made != NULL ? 0 : -1;
}

/* A run that does nothing does not look into it, either. */
static void
leave_out(struct mt_sync_folders *f, const struct mt_sync_box *b)
{
	for (guint i = 0; i < f->boxes->len; i++) {
		if (g_ptr_array_index(f->boxes, i) != b)
			continue;
		g_ptr_array_remove_index(f->boxes, i);
		g_ptr_array_remove_index(f->paths, i);
		return;
	}
}

static int
rename_here(struct mt_sync_folders *f, struct mt_sync_folder *old,
    const struct mt_sync_box *to, struct mt_err *err)
{
	g_autofree char *old_path = path_of(f, old->name), *new_path = path_of(f, to->name);
	struct mt_err why = { 0 };

	if (!f->run->params->dry_run) {
		if (g_file_test(old_path, G_FILE_TEST_IS_DIR) &&
		    move_maildir(f->run->params->root, old_path, new_path, &why) < 0) {
			mt_sync_fail_folder(f->run, to->name, &why);
			return 0;
		}
		if (mt_sync_state_rename(f->run->state, old->id, to->name, err) < 0)
			return -1;
	}
	tell(f, MT_SYNC_RENAME_LOCAL, to->name, old->name);
	if (f->run->params->dry_run)
		leave_out(f, to);
	return 0;
}

/* --- removed -------------------------------------------------------------------------- */

/* Whether the server had all that is in it: 1, 0, -1. */
static int
was_there(struct mt_sync_folders *f, const struct mt_sync_folder *old,
    const struct mt_sync_dir *dir, struct mt_err *err)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row));
	g_autoptr(GStringChunk) chunk = g_string_chunk_new(4096);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	if (mt_sync_state_rows(f->run->state, old->id, rows, chunk, err) < 0)
		return -1;
	for (guint i = 0; i < rows->len; i++)
		g_hash_table_add(names, (void *)(uintptr_t)
		    g_array_index(rows, struct mt_sync_row, i).name);
	for (guint i = 0; i < dir->files->len; i++) {
		if (!g_hash_table_contains(names,
		    g_array_index(dir->files, struct mt_sync_file, i).name))
			return 0;
	}
	return 1;
}

/* Why the Maildir is to stay; 1: it may go. */
static int
may_go(struct mt_sync_folders *f, const struct mt_sync_folder *old,
    const struct mt_sync_dir *dir, struct mt_err *why, struct mt_err *err)
{
	const struct mt_sync_params *p = f->run->params;
	int64_t all = mt_sync_state_count_all(f->run->state, err);
	int rc;

	if (all < 0)
		return -1;
	if (dir->files->len == 0)
		return 1;
	if (!p->delete_folders) {
		mt_fail(why, MT_EDATA, "the server has this folder no more; %u messages are here: "
		    "say --delete-folders, or give the Maildir another name to have it made there "
		    "again", dir->files->len);
		return 0;
	}
	if (!p->force && mt_sync_is_mass(dir->files->len, (size_t)all)) {
		mt_fail(why, MT_EDATA, "the server has this folder no more; it holds %u of all "
		    "%lld messages here: say --force, too, if that is meant", dir->files->len,
		    (long long)all);
		return 0;
	}
	rc = was_there(f, old, dir, err);
	if (rc == 0)
		mt_fail(why, MT_EDATA, "the server has this folder no more, and never had some of "
		    "the messages that are here: it stays");
	return rc;
}

static int
remove_maildir(const char *root, struct mt_sync_dir *dir, const char *path,
    struct mt_err *err)
{
	for (guint i = 0; i < dir->files->len; i++) {
		if (mt_sync_dir_remove(dir, &g_array_index(dir->files, struct mt_sync_file, i),
		    err) < 0)
			return -1;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *sub = g_build_filename(path, subs[i], NULL);

		if (rmdir(sub) < 0 && errno != ENOENT)
			return mt_fail(err, mt_err_kind_of_errno(errno), "%s: remove: %m", sub);
	}
	remove_empty(root, path);
	return 0;
}

static int
remove_here(struct mt_sync_folders *f, const struct mt_sync_folder *old, struct mt_err *err)
{
	g_autofree char *path = path_of(f, old->name);
	mt_auto_value(mt_sync_dir) dir = { 0 };
	struct mt_err why = { 0 };
	int rc = mt_sync_dir_scan(&dir, path, err);

	if (rc > 0)
		rc = may_go(f, old, &dir, &why, err);
	else if (rc == 0)
		return f->run->params->dry_run ? 0 :
		    mt_sync_state_drop(f->run->state, old->id, err);
	if (rc < 0)
		return -1;
	if (rc > 0 && !f->run->params->dry_run)
		rc = remove_maildir(f->run->params->root, &dir, path, &why) < 0 ? 0 : 1;
	if (rc == 0) {
		mt_sync_fail_folder(f->run, old->name, &why);
		return 0;
	}
	tell(f, MT_SYNC_RMDIR_LOCAL, old->name, NULL);
	return f->run->params->dry_run ? 0 : mt_sync_state_drop(f->run->state, old->id, err);
}

int
mt_sync_gone(struct mt_sync_folders *f, struct mt_err *err)
{
	g_autoptr(GPtrArray) known = mt_sync_state_names(f->run->state, err);

	if (known == NULL)
		return -1;
	for (guint i = 0; i < known->len && !f->run->params->no_pull; i++) {
		const char *name = g_ptr_array_index(known, i);
		mt_auto_value(mt_sync_folder) old = { 0 };
		const struct mt_sync_box *to;
		int rc;

		if (box_of(f, name) != NULL || !mt_sync_folders_is_wanted(f, name, 0))
			continue;
		if (mt_sync_state_folder(f->run->state, name, false, &old, err) < 0)
			return -1;
		rc = old.validity == 0 ? 0 : find_new_name(f, &old, known, &to, err);
		if (rc > 0)
			rc = rename_here(f, &old, to, err);
		else if (rc == 0)
			rc = remove_here(f, &old, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}
