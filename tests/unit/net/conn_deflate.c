/* conn_deflate.c - connections that are deflated, over socket pairs */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "net/conn.h"
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
	if (p->peer >= 0)
		close(p->peer);
}

static void
say(int fd, const void *text, size_t n)
{
	for (const char *at = text; n > 0;) {
		ssize_t w = write(fd, at, n);

		if (w < 0)
			abort();
		at += w;
		n -= (size_t)w;
	}
}

/* What zlib makes of it, up to a flush of that kind. */
static GByteArray *
deflated(const void *p, size_t n, int flush)
{
	GByteArray *out = g_byte_array_new();
	z_stream z = { 0 };

	deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
	g_byte_array_set_size(out, (guint)deflateBound(&z, n) + 64);
	z.next_in = (z_const Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out->data;
	z.avail_out = out->len;
	deflate(&z, flush);
	g_byte_array_set_size(out, out->len - z.avail_out);
	deflateEnd(&z);
	return out;
}

static void
say_deflated(int fd, const char *text, int flush)
{
	g_autoptr(GByteArray) bytes = deflated(text, strlen(text), flush);

	say(fd, bytes->data, bytes->len);
}

static void
is_line(struct mt_conn *c, const char *want, const char *what)
{
	struct mt_err err = { 0 };
	struct mt_slice line = { NULL, 0 };
	int rc = mt_conn_line(c, 1000, &line, &err);
	g_autofree char *got = rc == 1 ? mt_slice_dup(line) : NULL;

	is_str(got, want, "%s", what);
	is_str(err.msg, "", "%s: no error", what);
}

static void
test_reading(void)
{
	struct pair p = pair_new();
	g_autoptr(GByteArray) more = deflated("second\r\nthird\r\n", 15, Z_SYNC_FLUSH);
	struct mt_err err = { 0 };
	struct mt_slice line;

	say(p.peer, "plain\r\n", 7);
	say(p.peer, more->data, more->len);
	is_line(p.c, "plain", "a line before the switch is as it is");
	ok(mt_conn_buffered(p.c) > 0, "with it came the beginning of what is deflated");
	is_int(mt_conn_deflate(p.c, &err), 0, "it begins");
	is_line(p.c, "second", "what was buffered is inflated");
	is_line(p.c, "third", "all of it");
	mt_conn_set_deadline(p.c, 50);
	is_int(mt_conn_line(p.c, 100, &line, &err), -1, "then nothing comes");
	is_str(err.msg, "timed out", "and the deadline holds");
	pair_clear(&p);
}

static void
test_byte_by_byte(void)
{
	struct pair p = pair_new();
	g_autoptr(GByteArray) bytes = deflated("one line, slowly\r\n", 18, Z_FINISH);
	struct mt_err err = { 0 };
	struct mt_slice line;
	guint last = 0;
	int rc = -1;

	mt_conn_deflate(p.c, &err);
	for (guint i = 0; i < bytes->len && rc < 0; i++) {
		say(p.peer, bytes->data + i, 1);
		mt_conn_set_deadline(p.c, 1);
		rc = mt_conn_line(p.c, 100, &line, &err);
		last = i;
	}
	ok(rc == 1 && mt_slice_eq(line, MT_SLICE("one line, slowly")), "a line is there when "
	    "its last byte is");
	say(p.peer, bytes->data + last + 1, bytes->len - last - 1);
	mt_conn_set_deadline(p.c, 10000);
	is_int(mt_conn_line(p.c, 100, &line, &err), 0, "the last block is the end");
	is_int(mt_conn_line(p.c, 100, &line, &err), 0, "and it stays so");
	pair_clear(&p);
}

/* Each is what a hostile peer sends. */
static void
test_damaged(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ "a block of the kind that there is not", "\x07", 1, "damaged" },
		{ "a stored block whose length does not fit", "\x01\x01\x00\x00\x00z", 6,
			"damaged" },
		{ "a reference to before the beginning", "\x4b\x04\x42\x00\x00", 5, "damaged" },
		{ "plain text", "* OK hello there\r\n", 18, "damaged" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pair p = pair_new();
		struct mt_err err = { 0 };
		struct mt_slice line;

		mt_conn_deflate(p.c, &err);
		say(p.peer, cases[i].bytes, cases[i].n);
		shutdown(p.peer, SHUT_WR);
		is_int(mt_conn_line(p.c, 100, &line, &err), -1, "%s: an error", cases[i].name);
		is_int(err.kind, MT_EPROTO, "%s: of the protocol", cases[i].name);
		ok(strstr(err.msg, cases[i].want) != NULL, "%s: %s", cases[i].name, err.msg);
		pair_clear(&p);
	}
}

static void
test_cut(void)
{
	struct pair p = pair_new();
	g_autoptr(GByteArray) bytes = deflated("half a line", 11, Z_SYNC_FLUSH);
	struct mt_err err = { 0 };
	struct mt_slice line;

	mt_conn_deflate(p.c, &err);
	say(p.peer, bytes->data, bytes->len - 6);
	shutdown(p.peer, SHUT_WR);
	is_int(mt_conn_line(p.c, 100, &line, &err), -1, "cut off in a line");
	is_int(err.kind, MT_ETEMP, "is worth another try");
	pair_clear(&p);
}

struct sent {
	int fd;
	const GByteArray *bytes;
	size_t times;
};

/* A thread, as the socket takes less than this. Who has heard enough closes. */
static void *
say_often(void *arg)
{
	const struct sent *s = arg;

	for (size_t i = 0; i < s->times; i++) {
		if (send(s->fd, s->bytes->data, s->bytes->len, MSG_NOSIGNAL) < 0)
			break;
	}
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static void
test_without_end(void)
{
	struct pair p = pair_new();
	g_autoptr(GByteArray) empty = g_byte_array_new();
	struct sent sent = { p.peer, empty, 1000 };
	struct mt_err err = { 0 };
	struct mt_slice line;
	pthread_t thread;

	/* Stored blocks without a byte: 1 MB of them. */
	for (int i = 0; i < 200; i++)
		g_byte_array_append(empty, (const guint8 *)"\0\0\0\xff\xff", 5);
	mt_conn_deflate(p.c, &err);
	pthread_create(&thread, NULL, say_often, &sent);
	is_int(mt_conn_line(p.c, 100, &line, &err), -1, "empty blocks without end: an error");
	is_str(err.msg, "the peer deflates nothing, without end", "that says so");
	mt_conn_free(g_steal_pointer(&p.c));
	pthread_join(thread, NULL);
	pair_clear(&p);
}

/* 256 MB of zeros in 256 KB: what is not read takes no memory. */
static void
test_bomb(void)
{
	static char zeros[MT_MIB(16)];
	struct pair p = pair_new();
	g_autoptr(GByteArray) bytes = deflated(zeros, sizeof(zeros), Z_FULL_FLUSH);
	struct sent sent = { p.peer, bytes, 16 };
	struct mt_err err = { 0 };
	struct mt_slice piece;
	struct rusage before, after;
	size_t total = 0;
	pthread_t thread;
	int rc;

	ok(bytes->len < 20000, "16 MB are %u bytes", bytes->len);
	mt_conn_deflate(p.c, &err);
	getrusage(RUSAGE_SELF, &before);
	pthread_create(&thread, NULL, say_often, &sent);
	while ((rc = mt_conn_peek(p.c, &piece, &err)) > 0 && piece.n <= MT_MAX_CONN_IN) {
		total += piece.n;
		mt_conn_consume(p.c, piece.n);
	}
	getrusage(RUSAGE_SELF, &after);
	pthread_join(thread, NULL);
	is_int(rc, 0, "it comes to its end, in pieces that have room");
	is_int(total, 16 * sizeof(zeros), "all of it");
	ok(after.ru_maxrss - before.ru_maxrss < 4096, "memory grew by %ld KiB",
	    after.ru_maxrss - before.ru_maxrss);
	pair_clear(&p);
}

#define BOTH_WAYS MT_MIB(3)

/* The next n bytes that come. */
static size_t
take(struct mt_conn *c, char *to, size_t n)
{
	struct mt_err err = { 0 };
	struct mt_slice piece;
	size_t at = 0;

	mt_conn_set_deadline(c, 20000);
	while (at < n && mt_conn_peek(c, &piece, &err) > 0) {
		piece = mt_slice_first(piece, MIN(piece.n, n - at));
		memcpy(to + at, piece.p, piece.n);
		at += piece.n;
		mt_conn_consume(c, piece.n);
	}
	return at;
}

/* Gives back all, when it is there. */
static void *
echo(void *arg)
{
	struct mt_conn *c = arg;
	g_autofree char *bytes = g_malloc(BOTH_WAYS);
	struct mt_err err = { 0 };

	if (mt_conn_write(c, bytes, take(c, bytes, BOTH_WAYS), &err) == 0)
		(void)mt_conn_flush(c, &err);
	return NULL;
}

/* More than all buffers hold: random bytes and text, in turns. */
static void
test_both_ways(void)
{
	struct pair p = pair_new();
	struct mt_conn *peer = mt_conn_new(p.peer);
	g_autofree char *bytes = g_malloc(BOTH_WAYS), *got = g_malloc(BOTH_WAYS);
	struct mt_err err = { 0 };
	pthread_t thread;

	for (size_t i = 0; i < BOTH_WAYS; i++)
		bytes[i] = (char)(i / 50000 % 2 == 0 ? g_random_int() : 'a' + i % 7);
	mt_conn_deflate(p.c, &err);
	mt_conn_deflate(peer, &err);
	pthread_create(&thread, NULL, echo, peer);
	mt_conn_set_deadline(p.c, 20000);
	is_int(mt_conn_write(p.c, bytes, BOTH_WAYS, &err), 0, "3 MB go");
	is_int(take(p.c, got, BOTH_WAYS), BOTH_WAYS, "as much comes back");
	ok(memcmp(got, bytes, BOTH_WAYS) == 0, "and the same");
	pthread_join(thread, NULL);
	mt_conn_free(peer);
	mt_conn_free(p.c);
}

static void
test_order(void)
{
	struct pair p = pair_new();
	struct mt_err err = { 0 };
	char got[64];

	mt_conn_writef(p.c, &err, "M1 COMPRESS DEFLATE\r\n");
	mt_conn_deflate(p.c, &err);
	is_int(read(p.peer, got, sizeof(got)), 21, "what was written before is sent as it is");
	ok(memcmp(got, "M1 COMPRESS DEFLATE\r\n", 21) == 0, "unchanged");
	mt_conn_writef(p.c, &err, "M2 NOOP\r\n");
	is_int(mt_conn_flush(p.c, &err), 0, "the next is sent");
	ok(read(p.peer, got, sizeof(got)) > 4 && memcmp(got, "M2 N", 4) != 0, "deflated");
	say_deflated(p.peer, "M2 OK\r\n", Z_SYNC_FLUSH);
	is_line(p.c, "M2 OK", "the answer, too");
	pair_clear(&p);
}

int
main(void)
{
	test_reading();
	test_byte_by_byte();
	test_damaged();
	test_cut();
	test_without_end();
	test_bomb();
	test_both_ways();
	test_order();
	return tap_done();
}
