/* client.h - send messages over one SMTP connection, pipelined (RFC 5321, 2920, 3030) */
#ifndef MT_SMTP_CLIENT_H
#define MT_SMTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "net/conn.h"
#include "smtp/dsn.h"
#include "smtp/extensions.h"
#include "smtp/scan.h"

struct mt_smtp_client;

/*
 * Take over a connection that mt_conn_dial() made: greeting, EHLO, STARTTLS and login are
 * done, and the extensions are read from its preamble. Owns conn from here on.
 */
struct mt_smtp_client *mt_smtp_client_new(struct mt_conn *conn);
/* Closes without a word; see mt_smtp_client_quit(). */
void mt_smtp_client_free(struct mt_smtp_client *c);
const struct mt_smtp_extensions *mt_smtp_client_extensions(
    const struct mt_smtp_client *c);
/* For a connection without a preamble (mt_conn_new()), whose EHLO the caller did. */
void mt_smtp_client_set_extensions(struct mt_smtp_client *c,
    const struct mt_smtp_extensions *ext);
/* How long to wait for one reply, and for the reply to the end of the message; the
   defaults are those of RFC 5321 4.5.3.2 (5 and 10 minutes). */
void mt_smtp_client_set_timeouts(struct mt_smtp_client *c, uint32_t reply_ms,
    uint32_t final_ms);

enum mt_smtp_fate {
	MT_SMTP_SENT,		/* the server said 2yz to the message for this recipient */
	MT_SMTP_DEFERRED,	/* 4yz, or the connection was lost: try again */
	MT_SMTP_REFUSED,	/* 5yz: final */
};

/* What became of one recipient. */
struct mt_smtp_outcome {
	enum mt_smtp_fate fate;
	unsigned code;		/* of the reply that decided it; 0: none came */
	/*
	 * The connection was lost or silent after the last byte was sent: the server may
	 * have taken the message. It has to be sent again, and may then arrive twice
	 * (RFC 1047); the text says so.
	 */
	bool is_unknown;
	char dsn[12];
	char text[512];		/* the reply verbatim, printable; or what happened */
};

struct mt_smtp_envelope_out {
	const char *from;		/* "local@domain"; "" is the null sender */
	const char *const *rcpts;	/* "local@domain" */
	size_t rcpts_n;			/* at least 1 */
	const struct mt_dsn *dsn;	/* said where DSN is offered; NULL: nothing */
	const struct mt_dsn_rcpt *dsn_rcpts;	/* one for each recipient; NULL: none */
	bool is_ours;			/* an 8-bit header holds such addresses (RFC 6532) */
};

/*
 * Send the message in fd (as mt_smtp_scan() reads it) in constant memory. outcomes has
 * one entry per recipient; all are filled in, whatever happens. Returns 0 when at least
 * one recipient was MT_SMTP_SENT: then look at the others. -1 when none was: err is
 * what decided (MT_EUNAVAIL if every refusal is final, MT_ETEMP if one may be tried
 * again; MT_EDATA for a message that SMTP cannot carry; MT_EIO; MT_EPROTO).
 *
 * MAIL, the RCPTs and DATA go out in one packet where PIPELINING is offered, and with
 * CHUNKING a message that is not large goes with them. Nobody is said to have got it
 * without a 2yz to its end.
 *
 * - A domain that is not ASCII goes as A-labels; a local part that is not ASCII needs
 *   SMTPUTF8, else that recipient (or, for the sender, all) is refused with 5.6.7.
 * - A message of ours whose header has 8-bit bytes needs SMTPUTF8 alike (RFC 6531 3.4).
 * - A finished message with 8-bit bytes is sent as it is where 8BITMIME is not offered,
 *   as MTAs do; where it is, BODY=8BITMIME is said. Lines over 998 octets pass alike.
 *   A server that minds says so in its reply.
 * - A message over the server's SIZE is refused (5.3.4) before anything is sent.
 *
 * After a return of 0 or a refusal the connection is ready for the next message;
 * mt_smtp_client_is_usable() tells.
 */
int mt_smtp_client_send(struct mt_smtp_client *c, const struct mt_smtp_envelope_out *env,
    int fd, struct mt_smtp_outcome *outcomes, struct mt_err *err);
bool mt_smtp_client_is_usable(const struct mt_smtp_client *c);

/* Say QUIT and wait a few seconds for the 221; what goes wrong there does not matter. */
void mt_smtp_client_quit(struct mt_smtp_client *c);

MT_AUTO_DEFINE(mt_smtp_client, mt_smtp_client_free);

#endif
