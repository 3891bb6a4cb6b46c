/* conn.c - buffers, lines and deadlines of a connection, and plain sockets */
#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/proc.h"
#include "net/conn_io.h"

/* A caller that sets no deadline must not hang for ever. */
#define FIRST_DEADLINE_MS (5 * 60 * 1000)

struct mt_conn *
mt_conn_alloc(void)
{
	struct mt_conn *c = g_new0(struct mt_conn, 1);

	c->fd = -1;
	c->in = g_malloc(MT_MAX_CONN_IN);
	mt_buf_init(&c->out, MT_MAX_CONN_OUT);
	mt_buf_init(&c->preamble, MT_MAX_CONN_IN);
	mt_conn_set_deadline(c, FIRST_DEADLINE_MS);
	return c;
}

void
mt_conn_free(struct mt_conn *c)
{
	if (c == NULL)
		return;
	if (c->io != NULL)
		c->io->close(c);
	/* Passwords pass through both. */
	explicit_bzero(c->in, MT_MAX_CONN_IN);
	g_free(c->in);
	mt_buf_clear_secret(&c->out);
	mt_buf_clear(&c->preamble);
	g_free(c);
}

/* Plain sockets. */

static ssize_t
plain_recv(struct mt_conn *c, void *p, size_t n, struct mt_err *err)
{
	ssize_t r;

	do
		r = recv(c->fd, p, n, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return MT_IO_WAIT_IN;
	return mt_fail(err, MT_ETEMP, "read from the network: %m");
}

static ssize_t
plain_send(struct mt_conn *c, const void *p, size_t n, struct mt_err *err)
{
	ssize_t w;

	do
		w = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (w < 0 && errno == EINTR);
	if (w >= 0)
		return w;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return MT_IO_WAIT_OUT;
	return mt_fail(err, MT_ETEMP, "write to the network: %m");
}

void
mt_conn_close_fd(struct mt_conn *c)
{
	/*
	 * Closing with unread input makes the kernel send a reset, which can overtake
	 * our last reply: take what is there first.
	 */
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < 16; i++) {
		if (recv(c->fd, c->in, MT_MAX_CONN_IN, MSG_DONTWAIT) <= 0)
			break;
	}
	close(c->fd);
}

static const struct mt_conn_io plain_io = { plain_recv, plain_send, mt_conn_close_fd };

struct mt_conn *
mt_conn_new(int fd)
{
	struct mt_conn *c = mt_conn_alloc();

	c->io = &plain_io;
	c->fd = fd;
	return c;
}

/* Deadlines. */

void
mt_conn_set_deadline(struct mt_conn *c, uint32_t ms)
{
	c->deadline_ms = mt_proc_now_ms() + ms;
}

int
mt_conn_wait(struct mt_conn *c, short events, struct mt_err *err)
{
	struct pollfd p = { c->fd, events, 0 };

	for (;;) {
		uint64_t now = mt_proc_now_ms();
		int rc;

		if (now >= c->deadline_ms)
			return mt_fail(err, MT_ETEMP, "timed out");
		rc = poll(&p, 1, (int)MIN(c->deadline_ms - now, 60000));
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return mt_fail(err, MT_ETEMP, "poll: %m");
	}
}

/* Input. */

static size_t
in_room(const struct mt_conn *c)
{
	return MT_MAX_CONN_IN - (c->in_end - c->in_start);
}

/* One recv into the free part of the buffer (there must be one), without waiting. */
static ssize_t
recv_some(struct mt_conn *c, struct mt_err *err)
{
	ssize_t n;

	if (c->in_start == c->in_end) {
		c->in_start = c->in_end = 0;
	} else if (c->in_end == MT_MAX_CONN_IN) {
		memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
		c->in_end -= c->in_start;
		c->in_start = 0;
	}
	n = c->io->recv(c, c->in + c->in_end, MT_MAX_CONN_IN - c->in_end, err);
	if (n > 0)
		c->in_end += (size_t)n;
	if (n == 0)
		c->in_eof = true;
	return n;
}

/* Wait for at least one byte more: 1, 0 at the end of the stream, -1. */
static int
fill(struct mt_conn *c, struct mt_err *err)
{
	ssize_t n;

	if (c->in_eof)
		return 0;
	/* Once sending has failed, what the peer said last can still be read. */
	if (!c->out_failed && mt_conn_flush(c, err) < 0)
		return -1;
	for (;;) {
		n = recv_some(c, err);
		if (n >= 0)
			return n > 0;
		if (n == MT_IO_FAIL)
			return -1;
		if (mt_conn_wait(c, n == MT_IO_WAIT_OUT ? POLLOUT : POLLIN, err) < 0)
			return -1;
	}
}

int
mt_conn_poll(struct mt_conn *c, int other, uint32_t ms, struct mt_err *err)
{
	const uint64_t end = mt_proc_now_ms() + ms;

	if (!c->out_failed && mt_conn_flush(c, err) < 0)
		return -1;
	while (c->in_start == c->in_end && !c->in_eof) {
		struct pollfd p[] = { { c->fd, POLLIN, 0 }, { other, POLLIN, 0 } };
		/* TLS may hold what the socket has given already. */
		ssize_t n = recv_some(c, err);
		uint64_t now = mt_proc_now_ms();
		int rc;

		if (n >= 0)
			break;
		if (n == MT_IO_FAIL)
			return -1;
		if (n == MT_IO_WAIT_OUT)
			p[0].events = POLLOUT;
		rc = poll(p, 2, now < end ? (int)MIN(end - now, INT_MAX) : 0);
		if (rc < 0 && errno != EINTR)
			return mt_fail(err, MT_ETEMP, "poll: %m");
		if (rc > 0 && p[1].revents != 0)
			return MT_CONN_OTHER;
		if (rc == 0)
			return MT_CONN_TIME;
	}
	return MT_CONN_READY;
}

int
mt_conn_peek(struct mt_conn *c, struct mt_slice *bytes, struct mt_err *err)
{
	if (c->in_start == c->in_end) {
		int rc = fill(c, err);

		if (rc <= 0)
			return rc;
	}
	*bytes = mt_slice_mem(c->in + c->in_start, c->in_end - c->in_start);
	return 1;
}

void
mt_conn_consume(struct mt_conn *c, size_t n)
{
	g_assert(n <= c->in_end - c->in_start);
	c->in_start += n;
}

size_t
mt_conn_buffered(const struct mt_conn *c)
{
	return c->in_end - c->in_start;
}

/*
 * Read until the buffer holds a line end, `enough` bytes, or all that will come: *n is
 * the length with the line end, or 0 without one.
 */
static int
find_line(struct mt_conn *c, size_t enough, size_t *n, struct mt_err *err)
{
	size_t seen = 0;

	for (;;) {
		size_t have = c->in_end - c->in_start;
		const char *from = c->in + c->in_start;
		const char *lf =
		    have == seen ? NULL : memchr(from + seen, '\n', have - seen);
		int rc;

		if (lf != NULL) {
			*n = (size_t)(lf - from) + 1;
			return 1;
		}
		*n = 0;
		if (have >= enough)
			return 1;
		seen = have;
		rc = fill(c, err);
		if (rc <= 0)
			return rc;
	}
}

int
mt_conn_line(struct mt_conn *c, size_t max, struct mt_slice *line, struct mt_err *err)
{
	size_t n;
	int rc;

	g_assert(max + 2 <= MT_MAX_CONN_IN);
	rc = find_line(c, max + 2, &n, err);
	if (rc < 0)
		return -1;
	if (rc == 0 && mt_conn_buffered(c) > 0)
		return mt_fail(err, MT_ETEMP,
		    "the connection was closed in the middle of a line");
	if (rc == 0)
		return 0;
	*line = mt_slice_mem(c->in + c->in_start, n == 0 ? max + 1 : n - 1);
	if (n > 1 && line->p[line->n - 1] == '\r')
		line->n--;
	if (line->n > max)
		return mt_fail(err, MT_EPROTO, "a line is longer than %zu bytes", max);
	mt_conn_consume(c, n);
	return 1;
}

int
mt_conn_raw_line(struct mt_conn *c, size_t max, struct mt_slice *line,
    struct mt_err *err)
{
	size_t n;

	max = MIN(max, MT_MAX_CONN_IN);
	if (find_line(c, max, &n, err) < 0)
		return -1;
	if (n == 0)
		n = mt_conn_buffered(c);
	if (n == 0)
		return 0;
	*line = mt_slice_mem(c->in + c->in_start, MIN(n, max));
	mt_conn_consume(c, line->n);
	return 1;
}

/* Output. */

/* Send everything, and read what comes in while the peer does not read. */
static int
send_all(struct mt_conn *c, struct mt_err *err)
{
	while (c->out_sent < c->out.n) {
		bool drain = !c->in_eof && in_room(c) > 0;
		short events = POLLOUT;
		ssize_t n;

		n = c->io->send(c, c->out.p + c->out_sent, c->out.n - c->out_sent, err);
		if (n >= 0) {
			c->out_sent += (size_t)n;
			continue;
		}
		if (n == MT_IO_FAIL)
			return -1;
		if (n == MT_IO_WAIT_IN)
			events = POLLIN;
		if (drain) {
			ssize_t r = recv_some(c, err);

			if (r == MT_IO_FAIL)
				return -1;
			if (r > 0)
				continue;
			if (r < 0)
				events |= POLLIN;
		}
		if (mt_conn_wait(c, events, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_conn_flush(struct mt_conn *c, struct mt_err *err)
{
	if (c->out_failed)
		return mt_fail(err, MT_ETEMP, "the connection is broken");
	if (send_all(c, err) < 0) {
		c->out_failed = true;
		return -1;
	}
	c->out_sent = 0;
	mt_buf_reset(&c->out);
	return 0;
}

int
mt_conn_write(struct mt_conn *c, const void *p, size_t n, struct mt_err *err)
{
	const char *at = p;

	while (n > 0) {
		size_t part = MIN(n, MT_MAX_CONN_OUT - c->out.n);

		if (part > 0 && mt_buf_append(&c->out, at, part) < 0)
			g_assert_not_reached();
		at += part;
		n -= part;
		if (c->out.n == MT_MAX_CONN_OUT && mt_conn_flush(c, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_conn_writef(struct mt_conn *c, struct mt_err *err, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;
	size_t n;
	int rc;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	n = strlen(text);
	rc = mt_conn_write(c, text, n, err);
	explicit_bzero(text, n);
	return rc;
}

/* What is known about it. */

struct mt_slice
mt_conn_preamble(const struct mt_conn *c)
{
	return mt_buf_slice(&c->preamble);
}

bool
mt_conn_is_truncated(const struct mt_conn *c)
{
	return c->truncated;
}

const char *
mt_conn_tls_version(const struct mt_conn *c)
{
	return c->tls_version;
}

const char *
mt_conn_tls_cipher(const struct mt_conn *c)
{
	return c->tls_cipher;
}
