/* scan.c - bring the index up to date with the mail root */
#include "index/scan.h"

#include <notmuch.h>
#include <stdbool.h>
#include <unistd.h>

#include "index/guard.h"
#include "index/walk.h"

struct scan {
	struct mt_index *index;
	notmuch_database_t *db;
	struct mt_progress *progress;
	struct mt_index_scanned *out;
	struct mt_index_changes changes;
	GPtrArray *new_tags;
	bool sync_flags;
};

static void
load_settings(struct scan *s)
{
	notmuch_config_values_t *v =
	    notmuch_config_get_values(s->db, NOTMUCH_CONFIG_NEW_TAGS);
	notmuch_bool_t sync = TRUE;

	for (; notmuch_config_values_valid(v); notmuch_config_values_move_to_next(v))
		g_ptr_array_add(s->new_tags, g_strdup(notmuch_config_values_get(v)));
	notmuch_config_values_destroy(v);
	if (notmuch_config_get_bool(s->db, NOTMUCH_CONFIG_SYNC_MAILDIR_FLAGS, &sync) ==
	    NOTMUCH_STATUS_SUCCESS)
		s->sync_flags = sync;
	else
		s->sync_flags = true;
}

static int
tag_new(struct scan *s, notmuch_message_t *m)
{
	notmuch_status_t status = notmuch_message_freeze(m);

	for (guint i = 0; status == NOTMUCH_STATUS_SUCCESS && i < s->new_tags->len; i++)
		status = notmuch_message_add_tag(m, g_ptr_array_index(s->new_tags, i));
	if (status == NOTMUCH_STATUS_SUCCESS && s->sync_flags)
		status = notmuch_message_maildir_flags_to_tags(m);
	return status == NOTMUCH_STATUS_SUCCESS ? notmuch_message_thaw(m) : status;
}

/* The look again next time. */
static void
mark_unsure(struct scan *s, const struct mt_index_file *f)
{
	struct mt_index_dir *d = g_ptr_array_index(s->changes.dirs, f->dir);

	d->is_unsure = true;
}

/* Index a file that is safe, and tag its message. */
static int
index_file(struct scan *s, const struct mt_index_file *f, struct mt_err *err)
{
	notmuch_message_t *m = NULL;
	int status = notmuch_database_index_file(s->db, f->path, NULL, &m);

	switch (status) {
	case NOTMUCH_STATUS_SUCCESS:
		status = tag_new(s, m);
		s->out->added++;
		s->out->files++;
		break;
	case NOTMUCH_STATUS_DUPLICATE_MESSAGE_ID:
		status = s->sync_flags ? notmuch_message_maildir_flags_to_tags(m) :
		    NOTMUCH_STATUS_SUCCESS;
		s->out->files++;
		break;
	case NOTMUCH_STATUS_FILE_NOT_EMAIL:
		s->out->ignored++;
		status = NOTMUCH_STATUS_SUCCESS;
		break;
	case NOTMUCH_STATUS_FILE_ERROR:
		mark_unsure(s, f);
		if (access(f->path, F_OK) == 0)
			g_ptr_array_add(s->out->failed,
			    g_strdup_printf("%s: cannot be read", f->path));
		status = NOTMUCH_STATUS_SUCCESS;
		break;
	default:
		break;
	}
	if (m != NULL)
		notmuch_message_destroy(m);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "indexing %s", f->path);
	return 0;
}

static int
add_file(struct scan *s, const struct mt_index_file *f, struct mt_err *err)
{
	struct mt_err why = { 0 };
	int rc, status;

	if (mt_index_guard_is_skipped(s->index, f->path))
		return 0;
	rc = mt_index_guard(s->index, f->path, &why);
	if (rc <= 0) {
		if (rc < 0)
			mark_unsure(s, f);
		if (rc < 0 && why.kind == MT_ETEMP)
			s->out->try_again = true;
		if (rc == 0 || why.kind != MT_ENOINPUT)
			g_ptr_array_add(rc == 0 ? s->out->skipped : s->out->failed,
			    g_strdup(why.msg));
		return 0;
	}
	status = notmuch_database_begin_atomic(s->db);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "transaction");
	if (index_file(s, f, err) < 0)
		return -1;
	status = notmuch_database_end_atomic(s->db);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "transaction");
	return 0;
}

/* Forget a file. The message stays while it has another; its flags may have come from
   this one. */
static int
forget_file(struct scan *s, const char *path)
{
	notmuch_message_t *m = NULL;
	int status = notmuch_database_find_message_by_filename(s->db, path, &m);

	if (status != NOTMUCH_STATUS_SUCCESS || m == NULL)
		return status;
	status = notmuch_database_remove_message(s->db, path);
	s->out->removed_files++;
	if (status == NOTMUCH_STATUS_SUCCESS)
		s->out->removed++;
	else if (status == NOTMUCH_STATUS_DUPLICATE_MESSAGE_ID)
		status = s->sync_flags ? notmuch_message_maildir_flags_to_tags(m) :
		    NOTMUCH_STATUS_SUCCESS;
	notmuch_message_destroy(m);
	return status;
}

static int
remove_file(struct scan *s, const char *path, struct mt_err *err)
{
	int status = notmuch_database_begin_atomic(s->db);

	if (status == NOTMUCH_STATUS_SUCCESS)
		status = forget_file(s, path);
	if (status == NOTMUCH_STATUS_SUCCESS)
		status = notmuch_database_end_atomic(s->db);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "forgetting %s", path);
	return 0;
}

static int
remove_dir(struct scan *s, const char *path, struct mt_err *err)
{
	notmuch_directory_t *dir = NULL;
	int status = notmuch_database_get_directory(s->db, path, &dir);

	if (status == NOTMUCH_STATUS_SUCCESS && dir != NULL)
		status = notmuch_directory_delete(dir);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "forgetting %s", path);
	return 0;
}

/* All of this directory is in the index, as of that time. */
static int
set_mtime(struct scan *s, const struct mt_index_dir *d, struct mt_err *err)
{
	notmuch_directory_t *dir = NULL;
	int status = notmuch_database_get_directory(s->db, d->path, &dir);

	if (status == NOTMUCH_STATUS_SUCCESS && dir != NULL)
		status = notmuch_directory_set_mtime(dir, d->mtime);
	if (dir != NULL)
		notmuch_directory_destroy(dir);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return mt_index_fail(s->index, status, err, "index of %s", d->path);
	return 0;
}

static int
apply(struct scan *s, struct mt_err *err)
{
	const struct mt_index_changes *c = &s->changes;

	mt_progress_begin(s->progress, "indexing", c->added->len);
	for (guint i = 0; i < c->added->len; i++) {
		if (add_file(s, g_ptr_array_index(c->added, i), err) < 0)
			return -1;
		mt_progress_add(s->progress, 1);
	}
	mt_progress_begin(s->progress, "forgetting", c->removed->len);
	for (guint i = 0; i < c->removed->len; i++) {
		if (remove_file(s, g_ptr_array_index(c->removed, i), err) < 0)
			return -1;
		mt_progress_add(s->progress, 1);
	}
	for (guint i = 0; i < c->removed_dirs->len; i++) {
		if (remove_dir(s, g_ptr_array_index(c->removed_dirs, i), err) < 0)
			return -1;
	}
	for (guint i = 0; i < c->dirs->len; i++) {
		const struct mt_index_dir *d = g_ptr_array_index(c->dirs, i);

		if (!d->is_unsure && set_mtime(s, d, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_index_scan(struct mt_index *index, struct mt_progress *progress,
    struct mt_index_scanned *out, struct mt_err *err)
{
	struct scan s = { .index = index, .db = mt_index_db(index), .progress = progress,
		.out = out };
	int rc;

	*out = (struct mt_index_scanned){ 0 };
	out->skipped = g_ptr_array_new_with_free_func(g_free);
	out->failed = g_ptr_array_new_with_free_func(g_free);
	s.new_tags = g_ptr_array_new_with_free_func(g_free);
	load_settings(&s);
	rc = mt_index_walk(index, &s.changes, err);
	for (guint i = 0; i < s.changes.failed->len; i++)
		g_ptr_array_add(out->failed, g_strdup(g_ptr_array_index(s.changes.failed, i)));
	if (rc == 0)
		rc = apply(&s, err);
	mt_index_changes_clear(&s.changes);
	g_ptr_array_unref(s.new_tags);
	return rc;
}

void
mt_index_scanned_clear(struct mt_index_scanned *s)
{
	g_clear_pointer(&s->skipped, g_ptr_array_unref);
	g_clear_pointer(&s->failed, g_ptr_array_unref);
}
