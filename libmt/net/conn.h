/* conn.h - one connection: a byte stream with lines, a deadline and pipelining */
#ifndef MT_NET_CONN_H
#define MT_NET_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/slice.h"

struct mt_conn;
struct mt_tls;

/*
 * What a client connection needs. Strings are borrowed during mt_conn_dial() only.
 * The URL is smtp://, smtps://, pop3://, pop3s:// (imap(s):// likewise) and
 * [user@]host[:port]; a "@" in the user may stand as it is; never with a password.
 * Without "s" STARTTLS is required; a server that does not offer it is taken as it is
 * only on loopback and with allow_plaintext (for a tunnel). The environment's proxies
 * are not used: what is not asked for here does not happen.
 */
struct mt_conn_dial {
	const char *url;
	const char *user;		/* instead of the URL's; none at all: no login */
	const char *password;		/* a user without one is MT_ECONF */
	const char *ca_file;		/* PEM bundle instead of the system's, or NULL */
	const char *cert_file;		/* PEM: a certificate to show the server, or NULL */
	const char *key_file;		/* and its key; NULL: in cert_file */
	const char *proxy;		/* "socks5h://host:port", "http://..." or NULL */
	const char *helo;		/* our name in EHLO; NULL: the host name */
	/*
	 * PLAIN, LOGIN, CRAM-MD5, or with an access token for the password XOAUTH2 and
	 * OAUTHBEARER (RFC 7628), or EXTERNAL: the certificate says who it is, and the
	 * password is ""; NULL: the best that is offered for a password. A POP3 server
	 * without SASL is told a password by USER and PASS where PLAIN or LOGIN is said.
	 */
	const char *mechanism;
	uint32_t connect_timeout_ms;	/* whole handshake with login; 0: 60 s */
	bool allow_plaintext;
};

/*
 * Client side, over libcurl: connects, does the greeting, STARTTLS and the login of the
 * URL's protocol and hands the stream over. Errors: MT_ETEMP (DNS, network, timeout,
 * 4yz), MT_EPERM (login refused), MT_EPROTO, MT_EUNAVAIL (TLS: certificate wrong, says
 * which name; TLS not offered; 5yz), MT_ECONF (bad URL). A server's words are quoted.
 */
struct mt_conn *mt_conn_dial(const struct mt_conn_dial *params, struct mt_err *err);

/*
 * What a URL says, for those who keep something per server: all g_free'd by
 * mt_conn_url_clear(). MT_ECONF when it is no mail server's URL.
 */
struct mt_conn_url {
	char *scheme;
	char *user;		/* decoded; NULL: none */
	char *host;		/* lower case */
	uint16_t port;		/* 0: not said */
};

int mt_conn_url_parse(const char *url, struct mt_conn_url *out, struct mt_err *err);
void mt_conn_url_clear(struct mt_conn_url *u);

/*
 * Every line that the server said before the hand-over (greeting, EHLO or CAPA answers,
 * login reply), LF-separated, oldest first; borrowed. The last EHLO or CAPA answer is
 * the one in force (after STARTTLS, RFC 3207 4.2).
 */
struct mt_slice mt_conn_preamble(const struct mt_conn *c);

/*
 * Whether reading failed since TLS ended without close_notify, so that somebody may have
 * cut the stream (which is MT_ETEMP): harmless behind the reply to QUIT, and only there.
 */
bool mt_conn_is_truncated(const struct mt_conn *c);

/* Server side, and tests: takes over a connected socket, in plain text. */
struct mt_conn *mt_conn_new(int fd);
/*
 * Server side: become TLS on this stream. Bytes that were buffered before the handshake
 * are MT_EPROTO: the caller closes (STARTTLS injection).
 */
int mt_conn_accept_tls(struct mt_conn *c, struct mt_tls *tls, struct mt_err *err);
/* "TLSv1.3" and "TLS_AES_256_GCM_SHA384", or NULL in plain text; borrowed. */
const char *mt_conn_tls_version(const struct mt_conn *c);
const char *mt_conn_tls_cipher(const struct mt_conn *c);

/*
 * From now on both directions are deflated (RFC 4978 3): what was written before goes out as
 * it is, and what is buffered and unread is the beginning of what the peer deflates. Data that
 * cannot be inflated is MT_EPROTO then; the peer's last block is the end of the stream.
 */
int mt_conn_deflate(struct mt_conn *c, struct mt_err *err);

/* Closes (TLS with its close_notify). Sends nothing that was not flushed; a client
   says no QUIT by itself. */
void mt_conn_free(struct mt_conn *c);

/*
 * From now on the sum of all waiting below must end within ms, else MT_ETEMP "timed
 * out". Set it again for each command, or each chunk of a body. A new connection
 * has five minutes.
 */
void mt_conn_set_deadline(struct mt_conn *c, uint32_t ms);

/*
 * One line without its LF or CRLF: 1, or 0 at the end of the stream, or -1. A line
 * longer than max bytes (below MT_MAX_CONN_IN) is MT_EPROTO, and stays unread; a
 * stream that ends in the middle of a line is MT_ETEMP. *line is valid until the
 * next call.
 * mt_conn_raw_line() gives it with its end, and gives at most max bytes of a longer
 * line (then *line does not end in LF): a body is read with it in constant memory.
 * Both flush what was written before they wait.
 */
int mt_conn_line(struct mt_conn *c, size_t max, struct mt_slice *line,
    struct mt_err *err);
int mt_conn_raw_line(struct mt_conn *c, size_t max, struct mt_slice *line,
    struct mt_err *err);
/*
 * What is there, at least one byte, at most all that is buffered: 1, or 0 at the end of
 * the stream, or -1. Consumed by mt_conn_consume(), so a parser can take a part.
 */
int mt_conn_peek(struct mt_conn *c, struct mt_slice *bytes, struct mt_err *err);
void mt_conn_consume(struct mt_conn *c, size_t n);
/*
 * Wait, whatever the deadline is, until there is something to read (the end of the stream, too):
 * MT_CONN_READY; until other, a descriptor or -1, can be read: MT_CONN_OTHER; or for ms:
 * MT_CONN_TIME. -1 with an error. What was written is flushed before.
 */
enum { MT_CONN_TIME, MT_CONN_READY, MT_CONN_OTHER };
int mt_conn_poll(struct mt_conn *c, int other, uint32_t ms, struct mt_err *err);
/* Bytes that were read from the peer and not consumed yet: 0 right before STARTTLS. */
size_t mt_conn_buffered(const struct mt_conn *c);

/*
 * Append to the output; sent when it grows past MT_MAX_CONN_OUT, and by mt_conn_flush()
 * and every read. While sending would block, input is read and kept (to a ceiling), so
 * that two pipelining sides do not wait for each other for ever. After a failure nothing
 * more can be sent; what the peer said last can still be read.
 */
int mt_conn_write(struct mt_conn *c, const void *p, size_t n, struct mt_err *err);
int mt_conn_writef(struct mt_conn *c, struct mt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int mt_conn_flush(struct mt_conn *c, struct mt_err *err);

MT_AUTO_DEFINE(mt_conn, mt_conn_free);
MT_AUTO_VALUE_DEFINE(mt_conn_url, mt_conn_url_clear);

#endif
