/* preamble.c - refusals, mechanisms and reasons in what a server says before the login */
#include "net/preamble.h"

#include "tap.h"

#define JSON "eyJzdGF0dXMiOiI0MDAifQ=="	/* {"status":"400"} */

static const struct {
	const char *name, *said;
	enum mt_err_kind kind;
	const char *dsn;
} refusals[] = {
	{ "nothing", "", MT_ENONE, "" },
	{ "a greeting", "220 hi\n", MT_ENONE, "" },
	{ "two digits", "53", MT_ENONE, "" },
	{ "SMTP, for ever", "220 hi\n535 5.7.8 no\n", MT_EPERM, "5.7.8" },
	{ "SMTP, for now", "220 hi\n454 4.7.0 later\n", MT_ETEMP, "4.7.0" },
	{ "the last line counts", "535 5.7.8 no\n235 2.7.0 in\n", MT_ENONE, "2.7.0" },
	{ "a code and no more", "535\n", MT_EPERM, "" },
	{ "an enhanced code and no more", "535 5.7.8", MT_EPERM, "5.7.8" },
	{ "of the longest kind", "550 5.123.456", MT_EPERM, "5.123.456" },
	{ "a longer one is none", "550 5.1234.5678 x\n", MT_EPERM, "" },
	{ "a word with dots", "550 a.b.c no\n", MT_EPERM, "" },
	{ "an address is no code", "550 192.0.2.1 no\n", MT_EPERM, "" },
	{ "POP3", "+OK\n-ERR [AUTH] no\n", MT_EPERM, "" },
	{ "POP3, for now", "-ERR [SYS/TEMP] later\n", MT_ETEMP, "" },
	{ "POP3, in use", "-err [in-use] later\n", MT_ETEMP, "" },
	{ "IMAP", "* OK hi\nA001 NO [AUTHENTICATIONFAILED] no\n", MT_EPERM, "" },
	{ "IMAP, for now", "A001 NO [UNAVAILABLE] later\n", MT_ETEMP, "" },
	{ "IMAP, a server that ends the session", "* BYE too busy\n", MT_ETEMP, "" },
	{ "IMAP, a command it does not know", "A001 BAD what\n", MT_EPERM, "" },
	{ "IMAP, nothing behind the word", "A001 NO", MT_ENONE, "" },
};

static const struct {
	const char *name, *said;
	const char *mechanisms;		/* NULL: none */
} offers[] = {
	{ "nothing", "", NULL },
	{ "SMTP", "220 hi\n250-me\n250 AUTH PLAIN LOGIN\n", "PLAIN LOGIN" },
	{ "in small letters", "250-me\n250-auth  plain\n250 SIZE\n", "plain" },
	{ "two lines of them", "250-me\n250-AUTH PLAIN\n250 AUTH LOGIN\n", "PLAIN LOGIN" },
	{ "a server called AUTH", "220 hi\n250-AUTH me\n250 SIZE\n", NULL },
	{ "the old form", "250-me\n250-AUTH=PLAIN\n250 SIZE\n", NULL },
	{ "before STARTTLS only",
		"250-me\n250 AUTH PLAIN\n220 go\n250-me\n250 SIZE 5\n", NULL },
	{ "behind STARTTLS only",
		"250-me\n250 STARTTLS\n220 go\n250-me\n250 AUTH LOGIN\n", "LOGIN" },
	{ "and a refusal behind", "250-me\n250 AUTH LOGIN\n535 5.7.8 no\n", "LOGIN" },
	{ "POP3", "+OK hi\n+OK\nUSER\nSASL PLAIN CRAM-MD5\n.\n+OK\n", "PLAIN CRAM-MD5" },
	{ "POP3, before STLS only", "+OK hi\n+OK\nSASL PLAIN\n.\n+OK go\n+OK\nUSER\n.\n", NULL },
	{ "POP3, an answer cut off", "+OK hi\n+OK\nSASL PLAIN\n", NULL },
	{ "IMAP", "* OK hi\n* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 IDLE\nA OK\n",
		"PLAIN XOAUTH2" },
	{ "IMAP, in the greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] AUTH=X\n", "PLAIN" },
	{ "IMAP, before STARTTLS only",
		"* CAPABILITY IMAP4rev1 AUTH=PLAIN\nA OK\n* CAPABILITY IMAP4rev1\n", NULL },
};

static const struct {
	const char *name, *said;
	const char *reason;		/* NULL: none */
} reasons[] = {
	{ "nothing", "", NULL },
	{ "SMTP", "250 me\n334 " JSON "\n535 no\n", "{\"status\":\"400\"}" },
	{ "POP3 and IMAP", "+ " JSON "\n-ERR no\n", "{\"status\":\"400\"}" },
	{ "an invitation only", "334 \n535 no\n", NULL },
	{ "a challenge of CRAM-MD5", "334 PDEyM0B4Pg==\n535 no\n", NULL },
	{ "no base64", "334 {}\n", NULL },
	{ "cut off", "334 eyJzdGF0dXMiOi", "{\"status\"" },
};

/* The bytes alone, so that a sanitizer sees one too far. */
#define EXACT(text) mt_slice_mem(copy, strlen(text))

static void
test_refusals(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autofree char *copy = tap_exact(refusals[i].said, strlen(refusals[i].said));
		struct mt_refusal r;

		mt_preamble_refusal(EXACT(refusals[i].said), &r);
		is_int(r.kind, refusals[i].kind, "refusal, %s: kind", refusals[i].name);
		is_str(r.dsn, refusals[i].dsn, "refusal, %s: code", refusals[i].name);
	}
}

static void
test_offers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
		g_autofree char *copy = tap_exact(offers[i].said, strlen(offers[i].said));
		g_autofree char *got = mt_preamble_mechanisms(EXACT(offers[i].said));

		is_str(got, offers[i].mechanisms, "offer, %s", offers[i].name);
	}
}

static void
test_reasons(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		g_autofree char *copy = tap_exact(reasons[i].said, strlen(reasons[i].said));
		g_autofree char *got = mt_preamble_token_reason(EXACT(reasons[i].said));

		is_str(got, reasons[i].reason, "reason, %s", reasons[i].name);
	}
}

int
main(void)
{
	test_refusals();
	test_offers();
	test_reasons();
	return tap_done();
}
