/* subject.c - tests of libmt/message/subject.c */
#include "message/subject.h"

#include <glib.h>

#include "tap.h"

int
main(void)
{
	static const char *const words[] = { "fwd", "fw", NULL };
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "tea", "Fwd: tea" },
		{ "", "Fwd: " },
		{ " Fwd: tea ", "Fwd: tea" },
		{ "FW: Fwd: fwd[3] : tea", "Fwd: tea" },
		{ "Fwd:", "Fwd: " },
		{ "Fwd", "Fwd: Fwd" },
		{ "Fwd[: tea", "Fwd: Fwd[: tea" },
		{ "Fwd[2: tea", "Fwd: Fwd[2: tea" },
		{ "Fwd[99999999999]: tea", "Fwd: Fwd[99999999999]: tea" },
		{ "Re: Fwd: tea", "Fwd: Re: Fwd: tea" },
		{ "Fwdish: tea", "Fwd: Fwdish: tea" },
		{ "f\xc3\xbcr Fwd:", "Fwd: f\xc3\xbcr Fwd:" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *in = g_strdup(cases[i].in);	/* of its exact size */
		g_autofree char *got = mt_subject_begin("Fwd: ", words, in);

		is_str(got, cases[i].want, "\"%s\"", cases[i].in);
	}
	return tap_done();
}
