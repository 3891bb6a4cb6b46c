/* date.c - the dates of header fields (RFC 5322 3.3 and its obsolete forms) */
#include "message/date.h"

#include <glib.h>
#include <stdio.h>
#include <time.h>

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char days[] = "thufrisatsunmontuewed";	/* 1970-01-01 was a Thursday */

/* obs-zone (RFC 5322 4.3); every other name is "-0000". */
static const struct {
	const char *name;
	int offset_min;
} zones[] = {
	{ "ut", 0 }, { "utc", 0 }, { "gmt", 0 }, { "z", 0 },
	{ "edt", -240 }, { "est", -300 }, { "cdt", -300 }, { "cst", -360 },
	{ "mdt", -360 }, { "mst", -420 }, { "pdt", -420 }, { "pst", -480 },
	/* Not in the standard, but in mail, and unambiguous. */
	{ "bst", 60 }, { "wet", 0 }, { "west", 60 }, { "cet", 60 }, { "mez", 60 },
	{ "met", 60 }, { "cest", 120 }, { "mest", 120 }, { "mesz", 120 },
	{ "eet", 120 }, { "eest", 180 }, { "msk", 180 }, { "jst", 540 },
	{ "aest", 600 }, { "aedt", 660 },
};

/* One token: a run of letters or digits, or one other byte. */
struct token {
	struct mt_slice text;
	bool is_number, is_word;
	unsigned value;		/* of a number; UINT_MAX when it is too big */
};

static bool
is_letter(unsigned char c)
{
	return g_ascii_isalpha(c);
}

static bool
is_digit(unsigned char c)
{
	return g_ascii_isdigit(c);
}

/* Comments nest; one that nothing closes ends the date. */
static void
skip_comment(struct mt_slice *s)
{
	size_t depth = 0, n = 0;

	for (; n < s->n; n++) {
		if (s->p[n] == '\\')
			n++;
		else if (s->p[n] == '(')
			depth++;
		else if (s->p[n] == ')' && --depth == 0)
			break;
	}
	*s = mt_slice_from(*s, n + 1);
}

static bool
take_token(struct mt_slice *s, struct token *t)
{
	uint64_t v = 0;

	while (s->n > 0) {
		if (strchr(" \t\r\n,", s->p[0]) != NULL)
			*s = mt_slice_from(*s, 1);	/* NUL too */
		else if (s->p[0] == '(')
			skip_comment(s);
		else
			break;
	}
	if (s->n == 0)
		return false;
	*t = (struct token){ .text = mt_slice_first(*s, 1) };
	if (g_ascii_isdigit(s->p[0])) {
		t->is_number = true;
		t->text = mt_slice_take_while(s, is_digit);
		t->value = mt_slice_take_u64(&(struct mt_slice){ t->text.p, t->text.n },
		    99999999, &v) ? (unsigned)v : UINT32_MAX;
	} else if (g_ascii_isalpha(s->p[0])) {
		t->is_word = true;
		t->text = mt_slice_take_while(s, is_letter);
	} else {
		*s = mt_slice_from(*s, 1);
	}
	return true;
}

/* Index of a word's first three letters in a table of such; -1. */
static int
three_letters(struct mt_slice word, const char *table)
{
	for (int i = 0; word.n >= 3 && table[3 * i] != '\0'; i++) {
		if (mt_slice_eq_nocase(mt_slice_first(word, 3),
		    mt_slice_mem(table + 3 * i, 3)))
			return i;
	}
	return -1;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64_t
days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t from_march = (int64_t)month + (month > 2 ? -3 : 9);
	int64_t of_year = (153 * from_march + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* RFC 5322 4.3: two digits below 50 are 20yy, the other two and three digits 19yy. */
static unsigned
full_year(const struct token *t)
{
	if (t->text.n == 2)
		return t->value + (t->value < 50 ? 2000 : 1900);
	if (t->text.n == 3)
		return t->value + 1900;
	return t->value;
}

struct parts {
	unsigned day, month, year, hour, minute, second;
	bool has_year, has_time;
};

/* hour ":" minute [":" second]; the hour was taken. "." for ":" is seen, too. */
static bool
take_time(struct mt_slice *s, const struct token *hour, struct parts *d)
{
	struct mt_slice at = *s;
	struct token t;

	if (!take_token(&at, &t) || (t.text.p[0] != ':' && t.text.p[0] != '.'))
		return false;
	if (!take_token(&at, &t) || !t.is_number)
		return false;
	d->hour = hour->value;
	d->minute = t.value;
	d->has_time = true;
	*s = at;
	if (!take_token(&at, &t) || (t.text.p[0] != ':' && t.text.p[0] != '.') ||
	    !take_token(&at, &t) || !t.is_number)
		return true;
	d->second = t.value;
	*s = at;
	return true;
}

/* zone = ("+" / "-") 4DIGIT / obs-zone; "GMT+0200" and "+02:00" occur. */
static void
take_zone(struct mt_slice *s, struct mt_date *out)
{
	struct token t, digits;
	int sign;

	if (!take_token(s, &t))
		return;
	if (t.is_word) {
		for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
			if (mt_slice_eq_nocase(t.text, mt_slice_str(zones[i].name))) {
				out->offset_min = zones[i].offset_min;
				out->offset_known = true;
			}
		}
		if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-') || !take_token(s, &t))
			return;
	}
	if ((t.text.p[0] != '+' && t.text.p[0] != '-') || !take_token(s, &digits) ||
	    !digits.is_number)
		return;
	sign = t.text.p[0] == '-' ? -1 : 1;
	if (digits.text.n <= 2 && mt_slice_take_char(s, ':')) {
		int hours = (int)digits.value;

		if (!take_token(s, &digits) || digits.text.n != 2)
			return;
		digits.value += (unsigned)hours * 100;
	} else if (digits.text.n != 4) {
		return;
	}
	if (digits.value / 100 > 23 || digits.value % 100 > 59)
		return;
	out->offset_min = sign * (int)(digits.value / 100 * 60 + digits.value % 100);
	out->offset_known = sign > 0 || digits.value != 0;
}

static bool
is_whole(const struct parts *d)
{
	/* 60: a leap second, which time(2) does not count. */
	return d->has_year && d->has_time && d->month != 0 && d->day != 0 &&
	    d->year <= 9999 && d->day <= days_in_month(d->year, d->month) &&
	    d->hour <= 23 && d->minute <= 59 && d->second <= 60;
}

/*
 * date-time = [day-of-week ","] day month year hour ":" minute [":" second] zone
 *
 * Tokens are told by their form, so that ctime(3)'s "Sun Nov 22 23:30:05 [CET] 2026" is
 * understood as well; what is unknown before the time is passed over.
 */
bool
mt_date_parse(struct mt_slice text, struct mt_date *out)
{
	struct mt_slice s = mt_slice_first(text, 500);
	struct mt_date date = { 0, 0, false };
	struct parts d = { 0 };
	struct token t;

	while (!(d.has_time && d.has_year) && take_token(&s, &t)) {
		int month = t.is_word ? three_letters(t.text, months) : -1;

		if (month >= 0 && d.month == 0) {
			d.month = (unsigned)month + 1;
		} else if (!t.is_number) {
			continue;
		} else if (!d.has_time && take_time(&s, &t, &d)) {
			if (d.has_year)
				take_zone(&s, &date);
		} else if (d.day == 0 && t.text.n <= 2) {
			d.day = t.value;
		} else if (!d.has_year && t.text.n >= 2 && t.text.n <= 4) {
			d.year = full_year(&t);
			d.has_year = true;
			if (d.has_time)
				take_zone(&s, &date);
		}
	}
	if (!is_whole(&d))
		return false;
	date.seconds = days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 +
	    d.minute * 60 + d.second - date.offset_min * 60;
	*out = date;
	return true;
}

void
mt_date_format_at(int64_t seconds, int offset_min, char out[MT_DATE_SIZE])
{
	int64_t local = seconds + offset_min * 60;
	int64_t day = local / 86400 - (local % 86400 < 0);
	unsigned of_day = (unsigned)(local - day * 86400);
	unsigned zone = (unsigned)(offset_min < 0 ? -offset_min : offset_min) % 1440;
	int64_t year, first;
	unsigned month = 1, dow = (unsigned)((day % 7 + 7) % 7);

	/* Years from 0 to 9999, as promised: others would not fit the field. */
	if (day < days_from_civil(0, 1, 1) || day >= days_from_civil(10000, 1, 1)) {
		mt_date_format_at(0, 0, out);
		return;
	}
	year = 1970 + day / 366;
	if (day < 0)
		year = 1970 + day / 365 - 1;
	while (days_from_civil(year + 1, 1, 1) <= day)
		year++;
	while (month < 12 && days_from_civil(year, month + 1, 1) <= day)
		month++;
	first = days_from_civil(year, month, 1);
	snprintf(out, MT_DATE_SIZE, "%c%.2s, %02u %c%.2s %04u %02u:%02u:%02u %c%02u%02u",
	    g_ascii_toupper(days[dow * 3]), days + dow * 3 + 1,
	    (unsigned)(day - first + 1) % 32,
	    g_ascii_toupper(months[(month - 1) * 3]), months + (month - 1) * 3 + 1,
	    (unsigned)year % 10000, of_day / 3600 % 24, of_day / 60 % 60, of_day % 60,
	    offset_min < 0 ? '-' : '+', zone / 60, zone % 60);
}

void
mt_date_format(int64_t seconds, char out[MT_DATE_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		tm.tm_gmtoff = 0;
	mt_date_format_at(seconds, (int)(tm.tm_gmtoff / 60), out);
}
