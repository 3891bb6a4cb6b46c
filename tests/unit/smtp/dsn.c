/* dsn.c - the words of RFC 3461 */
#include "smtp/dsn.h"

#include <string.h>

#include "tap.h"

static const struct {
	const char *text;
	unsigned bits;		/* 0: an error */
	const char *words;
} notifies[] = {
	{ "never", MT_DSN_NEVER, "NEVER" },
	{ "Success", MT_DSN_SUCCESS, "SUCCESS" },
	{ "delay, failure,SUCCESS", 7, "SUCCESS,FAILURE,DELAY" },
	{ "failure,failure", MT_DSN_FAILURE, "FAILURE" },
	{ "", 0, NULL },
	{ "never,failure", 0, NULL },
	{ "success,", 0, NULL },
	{ "always", 0, NULL },
};

static const char *const no_orcpt[] = { "", "rfc822", "rfc822;", ";a@b", "a b;c", "rfc822;a b",
	"rfc822;a+", "rfc822;a+2b", "rfc822;a=b", "rfc\xc3\xbc;a", "rfc822;\xc3\xbc@b",
	"rfc822;a\rb" };

int
main(void)
{
	const struct mt_dsn nothing = { 0 };
	struct mt_dsn_rcpt own = { MT_DSN_NEVER, "rfc822;a+2Bb@x.example" };
	const struct mt_dsn all = { MT_DSN_SUCCESS | MT_DSN_DELAY, MT_DSN_RET_HDRS, "a+b =c" };
	g_autoptr(GString) mail = g_string_new(NULL), rcpt = g_string_new(NULL);
	g_autofree char *long_id = g_strnfill(MT_DSN_ENVID_MAX + 1, 'x');
	enum mt_dsn_ret ret = MT_DSN_RET_UNSAID;
	struct mt_err err = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(notifies); i++) {
		unsigned bits = 0;
		int rc = mt_dsn_notify_parse(notifies[i].text, &bits, &err);
		g_autofree char *words = mt_dsn_notify_text(bits);

		ok(bits == notifies[i].bits && (rc == 0) == (bits != 0), "notify: %s",
		    notifies[i].text);
		is_str(words, notifies[i].words != NULL ? notifies[i].words : "", "as words");
	}
	ok(mt_dsn_ret_parse("FULL", &ret, &err) == 0 && ret == MT_DSN_RET_FULL, "ret: full");
	ok(mt_dsn_ret_parse("hdrs", &ret, &err) == 0 && ret == MT_DSN_RET_HDRS, "ret: hdrs");
	ok(mt_dsn_ret_parse("", &ret, &err) < 0 && err.kind == MT_EUSAGE, "ret: nothing");
	ok(mt_dsn_is_envid("a b+=") && mt_dsn_is_envid(long_id + 1), "ids");
	long_id[50] = '+';
	ok(!mt_dsn_is_envid(long_id + 1) && mt_dsn_is_envid(long_id + 3),
	    "their length is that on the wire");
	ok(mt_dsn_is_orcpt("rfc822;a+2Bb@x.example") && mt_dsn_is_orcpt("x-y;z"),
	    "original recipients");
	for (size_t i = 0; i < G_N_ELEMENTS(no_orcpt); i++)
		ok(!mt_dsn_is_orcpt(no_orcpt[i]), "none: %s", no_orcpt[i]);
	ok(!mt_dsn_is_envid("") && !mt_dsn_is_envid(long_id) && !mt_dsn_is_envid("a\tb") &&
	    !mt_dsn_is_envid("\xc3\xbc"), "none");
	mt_dsn_append_mail(mail, &nothing);
	mt_dsn_append_rcpt(rcpt, &nothing, NULL, "a@b.example");
	is_str(mail->str, "", "who says nothing says nothing behind MAIL");
	is_str(rcpt->str, "", "nor behind RCPT");
	mt_dsn_append_mail(mail, &all);
	mt_dsn_append_rcpt(rcpt, &all, NULL, "\"a b\"+c=d@x.example");
	is_str(mail->str, " RET=HDRS ENVID=a+2Bb+20+3Dc", "MAIL");
	is_str(rcpt->str, " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;\"a+20b\"+2Bc+3Dd@x.example", "RCPT");
	g_string_truncate(rcpt, 0);
	mt_dsn_append_rcpt(rcpt, &all, NULL, "\xc3\xbc@x.example");
	is_str(rcpt->str, " NOTIFY=SUCCESS,DELAY", "an address that is not ASCII");
	g_string_truncate(rcpt, 0);
	mt_dsn_append_rcpt(rcpt, &all, &own, "c@x.example");
	is_str(rcpt->str, " NOTIFY=NEVER ORCPT=rfc822;a+2Bb@x.example",
	    "a recipient's own wish, and who it was at first");
	own.notify = 0;
	g_string_truncate(rcpt, 0);
	mt_dsn_append_rcpt(rcpt, &nothing, &own, "c@x.example");
	is_str(rcpt->str, " ORCPT=rfc822;a+2Bb@x.example", "that alone");
	ok(mt_dsn_wants_failure(0) && mt_dsn_wants_failure(7) && !mt_dsn_wants_failure(8) &&
	    !mt_dsn_wants_failure(1), "failures");
	ok(mt_dsn_wants_delay(0) && mt_dsn_wants_delay(4) && !mt_dsn_wants_delay(2), "delays");
	return tap_done();
}
