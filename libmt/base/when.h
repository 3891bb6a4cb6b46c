/* when.h - a point in time as a person types it */
#ifndef MT_BASE_WHEN_H
#define MT_BASE_WHEN_H

#include <stdint.h>

#include "base/err.h"

/*
 * The time that the text means, in seconds since 1970:
 *
 *	+90m  +2h  +1d12h	from now; s, m, h, d and w
 *	18:00  18:00:30		the next time that the clock shows it
 *	tomorrow 9:00		also today, and a day of the week, the next one: "fri 9:00"
 *	2026-12-24 18:00	also with T between, and Z or +01:00 behind it
 *	@1798134000		seconds since 1970
 *
 * Without a zone it is local time. Years from 1970 to 9999. MT_EUSAGE quotes what is none
 * of them; a day that does not exist is none. It may lie in the past.
 */
int mt_when_parse(const char *text, int64_t now, int64_t *out, struct mt_err *err);

#endif
