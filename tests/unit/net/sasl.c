/* sasl.c - strict base64, and PLAIN messages */
#include "net/sasl.h"

#include "tap.h"

#define BYTES(s) { "" s, sizeof(s) - 1 }

static const struct {
	const char *name;
	const char *text;
	struct mt_slice bytes;
	bool good;
} base64[] = {
	{ "nothing", "", BYTES(""), true },
	{ "one byte", "Zg==", BYTES("f"), true },
	{ "two bytes", "Zm8=", BYTES("fo"), true },
	{ "three bytes", "Zm9v", BYTES("foo"), true },
	{ "four bytes", "Zm9vYg==", BYTES("foob"), true },
	{ "all values", "APv/", BYTES("\0\xfb\xff"), true },
	{ "no padding", "Zg", BYTES(""), false },
	{ "short padding", "Zg=", BYTES(""), false },
	{ "padding in the middle", "Zg==Zg==", BYTES(""), false },
	{ "padding only", "====", BYTES(""), false },
	{ "too much padding", "Z===", BYTES(""), false },
	{ "bits behind one byte", "Zh==", BYTES(""), false },
	{ "bits behind two bytes", "Zm9=", BYTES(""), false },
	{ "a blank", "Zg= ", BYTES(""), false },
	{ "URL alphabet", "-_==", BYTES(""), false },
	{ "bytes behind it", "dXNlckB0ZXN0c2VydmVyAHlalala==", BYTES(""), false },
};

static const struct {
	const char *name;
	struct mt_slice message;
	const char *user;	/* NULL: refused */
	const char *secret;
} plain[] = {
	{ "no authzid", BYTES("\0ada\0pw"), "ada", "pw" },
	{ "the same authzid", BYTES("ada\0ada\0pw"), "ada", "pw" },
	{ "blanks in a password", BYTES("\0ada\0 p w "), "ada", " p w " },
	{ "UTF-8", BYTES("\0\xc3\xa5\0\xc3\xb6"), "\xc3\xa5", "\xc3\xb6" },
	{ "another authzid", BYTES("bob\0ada\0pw"), NULL, NULL },
	{ "no user", BYTES("\0\0pw"), NULL, NULL },
	{ "no password", BYTES("\0ada\0"), NULL, NULL },
	{ "a NUL in the password", BYTES("\0ada\0p\0w"), NULL, NULL },
	{ "one NUL", BYTES("ada\0pw"), NULL, NULL },
	{ "empty", BYTES(""), NULL, NULL },
	{ "bad UTF-8", BYTES("\0ada\0\xff"), NULL, NULL },
};

static void
test_plain(size_t i)
{
	char *exact = tap_exact(plain[i].message.p, plain[i].message.n);
	struct mt_slice user, secret;
	bool good = mt_sasl_plain(mt_slice_mem(exact, plain[i].message.n), &user, &secret);

	if (plain[i].user == NULL)
		ok(!good, "PLAIN, %s: refused", plain[i].name);
	else
		ok(good && mt_slice_eq(user, mt_slice_str(plain[i].user)) &&
		    mt_slice_eq(secret, mt_slice_str(plain[i].secret)), "PLAIN, %s",
		    plain[i].name);
	free(exact);
}

int
main(void)
{
	struct mt_buf small = MT_BUF_INIT(4);

	for (size_t i = 0; i < G_N_ELEMENTS(base64); i++) {
		size_t n = strlen(base64[i].text);
		char *exact = tap_exact(base64[i].text, n);
		struct mt_buf out = MT_BUF_INIT(100);
		bool good = mt_sasl_base64_decode(mt_slice_mem(exact, n), &out);

		ok(good == base64[i].good &&
		    (!good || mt_slice_eq(mt_buf_slice(&out), base64[i].bytes)),
		    "base64, %s", base64[i].name);
		mt_buf_clear(&out);
		free(exact);
	}
	ok(!mt_sasl_base64_decode(MT_SLICE("Zm9vYg=="), &small) ||
	    small.n == 4, "base64 stops at the ceiling");
	ok(!mt_sasl_base64_decode(MT_SLICE("Zm9vYmFy"), &small),
	    "base64 past the ceiling is refused");
	mt_buf_clear(&small);
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
		test_plain(i);
	return tap_done();
}
