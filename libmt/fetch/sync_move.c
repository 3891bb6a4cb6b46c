/* sync_move.c - messages that were moved from one folder to another, on either side */
#include "fetch/sync_move.h"

#include "fetch/sync_flags.h"

/* What happens to the Maildir, since it has happened on the server; and the reverse. */
enum side { HERE, THERE, NSIDES };

struct move {
	struct mt_sync_job *from, *to;
	struct mt_sync_action lost, got;	/* of their plans */
	struct mt_sync_row *row;		/* of `to`, once it is made; that job's own */
	bool is_made;
};

/* A message that a folder has lost. */
struct loss {
	struct mt_sync_job *job;
	const struct mt_sync_action *action;
};

struct finder {
	enum side side;
	GHashTable *lost;	/* "size msgid" -> GPtrArray of struct loss *, unmatched */
	GHashTable *taken;	/* actions that are part of a move */
	GArray *moves;		/* struct move */
};

static const enum mt_sync_what loses[] = { [HERE] = MT_SYNC_DELETE_LOCAL,
	[THERE] = MT_SYNC_DELETE_REMOTE };
static const enum mt_sync_what gains[] = { [HERE] = MT_SYNC_PULL, [THERE] = MT_SYNC_PUSH };
static const enum mt_sync_what moves_of[] = { [HERE] = MT_SYNC_MOVE_LOCAL,
	[THERE] = MT_SYNC_MOVE_REMOTE };

/* --- which they are ------------------------------------------------------------------ */

static char *
key_of(const char *msgid, const char *name, uint64_t size)
{
	return g_strdup_printf("%llu %s%s", (unsigned long long)size,
	    msgid != NULL ? msgid : "name ", msgid != NULL ? "" : name);
}

static bool
may_change(const struct mt_sync_job *j, enum side side)
{
	return side == HERE ? !j->run->params->no_pull :
	    !j->run->params->no_push && !j->sel.is_readonly;
}

static void
list_free(void *p)
{
	g_ptr_array_unref(p);
}

static void
add_losses(struct finder *f, struct mt_sync_job *j)
{
	for (guint i = 0; i < j->plan.actions->len; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);
		struct loss *loss;
		GPtrArray *list;
		char *key;

		/* What only the server has got has no name by which to know it. */
		if (a->what != loses[f->side] || a->row->size == 0 ||
		    (a->row->msgid == NULL && f->side == HERE))
			continue;
		loss = g_new(struct loss, 1);
		*loss = (struct loss){ j, a };
		key = key_of(a->row->msgid, a->row->name, a->row->size);
		list = g_hash_table_lookup(f->lost, key);
		if (list == NULL) {
			list = g_ptr_array_new_with_free_func(g_free);
			g_hash_table_insert(f->lost, key, list);
		} else {
			g_free(key);
		}
		g_ptr_array_add(list, loss);
	}
}

/* One that a folder has got: whether another has lost it. */
static void
match(struct finder *f, struct mt_sync_job *j, const struct mt_sync_action *got,
    const char *msgid, const char *name, uint64_t size)
{
	g_autofree char *key = key_of(msgid, name, size);
	GPtrArray *list = g_hash_table_lookup(f->lost, key);

	for (guint i = 0; list != NULL && i < list->len; i++) {
		const struct loss *loss = g_ptr_array_index(list, i);
		struct move m = { .from = loss->job, .to = j, .lost = *loss->action,
			.got = *got };

		if (loss->job == j)
			continue;
		g_hash_table_add(f->taken, (void *)(uintptr_t)loss->action);
		g_hash_table_add(f->taken, (void *)(uintptr_t)got);
		g_array_append_val(f->moves, m);
		g_ptr_array_remove_index(list, i);
		return;
	}
}

static int
match_files(struct finder *f, struct mt_sync_job *j, struct mt_err *err)
{
	if (mt_sync_dir_open(&j->dir, j->path, err) < 0)
		return -1;
	for (guint i = 0; i < j->plan.actions->len; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);
		g_autofree char *msgid = NULL;
		struct mt_err ignored = { 0 };
		uint64_t size;

		if (a->what == MT_SYNC_PUSH &&
		    mt_sync_dir_identify(&j->dir, a->file, &msgid, &size, &ignored) == 0)
			match(f, j, a, msgid, a->file->name, size);
	}
	mt_sync_dir_close(&j->dir);
	return 0;
}

static int
match_remote(struct finder *f, struct mt_sync_job *j, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) uids = { 0 };
	g_autoptr(GArray) meta = NULL;
	const GArray *actions = j->plan.actions;

	for (guint i = 0; i < actions->len; i++) {
		const struct mt_sync_action *a = &g_array_index(actions, struct mt_sync_action, i);

		if (a->what == MT_SYNC_PULL)
			mt_imap_set_add(&uids, a->remote->uid, a->remote->uid);
	}
	if (mt_sync_server_open(j->run->server, j->box->name, j->sel.validity, err) < 0)
		return -1;
	meta = mt_sync_server_meta(j->run->server, &uids, err);
	if (meta == NULL)
		return -1;
	/* Both are by uid. */
	for (guint i = 0, at = 0; i < actions->len; i++) {
		const struct mt_sync_action *a = &g_array_index(actions, struct mt_sync_action, i);
		const struct mt_sync_meta *m = (const struct mt_sync_meta *)(void *)meta->data;

		if (a->what != MT_SYNC_PULL)
			continue;
		while (at < meta->len && m[at].uid < a->remote->uid)
			at++;
		if (at < meta->len && m[at].uid == a->remote->uid && m[at].msgid != NULL)
			match(f, j, a, m[at].msgid, NULL, m[at].size);
	}
	return 0;
}

/* What is part of a move is no action of its own any more. */
static void
take_out(struct mt_sync_job *j, GHashTable *taken)
{
	GArray *actions = j->plan.actions;
	guint n = 0;

	for (guint i = 0; i < actions->len; i++) {
		struct mt_sync_action *a = &g_array_index(actions, struct mt_sync_action, i);

		if (g_hash_table_contains(taken, a))
			j->plan.count[a->what]--;
		else
			g_array_index(actions, struct mt_sync_action, n++) = *a;
	}
	g_array_set_size(actions, n);
}

static int
find_moves(GPtrArray *jobs, enum side side, GArray *moves, struct mt_err *err)
{
	g_autoptr(GHashTable) lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    list_free);
	g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
	struct finder f = { side, lost, taken, moves };
	int rc = 0;

	for (guint i = 0; i < jobs->len; i++) {
		struct mt_sync_job *j = g_ptr_array_index(jobs, i);

		if (may_change(j, side))
			add_losses(&f, j);
	}
	for (guint i = 0; i < jobs->len && g_hash_table_size(lost) > 0 && rc == 0; i++) {
		struct mt_sync_job *j = g_ptr_array_index(jobs, i);

		if (may_change(j, side) && j->plan.count[gains[side]] > 0)
			rc = side == THERE ? match_files(&f, j, err) : match_remote(&f, j, err);
	}
	for (guint i = 0; i < jobs->len && rc == 0; i++)
		take_out(g_ptr_array_index(jobs, i), taken);
	return rc;
}

/* --- the row, and what remains to be told one side ------------------------------------- */

static unsigned
their_flags(const struct move *m)
{
	const struct mt_sync_remote *r = m->got.remote != NULL ? m->got.remote : m->lost.remote;

	return r != NULL ? r->flags : m->lost.row->flags;
}

static const struct mt_sync_file *
file_of(const struct move *m)
{
	return m->got.file != NULL ? m->got.file : m->lost.file;
}

static unsigned
merged_flags(const struct move *m)
{
	return mt_sync_flags_merge(m->lost.row->flags, their_flags(m), file_of(m)->flags);
}

static void
make_row(struct move *m, uint32_t uid, const char *name)
{
	const struct mt_sync_remote *r = m->got.remote != NULL ? m->got.remote : m->lost.remote;
	GStringChunk *strings = m->to->strings;

	m->row = g_new(struct mt_sync_row, 1);
	*m->row = (struct mt_sync_row){ .uid = uid,
		.name = g_string_chunk_insert(strings, name), .flags = their_flags(m),
		.keywords = r != NULL ? r->keywords : m->lost.row->keywords,
		.size = m->lost.row->size, .msgid = m->lost.row->msgid == NULL ? NULL :
		    g_string_chunk_insert(strings, m->lost.row->msgid) };
	g_ptr_array_add(m->to->moved, m->row);
}

static void
add_action(struct mt_sync_job *j, struct mt_sync_action a)
{
	g_array_append_val(j->plan.actions, a);
	j->plan.count[a.what]++;
}

/* Flags that have changed besides: the row has those of the server. */
static void
plan_flags(const struct move *m)
{
	unsigned flags = merged_flags(m);
	struct mt_sync_action a = { .row = m->row, .file = m->got.file, .flags = flags,
		.add = flags & ~m->row->flags, .remove = m->row->flags & ~flags,
		.keywords = m->row->keywords };

	if (flags != m->row->flags && may_change(m->to, THERE)) {
		a.what = MT_SYNC_FLAGS_REMOTE;
		add_action(m->to, a);
	}
	/* A file that we move ourselves has got them. */
	if (m->got.file != NULL && flags != m->got.file->flags && may_change(m->to, HERE)) {
		a.what = MT_SYNC_FLAGS_LOCAL;
		add_action(m->to, a);
	}
}

static int
save_row(const struct move *m, bool is_intended, struct mt_err *err)
{
	struct mt_sync_state *state = m->to->run->state;
	int64_t to = m->to->folder.id;
	int rc = 0;

	if (is_intended)
		return mt_sync_state_put(state, to, m->row, MT_SYNC_INTENDED, err);
	if (m->is_made && m->row != NULL)
		rc = mt_sync_state_put(state, to, m->row, MT_SYNC_AGREED, err);
	else if (m->row != NULL)
		rc = mt_sync_state_remove(state, to, m->row->uid, err);
	if (m->is_made && rc == 0)
		rc = mt_sync_state_remove(state, m->from->folder.id, m->lost.row->uid, err);
	return rc;
}

/* Rows of both folders, in one transaction. */
static int
save_rows(const GPtrArray *group, bool is_intended, struct mt_err *err)
{
	const struct move *first = group->pdata[0];
	struct mt_sync_state *state = first->to->run->state;
	int rc = mt_sync_state_begin(state, err);

	if (rc < 0)
		return -1;
	for (guint i = 0; i < group->len && rc == 0; i++)
		rc = save_row(g_ptr_array_index(group, i), is_intended, err);
	if (rc == 0 && mt_sync_state_commit(state, err) == 0)
		return 0;
	mt_sync_state_rollback(state);
	return -1;
}

static void
tell(const struct move *m, enum side side, enum mt_sync_event_kind kind)
{
	struct mt_sync_event ev = { .kind = kind, .what = moves_of[side],
		.from = m->from->box->name, .uid = m->row != NULL ? m->row->uid : 0,
		.name = m->row != NULL ? m->row->name : file_of(m)->name,
		.flags = merged_flags(m) };

	if (kind == MT_SYNC_DONE)
		mt_sync_done(m->to, ev.what, ev);
	else
		mt_sync_report(m->to, ev);
}

/* --- the server has moved them: so does the Maildir ------------------------------------- */

static int
move_here(GPtrArray *group, struct mt_err *err)
{
	const struct move *first = group->pdata[0];
	struct mt_sync_dir *from = &first->from->dir, *to = &first->to->dir;

	for (guint i = 0; i < group->len; i++) {
		struct move *m = g_ptr_array_index(group, i);
		const char *name = m->lost.file->name;
		char unique[MT_MAILDIR_NAME_SIZE];

		mt_maildir_name_unique(unique);
		make_row(m, m->got.remote->uid, mt_sync_dir_has(to, name) ? unique : name);
	}
	if (mt_sync_dir_open(from, first->from->path, err) < 0 ||
	    mt_sync_dir_open(to, first->to->path, err) < 0 || save_rows(group, true, err) < 0)
		return -1;
	for (guint i = 0; i < group->len; i++) {
		struct move *m = g_ptr_array_index(group, i);
		struct mt_err why = { 0 };

		m->is_made = mt_sync_dir_move(from, m->lost.file, to, m->row->name,
		    merged_flags(m), &why) > 0;
	}
	if (mt_sync_dir_flush(to, err) < 0 || mt_sync_dir_flush(from, err) < 0 ||
	    save_rows(group, false, err) < 0)
		return -1;
	from->cur_ns = from->new_ns = to->cur_ns = to->new_ns = 0;
	for (guint i = 0; i < group->len; i++) {
		const struct move *m = g_ptr_array_index(group, i);

		if (m->is_made) {
			tell(m, HERE, MT_SYNC_DONE);
			plan_flags(m);
			continue;
		}
		/* On another disk, or its owner has just changed it. */
		add_action(m->to, m->got);
		add_action(m->from, m->lost);
	}
	return 0;
}

/* --- the Maildir has moved them: so does the server ------------------------------------- */

/* Whether these can be new messages of that folder: no other has such a UID. */
static bool
are_new(const GArray *pairs, const struct mt_sync_job *to)
{
	mt_auto_value(mt_imap_set) taken = { 0 };
	uint32_t highest = mt_sync_highest_uid(to);

	for (guint i = 0; i < pairs->len; i++) {
		const struct mt_sync_moved *p = &g_array_index(pairs, struct mt_sync_moved, i);

		if (p->validity != to->sel.validity || p->to <= highest ||
		    mt_imap_set_has(&taken, p->to))
			return false;
		mt_imap_set_add(&taken, p->to, p->to);
	}
	return true;
}

static uint32_t
new_uid(const GArray *pairs, uint32_t uid)
{
	for (guint i = 0; i < pairs->len; i++) {
		const struct mt_sync_moved *p = &g_array_index(pairs, struct mt_sync_moved, i);

		if (p->from == uid)
			return p->to;
	}
	return 0;
}

/* Nothing is deleted: the next run tries again. */
static void
give_up(GPtrArray *group, const struct mt_err *why)
{
	const struct move *first = group->pdata[0];

	mt_sync_failed(first->to, MT_SYNC_MOVE_REMOTE, 0, NULL, why);
	first->from->is_partial = true;
}

static int
move_there(GPtrArray *group, struct mt_err *err)
{
	g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_moved));
	const struct move *first = group->pdata[0];
	struct mt_sync_server *server = first->to->run->server;
	mt_auto_value(mt_imap_set) uids = { 0 };
	struct mt_err why = { 0 };
	bool left = false;

	for (guint i = 0; i < group->len; i++) {
		const struct move *m = g_ptr_array_index(group, i);

		mt_imap_set_add(&uids, m->lost.row->uid, m->lost.row->uid);
	}
	if (mt_sync_server_open(server, first->from->box->name, first->from->sel.validity,
	    err) < 0)
		return -1;
	if (mt_sync_server_move(server, &uids, NULL, first->to->box->name, &left, pairs,
	    &why) < 0) {
		if (why.kind != MT_EUNAVAIL) {
			*err = why;
			return -1;
		}
		give_up(group, &why);
		return 0;
	}
	if (left) {
		mt_fail(&why, MT_EUNAVAIL, "the server can only remove all that is marked as "
		    "deleted, and somebody else has marked some: they were copied, and stay in %s",
		    first->from->box->name);
		give_up(group, &why);
		return 0;
	}
	if (!are_new(pairs, first->to))
		g_array_set_size(pairs, 0);
	for (guint i = 0; i < group->len; i++) {
		struct move *m = g_ptr_array_index(group, i);
		uint32_t uid = new_uid(pairs, m->lost.row->uid);

		m->is_made = true;
		if (uid != 0)
			make_row(m, uid, m->got.file->name);
		else
			m->to->is_partial = true;	/* the next run finds it (sync_join.c) */
	}
	if (save_rows(group, false, err) < 0)
		return -1;
	for (guint i = 0; i < group->len; i++) {
		const struct move *m = g_ptr_array_index(group, i);

		tell(m, THERE, MT_SYNC_DONE);
		if (m->row != NULL)
			plan_flags(m);
	}
	return 0;
}

/* --- all of them -------------------------------------------------------------------- */

/* Those that go the same way, together. */
static int
compare(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int
make_moves(GArray *moves, enum side side, struct mt_err *err)
{
	int rc = 0;

	g_array_sort(moves, compare);
	for (guint i = 0; i < moves->len && rc == 0;) {
		g_autoptr(GPtrArray) group = g_ptr_array_new();
		struct move *first = &g_array_index(moves, struct move, i);

		for (; i < moves->len; i++) {
			struct move *m = &g_array_index(moves, struct move, i);

			if (compare(m, first) != 0)
				break;
			g_ptr_array_add(group, m);
		}
		rc = side == HERE ? move_here(group, err) : move_there(group, err);
		mt_sync_dir_close(&first->from->dir);
		mt_sync_dir_close(&first->to->dir);
	}
	return rc;
}

int
mt_sync_move(GPtrArray *jobs, struct mt_err *err)
{
	for (enum side side = HERE; side < NSIDES; side++) {
		g_autoptr(GArray) moves = g_array_new(FALSE, FALSE, sizeof(struct move));

		if (find_moves(jobs, side, moves, err) < 0)
			return -1;
		if (moves->len == 0)
			continue;
		if (!g_array_index(moves, struct move, 0).to->run->params->dry_run) {
			if (make_moves(moves, side, err) < 0)
				return -1;
			continue;
		}
		for (guint i = 0; i < moves->len; i++)
			tell(&g_array_index(moves, struct move, i), side, MT_SYNC_WOULD);
	}
	return 0;
}
