/* route.h - what the queue knows of a way out: whether its server can be reached */
#ifndef MT_QUEUE_ROUTE_H
#define MT_QUEUE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "queue/spool.h"

/*
 * A server that cannot be reached is tried again for all messages that go there at once,
 * not for each: what fails before a message is offered does not count as a try of that
 * message. All 0: nothing is known against it.
 */
struct mt_route {
	int64_t down_since;	/* seconds since 1970 */
	int64_t next;		/* when it is tried again */
	uint64_t tries;		/* that failed in a row */
};

/* 1 min, 5, then every 15 minutes: a notebook that is online again wants its mail out. */
#define MT_ROUTE_LONGEST_S (15 * 60)

/* It is kept in route/NAME of the queue; a file that is none knows nothing. */
void mt_route_read(struct mt_spool *s, const char *name, struct mt_route *out);
/* It could not be reached: set the time of the next try, if that is not to come already.
   jitter is any number. */
int mt_route_set_down(struct mt_spool *s, const char *name, int64_t now, uint32_t jitter,
    struct mt_err *err);
/* It was reached. */
void mt_route_set_up(struct mt_spool *s, const char *name);
/* Whether to try it now. A clock that was set back makes nobody wait for longer. */
bool mt_route_is_due(const struct mt_route *r, int64_t now);

#endif
