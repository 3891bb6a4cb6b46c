/* date.h - the dates of header fields (RFC 5322 3.3 and its obsolete forms) */
#ifndef MT_MESSAGE_DATE_H
#define MT_MESSAGE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct mt_date {
	int64_t seconds;	/* since 1970-01-01 00:00 UTC; before it: negative */
	int offset_min;		/* of the sender's clock, minutes east of UTC */
	bool offset_known;	/* false for "-0000" and zones that nobody knows */
};

/*
 * Parse a date-time: day name optional, two- and three-digit years (RFC 5322 4.3), zone
 * names of the US, military letters (all "-0000"), comments and folding anywhere. Lax
 * where real mail is: no seconds, no zone (then UTC), "GMT+0200", ctime(3)'s order.
 * False when there is no day, month, year and time in it, or the day does not exist.
 * Never looks at the locale or the local time zone.
 */
bool mt_date_parse(struct mt_slice text, struct mt_date *out);

/* "Sun, 22 Nov 2026 23:30:05 +0100" with its NUL, for years from 0 to 9999. */
#define MT_DATE_SIZE 40

/* Write a date in the local time zone, with its offset; English in any locale. */
void mt_date_format(int64_t seconds, char out[MT_DATE_SIZE]);
/* The same at a given offset (minutes east of UTC, within a day). */
void mt_date_format_at(int64_t seconds, int offset_min, char out[MT_DATE_SIZE]);

#endif
