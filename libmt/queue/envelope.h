/* envelope.h - what the queue knows of one message besides its bytes, and its file */
#ifndef MT_QUEUE_ENVELOPE_H
#define MT_QUEUE_ENVELOPE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "smtp/dsn.h"

enum mt_queue_fate {
	MT_QUEUE_WAITING,	/* to be tried */
	MT_QUEUE_SENT,		/* a server answered 2yz to the message */
	MT_QUEUE_FAILED,	/* refused for good, or expired: its sender is to be told */
	MT_QUEUE_TOLD,		/* and was told */
};

struct mt_queue_rcpt {
	char *address;		/* local@domain */
	enum mt_queue_fate fate;
	/* A connection was lost after the last byte: a server may have it (RFC 1047). */
	bool is_unknown;
	char dsn[12];		/* of the last reply (RFC 3463), or "" */
	char *text;		/* the last reply or error, printable; NULL: not tried */
	unsigned notify;	/* what its sender wants to hear; 0: as the envelope says */
	char *orcpt;		/* who it was at first, as SMTP says it (smtp/dsn.h); or NULL */
	bool is_news;		/* its fate is of this process's last try; not kept */
	bool is_relayed;	/* sent to where no report comes from: its sender is to be told */
};

/* Times are seconds since 1970; 0 means never. Strings are the envelope's own. */
struct mt_envelope {
	char *route;		/* by which it goes: an account of the user's */
	char *from;		/* local@domain; "" is the null sender */
	char *message_id;	/* "<...>", or NULL: the message has none */
	unsigned notify;	/* what its sender wants to hear (smtp/dsn.h) */
	enum mt_dsn_ret ret;
	char *envid;		/* or NULL */
	char *copy_to;		/* folder for the copy, below the mail root; NULL: none */
	char *copy_fields;	/* lines that only the copy has (Bcc), or NULL */
	int64_t created;
	int64_t not_before;	/* the user's wish: not tried before */
	int64_t next;		/* when it is tried; set by schedule.h */
	int64_t told_delay;	/* when its sender was told that it is late */
	uint64_t tries;
	bool is_held;
	bool is_ours;		/* written by us: may become 7bit (RFC 6152 3) */
	GPtrArray *rcpts;	/* of struct mt_queue_rcpt *, at least one */
};

struct mt_envelope *mt_envelope_new(const char *route, const char *from, int64_t now);
void mt_envelope_free(struct mt_envelope *e);
/* The new recipient, which waits. */
struct mt_queue_rcpt *mt_envelope_add(struct mt_envelope *e, const char *address);
size_t mt_envelope_count(const struct mt_envelope *e, enum mt_queue_fate fate);
/* What the sender wants to hear of this recipient: bits of smtp/dsn.h. */
unsigned mt_envelope_notify(const struct mt_envelope *e, const struct mt_queue_rcpt *r);
/* Whether somebody is_relayed. */
bool mt_envelope_has_relayed(const struct mt_envelope *e);

/*
 * As a JSON object, in one line; what was not asked for (dsn, notify, orcpt, relayed) is not
 * there, as in the envelopes of older versions. Reading is strict: another word that is
 * missing, one that is unknown or of the wrong type, an address with a control character or
 * without a recipient, and another version are MT_EDATA, with what is wrong.
 */
int mt_envelope_write(const struct mt_envelope *e, struct mt_buf *out,
    struct mt_err *err);
struct mt_envelope *mt_envelope_read(struct mt_slice text, struct mt_err *err);

MT_AUTO_DEFINE(mt_envelope, mt_envelope_free);

#endif
