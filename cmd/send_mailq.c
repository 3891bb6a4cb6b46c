/* send_mailq.c - mt-send: the queue as mailq and sendmail -bp show it */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "send.h"
#include "send_outbox.h"

static void
print_who(const char *before, const char *text, const char *after)
{
	fputs(before, stdout);
	mt_cmd_print_text(text, '\n');
	fputs(after, stdout);
}

/* Those who wait, each below the reply that he waits for, as Postfix prints it: scripts and
   people read it so. */
static void
print_message(const char *id, const struct mt_envelope *e, int64_t size)
{
	time_t t = (time_t)e->created;
	char when[32] = "?";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S", &tm);
	printf("%s%c %8lld %s  ", id, e->is_held ? '!' : ' ', (long long)size, when);
	print_who("", e->from[0] != '\0' ? e->from : "MAILER-DAEMON", "\n");
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate != MT_QUEUE_WAITING)
			continue;
		if (r->text != NULL)
			print_who("     (", r->text, ")\n");
		print_who("                                         ", r->address, "\n");
	}
	putchar('\n');
}

int
send_mailq(struct send *s)
{
	mt_auto(mt_spool) spool = NULL;
	g_autoptr(GPtrArray) ids = NULL;
	struct mt_err err = { 0 };
	int64_t total = 0;
	unsigned n = 0;
	int status = EX_OK;

	if (s->args->len > 0)
		mt_cmd_usage("mailq takes no arguments; mt-send queue show looks at one message");
	spool = send_open_spool(&err);
	ids = spool != NULL ? mt_spool_list(spool, &err) : NULL;
	if (ids == NULL)
		return mt_cmd_fail(&err);
	for (guint i = 0; i < ids->len; i++) {
		mt_auto(mt_envelope) e = mt_spool_peek(spool, ids->pdata[i], &err);
		int64_t size = mt_spool_size(spool, ids->pdata[i]);

		if (e == NULL) {
			/* One that was sent between the listing and now is none. */
			if (err.kind != MT_ENOINPUT)
				status = mt_cmd_fail(&err);
			err = (struct mt_err){ 0 };
			continue;
		}
		if (n++ == 0)
			puts("----Queue ID--- --Size-- ---Arrival Time--- -Sender/Recipient------");
		print_message(ids->pdata[i], e, size);
		total += size;
	}
	if (n == 0)
		puts("Mail queue is empty");
	else
		printf("-- %lld Kbytes in %u Request%s.\n", (long long)(total + 1023) / 1024, n,
		    n == 1 ? "" : "s");
	return status;
}
