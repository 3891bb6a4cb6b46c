/* conn_io.h - inside net/: a connection, and the transport below its buffers */
#ifndef MT_NET_CONN_IO_H
#define MT_NET_CONN_IO_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/conn.h"

/* What a transport's recv and send return besides a count. */
enum {
	MT_IO_FAIL = -1,	/* err says why */
	MT_IO_WAIT_IN = -2,	/* call again when the socket can be read, */
	MT_IO_WAIT_OUT = -3,	/* or written */
};

/*
 * Non-blocking: each call moves at most n > 0 bytes and returns how many, or one of the
 * above. recv gives 0 at a clean end of the stream.
 */
struct mt_conn_io {
	ssize_t (*recv)(struct mt_conn *c, void *p, size_t n, struct mt_err *err);
	ssize_t (*send)(struct mt_conn *c, const void *p, size_t n, struct mt_err *err);
	/* Give back c->state and c->fd. */
	void (*close)(struct mt_conn *c);
};

struct mt_conn {
	const struct mt_conn_io *io;
	void *state;		/* the transport's own */
	int fd;			/* for poll(2) */
	uint64_t deadline_ms;	/* on the clock of mt_proc_now_ms() */

	char *in;		/* MT_MAX_CONN_IN bytes; unread are [in_start, in_end) */
	size_t in_start;
	size_t in_end;
	bool in_eof;
	bool truncated;		/* TLS ended without close_notify */

	struct mt_buf out;	/* unsent are [out_sent, out.n) */
	size_t out_sent;
	bool out_failed;	/* a send failed half-way: the stream is unusable */

	struct mt_buf preamble;
	const char *tls_version;
	const char *tls_cipher;
};

/* A connection without a transport yet. */
struct mt_conn *mt_conn_alloc(void);

/* Wait until the socket can be read or written (POLLIN, POLLOUT), or the deadline. */
int mt_conn_wait(struct mt_conn *c, short events, struct mt_err *err);

/* Take what has come in and is unread, say that nothing more is sent, and close fd. */
void mt_conn_close_fd(struct mt_conn *c);

/* "certificate verify failed": OpenSSL's last reason; empties its error queue. */
const char *mt_tls_reason(void);

#endif
