/* plan.c - of what a maildrop lists: which is ours already, which comes, which goes */
#include "fetch/plan.h"

#include <glib.h>

/* The entries that have a UID; those that share one are numbered. Gives how many messages
   each UID has. */
static GHashTable *
make_items(struct mt_fetch_plan *p, const struct mt_pop3_entry *list, size_t n)
{
	GHashTable *count = g_hash_table_new(g_str_hash, g_str_equal);

	p->items = g_new0(struct mt_fetch_item, n);
	for (size_t i = 0; i < n; i++) {
		struct mt_fetch_item *item = &p->items[p->n];

		if (list[i].uid == NULL)
			continue;
		p->n++;
		item->number = list[i].number;
		item->size = list[i].size;
		item->id.uid = list[i].uid;
		item->id.nth = GPOINTER_TO_UINT(g_hash_table_lookup(count, item->id.uid));
		g_hash_table_insert(count, (gpointer)(uintptr_t)item->id.uid,
		    GUINT_TO_POINTER(item->id.nth + 1));
	}
	return count;
}

struct gone {
	char *uid;
	uint32_t nth;
	enum mt_fetch_row next;
};

static void
gone_clear(void *p)
{
	struct gone *g = p;

	g_free(g->uid);
}

/* The rows of messages that the server lists no more. */
static int
collect_gone(struct mt_fetch_state *state, GHashTable *count, GArray *gone,
    struct mt_err *err)
{
	struct mt_fetch_row_info row;
	int rc;

	while ((rc = mt_fetch_state_next(state, &row, err)) > 0) {
		struct gone g = { NULL, row.id.nth,
			row.row == MT_FETCH_BROKEN ? MT_FETCH_UNSEEN : MT_FETCH_GONE };

		if (row.id.nth < GPOINTER_TO_UINT(g_hash_table_lookup(count, row.id.uid)))
			continue;
		g.uid = g_strdup(row.id.uid);
		g_array_append_val(gone, g);
	}
	return rc;
}

static int
mark_gone(struct mt_fetch_state *state, GHashTable *count, struct mt_err *err)
{
	g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(struct gone));
	int rc = 0;

	g_array_set_clear_func(gone, gone_clear);
	if (collect_gone(state, count, gone, err) < 0)
		return -1;
	if (gone->len == 0)
		return 0;
	if (mt_fetch_state_begin(state, err) < 0)
		return -1;
	for (guint i = 0; rc == 0 && i < gone->len; i++) {
		const struct gone *g = &g_array_index(gone, struct gone, i);
		struct mt_fetch_id id = { g->uid, g->nth };

		rc = mt_fetch_state_set(state, &id, g->next, err);
	}
	if (rc == 0 && mt_fetch_state_prune(state, err) == 0)
		return mt_fetch_state_commit(state, err);
	mt_fetch_state_rollback(state);
	return -1;
}

/* Look up what is known of each message that is listed. */
static int
look_up(struct mt_fetch_plan *p, struct mt_fetch_state *state, GHashTable *count,
    bool dry_run, struct mt_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct mt_fetch_item *item = &p->items[i];

		if (mt_fetch_state_get(state, &item->id, &item->known, err) < 0)
			return -1;
		item->is_shared =
		    GPOINTER_TO_UINT(g_hash_table_lookup(count, item->id.uid)) > 1;
		if (!item->is_shared || item->known.is_shared || dry_run ||
		    item->known.row == MT_FETCH_UNSEEN)
			continue;
		if (mt_fetch_state_share(state, item->id.uid, err) < 0)
			return -1;
		item->known.is_shared = true;
	}
	return 0;
}

/* Whether the UID and what is known of it are enough to say that this is ours. */
static bool
is_surely_known(const struct mt_fetch_item *item)
{
	const struct mt_fetch_known *known = &item->known;

	if (known->row != MT_FETCH_STORED)
		return false;
	if (!known->has_ident)
		return true;
	return (item->size == 0 || item->size == known->size) &&
	    (item->is_shared || !known->is_shared);
}

static int
urgency(const struct mt_fetch_item *item)
{
	switch (item->known.row) {
	case MT_FETCH_STORED:
	case MT_FETCH_GONE:
		return 1;
	case MT_FETCH_BROKEN:
		return 2;
	default:
		return 0;
	}
}

static int
by_urgency(const void *a, const void *b)
{
	const struct mt_fetch_item *x = *(struct mt_fetch_item *const *)a;
	const struct mt_fetch_item *y = *(struct mt_fetch_item *const *)b;

	if (urgency(x) != urgency(y))
		return urgency(x) - urgency(y);
	return x->number < y->number ? -1 : x->number > y->number;
}

int
mt_fetch_plan_make(struct mt_fetch_plan *p, struct mt_fetch_state *state,
    const struct mt_pop3_entry *list, size_t n, bool dry_run, struct mt_err *err)
{
	g_autoptr(GHashTable) count = make_items(p, list, n);

	if ((!dry_run && mark_gone(state, count, err) < 0) ||
	    look_up(p, state, count, dry_run, err) < 0)
		return -1;
	p->todo = g_new(struct mt_fetch_item *, p->n);
	for (size_t i = 0; i < p->n; i++) {
		if (is_surely_known(&p->items[i]))
			continue;
		p->todo[p->todo_n++] = &p->items[i];
		p->bytes += MIN(p->items[i].size, UINT32_MAX);
	}
	if (p->todo_n > 0)
		qsort(p->todo, p->todo_n, sizeof(struct mt_fetch_item *), by_urgency);
	return 0;
}

void
mt_fetch_plan_clear(struct mt_fetch_plan *p)
{
	g_free(p->items);
	g_free(p->todo);
	*p = (struct mt_fetch_plan){ 0 };
}

bool
mt_fetch_is_due(const struct mt_fetch_item *item, int64_t after_s, int64_t now)
{
	if (after_s < 0 || item->known.row != MT_FETCH_STORED)
		return false;
	if (!item->is_fetched && (item->is_shared || !is_surely_known(item)))
		return false;
	return now - item->known.time >= after_s;
}
