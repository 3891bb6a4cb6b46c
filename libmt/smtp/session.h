/* session.h - the server's side of SMTP, submission and LMTP: an engine without I/O */
#ifndef MT_SMTP_SESSION_H
#define MT_SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/slice.h"
#include "smtp/data.h"
#include "smtp/dsn.h"
#include "smtp/path.h"

/*
 * The engine is fed one line at a time and gives back reply bytes and one event. It does
 * no I/O, reads no clock and knows no users: what only the driver can know is asked by an
 * event, which the driver answers before it feeds the next line. A driver is this loop:
 *
 *	ev = mt_smtp_session_greet(s, NULL);
 *	for (;;) {
 *		switch (ev) {
 *		case MT_SMTP_GO_ON:
 *			break;
 *		case MT_SMTP_START_TLS:
 *			write the output and flush; no bytes may be buffered (close);
 *			handshake; ev = mt_smtp_session_tls_started(s); continue;
 *		case MT_SMTP_CHECK_LOGIN:
 *			... mt_smtp_session_user(s), mt_smtp_session_secret(s)
 *			ev = mt_smtp_session_answer(s, NULL or &mt_smtp_bad_login);
 *			continue;
 *		case MT_SMTP_CHECK_SENDER:	envelope->from
 *		case MT_SMTP_CHECK_RCPT:	mt_smtp_session_rcpt(s)
 *			ev = mt_smtp_session_answer(s, NULL or &mt_smtp_no_user ...);
 *			continue;
 *		case MT_SMTP_BEGIN_DATA:
 *			open where it goes; ev = mt_smtp_session_answer(s, NULL);
 *			continue;
 *		case MT_SMTP_RECEIVE_DATA:
 *			write the output and flush; receive by smtp/data.h;
 *			make it durable;
 *			ev = mt_smtp_session_data_done(s, answers, n); continue;
 *		case MT_SMTP_CLOSE:
 *			write the output; close; return;
 *		}
 *		write the output (flushing may wait until no more input is buffered);
 *		mt_conn_raw_line(c, MT_MAX_SMTP_LINE, &line, &err);
 *		ev = mt_smtp_session_line(s, line);
 *	}
 *
 * "Write the output" is mt_smtp_session_output(). A driver that gives up by itself
 * (time-out, shutdown) calls mt_smtp_session_abort() for the 421, writes, closes.
 *
 * Order of commands: RFC 5321 4.1.4. Offered: PIPELINING, SIZE, 8BITMIME, SMTPUTF8,
 * ENHANCEDSTATUSCODES, STARTTLS, AUTH PLAIN LOGIN (submission, inside TLS only), DSN.
 * No BDAT, and VRFY and EXPN tell nothing.
 */
struct mt_smtp_session;

enum mt_smtp_mode {
	MT_SMTP_MODE_MX,		/* RFC 5321: mail from strangers */
	MT_SMTP_MODE_SUBMISSION,	/* RFC 6409: AUTH is required before MAIL */
	MT_SMTP_MODE_LMTP,		/* RFC 2033: LHLO, one reply per recipient */
};

struct mt_smtp_session_params {
	enum mt_smtp_mode mode;
	const char *host;	/* our name in the greeting; copied */
	uint64_t size_max;	/* announced by SIZE and enforced at MAIL; 0: none */
	bool can_tls;		/* offer STARTTLS */
	bool can_dsn;		/* offer DSN (RFC 3461): the driver heeds what is asked */
	bool is_tls;		/* TLS has already begun (port 465) */
	size_t rcpts_max;	/* 0: MT_MAX_RCPTS; never more */
	unsigned errors_max;	/* 0: 10 wrong commands, then 421 and close */
	unsigned logins_max;	/* 0: 3 failed logins, then 421 and close */
};

/* What the driver has to do now. */
enum mt_smtp_event {
	MT_SMTP_GO_ON,		/* nothing but to write the output: read the next line */
	MT_SMTP_START_TLS,	/* after the output: handshake, then _tls_started() */
	MT_SMTP_CHECK_LOGIN,	/* answer: NULL, mt_smtp_bad_login, mt_smtp_try_later */
	MT_SMTP_CHECK_SENDER,	/* answer: NULL, mt_smtp_not_your_address, ... */
	MT_SMTP_CHECK_RCPT,	/* answer: NULL, mt_smtp_no_user, mt_smtp_no_relay, ... */
	MT_SMTP_BEGIN_DATA,	/* answer: NULL (354), mt_smtp_try_later, ... */
	MT_SMTP_RECEIVE_DATA,	/* after the output: take the message, _data_done() */
	MT_SMTP_CLOSE,		/* after the output: close */
};

/*
 * One answer of the driver. code is 2yz (yes), 4yz or 5yz (no); 421 and 521 also close the
 * session. dsn is an enhanced code whose class agrees. text is one line of printable
 * ASCII; other bytes in it become '?'. Copied at once.
 */
struct mt_smtp_answer {
	unsigned code;
	const char *dsn;
	const char *text;
};

/* The usual answers. */
extern const struct mt_smtp_answer mt_smtp_no_user;		/* 550 5.1.1 */
extern const struct mt_smtp_answer mt_smtp_no_relay;		/* 550 5.7.1 */
extern const struct mt_smtp_answer mt_smtp_mailbox_full;	/* 452 4.2.2 */
extern const struct mt_smtp_answer mt_smtp_try_later;		/* 451 4.3.0 */
extern const struct mt_smtp_answer mt_smtp_no_space;		/* 452 4.3.1 */
extern const struct mt_smtp_answer mt_smtp_bad_login;		/* 535 5.7.8 */
extern const struct mt_smtp_answer mt_smtp_login_later;	/* 454 4.7.0 */
extern const struct mt_smtp_answer mt_smtp_not_your_address;	/* 550 5.7.1 */
extern const struct mt_smtp_answer mt_smtp_shutting_down;	/* 421 4.3.2 */
extern const struct mt_smtp_answer mt_smtp_timed_out;		/* 421 4.4.2 */
extern const struct mt_smtp_answer mt_smtp_too_busy;		/* 421 4.3.2 */

/* The answer to a DATA stream that ended so: NULL for OK; 552, 554, or 521 (closes). */
const struct mt_smtp_answer *mt_smtp_answer_of_data(enum mt_smtp_data_status status);

struct mt_smtp_session *mt_smtp_session_new(const struct mt_smtp_session_params *params);
/* Overwrites what is secret. */
void mt_smtp_session_free(struct mt_smtp_session *s);

/* The 220 greeting, or with an answer (421, 554) a refusal, then CLOSE. */
enum mt_smtp_event mt_smtp_session_greet(struct mt_smtp_session *s,
    const struct mt_smtp_answer *refusal);

/*
 * Feed one line as mt_conn_raw_line() gives it, with its end. Without an LF at its end it
 * was too long: 500 and CLOSE. A command that ends in a bare LF, or holds a NUL or a
 * bare CR: 500 and CLOSE; this is stricter than most servers: such lines come from
 * header injection in web forms, not from mail software. The line may hold a
 * password: never log it (mt_smtp_session_loggable()). Our bug, and abort, when a
 * question is open.
 */
enum mt_smtp_event mt_smtp_session_line(struct mt_smtp_session *s, struct mt_slice line);
/* The line for a log: its verb and arguments, never anything that AUTH says. */
struct mt_slice mt_smtp_session_loggable(const struct mt_smtp_session *s,
    struct mt_slice line);

/* Answer CHECK_LOGIN, CHECK_SENDER, CHECK_RCPT or BEGIN_DATA; NULL is yes. */
enum mt_smtp_event mt_smtp_session_answer(struct mt_smtp_session *s,
    const struct mt_smtp_answer *a);

/*
 * Answer RECEIVE_DATA. SMTP has one answer: n is 1. LMTP has one per recipient, in the
 * order of the envelope: n is envelope->rcpts_n, or 1 for all of them. A NULL answers
 * (or an answer with code 0) is 250: say it only when the message is durable. The
 * transaction is over.
 */
enum mt_smtp_event mt_smtp_session_data_done(struct mt_smtp_session *s,
    const struct mt_smtp_answer *answers, size_t n);

/* After START_TLS: forgets all that was said before (RFC 3207 4.2). */
enum mt_smtp_event mt_smtp_session_tls_started(struct mt_smtp_session *s);

/* The driver gives up: the answer (421) goes to the output. Gives CLOSE. */
enum mt_smtp_event mt_smtp_session_abort(struct mt_smtp_session *s,
    const struct mt_smtp_answer *why);

/* Reply bytes since the last call; valid until the next call on s. */
struct mt_slice mt_smtp_session_output(struct mt_smtp_session *s);

/*
 * Whether the last line was a command behind which a client must wait for the reply
 * (EHLO, DATA, AUTH, STARTTLS ...; RFC 2920 3.1). A driver may refuse a peer that had
 * already sent more.
 */
bool mt_smtp_session_peer_must_wait(const struct mt_smtp_session *s);

/* What RCPT says besides the address (RFC 3461 4.1, 4.2). */
struct mt_smtp_wish {
	unsigned notify;	/* bits of smtp/dsn.h */
	char orcpt[MT_DSN_ORCPT_MAX + 1];	/* checked; "": nothing */
};

struct mt_smtp_envelope {
	struct mt_smtp_path from;
	const struct mt_smtp_path *rcpts;	/* accepted ones; the same may come twice */
	size_t rcpts_n;
	uint64_t size;		/* what SIZE= said, 0: nothing */
	bool is_8bit;		/* BODY=8BITMIME */
	bool is_utf8;		/* SMTPUTF8 */
	enum mt_dsn_ret ret;	/* RET=, with can_dsn */
	char envid[MT_DSN_ENVID_MAX + 1];	/* ENVID=, decoded; "": nothing */
	const struct mt_smtp_wish *wishes;	/* one for each recipient; NULL without can_dsn */
};

/* Of the transaction under way: from is set at CHECK_SENDER, all is from BEGIN_DATA until
   _data_done(), _free() or the next line. */
const struct mt_smtp_envelope *mt_smtp_session_envelope(const struct mt_smtp_session *s);
/* At CHECK_RCPT: the recipient in question. */
const struct mt_smtp_path *mt_smtp_session_rcpt(const struct mt_smtp_session *s);
/* At CHECK_LOGIN, NUL-terminated; the secret is overwritten by the answer. After a
   login, user is who logged in; NULL before. */
const char *mt_smtp_session_user(const struct mt_smtp_session *s);
const char *mt_smtp_session_secret(const struct mt_smtp_session *s);
/* What the peer called itself, "" before HELO: printable, no blanks, 255 bytes at most. */
const char *mt_smtp_session_helo(const struct mt_smtp_session *s);
/* For the "with" of a Received field: "ESMTPS", "ESMTPSA", "LMTP"... (RFC 3848, 6531). */
const char *mt_smtp_session_with(const struct mt_smtp_session *s);
/* The code of the last reply, for a log. */
unsigned mt_smtp_session_last_code(const struct mt_smtp_session *s);

MT_AUTO_DEFINE(mt_smtp_session, mt_smtp_session_free);

#endif
