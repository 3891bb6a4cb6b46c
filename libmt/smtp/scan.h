/* scan.h - what a look at a whole stored message tells about sending it */
#ifndef MT_SMTP_SCAN_H
#define MT_SMTP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct mt_smtp_scan {
	uint64_t size;		/* octets on the wire: CRLF is 2, no dots (RFC 1870) */
	uint64_t stored;	/* octets in the file */
	uint64_t lines;		/* how many of them end, on the wire */
	bool lacks_end;		/* the last line has no end: one is added */
	bool header_is_8bit;
	bool body_is_8bit;
	uint64_t line_max;	/* octets of the longest line without its end */
};

/*
 * Read the message in fd (a regular file, LF or CRLF) from its beginning; the file's
 * offset does not matter and does not move. MT_EDATA with line and offset when SMTP
 * cannot carry it (a bare CR, a NUL): it is never changed silently.
 */
int mt_smtp_scan(int fd, struct mt_smtp_scan *out, struct mt_err *err);

#endif
