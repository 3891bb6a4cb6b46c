/* dot.c - stored messages to wire bytes, at every split */
#include "net/dot.h"

#include "tap.h"

#define BYTES(s) { "" s, sizeof(s) - 1 }

static const struct {
	const char *name;
	enum mt_dot_kind kind;
	struct mt_slice stored;
	struct mt_slice wire;
} cases[] = {
	{ "LF becomes CRLF", MT_DOT_SMTP, BYTES("a\n\nb\n"), BYTES("a\r\n\r\nb\r\n.\r\n") },
	{ "CRLF stays", MT_DOT_SMTP, BYTES("a\r\nb\r\n"), BYTES("a\r\nb\r\n.\r\n") },
	{ "both in one file", MT_DOT_SMTP, BYTES("a\r\nb\nc\r\n"),
	  BYTES("a\r\nb\r\nc\r\n.\r\n") },
	{ "dots are doubled", MT_DOT_SMTP, BYTES(".\n..\n.x\nx.\n"),
	  BYTES("..\r\n...\r\n..x\r\nx.\r\n.\r\n") },
	{ "a dot line with CRLF", MT_DOT_SMTP, BYTES(".\r\n"), BYTES("..\r\n.\r\n") },
	{ "a last line without an end", MT_DOT_SMTP, BYTES("a\nb"),
	  BYTES("a\r\nb\r\n.\r\n") },
	{ "a last dot without an end", MT_DOT_SMTP, BYTES("."), BYTES("..\r\n.\r\n") },
	{ "an empty message", MT_DOT_SMTP, BYTES(""), BYTES(".\r\n") },
	{ "8-bit bytes", MT_DOT_SMTP, BYTES("\xff\n"), BYTES("\xff\r\n.\r\n") },
	{ "BDAT stuffs nothing", MT_DOT_BDAT, BYTES(".\n..x"), BYTES(".\r\n..x\r\n") },
	{ "BDAT of nothing", MT_DOT_BDAT, BYTES(""), BYTES("") },
	{ "POP3 passes a bare CR", MT_DOT_POP3, BYTES("a\rb\r\r\n\r.\n.\n"),
	  BYTES("a\rb\r\r\n\r.\r\n..\r\n.\r\n") },
	{ "POP3 passes a last CR", MT_DOT_POP3, BYTES("a\r"), BYTES("a\r\r\n.\r\n") },
	{ "POP3 passes a NUL", MT_DOT_POP3, BYTES("a\0b\n"), BYTES("a\0b\r\n.\r\n") },
};

static const struct {
	const char *name;
	struct mt_slice stored;
	const char *words;
} refused[] = {
	{ "a bare CR", BYTES("a\nb\rc\n"), "a bare CR in line 2 (offset 3)" },
	{ "a CR before CRLF", BYTES("a\r\r\n"), "a bare CR in line 1 (offset 1)" },
	{ "a CR at the end", BYTES("a\nbc\r"), "a bare CR in line 2 (offset 4)" },
	{ "a NUL", BYTES("ab\r\n\0\n"), "a NUL in line 2 (offset 4)" },
	{ "a CR before a dot", BYTES("\r.\n"), "a bare CR in line 1 (offset 0)" },
};

/* Encode in two pieces that are split there, or byte by byte past the end. */
static int
encode(struct mt_slice stored, enum mt_dot_kind kind, size_t split, int64_t lines,
    struct mt_buf *out, struct mt_err *err)
{
	size_t step = split > stored.n ? 1 : stored.n;
	size_t piece = split > stored.n ? 1 : split;
	struct mt_dot d;

	mt_dot_init(&d, kind);
	if (lines >= 0)
		mt_dot_limit_body(&d, (uint64_t)lines);
	for (size_t at = 0; at < stored.n; at += piece, piece = step) {
		char *exact;
		int rc;

		piece = MIN(piece, stored.n - at);
		exact = tap_exact(stored.p + at, piece);
		rc = mt_dot_encode(&d, mt_slice_mem(exact, piece), out, err);
		free(exact);
		if (rc < 0)
			return -1;
		if (piece == 0)
			step = stored.n;
	}
	if (mt_dot_finish(&d, out, err) < 0)
		return -1;
	return d.size == out->n ? 0 : -1;
}

static bool
gives(struct mt_slice stored, enum mt_dot_kind kind, int64_t lines, struct mt_slice wire)
{
	for (size_t split = 0; split <= stored.n + 1; split++) {
		struct mt_buf out = MT_BUF_INIT(1000);
		bool same = encode(stored, kind, split, lines, &out, NULL) == 0 &&
		    mt_slice_eq(mt_buf_slice(&out), wire);

		if (!same)
			printf("# split %zu: \"%s\"\n", split, out.p);
		mt_buf_clear(&out);
		if (!same)
			return false;
	}
	return true;
}

static bool
refuses(struct mt_slice stored, const char *words)
{
	for (size_t split = 0; split <= stored.n + 1; split++) {
		struct mt_buf out = MT_BUF_INIT(1000);
		struct mt_err err = { 0 };
		int rc = encode(stored, MT_DOT_SMTP, split, -1, &out, &err);
		bool same = rc < 0 && err.kind == MT_EDATA &&
		    g_str_has_prefix(err.msg, words);

		if (!same)
			printf("# split %zu: %d \"%s\"\n", split, rc, err.msg);
		mt_buf_clear(&out);
		if (!same)
			return false;
	}
	return true;
}

int
main(void)
{
	struct mt_slice message = MT_SLICE("A: b\n.c: d\n\n1\n.2\n3\n");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ok(gives(cases[i].stored, cases[i].kind, -1, cases[i].wire), "%s",
		    cases[i].name);
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
		ok(refuses(refused[i].stored, refused[i].words), "%s is refused",
		    refused[i].name);
	ok(gives(message, MT_DOT_POP3, 0,
	    MT_SLICE("A: b\r\n..c: d\r\n\r\n.\r\n")), "TOP 0 is the header");
	ok(gives(message, MT_DOT_POP3, 2,
	    MT_SLICE("A: b\r\n..c: d\r\n\r\n1\r\n..2\r\n.\r\n")), "TOP 2 is two lines more");
	ok(gives(message, MT_DOT_POP3, 99,
	    MT_SLICE("A: b\r\n..c: d\r\n\r\n1\r\n..2\r\n3\r\n.\r\n")),
	    "TOP 99 is all there is");
	return tap_done();
}
