/* sync_plan.c - what makes two sides of a folder equal: a pure function of three lists */
#include "fetch/sync_plan.h"

#include "fetch/sync_flags.h"

static void
add(struct mt_sync_plan *p, struct mt_sync_action a)
{
	g_array_append_val(p->actions, a);
	p->count[a.what]++;
}

/* Both sides have it: what has changed since they agreed? */
static void
plan_flags(struct mt_sync_plan *p, const struct mt_sync_row *row,
    const struct mt_sync_remote *remote, const struct mt_sync_file *file)
{
	unsigned theirs = remote != NULL ? remote->flags : row->flags;
	const char *keywords = remote != NULL ? remote->keywords : row->keywords;
	struct mt_sync_action a = { .row = row, .remote = remote, .file = file,
		.keywords = keywords };

	a.flags = mt_sync_flags_merge(row->flags, theirs, file->flags);
	a.add = a.flags & ~theirs;
	a.remove = theirs & ~a.flags;
	if (a.flags != theirs) {
		a.what = MT_SYNC_FLAGS_REMOTE;
		add(p, a);
	}
	if (a.flags != file->flags) {
		a.what = MT_SYNC_FLAGS_LOCAL;
		add(p, a);
	}
	if (a.flags == theirs && a.flags == file->flags &&
	    (row->flags != a.flags || row->keywords != keywords)) {
		a.what = MT_SYNC_NOTE;
		add(p, a);
	}
}

static void
plan_row(struct mt_sync_plan *p, const struct mt_sync_row *row, bool is_gone,
    const struct mt_sync_remote *remote, const struct mt_sync_file *file)
{
	struct mt_sync_action a = { .row = row, .remote = remote, .file = file,
		.flags = row->flags, .keywords = row->keywords };

	if (!is_gone && file != NULL) {
		plan_flags(p, row, remote, file);
		return;
	}
	a.what = is_gone && file == NULL ? MT_SYNC_FORGET :
	    is_gone ? MT_SYNC_DELETE_LOCAL : MT_SYNC_DELETE_REMOTE;
	add(p, a);
}

static int
compare(const void *a, const void *b)
{
	const struct mt_sync_action *x = a, *y = b;

	return (x->what > y->what) - (x->what < y->what);
}

void
mt_sync_plan_make(struct mt_sync_plan *p, const struct mt_sync_lists *l)
{
	g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
	size_t at = 0;

	*p = (struct mt_sync_plan){ .actions = g_array_new(FALSE, FALSE,
	    sizeof(struct mt_sync_action)) };
	for (size_t i = 0; i < l->nfiles; i++)
		g_hash_table_insert(files, (void *)(uintptr_t)l->files[i].name,
		    (void *)(uintptr_t)&l->files[i]);
	for (size_t i = 0; i <= l->nrows; i++) {
		const struct mt_sync_row *row = i < l->nrows ? &l->rows[i] : NULL;
		const struct mt_sync_remote *remote = NULL;
		const struct mt_sync_file *file;

		for (; at < l->nremote && (row == NULL || l->remote[at].uid <= row->uid); at++) {
			if (row != NULL && l->remote[at].uid == row->uid)
				remote = &l->remote[at];
			else
				add(p, (struct mt_sync_action){ .what = MT_SYNC_PULL,
				    .remote = &l->remote[at], .flags = l->remote[at].flags,
				    .keywords = l->remote[at].keywords });
		}
		if (row == NULL)
			break;
		file = g_hash_table_lookup(files, row->name);
		if (file != NULL)
			g_hash_table_remove(files, row->name);
		plan_row(p, row, mt_imap_set_has(l->gone, row->uid), remote, file);
	}
	/* In the order of the list, not of the table. */
	for (size_t i = 0; i < l->nfiles; i++) {
		if (g_hash_table_lookup(files, l->files[i].name) == &l->files[i])
			add(p, (struct mt_sync_action){ .what = MT_SYNC_PUSH,
			    .file = &l->files[i], .flags = l->files[i].flags });
	}
	g_array_sort(p->actions, compare);
}

void
mt_sync_plan_clear(struct mt_sync_plan *p)
{
	if (p->actions != NULL)
		g_array_free(p->actions, TRUE);
	*p = (struct mt_sync_plan){ 0 };
}

bool
mt_sync_is_mass(size_t deletions, size_t n)
{
	return deletions > MT_SYNC_FEW && deletions > n / 10;
}
