/* delay.c - a proxy on loopback that delays what passes, and counts it
 *
 *	delay LISTEN-PORT PORT MS
 *
 * Each byte arrives MS milliseconds after it was sent, either way, in order; how many pass in
 * a second is not limited. The handshake of TCP itself is not delayed. When a connection ends,
 * "UP DOWN" is printed: the bytes from the client, and to it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What may be under way: enough for 1 GB/s at 60 ms. */
#define MAX_UNDER_WAY ((size_t)64 * 1024 * 1024)
#define PIECE 65536

struct piece {
	struct piece *next;
	int64_t due;
	size_t at, n;		/* n is 0: the sender has ended */
	char bytes[];
};

/* One direction. */
struct way {
	int from, to;
	struct piece *first, **last;
	size_t under_way;
	uint64_t total;
	int has_ended, is_done;	/* at from; at to */
};

static int64_t delay_ns;

static void
die(const char *what)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void
take(struct way *w)
{
	struct piece *p = malloc(sizeof(*p) + PIECE);
	ssize_t n;

	if (p == NULL)
		die("malloc");
	n = read(w->from, p->bytes, PIECE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		free(p);
		return;
	}
	/* A reset is passed on as an end. */
	p->n = n > 0 ? (size_t)n : 0;
	p = realloc(p, sizeof(*p) + p->n);
	if (p == NULL)
		die("realloc");
	p->next = NULL;
	p->at = 0;
	p->due = now() + delay_ns;
	*w->last = p;
	w->last = &p->next;
	w->has_ended = p->n == 0;
	w->under_way += p->n;
	w->total += p->n;
}

static void
drop_first(struct way *w)
{
	struct piece *p = w->first;

	w->first = p->next;
	if (w->first == NULL)
		w->last = &w->first;
	w->under_way -= p->n;
	free(p);
}

/* What is due, as far as the receiver takes it. */
static void
give(struct way *w)
{
	while (w->first != NULL && w->first->due <= now()) {
		struct piece *p = w->first;
		ssize_t n;

		if (p->n == 0) {
			shutdown(w->to, SHUT_WR);
			w->is_done = 1;
			drop_first(w);
			return;
		}
		n = send(w->to, p->bytes + p->at, p->n - p->at, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			/* Nobody reads any more: neither do we. */
			shutdown(w->from, SHUT_RD);
			w->is_done = w->has_ended = 1;
			return;
		}
		p->at += (size_t)n;
		if (p->at == p->n)
			drop_first(w);
	}
}

/* Wait for something to read, to write, or to become due. */
static void
wait_for_work(const struct way *ways)
{
	struct pollfd fds[4];
	struct timespec left, *timeout = NULL;
	int64_t ns = INT64_MAX;

	for (int i = 0; i < 2; i++) {
		const struct way *w = &ways[i];
		int64_t wait = w->first != NULL && !w->is_done ? w->first->due - now() :
		    INT64_MAX;

		fds[2 * i] = (struct pollfd){ !w->has_ended && w->under_way < MAX_UNDER_WAY ?
		    w->from : -1, POLLIN, 0 };
		fds[2 * i + 1] = (struct pollfd){ wait <= 0 ? w->to : -1, POLLOUT, 0 };
		if (wait > 0 && wait < ns)
			ns = wait;
	}
	if (ns < INT64_MAX) {
		left = (struct timespec){ ns / 1000000000, ns % 1000000000 };
		timeout = &left;
	}
	if (ppoll(fds, 4, timeout, NULL) < 0 && errno != EINTR)
		die("poll");
}

static int
to_port(const char *port, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (use(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(port);
	return fd;
}

static void
make_quick(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void
serve(int client, const char *port)
{
	int server = to_port(port, connect);
	struct way ways[2] = { { .from = client, .to = server },
		{ .from = server, .to = client } };

	make_quick(client);
	make_quick(server);
	for (int i = 0; i < 2; i++)
		ways[i].last = &ways[i].first;
	while (!ways[0].is_done || !ways[1].is_done) {
		wait_for_work(ways);
		for (int i = 0; i < 2; i++) {
			if (!ways[i].has_ended && ways[i].under_way < MAX_UNDER_WAY)
				take(&ways[i]);
			if (!ways[i].is_done)
				give(&ways[i]);
		}
	}
	printf("%llu %llu\n", (unsigned long long)ways[0].total,
	    (unsigned long long)ways[1].total);
}

int
main(int argc, char **argv)
{
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: delay LISTEN-PORT PORT MS\n");
		return 64;
	}
	delay_ns = (int64_t)(strtod(argv[3], NULL) * 1e6);
	signal(SIGCHLD, SIG_IGN);
	fd = to_port(argv[1], bind);
	if (listen(fd, 64) < 0)
		die("listen");
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			die("accept");
		if (fork() == 0) {
			close(fd);
			serve(client, argv[2]);
			return 0;
		}
		close(client);
	}
}
