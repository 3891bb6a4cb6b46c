/* addr_scan.h - the tokens of address lists (RFC 5322 3.2), for addr.c */
#ifndef MT_MESSAGE_ADDR_SCAN_H
#define MT_MESSAGE_ADDR_SCAN_H

#include <glib.h>
#include <stdbool.h>

#include "base/slice.h"

enum mt_addr_token {
	MT_ADDR_END,
	MT_ADDR_ATOM,		/* 1*atext, UTF-8 too */
	MT_ADDR_OTHER,		/* lax: a byte that nothing else takes, in names only */
	MT_ADDR_QUOTED,		/* quoted-string; text is without quotes, backslashes */
	MT_ADDR_LITERAL,	/* domain-literal with its brackets */
	MT_ADDR_SPECIAL,	/* one of <>@,;:. in c */
};

struct mt_addr;

/*
 * A text on its way through the scanner. The caller sets rest, lax, text and comment
 * (both its own); kind to comment tell of the token that was read last.
 */
struct mt_addr_scan {
	struct mt_slice rest;
	bool lax;
	enum mt_addr_token kind;
	char c;
	bool spaced;		/* blanks or a comment stood before the token */
	GString *text;		/* of an atom, a quoted string, a literal, a byte */
	GString *comment;	/* the last one: a name in the form of old */
	const char *start;	/* of the entry, for messages: addr.c's */
	const char *why;	/* what is wrong; NULL while nothing is */
	unsigned unclosed;	/* openings that nothing closed */
	const struct mt_addr *local;	/* addr.c's: for names without a domain; or NULL */
};

/* Say what is wrong, unless something was wrong before: false. */
bool mt_addr_scan_bad(struct mt_addr_scan *p, const char *why);
/*
 * Read the next token, past blanks and comments. False ends a strict parse, and `why` is
 * set; lax always gets one. No recursion: comments nest as a count.
 */
bool mt_addr_scan_next(struct mt_addr_scan *p);

#endif
