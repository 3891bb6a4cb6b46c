/* conn.c - lines, chunks, deadlines and pipelining of connections, over socket pairs */
#include "net/conn.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/proc.h"
#include "net/tls.h"
#include "tap.h"

struct pair {
	struct mt_conn *c;
	int peer;
};

static struct pair
pair_new(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		abort();
	return (struct pair){ mt_conn_new(fd[0]), fd[1] };
}

static void
pair_clear(struct pair *p)
{
	mt_conn_free(p->c);
	close(p->peer);
}

static void
say(const struct pair *p, const void *text, size_t n)
{
	if (write(p->peer, text, n) != (ssize_t)n)
		abort();
}

static void
says(const struct pair *p, const char *text)
{
	say(p, text, strlen(text));
}

static void
is_slice(struct mt_slice got, const char *want, const char *what)
{
	g_autofree char *text = mt_slice_dup(got);

	is_str(text, want, "%s", what);
}

static void
test_lines(void)
{
	static const struct {
		const char *name, *in, *want[4];
	} cases[] = {
		{ "CRLF", "a\r\nbc\r\n", { "a", "bc" } },
		{ "LF alone", "a\nbc\n", { "a", "bc" } },
		{ "empty lines", "\r\n\n", { "", "" } },
		{ "bare CR stays", "a\rb\r\r\n", { "a\rb\r" } },
		{ "ten is not too long", "0123456789\r\n", { "0123456789" } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pair p = pair_new();
		struct mt_err err = { 0 };
		struct mt_slice line;

		says(&p, cases[i].in);
		shutdown(p.peer, SHUT_WR);
		for (size_t j = 0; cases[i].want[j] != NULL; j++) {
			is_int(mt_conn_line(p.c, 10, &line, &err), 1, "%s: line %zu",
			    cases[i].name, j);
			is_slice(line, cases[i].want[j], cases[i].name);
		}
		is_int(mt_conn_line(p.c, 10, &line, &err), 0, "%s: then the end",
		    cases[i].name);
		is_int(mt_conn_line(p.c, 10, &line, &err), 0, "%s: and it stays so",
		    cases[i].name);
		pair_clear(&p);
	}
}

static void
test_bad_lines(void)
{
	static const struct {
		const char *name, *in;
		enum mt_err_kind kind;
	} cases[] = {
		{ "eleven bytes and an end", "01234567890\r\n", MT_EPROTO },
		{ "without an end", "0123456789012345678901234", MT_EPROTO },
		{ "bare LF, too long", "01234567890\n", MT_EPROTO },
		{ "the end in a line", "half", MT_ETEMP },
		{ "the end behind CR", "half\r", MT_ETEMP },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pair p = pair_new();
		struct mt_err err = { 0 };
		struct mt_slice line;

		says(&p, cases[i].in);
		shutdown(p.peer, SHUT_WR);
		is_int(mt_conn_line(p.c, 10, &line, &err), -1, "%s: refused",
		    cases[i].name);
		is_int(err.kind, cases[i].kind, "%s: %s", cases[i].name, err.msg);
		pair_clear(&p);
	}
}

static void
test_raw_lines(void)
{
	static const char *const want[] = { "ab\r\n", "\n", "01234567", "89\r\n", "x\ry\n",
		"end" };
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	struct mt_slice line;

	says(&p, "ab\r\n\n0123456789\r\nx\ry\nend");
	shutdown(p.peer, SHUT_WR);
	for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
		is_int(mt_conn_raw_line(p.c, 8, &line, &err), 1, "chunk %zu", i);
		is_slice(line, want[i], "as it stands");
	}
	is_int(mt_conn_raw_line(p.c, 8, &line, &err), 0, "the end");
	pair_clear(&p);
}

/* More than the buffer holds, in pieces that straddle its end. */
static void *
feed_much(void *arg)
{
	const struct pair *p = arg;
	char text[100];

	for (int i = 0; i < 20000; i++) {
		int n = snprintf(text, sizeof(text), "line %d of many, with some length\r\n",
		    i);

		say(p, text, (size_t)n);
	}
	shutdown(p->peer, SHUT_WR);
	return NULL;
}

static void
test_many_lines(void)
{
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	struct mt_slice line;
	pthread_t thread;
	int n = 0, good = 0;

	pthread_create(&thread, NULL, feed_much, &p);
	while (mt_conn_line(p.c, 1000, &line, &err) > 0) {
		g_autofree char *want =
		    g_strdup_printf("line %d of many, with some length", n++);

		good += mt_slice_eq(line, mt_slice_str(want));
	}
	pthread_join(thread, NULL);
	is_int(n, 20000, "every line arrives");
	is_int(good, 20000, "and is what was sent");
	pair_clear(&p);
}

static void
test_peek(void)
{
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	struct mt_slice bytes, line;

	says(&p, "abc\ndef");
	is_int(mt_conn_peek(p.c, &bytes, &err), 1, "something is there");
	is_slice(bytes, "abc\ndef", "all of it");
	is_int(mt_conn_buffered(p.c), 7, "and buffered");
	mt_conn_consume(p.c, 1);
	is_int(mt_conn_line(p.c, 10, &line, &err), 1, "a line behind it");
	is_slice(line, "bc", "begins behind what was consumed");
	is_int(mt_conn_buffered(p.c), 3, "the rest is buffered");
	mt_conn_consume(p.c, 3);
	shutdown(p.peer, SHUT_WR);
	is_int(mt_conn_peek(p.c, &bytes, &err), 0, "the end");
	pair_clear(&p);
}

static void
test_deadline(void)
{
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	struct mt_slice line;
	uint64_t start = mt_proc_now_ms(), took;
	g_autofree char *much = g_malloc0(4 << 20);

	says(&p, "no end");
	mt_conn_set_deadline(p.c, 100);
	is_int(mt_conn_line(p.c, 100, &line, &err), -1, "nothing more comes");
	took = mt_proc_now_ms() - start;
	ok(took >= 100 && took < 5000, "it took %d ms", (int)took);
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
	says(&p, "\n");
	mt_conn_set_deadline(p.c, 1000);
	is_int(mt_conn_line(p.c, 100, &line, &err), 1, "later it can go on");
	is_slice(line, "no end", "with what was there");
	err = (struct mt_err){ 0 };
	mt_conn_set_deadline(p.c, 100);
	is_int(mt_conn_write(p.c, much, 4 << 20, &err), -1, "nobody reads what we send");
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
	is_int(mt_conn_flush(p.c, &err), -1, "after which nothing can be sent");
	says(&p, "421 too slow\r\n");
	is_int(mt_conn_line(p.c, 100, &line, &err), 1, "but the last words can be read");
	is_slice(line, "421 too slow", "as they were");
	pair_clear(&p);
}

static void
test_write(void)
{
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	struct mt_slice line;
	char got[100];
	ssize_t n;

	is_int(mt_conn_writef(p.c, &err, "RETR %d\r\n", 1), 0, "written");
	is_int(recv(p.peer, got, sizeof(got), MSG_DONTWAIT), -1, "but gathered");
	mt_conn_write(p.c, "QUIT\r\n", 6, &err);
	says(&p, "+OK\r\n");
	is_int(mt_conn_line(p.c, 100, &line, &err), 1, "a read");
	n = recv(p.peer, got, sizeof(got), MSG_DONTWAIT);
	is_slice(mt_slice_mem(got, (size_t)MAX(n, 0)), "RETR 1\r\nQUIT\r\n", "sends it first");
	close(p.peer);
	p.peer = -1;
	mt_conn_write(p.c, "x", 1, &err);
	is_int(mt_conn_flush(p.c, &err), -1, "a closed peer is an error, not a signal");
	is_int(err.kind, MT_ETEMP, "%s", err.msg);
	mt_conn_free(p.c);
}

/*
 * Both sides pipeline: each sends more than the kernel holds before it reads anything.
 * Without reading while sending, this would stand still until the deadline.
 */
#define FLOOD 12000

static void *
flood(void *arg)
{
	struct mt_conn *c = arg;
	struct mt_err err = { 0 };
	struct mt_slice line;
	intptr_t bad = 0;

	mt_conn_set_deadline(c, 20000);
	for (int i = 0; i < FLOOD; i++)
		bad += mt_conn_write(c, "ping\r\n", 6, &err) < 0;
	bad += mt_conn_flush(c, &err) < 0;
	for (int i = 0; i < FLOOD; i++)
		bad += mt_conn_line(c, 100, &line, &err) != 1;
	return (void *)bad;
}

static void
test_no_deadlock(void)
{
	int fd[2], small = 4096;
	struct mt_conn *a, *b;
	pthread_t thread;
	void *bad;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		abort();
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	a = mt_conn_new(fd[0]);
	b = mt_conn_new(fd[1]);
	pthread_create(&thread, NULL, flood, a);
	ok(flood(b) == NULL, "one side sent and read it all");
	pthread_join(thread, &bad);
	ok(bad == NULL, "the other too");
	mt_conn_free(a);
	mt_conn_free(b);
}

/* TLS. */

struct identity {
	char *cert, *key;
};

static char *
bio_text(BIO *bio)
{
	char *p, *copy;
	long n = BIO_get_mem_data(bio, &p);

	copy = g_strndup(p, (size_t)n);
	BIO_free(bio);
	return copy;
}

/* A throw-away certificate for "localhost" that signs itself. */
static struct identity
identity_new(void)
{
	struct identity id;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *out;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	out = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(out, x);
	id.cert = bio_text(out);
	out = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	id.key = bio_text(out);
	X509_free(x);
	EVP_PKEY_free(key);
	return id;
}

static void
identity_clear(struct identity *id)
{
	g_free(id->cert);
	g_free(id->key);
}

enum manner { CLEAN, CUT, GARBAGE };

struct tls_peer {
	int fd;
	enum manner manner;
	char echo[64];
};

/* A TLS client that says two lines, hears one, and ends in its manner. */
static void *
tls_peer_main(void *arg)
{
	struct tls_peer *t = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	int n;

	if (t->manner == GARBAGE) {
		(void)!write(t->fd, "EHLO in the clear\r\n", 19);
	} else {
		SSL_set_fd(ssl, t->fd);
		if (SSL_connect(ssl) == 1) {
			SSL_write(ssl, "hello\r\nworld\r\nhalf", 18);
			n = SSL_read(ssl, t->echo, sizeof(t->echo) - 1);
			t->echo[MAX(n, 0)] = '\0';
		}
		if (t->manner == CLEAN)
			SSL_shutdown(ssl);
	}
	shutdown(t->fd, SHUT_WR);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return NULL;
}

static void
test_tls(enum manner manner, const char *name)
{
	struct identity id = identity_new();
	struct mt_err err = { 0 };
	mt_auto(mt_tls) tls =
	    mt_tls_new(mt_slice_str(id.cert), mt_slice_str(id.key), &err);
	struct pair p = pair_new();
	struct tls_peer t = { p.peer, manner, "" };
	struct mt_slice line;
	pthread_t thread;

	ok(tls != NULL, "%s: certificate and key fit", name);
	pthread_create(&thread, NULL, tls_peer_main, &t);
	if (manner == GARBAGE) {
		is_int(mt_conn_accept_tls(p.c, tls, &err), -1, "%s: no handshake", name);
		is_int(err.kind, MT_EPROTO, "%s: %s", name, err.msg);
	} else {
		is_int(mt_conn_accept_tls(p.c, tls, &err), 0, "%s: handshake", name);
		is_str(mt_conn_tls_version(p.c), "TLSv1.3", "%s: version", name);
		ok(mt_conn_tls_cipher(p.c) != NULL, "%s: cipher", name);
		is_int(mt_conn_line(p.c, 100, &line, &err), 1, "%s: a line", name);
		is_slice(line, "hello", name);
		mt_conn_writef(p.c, &err, "250 hi\r\n");
		is_int(mt_conn_line(p.c, 100, &line, &err), 1, "%s: another", name);
		is_slice(line, "world", name);
		is_int(mt_conn_flush(p.c, &err), 0, "%s: an answer", name);
		is_int(mt_conn_raw_line(p.c, 100, &line, &err), manner == CLEAN ? 1 : -1,
		    "%s: the end in a line", name);
		is_int(mt_conn_is_truncated(p.c), manner == CUT, "%s: cut or not", name);
		if (manner == CLEAN) {
			is_slice(line, "half", name);
			is_int(mt_conn_raw_line(p.c, 100, &line, &err), 0, "%s: then the "
			    "end", name);
		} else {
			is_int(err.kind, MT_ETEMP, "%s: %s", name, err.msg);
		}
	}
	pthread_join(thread, NULL);
	if (manner != GARBAGE)
		is_str(t.echo, "250 hi\r\n", "%s: the peer heard it", name);
	pair_clear(&p);
	identity_clear(&id);
}

static void
test_injection(void)
{
	struct identity id = identity_new();
	struct mt_err err = { 0 };
	mt_auto(mt_tls) tls =
	    mt_tls_new(mt_slice_str(id.cert), mt_slice_str(id.key), &err);
	struct pair p = pair_new();
	struct mt_slice line;

	says(&p, "STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n");
	is_int(mt_conn_line(p.c, 100, &line, &err), 1, "STARTTLS and more");
	is_int(mt_conn_accept_tls(p.c, tls, &err), -1, "is no TLS");
	is_int(err.kind, MT_EPROTO, "%s", err.msg);
	pair_clear(&p);
	identity_clear(&id);
}

static void
test_bad_certificates(void)
{
	struct identity a = identity_new(), b = identity_new();
	struct mt_err err = { 0 };
	g_autofree char *damaged = g_strconcat(a.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n", NULL);

	ok(mt_tls_new(mt_slice_str(a.cert), mt_slice_str(b.key), &err) == NULL,
	    "a key of somebody else");
	is_int(err.kind, MT_ECONF, "%s", err.msg);
	ok(mt_tls_new(mt_slice_str(""), mt_slice_str(a.key), &err) == NULL,
	    "no certificate");
	is_int(err.kind, MT_ECONF, "%s", err.msg);
	ok(mt_tls_new(mt_slice_str(a.cert), mt_slice_str(a.cert), &err) == NULL, "no key");
	is_int(err.kind, MT_ECONF, "%s", err.msg);
	ok(mt_tls_new(mt_slice_str(damaged), mt_slice_str(a.key), &err) == NULL,
	    "a damaged certificate in the chain");
	is_int(err.kind, MT_ECONF, "%s", err.msg);
	identity_clear(&a);
	identity_clear(&b);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_lines();
	test_bad_lines();
	test_raw_lines();
	test_many_lines();
	test_peek();
	test_deadline();
	test_write();
	test_no_deadlock();
	test_tls(CLEAN, "clean end");
	test_tls(CUT, "cut off");
	test_tls(GARBAGE, "no TLS at all");
	test_injection();
	test_bad_certificates();
	return tap_done();
}
