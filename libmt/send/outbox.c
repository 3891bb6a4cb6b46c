/* outbox.c - send what is in the queue, record what became of it, tell the sender */
#include "send/outbox.h"

#include <glib.h>
#include <time.h>

#include "base/limits.h"
#include "maildir/deliver.h"
#include "message/seven.h"
#include "queue/bounce.h"
#include "queue/route.h"
#include "queue/schedule.h"
#include "send/learn.h"
#include "send/sent_copy.h"

#define MAY_COME_AGAIN "sent, but the queue cannot record it, and may send it again"

struct mt_outbox {
	struct mt_outbox_params params;
	struct mt_smtp_client *client;
	char *host;		/* of client */
	char *route;		/* of client, or of what cannot be reached */
	struct mt_err down;	/* why not */
};

struct mt_outbox *
mt_outbox_new(const struct mt_outbox_params *params)
{
	struct mt_outbox *o = g_new0(struct mt_outbox, 1);

	o->params = *params;
	return o;
}

static void
hang_up(struct mt_outbox *o)
{
	if (o->client != NULL && mt_smtp_client_is_usable(o->client))
		mt_smtp_client_quit(o->client);
	mt_smtp_client_free(o->client);
	o->client = NULL;
}

void
mt_outbox_free(struct mt_outbox *o)
{
	if (o == NULL)
		return;
	hang_up(o);
	g_free(o->host);
	g_free(o->route);
	g_free(o);
}

/* --- the server ------------------------------------------------------------------- */

static char *
host_of(const struct mt_conn_dial *server)
{
	struct mt_conn_url url = { 0 };
	char *host = mt_conn_url_parse(server->url, &url, NULL) == 0 ? g_strdup(url.host) :
	    g_strdup("");

	mt_conn_url_clear(&url);
	return host;
}

/* Have a connection for the item; *is_new when it was made just now. */
static int
connect_route(struct mt_outbox *o, const struct mt_spool_item *item, bool *is_new,
    struct mt_err *err)
{
	const char *route = item->envelope->route;
	const struct mt_conn_dial *server;
	struct mt_conn *conn = NULL;
	struct mt_err why = { 0 };

	*is_new = false;
	if (g_strcmp0(o->route, route) == 0 && o->down.kind != MT_ENONE) {
		*err = o->down;
		return -1;
	}
	if (o->client != NULL && g_str_equal(o->route, route) &&
	    mt_smtp_client_is_usable(o->client))
		return 0;
	hang_up(o);
	g_free(o->route);
	o->route = g_strdup(route);
	o->down = (struct mt_err){ 0 };
	server = o->params.server(o->params.arg, route, &why);
	if (server != NULL)
		conn = mt_conn_dial(server, &why);
	if (conn == NULL) {
		o->down = why;
		*err = why;
		/* What cannot be noted is only tried too early. */
		(void)mt_route_set_down(item->spool, route, time(NULL), g_random_int(), NULL);
		return -1;
	}
	mt_route_set_up(item->spool, route);
	g_free(o->host);
	o->host = host_of(server);
	o->client = mt_smtp_client_new(conn);
	*is_new = true;
	return 0;
}

/* Whose turn it is: the first of those who wait, from *at on. */
static size_t
next_rcpts(const struct mt_envelope *e, guint *at, struct mt_queue_rcpt **out, size_t max)
{
	size_t n = 0;

	for (; *at < e->rcpts->len && n < max; (*at)++) {
		struct mt_queue_rcpt *r = e->rcpts->pdata[*at];

		if (r->fate == MT_QUEUE_WAITING)
			out[n++] = r;
	}
	return n;
}

static void
record(struct mt_queue_rcpt *rcpt, const struct mt_smtp_outcome *o, bool is_unfit)
{
	g_free(rcpt->text);
	rcpt->text = g_strdup(o->text);
	g_strlcpy(rcpt->dsn, o->dsn, sizeof(rcpt->dsn));
	rcpt->is_unknown = rcpt->is_unknown || o->is_unknown;
	rcpt->is_news = true;
	if (o->fate == MT_SMTP_SENT)
		rcpt->fate = MT_QUEUE_SENT;
	else if (o->fate == MT_SMTP_REFUSED || is_unfit)
		rcpt->fate = MT_QUEUE_FAILED;
}

/* The id by which the first who get it will answer: it is the message's from now on. */
static void
learn(const struct mt_outbox *o, struct mt_envelope *e, const char *reply)
{
	char *id = mt_learn_message_id(reply, o->host, e->message_id);

	if (id == NULL)
		return;
	g_free(e->message_id);
	e->message_id = id;
}

static void
none_reached(struct mt_queue_rcpt *const *rcpts, size_t n, const struct mt_err *why)
{
	for (size_t i = 0; i < n; i++) {
		g_free(rcpts[i]->text);
		rcpts[i]->text = g_strdup(why->msg);
		g_strlcpy(rcpts[i]->dsn, why->dsn, sizeof(rcpts[i]->dsn));
	}
}

/* What we wrote goes without 8-bit bytes to who does not take them; what others wrote goes
   as it is, as from an MTA. */
static int
send_once(struct mt_outbox *o, const struct mt_spool_item *item,
    const struct mt_smtp_envelope_out *env, struct mt_smtp_outcome *outcomes,
    struct mt_err *err)
{
	mt_auto_fd int seven = -1;

	for (size_t i = 0; i < env->rcpts_n; i++)
		outcomes[i] = (struct mt_smtp_outcome){ .fate = MT_SMTP_DEFERRED };
	if (item->envelope->is_ours && !mt_smtp_client_extensions(o->client)->has_8bitmime) {
		seven = mt_seven_write(item->fd, err);
		for (size_t i = 0; i < env->rcpts_n && seven < 0; i++)
			g_strlcpy(outcomes[i].text, err->msg, sizeof(outcomes[i].text));
		if (seven < 0)
			return -1;
	}
	return mt_smtp_client_send(o->client, env, seven >= 0 ? seven : item->fd, outcomes,
	    err);
}

/* One transaction (RFC 5321 4.5.3.1.8: no server must take more than 100). False when
   there is no server to offer it to. */
static bool
send_some(struct mt_outbox *o, struct mt_spool_item *item, struct mt_queue_rcpt **rcpts,
    size_t n, struct mt_err *why)
{
	struct mt_smtp_outcome outcomes[MT_MAX_RCPTS];
	const char *specs[MT_MAX_RCPTS];
	const struct mt_envelope *e = item->envelope;
	const struct mt_dsn dsn = { e->notify, e->ret, e->envid };
	struct mt_dsn_rcpt wishes[MT_MAX_RCPTS];
	const struct mt_smtp_envelope_out env = { e->from, specs, n, &dsn, wishes,
		e->is_ours };
	bool is_new, is_unfit, is_lost;

	for (size_t i = 0; i < n; i++) {
		specs[i] = rcpts[i]->address;
		wishes[i] = (struct mt_dsn_rcpt){ rcpts[i]->notify, rcpts[i]->orcpt };
	}
	/* A server may have closed a connection that waited, or take only so many messages on
	   one (421): that is no failure. */
	do {
		struct mt_err err = { 0 };

		if (connect_route(o, item, &is_new, &err) < 0) {
			none_reached(rcpts, n, &err);
			*why = err;
			return false;
		}
		(void)send_once(o, item, &env, outcomes, &err);
		is_unfit = err.kind == MT_EDATA;
		is_lost = !mt_smtp_client_is_usable(o->client) && !is_new;
		for (size_t i = 0; i < n && is_lost; i++)
			is_lost = outcomes[i].fate == MT_SMTP_DEFERRED &&
			    !outcomes[i].is_unknown;
	} while (is_lost);
	for (size_t i = 0; i < n; i++) {
		if (outcomes[i].fate == MT_SMTP_SENT && mt_envelope_count(e, MT_QUEUE_SENT) == 0)
			learn(o, item->envelope, outcomes[i].text);
		record(rcpts[i], &outcomes[i], is_unfit);
		/* RFC 3461 5.2.2: nobody else will tell. */
		rcpts[i]->is_relayed = rcpts[i]->fate == MT_QUEUE_SENT &&
		    (mt_envelope_notify(e, rcpts[i]) & MT_DSN_SUCCESS) != 0 &&
		    !mt_smtp_client_extensions(o->client)->has_dsn;
		if (rcpts[i]->fate == MT_QUEUE_WAITING && why->kind == MT_ENONE)
			mt_fail(why, MT_ETEMP, "%s", outcomes[i].text);
	}
	return true;
}

/*
 * To all who wait, in as many transactions as it takes; what one came to is durable before
 * the next. *asked: somebody was, so that something is known that was not known before.
 * -1 when an outcome cannot be recorded; then no more is sent.
 */
static int
send_all(struct mt_outbox *o, struct mt_spool_item *item, bool *asked, struct mt_err *why,
    struct mt_err *err)
{
	struct mt_queue_rcpt *rcpts[MT_MAX_RCPTS];
	bool is_new = false;	/* something was not recorded yet */
	guint at = 0;
	size_t n;

	while ((n = next_rcpts(item->envelope, &at, rcpts, MT_MAX_RCPTS)) > 0) {
		if (is_new && mt_spool_save(item, err) < 0)
			return mt_fail_in(err, MAY_COME_AGAIN);
		if (mt_spool_reserve(item, err) < 0)
			return mt_fail_in(err, "%s, since the queue could not record it",
			    *asked ? "sent to no more of them" : "not sent");
		is_new = send_some(o, item, rcpts, n, why);
		*asked = *asked || is_new;
	}
	return 0;
}

/* --- the sender's own Maildirs ---------------------------------------------------- */

static int
deliver_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	return mt_deliver_write(arg, p, n, err);
}

static int
tell(const struct mt_outbox *o, const struct mt_spool_item *item, enum mt_bounce_kind kind,
    int64_t now, struct mt_err *err)
{
	const char *inbox = o->params.inbox(o->params.arg, item->envelope->route);
	g_autofree char *path = g_build_filename(o->params.maildir, inbox, NULL);
	mt_auto(mt_maildir) dir = mt_maildir_create(path, err);
	mt_auto(mt_deliver) d = dir != NULL ? mt_deliver_begin(dir, err) : NULL;
	const struct mt_bounce bounce = { kind, item->envelope, item->id, o->params.host, now,
		item->fd };

	if (d == NULL || mt_bounce_write(&bounce, deliver_piece, d, err) < 0)
		return -1;
	return mt_deliver_commit(d, err);
}

/* --- one message ------------------------------------------------------------------ */

static void
turn(struct mt_envelope *e, enum mt_queue_fate from, enum mt_queue_fate to)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate == from)
			r->fate = to;
	}
}

/* Who failed, and whose sender does not want to hear of it. */
static void
pass_over(struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate == MT_QUEUE_FAILED && !mt_dsn_wants_failure(mt_envelope_notify(e, r)))
			r->fate = MT_QUEUE_TOLD;
	}
}

/* Somebody waits whose sender wants to hear that it is late. */
static bool
wants_delay(const struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate == MT_QUEUE_WAITING && mt_dsn_wants_delay(mt_envelope_notify(e, r)))
			return true;
	}
	return false;
}

static void
forget_relayed(struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++)
		((struct mt_queue_rcpt *)e->rcpts->pdata[i])->is_relayed = false;
}

/* Who waits and is too old has waited long enough. */
static void
expire(struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		struct mt_queue_rcpt *r = e->rcpts->pdata[i];
		g_autofree char *last = r->text;

		if (r->fate != MT_QUEUE_WAITING)
			r->text = g_steal_pointer(&last);
		else {
			r->text = g_strdup_printf("given up after %lld days; last: %s",
			    (long long)(MT_QUEUE_EXPIRES_S / 86400),
			    last != NULL ? last : "never tried");
			g_strlcpy(r->dsn, "4.4.7", sizeof(r->dsn));
			r->fate = MT_QUEUE_FAILED;
			r->is_news = true;
		}
	}
}

/* The copy and the reports, each recorded when it is durable. */
static void
settle(struct mt_outbox *o, struct mt_spool_item *item, bool is_again, int64_t now,
    struct mt_outbox_result *r)
{
	struct mt_envelope *e = item->envelope;

	if (e->copy_to != NULL && mt_envelope_count(e, MT_QUEUE_SENT) > 0 &&
	    mt_sent_copy_keep(o->params.maildir, o->params.host, item, is_again, &r->copy_err) == 0)
		g_clear_pointer(&e->copy_to, g_free);
	pass_over(e);
	if (mt_envelope_count(e, MT_QUEUE_FAILED) > 0 &&
	    tell(o, item, MT_BOUNCE_FAILED, now, &r->told_err) == 0) {
		turn(e, MT_QUEUE_FAILED, MT_QUEUE_TOLD);
		r->is_told = true;
	}
	if (mt_envelope_has_relayed(e) &&
	    tell(o, item, MT_BOUNCE_RELAYED, now, &r->told_err) == 0)
		forget_relayed(e);
	if (r->waiting > 0 && mt_schedule_is_late(e, now) &&
	    (!wants_delay(e) || tell(o, item, MT_BOUNCE_DELAYED, now, &r->told_err) == 0))
		e->told_delay = now;
}

/* Nobody waits, nobody is to be told, and the copy is there, or there is nothing to copy. */
static bool
is_settled(const struct mt_envelope *e)
{
	return mt_envelope_count(e, MT_QUEUE_WAITING) == 0 &&
	    mt_envelope_count(e, MT_QUEUE_FAILED) == 0 && !mt_envelope_has_relayed(e) &&
	    (e->copy_to == NULL || mt_envelope_count(e, MT_QUEUE_SENT) == 0);
}

int
mt_outbox_try(struct mt_outbox *o, struct mt_spool_item *item, int64_t now,
    struct mt_outbox_result *r, struct mt_err *err)
{
	struct mt_envelope *e = item->envelope;
	size_t sent = mt_envelope_count(e, MT_QUEUE_SENT);
	size_t waited = mt_envelope_count(e, MT_QUEUE_WAITING);
	bool asked = false, is_recorded = false;
	int rc;

	*r = (struct mt_outbox_result){ 0 };
	rc = send_all(o, item, &asked, &r->why, err);
	/* Who was asked may have gone since, and left no client. */
	r->lacks_dsn = asked && (e->notify & (MT_DSN_SUCCESS | MT_DSN_DELAY)) != 0 &&
	    o->client != NULL && !mt_smtp_client_extensions(o->client)->has_dsn;
	if (rc == 0 && mt_schedule_age(e, now) == MT_QUEUE_EXPIRED)
		expire(e);
	r->waiting = mt_envelope_count(e, MT_QUEUE_WAITING);
	r->sent = mt_envelope_count(e, MT_QUEUE_SENT) - sent;
	r->failed = waited - r->waiting - r->sent;
	if (rc < 0 && r->why.kind == MT_ENONE && err != NULL)
		r->why = *err;
	if (rc < 0)
		return -1;
	if (!is_settled(e)) {
		/* The way's own state says when it is tried again, for all at once. */
		if (asked || waited == 0)
			mt_schedule_failed(e, now, g_random_int());
		if (mt_spool_save(item, err) < 0)
			return mt_fail_in(err, r->sent == 0 ? "queue" : MAY_COME_AGAIN);
		is_recorded = true;
		settle(o, item, sent > 0, now, r);
	}
	r->is_done = is_settled(e) && mt_spool_remove(item, err) == 0;
	/* What cannot be removed is not sent again if it says that it was sent. */
	if (r->is_done || mt_spool_save(item, err) == 0)
		return 0;
	return mt_fail_in(err, r->sent == 0 || is_recorded ? "queue" : MAY_COME_AGAIN);
}
