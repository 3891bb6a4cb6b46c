/* session.h - the server's side of POP3, as an engine without I/O (RFC 1939) */
#ifndef MT_POP3_SESSION_H
#define MT_POP3_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/slice.h"

/*
 * Fed one line at a time, gives back reply bytes and one event. A driver is this loop:
 *
 *	ev = mt_pop3_session_greet(s);
 *	for (;;) {
 *		switch (ev) {
 *		case MT_POP3_GO_ON:
 *			break;
 *		case MT_POP3_MORE:
 *			write the output; ev = mt_pop3_session_more(s); continue;
 *		case MT_POP3_START_TLS:
 *			write the output and flush; no bytes may be buffered (close);
 *			handshake; ev = mt_pop3_session_tls_started(s); continue;
 *		case MT_POP3_CHECK_LOGIN:
 *			... mt_pop3_session_user(s), mt_pop3_session_secret(s)
 *			ev = mt_pop3_session_login_ok(s, list, n), or
 *			ev = mt_pop3_session_login_failed(s, MT_POP3_LOGIN_WRONG); continue;
 *		case MT_POP3_SEND:
 *			open message mt_pop3_session_number(s);
 *			if that fails: ev = mt_pop3_session_send_failed(s); continue;
 *			mt_pop3_session_send_begins(s); write the output, then the message
 *			through net/dot.h (MT_DOT_POP3, mt_dot_limit_body() when
 *			mt_pop3_session_lines() is not negative);
 *			ev = MT_POP3_GO_ON; continue;
 *		case MT_POP3_COMMIT:
 *			delete every message for which mt_pop3_session_is_deleted(s, i);
 *			ev = mt_pop3_session_committed(s, all_were_deleted); continue;
 *		case MT_POP3_CLOSE:
 *			write the output; close; return;
 *		}
 *		write the output (flushing may wait until no more input is buffered);
 *		mt_conn_raw_line(c, MT_MAX_POP3_LINE, &line, &err);
 *		ev = mt_pop3_session_line(s, line);
 *	}
 *
 * Deletions happen at COMMIT and nowhere else: a connection that ends without QUIT
 * deletes nothing (RFC 1939 6). Offered: CAPA (RFC 2449) with TOP, UIDL, RESP-CODES,
 * AUTH-RESP-CODE, PIPELINING, STLS (RFC 2595), and inside TLS only USER and SASL PLAIN
 * (RFC 5034).
 */
struct mt_pop3_session;

struct mt_pop3_session_params {
	const char *host;	/* our name in the greeting; copied */
	bool can_tls;		/* offer STLS */
	bool is_tls;		/* TLS has already begun (port 995) */
	unsigned errors_max;	/* 0: 10 wrong commands, then close */
	unsigned logins_max;	/* 0: 3 failed logins, then close */
};

enum mt_pop3_event {
	MT_POP3_GO_ON,
	MT_POP3_MORE,
	MT_POP3_START_TLS,
	MT_POP3_CHECK_LOGIN,
	MT_POP3_SEND,
	MT_POP3_COMMIT,
	MT_POP3_CLOSE,
};

enum mt_pop3_login_error {
	MT_POP3_LOGIN_WRONG,	/* -ERR [AUTH] */
	MT_POP3_LOGIN_TEMP,	/* -ERR [SYS/TEMP]: not the password's fault */
	MT_POP3_LOGIN_IN_USE,	/* -ERR [IN-USE]: the maildrop is locked */
};

/* One message of the maildrop. The driver's; must live as long as the session. */
struct mt_pop3_message {
	uint64_t size;		/* octets, as LIST says it */
	const char *uidl;	/* 1 to 70 characters 0x21-0x7e, unique (RFC 1939 7) */
};

struct mt_pop3_session *mt_pop3_session_new(const struct mt_pop3_session_params *params);
void mt_pop3_session_free(struct mt_pop3_session *s);

enum mt_pop3_event mt_pop3_session_greet(struct mt_pop3_session *s);
/* Feed a line with its end, as mt_conn_raw_line() gives it. One without LF was too long:
   -ERR and CLOSE. LF alone is an end too here. The line may hold a password. */
enum mt_pop3_event mt_pop3_session_line(struct mt_pop3_session *s, struct mt_slice line);
/* The line for a log: nothing of what USER, PASS and AUTH say. */
struct mt_slice mt_pop3_session_loggable(const struct mt_pop3_session *s,
    struct mt_slice line);
enum mt_pop3_event mt_pop3_session_more(struct mt_pop3_session *s);
enum mt_pop3_event mt_pop3_session_tls_started(struct mt_pop3_session *s);

/* Answer CHECK_LOGIN. list may be NULL when n is 0; n is at most MT_MAX_POP3_MESSAGES. */
enum mt_pop3_event mt_pop3_session_login_ok(struct mt_pop3_session *s,
    const struct mt_pop3_message *list, size_t n);
enum mt_pop3_event mt_pop3_session_login_failed(struct mt_pop3_session *s,
    enum mt_pop3_login_error why);

/* At SEND: index into the list (from 0), and lines of the body (TOP), -1: all (RETR). */
size_t mt_pop3_session_number(const struct mt_pop3_session *s);
int64_t mt_pop3_session_lines(const struct mt_pop3_session *s);
/* Answer SEND: "+OK" goes to the output, the driver sends the message behind it; or
   -ERR [SYS/TEMP]. */
void mt_pop3_session_send_begins(struct mt_pop3_session *s);
enum mt_pop3_event mt_pop3_session_send_failed(struct mt_pop3_session *s);

/* At COMMIT, and its answer. */
bool mt_pop3_session_is_deleted(const struct mt_pop3_session *s, size_t index);
enum mt_pop3_event mt_pop3_session_committed(struct mt_pop3_session *s, bool all);

/* The driver gives up: "-ERR [SYS/TEMP] why". Gives CLOSE. */
enum mt_pop3_event mt_pop3_session_abort(struct mt_pop3_session *s, const char *why);

/* Reply bytes since the last call; valid until the next call on s. */
struct mt_slice mt_pop3_session_output(struct mt_pop3_session *s);
/* At CHECK_LOGIN, NUL-terminated; the secret is overwritten by the answer. After a
   login, user is who logged in; NULL before. */
const char *mt_pop3_session_user(const struct mt_pop3_session *s);
const char *mt_pop3_session_secret(const struct mt_pop3_session *s);

MT_AUTO_DEFINE(mt_pop3_session, mt_pop3_session_free);

#endif
