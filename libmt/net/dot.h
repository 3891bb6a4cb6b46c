/* dot.h - a stored message on its way to the wire: CRLF, dots stuffed, the last dot */
#ifndef MT_NET_DOT_H
#define MT_NET_DOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * SMTP (RFC 5321 4.5.2) and POP3 (RFC 1939 3) send text alike: lines end in CRLF, a
 * leading dot is doubled, ".CRLF" is the end. Stored messages have LF or CRLF, even
 * mixed. A last line without an end gets one.
 */
enum mt_dot_kind {
	MT_DOT_SMTP,	/* stuffed; a bare CR or a NUL is MT_EDATA with line and offset */
	MT_DOT_BDAT,	/* the same, but no stuffing and no dot at the end (RFC 3030 2) */
	MT_DOT_POP3,	/* stuffed; bare CR and NUL pass: a reader gets what is stored */
};

struct mt_dot {
	enum mt_dot_kind kind;
	uint64_t size;		/* bytes given out so far */
	uint64_t offset;	/* bytes taken in so far */
	uint64_t line;		/* line that is being read, from 1 */
	int64_t body_lines;	/* lines of the body still to be sent, -1: all */
	bool at_start;		/* at the start of a line */
	bool after_cr;		/* a CR was taken, its LF not yet */
	bool in_header;
	bool line_empty;
	bool is_full;		/* body_lines have been sent */
};

void mt_dot_init(struct mt_dot *d, enum mt_dot_kind kind);
/* Send the header, the empty line and n lines of the body only (POP3 TOP). */
void mt_dot_limit_body(struct mt_dot *d, uint64_t lines);

/*
 * Append the wire form of a piece to out; it needs at most twice the piece and one
 * byte: a ceiling that is lower is MT_ESOFTWARE. Works at every split. MT_EDATA (5.6.0) as
 * above, "a message that SMTP cannot carry".
 */
int mt_dot_encode(struct mt_dot *d, struct mt_slice in, struct mt_buf *out,
    struct mt_err *err);
/* Append what ends it: at most 6 bytes. */
int mt_dot_finish(struct mt_dot *d, struct mt_buf *out, struct mt_err *err);
/* Nothing more will be taken: the limit of mt_dot_limit_body() is reached. */
static inline bool
mt_dot_is_full(const struct mt_dot *d)
{
	return d->is_full;
}

#endif
