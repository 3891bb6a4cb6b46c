/* wish.c - what a draft notes of how it is to be sent */
#include "send/wish.h"

#include <glib.h>

#include "tap.h"

static const struct {
	const char *header;
	int rc;
	const char *again;
} cases[] = {
	{ "Subject: x\n\n", 0, "" },
	{ "X-Mt-PGP: encrypt\n\n", 0, "X-Mt-PGP: encrypt\n" },
	{ "A: b\nx-mt-pgp:\n sign,\n encrypt\nC: d\n\n", 0, "X-Mt-PGP: sign encrypt\n" },
	{ "X-Mt-PGP: sign\nX-Mt-PGP: Encrypt\n\n", 0, "X-Mt-PGP: sign encrypt\n" },
	{ "X-Mt-PGP:\n\n", 0, "" },
	{ "X-Mt-PGP: encrypted\n\n", -1, "" },
	{ "X-Mt-PGP: sign, no\n\n", -1, "" },
	{ "X-Mt-PGP-2: no\n\n", 0, "" },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto_value(mt_buf) out = MT_BUF_INIT(200);
		size_t n = strlen(cases[i].header);
		char *copy = tap_exact(cases[i].header, n);
		struct mt_wish w = { 0 };
		struct mt_err err = { 0 };
		g_autofree char *again = NULL;

		is_int(mt_wish_find(mt_slice_mem(copy, n), &w, &err), cases[i].rc,
		    "case %zu is %s", i, cases[i].rc == 0 ? "taken" : "refused");
		ok(err.kind == (cases[i].rc == 0 ? MT_ENONE : MT_EDATA), "and says so");
		is_int(mt_wish_append(&out, &w), 0, "it can be written");
		again = mt_slice_dup(mt_buf_slice(&out));
		is_str(again, cases[i].again, "as it was meant");
		g_free(copy);
	}
	return tap_done();
}
