/* reply.h - parse what a POP3 server says (RFC 1939, RFC 2449), without I/O */
#ifndef MT_POP3_REPLY_H
#define MT_POP3_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

/*
 * A status line, without its line end (RFC 1939 3):
 *
 *	single-line  = status SP text
 *	status       = "+OK" / "-ERR"
 *	text         = [ "[" resp-code "]" SP ] *CHAR		(RFC 2449 8)
 */
struct mt_pop3_reply {
	bool ok;
	struct mt_slice code;	/* "IN-USE", "SYS/TEMP"; empty when there is none */
	struct mt_slice text;	/* for people, behind the code */
};

/* False when the line is no status line. Slices point into the line. */
bool mt_pop3_reply_parse(struct mt_slice line, struct mt_pop3_reply *out);

/*
 * What to do about a -ERR: MT_ETEMP for [IN-USE], [LOGIN-DELAY], [SYS/TEMP] (RFC 2449 8.1.1,
 * RFC 3206 4), MT_EPERM for [AUTH] (RFC 3206 5), otherwise MT_EUNAVAIL.
 */
enum mt_err_kind mt_pop3_reply_kind(const struct mt_pop3_reply *r);

/* What we use of the capabilities (RFC 2449 6). */
struct mt_pop3_capa {
	bool pipelining;
	bool uidl;
	bool top;
};

/* One line of the list, without its end; unknown words are passed over. */
void mt_pop3_capa_parse(struct mt_slice line, struct mt_pop3_capa *capa);
/*
 * From everything a server said before the hand-over (mt_conn_preamble()): the last list
 * of capabilities is the one in force. False when there is none.
 */
bool mt_pop3_capa_find(struct mt_slice preamble, struct mt_pop3_capa *capa);

/*
 * A line of the LIST answer: "1 120", and of the UIDL answer: "1 whqtswO00WBw418f9t5JxYwZ".
 * A message has a number from 1 to UINT32_MAX. False when the line is anything else.
 */
bool mt_pop3_list_parse(struct mt_slice line, uint32_t *number, uint64_t *size);
bool mt_pop3_uidl_parse(struct mt_slice line, uint32_t *number, struct mt_slice *uid);
/*
 * Printable ASCII without blanks (RFC 1939 7). Any length that fits a line passes: servers
 * that go past 70 characters are out there, and their mail should not stay there.
 */
bool mt_pop3_uid_is_valid(struct mt_slice uid);

/*
 * Undo what POP3 does to a message (RFC 1939 3): a dot in front of a line that begins with a
 * dot goes, CRLF becomes LF, and CRLF "." CRLF ends it; nothing else does. A bare CR or
 * LF, NUL and 8-bit bytes stay as they are.
 */
struct mt_pop3_body {
	enum mt_pop3_body_state {
		MT_POP3_BODY_START,	/* at the start of a line */
		MT_POP3_BODY_DOT,	/* behind a dot there */
		MT_POP3_BODY_DOT_CR,	/* and a CR behind it */
		MT_POP3_BODY_TEXT,
		MT_POP3_BODY_CR,	/* behind a CR that is not written yet */
		MT_POP3_BODY_END,
	} state;
};

#define MT_POP3_BODY_INIT ((struct mt_pop3_body){ MT_POP3_BODY_START })

/*
 * Take bytes off *in and write the message's to out, at most size (at least 2); how many
 * were written. Stops when *in is empty, out is full, or at the end: then state is
 * MT_POP3_BODY_END and *in begins with what comes next.
 */
size_t mt_pop3_body_decode(struct mt_pop3_body *b, struct mt_slice *in, char *out,
    size_t size);

#endif
