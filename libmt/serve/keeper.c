/* keeper.c - the process that holds the keys to every mailbox: logins, deliveries */
#include "serve/keeper.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/sandbox.h"
#include "serve/access.h"
#include "serve/ipc.h"
#include "serve/policy.h"
#include "serve/transaction.h"
#include "serve/worker.h"

/* Sessions whose messages share one set of barriers. */
#define COMMIT_BATCH_MAX 128
/* Threads for password hashes, and logins that wait for them. */
#define CHECKERS 2
#define CHECKS_MAX 200

/*
 *	state		may ask		leaves it when
 *	IDLE		anything	a question comes; the session ends
 *	BUSY		nothing		a worker is done with its commit or password check
 *	DELAYED		nothing		the time for the answer to a wrong password comes
 *
 * Each session has one question open at most; a second one is a broken session and ends
 * it. One that dies while BUSY is freed when the worker is done.
 */
enum client_state { IDLE, BUSY, DELAYED };

struct client {
	int fd;			/* -1: the session is gone */
	uint64_t id;
	enum mt_serve_protocol protocol;
	char peer[MT_SERVE_PEER_SIZE];
	enum client_state state;
	uint64_t answer_ms;	/* DELAYED: when */
	char *user;		/* who has logged in, or NULL */
	struct mt_serve_transaction *transaction;
};

struct check {
	struct client *client;
	char *user;		/* NULL: cannot be one */
	char *hash;		/* NULL: no such user */
	char *secret;
	bool right;
};

struct keeper {
	const struct mt_serve_params *params;
	int parent_fd;		/* -1: the parent is gone; end with the last session */
	struct mt_serve_users *users;
	struct mt_serve_access *access;
	struct mt_serve_boxes *boxes;
	struct mt_serve_worker *committer;
	struct mt_serve_worker *checker;
	GPtrArray *clients;
	GArray *pollfds;
	struct mt_serve_packet packet;
	struct mt_serve_ipc_opened opened;
};

static struct mt_log
log_begin(const char *event, const struct client *c)
{
	struct mt_log l = mt_log_begin(event);

	mt_log_str(&l, "proto", mt_serve_protocol_word(c->protocol));
	mt_log_u64(&l, "session", c->id);
	mt_log_str(&l, "ip", c->peer);
	return l;
}

static void
log_error(const char *event, const struct client *c, const struct mt_err *err)
{
	struct mt_log l = log_begin(event, c);

	mt_log_str(&l, "error", err->msg);
	mt_log_end(&l);
}

/* The session is gone, or is no longer worth an answer. A worker may still hold it. */
static void
hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->state == DELAYED)
		c->state = IDLE;
}

static void
answer(struct client *c, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds)
{
	struct mt_err err = { 0 };

	c->state = IDLE;
	if (c->fd >= 0 && mt_serve_ipc_post(c->fd, type, body, n, fds, nfds, &err) < 0) {
		log_error("answer-failed", c, &err);
		hang_up(c);
	}
}

static void
answer_verdict(struct client *c, enum mt_serve_verdict verdict)
{
	struct mt_serve_ipc_verdict v = { .verdict = verdict };

	answer(c, MT_SERVE_IPC_VERDICT, &v, sizeof(v), NULL, 0);
}

/* The users, as the file says now. A file that went bad leaves those of before. */
static void
refresh_users(struct keeper *k)
{
	struct mt_err err = { 0 };
	struct mt_log l;

	if (mt_serve_users_refresh(k->users, &err) == 0)
		return;
	l = mt_log_begin("users-unreadable");
	mt_log_str(&l, "error", err.msg);
	mt_log_end(&l);
}

static bool
is_submission(const struct client *c)
{
	return c->protocol == MT_SERVE_SUBMISSION || c->protocol == MT_SERVE_SUBMISSIONS;
}

/* The session says no by itself to who has not logged in; this holds when it is broken. */
static bool
may_deliver(const struct client *c)
{
	return !mt_serve_protocol_is_pop3(c->protocol) &&
	    (!is_submission(c) || c->user != NULL);
}

static void
judge_sender(struct keeper *k, struct client *c, const struct mt_serve_ipc_path *p)
{
	bool may = !is_submission(c) || mt_serve_policy_may_send(k->params, k->users,
	    c->user, p->local, p->domain);

	answer_verdict(c, may ? MT_SERVE_OURS : MT_SERVE_NOT_OURS);
}

static void
judge_rcpt(struct keeper *k, struct client *c, const struct mt_serve_ipc_path *p)
{
	g_autoptr(GPtrArray) mailboxes = g_ptr_array_new_with_free_func(g_free);

	answer_verdict(c, mt_serve_policy_rcpt(k->params, k->users, p->local, p->domain,
	    mailboxes));
}

static void
answer_login(struct client *c, enum mt_serve_login result, const char *user, int fd)
{
	struct mt_serve_ipc_logged_in body = { .result = result };

	if (result == MT_SERVE_LOGIN_OK)
		g_strlcpy(body.user, user, sizeof(body.user));
	answer(c, MT_SERVE_IPC_LOGGED_IN, &body, sizeof(body), &fd, fd >= 0 ? 1 : 0);
}

/*
 * Have the parent start a mailbox process for the user: it gets one end of a pair, the
 * session (through us) the other. -1 when that cannot be done now.
 */
static int
order_mailbox(struct keeper *k, const struct client *c, const char *user)
{
	struct mt_serve_ipc_mailbox body = { .id = c->id };
	struct mt_err err = { 0 };
	int pair[2] = { -1, -1 };

	g_strlcpy(body.user, user, sizeof(body.user));
	if (mt_serve_boxes_make(k->boxes, user, &err) < 0)
		goto fail;
	if (k->parent_fd < 0 || mt_serve_ipc_pair(pair) < 0) {
		mt_fail(&err, MT_ETEMP, "mailbox process: %m");
		goto fail;
	}
	if (mt_serve_ipc_post(k->parent_fd, MT_SERVE_IPC_MAILBOX, &body, sizeof(body),
	    &pair[0], 1, &err) < 0)
		goto fail;
	close(pair[0]);
	return pair[1];
fail:
	if (pair[0] >= 0) {
		close(pair[0]);
		close(pair[1]);
	}
	log_error("mailbox-failed", c, &err);
	return -1;
}

static void
begin_login(struct keeper *k, struct client *c, const struct mt_serve_ipc_login *in)
{
	uint64_t now = mt_proc_now_ms();
	const char *hash;
	struct check *check;

	if (mt_serve_access_is_locked(k->access, c->peer, now)) {
		answer_login(c, MT_SERVE_LOGIN_LOCKED, NULL, -1);
		return;
	}
	if (mt_serve_worker_pending(k->checker) >= CHECKS_MAX) {
		answer_login(c, MT_SERVE_LOGIN_TEMP, NULL, -1);
		return;
	}
	refresh_users(k);
	check = g_new0(struct check, 1);
	check->client = c;
	mt_serve_access_begin(k->access, c->peer, now);
	check->user = mt_serve_policy_login(k->params, in->user);
	hash = check->user == NULL ? NULL : mt_serve_users_hash(k->users, check->user);
	check->hash = g_strdup(hash);
	check->secret = g_strdup(in->secret);
	c->state = BUSY;
	mt_serve_worker_put(k->checker, check);
}

/* In a thread. */
static void
check_passwords(void *const jobs[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct check *check = jobs[i];

		check->right = mt_serve_users_verify(check->hash, check->secret);
	}
}

static void
free_check(struct check *check)
{
	explicit_bzero(check->secret, strlen(check->secret));
	g_free(check->secret);
	g_free(check->hash);
	g_free(check->user);
	g_free(check);
}

static void
end_login(struct keeper *k, struct check *check)
{
	struct client *c = check->client;
	uint64_t now = mt_proc_now_ms();
	int fd = -1;

	c->state = IDLE;
	if (!check->right) {
		c->answer_ms = now + mt_serve_access_failed(k->access, c->peer, now);
		c->state = c->fd >= 0 ? DELAYED : IDLE;
		return;
	}
	mt_serve_access_right(k->access, c->peer);
	if (mt_serve_protocol_is_pop3(c->protocol) && c->fd >= 0) {
		fd = order_mailbox(k, c, check->user);
		if (fd < 0) {
			answer_login(c, MT_SERVE_LOGIN_TEMP, NULL, -1);
			return;
		}
	}
	g_free(c->user);
	c->user = g_strdup(check->user);
	answer_login(c, MT_SERVE_LOGIN_OK, check->user, fd);
	if (fd >= 0)
		close(fd);
}

static void
open_transaction(struct keeper *k, struct client *c, const struct mt_serve_ipc_open *in)
{
	const struct mt_err *trouble;
	int fds[MT_SERVE_FILES_MAX];

	refresh_users(k);
	mt_serve_transaction_free(c->transaction);
	c->transaction =
	    mt_serve_transaction_open(k->boxes, k->users, in, &k->opened, fds);
	trouble = mt_serve_transaction_trouble(c->transaction);
	if (trouble != NULL)
		log_error("delivery-failed", c, trouble);
	answer(c, MT_SERVE_IPC_OPENED, &k->opened,
	    mt_serve_ipc_opened_size(k->opened.files), fds, k->opened.files);
}

/* False when the session asks what makes no sense. */
static bool
begin_commit(struct keeper *k, struct client *c, const struct mt_serve_ipc_commit *in)
{
	if (c->transaction == NULL || !mt_serve_transaction_keep(c->transaction, in))
		return false;
	mt_serve_transaction_set_owner(c->transaction, c);
	c->state = BUSY;
	mt_serve_worker_put(k->committer, c->transaction);
	return true;
}

static void
end_commit(struct mt_serve_transaction *t)
{
	struct client *c = mt_serve_transaction_owner(t);
	struct mt_serve_ipc_committed out;
	const struct mt_err *err = mt_serve_transaction_result(t, &out);

	if (err != NULL)
		log_error("commit-failed", c, err);
	answer(c, MT_SERVE_IPC_COMMITTED, &out, sizeof(out), NULL, 0);
	mt_serve_transaction_free(t);
	c->transaction = NULL;
}

/* Answer one question. False: it makes no sense, end that session. */
static bool
serve_question(struct keeper *k, struct client *c, struct mt_serve_packet *p)
{
	if (c->state != IDLE)
		return false;
	if (p->type == MT_SERVE_IPC_LOGIN) {
		begin_login(k, c, &p->body.login);
		return true;
	}
	if (!may_deliver(c))
		return false;
	switch (p->type) {
	case MT_SERVE_IPC_SENDER:
		refresh_users(k);
		judge_sender(k, c, &p->body.path);
		return true;
	case MT_SERVE_IPC_RCPT:
		refresh_users(k);
		judge_rcpt(k, c, &p->body.path);
		return true;
	case MT_SERVE_IPC_OPEN:
		open_transaction(k, c, &p->body.open);
		return true;
	case MT_SERVE_IPC_COMMIT:
		return begin_commit(k, c, &p->body.commit);
	case MT_SERVE_IPC_ABORT:
		mt_serve_transaction_free(c->transaction);
		c->transaction = NULL;
		answer_verdict(c, MT_SERVE_OURS);
		return true;
	default:
		return false;
	}
}

static void
serve_client(struct keeper *k, struct client *c)
{
	struct mt_err err = { 0 };
	int rc = mt_serve_ipc_recv(c->fd, &k->packet, 0, &err);

	if (rc < 0 && err.kind == MT_ETEMP && (errno == EAGAIN || errno == EINTR))
		return;
	if (rc > 0 && !serve_question(k, c, &k->packet))
		rc = mt_fail(&err, MT_EPROTO, "question of type %u out of place",
		    k->packet.type);
	mt_serve_ipc_drop(&k->packet);
	if (rc < 0)
		log_error("session-broken", c, &err);
	if (rc <= 0)
		hang_up(c);
}

static void
add_client(struct keeper *k, struct mt_serve_packet *p)
{
	struct client *c = g_new0(struct client, 1);

	c->fd = mt_serve_ipc_take_fd(p, 0);
	c->id = p->body.session.id;
	c->protocol = p->body.session.protocol;
	g_strlcpy(c->peer, p->body.session.peer, sizeof(c->peer));
	g_ptr_array_add(k->clients, c);
}

static void
serve_parent(struct keeper *k)
{
	struct mt_err err = { 0 };
	int rc;

	while ((rc = mt_serve_ipc_recv(k->parent_fd, &k->packet, 0, &err)) > 0) {
		if (k->packet.type == MT_SERVE_IPC_SESSION)
			add_client(k, &k->packet);
		mt_serve_ipc_drop(&k->packet);
	}
	if (rc < 0 && err.kind == MT_ETEMP && errno == EAGAIN)
		return;
	close(k->parent_fd);
	k->parent_fd = -1;
}

/* Send the answers whose time has come; when the next one is due, or -1. */
static int
serve_delayed(struct keeper *k)
{
	uint64_t now = mt_proc_now_ms(), next = UINT64_MAX;

	for (guint i = 0; i < k->clients->len; i++) {
		struct client *c = k->clients->pdata[i];

		if (c->state != DELAYED)
			continue;
		if (c->answer_ms <= now)
			answer_login(c, MT_SERVE_LOGIN_WRONG, NULL, -1);
		else
			next = MIN(next, c->answer_ms);
	}
	return next == UINT64_MAX ? -1 : (int)(next - now);
}

static void
forget_clients(struct keeper *k)
{
	for (guint i = 0; i < k->clients->len;) {
		struct client *c = k->clients->pdata[i];

		if (c->fd >= 0 || c->state == BUSY) {
			i++;
			continue;
		}
		mt_serve_transaction_free(c->transaction);
		g_free(c->user);
		g_free(c);
		g_ptr_array_remove_index_fast(k->clients, i);
	}
}

/* The order of poll's table: three of our own, then the clients. */
enum { POLL_PARENT, POLL_COMMITTER, POLL_CHECKER, POLL_CLIENTS };

static void
fill_poll(struct keeper *k)
{
	struct pollfd own[POLL_CLIENTS] = {
		[POLL_PARENT] = { k->parent_fd, POLLIN, 0 },
		[POLL_COMMITTER] = { mt_serve_worker_fd(k->committer), POLLIN, 0 },
		[POLL_CHECKER] = { mt_serve_worker_fd(k->checker), POLLIN, 0 },
	};

	g_array_set_size(k->pollfds, 0);
	g_array_append_vals(k->pollfds, own, POLL_CLIENTS);
	for (guint i = 0; i < k->clients->len; i++) {
		const struct client *c = k->clients->pdata[i];
		struct pollfd p = { c->fd, POLLIN, 0 };

		g_array_append_val(k->pollfds, p);
	}
}

static void
serve_round(struct keeper *k)
{
	guint n = k->clients->len;
	int timeout = serve_delayed(k);
	struct mt_serve_transaction *t;
	const struct pollfd *p;
	struct check *check;

	fill_poll(k);
	p = (const struct pollfd *)(void *)k->pollfds->data;
	if (poll((struct pollfd *)(void *)k->pollfds->data, k->pollfds->len, timeout) < 0)
		return;
	if (p[POLL_COMMITTER].revents != 0) {
		while ((t = mt_serve_worker_done(k->committer)) != NULL)
			end_commit(t);
	}
	if (p[POLL_CHECKER].revents != 0) {
		while ((check = mt_serve_worker_done(k->checker)) != NULL) {
			end_login(k, check);
			free_check(check);
		}
	}
	for (guint i = 0; i < n; i++) {
		struct client *c = k->clients->pdata[i];

		if (p[POLL_CLIENTS + i].revents != 0 && c->fd >= 0)
			serve_client(k, c);
	}
	if (p[POLL_PARENT].revents != 0)
		serve_parent(k);
	forget_clients(k);
}

static int
confine(const struct mt_serve_params *params, struct mt_err *err)
{
	g_autofree char *users_dir = g_path_get_dirname(params->users_file);
	const struct mt_sandbox_path paths[] = {
		{ params->mail_root, MT_SANDBOX_WRITE },
		{ users_dir, MT_SANDBOX_READ },
	};
	const struct mt_sandbox_limits limits = { .file_bytes = 0 };

	if (mt_sandbox_begin(err) < 0 || mt_sandbox_limit(&limits, err) < 0 ||
	    mt_sandbox_files(paths, G_N_ELEMENTS(paths), err) < 0)
		return -1;
	return mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES | MT_SANDBOX_THREADS |
	    MT_SANDBOX_PAIRS, err);
}

static int
start(struct keeper *k, struct mt_err *err)
{
	const struct mt_serve_params *params = k->params;

	k->users = mt_serve_users_open(params->users_file, err);
	if (k->users == NULL || confine(params, err) < 0)
		return -1;
	k->access = mt_serve_access_new(params->auth_failures_max,
	    (uint64_t)params->auth_lockout_s * 1000);
	k->boxes = mt_serve_boxes_new(params);
	k->clients = g_ptr_array_new();
	k->pollfds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
	k->committer = mt_serve_worker_new(1, COMMIT_BATCH_MAX,
	    mt_serve_transaction_commit_all, err);
	if (k->committer == NULL)
		return -1;
	k->checker = mt_serve_worker_new(CHECKERS, 1, check_passwords, err);
	return k->checker == NULL ? -1 : 0;
}

int
mt_serve_keeper_main(const struct mt_serve_params *params, int parent_fd)
{
	struct keeper *k = g_new0(struct keeper, 1);
	struct mt_err err = { 0 };
	struct mt_log l;

	k->params = params;
	k->parent_fd = parent_fd;
	if (start(k, &err) < 0) {
		l = mt_log_begin("keeper-failed");
		mt_log_str(&l, "error", err.msg);
		mt_log_end(&l);
		return mt_err_exit(err.kind);
	}
	while (k->parent_fd >= 0 || k->clients->len > 0)
		serve_round(k);
	mt_serve_worker_free(k->committer);
	mt_serve_worker_free(k->checker);
	mt_serve_boxes_free(k->boxes);
	mt_serve_access_free(k->access);
	mt_serve_users_free(k->users);
	g_ptr_array_free(k->clients, TRUE);
	g_array_free(k->pollfds, TRUE);
	g_free(k);
	return EX_OK;
}
