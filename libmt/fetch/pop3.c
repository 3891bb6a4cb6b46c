/* pop3.c - collect one maildrop over POP3 into a Maildir: never twice, never lost */
#include "fetch/pop3.h"

#include <glib.h>
#include <time.h>

#include "base/limits.h"
#include "fetch/ident.h"
#include "fetch/plan.h"
#include "fetch/recover.h"
#include "fetch/state.h"
#include "maildir/deliver.h"
#include "maildir/name.h"

/*
 * Messages become durable in batches: one pair of barriers for all (state.h says what
 * each step is worth). A batch ends at so many messages, which are as many open files,
 * or bytes.
 */
#define BATCH_MESSAGES 100
#define BATCH_BYTES MT_MIB(16)

/* A message that has come in, in tmp/. */
struct incoming {
	struct mt_fetch_item *item;
	struct mt_deliver *delivery;	/* NULL: it has been here before */
	uint64_t bytes;
	uint8_t ident[MT_DIGEST_SIZE];
	char name[MT_MAILDIR_NAME_SIZE];
};

struct mt_fetch {
	const struct mt_fetch_params *params;
	struct mt_fetch_state *state;
	struct mt_maildir *maildir;	/* NULL with dry_run */
	struct mt_pop3 *session;
	struct mt_fetch_plan plan;
	GArray *batch;			/* struct incoming */
	struct mt_fetch_ident *ident;	/* of the one that comes in */
	const struct mt_fetch_item *broken;	/* within which the session broke off, or NULL */
	uint64_t batch_bytes;
	struct mt_fetch_result *result;
};

static void
report(const struct mt_fetch *f, struct mt_fetch_event ev)
{
	if (f->params->report != NULL)
		f->params->report(f->params->report_arg, &ev);
}

/* Opening. */

/* "user@host", and the port where it is none of POP3's own. */
static char *
maildrop_key(const struct mt_conn_dial *dial, struct mt_err *err)
{
	mt_auto_value(mt_conn_url) url = { NULL };
	const char *user;

	if (mt_conn_url_parse(dial->url, &url, err) < 0)
		return NULL;
	if (!g_str_has_prefix(url.scheme, "pop3"))
		return mt_fail_null(err, MT_ECONF, "%s://%s: not pop3:// or pop3s://",
		    url.scheme, url.host);
	user = dial->user != NULL ? dial->user : url.user;
	if (user == NULL)
		return mt_fail_null(err, MT_ECONF, "%s://%s: the URL names no user "
		    "(%s://USER@%s)", url.scheme, url.host, url.scheme, url.host);
	if (url.port == 0 || url.port == 110 || url.port == 995)
		return g_strdup_printf("%s@%s", user, url.host);
	return g_strdup_printf("%s@%s:%u", user, url.host, url.port);
}

struct mt_fetch *
mt_fetch_new(const struct mt_fetch_params *params, struct mt_err *err)
{
	g_autofree char *key = maildrop_key(&params->dial, err);
	mt_auto(mt_fetch) f = NULL;

	if (key == NULL)
		return NULL;
	f = g_new0(struct mt_fetch, 1);
	f->params = params;
	f->batch = g_array_new(FALSE, FALSE, sizeof(struct incoming));
	f->ident = mt_fetch_ident_new();
	f->state = mt_fetch_state_open(params->state_dir, key, err);
	if (f->state == NULL)
		return NULL;
	if (params->dry_run)
		return mt_steal(&f);
	f->maildir = mt_maildir_create(params->maildir, err);
	if (f->maildir == NULL)
		return NULL;
	mt_maildir_sweep(f->maildir);
	return mt_steal(&f);
}

static void
drop_batch(struct mt_fetch *f)
{
	for (guint i = 0; i < f->batch->len; i++)
		mt_deliver_free(g_array_index(f->batch, struct incoming, i).delivery);
	g_array_set_size(f->batch, 0);
	f->batch_bytes = 0;
}

void
mt_fetch_free(struct mt_fetch *f)
{
	if (f == NULL)
		return;
	drop_batch(f);
	g_array_free(f->batch, TRUE);
	mt_fetch_plan_clear(&f->plan);
	mt_fetch_ident_free(f->ident);
	mt_pop3_free(f->session);
	mt_maildir_free(f->maildir);
	mt_fetch_state_free(f->state);
	g_free(f);
}

/* Planning. */

/* One message goes wrong: said, counted, and the others go on. */
static void
fail_item(struct mt_fetch *f, uint32_t number, const char *uid, const struct mt_err *err)
{
	f->result->failed++;
	if (f->result->failure.kind == MT_ENONE)
		f->result->failure = *err;
	report(f, (struct mt_fetch_event){ .what = MT_FETCH_FAILED, .number = number,
	    .uid = uid, .err = err });
}

/* What is ours already, and what is to be fetched. */
static int
make_plan(struct mt_fetch *f, struct mt_err *err)
{
	struct mt_fetch_plan *p = &f->plan;
	const struct mt_pop3_entry *list;
	size_t n;

	if (mt_pop3_list(f->session, &list, &n, err) < 0)
		return -1;
	f->result->listed = n;
	for (size_t i = 0; i < n; i++) {
		struct mt_err why = { 0 };

		if (list[i].uid != NULL)
			continue;
		mt_fail(&why, MT_EPROTO, "message %u has no valid UID: it cannot be told "
		    "from others, and stays on the server", list[i].number);
		fail_item(f, list[i].number, NULL, &why);
	}
	if (mt_fetch_plan_make(p, f->state, list, n, f->params->dry_run, err) < 0)
		return -1;
	f->result->known = p->n - p->todo_n;
	report(f, (struct mt_fetch_event){ .what = MT_FETCH_PLANNED,
	    .messages = p->todo_n, .bytes = p->bytes });
	return 0;
}

/* Fetching. */

/* The row of a message that has come in. */
static struct mt_fetch_known
row_of(const struct incoming *in, enum mt_fetch_row row, int64_t when)
{
	struct mt_fetch_known known = { .row = row, .is_shared = in->item->is_shared,
		.has_ident = true, .size = in->item->size, .time = when };

	memcpy(known.ident, in->ident, MT_DIGEST_SIZE);
	return known;
}

/* The batch's rows are made durable before a file has its name. */
static int
intend_batch(struct mt_fetch *f, struct mt_err *err)
{
	int64_t now = time(NULL);

	if (mt_fetch_state_begin(f->state, err) < 0)
		return -1;
	for (guint i = 0; i < f->batch->len; i++) {
		const struct incoming *in = &g_array_index(f->batch, struct incoming, i);
		struct mt_fetch_known row = row_of(in, MT_FETCH_INTENDED, now);

		if (in->delivery != NULL && mt_fetch_state_put(f->state, &in->item->id,
		    &row, mt_maildir_path(f->maildir), in->name, err) < 0)
			return -1;
	}
	return mt_fetch_state_commit(f->state, err);
}

/* And those of files that are durable say so, before anybody hears of it. */
static int
settle_batch(struct mt_fetch *f, struct mt_err *err)
{
	if (mt_fetch_state_begin(f->state, err) < 0)
		return -1;
	for (guint i = 0; i < f->batch->len; i++) {
		const struct incoming *in = &g_array_index(f->batch, struct incoming, i);
		struct mt_fetch_known again =
		    row_of(in, MT_FETCH_STORED, in->item->known.time);

		if (in->delivery == NULL &&
		    mt_fetch_state_put(f->state, &in->item->id, &again, "", "", err) < 0)
			return -1;
		if (in->delivery != NULL && mt_deliver_error(in->delivery) == NULL &&
		    mt_fetch_state_set(f->state, &in->item->id, MT_FETCH_STORED, err) < 0)
			return -1;
	}
	return mt_fetch_state_commit(f->state, err);
}

static void
report_batch(struct mt_fetch *f)
{
	int64_t now = time(NULL);

	for (guint i = 0; i < f->batch->len; i++) {
		const struct incoming *in = &g_array_index(f->batch, struct incoming, i);
		const struct mt_err *why;
		g_autofree char *path = NULL;

		if (in->delivery == NULL) {
			in->item->is_fetched = true;
			in->item->known.row = MT_FETCH_STORED;
			f->result->known++;
			continue;
		}
		why = mt_deliver_error(in->delivery);
		if (why != NULL) {
			fail_item(f, in->item->number, in->item->id.uid, why);
			continue;
		}
		in->item->is_fetched = true;
		in->item->known.row = MT_FETCH_STORED;
		in->item->known.time = now;
		f->result->fetched++;
		f->result->bytes += in->bytes;
		path = g_build_filename(mt_maildir_path(f->maildir),
		    mt_deliver_subdir(in->delivery), mt_deliver_name(in->delivery), NULL);
		report(f, (struct mt_fetch_event){ .what = MT_FETCH_DELIVERED,
		    .number = in->item->number, .uid = in->item->id.uid,
		    .bytes = in->bytes, .path = path });
	}
}

/*
 * Make the batch durable: intended, renamed, stored. A message that fails here fails
 * for a reason on our side (the disk), which the next one would meet too: the end.
 */
static int
commit_batch(struct mt_fetch *f, struct mt_err *err)
{
	g_autofree struct mt_deliver **list = g_new(struct mt_deliver *, f->batch->len + 1);
	size_t n = 0;
	int rc;

	if (f->batch->len == 0)
		return 0;
	for (guint i = 0; i < f->batch->len; i++) {
		list[n] = g_array_index(f->batch, struct incoming, i).delivery;
		n += list[n] != NULL;
	}
	if (intend_batch(f, err) < 0) {
		mt_fetch_state_rollback(f->state);
		drop_batch(f);
		return -1;
	}
	rc = mt_deliver_commit_all(list, n, err);
	if (settle_batch(f, err) < 0) {
		mt_fetch_state_rollback(f->state);
		drop_batch(f);
		return -1;
	}
	report_batch(f);
	drop_batch(f);
	return rc;
}

/* The body of one message into tmp/. */
static int
receive_body(struct mt_fetch *f, struct incoming *in, struct mt_err *err)
{
	struct mt_slice piece;
	int rc;

	while ((rc = mt_pop3_read(f->session, &piece, err)) > 0) {
		if (mt_deliver_write(in->delivery, piece.p, piece.n, err) < 0)
			return -1;
		mt_fetch_ident_add(f->ident, piece.p, piece.n);
		in->bytes += piece.n;
		report(f, (struct mt_fetch_event){ .what = MT_FETCH_RECEIVED,
		    .bytes = piece.n });
	}
	mt_fetch_ident_end(f->ident, in->ident);
	f->broken = rc < 0 ? in->item : NULL;
	return rc;
}

/* Whether we had it under this UID before: 1, 0, -1 (state.h). */
static int
has_been_here(struct mt_fetch *f, const struct incoming *in, struct mt_err *err)
{
	enum mt_fetch_row row = in->item->known.row;

	if (row != MT_FETCH_GONE && row != MT_FETCH_STORED)
		return 0;
	return mt_fetch_state_has(f->state, in->item->id.uid, in->ident, err);
}

/* The answer to one RETR: the message joins the batch, or is reported as refused. */
static int
receive(struct mt_fetch *f, struct mt_fetch_item *item, struct mt_err *err)
{
	struct incoming in = { .item = item };
	struct mt_err refused = { 0 };
	char unique[MT_MAILDIR_NAME_SIZE];
	int rc = mt_pop3_answer(f->session, &refused);

	if (rc < 0) {
		f->broken = item;
		*err = refused;
		return -1;
	}
	if (rc == 0) {
		fail_item(f, item->number, item->id.uid, &refused);
		return 0;
	}
	in.delivery = mt_deliver_begin(f->maildir, err);
	if (in.delivery == NULL)
		return -1;
	if (receive_body(f, &in, err) < 0) {
		mt_deliver_free(in.delivery);
		return mt_fail_in(err, "message %u", item->number);
	}
	rc = has_been_here(f, &in, err);
	if (rc != 0) {
		mt_deliver_free(in.delivery);
		in.delivery = NULL;
		if (rc > 0)
			g_array_append_val(f->batch, in);
		return rc > 0 ? 0 : -1;
	}
	mt_maildir_name_unique(unique);
	if (snprintf(in.name, sizeof(in.name), "%s,S=%llu", unique,
	    (unsigned long long)in.bytes) >= (int)sizeof(in.name))
		g_error("a Maildir name is too long");
	mt_deliver_set_unique(in.delivery, mt_slice_str(in.name));
	g_array_append_val(f->batch, in);
	f->batch_bytes += in.bytes;
	return 0;
}

/* A message that breaks every session does not keep the others from coming. */
static void
note_broken(struct mt_fetch *f)
{
	struct mt_fetch_known row = { .row = MT_FETCH_BROKEN };
	struct mt_err ignored = { 0 };

	if (f->broken != NULL && f->broken->known.row == MT_FETCH_UNSEEN)
		mt_fetch_state_put(f->state, &f->broken->id, &row, "", "", &ignored);
}

static int
fetch_all(struct mt_fetch *f, struct mt_err *err)
{
	size_t window = mt_pop3_window(f->session);
	const struct mt_fetch_plan *p = &f->plan;
	size_t sent = 0;

	for (size_t at = 0; at < p->todo_n; at++) {
		for (; sent < p->todo_n && sent - at < window; sent++) {
			if (mt_pop3_send_retr(f->session, p->todo[sent]->number, err) < 0)
				return -1;
		}
		if (receive(f, p->todo[at], err) < 0)
			return -1;
		if ((f->batch->len >= BATCH_MESSAGES || f->batch_bytes >= BATCH_BYTES) &&
		    commit_batch(f, err) < 0)
			return -1;
	}
	return 0;
}

/* Deleting. */

static GPtrArray *
due_items(const struct mt_fetch *f)
{
	GPtrArray *due = g_ptr_array_new();
	int64_t now = time(NULL);

	for (size_t i = 0; i < f->plan.n; i++) {
		if (mt_fetch_is_due(&f->plan.items[i], f->params->delete_after_s, now))
			g_ptr_array_add(due, &f->plan.items[i]);
	}
	return due;
}

/* From QUIT on, the UIDs of all whose DELE was accepted may mean other messages. */
static int
mark_deleted(struct mt_fetch *f, GPtrArray *due, struct mt_err *err)
{
	if (mt_fetch_state_begin(f->state, err) < 0)
		return -1;
	for (guint i = 0; i < due->len; i++) {
		const struct mt_fetch_item *item = g_ptr_array_index(due, i);

		if (item->is_deleted && mt_fetch_state_set(f->state, &item->id,
		    MT_FETCH_GONE, err) < 0) {
			mt_fetch_state_rollback(f->state);
			return -1;
		}
	}
	return mt_fetch_state_commit(f->state, err);
}

static int
delete_all(struct mt_fetch *f, GPtrArray *due, struct mt_err *err)
{
	size_t window = mt_pop3_window(f->session);
	guint sent = 0;

	for (guint at = 0; at < due->len; at++) {
		struct mt_fetch_item *item = g_ptr_array_index(due, at);
		struct mt_err refused = { 0 };
		int rc;

		while (sent < due->len && sent - at < window) {
			const struct mt_fetch_item *next = g_ptr_array_index(due, sent++);

			if (mt_pop3_send_dele(f->session, next->number, err) < 0)
				return -1;
		}
		rc = mt_pop3_answer(f->session, &refused);
		if (rc < 0) {
			*err = refused;
			return -1;
		}
		item->is_deleted = rc > 0;
		if (rc == 0)
			fail_item(f, item->number, item->id.uid, &refused);
	}
	return mark_deleted(f, due, err);
}

/* QUIT is what deletes (RFC 1939 6): until it is confirmed nothing is known. */
static int
quit(struct mt_fetch *f, GPtrArray *due, struct mt_err *err)
{
	struct mt_err why = { 0 };

	if (mt_pop3_quit(f->session, &why) <= 0) {
		if (due->len == 0)
			return 0;
		*err = why;
		return mt_fail_in(err, "deletion was not confirmed, and will be tried again");
	}
	for (guint i = 0; i < due->len; i++) {
		const struct mt_fetch_item *item = g_ptr_array_index(due, i);

		if (!item->is_deleted)
			continue;
		f->result->deleted++;
		report(f, (struct mt_fetch_event){ .what = MT_FETCH_DELETED,
		    .number = item->number, .uid = item->id.uid });
	}
	return 0;
}

/* All of it. */

static int
show_plan(struct mt_fetch *f, struct mt_err *err)
{
	g_autoptr(GPtrArray) due = due_items(f);
	g_autoptr(GPtrArray) none = g_ptr_array_new();

	for (size_t i = 0; i < f->plan.todo_n; i++) {
		struct mt_fetch_item *item = f->plan.todo[i];

		report(f, (struct mt_fetch_event){ .what = MT_FETCH_WOULD_FETCH,
		    .number = item->number, .uid = item->id.uid, .bytes = item->size });
		/* The same session would delete it. */
		if (f->params->delete_after_s == 0)
			g_ptr_array_add(due, item);
	}
	for (guint i = 0; i < due->len; i++) {
		const struct mt_fetch_item *item = g_ptr_array_index(due, i);

		report(f, (struct mt_fetch_event){ .what = MT_FETCH_WOULD_DELETE,
		    .number = item->number, .uid = item->id.uid, .bytes = item->size });
	}
	return quit(f, none, err);
}

static int
connect_to(struct mt_fetch *f, const char *password, struct mt_err *err)
{
	struct mt_conn_dial dial = f->params->dial;
	struct mt_conn *c;

	dial.password = password;
	c = mt_conn_dial(&dial, err);
	if (c == NULL)
		return -1;
	f->session = mt_pop3_new(c, err);
	return f->session == NULL ? -1 : 0;
}

int
mt_fetch_run(struct mt_fetch *f, const char *password, struct mt_fetch_result *result,
    struct mt_err *err)
{
	g_autoptr(GPtrArray) due = NULL;
	struct mt_err ignored = { 0 };

	*result = (struct mt_fetch_result){ 0 };
	f->result = result;
	if (!f->params->dry_run && mt_fetch_recover(f->state, &result->recovered, err) < 0)
		return -1;
	if (connect_to(f, password, err) < 0 || make_plan(f, err) < 0)
		return -1;
	if (f->params->dry_run)
		return show_plan(f, err);
	if (fetch_all(f, err) < 0) {
		/* What has come in whole is kept: it need not come again. */
		if (commit_batch(f, &ignored) == 0)
			note_broken(f);
		return -1;
	}
	if (commit_batch(f, err) < 0)
		return -1;
	due = due_items(f);
	if (due->len > 0 && delete_all(f, due, err) < 0)
		return -1;
	return quit(f, due, err);
}
