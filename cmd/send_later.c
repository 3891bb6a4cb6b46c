/* send_later.c - mt-send: --at and --undo, and a queue that nobody sees to */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "base/json.h"
#include "send.h"
#include "send_outbox.h"

/* The timer runs each minute; cron may be set to less. */
#define UNATTENDED_S 3600

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Count down on the terminal: false when the user said Ctrl-C. */
static bool
wait_out(uint64_t seconds)
{
	struct sigaction action = { .sa_handler = on_interrupt }, old;

	sigaction(SIGINT, &action, &old);
	for (; seconds > 0 && !interrupted; seconds--) {
		const struct timespec second = { .tv_sec = 1 };

		fprintf(stderr, "\rSending in %llu s; Ctrl-C holds it back ",
		    (unsigned long long)seconds);
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL);
	}
	fputs("\r\033[K", stderr);
	sigaction(SIGINT, &old, NULL);
	return !interrupted;
}

void
send_warn_unattended(struct mt_spool *spool)
{
	if (time(NULL) - mt_spool_last_run(spool) > UNATTENDED_S)
		mt_cmd_warn("nobody sees to the queue: have systemd do it (systemctl --user "
		    "enable --now mt-send.timer), or cron (\"mt-send queue run\")");
}

/* It stays in the queue until its time has come. */
static int
tell_waits(const struct send *s, struct mt_spool *spool, const struct mt_spool_item *item)
{
	struct mt_outbox_result r = { .waiting = item->envelope->rcpts->len };
	char when[SEND_TIME_SIZE];
	int status;

	send_format_time(s->not_before, when);
	mt_fail(&r.why, MT_ETEMP, "%s, for %s (mt-send queue rm %s takes it back)", item->id,
	    when, item->id);
	status = send_tell_try(s, item, &r);
	send_warn_unattended(spool);
	return status;
}

bool
send_is_for_later(struct send *s, struct mt_spool *spool, struct mt_spool_item **item,
    int *status)
{
	g_autofree char *id = g_strdup((*item)->id);
	struct mt_err err = { 0 };
	bool goes, is_busy;
	int rc;

	if (s->not_before == 0)
		return false;
	*status = EX_OK;
	if (s->undo_s == 0 || !mt_cmd_has_terminal()) {
		*status = tell_waits(s, spool, *item);
		return true;
	}
	/* Unlocked meanwhile: it can be held and removed from elsewhere, too. */
	mt_spool_item_free(*item);
	*item = NULL;
	goes = wait_out(s->undo_s);
	rc = mt_spool_take(spool, id, item, &is_busy, &err);
	if (rc < 0) {
		*status = mt_cmd_fail(&err);
		return true;
	}
	if (rc == 0) {
		mt_cmd_warn("%s: %s", id, is_busy ? "another process is sending it just now" :
		    "not in the queue any more: it was sent or taken back elsewhere");
		return true;
	}
	if (goes && !(*item)->envelope->is_held)
		return false;
	(*item)->envelope->is_held = true;
	(*item)->envelope->not_before = 0;
	if (mt_spool_save(*item, &err) < 0) {
		*status = mt_cmd_fail(&err);
		return true;
	}
	if (s->json)
		mt_json_print(json_pack("{s:s, s:s}", "result", "held", "id", id), '\n', stdout);
	mt_cmd_warn("held back: mt-send queue release %s sends it, mt-send queue rm %s "
	    "deletes it", id, id);
	return true;
}
