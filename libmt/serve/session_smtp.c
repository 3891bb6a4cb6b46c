/* session_smtp.c - a session that takes mail: SMTP, submission, LMTP */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "serve/policy.h"
#include "serve/session.h"
#include "serve/trace.h"
#include "smtp/data.h"
#include "smtp/session.h"

#define ID_SIZE 48
#define TRACE_MAX MT_KIB(8)

struct smtp {
	struct mt_serve_session *s;
	struct mt_smtp_session *engine;
	/* The message under way. */
	struct mt_serve_ipc_opened opened;
	int fds[MT_SERVE_FILES_MAX];
	size_t nfds;
	enum mt_serve_fate written[MT_SERVE_FILES_MAX];
	char id[ID_SIZE];
	uint64_t begin_ms;
	/* Of the whole session, for the log. */
	unsigned messages;
	uint64_t bytes;
};

static const struct mt_smtp_answer keeper_gone = { 421, "4.3.0",
	"Internal trouble, please try again later" };
static const struct mt_smtp_answer no_relay_host = { 550, "5.7.1",
	"Not one of our domains, and no relay host is configured for others" };
static const struct mt_smtp_answer not_your_sender = { 553, "5.7.1",
	"The sender is not an address of the user who has logged in" };
static const struct mt_smtp_answer too_many = { 452, "4.5.3",
	"Too many recipients in one message" };

static const struct mt_smtp_answer *const fates[MT_SERVE_FATES] = {
	[MT_SERVE_FATE_GOOD] = NULL,
	[MT_SERVE_FATE_NO_SPACE] = &mt_smtp_no_space,
	[MT_SERVE_FATE_NO_USER] = &mt_smtp_no_user,
	[MT_SERVE_FATE_TOO_MANY] = &too_many,
	[MT_SERVE_FATE_TEMP] = &mt_smtp_try_later,
};

static void
log_refusal(const struct smtp *m, const char *what, const char *address,
    const struct mt_smtp_answer *a)
{
	struct mt_log l = mt_serve_session_log(m->s, "refused");

	mt_log_str(&l, "at", what);
	mt_log_u64(&l, "code", a->code);
	mt_log_str(&l, "dsn", a->dsn);
	if (address != NULL)
		mt_log_str(&l, "address", address);
	mt_log_str(&l, "helo", mt_smtp_session_helo(m->engine));
	if (mt_smtp_session_user(m->engine) != NULL)
		mt_log_str(&l, "user", mt_smtp_session_user(m->engine));
	mt_log_end(&l);
}

/* Answer the engine's question, and log a no. */
static enum mt_smtp_event
answer(struct smtp *m, const char *what, const char *address,
    const struct mt_smtp_answer *a)
{
	if (a != NULL)
		log_refusal(m, what, address, a);
	if (a == &keeper_gone)
		m->s->ended = "keeper-gone";
	return mt_smtp_session_answer(m->engine, a);
}

static enum mt_smtp_event
check_login(struct smtp *m)
{
	static const struct mt_smtp_answer *const answers[] = {
		[MT_SERVE_LOGIN_OK] = NULL,
		[MT_SERVE_LOGIN_WRONG] = &mt_smtp_bad_login,
		[MT_SERVE_LOGIN_LOCKED] = &mt_smtp_login_later,
		[MT_SERVE_LOGIN_TEMP] = &mt_smtp_login_later,
	};
	enum mt_serve_login result = mt_serve_session_login(m->s,
	    mt_smtp_session_user(m->engine), mt_smtp_session_secret(m->engine), NULL);

	return mt_smtp_session_answer(m->engine, answers[result]);
}

/* An address for the keeper, who knows domains by their A-labels. */
static void
fill_path(struct mt_serve_ipc_path *out, const struct mt_smtp_path *path)
{
	struct mt_smtp_path plain = *path;

	(void)mt_smtp_path_to_ascii(&plain, NULL);
	g_strlcpy(out->local, plain.local, sizeof(out->local));
	g_strlcpy(out->domain, plain.domain, sizeof(out->domain));
}

/* Ask the keeper about an address; the verdict, or -1. */
static int
ask_verdict(struct smtp *m, uint32_t type, const struct mt_smtp_path *path)
{
	struct mt_serve_ipc_path in = { .local = "" };
	struct mt_serve_session *s = m->s;
	int verdict;

	fill_path(&in, path);
	if (mt_serve_session_ask(s, s->keeper_fd, type, &in, sizeof(in),
	    MT_SERVE_IPC_VERDICT, NULL) < 0)
		return -1;
	verdict = (int)s->packet->body.verdict.verdict;
	mt_serve_ipc_drop(s->packet);
	return verdict;
}

static enum mt_smtp_event
check_sender(struct smtp *m)
{
	const struct mt_smtp_path *from = &mt_smtp_session_envelope(m->engine)->from;
	const struct mt_smtp_answer *a = NULL;
	int verdict = MT_SERVE_OURS;

	if (mt_smtp_session_user(m->engine) != NULL)
		verdict = ask_verdict(m, MT_SERVE_IPC_SENDER, from);
	if (verdict < 0)
		a = &keeper_gone;
	else if (verdict != MT_SERVE_OURS)
		a = &not_your_sender;
	return answer(m, "mail", from->text, a);
}

static enum mt_smtp_event
check_rcpt(struct smtp *m)
{
	const struct mt_smtp_path *rcpt = mt_smtp_session_rcpt(m->engine);
	const struct mt_smtp_answer *a = NULL;

	switch (ask_verdict(m, MT_SERVE_IPC_RCPT, rcpt)) {
	case MT_SERVE_OURS:
		break;
	case MT_SERVE_NO_USER:
		a = &mt_smtp_no_user;
		break;
	case MT_SERVE_NOT_OURS:
		a = mt_smtp_session_user(m->engine) != NULL ? &no_relay_host
							    : &mt_smtp_no_relay;
		break;
	case MT_SERVE_UNSURE:
		a = &mt_smtp_try_later;
		break;
	default:
		a = &keeper_gone;
	}
	return answer(m, "rcpt", rcpt->text, a);
}

static bool
is_lmtp(const struct smtp *m)
{
	return m->s->protocol == MT_SERVE_LMTP;
}

static void
close_files(struct smtp *m)
{
	for (size_t i = 0; i < m->nfds; i++)
		close(m->fds[i]);
	m->nfds = 0;
}

/* The message will not be delivered: the keeper forgets it. */
static void
abandon(struct smtp *m)
{
	close_files(m);
	if (mt_serve_session_ask(m->s, m->s->keeper_fd, MT_SERVE_IPC_ABORT, NULL, 0,
	    MT_SERVE_IPC_VERDICT, NULL) == 0)
		mt_serve_ipc_drop(m->s->packet);
}

/* Let the keeper open a file for every mailbox. */
static int
open_files(struct smtp *m, struct mt_err *err)
{
	const struct mt_smtp_envelope *e = mt_smtp_session_envelope(m->engine);
	g_autofree struct mt_serve_ipc_open *in = g_new0(struct mt_serve_ipc_open, 1);
	struct mt_serve_packet *p = m->s->packet;

	in->n = (uint32_t)e->rcpts_n;
	for (size_t i = 0; i < e->rcpts_n; i++)
		fill_path(&in->rcpts[i], &e->rcpts[i]);
	if (mt_serve_session_ask(m->s, m->s->keeper_fd, MT_SERVE_IPC_OPEN, in,
	    mt_serve_ipc_open_size(in->n), MT_SERVE_IPC_OPENED, err) < 0)
		return -1;
	memcpy(&m->opened, &p->body.opened, p->n);
	m->nfds = p->nfds;
	for (size_t i = 0; i < m->nfds; i++) {
		m->fds[i] = mt_serve_ipc_take_fd(p, i);
		m->written[i] = MT_SERVE_FATE_GOOD;
	}
	mt_serve_ipc_drop(p);
	if (m->opened.rcpts != e->rcpts_n)
		return mt_fail(err, MT_EPROTO, "the keeper counts other recipients");
	return 0;
}

/* One failed file does not keep LMTP's other recipients from their mail. */
static void
write_file(struct smtp *m, size_t i, const void *p, size_t n)
{
	if (m->written[i] != MT_SERVE_FATE_GOOD || n == 0)
		return;
	if (mt_file_write_all(m->fds[i], p, n) < 0)
		m->written[i] = errno == ENOSPC || errno == EDQUOT ? MT_SERVE_FATE_NO_SPACE
								   : MT_SERVE_FATE_TEMP;
}

static void
write_trace(struct smtp *m)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(TRACE_MAX);
	struct mt_serve_trace t = {
		.envelope = mt_smtp_session_envelope(m->engine),
		.helo = mt_smtp_session_helo(m->engine),
		.peer = m->s->peer,
		.with = mt_smtp_session_with(m->engine),
		.tls_version = mt_conn_tls_version(m->s->conn),
		.tls_cipher = mt_conn_tls_cipher(m->s->conn),
		.host = m->s->params->hostname,
		.id = m->id,
		.time = time(NULL),
	};

	for (size_t i = 0; i < m->nfds; i++) {
		t.mailbox = m->opened.mailboxes[i];
		mt_buf_reset(&text);
		mt_serve_trace_write(&t, &text);
		write_file(m, i, text.p, text.n);
	}
}

static enum mt_smtp_event
begin_data(struct smtp *m)
{
	const struct mt_smtp_answer *a = NULL;
	bool any = false;

	m->begin_ms = mt_proc_now_ms();
	g_snprintf(m->id, sizeof(m->id), "%llx.%x.%x", (unsigned long long)time(NULL),
	    (unsigned)m->s->id, ++m->messages);
	if (open_files(m, NULL) < 0)
		return answer(m, "data", NULL, &keeper_gone);
	for (uint32_t i = 0; i < m->opened.rcpts; i++) {
		if (m->opened.fate[i] == MT_SERVE_FATE_GOOD)
			any = true;
		else
			a = fates[m->opened.fate[i]];
	}
	/* Who was removed since RCPT takes the message from nobody else: the next attempt
	   hears of it at RCPT. */
	if (a == fates[MT_SERVE_FATE_NO_USER] && any)
		a = fates[MT_SERVE_FATE_TEMP];
	if (a != NULL && !(is_lmtp(m) && any)) {
		abandon(m);
		return answer(m, "data", NULL, a);
	}
	write_trace(m);
	return mt_smtp_session_answer(m->engine, NULL);
}

/* Take the message from the peer into all files. 0, or -1 when the peer is gone. */
static int
receive(struct smtp *m, struct mt_smtp_data *d, enum mt_smtp_data_status *status,
    struct mt_err *err)
{
	static char out[MT_MAX_CONN_IN];
	struct mt_slice in, rest;
	size_t n;
	int rc;

	mt_smtp_data_init(d, m->s->params->size_max);
	do {
		mt_serve_session_set_deadline(m->s);
		rc = mt_conn_peek(m->s->conn, &in, err);
		if (rc == 0)
			return mt_fail(err, MT_ETEMP, "the peer closed within a message");
		if (rc < 0)
			return -1;
		in = mt_slice_first(in, sizeof(out));
		rest = in;
		*status = mt_smtp_data_decode(d, &rest, out, &n);
		mt_conn_consume(m->s->conn, in.n - rest.n);
		for (size_t i = 0; i < m->nfds; i++)
			write_file(m, i, out, n);
	} while (*status == MT_SMTP_DATA_MORE);
	return 0;
}

/* Have it made durable: m->written becomes the fate of each file. */
static int
commit(struct smtp *m, struct mt_err *err)
{
	struct mt_serve_ipc_commit in = { .files = (uint32_t)m->nfds };
	const struct mt_serve_ipc_committed *out = &m->s->packet->body.committed;
	int rc = 0;

	for (size_t i = 0; i < m->nfds; i++)
		in.keep[i] = m->written[i] == MT_SERVE_FATE_GOOD;
	if (mt_serve_session_ask(m->s, m->s->keeper_fd, MT_SERVE_IPC_COMMIT, &in,
	    sizeof(in), MT_SERVE_IPC_COMMITTED, err) < 0)
		return -1;
	if (out->files != m->nfds)
		rc = mt_fail(err, MT_EPROTO, "the keeper counts other files");
	for (size_t i = 0; i < m->nfds && rc == 0; i++) {
		if (in.keep[i])
			m->written[i] = out->fate[i];
	}
	mt_serve_ipc_drop(m->s->packet);
	close_files(m);
	return rc;
}

/* A recipient is served when every mailbox behind it has its copy. */
static enum mt_serve_fate
fate_of_rcpt(const struct smtp *m, uint32_t rcpt)
{
	if (m->opened.fate[rcpt] != MT_SERVE_FATE_GOOD)
		return m->opened.fate[rcpt];
	for (uint32_t i = 0; i < m->opened.pairs; i++) {
		const struct mt_serve_ipc_pair *p = &m->opened.pair[i];

		if (p->rcpt == rcpt && m->written[p->file] != MT_SERVE_FATE_GOOD)
			return m->written[p->file];
	}
	return MT_SERVE_FATE_GOOD;
}

static void
log_deliveries(const struct smtp *m, uint64_t size)
{
	const struct mt_smtp_envelope *e = mt_smtp_session_envelope(m->engine);
	const char *user = mt_smtp_session_user(m->engine);

	for (uint32_t i = 0; i < m->opened.files; i++) {
		bool good = m->written[i] == MT_SERVE_FATE_GOOD;
		struct mt_log l =
		    mt_serve_session_log(m->s, good ? "delivered" : "not-delivered");

		mt_log_str(&l, "id", m->id);
		mt_log_str(&l, "from", e->from.text);
		mt_log_str(&l, "to", m->opened.mailboxes[i]);
		mt_log_u64(&l, "size", size);
		mt_log_u64(&l, "ms", mt_proc_now_ms() - m->begin_ms);
		mt_log_str(&l, "helo", mt_smtp_session_helo(m->engine));
		if (user != NULL)
			mt_log_str(&l, "user", user);
		if (mt_conn_tls_version(m->s->conn) != NULL)
			mt_log_str(&l, "tls", mt_conn_tls_version(m->s->conn));
		mt_log_end(&l);
	}
}

static enum mt_smtp_event
refuse_data(struct smtp *m, const struct mt_smtp_answer *a)
{
	abandon(m);
	log_refusal(m, "message", mt_smtp_session_envelope(m->engine)->from.text, a);
	return mt_smtp_session_data_done(m->engine, a, 1);
}

/*
 * SMTP has one answer for all recipients: 250 only when every one has the message. When
 * some have and others have not, it is 4yz: the sender tries again, and those who have it get
 * it twice, for a duplicate is right and a loss is not.
 */
static enum mt_smtp_event
receive_data(struct smtp *m)
{
	struct mt_smtp_answer answers[MT_MAX_RCPTS] = { 0 };
	enum mt_smtp_data_status status = MT_SMTP_DATA_MORE;
	const struct mt_smtp_answer *bad = NULL;
	struct mt_smtp_data d;
	struct mt_err err = { 0 };

	if (receive(m, &d, &status, &err) < 0) {
		abandon(m);
		m->s->ended = "lost-in-data";
		return mt_smtp_session_abort(m->engine, &mt_smtp_timed_out);
	}
	if (status != MT_SMTP_DATA_OK)
		return refuse_data(m, mt_smtp_answer_of_data(status));
	for (size_t i = 0; i < m->nfds && !is_lmtp(m); i++) {
		if (m->written[i] != MT_SERVE_FATE_GOOD)
			return refuse_data(m, fates[m->written[i]]);
	}
	if (commit(m, &err) < 0) {
		close_files(m);
		m->s->ended = "keeper-gone";
		log_refusal(m, "commit", NULL, &keeper_gone);
		return mt_smtp_session_data_done(m->engine, &keeper_gone, 1);
	}
	log_deliveries(m, d.size);
	m->bytes += d.size;
	for (uint32_t i = 0; i < m->opened.rcpts; i++) {
		const struct mt_smtp_answer *a = fates[fate_of_rcpt(m, i)];

		if (a != NULL) {
			answers[i] = *a;
			bad = a;
		}
	}
	if (is_lmtp(m))
		return mt_smtp_session_data_done(m->engine, answers, m->opened.rcpts);
	return mt_smtp_session_data_done(m->engine, bad, 1);
}

static int
write_output(struct smtp *m, bool flush, struct mt_err *err)
{
	struct mt_slice out = mt_smtp_session_output(m->engine);

	mt_serve_session_set_deadline(m->s);
	if (out.n > 0 && mt_conn_write(m->s->conn, out.p, out.n, err) < 0)
		return -1;
	return flush ? mt_conn_flush(m->s->conn, err) : 0;
}

/* The next command. A peer that is late, or the end of the server, get a 421. */
static enum mt_smtp_event
next_command(struct smtp *m)
{
	struct mt_slice line;
	struct mt_err err = { 0 };
	int rc = mt_serve_session_line(m->s, MT_MAX_SMTP_LINE, &line, &err);

	if (rc > 0)
		return mt_smtp_session_line(m->engine, line);
	if (rc < 0 && err.kind == MT_EUNAVAIL) {
		m->s->ended = "shutdown";
		return mt_smtp_session_abort(m->engine, &mt_smtp_shutting_down);
	}
	m->s->ended = rc == 0 ? "peer-closed" : "lost";
	if (rc < 0 && err.kind == MT_ETEMP)
		return mt_smtp_session_abort(m->engine, &mt_smtp_timed_out);
	return MT_SMTP_CLOSE;
}

static enum mt_smtp_event
start_tls(struct smtp *m)
{
	if (mt_serve_session_start_tls(m->s) < 0)
		return MT_SMTP_CLOSE;
	return mt_smtp_session_tls_started(m->engine);
}

static enum mt_smtp_event
step(struct smtp *m, enum mt_smtp_event ev)
{
	switch (ev) {
	case MT_SMTP_GO_ON:
		return next_command(m);
	case MT_SMTP_START_TLS:
		return start_tls(m);
	case MT_SMTP_CHECK_LOGIN:
		return check_login(m);
	case MT_SMTP_CHECK_SENDER:
		return check_sender(m);
	case MT_SMTP_CHECK_RCPT:
		return check_rcpt(m);
	case MT_SMTP_BEGIN_DATA:
		return begin_data(m);
	case MT_SMTP_RECEIVE_DATA:
		return receive_data(m);
	case MT_SMTP_CLOSE:
		break;
	}
	return MT_SMTP_CLOSE;
}

static void
log_end(const struct smtp *m)
{
	struct mt_log l = mt_serve_session_log(m->s, "disconnect");

	mt_log_str(&l, "why", m->s->ended != NULL ? m->s->ended : "quit");
	mt_log_u64(&l, "code", mt_smtp_session_last_code(m->engine));
	mt_log_u64(&l, "messages", m->messages);
	mt_log_u64(&l, "bytes", m->bytes);
	mt_log_end(&l);
}

static enum mt_smtp_mode
mode_of(enum mt_serve_protocol protocol)
{
	if (protocol == MT_SERVE_LMTP)
		return MT_SMTP_MODE_LMTP;
	return protocol == MT_SERVE_SMTP ? MT_SMTP_MODE_MX : MT_SMTP_MODE_SUBMISSION;
}

void
mt_serve_session_smtp(struct mt_serve_session *s)
{
	const struct mt_smtp_session_params params = {
		.mode = mode_of(s->protocol),
		.host = s->params->hostname,
		.size_max = s->params->size_max,
		.can_tls = s->params->tls != NULL && s->protocol != MT_SERVE_LMTP,
		.is_tls = s->protocol == MT_SERVE_SUBMISSIONS,
		.rcpts_max = s->params->rcpts_max,
		.errors_max = s->params->errors_max,
	};
	struct smtp *m = g_new0(struct smtp, 1);
	enum mt_smtp_event ev;

	m->s = s;
	m->engine = mt_smtp_session_new(&params);
	if (params.is_tls && mt_serve_session_start_tls(s) < 0)
		ev = MT_SMTP_CLOSE;
	else
		ev = mt_smtp_session_greet(m->engine, NULL);
	while (ev != MT_SMTP_CLOSE) {
		bool flush = ev == MT_SMTP_START_TLS || ev == MT_SMTP_RECEIVE_DATA;

		if (write_output(m, flush, NULL) < 0) {
			s->ended = "lost";
			break;
		}
		ev = step(m, ev);
	}
	(void)write_output(m, true, NULL);
	log_end(m);
	mt_smtp_session_free(m->engine);
	g_free(m);
}
