/* inject.h - pass many finished messages on, as they are, to given recipients */
#ifndef MT_SEND_INJECT_H
#define MT_SEND_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "message/addr.h"
#include "net/conn.h"
#include "send/walk.h"

#define MT_INJECT_JOBS_MAX 32

/*
 * Every message of the walk goes to all of the recipients, byte for byte (line ends
 * become CRLF on the way, as SMTP has them); its own To and Cc mean nothing. Several
 * connections at once, each for many messages: so a server that makes every message
 * durable before it answers can make many durable together. With one job, messages go
 * in their order.
 */
struct mt_inject_params {
	const struct mt_conn_dial *server;	/* NULL: only see which are fit */
	const struct mt_addr *from;	/* NULL: "<>" */
	const struct mt_addr_list *rcpts;	/* at most MT_MAX_RCPTS */
	struct mt_walk *walk;		/* used by our threads until mt_inject_free() */
	unsigned jobs;			/* connections, 1 to MT_INJECT_JOBS_MAX */
	bool keep_bcc;			/* else one with a Bcc field is unfit */
};

enum mt_inject_fate {
	MT_INJECT_FIT,		/* nothing is in its way; it was not to be sent */
	MT_INJECT_SENT,		/* taken by the server for every recipient */
	MT_INJECT_PARTLY,	/* for some: text names the others */
	MT_INJECT_REFUSED,	/* for none, for good */
	MT_INJECT_DEFERRED,	/* for none; trying again may help */
	MT_INJECT_UNFIT,	/* SMTP cannot carry it as it is: not sent */
	MT_INJECT_UNREADABLE,	/* not sent */
	MT_INJECT_FATES,
};

struct mt_inject_result {
	char *name;		/* as the walk names it */
	enum mt_inject_fate fate;
	uint64_t size;		/* octets on the wire */
	char *text;		/* why, printable; NULL when there is nothing to say */
};

struct mt_inject;

/* What params points to must live until mt_inject_free(). MT_ETEMP: no thread. */
struct mt_inject *mt_inject_new(const struct mt_inject_params *params,
    struct mt_err *err);
/*
 * What became of the next message: 1, or 0 when all are done. A server that cannot be
 * reached (any more) makes the rest MT_INJECT_DEFERRED, quickly.
 */
int mt_inject_next(struct mt_inject *i, struct mt_inject_result *out);
void mt_inject_free(struct mt_inject *i);
void mt_inject_result_clear(struct mt_inject_result *r);
/* "fit", "sent", "partly", "refused", "deferred", "unfit", "unreadable" */
const char *mt_inject_word(enum mt_inject_fate fate);

MT_AUTO_DEFINE(mt_inject, mt_inject_free);
MT_AUTO_VALUE_DEFINE(mt_inject_result, mt_inject_result_clear);

#endif
