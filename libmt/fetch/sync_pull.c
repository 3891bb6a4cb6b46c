/* sync_pull.c - messages from the server into the Maildir: streamed, durable in batches */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "fetch/sync_flags.h"
#include "fetch/sync_job.h"
#include "message/header.h"
#include "message/msgid.h"

/* A batch becomes durable together (sync_state.h). Each message in it is an open file. */
#define BATCH_MESSAGES 250
#define BATCH_BYTES MT_MIB(32)
/* Of the header so much is looked at for a Message-ID. */
#define HEAD_MAX MT_KIB(64)

/* A message that has come in, in tmp/. */
struct incoming {
	struct mt_deliver *delivery;
	struct mt_sync_row row;
	char *name, *msgid;
	uint64_t bytes;
};

struct pull {
	struct mt_sync_job *job;
	GHashTable *wanted;	/* uid -> action; those that have not come yet */
	GArray *batch;		/* struct incoming */
	uint64_t batch_bytes;
	/* The batch before, which becomes durable meanwhile. Nobody else uses the state then. */
	GArray *flying;
	bool is_flying, is_intended;
	pthread_t thread;
	int flying_rc;
	struct mt_err flying_err;
	/* The one that comes in. */
	struct mt_deliver *delivery;
	struct mt_buf head;
	uint64_t bytes;
	bool cr;		/* a CR waits for what follows it */
	size_t out_n;
	char out[MT_KIB(64)];	/* to be written */
};

static void
incoming_clear(void *p)
{
	struct incoming *in = p;

	mt_deliver_free(in->delivery);
	g_free(in->name);
	g_free(in->msgid);
}

/* --- a batch ------------------------------------------------------------------------- */

static int
put_rows(struct pull *p, enum mt_sync_state_of_row state, struct mt_err *err)
{
	struct mt_sync_job *j = p->job;
	int rc = 0;

	if (mt_sync_state_begin(j->run->state, err) < 0)
		return -1;
	for (guint i = 0; i < p->flying->len && rc == 0; i++) {
		const struct incoming *in = &g_array_index(p->flying, struct incoming, i);

		if (state == MT_SYNC_AGREED && mt_deliver_error(in->delivery) != NULL)
			rc = mt_sync_state_remove(j->run->state, j->folder.id, in->row.uid, err);
		else
			rc = mt_sync_state_put(j->run->state, j->folder.id, &in->row, state, err);
	}
	if (rc == 0 && mt_sync_state_commit(j->run->state, err) == 0)
		return 0;
	mt_sync_state_rollback(j->run->state);
	return -1;
}

/* Intended, renamed, agreed. What fails here fails for a reason on our side (the disk), which
   the next one would meet too: the end. */
static void *
commit_flying(void *arg)
{
	struct pull *p = arg;
	g_autofree struct mt_deliver **list = g_new(struct mt_deliver *, p->flying->len + 1);
	struct mt_err ignored = { 0 };

	for (guint i = 0; i < p->flying->len; i++)
		list[i] = g_array_index(p->flying, struct incoming, i).delivery;
	p->flying_rc = put_rows(p, MT_SYNC_INTENDED, &p->flying_err);
	p->is_intended = p->flying_rc == 0;
	if (!p->is_intended)
		return NULL;
	p->flying_rc = mt_deliver_commit_all(list, p->flying->len, &p->flying_err);
	if (put_rows(p, MT_SYNC_AGREED, p->flying_rc < 0 ? &ignored : &p->flying_err) < 0)
		p->flying_rc = -1;
	return NULL;
}

static void
tell_flying(struct pull *p)
{
	for (guint i = 0; i < p->flying->len; i++) {
		const struct incoming *in = &g_array_index(p->flying, struct incoming, i);
		const struct mt_err *why = mt_deliver_error(in->delivery);
		g_autofree char *path = NULL;

		if (why != NULL) {
			mt_sync_failed(p->job, MT_SYNC_PULL, in->row.uid, NULL, why);
			continue;
		}
		path = g_build_filename(p->job->path, mt_deliver_subdir(in->delivery),
		    mt_deliver_name(in->delivery), NULL);
		mt_sync_done(p->job, MT_SYNC_PULL, (struct mt_sync_event){ .uid = in->row.uid,
		    .name = in->name, .path = path, .flags = in->row.flags,
		    .bytes = in->bytes });
	}
}

static int
end_flying(struct pull *p, struct mt_err *err)
{
	if (p->flying_rc < 0)
		*err = p->flying_err;
	/* Without rows nothing was renamed. */
	if (p->is_intended)
		tell_flying(p);
	g_array_set_size(p->flying, 0);
	return p->flying_rc;
}

/* The batch that is under way is durable, and told. */
static int
land(struct pull *p, struct mt_err *err)
{
	if (!p->is_flying)
		return 0;
	pthread_join(p->thread, NULL);
	p->is_flying = false;
	return end_flying(p, err);
}

/* The batch becomes durable while the next one comes in. */
static int
commit(struct pull *p, struct mt_err *err)
{
	GArray *batch = p->batch;

	if (land(p, err) < 0)
		return -1;
	if (batch->len == 0)
		return 0;
	p->batch = p->flying;
	p->flying = batch;
	p->batch_bytes = 0;
	if (pthread_create(&p->thread, NULL, commit_flying, p) == 0) {
		p->is_flying = true;
		return 0;
	}
	commit_flying(p);
	return end_flying(p, err);
}

/* --- a message ----------------------------------------------------------------------- */

static int
begin(void *arg, uint64_t n, struct mt_err *err)
{
	struct pull *p = arg;

	(void)n;
	/* One whose response never said what it was. */
	mt_deliver_free(p->delivery);
	p->delivery = mt_deliver_begin(p->job->dir.maildir, err);
	mt_buf_reset(&p->head);
	p->bytes = p->out_n = 0;
	p->cr = false;
	return p->delivery != NULL ? 0 : -1;
}

static int
flush(struct pull *p, struct mt_err *err)
{
	size_t n = p->out_n;

	p->out_n = 0;
	p->bytes += n;
	(void)mt_buf_append(&p->head, p->out, MIN(n, HEAD_MAX - p->head.n));
	return n > 0 ? mt_deliver_write(p->delivery, p->out, n, err) : 0;
}

/* Lines are short, and a system call for each is dear. */
static int
put(struct pull *p, const char *bytes, size_t n, struct mt_err *err)
{
	while (n > 0) {
		size_t piece = MIN(n, sizeof(p->out) - p->out_n);

		memcpy(p->out + p->out_n, bytes, piece);
		p->out_n += piece;
		bytes += piece;
		n -= piece;
		if (p->out_n == sizeof(p->out) && flush(p, err) < 0)
			return -1;
	}
	return 0;
}

/* CRLF is LF in a Maildir; another CR stays. */
static int
write_piece(void *arg, const char *bytes, size_t n, struct mt_err *err)
{
	struct pull *p = arg;

	mt_sync_report(p->job, (struct mt_sync_event){ .kind = MT_SYNC_RECEIVED, .bytes = n });
	if (p->cr && n > 0 && bytes[0] != '\n' && put(p, "\r", 1, err) < 0)
		return -1;
	p->cr = p->cr && n == 0;
	while (n > 0) {
		const char *cr = memchr(bytes, '\r', n);
		size_t before = cr != NULL ? (size_t)(cr - bytes) : n;

		if (put(p, bytes, before, err) < 0)
			return -1;
		if (cr == NULL)
			return 0;
		bytes += before + 1;
		n -= before + 1;
		if (n == 0)
			p->cr = true;
		else if (bytes[0] != '\n' && put(p, "\r", 1, err) < 0)
			return -1;
	}
	return 0;
}

static int
end(void *arg, const struct mt_imap_fetch *what, struct mt_err *err)
{
	struct pull *p = arg;
	const struct mt_sync_action *a = NULL;
	struct incoming in = { .bytes = 0 };
	char unique[MT_MAILDIR_NAME_SIZE], letters[MT_MAILDIR_FLAGS_SIZE];
	struct mt_header_field field;
	unsigned flags;
	const char *keywords;

	if (what->has & MT_IMAP_HAS_UID)
		a = g_hash_table_lookup(p->wanted, GUINT_TO_POINTER(what->uid));
	/* One that we did not ask for, or have; NIL: it is gone, or the server cannot read it. */
	if (a == NULL || p->delivery == NULL || what->body_is_nil) {
		mt_deliver_free(mt_steal(&p->delivery));
		return 0;
	}
	g_hash_table_remove(p->wanted, GUINT_TO_POINTER(what->uid));
	if ((p->cr && put(p, "\r", 1, err) < 0) || flush(p, err) < 0)
		return -1;
	flags = a->remote->flags;
	keywords = a->remote->keywords;
	if (what->has & MT_IMAP_HAS_FLAGS)
		flags = mt_sync_flags_of_imap(what->flags, &keywords);
	if (mt_header_find(mt_buf_slice(&p->head), "Message-ID", &field))
		in.msgid = mt_msgid_parse_one(field.raw);
	mt_maildir_name_unique(unique);
	in.name = g_strdup_printf("%s,S=%llu", unique, (unsigned long long)p->bytes);
	in.delivery = mt_steal(&p->delivery);
	in.bytes = p->bytes;
	in.row = (struct mt_sync_row){ .uid = what->uid, .name = in.name, .flags = flags,
		.keywords = keywords, .msgid = in.msgid,
		.size = what->has & MT_IMAP_HAS_RFC822_SIZE ? what->size : 0 };
	mt_deliver_set_unique(in.delivery, mt_slice_str(in.name));
	if (flags != 0) {
		mt_sync_flags_to_maildir(flags, MT_SLICE(""), letters);
		mt_deliver_set_flags(in.delivery, mt_slice_str(letters));
	}
	if (what->has & MT_IMAP_HAS_DATE)
		mt_deliver_set_time(in.delivery, what->date);
	g_array_append_val(p->batch, in);
	p->batch_bytes += in.bytes;
	if (p->batch->len >= BATCH_MESSAGES || p->batch_bytes >= BATCH_BYTES)
		return commit(p, err);
	return 0;
}

/* --- all of them --------------------------------------------------------------------- */

static int
fetch(struct pull *p, const struct mt_imap_set *uids, struct mt_err *err)
{
	const struct mt_sync_bodies bodies = { begin, write_piece, end, p };

	return mt_sync_server_fetch(p->job->run->server, uids, &bodies, err);
}

/* The server has refused a command for many: each alone, and those that it does not give are
   told. */
static int
fetch_each(struct pull *p, struct mt_err *err)
{
	g_autoptr(GList) uids = g_hash_table_get_keys(p->wanted);

	for (const GList *l = uids; l != NULL; l = l->next) {
		mt_auto_value(mt_imap_set) one = { 0 };
		uint32_t uid = GPOINTER_TO_UINT(l->data);
		struct mt_err why = { 0 };

		mt_imap_set_add(&one, uid, uid);
		if (fetch(p, &one, &why) == 0)
			continue;
		if (why.kind != MT_EUNAVAIL) {
			*err = why;
			return -1;
		}
		mt_sync_failed(p->job, MT_SYNC_PULL, uid, NULL, &why);
		g_hash_table_remove(p->wanted, l->data);
	}
	return 0;
}

/* What did not come was removed meanwhile, or the server cannot give it, and does not say. */
static int
check_missing(struct pull *p, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) missing = { 0 }, present = { 0 };
	GHashTableIter iter;
	gpointer key;

	if (g_hash_table_size(p->wanted) == 0)
		return 0;
	p->job->is_partial = true;
	g_hash_table_iter_init(&iter, p->wanted);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		mt_imap_set_add(&missing, GPOINTER_TO_UINT(key), GPOINTER_TO_UINT(key));
	if (mt_sync_server_present(p->job->run->server, &missing, &present, err) < 0)
		return -1;
	g_hash_table_iter_init(&iter, p->wanted);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		struct mt_err why = { 0 };

		if (!mt_imap_set_has(&present, GPOINTER_TO_UINT(key)))
			continue;
		mt_fail(&why, MT_EDATA, "the server has it, and does not give its text");
		mt_sync_failed(p->job, MT_SYNC_PULL, GPOINTER_TO_UINT(key), NULL, &why);
	}
	return 0;
}

static int
pull_all(struct pull *p, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) uids = { 0 };
	const GArray *actions = p->job->plan.actions;
	struct mt_err why = { 0 }, ignored = { 0 };

	for (guint i = 0; i < actions->len; i++) {
		struct mt_sync_action *a = &g_array_index(actions, struct mt_sync_action, i);

		if (a->what != MT_SYNC_PULL)
			continue;
		mt_imap_set_add(&uids, a->remote->uid, a->remote->uid);
		g_hash_table_insert(p->wanted, GUINT_TO_POINTER(a->remote->uid), a);
	}
	if (uids.n == 0)
		return 0;
	if (fetch(p, &uids, &why) < 0 &&
	    (why.kind != MT_EUNAVAIL || fetch_each(p, &why) < 0)) {
		/* What has come in whole is kept: it need not come again. */
		if (commit(p, &ignored) == 0)
			(void)land(p, &ignored);
		*err = why;
		return -1;
	}
	if (commit(p, err) < 0 || land(p, err) < 0)
		return -1;
	return check_missing(p, err);
}

int
mt_sync_pull(struct mt_sync_job *j, struct mt_err *err)
{
	g_autofree struct pull *p = g_new0(struct pull, 1);
	int rc;

	p->job = j;
	mt_buf_init(&p->head, HEAD_MAX + 1);
	p->wanted = g_hash_table_new(NULL, NULL);
	p->batch = g_array_new(FALSE, FALSE, sizeof(struct incoming));
	p->flying = g_array_new(FALSE, FALSE, sizeof(struct incoming));
	g_array_set_clear_func(p->batch, incoming_clear);
	g_array_set_clear_func(p->flying, incoming_clear);
	rc = pull_all(p, err);
	if (p->is_flying)
		pthread_join(p->thread, NULL);
	mt_deliver_free(p->delivery);
	g_array_free(p->batch, TRUE);
	g_array_free(p->flying, TRUE);
	g_hash_table_unref(p->wanted);
	mt_buf_clear(&p->head);
	return rc;
}
