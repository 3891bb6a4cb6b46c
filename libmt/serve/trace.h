/* trace.h - the header fields that we put on top of a message (RFC 5321 4.4) */
#ifndef MT_SERVE_TRACE_H
#define MT_SERVE_TRACE_H

#include <stdint.h>

#include "base/buf.h"
#include "smtp/session.h"

struct mt_serve_trace {
	const struct mt_smtp_envelope *envelope;
	const char *mailbox;	/* who gets this copy */
	const char *helo;
	const char *peer;	/* address, or "unix" */
	const char *with;	/* "ESMTPS" */
	const char *tls_version, *tls_cipher;	/* NULL: none */
	const char *host;	/* us */
	const char *id;
	int64_t time;
};

/*
 * Append Return-Path, Delivered-To and Received, lines ending in LF. The recipient is
 * named in Received only when there is but one, for who else got a copy may be a secret
 * (RFC 5321 7.2).
 */
void mt_serve_trace_write(const struct mt_serve_trace *t, struct mt_buf *out);

#endif
