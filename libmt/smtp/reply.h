/* reply.h - replies of an SMTP server (RFC 5321 4.2), their enhanced codes (RFC 2034) */
#ifndef MT_SMTP_REPLY_H
#define MT_SMTP_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/*
 * One reply, built line by line: mt_smtp_reply_init(), then mt_smtp_reply_add() until it
 * gives 1. A complete reply is reset by the next _add(), so one struct serves a whole
 * session.
 */
struct mt_smtp_reply {
	unsigned code;		/* 200 to 599 */
	char dsn[12];		/* "5.1.1", of the last line that has one; "" without */
	struct mt_buf text;	/* the lines without codes, LF between them */
	size_t lines;
	bool is_complete;
};

void mt_smtp_reply_init(struct mt_smtp_reply *r);
void mt_smtp_reply_clear(struct mt_smtp_reply *r);

/*
 * Add a line without its end: 1 when the reply is complete, 0 when lines are to follow,
 * -1 (MT_EPROTO) for a line that is no reply, a code that changes between lines, a line
 * over MT_MAX_SMTP_REPLY_LINE or a reply over MT_MAX_SMTP_REPLY. Loosened: "250" alone
 * and "250" with a tab behind it are seen in the wild.
 */
int mt_smtp_reply_add(struct mt_smtp_reply *r, struct mt_slice line, struct mt_err *err);

/* The first digit: 2, 3, 4 or 5. */
static inline unsigned
mt_smtp_reply_class(const struct mt_smtp_reply *r)
{
	return r->code / 100;
}

/*
 * Make it an error, verbatim: "WHAT: 550 5.1.1 no such user", lines joined by blanks;
 * what may be NULL. 4yz is MT_ETEMP, 5yz MT_EUNAVAIL (530, 534, 535, 538 MT_EPERM),
 * others MT_EPROTO; the DSN code is the server's, or one that fits the class. Returns -1.
 */
int mt_smtp_reply_fail(const struct mt_smtp_reply *r, const char *what,
    struct mt_err *err);

#endif
