/* conn_tls.c - a connection becomes TLS, on the server's side */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "net/conn_io.h"
#include "net/tls_io.h"

/*
 * What an SSL call that returned rc <= 0 means: an MT_IO_* value, or 0 at the clean end
 * of the stream. saved is errno right behind the call.
 */
static ssize_t
outcome(struct mt_conn *c, int rc, int saved, const char *what, struct mt_err *err)
{
	SSL *ssl = c->state;

	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return MT_IO_WAIT_IN;
	case SSL_ERROR_WANT_WRITE:
		return MT_IO_WAIT_OUT;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		errno = saved;
		return mt_fail(err, MT_ETEMP, "%s: %m", what);
	default:
		break;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		c->truncated = true;
		return mt_fail(err, MT_ETEMP,
		    "%s: the connection was cut off (TLS without its close message)", what);
	}
	return mt_fail(err, MT_EPROTO, "%s: %s", what, mt_tls_reason());
}

static ssize_t
tls_recv(struct mt_conn *c, void *p, size_t n, struct mt_err *err)
{
	size_t got;
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(c->state, p, n, &got);
	if (rc == 1)
		return (ssize_t)got;
	return outcome(c, rc, errno, "TLS read", err);
}

static ssize_t
tls_send(struct mt_conn *c, const void *p, size_t n, struct mt_err *err)
{
	size_t sent;
	ssize_t result;
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(c->state, p, n, &sent);
	if (rc == 1)
		return (ssize_t)sent;
	result = outcome(c, rc, errno, "TLS write", err);
	if (result == 0)
		return mt_fail(err, MT_ETEMP, "TLS write: the peer has closed");
	return result;
}

static void
tls_close(struct mt_conn *c)
{
	/* Our close_notify, so that the peer can tell an end from a cut. */
	ERR_clear_error();
	if (SSL_is_init_finished(c->state))
		SSL_shutdown(c->state);
	ERR_clear_error();
	SSL_free(c->state);
	mt_conn_close_fd(c);
}

static const struct mt_conn_io tls_io = { tls_recv, tls_send, tls_close };

static int
handshake(struct mt_conn *c, struct mt_err *err)
{
	for (;;) {
		ssize_t next;
		int rc;

		ERR_clear_error();
		rc = SSL_accept(c->state);
		if (rc == 1)
			return 0;
		next = outcome(c, rc, errno, "TLS handshake", err);
		if (next == MT_IO_FAIL)
			return -1;
		if (next == 0)
			return mt_fail(err, MT_ETEMP,
			    "TLS handshake: the peer has closed");
		if (mt_conn_wait(c, next == MT_IO_WAIT_OUT ? POLLOUT : POLLIN, err) < 0)
			return mt_fail_in(err, "TLS handshake");
	}
}

int
mt_conn_accept_tls(struct mt_conn *c, struct mt_tls *tls, struct mt_err *err)
{
	SSL *ssl;

	/* RFC 3207 4.2: what was sent in the clear must not count as said under TLS. */
	if (mt_conn_buffered(c) > 0)
		return mt_fail(err, MT_EPROTO,
		    "the peer sent something before the TLS handshake");
	if (mt_conn_flush(c, err) < 0)
		return -1;
	if (mt_conn_buffered(c) > 0)
		return mt_fail(err, MT_EPROTO,
		    "the peer sent something before the TLS handshake");
	ssl = mt_tls_session(tls);
	/* OpenSSL reads and writes the descriptor itself: it must not block. */
	if (ssl == NULL || SSL_set_fd(ssl, c->fd) != 1 ||
	    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK) < 0) {
		SSL_free(ssl);
		return mt_fail(err, MT_ETEMP, "TLS cannot start: %s", mt_tls_reason());
	}
	c->io = &tls_io;
	c->state = ssl;
	if (handshake(c, err) < 0) {
		c->out_failed = true;
		return -1;
	}
	c->tls_version = SSL_get_version(ssl);
	c->tls_cipher = SSL_get_cipher_name(ssl);
	return 0;
}
