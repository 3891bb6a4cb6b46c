/* pgp_key.c - which key a name stands for in what GnuPG lists */
#include "message/pgp_key.h"

#include <string.h>

#include "tap.h"

#define FPR_1 "1111111111111111111111111111111111111111"
#define FPR_2 "2222222222222222222222222222222222222222"
#define SUB "9999999999999999999999999999999999999999"

/* Records as gpg 2.2 lists them. */
#define KEY(validity, created, caps, fpr) \
	"pub:" validity ":255:22:F478C30D5304FEC7:" created ":::-:::" caps ":::::ed25519:::0:\n" \
	"fpr:::::::::" fpr ":\n"
#define ID(validity, text) "uid:" validity "::::1795767395::969E92F9::" text "::::::::::0:\n"
#define SUBKEY "sub:f:255:18:A62D62F776A05366:1795767395::::::e:::::cv25519::\n" \
	"fpr:::::::::" SUB ":\n"
#define BOB "Bob <b@x.example>"

static const struct {
	const char *name;
	const char *listing;
	const char *asked;
	enum mt_pgp_use use;
	const char *fpr;	/* NULL: refused, with this in the message */
	const char *says;
	bool is_vouched;
} cases[] = {
	{ "one key", "tru:o:1:1795767395:1:3:1:5\n" KEY("f", "5", "scESC", FPR_1) ID("f", BOB)
	    SUBKEY, "<b@x.example>", MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "an address alone", KEY("u", "5", "scESC", FPR_1) ID("u", "b@x.example"),
	    "<b@x.example>", MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "in other letters", KEY("u", "5", "scESC", FPR_1) ID("u", "B <B@X.example>"),
	    "<b@x.Example>", MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "a marginal one", KEY("m", "5", "scESC", FPR_1) ID("m", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "nobody vouches for it", KEY("-", "5", "scESC", FPR_1) ID("-", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, FPR_1, NULL, false },
	{ "never trusted", KEY("n", "5", "scESC", FPR_1) ID("n", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, FPR_1, NULL, false },
	{ "vouched for as somebody else", KEY("f", "5", "scESC", FPR_1)
	    ID("f", "Eve <e@x.example>") ID("-", BOB), "<b@x.example>", MT_PGP_ENCRYPT, FPR_1,
	    NULL, false },
	{ "a newer key that nobody vouches for", KEY("f", "5", "scESC", FPR_1) ID("f", BOB)
	    KEY("-", "6", "scESC", FPR_2) ID("-", BOB), "<b@x.example>", MT_PGP_ENCRYPT, FPR_1,
	    NULL, true },
	{ "one that is vouched for as another, first", KEY("u", "9", "scESC", FPR_1)
	    ID("u", "Eve <e@x.example>") ID("-", BOB) KEY("f", "6", "scESC", FPR_2)
	    ID("f", BOB), "<b@x.example>", MT_PGP_ENCRYPT, FPR_2, NULL, true },
	{ "the newer of two", KEY("f", "50", "scESC", FPR_1) ID("f", BOB)
	    KEY("f", "6", "scESC", FPR_2) ID("f", BOB), "<b@x.example>", MT_PGP_ENCRYPT, FPR_1,
	    NULL, true },
	{ "an old one that was revoked is out of the way", KEY("r", "9", "sc", FPR_1)
	    ID("r", BOB) KEY("f", "6", "scESC", FPR_2) ID("f", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, FPR_2, NULL, true },
	{ "no key", "tru::1:1795767395:0:3:1:5\n", "<b@x.example>", MT_PGP_ENCRYPT, NULL,
	    "<b@x.example>: GnuPG has no key for it", false },
	{ "no secret key", "", "<b@x.example>", MT_PGP_SIGN, NULL, "has no secret key", false },
	{ "an address that only ends so", KEY("f", "5", "scESC", FPR_1)
	    ID("f", "BB <bb@x.example>"), "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key", false },
	{ "an address in a name", KEY("f", "5", "scESC", FPR_1)
	    ID("f", "b@x.example <e@x.example>"), "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key",
	    false },
	{ "two addresses in one user id", KEY("f", "5", "scESC", FPR_1)
	    ID("f", "Eve <e@x.example> <b@x.example>"), "<b@x.example>", MT_PGP_ENCRYPT, NULL,
	    "no key", false },
	{ "revoked", KEY("r", "5", "sc", FPR_1) ID("r", BOB), "<b@x.example>", MT_PGP_ENCRYPT,
	    NULL, FPR_1 " has been revoked", false },
	{ "expired", KEY("e", "5", "sc", FPR_1) ID("e", BOB), "<b@x.example>", MT_PGP_ENCRYPT,
	    NULL, FPR_1 " has expired", false },
	{ "disabled", KEY("f", "5", "scESCD", FPR_1) ID("f", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, NULL, "is disabled", false },
	{ "the user id was revoked, the key was not", KEY("f", "5", "scESC", FPR_1)
	    ID("f", "Bob <new@x.example>") ID("r", BOB), "<b@x.example>", MT_PGP_ENCRYPT, NULL,
	    "has this address no more", false },
	{ "it cannot encrypt", KEY("f", "5", "scSC", FPR_1) ID("f", BOB), "<b@x.example>",
	    MT_PGP_ENCRYPT, NULL, "cannot be used for this", false },
	{ "it cannot sign", "sec:u:255:22:F478:5:::u:::cEC:::+::ed25519:::0:\nfpr:::::::::" FPR_1
	    ":\n" ID("u", BOB), "<b@x.example>", MT_PGP_SIGN, NULL, "cannot be used", false },
	{ "it can", "sec:u:255:22:F478:5:::u:::scESC:::+::ed25519:::0:\nfpr:::::::::" FPR_1
	    ":\n" ID("u", BOB), "<b@x.example>", MT_PGP_SIGN, FPR_1, NULL, true },
	{ "by another name all count", KEY("f", "5", "scESC", FPR_1) ID("f", BOB), "Bob",
	    MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "a colon in the address", KEY("f", "5", "scESC", FPR_1) ID("f", "<b@[IPv6\\x3a\\x3a1]>"),
	    "<b@[IPv6::1]>", MT_PGP_ENCRYPT, FPR_1, NULL, true },
	{ "a key without a fingerprint", "pub:f:255:22:F478:5:::-:::scESC:\n" ID("f", BOB),
	    "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key", false },
	{ "a fingerprint that is none", KEY("f", "5", "scESC", "--output") ID("f", BOB),
	    "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key", false },
	{ "one that is too long", KEY("f", "5", "scESC", FPR_1 FPR_2) ID("f", BOB),
	    "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key", false },
	{ "a record without its fields", "pub\nfpr\nuid\n", "<b@x.example>", MT_PGP_ENCRYPT, NULL,
	    "no key", false },
	{ "cut off", "pub:f:255:22:F478:5:::-:::scESC:\nfpr:::::::::" FPR_1 "\nuid:f",
	    "<b@x.example>", MT_PGP_ENCRYPT, NULL, "no key", false },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].listing);
		char *copy = tap_exact(cases[i].listing, n);
		struct mt_pgp_key key = { .fpr = "" };
		struct mt_err err = { 0 };
		int rc = mt_pgp_key_choose(mt_slice_mem(copy, n), cases[i].asked, cases[i].use,
		    &key, &err);

		if (cases[i].fpr == NULL)
			ok(rc < 0 && err.kind == MT_ECONF &&
			    strstr(err.msg, cases[i].says) != NULL, "%s: %s", cases[i].name,
			    err.msg);
		else
			ok(rc == 0 && strcmp(key.fpr, cases[i].fpr) == 0 &&
			    key.is_vouched == cases[i].is_vouched, "%s: %s%s", cases[i].name,
			    key.fpr, err.msg);
		g_free(copy);
	}
	return tap_done();
}
