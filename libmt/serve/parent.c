/* parent.c - the process that listens, and starts all others */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/sandbox.h"
#include "net/listen.h"
#include "serve/ipc.h"
#include "serve/keeper.h"
#include "serve/mailbox.h"
#include "serve/policy.h"
#include "serve/serve.h"
#include "serve/session.h"

/*
 *	role		how many		may
 *	parent		one			accept, fork, restart; never reads from a peer
 *	session		one a connection	speak to its peer, ask the keeper, write to
 *						the descriptors it is handed
 *	keeper		one			passwords, deliveries; never sees a message
 *	mailbox		one a POP3 login	one user's Maildir
 *
 * A resolver and an outgoing process come with SPF and the queue, when they have work.
 *
 * All run as one user, without rights to gain any; what keeps them apart is seccomp
 * and Landlock, which each of them puts on before it hears from anybody.
 */
enum role { KEEPER, SESSION, MAILBOX };

static const char *const role_words[] = { "keeper", "session", "mailbox" };

struct child {
	enum role role;
	uint64_t session;
	char peer[MT_SERVE_PEER_SIZE];
	char network[MT_LISTEN_NAME_SIZE];
};

/* A keeper that dies is started again at once, then after twice the time... */
#define RESTART_MIN_MS 100
#define RESTART_MAX_MS 10000
/* ... unless it had lived for so long. */
#define KEEPER_IS_WELL_MS 10000
/* How long SIGTERM waits for messages under way. */
#define DRAIN_MS 30000

struct parent {
	const struct mt_serve_params *params;
	int signal_fd;
	int keeper_fd;			/* -1: there is no keeper */
	pid_t keeper_pid;
	uint64_t keeper_start_ms;	/* of the last one, or when the next one is due */
	uint32_t restart_ms;
	uint64_t drain_end_ms;		/* 0: not draining */
	uint64_t next_session;
	size_t sessions;
	GHashTable *children;		/* pid -> struct child */
	GHashTable *by_network;		/* network -> number of sessions */
	struct mt_serve_packet *packet;
};

static const char *const protocol_words[MT_SERVE_PROTOCOLS] = { "smtp", "submission",
	"submissions", "lmtp", "pop3", "pop3s" };

const char *
mt_serve_protocol_word(enum mt_serve_protocol protocol)
{
	return protocol_words[protocol];
}

bool
mt_serve_protocol_is_pop3(enum mt_serve_protocol protocol)
{
	return protocol == MT_SERVE_POP3 || protocol == MT_SERVE_POP3S;
}

/* In a fresh child: nothing of the parent's stays but what the child was started for. */
static void
become_child(struct parent *p)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Once they are closed their numbers are those of other files. */
	for (size_t i = 0; i < p->params->nlisteners && p->drain_end_ms == 0; i++)
		close(p->params->listeners[i].fd);
	close(p->signal_fd);
	if (p->keeper_fd >= 0)
		close(p->keeper_fd);
}

static void
unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static struct child *
note_child(struct parent *p, pid_t pid, enum role role, uint64_t session)
{
	struct child *c = g_new0(struct child, 1);

	c->role = role;
	c->session = session;
	g_hash_table_insert(p->children, GINT_TO_POINTER(pid), c);
	return c;
}

static void
log_trouble(const char *event, const char *peer, const struct mt_err *err)
{
	struct mt_log l = mt_log_begin(event);

	if (peer != NULL)
		mt_log_str(&l, "ip", peer);
	mt_log_str(&l, "error", err->msg);
	mt_log_end(&l);
}

static int
start_keeper(struct parent *p, struct mt_err *err)
{
	int pair[2];
	pid_t pid;

	p->keeper_start_ms = mt_proc_now_ms();
	if (mt_serve_ipc_pair(pair) < 0)
		return mt_fail(err, MT_ETEMP, "keeper: socketpair: %m");
	pid = fork();
	if (pid == 0) {
		become_child(p);
		/* A terminal's or systemd's SIGTERM to all of us is for the parent: the
		   keeper ends after the last session. */
		signal(SIGTERM, SIG_IGN);
		unblock_signals();
		close(pair[0]);
		_exit(mt_serve_keeper_main(p->params, pair[1]));
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return mt_fail(err, MT_ETEMP, "keeper: fork: %m");
	}
	note_child(p, pid, KEEPER, 0);
	p->keeper_fd = pair[0];
	p->keeper_pid = pid;
	return 0;
}

static void
lose_keeper(struct parent *p)
{
	uint64_t now = mt_proc_now_ms();

	if (p->keeper_fd < 0)
		return;
	close(p->keeper_fd);
	p->keeper_fd = -1;
	if (now - p->keeper_start_ms >= KEEPER_IS_WELL_MS)
		p->restart_ms = 0;
	p->keeper_start_ms = now + p->restart_ms;
	p->restart_ms = MIN(MAX(p->restart_ms * 2, RESTART_MIN_MS), RESTART_MAX_MS);
}

static void
restart_keeper(struct parent *p)
{
	struct mt_err err = { 0 };
	uint64_t now = mt_proc_now_ms();

	if (p->keeper_fd >= 0 || p->drain_end_ms != 0 || now < p->keeper_start_ms)
		return;
	if (start_keeper(p, &err) < 0) {
		log_trouble("keeper-failed", NULL, &err);
		p->keeper_start_ms = now + RESTART_MAX_MS;
	}
}

/* Say a word of why, where that can be said without TLS. Never waits. */
static void
turn_away(const struct parent *p, const struct mt_serve_listener *l, int fd,
    const char *peer, const char *why)
{
	char text[256];
	struct mt_log log = mt_log_begin("turned-away");

	mt_log_str(&log, "proto", mt_serve_protocol_word(l->protocol));
	mt_log_str(&log, "ip", peer);
	mt_log_str(&log, "why", why);
	mt_log_end(&log);
	if (l->protocol == MT_SERVE_SUBMISSIONS || l->protocol == MT_SERVE_POP3S)
		return;
	if (l->protocol == MT_SERVE_POP3)
		g_snprintf(text, sizeof(text), "-ERR [SYS/TEMP] %s\r\n", why);
	else
		g_snprintf(text, sizeof(text), "421 4.3.2 %s %s\r\n", p->params->hostname,
		    why);
	(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Introduce the session to the keeper and start it. */
static int
start_session(struct parent *p, const struct mt_serve_listener *l, int fd,
    const char *peer, const char *network, struct mt_err *err)
{
	struct mt_serve_ipc_session hello = { .id = ++p->next_session,
		.protocol = l->protocol };
	struct child *c;
	int pair[2];
	pid_t pid;

	g_strlcpy(hello.peer, peer, sizeof(hello.peer));
	if (mt_serve_ipc_pair(pair) < 0)
		return mt_fail(err, MT_ETEMP, "socketpair: %m");
	if (mt_serve_ipc_post(p->keeper_fd, MT_SERVE_IPC_SESSION, &hello, sizeof(hello),
	    &pair[1], 1, err) < 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	close(pair[1]);
	pid = fork();
	if (pid == 0) {
		become_child(p);
		mt_serve_session_main(p->params, l->protocol, hello.id, hello.peer, fd,
		    pair[0]);
	}
	close(pair[0]);
	if (pid < 0)
		return mt_fail(err, MT_ETEMP, "fork: %m");
	c = note_child(p, pid, SESSION, hello.id);
	g_strlcpy(c->peer, peer, sizeof(c->peer));
	g_strlcpy(c->network, network, sizeof(c->network));
	p->sessions++;
	g_hash_table_insert(p->by_network, g_strdup(network), GUINT_TO_POINTER(
	    GPOINTER_TO_UINT(g_hash_table_lookup(p->by_network, network)) + 1));
	return 0;
}

static void
log_connect(const struct parent *p, const struct mt_serve_listener *l, const char *peer,
    int fd)
{
	struct mt_log log = mt_log_begin("connect");
	struct ucred who;
	socklen_t len = sizeof(who);

	mt_log_str(&log, "proto", mt_serve_protocol_word(l->protocol));
	mt_log_u64(&log, "session", p->next_session);
	mt_log_str(&log, "ip", peer);
	if (strcmp(peer, "unix") == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		mt_log_u64(&log, "uid", who.uid);
	mt_log_end(&log);
}

/* One connection; false when none waits. */
static bool
accept_one(struct parent *p, const struct mt_serve_listener *l)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	char peer[MT_LISTEN_NAME_SIZE], network[MT_LISTEN_NAME_SIZE];
	struct mt_err err = { 0 };
	mt_auto_fd int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	mt_listen_peer((const struct sockaddr *)&sa, peer);
	mt_listen_network(peer, network);
	if (p->sessions >= p->params->connections_max)
		turn_away(p, l, fd, peer, "too many connections");
	else if (GPOINTER_TO_UINT(g_hash_table_lookup(p->by_network, network)) >=
	    p->params->connections_per_address)
		turn_away(p, l, fd, peer, "too many connections from your address");
	else if (start_session(p, l, fd, peer, network, &err) < 0) {
		log_trouble("session-failed", peer, &err);
		turn_away(p, l, fd, peer, "no resources, try again later");
	} else {
		log_connect(p, l, peer, fd);
	}
	return true;
}

/* The keeper has checked a password and wants a mailbox process. */
static void
start_mailbox(struct parent *p)
{
	int fd = mt_serve_ipc_take_fd(p->packet, 0);
	uint64_t session = p->packet->body.mailbox.id;
	g_autofree char *path =
	    mt_serve_policy_maildir(p->params, p->packet->body.mailbox.user);
	struct mt_err err = { 0 };
	pid_t pid = fork();

	if (pid == 0) {
		become_child(p);
		/* It ends when its session does. */
		signal(SIGTERM, SIG_IGN);
		unblock_signals();
		_exit(mt_serve_mailbox_main(fd, path));
	}
	close(fd);
	if (pid > 0) {
		note_child(p, pid, MAILBOX, session);
		return;
	}
	mt_fail(&err, MT_ETEMP, "mailbox: fork: %m");
	log_trouble("mailbox-failed", NULL, &err);
}

static void
hear_keeper(struct parent *p)
{
	struct mt_err err = { 0 };
	int rc;

	while ((rc = mt_serve_ipc_recv(p->keeper_fd, p->packet, 0, &err)) > 0) {
		if (p->packet->type == MT_SERVE_IPC_MAILBOX)
			start_mailbox(p);
		mt_serve_ipc_drop(p->packet);
	}
	if (rc < 0 && err.kind == MT_ETEMP && errno == EAGAIN)
		return;
	lose_keeper(p);
}

static void
forget_session(struct parent *p, const struct child *c)
{
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(p->by_network, c->network));

	p->sessions--;
	if (n <= 1)
		g_hash_table_remove(p->by_network, c->network);
	else
		g_hash_table_insert(p->by_network, g_strdup(c->network),
		    GUINT_TO_POINTER(n - 1));
}

static void
bury(struct parent *p, pid_t pid, int status)
{
	struct child *c = g_hash_table_lookup(p->children, GINT_TO_POINTER(pid));
	struct mt_log l;

	if (c == NULL)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		l = mt_log_begin("died");
		mt_log_str(&l, "role", role_words[c->role]);
		mt_log_u64(&l, "session", c->session);
		if (c->peer[0] != '\0')
			mt_log_str(&l, "ip", c->peer);
		if (WIFSIGNALED(status))
			mt_log_u64(&l, "signal", (uint64_t)WTERMSIG(status));
		else
			mt_log_u64(&l, "status", (uint64_t)WEXITSTATUS(status));
		mt_log_end(&l);
	}
	if (c->role == SESSION)
		forget_session(p, c);
	else if (c->role == KEEPER && pid == p->keeper_pid)
		lose_keeper(p);		/* unless its end was heard, and there is another */
	g_hash_table_remove(p->children, GINT_TO_POINTER(pid));
}

static void
signal_children(struct parent *p, enum role role, int sig)
{
	GHashTableIter it;
	void *pid, *child;

	g_hash_table_iter_init(&it, p->children);
	while (g_hash_table_iter_next(&it, &pid, &child)) {
		if (((struct child *)child)->role == role)
			kill(GPOINTER_TO_INT(pid), sig);
	}
}

/* No more connections; sessions end when they next wait for their peer, the keeper
   after the last of them. */
static void
begin_drain(struct parent *p)
{
	struct mt_log l;

	if (p->drain_end_ms != 0)
		return;
	l = mt_log_begin("stopping");
	mt_log_u64(&l, "sessions", p->sessions);
	mt_log_end(&l);
	p->drain_end_ms = mt_proc_now_ms() + DRAIN_MS;
	for (size_t i = 0; i < p->params->nlisteners; i++)
		close(p->params->listeners[i].fd);
	signal_children(p, SESSION, SIGTERM);
}

static void
hear_signals(struct parent *p)
{
	struct signalfd_siginfo si;
	struct mt_log l;
	int status;
	pid_t pid;

	while (read(p->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			begin_drain(p);
		if (si.ssi_signo != SIGHUP)
			continue;
		l = mt_log_begin("ignored");
		mt_log_str(&l, "signal", "SIGHUP");
		mt_log_str(&l, "why", "restart to read the configuration again");
		mt_log_end(&l);
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(p, pid, status);
}

/* systemd's sd_notify(3), which is one datagram. */
static void
notify_systemd(const char *text)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = path == NULL ? 0 : strlen(path);
	mt_auto_fd int fd = -1;

	if (n == 0 || n >= sizeof(un.sun_path))
		return;
	memcpy(un.sun_path, path, n);
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		    (const struct sockaddr *)&un,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

static void
say_ready(const struct parent *p)
{
	struct mt_log l = mt_log_begin("ready");
	char name[MT_LISTEN_NAME_SIZE];

	mt_log_u64(&l, "pid", (uint64_t)getpid());
	for (size_t i = 0; i < p->params->nlisteners; i++) {
		mt_listen_name(p->params->listeners[i].fd, name);
		mt_log_str(&l, mt_serve_protocol_word(p->params->listeners[i].protocol),
		    name);
	}
	mt_log_end(&l);
	notify_systemd("READY=1");
}

/* When something happens by itself: a keeper is due, or the patience ends. */
static int
next_timeout(const struct parent *p)
{
	uint64_t now = mt_proc_now_ms(), due = UINT64_MAX;

	if (p->drain_end_ms != 0)
		due = p->drain_end_ms;
	else if (p->keeper_fd < 0)
		due = p->keeper_start_ms;
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)MIN(due - now, 60000);
}

/* The order of poll's table. */
enum { POLL_SIGNALS, POLL_KEEPER, POLL_LISTENERS };

static void
serve_round(struct parent *p, struct pollfd *fds)
{
	size_t n = p->params->nlisteners;
	/* Without a keeper connections wait in the kernel's queue. */
	bool listens = p->drain_end_ms == 0 && p->keeper_fd >= 0;

	fds[POLL_SIGNALS] = (struct pollfd){ p->signal_fd, POLLIN, 0 };
	fds[POLL_KEEPER] = (struct pollfd){ p->keeper_fd, POLLIN, 0 };
	for (size_t i = 0; i < n; i++)
		fds[POLL_LISTENERS + i] = (struct pollfd){
			listens ? p->params->listeners[i].fd : -1, POLLIN, 0 };
	if (poll(fds, POLL_LISTENERS + n, next_timeout(p)) < 0)
		return;
	if (fds[POLL_KEEPER].revents != 0)
		hear_keeper(p);
	if (fds[POLL_SIGNALS].revents != 0)
		hear_signals(p);
	restart_keeper(p);
	for (size_t i = 0; i < n && p->drain_end_ms == 0; i++) {
		/* A few at a time: signals and the keeper must be heard, too. */
		for (int k = 0; k < 16 && fds[POLL_LISTENERS + i].revents != 0; k++) {
			if (p->keeper_fd < 0 || !accept_one(p, &p->params->listeners[i]))
				break;
		}
	}
}

static int
start(struct parent *p, struct mt_err *err)
{
	struct rlimit files;
	sigset_t signals;

	tzset();	/* children cannot read /etc/localtime */
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return mt_fail(err, MT_ESOFTWARE, "signals: %m");
	p->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signal_fd < 0)
		return mt_fail(err, MT_ETEMP, "signalfd: %m");
	/* The keeper has a descriptor for each session and each file under way. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (mt_sandbox_begin(err) < 0)
		return -1;
	return start_keeper(p, err);
}

int
mt_serve_run(const struct mt_serve_params *params, struct mt_err *err)
{
	struct parent p = { .params = params, .signal_fd = -1, .keeper_fd = -1 };
	g_autofree struct pollfd *fds =
	    g_new0(struct pollfd, POLL_LISTENERS + params->nlisteners);
	struct mt_log l;

	p.packet = g_new0(struct mt_serve_packet, 1);
	p.children = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	p.by_network = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* So that session numbers of two runs are not the same in the log. */
	p.next_session = (uint64_t)time(NULL) << 16;
	if (start(&p, err) < 0)
		return -1;
	say_ready(&p);
	while (p.drain_end_ms == 0 || p.sessions > 0) {
		serve_round(&p, fds);
		if (p.drain_end_ms != 0 && mt_proc_now_ms() >= p.drain_end_ms) {
			signal_children(&p, SESSION, SIGKILL);
			p.drain_end_ms += 1000;
		}
	}
	if (p.keeper_fd >= 0)
		close(p.keeper_fd);
	p.keeper_fd = -1;
	while (g_hash_table_size(p.children) > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno != EINTR)
			break;
		if (pid > 0)
			bury(&p, pid, status);
	}
	l = mt_log_begin("stopped");
	mt_log_end(&l);
	close(p.signal_fd);
	g_hash_table_unref(p.children);
	g_hash_table_unref(p.by_network);
	g_free(p.packet);
	return 0;
}
