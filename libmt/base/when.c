/* when.c - a point in time as a person types it */
#include "base/when.h"

#include <glib.h>
#include <time.h>

#include "base/slice.h"

/* So far ahead nobody plans: the end of the year 9999. */
#define LAST INT64_C(253402300799)

struct clock {
	uint64_t hour, minute, second;
};

/* "+" 1*( number unit ) */
static bool
parse_duration(struct mt_slice s, int64_t now, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	int64_t sum = 0;
	uint64_t n;

	do {
		size_t u = 0;

		if (!mt_slice_take_u64(&s, 1000000000, &n))
			return false;
		while (u < G_N_ELEMENTS(units) && !mt_slice_take_char(&s, units[u].unit))
			u++;
		if (u == G_N_ELEMENTS(units))
			return false;
		sum += (int64_t)n * units[u].seconds;
	} while (s.n > 0 && sum <= LAST);
	*out = now + sum;
	return sum <= LAST;
}

/* hour ":" minute [ ":" second ]; no second 60: no plan needs it. */
static bool
take_clock(struct mt_slice *s, struct clock *c)
{
	size_t digits;

	*c = (struct clock){ 0 };
	if (!mt_slice_take_u64(s, 23, &c->hour) || !mt_slice_take_char(s, ':'))
		return false;
	digits = s->n;
	if (!mt_slice_take_u64(s, 59, &c->minute) || digits - s->n != 2)
		return false;
	if (!mt_slice_take_char(s, ':'))
		return true;
	digits = s->n;
	return mt_slice_take_u64(s, 59, &c->second) && digits - s->n == 2;
}

/* The clock on a day (days beyond its month go on into the next); local time. */
static bool
local_seconds(struct tm day, const struct clock *c, int64_t *out)
{
	day.tm_hour = (int)c->hour;
	day.tm_min = (int)c->minute;
	day.tm_sec = (int)c->second;
	day.tm_isdst = -1;
	*out = mktime(&day);
	return *out >= 0 && *out <= LAST;
}

/* "Z" or ( "+" / "-" ) hh ":" mm, east of UTC */
static bool
parse_zone(struct mt_slice s, int64_t *offset_s)
{
	bool west = mt_slice_starts(s, MT_SLICE("-"));
	struct clock c = { 0 };

	*offset_s = 0;
	if (mt_slice_eq(s, MT_SLICE("Z")))
		return true;
	if (!west && !mt_slice_starts(s, MT_SLICE("+")))
		return false;
	s = mt_slice_from(s, 1);
	if (!take_clock(&s, &c) || s.n > 0)
		return false;
	*offset_s = (int64_t)(c.hour * 3600 + c.minute * 60) * (west ? -1 : 1);
	return true;
}

/* YYYY-MM-DD ( " " / "T" ) clock [ zone ] */
static bool
parse_date(struct mt_slice s, int64_t *out)
{
	struct tm day = { 0 }, same;
	uint64_t year, month, mday;
	int64_t offset_s;
	struct clock c;

	if (!mt_slice_take_u64(&s, 9999, &year) || !mt_slice_take_char(&s, '-') ||
	    !mt_slice_take_u64(&s, 12, &month) || !mt_slice_take_char(&s, '-') ||
	    !mt_slice_take_u64(&s, 31, &mday) || year < 1970)
		return false;
	if (!mt_slice_take_char(&s, 'T') && !mt_slice_take_char(&s, ' '))
		return false;
	if (!take_clock(&s, &c))
		return false;
	day.tm_year = (int)year - 1900;
	day.tm_mon = (int)month - 1;
	day.tm_mday = (int)mday;
	same = day;
	*out = timegm(&same);
	/* The 30th of February has become another day, and month 0 too. */
	if (same.tm_mday != day.tm_mday || same.tm_mon != day.tm_mon)
		return false;
	s = mt_slice_trim(s);
	if (s.n == 0)
		return local_seconds(day, &c, out);
	if (!parse_zone(s, &offset_s))
		return false;
	*out += (int64_t)(c.hour * 3600 + c.minute * 60 + c.second) - offset_s;
	return *out >= 0;
}

/* "fri", "Friday": 0 is Sunday, as in struct tm; -1 for none. */
static int
day_of_week(struct mt_slice word)
{
	static const struct mt_slice names[] = { MT_SLICE("sunday"), MT_SLICE("monday"),
		MT_SLICE("tuesday"), MT_SLICE("wednesday"), MT_SLICE("thursday"),
		MT_SLICE("friday"), MT_SLICE("saturday") };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (mt_slice_eq_nocase(word, names[i]) ||
		    mt_slice_eq_nocase(word, mt_slice_first(names[i], 3)))
			return (int)i;
	}
	return -1;
}

/* [ day " " ] clock */
static bool
parse_day(struct mt_slice s, int64_t now, int64_t *out)
{
	struct mt_slice word = MT_SLICE(""), rest = s;
	time_t seconds = (time_t)now;
	int wday, again = 0;
	struct clock c;
	struct tm day;

	if (mt_slice_take_until(&rest, ' ', &word))
		s = rest;
	else
		word = MT_SLICE("");
	mt_slice_skip_blank(&s);
	if (!take_clock(&s, &c) || s.n > 0 || localtime_r(&seconds, &day) == NULL)
		return false;
	wday = day_of_week(word);
	if (wday >= 0) {
		day.tm_mday += (wday - day.tm_wday + 7) % 7;
		again = 7;
	} else if (word.n == 0)
		again = 1;
	else if (mt_slice_eq_nocase(word, MT_SLICE("tomorrow")))
		day.tm_mday++;
	else if (!mt_slice_eq_nocase(word, MT_SLICE("today")))
		return false;
	if (!local_seconds(day, &c, out))
		return false;
	/* Over already: the next one. */
	day.tm_mday += again;
	return *out > now || again == 0 || local_seconds(day, &c, out);
}

int
mt_when_parse(const char *text, int64_t now, int64_t *out, struct mt_err *err)
{
	struct mt_slice s = mt_slice_trim(mt_slice_str(text));
	uint64_t seconds;
	bool ok;

	if (mt_slice_take_char(&s, '+'))
		ok = parse_duration(s, now, out);
	else if (mt_slice_take_char(&s, '@')) {
		ok = mt_slice_take_u64(&s, (uint64_t)LAST, &seconds) && s.n == 0;
		*out = ok ? (int64_t)seconds : 0;
	} else
		ok = parse_date(s, out) || parse_day(s, now, out);
	if (ok)
		return 0;
	return mt_fail(err, MT_EUSAGE, "\"%s\" is no time: write +2h, 18:00, tomorrow 9:00, "
	    "fri 9:00, or 2026-12-24 18:00", text);
}
