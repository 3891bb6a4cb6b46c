/* ident.c - messages that differ only in what a server wrote into them are the same */
#include "fetch/ident.h"

#include <string.h>

#include "tap.h"

/* In pieces of that size. */
static void
ident_of(const char *text, size_t piece, uint8_t out[MT_DIGEST_SIZE])
{
	mt_auto(mt_fetch_ident) i = mt_fetch_ident_new();

	/* Whatever came before does not matter. */
	mt_fetch_ident_add(i, "X-Uid", 5);
	mt_fetch_ident_end(i, out);
	for (size_t at = 0; at < strlen(text); at += piece)
		mt_fetch_ident_add(i, text + at, MIN(piece, strlen(text) - at));
	mt_fetch_ident_end(i, out);
}

static bool
are_same(const char *a, const char *b)
{
	uint8_t of_a[MT_DIGEST_SIZE], of_b[MT_DIGEST_SIZE], digest[MT_DIGEST_SIZE];

	ident_of(a, strlen(a) + 1, of_a);
	for (size_t piece = 1; piece < 40; piece++) {
		ident_of(b, piece, of_b);
		ident_of(b, 1000, digest);
		if (memcmp(of_b, digest, MT_DIGEST_SIZE) != 0)
			return false;
	}
	return memcmp(of_a, of_b, MT_DIGEST_SIZE) == 0;
}

static const struct {
	const char *a;
	const char *b;
	bool same;
	const char *why;
} table[] = {
	{ "Subject: a\n\nb\n", "Subject: a\n\nb\n", true, "itself" },
	{ "Subject: a\n\nb\n", "Subject: a\n\nc\n", false, "another body" },
	{ "Subject: a\n\nb\n", "Subject: b\n\nb\n", false, "another subject" },
	{ "Subject: a\n\nb\n", "Subject: a\nStatus: RO\n\nb\n", true, "a status" },
	{ "Subject: a\n\nb\n", "sTATUS: O\nSubject: a\n\nb\n", true, "in any case, first" },
	{ "A: 1\n\n", "A: 1\nX-UIDL: x\n y\n\tz\nX-Status: A\nX-Keywords:\nX-UID: 1\n"
	    "Content-Length: 12\n\n", true, "all of them, with continuations" },
	{ "A: 1\n 2\n\n", "A: 1\n\n", false, "a continuation of another field" },
	{ "A: 1\n\n", "A: 1\nX-Statused: RO\n\n", false, "a longer name" },
	{ "A: 1\n\n", "A: 1\nX-Stat: RO\n\n", false, "a shorter name" },
	{ "A: 1\n\n", "A: 1\nStatus\n\n", false, "no colon" },
	{ "A: 1\n\nb\n", "A: 1\n\nStatus: RO\nb\n", false, "in the body" },
	{ "A: 1", "A: 1\nStatus", false, "the end within a name" },
	{ "Status: RO", "", true, "nothing but a status" },
	{ "\n", "", false, "an empty line" },
	{ "A: 1\nContent-Length-Of-Another: 1\n\n", "A: 1\n\n", false, "a long name" },
};

int
main(void)
{
	static const char plain[] = "Subject: a\n\nb\n";
	uint8_t ident[MT_DIGEST_SIZE], digest[MT_DIGEST_SIZE];

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		ok(are_same(table[i].a, table[i].b) == table[i].same, "%s", table[i].why);
		ok(are_same(table[i].b, table[i].a) == table[i].same, "%s", table[i].why);
	}
	ident_of(plain, 100, ident);
	mt_digest_sha256(plain, strlen(plain), digest);
	ok(memcmp(ident, digest, MT_DIGEST_SIZE) == 0, "else it is the digest of it all");
	return tap_done();
}
