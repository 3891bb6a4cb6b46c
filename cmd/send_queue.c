/* send_queue.c - mt-send: the verbs that see to the queue */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/json.h"
#include "base/progress.h"
#include "queue/route.h"
#include "queue/schedule.h"
#include "send.h"
#include "send/draft.h"
#include "send_outbox.h"

/* --- the verbs of mt-send queue ----------------------------------------------------- */

static const char *
state_word(const struct mt_envelope *e, int64_t now)
{
	if (e->is_held)
		return "held";
	/* A report, or the copy, could not be stored. */
	if (mt_envelope_count(e, MT_QUEUE_WAITING) == 0)
		return mt_envelope_count(e, MT_QUEUE_FAILED) > 0 ? "failed" : "sent";
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

/* To whom it still goes: the first of them, and how many more; else to whom it went. */
static const char *
first_open(const struct mt_envelope *e, size_t *more)
{
	size_t waiting = mt_envelope_count(e, MT_QUEUE_WAITING);
	const struct mt_queue_rcpt *r = e->rcpts->pdata[0];

	for (guint i = 0; waiting > 0 && r->fate != MT_QUEUE_WAITING; i++)
		r = e->rcpts->pdata[i];
	*more = (waiting > 0 ? waiting : e->rcpts->len) - 1;
	return r->address;
}

static json_t *
json_entry(const char *id, const struct mt_envelope *e, int64_t next)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", id, "state",
	    state_word(e, time(NULL)), "account", mt_json_text(e->route), "from",
	    mt_json_text(e->from), "message_id", mt_json_text(e->message_id), "created",
	    mt_json_count((uint64_t)e->created), "next",
	    mt_json_count((uint64_t)next), "tries",
	    mt_json_count(e->tries), "reason", mt_json_text(reason_of(e)),
	    "recipients", send_json_rcpts(e));
}

void
send_format_time(int64_t t, char out[SEND_TIME_SIZE])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, SEND_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
}

static void
print_entry(const struct send *s, struct mt_spool *spool, const char *id,
    const struct mt_envelope *e)
{
	int64_t next = send_next_try(spool, e);
	const char *reason = reason_of(e), *first;
	char when[SEND_TIME_SIZE];
	size_t more;

	if (s->nul_ends) {
		mt_cmd_print(id, '\0');
		return;
	}
	if (s->json) {
		mt_json_print(json_entry(id, e, next), '\n', stdout);
		return;
	}
	send_format_time(next, when);
	printf("%s\t%s\t%s\t<", id, state_word(e, time(NULL)), when);
	mt_cmd_print_text(e->from, '\n');
	fputs("> -> <", stdout);
	first = first_open(e, &more);
	mt_cmd_print_text(first, '\n');
	putchar('>');
	if (more > 0)
		printf(" and %zu more", more);
	putchar('\t');
	mt_cmd_print(reason != NULL ? reason : "", '\n');
}

/* All recipients with the last reply to each. */
static void
print_why(const struct send *s, struct mt_spool *spool, const char *id,
    const struct mt_envelope *e)
{
	int64_t next = send_next_try(spool, e);
	char when[SEND_TIME_SIZE];
	struct mt_route route;

	if (s->json) {
		mt_json_print(json_entry(id, e, next), '\n', stdout);
		return;
	}
	mt_route_read(spool, e->route, &route);
	send_format_time(e->created, when);
	printf("%s\twritten %s, offered %llu times to the server", id, when,
	    (unsigned long long)e->tries);
	if (route.tries > 0) {
		send_format_time(route.down_since, when);
		printf(", which was not reached since %s", when);
	}
	send_format_time(next, when);
	printf(e->is_held ? ", held\n" : ", next %s\n", when);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		fputs("\t<", stdout);
		mt_cmd_print_text(r->address, '\n');
		printf(">\t%s\t", send_fate_word(r->fate));
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
	/* What is held keeps its time; what only waits for it need not any more. */
	if (!item->envelope->is_held)
		item->envelope->not_before = 0;
	item->envelope->is_held = false;
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
	return send_tell_try(s, item, &r);
}

/* When the message and the way it goes are; or when its sender is to be told. */
static bool
is_due(const struct mt_spool_item *item, int64_t now)
{
	const struct mt_envelope *e = item->envelope;
	struct mt_route route;

	if (!mt_schedule_is_due(e, now))
		return false;
	if (mt_schedule_is_late(e, now) || mt_envelope_count(e, MT_QUEUE_WAITING) == 0)
		return true;
	mt_route_read(item->spool, e->route, &route);
	return mt_route_is_due(&route, now);
}

/* A run tells what needs a hand; what waits longer was told when it began to. */
static int
do_run(struct send *s, struct mt_outbox *o, struct mt_spool_item *item)
{
	struct mt_outbox_result r;
	struct mt_err err = { 0 };

	if (!is_due(item, time(NULL)))
		return EX_OK;
	if (mt_outbox_try(o, item, time(NULL), &r, &err) < 0)
		return mt_cmd_fail(&err);
	send_print_try(s, item, &r);
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
	print_why(s, item->spool, item->id, item->envelope);
	if (s->json)
		return EX_OK;
	putchar('\n');
	return mt_draft_copy_lf(item->fd, print_bytes, stdout, &err) < 0 ? mt_cmd_fail(&err) :
	    EX_OK;
}

/* Whether it is of the account that the command line names, if it does. */
static bool
is_of_account(const struct send *s, const struct mt_envelope *e)
{
	return s->account_name == NULL || g_str_equal(s->account_name, e->route);
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
		return named || is_of_account(s, item->envelope) ? verb(s, o, item) : EX_OK;
	if (!named)
		return EX_OK;
	if (busy) {
		mt_cmd_warn("%s: another process is sending it just now", id);
		return EX_TEMPFAIL;
	}
	mt_cmd_warn("%s: not in the queue", id);
	return EX_NOINPUT;
}

/* All of them, or those that are named. The first status that is not 0. */
static int
for_each(struct send *s, struct mt_spool *spool, queue_verb *verb)
{
	mt_auto(mt_outbox) o = send_open_outbox(s);
	mt_auto(mt_progress) progress = NULL;
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
	if (ids->len > 1 && mt_cmd_has_terminal())
		progress = mt_progress_new(stderr, "queue", "messages");
	mt_progress_begin(progress, "queue", ids->len);
	for (guint i = 0; i < ids->len; i++) {
		mt_progress_pause(progress);
		one = with_item(s, spool, o, ids->pdata[i], named, verb);
		status = status == EX_OK ? one : status;
		mt_progress_add(progress, 1);
	}
	one = send_flush(spool);
	return status == EX_OK ? one : status;
}

static int
list_queue(struct send *s, struct mt_spool *spool,
    void (*print)(const struct send *, struct mt_spool *, const char *,
    const struct mt_envelope *))
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

		if (e != NULL && (s->args->len > 0 || is_of_account(s, e)))
			print(s, spool, ids->pdata[i], e);
		else if (e != NULL)
			continue;
		/* One that was sent between the listing and now is none to speak of. */
		else if (s->args->len > 0 || err.kind != MT_ENOINPUT)
			status = mt_cmd_fail(&err);
		err = (struct mt_err){ 0 };
	}
	return status;
}

/* --dry-run promises that nothing is sent, and nothing is done. */
static void
check_is_meant(const struct send *s, const char *verb)
{
	if (s->dry_run)
		mt_cmd_usage("queue %s: not with --dry-run (mt-send queue list shows what "
		    "waits)", verb);
}

static int
run_queue(struct send *s, struct mt_spool *spool)
{
	struct mt_err err = { 0 };

	check_is_meant(s, "run");
	if (mt_spool_sweep(spool, time(NULL), &err) < 0 || mt_spool_mark_run(spool, &err) < 0)
		mt_cmd_warn("%s", err.msg);
	return for_each(s, spool, do_run);
}

int
send_run_queue(struct send *s)
{
	mt_auto(mt_spool) spool = NULL;
	struct mt_err err = { 0 };

	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	spool = send_open_spool(&err);
	return spool == NULL ? mt_cmd_fail(&err) : run_queue(s, spool);
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
	spool = send_open_spool(&err);
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
		if (verbs[i].verb != do_show)
			check_is_meant(s, name);
		if (verbs[i].wants_id && s->args->len == 0)
			mt_cmd_usage("queue %s: name a message (mt-send queue list)", name);
		return for_each(s, spool, verbs[i].verb);
	}
	mt_cmd_usage("queue %s: say list, show, why, run, retry, hold, release or rm", name);
}
