/* send_outbox.h - mt-send: the user's queue, and how a try is told */
#ifndef MT_CMD_SEND_OUTBOX_H
#define MT_CMD_SEND_OUTBOX_H

#include <jansson.h>

#include "queue/spool.h"
#include "send.h"
#include "send/outbox.h"

/* send_enqueue.c */
struct mt_spool *send_open_spool(struct mt_err *err);
/* After send_read_conf(); it uses s until it is freed. */
struct mt_outbox *send_open_outbox(struct send *s);

/* A message for the queue, with what stands around it. */
struct send_mail {
	const struct mt_addr *from;		/* NULL: "<>" */
	const struct mt_addr_list *rcpts;
	int draft;
	bool is_ours;				/* written by us */
	const char *copy_to;			/* a folder, or NULL */
	struct mt_slice copy_fields;
	const struct mt_dsn *dsn;		/* NULL: as the command line says */
	const struct mt_dsn_rcpt *wishes;	/* one for each recipient, or NULL */
};

/* Whether it can be sent at all, by this account: what can not is refused while its sender
   is here to mend it. */
int send_check_mail(struct send *s, int draft, struct mt_err *err);
/* Durable in the queue, by s->account, when this returns 0; locked in *item. */
int send_queue_add(struct send *s, struct mt_spool *spool, const struct send_mail *m,
    struct mt_spool_item **item, struct mt_err *err);

/* What left the queue does not come back, also if the power fails now. The exit status. */
int send_flush(struct mt_spool *spool);

/* When a run tries it next: when its own time and that of its way have come. */
int64_t send_next_try(struct mt_spool *spool, const struct mt_envelope *e);

/* "waiting", "sent", "failed" */
const char *send_fate_word(enum mt_queue_fate fate);
json_t *send_json_rcpts(const struct mt_envelope *e);

/* Tell how a try went: as JSON, where that is asked for, */
void send_print_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r);
/* and also on standard error. The exit status: what waits is ours, so it is no failure. */
int send_tell_try(const struct send *s, const struct mt_spool_item *item,
    const struct mt_outbox_result *r);

/* Try a message that was just queued, and tell how it went: the exit status. */
int send_try(const struct send *s, struct mt_outbox *o, struct mt_spool_item *item,
    struct mt_outbox_result *r);

/* send_queue.c: "2026-11-27 18:00:00", local time */
#define SEND_TIME_SIZE 32
void send_format_time(int64_t t, char out[SEND_TIME_SIZE]);

/* send_later.c */
/*
 * Whether a message that was just queued is not to be tried now. With --undo and a terminal
 * it waits, and the user may hold it back. When true, all is told, and *status is the
 * exit status; *item may be another then, or NULL.
 */
bool send_is_for_later(struct send *s, struct mt_spool *spool, struct mt_spool_item **item,
    int *status);
/* Say so when no queue run was seen lately: for when a message stays in the queue. */
void send_warn_unattended(struct mt_spool *spool);

#endif
