/* sync_plan.c - the plan: a table, and any changes of both sides end in equality */
#include "fetch/sync_plan.h"

#include "fetch/sync_flags.h"
#include "tap.h"

/* --- a model of two sides ------------------------------------------------------------ */

#define SIZE 40

/* One message: who has it, with what flags; base is what the row says. */
struct message {
	bool there, here, row;
	unsigned flags_there, flags_here, flags_row;
	const char *keywords_there, *keywords_row;
	char name[16];
	uint32_t uid;		/* 0: never there */
};

struct model {
	struct message v[SIZE];
	uint32_t uidnext;
};

/* What the plan is told: of the server all, or what has changed since the rows. */
static void
plan(const struct model *m, bool all, struct mt_sync_plan *p, GArray *rows, GArray *remote,
    GArray *files, struct mt_imap_set *gone)
{
	struct mt_sync_lists lists;

	for (uint32_t uid = 1; uid < m->uidnext; uid++) {
		for (size_t i = 0; i < SIZE; i++) {
			const struct message *x = &m->v[i];
			struct mt_sync_row row = { uid, x->name, x->flags_row, x->keywords_row, 1,
				NULL };
			struct mt_sync_remote r = { uid, x->flags_there, x->keywords_there };

			if (x->uid != uid)
				continue;
			if (x->row)
				g_array_append_val(rows, row);
			if (x->there && (all || !x->row || x->flags_there != x->flags_row ||
			    x->keywords_there != x->keywords_row))
				g_array_append_val(remote, r);
			if (x->row && !x->there)
				mt_imap_set_add(gone, uid, uid);
		}
	}
	for (size_t i = SIZE; i-- > 0;) {
		struct mt_sync_file f = { m->v[i].name, m->v[i].flags_here, false, "" };

		if (m->v[i].here)
			g_array_append_val(files, f);
	}
	lists = (struct mt_sync_lists){ (void *)rows->data, rows->len, (void *)remote->data,
		remote->len, gone, (void *)files->data, files->len };
	mt_sync_plan_make(p, &lists);
}

static struct message *
by_uid(struct model *m, uint32_t uid)
{
	for (size_t i = 0; i < SIZE; i++) {
		if (m->v[i].uid == uid)
			return &m->v[i];
	}
	abort();
}

static struct message *
by_name(struct model *m, const char *name)
{
	for (size_t i = 0; i < SIZE; i++) {
		if (g_str_equal(m->v[i].name, name))
			return &m->v[i];
	}
	abort();
}

/* Do what the plan says, as the real thing does; stop after so many actions, as if killed. */
static void
apply(struct model *m, const struct mt_sync_plan *p, guint most)
{
	for (guint i = 0; i < p->actions->len && i < most; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(p->actions, struct mt_sync_action, i);
		struct message *x = a->row != NULL ? by_uid(m, a->row->uid) :
		    a->remote != NULL ? by_uid(m, a->remote->uid) : by_name(m, a->file->name);

		switch (a->what) {
		case MT_SYNC_PULL:
			x->here = x->row = true;
			x->flags_here = x->flags_row = x->flags_there;
			x->keywords_row = x->keywords_there;
			break;
		case MT_SYNC_PUSH:
			x->there = x->row = true;
			x->uid = m->uidnext++;
			x->flags_there = x->flags_row = x->flags_here;
			x->keywords_there = x->keywords_row = NULL;
			break;
		case MT_SYNC_FLAGS_LOCAL:
			x->flags_here = a->flags;
			break;
		case MT_SYNC_FLAGS_REMOTE:
			x->flags_there = (x->flags_there | a->add) & ~a->remove;
			break;
		case MT_SYNC_DELETE_LOCAL:
			x->here = x->row = false;
			break;
		case MT_SYNC_DELETE_REMOTE:
			x->there = x->row = false;
			break;
		case MT_SYNC_FORGET:
			x->row = false;
			break;
		default:
			break;
		}
		/* Rows follow when both sides are as the action says. */
		if (a->row != NULL && x->row && x->flags_here == a->flags &&
		    x->flags_there == a->flags) {
			x->flags_row = a->flags;
			x->keywords_row = a->keywords;
		}
	}
}

static void
change(struct model *m, GRand *rand)
{
	struct message *x = &m->v[g_rand_int_range(rand, 0, SIZE)];
	unsigned bit = 1U << g_rand_int_range(rand, 0, 6);

	switch (g_rand_int_range(rand, 0, 7)) {
	case 0:
		if (x->uid == 0 && !x->here && !x->there && !x->row) {
			x->there = true;
			x->uid = m->uidnext++;
			x->flags_there = bit;
		}
		break;
	case 1:
		if (x->uid == 0 && !x->here && !x->row) {
			x->here = true;
			x->flags_here = bit;
		}
		break;
	case 2:
		x->there = false;
		break;
	case 3:
		x->here = false;
		break;
	case 4:
		if (x->there)
			x->flags_there ^= bit;
		break;
	case 5:
		if (x->here)
			x->flags_here ^= bit;
		break;
	default:
		if (x->there)
			x->keywords_there = x->keywords_there == NULL ?
			    g_intern_static_string("kw") : NULL;
	}
}

/* Whether both sides and the rows say the same. */
static bool
is_equal(const struct model *m)
{
	for (size_t i = 0; i < SIZE; i++) {
		const struct message *x = &m->v[i];

		if (x->here != x->there || x->row != x->here)
			return false;
		if (x->here && (x->flags_here != x->flags_there || x->flags_row != x->flags_here ||
		    x->keywords_row != x->keywords_there))
			return false;
	}
	return true;
}

/* What nobody has deleted is still somewhere: before a message goes from both sides, one of
   them has lost it though the row says that both had it. */
static bool
nothing_lost(const struct model *before, const struct model *after)
{
	for (size_t i = 0; i < SIZE; i++) {
		const struct message *x = &before->v[i], *y = &after->v[i];
		bool was_deleted = x->row && (!x->here || !x->there);

		if ((x->here || x->there) && !was_deleted && !y->here && !y->there)
			return false;
	}
	return true;
}

static void
run(struct model *m, bool all, guint most, size_t *actions)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_row));
	g_autoptr(GArray) remote = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_remote));
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_file));
	mt_auto_value(mt_imap_set) gone = { 0 };
	mt_auto_value(mt_sync_plan) p = { NULL };

	plan(m, all, &p, rows, remote, files, &gone);
	apply(m, &p, most);
	*actions = p.actions->len;
}

static void
test_any_changes(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20261127);
	bool equal = true, kept = true, still = true;

	for (int round = 0; round < 3000; round++) {
		struct model m = { .uidnext = 1 };
		size_t actions;

		for (size_t i = 0; i < SIZE; i++)
			snprintf(m.v[i].name, sizeof(m.v[i].name), "f%zu", i);
		for (int step = 0; step < 6; step++) {
			struct model before;

			for (int i = g_rand_int_range(rand, 0, 40); i > 0; i--)
				change(&m, rand);
			before = m;
			/* Killed anywhere, and then run to its end. */
			run(&m, g_rand_boolean(rand), (guint)g_rand_int_range(rand, 0, 30),
			    &actions);
			run(&m, g_rand_boolean(rand), UINT_MAX, &actions);
			kept = kept && nothing_lost(&before, &m);
			run(&m, true, UINT_MAX, &actions);
			equal = equal && is_equal(&m);
			run(&m, true, UINT_MAX, &actions);
			still = still && actions == 0;
		}
	}
	ok(equal, "any changes of both sides, and a run that was killed, end in equality");
	ok(kept, "no message is lost that nobody deleted");
	ok(still, "where both sides are equal there is nothing to do");
}

static const struct {
	unsigned base, one, other, both;
} merges[] = {
	{ 0, 0, 0, 0 },
	{ 0, MT_SYNC_SEEN, 0, MT_SYNC_SEEN },
	{ 0, MT_SYNC_SEEN, MT_SYNC_FLAGGED, MT_SYNC_SEEN | MT_SYNC_FLAGGED },
	{ MT_SYNC_SEEN, 0, MT_SYNC_SEEN, 0 },
	{ MT_SYNC_SEEN, MT_SYNC_SEEN, MT_SYNC_SEEN, MT_SYNC_SEEN },
	{ MT_SYNC_SEEN, 0, MT_SYNC_SEEN | MT_SYNC_DRAFT, MT_SYNC_DRAFT },
	{ MT_SYNC_SEEN, 0, 0, 0 },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(merges); i++)
		is_int(mt_sync_flags_merge(merges[i].base, merges[i].one, merges[i].other),
		    merges[i].both, "flags: %u and %u of %u", merges[i].one, merges[i].other,
		    merges[i].base);
	ok(!mt_sync_is_mass(50, 60) && mt_sync_is_mass(51, 60) && !mt_sync_is_mass(51, 600) &&
	    !mt_sync_is_mass(100, 1000) && mt_sync_is_mass(101, 1000),
	    "more than 50, and more than a tenth, look like a mistake");
	test_any_changes();
	return tap_done();
}
