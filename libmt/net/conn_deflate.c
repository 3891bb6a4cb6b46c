/* conn_deflate.c - a connection whose two directions are deflated (RFC 4978, RFC 1951) */
#include <glib.h>
#include <zlib.h>

#include "base/limits.h"
#include "net/conn_io.h"

/*
 * The transport that was there stays below this one. Memory is bounded whatever comes: what
 * is inflated goes straight into the room that the reader has. A password never passes
 * through here: both sides deflate only behind the login.
 */
#define OUT_PIECE MT_KIB(16)
/* What a piece may grow by when it cannot be made smaller, with the marker of its end. */
#define OUT_MORE ((size_t)1024)
/* Empty blocks are 5 bytes each, the table of a block below 400: a peer that goes on for
   longer without a byte of data wants to keep us busy. */
#define MAX_WITHOUT_DATA MT_KIB(64)

struct deflated {
	const struct mt_conn_io *io;
	void *state;		/* of io */
	z_stream in, out;
	bool has_ended;		/* the peer's last block has come */
	size_t without_data;
	char from_peer[MT_MAX_CONN_IN];
	/* Unsent are [to_peer_sent, to_peer_n); they stand for that many bytes of the caller. */
	char to_peer[OUT_PIECE + OUT_MORE];
	size_t to_peer_sent, to_peer_n, stands_for;
};

/* The transport below finds its own state in the connection. */
static ssize_t
recv_below(struct mt_conn *c, struct deflated *d, struct mt_err *err)
{
	ssize_t n;

	c->state = d->state;
	n = d->io->recv(c, d->from_peer, sizeof(d->from_peer), err);
	c->state = d;
	return n;
}

static ssize_t
send_below(struct mt_conn *c, struct deflated *d, struct mt_err *err)
{
	ssize_t n;

	c->state = d->state;
	n = d->io->send(c, d->to_peer + d->to_peer_sent, d->to_peer_n - d->to_peer_sent, err);
	c->state = d;
	return n;
}

/* From what has come: how many bytes, 0: more must come, -1. */
static ssize_t
inflate_some(struct deflated *d, void *p, size_t n, struct mt_err *err)
{
	uInt before = d->in.avail_in;
	int rc;

	d->in.next_out = p;
	d->in.avail_out = (uInt)MIN(n, UINT32_MAX);
	rc = inflate(&d->in, Z_SYNC_FLUSH);
	if (rc == Z_STREAM_END)
		d->has_ended = true;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return mt_fail(err, MT_EPROTO, "what the peer has deflated is damaged: %s",
		    d->in.msg != NULL ? d->in.msg : zError(rc));
	n -= d->in.avail_out;
	d->without_data = n > 0 ? 0 : d->without_data + (before - d->in.avail_in);
	if (d->without_data > MAX_WITHOUT_DATA)
		return mt_fail(err, MT_EPROTO, "the peer deflates nothing, without end");
	return (ssize_t)n;
}

/* The socket is waited for only when the transport below has nothing more: what TLS holds
   back is not seen by poll(2). */
static ssize_t
deflated_recv(struct mt_conn *c, void *p, size_t n, struct mt_err *err)
{
	struct deflated *d = c->state;

	while (!d->has_ended) {
		ssize_t got = inflate_some(d, p, n, err);

		if (got != 0)
			return got;
		if (d->has_ended)
			break;
		got = recv_below(c, d, err);
		if (got <= 0)
			return got;
		d->in.next_in = (Bytef *)d->from_peer;
		d->in.avail_in = (uInt)got;
	}
	return 0;
}

/* The caller gives the same bytes again until they are sent: they are deflated once. */
static ssize_t
deflated_send(struct mt_conn *c, const void *p, size_t n, struct mt_err *err)
{
	struct deflated *d = c->state;

	if (d->to_peer_sent == d->to_peer_n) {
		d->stands_for = MIN(n, OUT_PIECE);
		d->out.next_in = (z_const Bytef *)(uintptr_t)p;
		d->out.avail_in = (uInt)d->stands_for;
		d->out.next_out = (Bytef *)d->to_peer;
		d->out.avail_out = sizeof(d->to_peer);
		if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_in > 0 ||
		    d->out.avail_out == 0)
			return mt_fail(err, MT_ESOFTWARE, "deflate: %s",
			    d->out.msg != NULL ? d->out.msg : "no room");
		d->to_peer_sent = 0;
		d->to_peer_n = sizeof(d->to_peer) - d->out.avail_out;
	}
	while (d->to_peer_sent < d->to_peer_n) {
		ssize_t sent = send_below(c, d, err);

		if (sent < 0)
			return sent;
		d->to_peer_sent += (size_t)sent;
	}
	return (ssize_t)d->stands_for;
}

static void
deflated_close(struct mt_conn *c)
{
	struct deflated *d = c->state;

	c->state = d->state;
	d->io->close(c);
	inflateEnd(&d->in);
	deflateEnd(&d->out);
	g_free(d);
}

static const struct mt_conn_io deflated_io = { deflated_recv, deflated_send, deflated_close };

int
mt_conn_deflate(struct mt_conn *c, struct mt_err *err)
{
	struct deflated *d;

	if (mt_conn_flush(c, err) < 0)
		return -1;
	d = g_new0(struct deflated, 1);
	/* -15: the bare format of RFC 1951, with its largest window. */
	if (inflateInit2(&d->in, -15) != Z_OK || deflateInit2(&d->out, Z_DEFAULT_COMPRESSION,
	    Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		inflateEnd(&d->in);
		g_free(d);
		return mt_fail(err, MT_ESOFTWARE, "zlib cannot start");
	}
	d->in.next_in = memcpy(d->from_peer, c->in + c->in_start, mt_conn_buffered(c));
	d->in.avail_in = (uInt)mt_conn_buffered(c);
	c->in_start = c->in_end = 0;
	d->io = c->io;
	d->state = c->state;
	c->io = &deflated_io;
	c->state = d;
	return 0;
}
