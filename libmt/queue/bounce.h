/* bounce.h - tell the sender what did not arrive, or is late (RFC 3462, 3464) */
#ifndef MT_QUEUE_BOUNCE_H
#define MT_QUEUE_BOUNCE_H

#include "message/build.h"
#include "queue/envelope.h"

enum mt_bounce_kind {
	MT_BOUNCE_FAILED,	/* for good: the recipients that MT_QUEUE_FAILED */
	MT_BOUNCE_DELAYED,	/* those that wait, and want to hear of it; it is tried again */
	MT_BOUNCE_RELAYED,	/* those that is_relayed (RFC 3461 5.2.2) */
};

struct mt_bounce {
	enum mt_bounce_kind kind;
	const struct mt_envelope *envelope;
	const char *id;		/* of the queue */
	const char *host;	/* that says so (Reporting-MTA) */
	int64_t now;
	int message;		/* what is returned: all of it, if something is lost and RET
				   does not say HDRS, else its header (RFC 3461 4.3) */
};

/*
 * Write the report, with LF line ends: a multipart/report of a text that a person reads,
 * a message/delivery-status, and the message. Replies stand in it verbatim.
 * Nothing is sent: the caller puts it into the sender's own Maildir.
 */
int mt_bounce_write(const struct mt_bounce *b, mt_build_writer *writer, void *arg,
    struct mt_err *err);

#endif
