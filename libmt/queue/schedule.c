/* schedule.c - times of tries: pure functions of an envelope, a clock and a die */
#include "queue/schedule.h"

#define LONGEST_S (3 * INT64_C(3600))

static int64_t
birth(const struct mt_envelope *e)
{
	return MAX(e->created, e->not_before);
}

int64_t
mt_schedule_delay(uint64_t tries, int64_t age_s, uint32_t jitter)
{
	static const int64_t first[] = { 60, 60, 300, 900, 1800 };
	int64_t s = 3600;

	if (tries < G_N_ELEMENTS(first))
		s = first[tries];
	else if (age_s >= 86400)
		s = LONGEST_S;
	return s - s / 8 + (int64_t)(jitter % (uint64_t)(s / 4 + 1));
}

void
mt_schedule_failed(struct mt_envelope *e, int64_t now, uint32_t jitter)
{
	e->tries++;
	e->next = now + mt_schedule_delay(e->tries, now - birth(e), jitter);
}

bool
mt_schedule_is_due(const struct mt_envelope *e, int64_t now)
{
	if (e->is_held || now < e->not_before)
		return false;
	return now >= e->next || e->next - now > LONGEST_S + LONGEST_S / 8;
}

int64_t
mt_schedule_next(const struct mt_envelope *e)
{
	return MAX(e->next, e->not_before);
}

enum mt_schedule_age
mt_schedule_age(const struct mt_envelope *e, int64_t now)
{
	int64_t age = now - birth(e);

	if (age >= MT_QUEUE_EXPIRES_S)
		return MT_QUEUE_EXPIRED;
	return age >= MT_QUEUE_LATE_S ? MT_QUEUE_LATE : MT_QUEUE_YOUNG;
}

bool
mt_schedule_is_late(const struct mt_envelope *e, int64_t now)
{
	enum mt_schedule_age age = mt_schedule_age(e, now);

	return age == MT_QUEUE_EXPIRED || (age == MT_QUEUE_LATE && e->told_delay == 0);
}
