/* submit.c - hand one message to the submission server, and keep a copy (RFC 6409) */
#include "send/submit.h"

#include <glib.h>

#include "base/limits.h"
#include "maildir/deliver.h"
#include "message/seven.h"
#include "send/draft.h"

/* The copy in Sent on its way: a file in tmp/ until it is committed. */
struct copy {
	struct mt_maildir *maildir;
	struct mt_deliver *deliver;
};

static void
copy_clear(struct copy *c)
{
	mt_deliver_free(c->deliver);
	mt_maildir_free(c->maildir);
}

MT_AUTO_VALUE_DEFINE(copy, copy_clear);

static int
copy_begin(struct copy *c, const char *dir, struct mt_err *err)
{
	if (dir == NULL)
		return 0;
	c->maildir = mt_maildir_create(dir, err);
	if (c->maildir != NULL)
		c->deliver = mt_deliver_begin(c->maildir, err);
	if (c->deliver == NULL)
		return mt_fail_in(err, "nothing was sent: no copy could be kept");
	mt_maildir_sweep(c->maildir);
	mt_deliver_set_flags(c->deliver, MT_SLICE("S"));
	return 0;
}

static int
copy_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	struct copy *c = arg;

	return mt_deliver_write(c->deliver, p, n, err);
}

static int
copy_write(struct copy *c, struct mt_slice fields, int draft, struct mt_err *err)
{
	if (c->deliver == NULL)
		return 0;
	if ((fields.n > 0 && copy_piece(c, fields.p, fields.n, err) < 0) ||
	    mt_draft_copy_lf(draft, copy_piece, c, err) < 0)
		return mt_fail_in(err, "nothing was sent: no copy could be kept");
	return 0;
}

/*
 * Send in transactions of MT_MAX_RCPTS, since no server must take more (RFC 5321
 * 4.5.3.1.8). A later one that fails leaves what the earlier ones reached.
 */
static void
send_all(const struct mt_submit *s, struct mt_smtp_client *client, const char *from,
    const char *const *rcpts, int draft, struct mt_submit_result *r, struct mt_err *err)
{
	for (size_t at = 0; at < r->n; at += MT_MAX_RCPTS) {
		struct mt_smtp_envelope_out env = { from, rcpts + at,
			MIN(r->n - at, MT_MAX_RCPTS), s->dsn, NULL, s->is_ours };

		if (at > 0 && !mt_smtp_client_is_usable(client)) {
			for (size_t i = at; i < r->n; i++)
				g_strlcpy(r->outcomes[i].text,
				    "the connection was lost before its turn",
				    sizeof(r->outcomes[i].text));
			break;
		}
		(void)mt_smtp_client_send(client, &env, draft, r->outcomes + at, err);
	}
	for (size_t i = 0; i < r->n; i++) {
		r->sent += r->outcomes[i].fate == MT_SMTP_SENT;
		r->is_unknown = r->is_unknown || r->outcomes[i].is_unknown;
	}
}

static void
count(struct mt_submit_result *r, const struct mt_addr_list *rcpts)
{
	r->n = rcpts->n;
	r->outcomes = g_new0(struct mt_smtp_outcome, r->n);
	for (size_t i = 0; i < r->n; i++)
		r->outcomes[i].fate = MT_SMTP_DEFERRED;
}

int
mt_submit(const struct mt_submit *s, struct mt_submit_result *out, struct mt_err *err)
{
	mt_auto_value(copy) copy = { 0 };
	mt_auto(mt_smtp_client) client = NULL;
	g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *from = s->from != NULL ? mt_addr_spec(s->from) : g_strdup("");
	mt_auto_fd int seven = -1;
	struct mt_err why = { 0 };
	struct mt_conn *conn;
	int draft = s->draft;

	*out = (struct mt_submit_result){ 0 };
	if (copy_begin(&copy, s->sent_dir, err) < 0)
		return -1;
	conn = mt_conn_dial(s->server, err);
	if (conn == NULL)
		return -1;
	client = mt_smtp_client_new(conn);
	if (s->is_ours && !mt_smtp_client_extensions(client)->has_8bitmime) {
		draft = seven = mt_seven_write(s->draft, err);
		if (draft < 0)
			return -1;
	}
	if (copy_write(&copy, s->sent_fields, draft, err) < 0)
		return -1;
	for (size_t i = 0; i < s->rcpts->n; i++)
		g_ptr_array_add(specs, mt_addr_spec(&s->rcpts->v[i]));
	count(out, s->rcpts);
	send_all(s, client, from, (const char *const *)specs->pdata, draft, out, &why);
	out->lacks_dsn = s->dsn != NULL &&
	    (s->dsn->notify & (MT_DSN_SUCCESS | MT_DSN_DELAY)) != 0 &&
	    !mt_smtp_client_extensions(client)->has_dsn;
	/* The copy before anything else: until it is there, a crash loses it. */
	if (out->sent > 0 && copy.deliver != NULL)
		(void)mt_deliver_commit(copy.deliver, &out->copy_err);
	if (mt_smtp_client_is_usable(client))
		mt_smtp_client_quit(client);
	if (out->sent > 0)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

void
mt_submit_result_clear(struct mt_submit_result *r)
{
	g_free(r->outcomes);
	*r = (struct mt_submit_result){ 0 };
}
