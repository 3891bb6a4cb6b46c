/* session_pop3.c - a session that hands out mail: POP3 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/dot.h"
#include "pop3/session.h"
#include "serve/session.h"

struct pop3 {
	struct mt_serve_session *s;
	struct mt_pop3_session *engine;
	int mailbox_fd;
	GArray *messages;	/* struct mt_pop3_message */
	GStringChunk *uidls;
	unsigned sent, deleted;
	uint64_t bytes;
};

/* Where the messages of the list go; 1 goes on, 0 the list is complete. */
static int
take_listed(struct pop3 *m, enum mt_pop3_login_error *why)
{
	const struct mt_serve_ipc_listed *l = &m->s->packet->body.listed;

	if (l->failed != 0) {
		*why = l->failed == 2 ? MT_POP3_LOGIN_IN_USE : MT_POP3_LOGIN_TEMP;
		return -1;
	}
	if (l->n == 0)
		return 0;
	if (m->messages->len + l->n > MT_MAX_POP3_MESSAGES)
		return -1;
	for (uint32_t i = 0; i < l->n; i++) {
		struct mt_pop3_message msg = { .size = l->list[i].size,
			.uidl = g_string_chunk_insert(m->uidls, l->list[i].uidl) };

		g_array_append_val(m->messages, msg);
	}
	return 1;
}

static int
load_list(struct pop3 *m, enum mt_pop3_login_error *why)
{
	int rc;

	*why = MT_POP3_LOGIN_TEMP;
	rc = mt_serve_session_ask(m->s, m->mailbox_fd, MT_SERVE_IPC_LIST, NULL, 0,
	    MT_SERVE_IPC_LISTED, NULL);
	if (rc < 0)
		return -1;
	while ((rc = take_listed(m, why)) > 0) {
		mt_serve_ipc_drop(m->s->packet);
		if (mt_serve_ipc_recv(m->mailbox_fd, m->s->packet, 60000, NULL) <= 0)
			return -1;
		if (m->s->packet->type != MT_SERVE_IPC_LISTED) {
			mt_serve_ipc_drop(m->s->packet);
			return -1;
		}
	}
	mt_serve_ipc_drop(m->s->packet);
	return rc;
}

static enum mt_pop3_event
check_login(struct pop3 *m)
{
	enum mt_pop3_login_error why = MT_POP3_LOGIN_TEMP;
	enum mt_serve_login result;

	result = mt_serve_session_login(m->s, mt_pop3_session_user(m->engine),
	    mt_pop3_session_secret(m->engine), &m->mailbox_fd);
	if (result == MT_SERVE_LOGIN_WRONG)
		return mt_pop3_session_login_failed(m->engine, MT_POP3_LOGIN_WRONG);
	if (result != MT_SERVE_LOGIN_OK || m->mailbox_fd < 0)
		return mt_pop3_session_login_failed(m->engine, MT_POP3_LOGIN_TEMP);
	if (load_list(m, &why) == 0) {
		mt_serve_session_be_patient(m->s);
		return mt_pop3_session_login_ok(m->engine,
		    (const struct mt_pop3_message *)(void *)m->messages->data,
		    m->messages->len);
	}
	close(m->mailbox_fd);
	m->mailbox_fd = -1;
	g_array_set_size(m->messages, 0);
	return mt_pop3_session_login_failed(m->engine, why);
}

static int
write_output(struct pop3 *m, bool flush, struct mt_err *err)
{
	struct mt_slice out = mt_pop3_session_output(m->engine);

	mt_serve_session_set_deadline(m->s);
	if (out.n > 0 && mt_conn_write(m->s->conn, out.p, out.n, err) < 0)
		return -1;
	return flush ? mt_conn_flush(m->s->conn, err) : 0;
}

/* A read-only descriptor of a message, or -1. */
static int
fetch(struct pop3 *m, size_t number)
{
	struct mt_serve_ipc_index in = { .index = (uint32_t)number };
	int fd = -1;

	if (mt_serve_session_ask(m->s, m->mailbox_fd, MT_SERVE_IPC_FETCH, &in, sizeof(in),
	    MT_SERVE_IPC_FETCHED, NULL) < 0)
		return -1;
	if (m->s->packet->nfds == 1)
		fd = mt_serve_ipc_take_fd(m->s->packet, 0);
	mt_serve_ipc_drop(m->s->packet);
	return fd;
}

/* The message, from its file to the wire in constant memory. */
static int
send_body(struct pop3 *m, int fd, struct mt_err *err)
{
	static char chunk[MT_KIB(64)];
	mt_auto_value(mt_buf) out = MT_BUF_INIT(2 * sizeof(chunk) + 16);
	int64_t lines = mt_pop3_session_lines(m->engine);
	struct mt_dot dot;
	ssize_t n = 0;

	mt_dot_init(&dot, MT_DOT_POP3);
	if (lines >= 0)
		mt_dot_limit_body(&dot, (uint64_t)lines);
	while (!mt_dot_is_full(&dot) && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		mt_buf_reset(&out);
		mt_serve_session_set_deadline(m->s);
		if (mt_dot_encode(&dot, mt_slice_mem(chunk, (size_t)n), &out, err) < 0 ||
		    mt_conn_write(m->s->conn, out.p, out.n, err) < 0)
			return -1;
	}
	/* "+OK" is out: a message that breaks off must not look whole. */
	if (n < 0)
		return mt_fail(err, MT_EIO, "read: %m");
	mt_buf_reset(&out);
	if (mt_dot_finish(&dot, &out, err) < 0)
		return -1;
	m->bytes += dot.size;
	m->sent++;
	return mt_conn_write(m->s->conn, out.p, out.n, err);
}

static enum mt_pop3_event
send_message(struct pop3 *m)
{
	mt_auto_fd int fd = fetch(m, mt_pop3_session_number(m->engine));
	struct mt_err err = { 0 };

	if (fd < 0)
		return mt_pop3_session_send_failed(m->engine);
	mt_pop3_session_send_begins(m->engine);
	if (write_output(m, false, &err) == 0 && send_body(m, fd, &err) == 0)
		return MT_POP3_GO_ON;
	m->s->ended = "lost-in-message";
	return MT_POP3_CLOSE;
}

static enum mt_pop3_event
commit(struct pop3 *m)
{
	bool all = true;

	for (guint i = 0; i < m->messages->len && all; i++) {
		struct mt_serve_ipc_index in = { .index = i };

		if (!mt_pop3_session_is_deleted(m->engine, i))
			continue;
		m->deleted++;
		all = mt_serve_ipc_send(m->mailbox_fd, MT_SERVE_IPC_DELETE, &in, sizeof(in),
		    NULL, 0, NULL) == 0;
	}
	if (all && m->deleted > 0) {
		all = mt_serve_session_ask(m->s, m->mailbox_fd, MT_SERVE_IPC_EXPUNGE, NULL,
		    0, MT_SERVE_IPC_EXPUNGED, NULL) == 0 &&
		    m->s->packet->body.result.ok == 1;
		mt_serve_ipc_drop(m->s->packet);
	}
	return mt_pop3_session_committed(m->engine, all);
}

static enum mt_pop3_event
next_command(struct pop3 *m)
{
	struct mt_slice line;
	struct mt_err err = { 0 };
	int rc = mt_serve_session_line(m->s, MT_MAX_POP3_LINE, &line, &err);

	if (rc > 0)
		return mt_pop3_session_line(m->engine, line);
	if (rc < 0 && err.kind == MT_EUNAVAIL) {
		m->s->ended = "shutdown";
		return mt_pop3_session_abort(m->engine, "the server stops");
	}
	/* RFC 1939 3: a session that timed out is closed without a word, and deletes
	   nothing. */
	m->s->ended = rc == 0 ? "peer-closed" : "lost";
	return MT_POP3_CLOSE;
}

static enum mt_pop3_event
start_tls(struct pop3 *m)
{
	if (mt_serve_session_start_tls(m->s) < 0)
		return MT_POP3_CLOSE;
	return mt_pop3_session_tls_started(m->engine);
}

static enum mt_pop3_event
step(struct pop3 *m, enum mt_pop3_event ev)
{
	switch (ev) {
	case MT_POP3_GO_ON:
		return next_command(m);
	case MT_POP3_MORE:
		return mt_pop3_session_more(m->engine);
	case MT_POP3_START_TLS:
		return start_tls(m);
	case MT_POP3_CHECK_LOGIN:
		return check_login(m);
	case MT_POP3_SEND:
		return send_message(m);
	case MT_POP3_COMMIT:
		return commit(m);
	case MT_POP3_CLOSE:
		break;
	}
	return MT_POP3_CLOSE;
}

static void
log_end(const struct pop3 *m)
{
	struct mt_log l = mt_serve_session_log(m->s, "disconnect");

	mt_log_str(&l, "why", m->s->ended != NULL ? m->s->ended : "quit");
	mt_log_u64(&l, "messages", m->messages->len);
	mt_log_u64(&l, "sent", m->sent);
	mt_log_u64(&l, "deleted", m->deleted);
	mt_log_u64(&l, "bytes", m->bytes);
	mt_log_end(&l);
}

void
mt_serve_session_pop3(struct mt_serve_session *s)
{
	const struct mt_pop3_session_params params = {
		.host = s->params->hostname,
		.can_tls = s->params->tls != NULL,
		.is_tls = s->protocol == MT_SERVE_POP3S,
		.errors_max = s->params->errors_max,
	};
	struct pop3 *m = g_new0(struct pop3, 1);
	enum mt_pop3_event ev;

	m->s = s;
	m->mailbox_fd = -1;
	m->messages = g_array_new(FALSE, FALSE, sizeof(struct mt_pop3_message));
	m->uidls = g_string_chunk_new(4096);
	m->engine = mt_pop3_session_new(&params);
	if (params.is_tls && mt_serve_session_start_tls(s) < 0)
		ev = MT_POP3_CLOSE;
	else
		ev = mt_pop3_session_greet(m->engine);
	while (ev != MT_POP3_CLOSE) {
		if (write_output(m, ev == MT_POP3_START_TLS, NULL) < 0) {
			s->ended = "lost";
			break;
		}
		ev = step(m, ev);
	}
	(void)write_output(m, true, NULL);
	log_end(m);
	mt_pop3_session_free(m->engine);
	g_array_free(m->messages, TRUE);
	g_string_chunk_free(m->uidls);
	g_free(m);
}
