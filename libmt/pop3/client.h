/* client.h - a POP3 session as a client: list, retrieve, delete, pipelined (RFC 1939) */
#ifndef MT_POP3_CLIENT_H
#define MT_POP3_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "net/conn.h"

struct mt_pop3;

/*
 * Takes over a connection that is logged in (mt_conn_dial()), on success and on failure.
 * Asks for the capabilities when the server did not say PIPELINING before the login.
 */
struct mt_pop3 *mt_pop3_new(struct mt_conn *c, struct mt_err *err);
/* Closes without QUIT: the server forgets all DELE (RFC 1939 6). */
void mt_pop3_free(struct mt_pop3 *p);

/* How many commands may be in flight before the first answer is read: 1 where the
   server has no PIPELINING (RFC 2449 6.6). */
size_t mt_pop3_window(const struct mt_pop3 *p);

/* One message of the maildrop. */
struct mt_pop3_entry {
	uint32_t number;
	uint64_t size;		/* as the server says, who may be wrong; 0: not said */
	const char *uid;	/* NULL: none, or none that is valid */
};

/*
 * UIDL and LIST: every message that either names, by ascending number, at most
 * MT_MAX_POP3_MESSAGES. Owned by the session. MT_EUNAVAIL when the server has no UIDL.
 */
int mt_pop3_list(struct mt_pop3 *p, const struct mt_pop3_entry **list, size_t *n,
    struct mt_err *err);

/*
 * Commands are sent first and answered in turn: send up to mt_pop3_window() of them,
 * then take each answer. An answer is 1 for +OK, 0 for -ERR (then *err says what was
 * asked and what the server answered, and the session goes on) and -1 when the session
 * is broken.
 */
int mt_pop3_send_retr(struct mt_pop3 *p, uint32_t number, struct mt_err *err);
int mt_pop3_send_dele(struct mt_pop3 *p, uint32_t number, struct mt_err *err);
int mt_pop3_answer(struct mt_pop3 *p, struct mt_err *err);

/*
 * Behind a good answer to RETR, until 0: the next piece of the message, dots undone and
 * CRLF made LF: 1 with *piece, borrowed until the next call; 0 at the end; -1.
 */
int mt_pop3_read(struct mt_pop3 *p, struct mt_slice *piece, struct mt_err *err);

/* End the session, so that the server carries out each DELE: an answer as above. */
int mt_pop3_quit(struct mt_pop3 *p, struct mt_err *err);

MT_AUTO_DEFINE(mt_pop3, mt_pop3_free);

#endif
