/* schedule.h - when a message of the queue is tried, told late, and given up */
#ifndef MT_QUEUE_SCHEDULE_H
#define MT_QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/envelope.h"

/* RFC 5321 4.5.4.1: give up after 4 to 5 days. A person wants to know before. */
#define MT_QUEUE_EXPIRES_S (5 * INT64_C(86400))
#define MT_QUEUE_LATE_S (4 * INT64_C(3600))

/*
 * Seconds until the next try, after so many that failed: 1 min, 5, 15, 30, then 1 hour,
 * after a day 3 hours; plus or minus an eighth by jitter (any number), so that messages
 * that failed together do not come back together.
 */
int64_t mt_schedule_delay(uint64_t tries, int64_t age_s, uint32_t jitter);

/* After a failed try: count it, and set the time of the next. */
void mt_schedule_failed(struct mt_envelope *e, int64_t now, uint32_t jitter);

/*
 * Whether it is to be tried now. A clock that was set back makes no message wait for
 * longer than the longest delay.
 */
bool mt_schedule_is_due(const struct mt_envelope *e, int64_t now);

/* When it is tried next. */
int64_t mt_schedule_next(const struct mt_envelope *e);

/* What time says of a message that waits. From its creation, or from the time that
   the user asked for. */
enum mt_schedule_age { MT_QUEUE_YOUNG, MT_QUEUE_LATE, MT_QUEUE_EXPIRED };
enum mt_schedule_age mt_schedule_age(const struct mt_envelope *e, int64_t now);
/* Whether time says something that its sender was not told yet. */
bool mt_schedule_is_late(const struct mt_envelope *e, int64_t now);

#endif
