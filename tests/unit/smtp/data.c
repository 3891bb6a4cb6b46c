/* data.c - the DATA decoder: one end, no smuggling, every split */
#include "smtp/data.h"

#include "base/limits.h"
#include "tap.h"

struct run {
	enum mt_smtp_data_status status;
	GString *message;
	size_t left;		/* bytes behind the end */
	uint64_t size;
	size_t hops;
};

/* Decode wire in pieces: first bytes, then the rest one piece, or step bytes each. */
static struct run
decode(struct mt_slice wire, size_t first, size_t step, uint64_t size_max)
{
	struct run r = { .message = g_string_new(NULL) };
	struct mt_smtp_data d;
	size_t at = 0, piece = first;

	mt_smtp_data_init(&d, size_max);
	do {
		char *in, *out;
		struct mt_slice rest;
		size_t n;

		piece = MIN(piece, wire.n - at);
		in = tap_exact(wire.p + at, piece);
		out = malloc(piece == 0 ? 1 : piece);
		rest = mt_slice_mem(in, piece);
		r.status = mt_smtp_data_decode(&d, &rest, out, &n);
		g_string_append_len(r.message, out, (gssize)n);
		at += piece - rest.n;
		free(in);
		free(out);
		piece = step;
	} while (r.status == MT_SMTP_DATA_MORE && at < wire.n);
	r.left = wire.n - at;
	r.size = d.size;
	r.hops = d.hops;
	return r;
}

/* The same result at every split in two, and byte by byte. */
static bool
holds(struct mt_slice wire, enum mt_smtp_data_status status, const char *message,
    size_t left)
{
	for (size_t split = 0; split <= wire.n + 1; split++) {
		bool bytewise = split > wire.n;
		struct run r = decode(wire, bytewise ? 1 : split,
		    bytewise ? 1 : wire.n, 0);
		bool same = r.status == status &&
		    (message == NULL || strcmp(r.message->str, message) == 0) &&
		    (status != MT_SMTP_DATA_OK || r.left == left);

		if (!same)
			printf("# split %zu: status %d, left %zu, \"%s\"\n", split,
			    r.status, r.left, r.message->str);
		g_string_free(r.message, TRUE);
		if (!same)
			return false;
	}
	return true;
}

static const struct {
	const char *name;
	const char *wire;
	const char *message;
	size_t left;
} whole[] = {
	{ "a message", "Subject: x\r\n\r\nhi\r\n.\r\n", "Subject: x\n\nhi\n", 0 },
	{ "an empty message", ".\r\n", "", 0 },
	{ "only an empty line", "\r\n.\r\n", "\n", 0 },
	{ "a stuffed dot", "..\r\n..x\r\n...\r\n.\r\n", ".\n.x\n..\n", 0 },
	{ "a dot that nobody stuffed is dropped", ".x\r\n.\r\n", "x\n", 0 },
	{ "dots inside lines", "a.\r\n b .\r\n.\r\n", "a.\n b .\n", 0 },
	{ "a pipelined command stays", "a\r\n.\r\nQUIT\r\n", "a\n", 6 },
	{ "what follows the end may be anything", "a\r\n.\r\n\n\r", "a\n", 2 },
	{ "8-bit bytes", "\xff\x80\r\n.\r\n", "\xff\x80\n", 0 },
};

#define BYTES(s) { "" s, sizeof(s) - 1 }

/*
 * Every way to write an end of data that another server could believe (what is known as
 * SMTP smuggling), in the middle of a message that ends right. All are refused.
 */
static const struct {
	const char *name;
	struct mt_slice wire;
	enum mt_smtp_data_status status;
} smuggled[] = {
	{ "LF . LF", BYTES("a\n.\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "LF . CRLF", BYTES("a\n.\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "CRLF . LF", BYTES("a\r\n.\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "CR . CR", BYTES("a\r.\rMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CR . CRLF", BYTES("a\r.\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CRLF . CR", BYTES("a\r\n.\rMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "LF . CR", BYTES("a\n.\rMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "CR . LF", BYTES("a\r.\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CRLF . CR CRLF", BYTES("a\r\n.\r\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CR CRLF . CRLF", BYTES("a\r\r\n.\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CRLF NUL . CRLF", BYTES("a\r\n\0.\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_NUL },
	{ "CRLF . NUL CRLF", BYTES("a\r\n.\0\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_NUL },
	{ "CR NUL LF . CRLF", BYTES("a\r\0\n.\r\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "CRLF . CR NUL LF", BYTES("a\r\n.\r\0\nMAIL\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "LF first of all", BYTES("\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "LF LF", BYTES("a\n\n.\r\n"), MT_SMTP_DATA_BARE_LF },
	{ "a lone CR at the end of a line", BYTES("a\rb\r\n.\r\n"), MT_SMTP_DATA_BARE_CR },
	{ "a NUL in a line", BYTES("a\0b\r\n.\r\n"), MT_SMTP_DATA_NUL },
	{ "a NUL before an LF", BYTES("a\0\n.\r\n"), MT_SMTP_DATA_NUL },
	{ "an LF before a NUL", BYTES("a\n\0.\r\n"), MT_SMTP_DATA_BARE_LF },
};

static void
test_size(void)
{
	struct mt_slice wire = MT_SLICE("12345678\r\n.\r\n");
	struct run r = decode(wire, wire.n, wire.n, 10);

	is_int(r.status, MT_SMTP_DATA_OK, "a message as big as the ceiling passes");
	is_int(r.size, 10, "a line end counts as two octets");
	g_string_free(r.message, TRUE);
	r = decode(wire, wire.n, wire.n, 9);
	is_int(r.status, MT_SMTP_DATA_TOO_BIG, "one octet more is too big");
	is_int(r.left, 0, "a message that is too big is read to its end");
	g_string_free(r.message, TRUE);
	r = decode(MT_SLICE("123456789012\r\nabc\n.\r\n"), 5, 3, 9);
	is_int(r.status, MT_SMTP_DATA_BARE_LF, "a bare LF counts past the ceiling too");
	ok(r.message->len <= 9, "nothing is written past the ceiling");
	g_string_free(r.message, TRUE);
}

static size_t
hops_of(const char *wire, size_t step)
{
	struct run r = decode(mt_slice_str(wire), step, step, 0);
	size_t hops = r.hops;

	g_string_free(r.message, TRUE);
	return hops;
}

static void
test_hops(void)
{
	GString *wire = g_string_new(NULL);
	struct run r;

	is_int(hops_of("Received: a\r\nreceived:b\r\nX-Received: c\r\n Received: d\r\n"
	    "\r\nReceived: e\r\n.\r\n", 1000), 2, "Received is counted in the header");
	is_int(hops_of("RECEIVED: a\r\nReceive: b\r\nReceived\r\n\r\n.\r\n", 1), 1,
	    "Received is counted byte by byte");
	for (size_t i = 0; i < MT_MAX_HOPS - 1; i++)
		g_string_append(wire, "Received: from x\r\n\tby y\r\n");
	g_string_append(wire, "\r\nbody\r\n.\r\n");
	r = decode(mt_slice_str(wire->str), 7, 7, 0);
	is_int(r.status, MT_SMTP_DATA_OK, "49 hops are no loop");
	g_string_free(r.message, TRUE);
	g_string_prepend(wire, "Received: from x\r\n");
	r = decode(mt_slice_str(wire->str), 7, 7, 0);
	is_int(r.status, MT_SMTP_DATA_LOOP, "50 hops are a loop");
	g_string_free(r.message, TRUE);
	g_string_free(wire, TRUE);
}

static void
test_long_line(void)
{
	GString *wire = g_string_new(NULL);
	struct run r;

	for (int i = 0; i < 300000; i++)
		g_string_append_c(wire, (char)('a' + i % 26));
	g_string_append(wire, "\r\n.\r\n");
	r = decode(mt_slice_str(wire->str), 4096, 4096, 0);
	ok(r.status == MT_SMTP_DATA_OK && r.message->len == 300001 &&
	    strncmp(r.message->str, wire->str, 300000) == 0,
	    "a line of 300,000 octets passes");
	g_string_free(r.message, TRUE);
	g_string_free(wire, TRUE);
}

static void
test_final(void)
{
	struct mt_smtp_data d;
	struct mt_slice in = MT_SLICE("a\n.\r\n");
	char out[8];
	size_t n;

	mt_smtp_data_init(&d, 0);
	mt_smtp_data_decode(&d, &in, out, &n);
	in = MT_SLICE("\r\n.\r\n");
	is_int(mt_smtp_data_decode(&d, &in, out, &n), MT_SMTP_DATA_BARE_LF,
	    "a refusal stays a refusal");
	ok(in.n == 5 && n == 0, "and takes nothing more");
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(whole); i++)
		ok(holds(mt_slice_str(whole[i].wire), MT_SMTP_DATA_OK, whole[i].message,
		    whole[i].left), "%s, at every split", whole[i].name);
	for (size_t i = 0; i < G_N_ELEMENTS(smuggled); i++)
		ok(holds(smuggled[i].wire, smuggled[i].status, NULL, 0),
		    "%s is refused, at every split", smuggled[i].name);
	ok(holds(MT_SLICE("a\r\n"), MT_SMTP_DATA_MORE, "a\n", 0),
	    "without a dot there is no end");
	ok(holds(MT_SLICE("a\r\n.\r"), MT_SMTP_DATA_MORE, "a\n", 0),
	    "half an end is no end");
	test_size();
	test_hops();
	test_long_line();
	test_final();
	return tap_done();
}
