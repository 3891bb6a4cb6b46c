/* send_enqueue.c - mt-send: into the queue, one try, and how it is told */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "base/json.h"
#include "base/limits.h"
#include "message/header.h"
#include "message/msgid.h"
#include "queue/route.h"
#include "queue/schedule.h"
#include "send.h"
#include "send/draft.h"
#include "send_outbox.h"
#include "smtp/scan.h"

struct mt_spool *
send_open_spool(struct mt_err *err)
{
	g_autofree char *state = mt_cmd_state_dir();
	g_autofree char *dir = g_build_filename(state, "queue", NULL);
	struct mt_spool *spool = mt_spool_open(dir, err);

	/* No message of the user's is missing, but our own folder. */
	if (spool == NULL && err->kind == MT_ENOINPUT)
		err->kind = MT_EIO;
	return spool;
}

static const struct mt_conn_dial *
server_of(void *arg, const char *route, struct mt_err *err)
{
	struct send *s = arg;

	s->account = mt_client_conf_account(s->conf, route, err);
	mt_secret_free(s->password);
	s->password = NULL;
	/* The queue does not know which file an account is in. */
	if (s->account == NULL)
		mt_fail_in(err, "written for an account of another file (mt-send -C FILE queue "
		    "run)");
	return s->account != NULL && send_open_account(s, err) == 0 ? &s->server : NULL;
}

static const char *
inbox_of(void *arg, const char *route)
{
	const struct send *s = arg;
	const struct mt_account *a = mt_client_conf_account(s->conf, route, NULL);

	return a != NULL ? a->folder : s->conf->accounts[0].folder;
}

struct mt_outbox *
send_open_outbox(struct send *s)
{
	const struct mt_outbox_params params = {
		.maildir = s->conf->maildir,
		.host = g_get_host_name(),
		.server = server_of,
		.inbox = inbox_of,
		.arg = s,
	};

	return mt_outbox_new(&params);
}

/* --- one try, and how it is told ---------------------------------------------------- */

const char *
send_fate_word(enum mt_queue_fate fate)
{
	static const char *const words[] = { "waiting", "sent", "failed", "failed" };

	return words[fate];
}

json_t *
send_json_rcpts(const struct mt_envelope *e)
{
	json_t *list = json_array();

	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:s, s:o}", "address",
		    mt_json_text(r->address), "result", send_fate_word(r->fate), "unknown",
		    r->is_unknown, "dsn", r->dsn, "text", mt_json_text(r->text)));
	}
	return list;
}

int64_t
send_next_try(struct mt_spool *spool, const struct mt_envelope *e)
{
	struct mt_route route;

	mt_route_read(spool, e->route, &route);
	return MAX(mt_schedule_next(e), route.next);
}

/* What an earlier try refused stays failed when only its report was to be stored. */
static const char *
result_word(const struct mt_envelope *e, const struct mt_outbox_result *r)
{
	if (r->failed > 0)
		return "failed";
	if (r->waiting > 0)
		return "queued";
	return mt_envelope_count(e, MT_QUEUE_SENT) < e->rcpts->len ? "failed" : "sent";
}

void
send_print_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r)
{
	const struct mt_envelope *e = item->envelope;
	bool waits = r->waiting > 0;

	if (s->json)
		mt_json_print(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "result",
		    result_word(e, r), "id", item->id, "message_id",
		    mt_json_text(e->message_id), "reason", mt_json_text(waits ? r->why.msg : NULL),
		    "next", mt_json_count(waits ? (uint64_t)send_next_try(item->spool, e) : 0),
		    "recipients", send_json_rcpts(e)), '\n', stdout);
}

/* sendmail -v */
static void
tell_sent(const struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *to = e->rcpts->pdata[i];

		if (to->is_news && to->fate == MT_QUEUE_SENT)
			mt_cmd_warn("<%s> sent: %s", to->address, to->text);
	}
}

int
send_tell_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r)
{
	const struct mt_envelope *e = item->envelope;

	send_print_try(s, item, r);
	if (s->verbose)
		tell_sent(e);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *to = e->rcpts->pdata[i];

		if (to->is_news &&
		    (to->fate == MT_QUEUE_FAILED || to->fate == MT_QUEUE_TOLD))
			mt_cmd_warn("<%s> refused: %s", to->address, to->text);
	}
	if (r->failed > 0)
		mt_cmd_warn("%zu of %u recipients got the message%s",
		    mt_envelope_count(e, MT_QUEUE_SENT), e->rcpts->len,
		    r->is_told ? "; a report is in your INBOX" : "");
	if (r->lacks_dsn && r->sent > 0)
		send_warn_no_dsn();
	if (r->waiting == e->rcpts->len)
		mt_cmd_warn("queued: %s", r->why.msg);
	else if (r->waiting > 0)
		mt_cmd_warn("queued: %zu of %u recipients, the others are done (mt-send queue "
		    "why %s): %s", r->waiting, e->rcpts->len, item->id, r->why.msg);
	if (r->waiting > 0 && r->why.kind == MT_EPERM && s->account != NULL)
		mt_cmd_warn("it waits until the login works: see to smtp, auth and "
		    "password_command of account %s (%s:%u), then mt-send queue retry",
		    s->account->name, s->account->file, s->account->line);
	if (r->copy_err.kind != MT_ENONE)
		mt_cmd_warn("sent, but no copy could be kept; tried again by queue run: %s",
		    r->copy_err.msg);
	if (r->told_err.kind != MT_ENONE)
		mt_cmd_warn("the report could not be stored; tried again by queue run: %s",
		    r->told_err.msg);
	return r->failed > 0 ? EX_UNAVAILABLE : EX_OK;
}

int
send_try(const struct send *s, struct mt_outbox *o, struct mt_spool_item *item,
    struct mt_outbox_result *r)
{
	struct mt_err err = { 0 };

	/* It is in the queue, and not the caller's any more, whatever happens. */
	if (mt_outbox_try(o, item, time(NULL), r, &err) < 0 &&
	    !g_str_equal(err.msg, r->why.msg))
		mt_cmd_warn("%s", err.msg);
	return send_tell_try(s, item, r);
}

int
send_flush(struct mt_spool *spool)
{
	struct mt_err err = { 0 };

	if (mt_spool_flush(spool, &err) == 0)
		return EX_OK;
	mt_fail_in(&err, "what was sent or removed may come back into the queue");
	return mt_cmd_fail(&err);
}

/* --- into the queue ---------------------------------------------------------------- */

static char *
message_id_of(int draft)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	struct mt_header_field f;

	if (mt_draft_header(draft, &head, NULL) < 0 ||
	    !mt_header_find(mt_buf_slice(&head), "Message-ID", &f))
		return NULL;
	return mt_msgid_parse_one(f.raw);
}

int
send_queue_add(struct send *s, struct mt_spool *spool, const struct send_mail *m,
    struct mt_spool_item **item, struct mt_err *err)
{
	g_autofree char *spec = m->from != NULL ? mt_addr_spec(m->from) : g_strdup("");
	mt_auto(mt_envelope) e = mt_envelope_new(s->account->name, spec, time(NULL));
	const struct mt_dsn *dsn = m->dsn != NULL ? m->dsn : &s->dsn;

	/* The seconds begin now, and not when the user began to write. */
	if (s->undo_s > 0)
		s->not_before = e->created + (int64_t)s->undo_s;
	for (size_t i = 0; i < m->rcpts->n; i++) {
		g_autofree char *rcpt = mt_addr_spec(&m->rcpts->v[i]);
		struct mt_queue_rcpt *r = mt_envelope_add(e, rcpt);

		if (m->wishes != NULL) {
			r->notify = m->wishes[i].notify;
			r->orcpt = g_strdup(m->wishes[i].orcpt);
		}
	}
	e->message_id = message_id_of(m->draft);
	e->is_ours = m->is_ours;
	e->not_before = s->not_before;
	e->notify = dsn->notify;
	e->ret = dsn->ret;
	e->envid = g_strdup(dsn->envid);
	e->copy_to = g_strdup(m->copy_to);
	if (m->copy_fields.n > 0)
		e->copy_fields = mt_slice_dup(m->copy_fields);
	return mt_spool_add(spool, e, m->draft, item, err);
}

int
send_check_mail(struct send *s, int draft, struct mt_err *err)
{
	struct mt_smtp_scan scan;

	if (mt_smtp_scan(draft, &scan, err) < 0)
		return -1;
	/* Says how an account is made to send. */
	return s->account->smtp == NULL ? send_open_account(s, err) : 0;
}

int
send_enqueue(struct send *s, const struct mt_addr *from, const struct mt_addr_list *rcpts,
    int draft, bool is_ours, const char *copy_to, struct mt_slice copy_fields)
{
	const struct send_mail m = { .from = from, .rcpts = rcpts, .draft = draft,
		.is_ours = is_ours, .copy_to = copy_to, .copy_fields = copy_fields };
	mt_auto(mt_spool) spool = NULL;
	mt_auto(mt_spool_item) item = NULL;
	mt_auto(mt_outbox) outbox = NULL;
	struct mt_outbox_result r;
	struct mt_err err = { 0 };
	int status;

	/* What can never be sent is refused while its sender is here to mend it. */
	if (send_check_mail(s, draft, &err) < 0)
		return mt_cmd_fail(&err);
	spool = send_open_spool(&err);
	if (spool == NULL || send_queue_add(s, spool, &m, &item, &err) < 0) {
		mt_fail_in(&err, "nothing was sent");
		return mt_cmd_fail(&err);
	}
	s->is_taken = true;
	if (send_is_for_later(s, spool, &item, &status))
		return status;
	outbox = send_open_outbox(s);
	status = send_try(s, outbox, item, &r);
	(void)send_flush(spool);
	if (r.waiting > 0)
		send_warn_unattended(spool);
	return status;
}
