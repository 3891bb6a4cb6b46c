/* sync_job.c - one folder of a synchronisation, from opening it to equality */
#include "fetch/sync_job.h"

#include <sys/stat.h>
#include <time.h>

#include "fetch/sync_flags.h"

/* --- telling ------------------------------------------------------------------------ */

void
mt_sync_run_report(const struct mt_sync_run *run, const struct mt_sync_event *ev)
{
	if (run->params->report == NULL)
		return;
	if (run->lock != NULL)
		g_mutex_lock(run->lock);
	run->params->report(run->params->report_arg, ev);
	if (run->lock != NULL)
		g_mutex_unlock(run->lock);
}

void
mt_sync_report(const struct mt_sync_job *j, struct mt_sync_event ev)
{
	ev.folder = j->box->name;
	mt_sync_run_report(j->run, &ev);
}

void
mt_sync_done(struct mt_sync_job *j, enum mt_sync_what what, struct mt_sync_event ev)
{
	j->run->result->done[what]++;
	if (what == MT_SYNC_PULL)
		j->run->result->bytes += ev.bytes;
	ev.kind = MT_SYNC_DONE;
	ev.what = what;
	mt_sync_report(j, ev);
}

void
mt_sync_failed(struct mt_sync_job *j, enum mt_sync_what what, uint32_t uid, const char *name,
    const struct mt_err *err)
{
	struct mt_sync_result *r = j->run->result;

	j->is_partial = true;
	r->failed++;
	if (r->failure.kind == MT_ENONE)
		r->failure = *err;
	mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_FAILED, .what = what,
	    .uid = uid, .name = name, .err = err });
}

/* --- what is known -------------------------------------------------------------------- */

/* A killed run was about to store these: those that arrived are agreed upon. */
static int
recover(struct mt_sync_job *j, struct mt_err *err)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row));
	mt_auto_value(mt_sync_dir) dir = { 0 };
	struct mt_sync_state *state = j->run->state;
	int rc = 0;

	if (mt_sync_state_intended(state, j->folder.id, list, j->strings, err) < 0)
		return -1;
	if (list->len == 0 || j->run->params->dry_run)
		return 0;
	if (mt_sync_dir_scan(&dir, j->path, err) < 0 || mt_sync_state_begin(state, err) < 0)
		return -1;
	for (guint i = 0; i < list->len && rc == 0; i++) {
		const struct mt_sync_row *row = &g_array_index(list, struct mt_sync_row, i);

		if (mt_sync_dir_has(&dir, row->name)) {
			rc = mt_sync_state_put(state, j->folder.id, row, MT_SYNC_AGREED, err);
			j->run->result->recovered++;
		} else {
			rc = mt_sync_state_remove(state, j->folder.id, row->uid, err);
		}
	}
	if (rc == 0 && mt_sync_state_commit(state, err) == 0)
		return 0;
	mt_sync_state_rollback(state);
	return -1;
}

int
mt_sync_job_load(struct mt_sync_job *j, struct mt_sync_run *run, const struct mt_sync_box *box,
    const char *path, struct mt_err *err)
{
	*j = (struct mt_sync_job){ .run = run, .box = box, .path = g_strdup(path),
		.rows = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row)),
		.strings = g_string_chunk_new(4096),
		.moved = g_ptr_array_new_with_free_func(g_free) };
	if (mt_sync_state_folder(run->state, box->name, !run->params->dry_run, &j->folder,
	    err) < 0)
		return -1;
	return recover(j, err);
}

void
mt_sync_job_clear(struct mt_sync_job *j)
{
	mt_sync_plan_clear(&j->plan);
	mt_sync_selected_clear(&j->sel);
	mt_sync_dir_clear(&j->dir);
	mt_sync_folder_clear(&j->folder);
	if (j->rows != NULL)
		g_array_free(j->rows, TRUE);
	if (j->old != NULL)
		g_array_free(j->old, TRUE);
	if (j->moved != NULL)
		g_ptr_array_unref(j->moved);
	if (j->strings != NULL)
		g_string_chunk_free(j->strings);
	g_free(j->path);
	*j = (struct mt_sync_job){ 0 };
}

bool
mt_sync_job_is_quiet(const struct mt_sync_job *j)
{
	const struct mt_imap_status *st = &j->box->status;
	const unsigned all = MT_IMAP_HAS_MESSAGES | MT_IMAP_HAS_UIDNEXT |
	    MT_IMAP_HAS_UIDVALIDITY | MT_IMAP_HAS_MODSEQ;
	const struct mt_sync_folder *f = &j->folder;
	int64_t cur_ns, new_ns;

	return (st->has & all) == all && f->modseq != 0 && st->modseq == f->modseq &&
	    st->uidvalidity == f->validity && st->uidnext == f->uidnext &&
	    st->messages == f->messages && f->cur_ns != 0 && f->new_ns != 0 &&
	    mt_sync_dir_times(j->path, &cur_ns, &new_ns) && cur_ns == f->cur_ns &&
	    new_ns == f->new_ns;
}

uint32_t
mt_sync_highest_uid(const struct mt_sync_job *j)
{
	uint32_t highest = j->sel.uidnext > 0 ? j->sel.uidnext - 1 : 0;
	const GArray *rows = j->rows, *remote = j->sel.remote;

	if (rows->len > 0)
		highest = MAX(highest, g_array_index(rows, struct mt_sync_row, rows->len - 1).uid);
	if (remote->len > 0)
		highest = MAX(highest,
		    g_array_index(remote, struct mt_sync_remote, remote->len - 1).uid);
	for (guint i = 0; i < j->moved->len; i++)
		highest = MAX(highest, ((const struct mt_sync_row *)j->moved->pdata[i])->uid);
	return highest;
}

/* --- planning ------------------------------------------------------------------------ */

static void
make_plan(struct mt_sync_job *j)
{
	const struct mt_sync_lists lists = {
		.rows = (const struct mt_sync_row *)(void *)j->rows->data,
		.nrows = j->rows->len,
		.remote = (const struct mt_sync_remote *)(void *)j->sel.remote->data,
		.nremote = j->sel.remote->len,
		.gone = &j->sel.gone,
		.files = (const struct mt_sync_file *)(void *)j->dir.files->data,
		.nfiles = j->dir.files->len,
	};

	mt_sync_plan_clear(&j->plan);
	mt_sync_plan_make(&j->plan, &lists);
}

void
mt_sync_job_take_out(struct mt_sync_job *j, enum mt_sync_what what)
{
	GArray *actions = j->plan.actions;
	guint n = 0;

	for (guint i = 0; i < actions->len; i++) {
		if (g_array_index(actions, struct mt_sync_action, i).what != what)
			g_array_index(actions, struct mt_sync_action, n++) =
			    g_array_index(actions, struct mt_sync_action, i);
	}
	if (n < actions->len)
		j->is_partial = true;
	g_array_set_size(actions, n);
	j->plan.count[what] = 0;
}

static void
hold_back(struct mt_sync_job *j, enum mt_sync_what what)
{
	size_t n = j->plan.count[what];

	if (n == 0 || j->run->params->force || !mt_sync_is_mass(n, j->rows->len))
		return;
	j->run->result->held += n;
	mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_HELD, .what = what,
	    .messages = n, .of = j->rows->len });
	mt_sync_job_take_out(j, what);
}

/* --- a Maildir that somebody has removed ------------------------------------------------ */

/* Whether the folder goes on the server, too: it is empty, or the user wants it; nothing is in
   it that never came here. */
static int
goes_there(const struct mt_sync_job *j, struct mt_err *err)
{
	const struct mt_sync_params *p = j->run->params;
	size_t n = j->plan.count[MT_SYNC_DELETE_REMOTE];
	int64_t all;

	if (!j->is_missing || p->no_push || j->sel.is_readonly ||
	    g_str_equal(j->box->name, "INBOX") || j->plan.count[MT_SYNC_PULL] > 0)
		return 0;
	if (n == 0 || (p->delete_folders && p->force))
		return 1;
	all = mt_sync_state_count_all(j->run->state, err);
	if (all < 0)
		return -1;
	return p->delete_folders && !mt_sync_is_mass(n, (size_t)all);
}

/* Nothing is deleted there, and nothing comes: an empty Maildir would say that all that was in
   it was deleted. */
static void
leave_missing(struct mt_sync_job *j)
{
	size_t n = j->plan.count[MT_SYNC_DELETE_REMOTE] + j->plan.count[MT_SYNC_PULL];
	struct mt_err why = { 0 };

	mt_fail(&why, MT_EDATA, "%s is gone; %zu messages are in the folder on the server, and "
	    "stay there: mt-fetch repair -f has them come again, --delete-folders removes it "
	    "there, too", j->path, n);
	j->run->result->held += n;
	mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_HELD,
	    .what = MT_SYNC_RMDIR_REMOTE, .messages = n, .of = n, .err = &why });
	mt_sync_job_take_out(j, MT_SYNC_DELETE_REMOTE);
	mt_sync_job_take_out(j, MT_SYNC_PULL);
}

/* What came in meanwhile is not lost with it. */
static int
remove_there(struct mt_sync_job *j, struct mt_err *err)
{
	struct mt_sync_box now = { .name = j->box->name };
	struct mt_sync_server *server = j->run->server;
	struct mt_err why = { 0 };

	if (j->is_partial)
		return 0;
	if (mt_sync_server_status(server, &now, err) < 0)
		return -1;
	if ((now.status.has & MT_IMAP_HAS_MESSAGES) == 0 || now.status.messages > 0) {
		mt_fail(&why, MT_EDATA, "there are messages in it on the server: it stays there");
		mt_sync_failed(j, MT_SYNC_RMDIR_REMOTE, 0, NULL, &why);
		return 0;
	}
	if (mt_sync_server_delete(server, now.name, err) < 0 ||
	    mt_sync_state_drop(j->run->state, j->folder.id, err) < 0)
		return -1;
	mt_sync_done(j, MT_SYNC_RMDIR_REMOTE, (struct mt_sync_event){ .uid = 0 });
	return 0;
}

static void
restrict_plan(struct mt_sync_job *j, bool goes)
{
	static const enum mt_sync_what pulls[] = { MT_SYNC_PULL, MT_SYNC_FLAGS_LOCAL,
		MT_SYNC_DELETE_LOCAL };
	static const enum mt_sync_what pushes[] = { MT_SYNC_PUSH, MT_SYNC_FLAGS_REMOTE,
		MT_SYNC_DELETE_REMOTE };
	const struct mt_sync_params *p = j->run->params;

	for (size_t i = 0; i < G_N_ELEMENTS(pulls); i++) {
		if (p->no_pull)
			mt_sync_job_take_out(j, pulls[i]);
		if (p->no_push || j->sel.is_readonly)
			mt_sync_job_take_out(j, pushes[i]);
	}
	hold_back(j, MT_SYNC_DELETE_LOCAL);
	if (j->is_missing && !p->force && !goes)
		leave_missing(j);
	if (!goes)
		hold_back(j, MT_SYNC_DELETE_REMOTE);
}

static void
show_plan(const struct mt_sync_job *j)
{
	for (guint i = 0; i < j->plan.actions->len; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);

		if (a->what != MT_SYNC_NOTE && a->what != MT_SYNC_FORGET)
			mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_WOULD,
			    .what = a->what, .flags = a->flags,
			    .uid = a->row != NULL ? a->row->uid :
			    a->remote != NULL ? a->remote->uid : 0,
			    .name = a->file != NULL ? a->file->name :
			    a->row != NULL ? a->row->name : NULL });
	}
}

/* --- doing --------------------------------------------------------------------------- */

/* The row of an action, once both sides are as it says. */
static int
settle(struct mt_sync_job *j, const struct mt_sync_action *a, struct mt_err *err)
{
	struct mt_sync_row row = *a->row;

	switch (a->what) {
	case MT_SYNC_DELETE_LOCAL:
	case MT_SYNC_DELETE_REMOTE:
	case MT_SYNC_FORGET:
		return mt_sync_state_remove(j->run->state, j->folder.id, row.uid, err);
	default:
		/* What one side was not told stays a difference between it and the row. */
		row.flags = a->flags;
		if (j->run->params->no_push)
			row.flags = a->remote != NULL ? a->remote->flags : a->row->flags;
		else if (j->run->params->no_pull)
			row.flags = a->file->flags;
		row.keywords = a->keywords;
		return mt_sync_state_put(j->run->state, j->folder.id, &row, MT_SYNC_AGREED, err);
	}
}

/* Changes of the Maildir: the rows of those that were made follow, when they are durable. A
   row whose file could not be changed stays as it is, whatever the server is told. */
static int
change_local(struct mt_sync_job *j, GPtrArray *made, GHashTable *unchanged, struct mt_err *err)
{
	for (guint i = 0; i < j->plan.actions->len; i++) {
		struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);
		struct mt_err why = { 0 };
		int rc = 1;

		if (a->what == MT_SYNC_FLAGS_LOCAL)
			rc = mt_sync_dir_set_flags(&j->dir, a->file, a->flags, &why);
		else if (a->what == MT_SYNC_DELETE_LOCAL)
			rc = mt_sync_dir_remove(&j->dir, a->file, &why);
		else if (a->what != MT_SYNC_FORGET && a->what != MT_SYNC_NOTE)
			continue;
		if (rc > 0)
			g_ptr_array_add(made, a);
		else
			g_hash_table_add(unchanged, (void *)(uintptr_t)a->row);
		if (rc == 0)
			j->is_partial = true;	/* its owner has just changed it: next time */
		else if (rc < 0)
			mt_sync_failed(j, a->what, a->row->uid, a->row->name, &why);
	}
	return mt_sync_dir_flush(&j->dir, err);
}

/* Without MOVE a message is copied, then marked, then removed: one that is marked since was
   copied by a run which was killed, or deleted by somebody else. */
static bool
is_copied(const struct mt_sync_action *a)
{
	return a->remote != NULL && (a->remote->flags & ~a->row->flags & MT_SYNC_DELETED) != 0;
}

static int
change_remote(struct mt_sync_job *j, GPtrArray *made, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) gone = { 0 }, copied = { 0 };
	g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_change));
	const char *trash = g_strcmp0(j->run->trash, j->box->name) != 0 ? j->run->trash : NULL;
	bool left;

	for (guint i = 0; i < j->plan.actions->len; i++) {
		struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);

		if (a->what == MT_SYNC_FLAGS_REMOTE || a->what == MT_SYNC_DELETE_REMOTE)
			g_ptr_array_add(made, a);
		if (a->what == MT_SYNC_FLAGS_REMOTE) {
			struct mt_sync_change c = { a->row->uid, a->add, a->remove };

			g_array_append_val(changes, c);
		}
		if (a->what == MT_SYNC_DELETE_REMOTE)
			mt_imap_set_add(&gone, a->row->uid, a->row->uid);
		if (a->what == MT_SYNC_DELETE_REMOTE && is_copied(a))
			mt_imap_set_add(&copied, a->row->uid, a->row->uid);
	}
	if (mt_sync_server_store(j->run->server,
	    (const struct mt_sync_change *)(void *)changes->data, changes->len, err) < 0)
		return -1;
	if (gone.n == 0)
		return 0;
	if (mt_sync_server_move(j->run->server, &gone, &copied, trash, &left, NULL, err) < 0)
		return -1;
	j->run->has_filled_trash = j->run->has_filled_trash || trash != NULL;
	if (left) {
		struct mt_err why = { 0 };

		mt_fail(&why, MT_EUNAVAIL, "the server can only remove all that is marked as "
		    "deleted, and somebody else has marked some: they stay, marked");
		mt_sync_failed(j, MT_SYNC_DELETE_REMOTE, 0, NULL, &why);
		for (guint i = made->len; i-- > 0;) {
			const struct mt_sync_action *a = g_ptr_array_index(made, i);

			if (a->what == MT_SYNC_DELETE_REMOTE)
				g_ptr_array_remove_index(made, i);
		}
	}
	return 0;
}

static void
drop_unchanged(GPtrArray *made, GHashTable *unchanged)
{
	for (guint i = made->len; i-- > 0;) {
		const struct mt_sync_action *a = g_ptr_array_index(made, i);

		if (g_hash_table_contains(unchanged, a->row))
			g_ptr_array_remove_index(made, i);
	}
}

static int
settle_all(struct mt_sync_job *j, GPtrArray *made, struct mt_err *err)
{
	if (made->len == 0)
		return 0;
	if (mt_sync_state_begin(j->run->state, err) < 0)
		return -1;
	for (guint i = 0; i < made->len; i++) {
		if (settle(j, g_ptr_array_index(made, i), err) < 0) {
			mt_sync_state_rollback(j->run->state);
			return -1;
		}
	}
	if (mt_sync_state_commit(j->run->state, err) < 0) {
		mt_sync_state_rollback(j->run->state);
		return -1;
	}
	for (guint i = 0; i < made->len; i++) {
		const struct mt_sync_action *a = g_ptr_array_index(made, i);

		if (a->what != MT_SYNC_NOTE && a->what != MT_SYNC_FORGET)
			mt_sync_done(j, a->what, (struct mt_sync_event){ .uid = a->row->uid,
			    .name = a->row->name, .flags = a->flags });
	}
	return 0;
}

/* Where the rows stand for both sides as they are, the next run can tell that at a glance. */
static int
save_folder(struct mt_sync_job *j, struct mt_err *err)
{
	struct mt_sync_folder *f = &j->folder;
	const size_t *n = j->plan.count;
	bool is_still = n[MT_SYNC_PULL] + n[MT_SYNC_PUSH] + n[MT_SYNC_FLAGS_LOCAL] +
	    n[MT_SYNC_DELETE_LOCAL] == 0;
	int64_t rows = mt_sync_state_count(j->run->state, f->id, err);

	if (rows < 0)
		return -1;
	f->validity = j->sel.validity;
	f->cur_ns = is_still && !j->is_partial ? j->dir.cur_ns : 0;
	f->new_ns = is_still && !j->is_partial ? j->dir.new_ns : 0;
	if (!j->is_partial) {
		f->uidnext = j->sel.uidnext;
		f->modseq = j->sel.modseq;
		f->success = time(NULL);
	} else if (j->is_reset) {
		f->modseq = 0;
	}
	f->messages = (uint32_t)MIN(rows, UINT32_MAX);
	return mt_sync_state_save(j->run->state, f, err);
}

static int
reset(struct mt_sync_job *j, struct mt_err *err)
{
	j->is_reset = j->sel.is_reset;
	if (!j->is_reset)
		return 0;
	j->old = j->rows;
	j->rows = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row));
	if (j->run->params->dry_run)
		return 0;
	j->folder.validity = j->sel.validity;
	j->folder.modseq = 0;
	j->folder.uidnext = 0;
	j->folder.cur_ns = j->folder.new_ns = 0;
	if (mt_sync_state_begin(j->run->state, err) < 0)
		return -1;
	if (mt_sync_state_forget(j->run->state, j->folder.id, err) == 0 &&
	    mt_sync_state_save(j->run->state, &j->folder, err) == 0 &&
	    mt_sync_state_commit(j->run->state, err) == 0)
		return 0;
	mt_sync_state_rollback(j->run->state);
	return -1;
}

static int
execute(struct mt_sync_job *j, struct mt_err *err)
{
	g_autoptr(GPtrArray) local = g_ptr_array_new(), remote = g_ptr_array_new();
	g_autoptr(GHashTable) unchanged = g_hash_table_new(NULL, NULL);

	if (mt_sync_pull(j, err) < 0 || mt_sync_push(j, err) < 0 ||
	    change_local(j, local, unchanged, err) < 0 || change_remote(j, remote, err) < 0)
		return -1;
	/* Flags that changed on both sides are two actions for one row. */
	drop_unchanged(remote, unchanged);
	return settle_all(j, remote, err) < 0 || settle_all(j, local, err) < 0 ? -1 :
	    save_folder(j, err);
}

/* What a program of the user's takes for a folder there. */
static int
make_maildir(const struct mt_sync_job *j, struct mt_err *err)
{
	struct mt_maildir *m = mt_maildir_create(j->path, err);

	if (m == NULL)
		return -1;
	mt_maildir_sweep(m);
	mt_maildir_free(m);
	return 0;
}

int
mt_sync_job_plan(struct mt_sync_job *j, struct mt_err *err)
{
	const struct mt_sync_params *p = j->run->params;
	struct mt_sync_known known;
	int64_t ignored;

	if (mt_sync_state_rows(j->run->state, j->folder.id, j->rows, j->strings, err) < 0)
		return -1;
	known = (struct mt_sync_known){ j->folder.validity, j->folder.uidnext, j->folder.modseq,
		(const struct mt_sync_row *)(void *)j->rows->data, j->rows->len };
	if (mt_sync_server_select(j->run->server, j->box->name, &known, &j->sel, err) < 0 ||
	    reset(j, err) < 0)
		return -1;
	j->is_missing = (j->rows->len > 0 || j->folder.success != 0) &&
	    !mt_sync_dir_times(j->path, &ignored, &ignored);
	if (!p->dry_run && !p->no_pull && (!j->is_missing || p->force) &&
	    make_maildir(j, err) < 0)
		return -1;
	if (mt_sync_dir_scan(&j->dir, j->path, err) < 0 || mt_sync_join(j, err) < 0)
		return -1;
	mt_sync_dir_close(&j->dir);
	make_plan(j);
	return 0;
}

int
mt_sync_job_do(struct mt_sync_job *j, struct mt_err *err)
{
	int rc, goes = goes_there(j, err);

	if (goes < 0)
		return -1;
	restrict_plan(j, goes > 0);
	mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_FOLDER,
	    .messages = j->plan.count[MT_SYNC_PULL] + j->plan.count[MT_SYNC_PUSH] });
	if (j->run->params->dry_run) {
		show_plan(j);
		if (goes > 0)
			mt_sync_report(j, (struct mt_sync_event){ .kind = MT_SYNC_WOULD,
			    .what = MT_SYNC_RMDIR_REMOTE });
		return 0;
	}
	if (mt_sync_server_open(j->run->server, j->box->name, j->sel.validity, err) < 0 ||
	    (j->plan.actions->len > 0 && !j->is_missing &&
	    mt_sync_dir_open(&j->dir, j->path, err) < 0))
		return -1;
	rc = execute(j, err);
	mt_sync_dir_close(&j->dir);
	return rc == 0 && goes > 0 ? remove_there(j, err) : rc;
}
