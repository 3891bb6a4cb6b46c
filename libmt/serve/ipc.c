/* ipc.c - packets between the processes of mt-serve, with descriptors */
#include "serve/ipc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "serve/policy.h"
#include "serve/serve.h"

G_STATIC_ASSERT(sizeof(struct mt_serve_ipc_opened) < MT_SERVE_IPC_MAX);
G_STATIC_ASSERT(sizeof(struct mt_serve_ipc_open) < MT_SERVE_IPC_MAX);
G_STATIC_ASSERT(sizeof(struct mt_serve_ipc_listed) < MT_SERVE_IPC_MAX);
G_STATIC_ASSERT(MT_MAX_RCPTS <= 256 && MT_SERVE_FILES_MAX <= 253);

int
mt_serve_ipc_pair(int fds[2])
{
	int size = (int)(2 * MT_SERVE_IPC_MAX);

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

size_t
mt_serve_ipc_open_size(uint32_t n)
{
	return offsetof(struct mt_serve_ipc_open, rcpts) +
	    n * sizeof(struct mt_serve_ipc_path);
}

size_t
mt_serve_ipc_opened_size(uint32_t files)
{
	return offsetof(struct mt_serve_ipc_opened, mailboxes) +
	    (size_t)files * sizeof(((struct mt_serve_ipc_opened *)0)->mailboxes[0]);
}

size_t
mt_serve_ipc_listed_size(uint32_t n)
{
	return offsetof(struct mt_serve_ipc_listed, list) +
	    n * sizeof(struct mt_serve_ipc_message);
}

static int
send_packet(int fd, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds, int flags, struct mt_err *err)
{
	uint32_t head[2] = { type, (uint32_t)n };
	union { const void *from; void *to; } u = { body };
	struct iovec iov[2] = { { head, sizeof(head) }, { u.to, n } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MT_SERVE_FILES_MAX)];
	} control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t sent;

	g_assert(n <= MT_SERVE_IPC_MAX && nfds <= MT_SERVE_FILES_MAX);
	if (nfds > 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	do {
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL | flags);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return mt_fail(err, MT_ETEMP, "send to another process: %m");
	return 0;
}

int
mt_serve_ipc_send(int fd, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds, struct mt_err *err)
{
	return send_packet(fd, type, body, n, fds, nfds, 0, err);
}

int
mt_serve_ipc_post(int fd, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds, struct mt_err *err)
{
	return send_packet(fd, type, body, n, fds, nfds, MSG_DONTWAIT, err);
}

/* A text that ends within its field and holds no control character. */
static bool
is_text(const char *field, size_t size)
{
	size_t n = strnlen(field, size);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)field[i] < ' ' || field[i] == 0x7f)
			return false;
	}
	return n < size;
}

#define TEXT(field) is_text((field), sizeof(field))

static bool
is_path(const struct mt_serve_ipc_path *p)
{
	return TEXT(p->local) && TEXT(p->domain);
}

static bool
check_session(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_session *b = &p->body.session;

	return p->n == sizeof(*b) && p->nfds == 1 && b->protocol < MT_SERVE_PROTOCOLS &&
	    TEXT(b->peer);
}

static bool
check_mailbox(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_mailbox *b = &p->body.mailbox;

	return p->n == sizeof(*b) && p->nfds == 1 && TEXT(b->user) &&
	    mt_serve_users_valid(b->user);
}

static bool
check_login(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_login *b = &p->body.login;

	/* A password may hold anything but a NUL. */
	return p->n == sizeof(*b) && p->nfds == 0 && TEXT(b->user) &&
	    strnlen(b->secret, sizeof(b->secret)) < sizeof(b->secret);
}

static bool
check_logged_in(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_logged_in *b = &p->body.logged_in;

	return p->n == sizeof(*b) && b->result < MT_SERVE_LOGINS && TEXT(b->user) &&
	    p->nfds <= (b->result == MT_SERVE_LOGIN_OK ? 1 : 0);
}

static bool
check_path(const struct mt_serve_packet *p)
{
	return p->n == sizeof(p->body.path) && p->nfds == 0 && is_path(&p->body.path);
}

static bool
check_verdict(const struct mt_serve_packet *p)
{
	return p->n == sizeof(p->body.verdict) && p->nfds == 0 &&
	    p->body.verdict.verdict <= MT_SERVE_UNSURE;
}

static bool
check_open(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_open *b = &p->body.open;

	if (p->n < sizeof(b->n) || p->nfds != 0 || b->n == 0 || b->n > MT_MAX_RCPTS ||
	    p->n != mt_serve_ipc_open_size(b->n))
		return false;
	for (uint32_t i = 0; i < b->n; i++) {
		if (!is_path(&b->rcpts[i]))
			return false;
	}
	return true;
}

static bool
check_opened(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_opened *b = &p->body.opened;

	if (p->n < mt_serve_ipc_opened_size(0) || b->rcpts > MT_MAX_RCPTS ||
	    b->files > MT_SERVE_FILES_MAX || b->pairs > MT_SERVE_PAIRS_MAX ||
	    p->n != mt_serve_ipc_opened_size(b->files) || p->nfds != b->files)
		return false;
	for (uint32_t i = 0; i < b->rcpts; i++) {
		if (b->fate[i] >= MT_SERVE_FATES)
			return false;
	}
	for (uint32_t i = 0; i < b->pairs; i++) {
		if (b->pair[i].rcpt >= b->rcpts || b->pair[i].file >= b->files)
			return false;
	}
	for (uint32_t i = 0; i < b->files; i++) {
		if (!TEXT(b->mailboxes[i]))
			return false;
	}
	return true;
}

static bool
check_commit(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_commit *b = &p->body.commit;

	if (p->n != sizeof(*b) || p->nfds != 0 || b->files > MT_SERVE_FILES_MAX)
		return false;
	for (uint32_t i = 0; i < b->files; i++) {
		if (b->keep[i] > 1)
			return false;
	}
	return true;
}

static bool
check_committed(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_committed *b = &p->body.committed;

	if (p->n != sizeof(*b) || p->nfds != 0 || b->files > MT_SERVE_FILES_MAX)
		return false;
	for (uint32_t i = 0; i < b->files; i++) {
		if (b->fate[i] >= MT_SERVE_FATES)
			return false;
	}
	return true;
}

static bool
check_listed(const struct mt_serve_packet *p)
{
	const struct mt_serve_ipc_listed *b = &p->body.listed;

	if (p->n < mt_serve_ipc_listed_size(0) || p->nfds != 0 ||
	    b->n > MT_SERVE_LISTED_MAX || b->failed > 2 ||
	    p->n != mt_serve_ipc_listed_size(b->n))
		return false;
	for (uint32_t i = 0; i < b->n; i++) {
		if (!TEXT(b->list[i].uidl) || b->list[i].uidl[0] == '\0' ||
		    strlen(b->list[i].uidl) > MT_MAX_UIDL)
			return false;
	}
	return true;
}

static bool
check_index(const struct mt_serve_packet *p)
{
	return p->n == sizeof(p->body.index) && p->nfds == 0;
}

static bool
check_fetched(const struct mt_serve_packet *p)
{
	return p->n == sizeof(p->body.result) && p->body.result.ok <= 1 &&
	    p->nfds == p->body.result.ok;
}

static bool
check_result(const struct mt_serve_packet *p)
{
	return p->n == sizeof(p->body.result) && p->body.result.ok <= 1 && p->nfds == 0;
}

static bool
check_empty(const struct mt_serve_packet *p)
{
	return p->n == 0 && p->nfds == 0;
}

static bool (*const checks[])(const struct mt_serve_packet *) = {
	[MT_SERVE_IPC_SESSION] = check_session,
	[MT_SERVE_IPC_MAILBOX] = check_mailbox,
	[MT_SERVE_IPC_LOGIN] = check_login,
	[MT_SERVE_IPC_LOGGED_IN] = check_logged_in,
	[MT_SERVE_IPC_SENDER] = check_path,
	[MT_SERVE_IPC_RCPT] = check_path,
	[MT_SERVE_IPC_VERDICT] = check_verdict,
	[MT_SERVE_IPC_OPEN] = check_open,
	[MT_SERVE_IPC_OPENED] = check_opened,
	[MT_SERVE_IPC_COMMIT] = check_commit,
	[MT_SERVE_IPC_COMMITTED] = check_committed,
	[MT_SERVE_IPC_ABORT] = check_empty,
	[MT_SERVE_IPC_LIST] = check_empty,
	[MT_SERVE_IPC_LISTED] = check_listed,
	[MT_SERVE_IPC_FETCH] = check_index,
	[MT_SERVE_IPC_FETCHED] = check_fetched,
	[MT_SERVE_IPC_DELETE] = check_index,
	[MT_SERVE_IPC_EXPUNGE] = check_empty,
	[MT_SERVE_IPC_EXPUNGED] = check_result,
};

/* Descriptors first: whatever else is wrong with the packet, they must be closed. */
static void
take_fds(struct msghdr *msg, struct mt_serve_packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (p->nfds < MT_SERVE_FILES_MAX)
				p->fds[p->nfds++] = fd;
			else
				close(fd);
		}
	}
}

static int
wait_readable(int fd, uint32_t timeout_ms, struct mt_err *err)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	int rc;

	do {
		rc = poll(&pfd, 1, (int)timeout_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return mt_fail(err, MT_ETEMP, "no answer from another process");
	if (rc < 0)
		return mt_fail(err, MT_ETEMP, "poll: %m");
	return 0;
}

int
mt_serve_ipc_recv(int fd, struct mt_serve_packet *p, uint32_t timeout_ms,
    struct mt_err *err)
{
	uint32_t head[2];
	struct iovec iov[2] = { { head, sizeof(head) }, { &p->body, sizeof(p->body) } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MT_SERVE_FILES_MAX)];
	} control;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2,
		.msg_control = control.bytes, .msg_controllen = sizeof(control) };
	ssize_t got;

	p->nfds = 0;
	p->n = 0;
	if (timeout_ms > 0 && wait_readable(fd, timeout_ms, err) < 0)
		return -1;
	do {
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == ECONNRESET)
		return 0;
	if (got < 0)
		return mt_fail(err, MT_ETEMP, "receive from another process: %m");
	take_fds(&msg, p);
	if (got == 0 && p->nfds == 0)
		return 0;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || got < (ssize_t)sizeof(head) ||
	    (size_t)got - sizeof(head) != head[1])
		goto bad;
	p->type = head[0];
	p->n = head[1];
	if (p->type < G_N_ELEMENTS(checks) && checks[p->type] != NULL && checks[p->type](p))
		return 1;
bad:
	mt_serve_ipc_drop(p);
	return mt_fail(err, MT_EPROTO, "bad packet from another process");
}

int
mt_serve_ipc_take_fd(struct mt_serve_packet *p, size_t i)
{
	int fd = p->fds[i];

	p->fds[i] = -1;
	return fd;
}

void
mt_serve_ipc_drop(struct mt_serve_packet *p)
{
	for (size_t i = 0; i < p->nfds; i++) {
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	}
	p->nfds = 0;
	explicit_bzero(&p->body, MIN(p->n, sizeof(p->body)));
	p->n = 0;
}
