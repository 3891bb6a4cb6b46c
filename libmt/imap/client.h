/* client.h - an IMAP session: commands in flight, responses one by one (RFC 3501, RFC 9051) */
#ifndef MT_IMAP_CLIENT_H
#define MT_IMAP_CLIENT_H

#include <glib.h>

#include "base/auto.h"
#include "imap/response.h"
#include "net/conn.h"

/* What servers offer, or have as IMAP4rev2. */
enum mt_imap_cap {
	MT_IMAP_CAP_REV1 = 1 << 0,
	MT_IMAP_CAP_REV2 = 1 << 1,
	MT_IMAP_CAP_LITERAL_PLUS = 1 << 2,
	MT_IMAP_CAP_LITERAL_MINUS = 1 << 3,
	MT_IMAP_CAP_UIDPLUS = 1 << 4,
	MT_IMAP_CAP_MOVE = 1 << 5,
	MT_IMAP_CAP_SPECIAL_USE = 1 << 6,
	MT_IMAP_CAP_NAMESPACE = 1 << 7,
	MT_IMAP_CAP_LIST_STATUS = 1 << 8,
	MT_IMAP_CAP_ESEARCH = 1 << 9,
	MT_IMAP_CAP_CONDSTORE = 1 << 10,
	MT_IMAP_CAP_QRESYNC = 1 << 11,
	MT_IMAP_CAP_ENABLE = 1 << 12,
	MT_IMAP_CAP_IDLE = 1 << 13,
	MT_IMAP_CAP_NOTIFY = 1 << 14,
	MT_IMAP_CAP_ID = 1 << 15,
	MT_IMAP_CAP_GMAIL = 1 << 16,
	MT_IMAP_CAP_UNSELECT = 1 << 17,
	MT_IMAP_CAP_COMPRESS = 1 << 18,
	MT_IMAP_CAP_UTF8 = 1 << 19,
};

struct mt_imap;

/*
 * Take over a connection that is logged in (owned from now on, also on failure), and learn
 * what the server offers. name is who it is, in messages. MT_EPROTO when it is no IMAP4rev1 or
 * rev2.
 */
struct mt_imap *mt_imap_new(struct mt_conn *c, const char *name, struct mt_err *err);
void mt_imap_free(struct mt_imap *s);
bool mt_imap_has(const struct mt_imap *s, enum mt_imap_cap cap);
/* Whether the server has said that this one is enabled (RFC 5161). */
bool mt_imap_is_enabled(const struct mt_imap *s, enum mt_imap_cap cap);

/*
 * Begin a command; the words behind the tag. It goes out with the next wait, so that many are
 * under way at once. The tag's number, or 0 with an error. Names of mailboxes are written by
 * mt_imap_mailbox().
 */
unsigned mt_imap_send(struct mt_imap *s, struct mt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * The mailbox as an argument of a command: quoted, in modified UTF-7, or in UTF-8 where that is
 * enabled (RFC 6855 3) or there is nothing else (RFC 9051 5.1). name has no CR and no LF. g_free.
 */
char *mt_imap_mailbox(const struct mt_imap *s, const char *name);
/* The other way: the name in UTF-8, or NULL for one that we could not give back. g_free. */
char *mt_imap_mailbox_name(const struct mt_imap *s, const struct mt_imap_value *v);

/*
 * What comes while one waits: data and untagged status, in their order; the response is
 * borrowed. A number below 0 ends the session.
 */
typedef int mt_imap_on_data(void *arg, const struct mt_imap_response *r, struct mt_err *err);
void mt_imap_set_on_data(struct mt_imap *s, mt_imap_on_data *on_data, void *arg);

/*
 * Where BODY[] goes, piece by piece, before its response: begin is told how many bytes it
 * will be. Both end the session with a number below 0. Without a sink a body is kept up to
 * MT_MAX_IMAP_LITERAL.
 */
struct mt_imap_sink {
	int (*begin)(void *arg, uint64_t n, struct mt_err *err);
	int (*write)(void *arg, const char *p, size_t n, struct mt_err *err);
	void *arg;
};
void mt_imap_set_sink(struct mt_imap *s, const struct mt_imap_sink *sink);

/*
 * Where the server offers it, deflate both directions from now on (RFC 4978); a server that
 * offers it and then refuses does without. Commands that are under way end on the way.
 */
int mt_imap_compress(struct mt_imap *s, struct mt_err *err);

/* How a command ended; strings are valid until the session ends. */
struct mt_imap_done {
	enum mt_imap_kind kind;		/* MT_IMAP_OK, MT_IMAP_NO, MT_IMAP_BAD */
	enum mt_imap_code code;
	const char *args;		/* of the code */
	const char *text;		/* the whole line, for people */
};

/*
 * Wait until that command has ended: 0 with *done, -1 when the session is over. Others that
 * end meanwhile are kept for those who wait for them.
 */
int mt_imap_wait(struct mt_imap *s, unsigned tag, struct mt_imap_done *done,
    struct mt_err *err);
/* The same, where only OK is good: NO and BAD are an error (MT_EUNAVAIL, or MT_ETEMP for
   [UNAVAILABLE], [INUSE] and [LIMIT]) that quotes the server's words. */
int mt_imap_wait_ok(struct mt_imap *s, unsigned tag, struct mt_imap_done *done,
    struct mt_err *err);
void mt_imap_fail(const struct mt_imap_done *done, struct mt_err *err);

/*
 * A command that ends in a literal of n bytes, which mt_imap_write() then gives, and
 * mt_imap_end() ends. Without LITERAL+ this waits until the server wants it; 0 with an error
 * when it does not: *refused tells a NO or BAD (done) from the end of the session.
 */
unsigned mt_imap_send_literal(struct mt_imap *s, uint64_t n, struct mt_imap_done *refused,
    struct mt_err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same for a message whose header is in UTF-8, for APPEND where UTF8 is enabled (RFC 6855
   4): the ")" is to be written behind it. */
unsigned mt_imap_send_utf8(struct mt_imap *s, uint64_t n, struct mt_imap_done *refused,
    struct mt_err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int mt_imap_write(struct mt_imap *s, const void *p, size_t n, struct mt_err *err);
int mt_imap_end(struct mt_imap *s, struct mt_err *err);

/*
 * Wait for what the server says by itself, which goes to on_data, until *is_enough, until
 * `other` (a descriptor, or -1) can be read, or for ms. With by_idle the server is asked to tell
 * (IDLE, RFC 2177; the mailbox that is open). 0, or -1 when the session is over: also when the
 * machine was asleep, since nobody knows then what the connection is worth.
 */
int mt_imap_watch(struct mt_imap *s, bool by_idle, const bool *is_enough, int other,
    uint32_t ms, struct mt_err *err);

/* LOGOUT, without an error: what was to be done is done. */
void mt_imap_logout(struct mt_imap *s);

MT_AUTO_DEFINE(mt_imap, mt_imap_free);

#endif
