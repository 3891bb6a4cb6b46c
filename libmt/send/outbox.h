/* outbox.h - send what is in the queue, record what became of it, tell the sender */
#ifndef MT_SEND_OUTBOX_H
#define MT_SEND_OUTBOX_H

#include "net/conn.h"
#include "queue/spool.h"
#include "smtp/client.h"

struct mt_outbox_params {
	const char *maildir;	/* the mail root: copies go below it */
	const char *host;	/* who says so in a report */
	/* The server of a route, borrowed until the next call; NULL: its messages wait. */
	const struct mt_conn_dial *(*server)(void *arg, const char *route,
	    struct mt_err *err);
	/* The folder below the mail root for reports to the sender, borrowed. */
	const char *(*inbox)(void *arg, const char *route);
	void *arg;
};

/*
 * One connection is kept for messages that go the same way. A server that cannot be
 * reached is not dialled again: what goes there waits. Everything in params is borrowed.
 */
struct mt_outbox;

struct mt_outbox *mt_outbox_new(const struct mt_outbox_params *params);
/* Says QUIT. */
void mt_outbox_free(struct mt_outbox *o);

/* What one try came to. The recipients' own fates are in the item's envelope. */
struct mt_outbox_result {
	size_t sent, failed;	/* recipients, by this try */
	size_t waiting;
	bool lacks_dsn;		/* a report is wanted that the server cannot promise */
	bool is_told;		/* a report of who failed is in the INBOX */
	bool is_done;		/* it has left the queue */
	struct mt_err why;	/* why it waits, when some do */
	struct mt_err copy_err;	/* the copy was not kept; it is tried again */
	struct mt_err told_err;	/* the report could not be stored; so is it */
};

/*
 * Try one message, due or not. What the server said is durable before anything else
 * happens; then the copy, the report to the sender, and the removal. -1 when nothing was
 * offered to a server, or no more, since the queue has no room to record what becomes of
 * it; or when what happened could not be recorded: the message may be sent again. err says
 * which; the counts of *r are right.
 */
int mt_outbox_try(struct mt_outbox *o, struct mt_spool_item *item, int64_t now,
    struct mt_outbox_result *r, struct mt_err *err);

MT_AUTO_DEFINE(mt_outbox, mt_outbox_free);

#endif
