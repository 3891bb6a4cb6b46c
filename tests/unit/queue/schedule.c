/* schedule.c - when a message is tried, by tables */
#include "queue/schedule.h"

#include "tap.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define NOW INT64_C(1800000000)

static const struct {
	uint64_t tries;
	int64_t age, want;
} delays[] = {
	{ 1, 0, 60 }, { 2, 60, 300 }, { 3, 400, 900 }, { 4, 1300, 1800 }, { 5, HOUR, HOUR },
	{ 20, 20 * HOUR, HOUR }, { 20, DAY, 3 * HOUR }, { UINT64_MAX, 4 * DAY, 3 * HOUR },
	/* The first try was late: young in tries, not in age. */
	{ 1, 3 * DAY, 60 }, { 0, 0, 60 },
};

static const struct {
	int64_t not_before, next, now;
	bool held, due;
	const char *why;
} dues[] = {
	{ 0, NOW, NOW, false, true, "its time has come" },
	{ 0, NOW + 1, NOW, false, false, "a second too early" },
	{ 0, NOW, NOW, true, false, "it is held" },
	{ NOW + 9, NOW, NOW, false, false, "the user wants it later" },
	{ NOW, NOW, NOW, false, true, "the user wants it now" },
	{ 0, NOW, NOW - 3 * HOUR, false, false, "the clock was set back by three hours" },
	{ 0, NOW, NOW - DAY, false, true, "it was set back by a day: no reason to wait" },
	{ 0, NOW, NOW + 9 * DAY, false, true, "it was set forward" },
};

static const struct {
	int64_t not_before, now;
	enum mt_schedule_age want;
} ages[] = {
	{ 0, NOW, MT_QUEUE_YOUNG },
	{ 0, NOW - DAY, MT_QUEUE_YOUNG },
	{ 0, NOW + 4 * HOUR - 1, MT_QUEUE_YOUNG },
	{ 0, NOW + 4 * HOUR, MT_QUEUE_LATE },
	{ 0, NOW + 5 * DAY - 1, MT_QUEUE_LATE },
	{ 0, NOW + 5 * DAY, MT_QUEUE_EXPIRED },
	{ NOW + 30 * DAY, NOW + 30 * DAY, MT_QUEUE_YOUNG },
	{ NOW + 30 * DAY, NOW + 35 * DAY, MT_QUEUE_EXPIRED },
};

int
main(void)
{
	mt_auto(mt_envelope) e = mt_envelope_new("work", "a@b.example", NOW);

	for (size_t i = 0; i < G_N_ELEMENTS(delays); i++) {
		int64_t want = delays[i].want, least = INT64_MAX, most = 0;

		for (uint32_t die = 0; die < 20000; die++) {
			int64_t s = mt_schedule_delay(delays[i].tries, delays[i].age, die);

			least = MIN(s, least);
			most = MAX(s, most);
		}
		ok(least == want - want / 8 && most <= want + want / 8 + 1 && most > want,
		    "after %llu tries %lld s, an eighth less or more",
		    (unsigned long long)delays[i].tries, (long long)want);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(dues); i++) {
		e->not_before = dues[i].not_before;
		e->next = dues[i].next;
		e->is_held = dues[i].held;
		ok(mt_schedule_is_due(e, dues[i].now) == dues[i].due, "%s", dues[i].why);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ages); i++) {
		e->not_before = ages[i].not_before;
		is_int(mt_schedule_age(e, ages[i].now), ages[i].want, "age %zu", i);
	}
	e->not_before = 0;
	e->tries = 2;
	mt_schedule_failed(e, NOW + HOUR, 0);
	is_int((int64_t)e->tries, 3, "a failed try counts");
	is_int(e->next, NOW + HOUR + 900 - 900 / 8, "and gives the time of the next");
	return tap_done();
}
