/* ipc.c - tests of serve/ipc: what a process may send to another, and what ends it */
#include "serve/ipc.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "serve/policy.h"
#include "tap.h"

static int a, b;
static struct mt_serve_packet *p;

static void
begin(void)
{
	int fds[2];

	if (mt_serve_ipc_pair(fds) < 0)
		exit(1);
	a = fds[0];
	b = fds[1];
}

static void
end(void)
{
	close(a);
	close(b);
}

static size_t
open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
test_round_trip(void)
{
	struct mt_serve_ipc_path path = { "ada", "example.org" };
	struct mt_err err = { 0 };

	begin();
	is_int(mt_serve_ipc_send(a, MT_SERVE_IPC_RCPT, &path, sizeof(path), NULL, 0, &err),
	    0, "sent");
	is_int(mt_serve_ipc_recv(b, p, 1000, &err), 1, "received");
	ok(p->type == MT_SERVE_IPC_RCPT && strcmp(p->body.path.local, "ada") == 0 &&
	    strcmp(p->body.path.domain, "example.org") == 0, "as it was");
	mt_serve_ipc_drop(p);
	is_int(mt_serve_ipc_recv(b, p, 10, &err), -1, "nothing more");
	is_int(err.kind, MT_ETEMP, "is a time-out");
	close(a);
	is_int(mt_serve_ipc_recv(b, p, 1000, &err), 0, "the end is seen");
	a = -1;
	end();
}

/* The largest packet of all, with as many descriptors as one may hold. */
static void
test_largest(void)
{
	g_autofree struct mt_serve_ipc_opened *o = g_new0(struct mt_serve_ipc_opened, 1);
	int fds[MT_SERVE_FILES_MAX];
	struct mt_err err = { 0 };
	size_t before;

	begin();
	o->rcpts = MT_MAX_RCPTS;
	o->files = MT_SERVE_FILES_MAX;
	o->pairs = MT_SERVE_PAIRS_MAX;
	for (size_t i = 0; i < MT_SERVE_FILES_MAX; i++)
		fds[i] = a;
	before = open_fds();
	is_int(mt_serve_ipc_post(a, MT_SERVE_IPC_OPENED, o, sizeof(*o), fds,
	    MT_SERVE_FILES_MAX, &err), 0, "the largest packet is sent %s", err.msg);
	is_int(mt_serve_ipc_recv(b, p, 1000, &err), 1, "and received %s", err.msg);
	is_int(p->nfds, MT_SERVE_FILES_MAX, "with all descriptors");
	is_int(fcntl(p->fds[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	mt_serve_ipc_drop(p);
	is_int(open_fds(), before, "which are closed when nobody takes them");
	end();
}

/* Sends a packet whose header says what it likes. */
static void
send_raw(uint32_t type, uint32_t claimed, const void *body, size_t n, int nfds)
{
	uint32_t head[2] = { type, claimed };
	g_autofree char *all = g_malloc(sizeof(head) + n);
	struct iovec iov = { all, sizeof(head) + n };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 4)];
	} control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(all, head, sizeof(head));
	memcpy(all + sizeof(head), body, n);
	if (nfds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		for (int i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.align) + (size_t)i * sizeof(int), &a,
			    sizeof(int));
	}
	if (sendmsg(a, &msg, 0) < 0)
		exit(1);
}

static void
refused(const char *name, uint32_t type, uint32_t claimed, const void *body, size_t n,
    int nfds)
{
	struct mt_err err = { 0 };
	size_t before;

	begin();
	before = open_fds();
	send_raw(type, claimed, body, n, nfds);
	ok(mt_serve_ipc_recv(b, p, 1000, &err) == -1 && err.kind == MT_EPROTO,
	    "refused: %s", name);
	is_int(open_fds(), before, "and no descriptor is kept");
	end();
}

#define WHOLE(type, body, nfds) type, sizeof(body), &(body), sizeof(body), nfds

static void
test_hostile(void)
{
	struct mt_serve_ipc_path path = { "a", "b" };
	struct mt_serve_ipc_login login = { "u", "s" };
	struct mt_serve_ipc_verdict verdict = { MT_SERVE_UNSURE + 1 };
	struct mt_serve_ipc_commit commit = { .files = MT_SERVE_FILES_MAX + 1 };
	struct mt_serve_ipc_mailbox mailbox = { 1, "../../etc@x" };
	struct mt_serve_ipc_logged_in in = { MT_SERVE_LOGIN_WRONG, "" };
	struct mt_serve_ipc_open open = { .n = 2 };
	struct mt_serve_ipc_listed listed = { .n = 1 };
	struct mt_serve_ipc_opened opened = { .rcpts = 1, .files = 0, .pairs = 1 };
	struct mt_serve_ipc_session session = { 1, MT_SERVE_PROTOCOLS, "x" };

	refused("an unknown type", WHOLE(99, path, 0));
	refused("type 0", WHOLE(0, path, 0));
	refused("shorter than it says", MT_SERVE_IPC_RCPT, sizeof(path), &path, 10, 0);
	refused("longer than it says", MT_SERVE_IPC_RCPT, 10, &path, sizeof(path), 0);
	refused("the wrong length", MT_SERVE_IPC_RCPT, 10, &path, 10, 0);
	refused("no header", MT_SERVE_IPC_ABORT, 4, "", 0, 0);
	refused("descriptors that nobody asked for", WHOLE(MT_SERVE_IPC_RCPT, path, 3));
	memset(path.local, 'x', sizeof(path.local));
	refused("a text without NUL", WHOLE(MT_SERVE_IPC_RCPT, path, 0));
	g_strlcpy(path.local, "a\nb", sizeof(path.local));
	refused("a line end in an address", WHOLE(MT_SERVE_IPC_SENDER, path, 0));
	memset(login.secret, 'x', sizeof(login.secret));
	refused("a secret without NUL", WHOLE(MT_SERVE_IPC_LOGIN, login, 0));
	refused("a verdict that is none", WHOLE(MT_SERVE_IPC_VERDICT, verdict, 0));
	refused("more files than there can be", WHOLE(MT_SERVE_IPC_COMMIT, commit, 0));
	commit.files = 1;
	commit.keep[0] = 2;
	refused("neither yes nor no", WHOLE(MT_SERVE_IPC_COMMIT, commit, 0));
	refused("a path for a user", WHOLE(MT_SERVE_IPC_MAILBOX, mailbox, 1));
	refused("a wrong login with a mailbox", WHOLE(MT_SERVE_IPC_LOGGED_IN, in, 1));
	refused("fewer recipients than it says", MT_SERVE_IPC_OPEN,
	    (uint32_t)mt_serve_ipc_open_size(1), &open, mt_serve_ipc_open_size(1), 0);
	open.n = MT_MAX_RCPTS + 1;
	refused("too many recipients", WHOLE(MT_SERVE_IPC_OPEN, open, 0));
	refused("an empty UIDL", MT_SERVE_IPC_LISTED, (uint32_t)mt_serve_ipc_listed_size(1),
	    &listed, mt_serve_ipc_listed_size(1), 0);
	refused("a file that is not there", MT_SERVE_IPC_OPENED,
	    (uint32_t)mt_serve_ipc_opened_size(0), &opened, mt_serve_ipc_opened_size(0), 0);
	refused("a protocol that is none", WHOLE(MT_SERVE_IPC_SESSION, session, 1));
}

/* Who does not read is not waited for. */
static void
test_full(void)
{
	struct mt_serve_ipc_path path = { "a", "b" };
	struct mt_err err = { 0 };
	int n = 0;

	begin();
	while (n < 100000 && mt_serve_ipc_post(a, MT_SERVE_IPC_RCPT, &path, sizeof(path),
	    NULL, 0, &err) == 0)
		n++;
	ok(n < 100000 && err.kind == MT_ETEMP, "a full pair does not block: %d packets", n);
	end();
}

int
main(void)
{
	p = g_new0(struct mt_serve_packet, 1);
	test_round_trip();
	test_largest();
	test_hostile();
	test_full();
	g_free(p);
	return tap_done();
}
