/* send_queue.c - mt-send: the queue, by which every message goes, and its verbs */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "message/header.h"
#include "message/msgid.h"
#include "queue/schedule.h"
#include "queue/spool.h"
#include "send.h"
#include "send/draft.h"
#include "send/outbox.h"
#include "smtp/scan.h"

static struct mt_spool *
open_spool(struct mt_err *err)
{
	g_autofree char *state = mt_cmd_state_dir();
	g_autofree char *dir = g_build_filename(state, "queue", NULL);

	return mt_spool_open(dir, err);
}

static const struct mt_conn_dial *
server_of(void *arg, const char *route, struct mt_err *err)
{
	struct send *s = arg;

	s->account = mt_client_conf_account(s->conf, route, err);
	mt_secret_free(s->password);
	s->password = NULL;
	return s->account != NULL && send_open_account(s, err) == 0 ? &s->server : NULL;
}

static const char *
inbox_of(void *arg, const char *route)
{
	const struct send *s = arg;
	const struct mt_account *a = mt_client_conf_account(s->conf, route, NULL);

	return a != NULL ? a->folder : s->conf->accounts[0].folder;
}

static struct mt_outbox *
open_outbox(struct send *s)
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

static const char *
fate_word(enum mt_queue_fate fate)
{
	static const char *const words[] = { "waiting", "sent", "failed", "failed" };

	return words[fate];
}

static json_t *
json_rcpts(const struct mt_envelope *e)
{
	json_t *list = json_array();

	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:s, s:o}", "address",
		    mt_json_text(r->address), "result", fate_word(r->fate), "unknown",
		    r->is_unknown, "dsn", r->dsn, "text", mt_json_text(r->text)));
	}
	return list;
}

static const char *
result_word(const struct mt_outbox_result *r)
{
	if (r->failed > 0)
		return "failed";
	return r->waiting > 0 ? "queued" : "sent";
}

static void
print_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r)
{
	const struct mt_envelope *e = item->envelope;

	if (s->json)
		mt_json_print(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "result", result_word(r),
		    "id", item->id, "message_id", mt_json_text(e->message_id), "reason",
		    mt_json_text(r->waiting > 0 ? r->why.msg : NULL), "next",
		    mt_json_count(r->waiting > 0 ? (uint64_t)e->next : 0), "recipients",
		    json_rcpts(e)), '\n', stdout);
}

/* On standard error; the status for it. What waits is ours, so it is no failure. */
static int
tell_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r)
{
	const struct mt_envelope *e = item->envelope;

	print_try(s, item, r);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *to = e->rcpts->pdata[i];

		if (to->fate == MT_QUEUE_FAILED || to->fate == MT_QUEUE_TOLD)
			mt_cmd_warn("<%s> refused: %s", to->address, to->text);
	}
	if (r->failed > 0)
		mt_cmd_warn("%zu of %u recipients got the message%s",
		    mt_envelope_count(e, MT_QUEUE_SENT), e->rcpts->len,
		    r->told_err.kind == MT_ENONE ? "; a report is in your INBOX" : "");
	if (r->waiting > 0)
		mt_cmd_warn("queued: %s", r->why.msg);
	if (r->copy_err.kind != MT_ENONE)
		mt_cmd_warn("sent, but no copy could be kept; tried again by queue run: %s",
		    r->copy_err.msg);
	if (r->told_err.kind != MT_ENONE)
		mt_cmd_warn("the report could not be stored; tried again by queue run: %s",
		    r->told_err.msg);
	return r->failed > 0 ? EX_UNAVAILABLE : EX_OK;
}

/* What has left the queue stays out of it; the status. */
static int
flush(struct mt_spool *spool)
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
send_enqueue(struct send *s, const struct mt_addr *from, const struct mt_addr_list *rcpts,
    int draft, bool is_ours, const char *copy_to, struct mt_slice copy_fields)
{
	g_autofree char *spec = from != NULL ? mt_addr_spec(from) : g_strdup("");
	mt_auto(mt_envelope) e = mt_envelope_new(s->account->name, spec, time(NULL));
	mt_auto(mt_spool) spool = NULL;
	mt_auto(mt_spool_item) item = NULL;
	mt_auto(mt_outbox) outbox = NULL;
	struct mt_outbox_result r;
	struct mt_smtp_scan scan;
	struct mt_err err = { 0 };

	/* What can never be sent is refused while its sender is here to mend it. */
	if (mt_smtp_scan(draft, &scan, &err) < 0)
		return mt_cmd_fail(&err);
	if (s->account->smtp == NULL)
		return send_open_account(s, &err) < 0 ? mt_cmd_fail(&err) : EX_SOFTWARE;
	for (size_t i = 0; i < rcpts->n; i++) {
		g_autofree char *rcpt = mt_addr_spec(&rcpts->v[i]);

		mt_envelope_add(e, rcpt);
	}
	e->message_id = message_id_of(draft);
	e->is_ours = is_ours;
	e->copy_to = g_strdup(copy_to);
	if (copy_fields.n > 0)
		e->copy_fields = mt_slice_dup(copy_fields);
	spool = open_spool(&err);
	if (spool == NULL || mt_spool_add(spool, e, draft, &item, &err) < 0) {
		mt_fail_in(&err, "nothing was sent");
		return mt_cmd_fail(&err);
	}
	outbox = open_outbox(s);
	/* It is in the queue, and not the caller's any more, whatever happens. */
	if (mt_outbox_try(outbox, item, time(NULL), &r, &err) < 0)
		mt_cmd_warn("%s", err.msg);
	(void)flush(spool);
	return tell_try(s, item, &r);
}

/* --- the verbs of mt-send queue ----------------------------------------------------- */

static const char *
state_word(const struct mt_envelope *e, int64_t now)
{
	if (e->is_held)
		return "held";
	if (mt_envelope_count(e, MT_QUEUE_WAITING) == 0)
		return "sent";	/* its copy, or the report, could not be stored */
	return e->not_before > now ? "later" : "waiting";
}

/* Why it waits: the first reply to one who does. */
static const char *
reason_of(const struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate == MT_QUEUE_WAITING && r->text != NULL)
			return r->text;
	}
	return NULL;
}

static json_t *
json_entry(const char *id, const struct mt_envelope *e)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", id, "state",
	    state_word(e, time(NULL)), "account", mt_json_text(e->route), "from",
	    mt_json_text(e->from), "message_id", mt_json_text(e->message_id), "created",
	    mt_json_count((uint64_t)e->created), "next", mt_json_count((uint64_t)e->next),
	    "tries", mt_json_count(e->tries), "reason", mt_json_text(reason_of(e)),
	    "recipients", json_rcpts(e));
}

static void
format_time(int64_t t, char out[32])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

static void
print_entry(const struct send *s, const char *id, const struct mt_envelope *e)
{
	const struct mt_queue_rcpt *first = e->rcpts->pdata[0];
	const char *reason = reason_of(e);
	char next[32];

	if (s->nul_ends) {
		mt_cmd_print(id, '\0');
		return;
	}
	if (s->json) {
		mt_json_print(json_entry(id, e), '\n', stdout);
		return;
	}
	format_time(MAX(e->next, e->not_before), next);
	printf("%s\t%s\t%s\t<", id, state_word(e, time(NULL)), next);
	mt_cmd_print_text(e->from, '\n');
	fputs("> -> <", stdout);
	mt_cmd_print_text(first->address, '\n');
	putchar('>');
	if (e->rcpts->len > 1)
		printf(" and %u more", e->rcpts->len - 1);
	putchar('\t');
	mt_cmd_print(reason != NULL ? reason : "", '\n');
}

/* All recipients with the last reply to each. */
static void
print_why(const struct send *s, const char *id, const struct mt_envelope *e)
{
	char when[32];

	if (s->json) {
		mt_json_print(json_entry(id, e), '\n', stdout);
		return;
	}
	format_time(e->created, when);
	printf("%s\twritten %s, tried %llu times", id, when, (unsigned long long)e->tries);
	format_time(MAX(e->next, e->not_before), when);
	printf(e->is_held ? ", held\n" : ", next %s\n", when);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		fputs("\t<", stdout);
		mt_cmd_print_text(r->address, '\n');
		printf(">\t%s\t", fate_word(r->fate));
		mt_cmd_print_text(r->text != NULL ? r->text : "not tried", '\n');
		puts(r->is_unknown ? " (a server may have taken it)" : "");
	}
}

static int
print_bytes(void *arg, const void *p, size_t n, struct mt_err *err)
{
	if (fwrite(p, 1, n, arg) != n)
		return mt_fail(err, MT_EIO, "standard output: %m");
	return 0;
}

/* What each verb does with one message, which is locked: the exit status. */
typedef int queue_verb(struct send *s, struct mt_outbox *o, struct mt_spool_item *item);

static int
save(struct mt_spool_item *item)
{
	struct mt_err err = { 0 };

	return mt_spool_save(item, &err) < 0 ? mt_cmd_fail(&err) : EX_OK;
}

static int
do_hold(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	(void)s, (void)o;
	item->envelope->is_held = true;
	return save(item);
}

static int
do_release(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	(void)s, (void)o;
	item->envelope->is_held = false;
	item->envelope->not_before = 0;
	return save(item);
}

static int
do_rm(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	struct mt_err err = { 0 };

	(void)s, (void)o;
	return mt_spool_remove(item, &err) < 0 ? mt_cmd_fail(&err) : EX_OK;
}

static int
do_retry(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	const struct mt_envelope *e = item->envelope;
	struct mt_outbox_result r;
	struct mt_err err = { 0 };

	/* Only who names it can mean what is kept back. */
	if (s->args->len == 0 && (e->is_held || e->not_before > time(NULL)))
		return EX_OK;
	if (mt_outbox_try(o, item, time(NULL), &r, &err) < 0)
		return mt_cmd_fail(&err);
	return tell_try(s, item, &r);
}

/* A run tells what needs a hand; what waits longer was told when it began to. */
static int
do_run(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	struct mt_outbox_result r;
	struct mt_err err = { 0 };

	if (!mt_schedule_is_due(item->envelope, time(NULL)))
		return EX_OK;
	if (mt_outbox_try(o, item, time(NULL), &r, &err) < 0)
		return mt_cmd_fail(&err);
	print_try(s, item, &r);
	if (r.copy_err.kind != MT_ENONE)
		mt_cmd_warn("%s: no copy could be kept: %s", item->id, r.copy_err.msg);
	if (r.told_err.kind != MT_ENONE)
		mt_cmd_warn("%s: the report could not be stored: %s", item->id, r.told_err.msg);
	return r.copy_err.kind != MT_ENONE || r.told_err.kind != MT_ENONE ? EX_TEMPFAIL : EX_OK;
}

static int
do_show(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	struct mt_err err = { 0 };

	(void)o;
	print_why(s, item->id, item->envelope);
	if (s->json)
		return EX_OK;
	putchar('\n');
	return mt_draft_copy_lf(item->fd, print_bytes, stdout, &err) < 0 ? mt_cmd_fail(&err) :
	    EX_OK;
}

/* The verb for one id. For a named one it is an error that it is not there, or busy. */
static int
with_item(struct send *s, struct mt_spool *spool, struct mt_outbox *o, const char *id,
    bool named, queue_verb *verb)
{
	mt_auto(mt_spool_item) item = NULL;
	struct mt_err err = { 0 };
	bool busy;
	int rc = mt_spool_take(spool, id, &item, &busy, &err);

	if (rc < 0)
		return mt_cmd_fail(&err);
	if (rc > 0)
		return verb(s, o, item);
	if (!named)
		return EX_OK;
	if (busy) {
		mt_cmd_warn("%s: another process is sending it just now", id);
		return EX_TEMPFAIL;
	}
	mt_cmd_warn("%s: not in the queue (mt-send queue list)", id);
	return EX_NOINPUT;
}

/* All of them, or those that are named. The first status that is not 0. */
static int
for_each(struct send *s, struct mt_spool *spool, queue_verb *verb)
{
	mt_auto(mt_outbox) o = open_outbox(s);
	g_autoptr(GPtrArray) all = NULL;
	struct mt_err err = { 0 };
	const GPtrArray *ids = s->args;
	bool named = s->args->len > 0;
	int status = EX_OK, one;

	if (!named) {
		ids = all = mt_spool_list(spool, &err);
		if (all == NULL)
			return mt_cmd_fail(&err);
	}
	for (guint i = 0; i < ids->len; i++) {
		one = with_item(s, spool, o, ids->pdata[i], named, verb);

		status = status == EX_OK ? one : status;
	}
	one = flush(spool);
	return status == EX_OK ? one : status;
}

static int
list_queue(struct send *s, struct mt_spool *spool,
    void (*print)(const struct send *, const char *, const struct mt_envelope *))
{
	g_autoptr(GPtrArray) all = NULL;
	struct mt_err err = { 0 };
	const GPtrArray *ids = s->args;
	int status = EX_OK;

	if (s->args->len == 0) {
		ids = all = mt_spool_list(spool, &err);
		if (all == NULL)
			return mt_cmd_fail(&err);
	}
	for (guint i = 0; i < ids->len; i++) {
		mt_auto(mt_envelope) e = mt_spool_peek(spool, ids->pdata[i], &err);

		if (e != NULL)
			print(s, ids->pdata[i], e);
		/* One that was sent between the listing and now is none to speak of. */
		else if (s->args->len > 0 || err.kind != MT_ENOINPUT)
			status = mt_cmd_fail(&err);
		err = (struct mt_err){ 0 };
	}
	return status;
}

static int
run_queue(struct send *s, struct mt_spool *spool)
{
	struct mt_err err = { 0 };

	if (mt_spool_sweep(spool, time(NULL), &err) < 0)
		mt_cmd_warn("%s", err.msg);
	return for_each(s, spool, do_run);
}

int
send_queue(struct send *s)
{
	static const struct {
		const char *name;
		queue_verb *verb;
		bool wants_id;
	} verbs[] = {
		{ "hold", do_hold, true },
		{ "release", do_release, true },
		{ "rm", do_rm, true },
		{ "show", do_show, true },
		{ "retry", do_retry, false },
	};
	mt_auto(mt_spool) spool = NULL;
	struct mt_err err = { 0 };
	const char *name = s->args->len > 0 ? s->args->pdata[0] : "list";

	if (s->args->len > 0)
		g_ptr_array_remove_index(s->args, 0);
	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	spool = open_spool(&err);
	if (spool == NULL)
		return mt_cmd_fail(&err);
	if (g_str_equal(name, "list"))
		return list_queue(s, spool, print_entry);
	if (g_str_equal(name, "why"))
		return list_queue(s, spool, print_why);
	if (g_str_equal(name, "run"))
		return run_queue(s, spool);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (!g_str_equal(name, verbs[i].name))
			continue;
		if (verbs[i].wants_id && s->args->len == 0)
			mt_cmd_usage("queue %s: name a message (mt-send queue list)", name);
		return for_each(s, spool, verbs[i].verb);
	}
	mt_cmd_usage("queue %s: say list, show, why, run, retry, hold, release or rm", name);
}
