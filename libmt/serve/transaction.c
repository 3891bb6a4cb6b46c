/* transaction.c - one message in the keeper's hands: the files that it is written to */
#include "serve/transaction.h"

#include <glib.h>
#include <string.h>

#include "maildir/deliver.h"
#include "serve/policy.h"

/* Maildirs that nobody writes to now and that stay open all the same: three descriptors
   each. */
#define IDLE_BOXES_MAX 100

struct box {
	struct mt_serve_boxes *owner;
	char *user;
	struct mt_maildir *maildir;
	unsigned uses;
};

struct mt_serve_boxes {
	const struct mt_serve_params *params;
	GHashTable *by_user;	/* of struct box; without those that went bad */
	size_t idle;
};

struct mt_serve_transaction {
	size_t files;
	struct file {
		struct box *box;
		struct mt_deliver *delivery;	/* NULL: dropped */
	} file[MT_SERVE_FILES_MAX];
	void *owner;
	struct mt_err trouble;	/* the first in opening */
};

struct mt_serve_boxes *
mt_serve_boxes_new(const struct mt_serve_params *params)
{
	struct mt_serve_boxes *b = g_new0(struct mt_serve_boxes, 1);

	b->params = params;
	b->by_user = g_hash_table_new(g_str_hash, g_str_equal);
	return b;
}

static void
free_box(struct box *box)
{
	mt_maildir_free(box->maildir);
	g_free(box->user);
	g_free(box);
}

void
mt_serve_boxes_free(struct mt_serve_boxes *b)
{
	GHashTableIter it;
	void *box;

	if (b == NULL)
		return;
	g_hash_table_iter_init(&it, b->by_user);
	while (g_hash_table_iter_next(&it, NULL, &box))
		free_box(box);
	g_hash_table_unref(b->by_user);
	g_free(b);
}

/* Whether new transactions may find it. */
static bool
is_listed(const struct box *box)
{
	return g_hash_table_lookup(box->owner->by_user, box->user) == box;
}

static void
unlist(struct box *box)
{
	if (is_listed(box))
		g_hash_table_remove(box->owner->by_user, box->user);
}

static void
release(struct box *box)
{
	if (--box->uses > 0)
		return;
	if (is_listed(box) && box->owner->idle < IDLE_BOXES_MAX) {
		box->owner->idle++;
		return;
	}
	unlist(box);
	free_box(box);
}

static struct box *
get_box(struct mt_serve_boxes *b, const char *user, struct mt_err *err)
{
	struct box *box = g_hash_table_lookup(b->by_user, user);
	g_autofree char *path = NULL;
	struct mt_maildir *maildir;

	if (box != NULL) {
		b->idle -= box->uses++ == 0;
		/* Its owner may have removed or renamed it since. */
		if (mt_maildir_is_there(box->maildir))
			return box;
		unlist(box);
		release(box);
	}
	path = mt_serve_policy_maildir(b->params, user);
	maildir = mt_maildir_create(path, err);
	if (maildir == NULL)
		return NULL;
	mt_maildir_sweep(maildir);
	box = g_new0(struct box, 1);
	box->owner = b;
	box->user = g_strdup(user);
	box->maildir = maildir;
	box->uses = 1;
	g_hash_table_insert(b->by_user, box->user, box);
	return box;
}

int
mt_serve_boxes_make(struct mt_serve_boxes *b, const char *user, struct mt_err *err)
{
	g_autofree char *path = mt_serve_policy_maildir(b->params, user);
	mt_auto(mt_maildir) m = mt_maildir_create(path, err);

	return m == NULL ? -1 : 0;
}

static enum mt_serve_fate
fate_of(const struct mt_err *err)
{
	return strcmp(err->dsn, "4.3.1") == 0 ? MT_SERVE_FATE_NO_SPACE
					      : MT_SERVE_FATE_TEMP;
}

/* A file for the user: its index, or -1 with the fate. */
static int
file_for(struct mt_serve_transaction *t, struct mt_serve_boxes *b, const char *user,
    enum mt_serve_fate *fate)
{
	struct mt_err err = { 0 };
	struct file *f = &t->file[t->files];

	for (size_t i = 0; i < t->files; i++) {
		if (strcmp(t->file[i].box->user, user) == 0)
			return (int)i;
	}
	*fate = MT_SERVE_FATE_TOO_MANY;
	if (t->files == MT_SERVE_FILES_MAX)
		return -1;
	f->box = get_box(b, user, &err);
	if (f->box != NULL) {
		f->delivery = mt_deliver_begin(f->box->maildir, &err);
		if (f->delivery != NULL)
			return (int)t->files++;
		unlist(f->box);
		release(f->box);
	}
	*fate = fate_of(&err);
	if (t->trouble.kind == MT_ENONE)
		t->trouble = err;
	return -1;
}

const struct mt_err *
mt_serve_transaction_trouble(const struct mt_serve_transaction *t)
{
	return t->trouble.kind == MT_ENONE ? NULL : &t->trouble;
}

static enum mt_serve_fate
open_rcpt(struct mt_serve_transaction *t, struct mt_serve_boxes *b,
    const struct mt_serve_users *users, const struct mt_serve_ipc_path *path,
    uint8_t rcpt, struct mt_serve_ipc_opened *out)
{
	g_autoptr(GPtrArray) mailboxes = g_ptr_array_new_with_free_func(g_free);
	enum mt_serve_verdict v =
	    mt_serve_policy_rcpt(b->params, users, path->local, path->domain, mailboxes);
	enum mt_serve_fate fate = MT_SERVE_FATE_TEMP;

	if (v != MT_SERVE_OURS)
		return v == MT_SERVE_UNSURE ? MT_SERVE_FATE_TEMP : MT_SERVE_FATE_NO_USER;
	for (guint i = 0; i < mailboxes->len; i++) {
		int file = file_for(t, b, mailboxes->pdata[i], &fate);

		if (file < 0)
			return fate;
		if (out->pairs == MT_SERVE_PAIRS_MAX)
			return MT_SERVE_FATE_TOO_MANY;
		out->pair[out->pairs++] =
		    (struct mt_serve_ipc_pair){ rcpt, (uint8_t)file };
	}
	return MT_SERVE_FATE_GOOD;
}

struct mt_serve_transaction *
mt_serve_transaction_open(struct mt_serve_boxes *b, const struct mt_serve_users *users,
    const struct mt_serve_ipc_open *in, struct mt_serve_ipc_opened *out,
    int fds[MT_SERVE_FILES_MAX])
{
	struct mt_serve_transaction *t = g_new0(struct mt_serve_transaction, 1);

	out->rcpts = in->n;
	out->files = 0;
	out->pairs = 0;
	for (uint32_t i = 0; i < in->n; i++)
		out->fate[i] =
		    (uint8_t)open_rcpt(t, b, users, &in->rcpts[i], (uint8_t)i, out);
	out->files = (uint32_t)t->files;
	for (size_t i = 0; i < t->files; i++) {
		fds[i] = mt_deliver_fd(t->file[i].delivery);
		memset(out->mailboxes[i], 0, sizeof(out->mailboxes[i]));
		g_strlcpy(out->mailboxes[i], t->file[i].box->user,
		    sizeof(out->mailboxes[i]));
	}
	return t;
}

bool
mt_serve_transaction_keep(struct mt_serve_transaction *t,
    const struct mt_serve_ipc_commit *keep)
{
	if (keep->files != t->files)
		return false;
	for (size_t i = 0; i < t->files; i++) {
		if (keep->keep[i])
			continue;
		mt_deliver_free(t->file[i].delivery);
		t->file[i].delivery = NULL;
	}
	return true;
}

void
mt_serve_transaction_commit_all(void *const jobs[], size_t n)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	for (size_t j = 0; j < n; j++) {
		const struct mt_serve_transaction *t = jobs[j];

		for (size_t i = 0; i < t->files; i++) {
			if (t->file[i].delivery != NULL)
				g_ptr_array_add(list, t->file[i].delivery);
		}
	}
	/* Each delivery keeps its own error. */
	(void)mt_deliver_commit_all((struct mt_deliver *const *)list->pdata, list->len,
	    NULL);
}

const struct mt_err *
mt_serve_transaction_result(const struct mt_serve_transaction *t,
    struct mt_serve_ipc_committed *out)
{
	const struct mt_err *first = NULL;

	memset(out, 0, sizeof(*out));
	out->files = (uint32_t)t->files;
	for (size_t i = 0; i < t->files; i++) {
		const struct mt_deliver *d = t->file[i].delivery;
		const struct mt_err *err = d != NULL ? mt_deliver_error(d) : NULL;

		out->fate[i] = d == NULL ? MT_SERVE_FATE_TEMP : MT_SERVE_FATE_GOOD;
		if (err == NULL)
			continue;
		out->fate[i] = (uint8_t)fate_of(err);
		first = first == NULL ? err : first;
		/* The Maildir may be gone: look for it anew the next time. */
		unlist(t->file[i].box);
	}
	return first;
}

void
mt_serve_transaction_free(struct mt_serve_transaction *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->files; i++) {
		mt_deliver_free(t->file[i].delivery);
		release(t->file[i].box);
	}
	g_free(t);
}

void
mt_serve_transaction_set_owner(struct mt_serve_transaction *t, void *owner)
{
	t->owner = owner;
}

void *
mt_serve_transaction_owner(const struct mt_serve_transaction *t)
{
	return t->owner;
}
