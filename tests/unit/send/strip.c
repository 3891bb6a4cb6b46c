/* strip.c - tests of libmt/send/strip.c */
#include "send/strip.h"

#include <glib.h>

#include "base/limits.h"
#include "tap.h"

static const struct {
	const char *name, *in, *want, *why;	/* why: what mt_strip_check() says, or NULL */
} cases[] = {
	{ "nothing to take", "From: a\n\n", "From: a\n\n", NULL },
	{ "one, in any case, folded", "From: a\nBCC : b,\n c\nTo: d\n\n", "From: a\nTo: d\n\n",
	    NULL },
	{ "all of them", "Bcc: a\nResent-Bcc: b\nBcc: c\n\n", "\n", NULL },
	{ "others that begin alike", "Bcc-x: a\nX-Bcc: b\n\n", "Bcc-x: a\nX-Bcc: b\n\n", NULL },
	{ "CRLF", "From: a\r\nBcc: b\r\n\r\n", "From: a\r\n\r\n", NULL },
	{ "the last, without an end", "From: a\nBcc: b", "From: a\n", NULL },
	{ "an mbox line stays", "From x\nBcc: b\nTo: c\n\n", "From x\nTo: c\n\n", NULL },
	{ "behind a line that is none", "From: a\nno field\nBcc: b\n\n",
	    "From: a\nno field\n\n", "line 2" },
	{ "before such a line", "Bcc: b\nno field\nTo: a\n\n", "no field\nTo: a\n\n", NULL },
	{ "nothing", "", "", NULL },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_HEADER);
		size_t n = strlen(cases[i].in);
		char *in = tap_exact(cases[i].in, n);
		struct mt_err err = { 0 };
		g_autofree char *got = NULL;
		int rc;

		ok(mt_strip_append(&out, mt_slice_mem(in, n), mt_strip_hidden) == 0, "%s",
		    cases[i].name);
		got = mt_slice_dup(mt_buf_slice(&out));
		is_str(got, cases[i].want, "%s: what stays", cases[i].name);
		rc = mt_strip_check(mt_slice_mem(in, n), mt_strip_hidden, &err);
		ok(cases[i].why == NULL ? rc == 0 : rc < 0 && err.kind == MT_EDATA &&
		    strstr(err.msg, cases[i].why) != NULL, "%s: whether it is sure: %s",
		    cases[i].name, err.msg);
		free(in);
	}
	return tap_done();
}
