/* when.c - times as people type them, in a zone with summer time */
#include "base/when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

/* Friday, 2026-11-27 10:30:00 in Berlin, where it is UTC+1. */
#define NOW INT64_C(1795771800)
#define DAY 86400

static const struct {
	const char *text;
	int64_t want;
} good[] = {
	{ "+0s", NOW },
	{ "+90s", NOW + 90 },
	{ "+30m", NOW + 1800 },
	{ "+2h", NOW + 7200 },
	{ "+1d12h", NOW + 36 * 3600 },
	{ "+2w", NOW + 14 * DAY },
	{ " +2h ", NOW + 7200 },
	{ "@0", 0 },
	{ "@1798134000", 1798134000 },
	{ "10:31", NOW + 60 },
	{ "10:30:01", NOW + 1 },
	{ "10:30", NOW + DAY },
	{ "9:00", NOW + DAY - 5400 },
	{ "00:00", NOW + DAY - 10 * 3600 - 1800 },
	{ "today 9:00", NOW - 5400 },
	{ "TODAY 11:30", NOW + 3600 },
	{ "tomorrow 10:30", NOW + DAY },
	{ "tomorrow  10:30", NOW + DAY },
	{ "fri 10:31", NOW + 60 },
	{ "fri 10:30", NOW + 7 * DAY },
	{ "Friday 9:30", NOW + 7 * DAY - 3600 },
	{ "sat 10:30", NOW + DAY },
	{ "Thursday 10:30", NOW + 6 * DAY },
	{ "2026-11-27 10:30", NOW },
	{ "2026-11-27T10:30:05", NOW + 5 },
	{ "2026-11-27T09:30Z", NOW },
	{ "2026-11-27T09:30:00Z", NOW },
	{ "2026-11-27 10:30 +01:00", NOW },
	{ "2026-11-27T04:30:00-05:00", NOW },
	{ "2027-06-27 11:30", NOW + 212 * DAY },	/* summer: UTC+2 */
	{ "2028-02-29 10:30", NOW + 459 * DAY },
	{ "1970-01-01T00:00Z", 0 },
	{ "9999-12-31T23:59:59Z", INT64_C(253402300799) },
};

static const char *const bad[] = { "", "+", "+5", "+h", "+5y", "+5h x", "+-5h", "-5h", "@", "@-1",
	"@5x", "@9999999999999", "+999999999w", "now", "24:00", "12:60", "12:5", "12:005", "12",
	"12:30:60", "12:30pm", "noon 12:00", "frid 9:00", "fri", "tomorrow", "2026-11-27",
	"2026-02-29 10:00", "2026-00-10 10:00", "2026-01-00 10:00", "2026-13-01 10:00",
	"2026-11-27T10:30+25:00", "2026-11-27T10:30CET", "2026-11-27T10:30z",
	"1969-12-31T23:59Z", "99999-01-01 10:00", "2026/11/27 10:00", "10:30 tomorrow" };

int
main(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		struct mt_err err = { 0 };
		int64_t got = -1;

		ok(mt_when_parse(good[i].text, NOW, &got, &err) == 0 && got == good[i].want,
		    "\"%s\" is %lld", good[i].text, (long long)good[i].want);
		if (got != good[i].want)
			printf("# got %lld: %s\n", (long long)got, err.msg);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct mt_err err = { 0 };
		int64_t got;

		ok(mt_when_parse(bad[i], NOW, &got, &err) < 0 && err.kind == MT_EUSAGE &&
		    strstr(err.msg, bad[i]) != NULL, "\"%s\" is no time", bad[i]);
	}
	return tap_done();
}
