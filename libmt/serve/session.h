/* session.h - the process that speaks to one peer; what SMTP and POP3 sessions share */
#ifndef MT_SERVE_SESSION_H
#define MT_SERVE_SESSION_H

#include "base/log.h"
#include "net/conn.h"
#include "serve/ipc.h"
#include "serve/serve.h"

struct mt_serve_session {
	const struct mt_serve_params *params;
	enum mt_serve_protocol protocol;
	uint64_t id;
	char peer[MT_SERVE_PEER_SIZE];
	struct mt_conn *conn;
	int keeper_fd;
	uint32_t silence_ms;	/* of the peer, that is borne */
	uint64_t end_ms;	/* of the whole session, on mt_proc_now_ms()'s clock */
	struct mt_serve_packet *packet;
	const char *ended;	/* why: for the last line of its log */
};

/*
 * Speak to the peer on peer_fd until the session ends, and then exit the process: whatever
 * happens here, nobody else's mail is harmed. Confines itself first: no files, no new
 * processes.
 */
_Noreturn void mt_serve_session_main(const struct mt_serve_params *params,
    enum mt_serve_protocol protocol, uint64_t id, const char *peer, int peer_fd,
    int keeper_fd);

/* The two kinds of sessions: session_smtp.c, session_pop3.c. */
void mt_serve_session_smtp(struct mt_serve_session *s);
void mt_serve_session_pop3(struct mt_serve_session *s);

/* A line for the log that names the session and its peer. */
struct mt_log mt_serve_session_log(const struct mt_serve_session *s, const char *event);

/*
 * Wait for the peer's next line, as mt_conn_raw_line(), within the time for one command
 * and for the session. On SIGTERM (the server stops) this ends with MT_EUNAVAIL, here and
 * nowhere else: what is under way is finished.
 */
int mt_serve_session_line(struct mt_serve_session *s, size_t max, struct mt_slice *line,
    struct mt_err *err);
/* Begin the time for the next piece of input or output. */
void mt_serve_session_set_deadline(struct mt_serve_session *s);
/* A reader is logged in: from now on only silence ends the session, that of ten minutes or
   more (RFC 1939 3), for who works on a big maildrop must come to QUIT. */
void mt_serve_session_be_patient(struct mt_serve_session *s);
/* TLS, from now on; or -1, and why not is in the log. */
int mt_serve_session_start_tls(struct mt_serve_session *s);

/*
 * Ask the keeper (or another process at fd) and wait for the answer, which must be of the
 * type `want`, in s->packet. The caller drops the packet.
 */
int mt_serve_session_ask(struct mt_serve_session *s, int fd, uint32_t type,
    const void *body, size_t n, uint32_t want, struct mt_err *err);
/* Ask for a login; logs what comes of it. mailbox_fd (NULL: not wanted) is -1 without one. */
enum mt_serve_login mt_serve_session_login(struct mt_serve_session *s, const char *user,
    const char *secret, int *mailbox_fd);

#endif
