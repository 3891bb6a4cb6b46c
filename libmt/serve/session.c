/* session.c - the process that speaks to one peer; what SMTP and POP3 sessions share */
#include "serve/session.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/sandbox.h"

/* The keeper may be syncing many large messages; a mailbox may be reading a large one. */
#define ANSWER_TIMEOUT_MS (10 * 60 * 1000)
#define READER_SILENCE_MS (10 * 60 * 1000)
#define MEMORY_MAX MT_MIB(512)

/* For the signal handler: what SIGTERM has to interrupt. */
static volatile sig_atomic_t stopping, waiting;
static int waiting_fd = -1;

/*
 * The server stops. A read that waits for the next command ends, as if the peer had closed;
 * anything else goes on until the session looks for its next command.
 */
static void
on_term(int sig)
{
	(void)sig;
	stopping = 1;
	if (waiting)
		shutdown(waiting_fd, SHUT_RD);
}

struct mt_log
mt_serve_session_log(const struct mt_serve_session *s, const char *event)
{
	struct mt_log l = mt_log_begin(event);

	mt_log_str(&l, "proto", mt_serve_protocol_word(s->protocol));
	mt_log_u64(&l, "session", s->id);
	mt_log_str(&l, "ip", s->peer);
	return l;
}

void
mt_serve_session_set_deadline(struct mt_serve_session *s)
{
	uint64_t now = mt_proc_now_ms();
	uint64_t left = s->end_ms > now ? s->end_ms - now : 0;

	mt_conn_set_deadline(s->conn,
	    (uint32_t)MIN(left, (uint64_t)s->silence_ms));
}

void
mt_serve_session_be_patient(struct mt_serve_session *s)
{
	s->end_ms = UINT64_MAX;
	s->silence_ms = MAX(s->silence_ms, READER_SILENCE_MS);
}

int
mt_serve_session_line(struct mt_serve_session *s, size_t max, struct mt_slice *line,
    struct mt_err *err)
{
	int rc = 0;

	mt_serve_session_set_deadline(s);
	waiting = 1;
	if (!stopping)
		rc = mt_conn_raw_line(s->conn, max, line, err);
	waiting = 0;
	if (stopping && rc <= 0)
		return mt_fail(err, MT_EUNAVAIL, "the server stops");
	return rc;
}

int
mt_serve_session_start_tls(struct mt_serve_session *s)
{
	struct mt_err err = { 0 };
	struct mt_log l;

	mt_serve_session_set_deadline(s);
	if (mt_conn_accept_tls(s->conn, s->params->tls, &err) < 0) {
		l = mt_serve_session_log(s, "tls-failed");
		mt_log_str(&l, "error", err.msg);
		mt_log_end(&l);
		s->ended = "tls";
		return -1;
	}
	return 0;
}

int
mt_serve_session_ask(struct mt_serve_session *s, int fd, uint32_t type, const void *body,
    size_t n, uint32_t want, struct mt_err *err)
{
	int rc;

	if (mt_serve_ipc_send(fd, type, body, n, NULL, 0, err) < 0)
		return -1;
	rc = mt_serve_ipc_recv(fd, s->packet, ANSWER_TIMEOUT_MS, err);
	if (rc == 0)
		return mt_fail(err, MT_ETEMP, "the process that should answer is gone");
	if (rc < 0)
		return -1;
	if (s->packet->type != want) {
		mt_serve_ipc_drop(s->packet);
		return mt_fail(err, MT_EPROTO, "an answer of type %u", s->packet->type);
	}
	return 0;
}

static void
log_login(const struct mt_serve_session *s, const char *user, enum mt_serve_login result)
{
	static const char *const events[] = {
		[MT_SERVE_LOGIN_OK] = "login",
		[MT_SERVE_LOGIN_WRONG] = "login-wrong",
		[MT_SERVE_LOGIN_LOCKED] = "login-locked",
		[MT_SERVE_LOGIN_TEMP] = "login-failed",
	};
	struct mt_log l = mt_serve_session_log(s, events[result]);

	mt_log_str(&l, "user", user);
	if (mt_conn_tls_version(s->conn) != NULL)
		mt_log_str(&l, "tls", mt_conn_tls_version(s->conn));
	mt_log_end(&l);
}

enum mt_serve_login
mt_serve_session_login(struct mt_serve_session *s, const char *user, const char *secret,
    int *mailbox_fd)
{
	struct mt_serve_ipc_login in = { .user = "" };
	enum mt_serve_login result = MT_SERVE_LOGIN_WRONG;
	const struct mt_serve_ipc_logged_in *out = &s->packet->body.logged_in;
	int rc;

	if (mailbox_fd != NULL)
		*mailbox_fd = -1;
	/* What does not fit, or what a packet may not hold, is nobody's name. */
	if (g_strlcpy(in.user, user, sizeof(in.user)) >= sizeof(in.user) ||
	    g_strlcpy(in.secret, secret, sizeof(in.secret)) >= sizeof(in.secret)) {
		explicit_bzero(&in, sizeof(in));
		log_login(s, user, result);
		return result;
	}
	for (char *p = in.user; *p != '\0'; p++) {
		if (g_ascii_iscntrl(*p))
			*p = '?';
	}
	rc = mt_serve_session_ask(s, s->keeper_fd, MT_SERVE_IPC_LOGIN, &in, sizeof(in),
	    MT_SERVE_IPC_LOGGED_IN, NULL);
	explicit_bzero(in.secret, sizeof(in.secret));
	if (rc < 0) {
		log_login(s, in.user, MT_SERVE_LOGIN_TEMP);
		return MT_SERVE_LOGIN_TEMP;
	}
	result = out->result;
	log_login(s, result == MT_SERVE_LOGIN_OK ? out->user : in.user, result);
	if (mailbox_fd != NULL && s->packet->nfds == 1)
		*mailbox_fd = mt_serve_ipc_take_fd(s->packet, 0);
	mt_serve_ipc_drop(s->packet);
	return result;
}

static int
confine(struct mt_err *err)
{
	const struct mt_sandbox_limits limits = { .memory_bytes = MEMORY_MAX,
		.files = MT_SERVE_FILES_MAX + 56 };

	if (mt_sandbox_begin(err) < 0 || mt_sandbox_limit(&limits, err) < 0 ||
	    mt_sandbox_files(NULL, 0, err) < 0)
		return -1;
	return mt_sandbox_calls(MT_SANDBOX_IPC, err);
}

static void
watch_signals(int peer_fd)
{
	struct sigaction term = { .sa_handler = on_term };
	sigset_t none;

	waiting_fd = peer_fd;
	sigaction(SIGTERM, &term, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* When the parent dies the server has stopped. */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
mt_serve_session_main(const struct mt_serve_params *params,
    enum mt_serve_protocol protocol, uint64_t id, const char *peer, int peer_fd,
    int keeper_fd)
{
	struct mt_serve_session s = { .params = params, .protocol = protocol, .id = id,
		.keeper_fd = keeper_fd };
	struct mt_err err = { 0 };
	struct mt_log l;

	g_strlcpy(s.peer, peer, sizeof(s.peer));
	watch_signals(peer_fd);
	s.silence_ms = params->command_timeout_ms;
	s.end_ms = mt_proc_now_ms() + (uint64_t)params->session_timeout_s * 1000;
	s.packet = g_new0(struct mt_serve_packet, 1);
	s.conn = mt_conn_new(peer_fd);
	if (confine(&err) < 0) {
		l = mt_serve_session_log(&s, "session-failed");
		mt_log_str(&l, "error", err.msg);
		mt_log_end(&l);
		_exit(EX_SOFTWARE);
	}
	if (mt_serve_protocol_is_pop3(protocol))
		mt_serve_session_pop3(&s);
	else
		mt_serve_session_smtp(&s);
	mt_conn_free(s.conn);
	g_free(s.packet);
	_exit(EX_OK);
}
