/* utf7.c - modified UTF-7: one form for each name, nothing else is taken */
#include "imap/utf7.h"

#include "tap.h"

static const struct {
	const char *wire, *name;
} good[] = {
	{ "INBOX", "INBOX" },
	{ "a&-b", "a&b" },
	{ "&-", "&" },
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e" },
	{ "Entw&APw-rfe", "Entw\u00fcrfe" },
	{ "&2D3eAA-", "\U0001f600" },
	{ "&AGEAYg-", NULL },		/* could stand for itself */
	{ "&AAA-", NULL },		/* NUL */
	{ "&APw", NULL },		/* no end */
	{ "&APx-", NULL },		/* bits behind */
	{ "&AP-", NULL },		/* half a character */
	{ "&2D0-", NULL },		/* half a pair */
	{ "&3gA-", NULL },		/* the other half */
	{ "&AP/8-", NULL },		/* "/" is no letter there */
	{ "&A-", NULL },
	{ "\xff", NULL },
};

int
main(void)
{
	g_autofree char *raw = mt_imap_utf7_decode(mt_slice_str("Entw\u00fcrfe"));

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *copy = tap_exact(good[i].wire, strlen(good[i].wire));
		g_autofree char *name =
		    mt_imap_utf7_decode(mt_slice_mem(copy, strlen(good[i].wire)));
		g_autofree char *wire = name != NULL ? mt_imap_utf7_encode(name) : NULL;

		is_str(name, good[i].name, "%s", good[i].wire);
		if (name != NULL)
			is_str(wire, good[i].wire, "%s, and back", good[i].wire);
	}
	is_str(raw, "Entw\u00fcrfe", "UTF-8 that a server did not encode stays");
	return tap_done();
}
