/* response.h - one response of an IMAP server, taken apart (RFC 9051 7) */
#ifndef MT_IMAP_RESPONSE_H
#define MT_IMAP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "imap/value.h"

enum mt_imap_kind {
	/* Status: with a tag they end a command. */
	MT_IMAP_OK,
	MT_IMAP_NO,
	MT_IMAP_BAD,
	MT_IMAP_BYE,
	MT_IMAP_PREAUTH,
	MT_IMAP_CONTINUE,	/* "+" */
	/* Data; which fields of struct mt_imap_response they fill. */
	MT_IMAP_CAPABILITY,	/* data: words */
	MT_IMAP_ENABLED,	/* data: words */
	MT_IMAP_FLAGS,		/* data: what stands in the parentheses */
	MT_IMAP_LIST,		/* list; for LSUB too */
	MT_IMAP_STATUS,		/* name, status */
	MT_IMAP_SEARCH,		/* data: numbers, with blanks between, and perhaps (MODSEQ n) */
	MT_IMAP_ESEARCH,	/* data: a set, or empty: none; highest modseq in status.modseq */
	MT_IMAP_NAMESPACE,	/* data: the three namespaces */
	MT_IMAP_EXISTS,		/* number */
	MT_IMAP_RECENT,
	MT_IMAP_EXPUNGE,
	MT_IMAP_VANISHED,	/* data: a set of UIDs; is_earlier */
	MT_IMAP_FETCH,		/* number, fetch */
	MT_IMAP_OTHER,		/* nothing that we ask for */
};

/* "[...]" of a status (RFC 9051 7.1, RFC 4315, RFC 7162, RFC 5530). */
enum mt_imap_code {
	MT_IMAP_CODE_NONE,
	MT_IMAP_CODE_OTHER,
	MT_IMAP_CODE_ALERT,
	MT_IMAP_CODE_APPENDUID,	/* args: validity, UIDs */
	MT_IMAP_CODE_CAPABILITY,	/* args: words */
	MT_IMAP_CODE_CLOSED,
	MT_IMAP_CODE_COPYUID,	/* args: validity, from, to */
	MT_IMAP_CODE_HIGHESTMODSEQ,	/* args: a number */
	MT_IMAP_CODE_MODIFIED,	/* args: a set */
	MT_IMAP_CODE_NOMODSEQ,
	MT_IMAP_CODE_PERMANENTFLAGS,	/* args: a list */
	MT_IMAP_CODE_READ_ONLY,
	MT_IMAP_CODE_TRYCREATE,
	MT_IMAP_CODE_UIDNEXT,	/* args: a number */
	MT_IMAP_CODE_UIDVALIDITY,	/* args: a number */
	MT_IMAP_CODE_UNAVAILABLE,
	MT_IMAP_CODE_INUSE,
	MT_IMAP_CODE_LIMIT,
	MT_IMAP_CODE_OVERQUOTA,
	MT_IMAP_CODE_ALREADYEXISTS,
	MT_IMAP_CODE_NONEXISTENT,
	MT_IMAP_CODE_EXPUNGEISSUED,
	MT_IMAP_CODE_TOOBIG,
};

struct mt_imap_list {
	struct mt_slice attributes;	/* in the parentheses */
	char delimiter;			/* '\0': there is no hierarchy */
};

/* The bits of what was said. */
enum { MT_IMAP_HAS_MESSAGES = 1, MT_IMAP_HAS_UIDNEXT = 2, MT_IMAP_HAS_UIDVALIDITY = 4,
	MT_IMAP_HAS_MODSEQ = 8, MT_IMAP_HAS_UNSEEN = 16, MT_IMAP_HAS_SIZE = 32 };

struct mt_imap_status {
	unsigned has;
	uint32_t messages, uidnext, uidvalidity, unseen;
	uint64_t modseq, size;
};

enum { MT_IMAP_HAS_UID = 1, MT_IMAP_HAS_FLAGS = 2, MT_IMAP_HAS_RFC822_SIZE = 4,
	MT_IMAP_HAS_FETCH_MODSEQ = 8, MT_IMAP_HAS_DATE = 16, MT_IMAP_HAS_BODY = 32,
	MT_IMAP_HAS_HEADER = 64, MT_IMAP_HAS_GMAIL = 128 };

struct mt_imap_fetch {
	unsigned has;
	uint32_t uid;
	uint64_t size, modseq;
	uint64_t gmail_id;		/* X-GM-MSGID */
	struct mt_slice flags;		/* in the parentheses */
	int64_t date;			/* INTERNALDATE, seconds since 1970 */
	struct mt_slice body;		/* BODY[]: empty when it was streamed, or is NIL */
	struct mt_slice header;		/* BODY[HEADER...]; empty when it is NIL */
	bool body_is_nil;
};

/* Slices point into the text that was parsed. */
struct mt_imap_response {
	enum mt_imap_kind kind;
	struct mt_slice tag;		/* of a status that ends a command; else empty */
	enum mt_imap_code code;
	struct mt_slice code_name, code_args;
	struct mt_slice text;		/* of a status: for people */
	uint32_t number;
	struct mt_slice data;
	bool is_earlier;
	struct mt_imap_value name;	/* of a mailbox, as it was written: see mailbox.h */
	struct mt_imap_list list;
	struct mt_imap_status status;
	struct mt_imap_fetch fetch;
};

/*
 * text is a whole response without its last CRLF, with its literals (value.h). False when it
 * is none: the session cannot go on. A kind that is unknown is MT_IMAP_OTHER; of FETCH,
 * STATUS and LIST what is unknown is passed over.
 */
bool mt_imap_response_parse(struct mt_slice text, struct mt_imap_response *out);

/* A date of IMAP, "17-Jul-1996 02:44:25 -0700" with a blank for a digit: seconds since
   1970; false when it is none. */
bool mt_imap_date_parse(struct mt_slice text, int64_t *out);

#endif
