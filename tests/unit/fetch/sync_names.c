/* sync_names.c - names of mailboxes as paths, and back; never out of the directory */
#include "fetch/sync_names.h"

#include "tap.h"

static const struct {
	const char *name, *path;
	char delimiter;
	bool has_prefix;
} both[] = {
	{ "INBOX", "INBOX", '/', false },
	{ "Lists/mutt", "Lists/mutt", '/', false },
	{ "Lists.mutt", "Lists/mutt", '.', false },
	{ "Lists.mutt", "Lists.mutt", '/', false },
	{ "a/b", "a%2Fb", '.', false },
	{ "a/b", "a%2Fb", '\0', false },
	{ "..", "%2E.", '/', false },
	{ "../../etc", "%2E./%2E./etc", '/', false },
	{ "/etc", "%/etc", '/', false },
	{ "a//b", "a/%/b", '/', false },
	{ "a/", "a/%", '/', false },
	{ ".hidden", "%2Ehidden", '/', false },
	{ "a/cur", "a/%63ur", '/', false },
	{ "new", "%6Eew", '/', false },
	{ "newer", "newer", '/', false },
	{ "100%", "100%25", '/', false },
	{ "tab\there", "tab%09here", '/', false },
	{ "Entw\u00fcrfe", "Entw\u00fcrfe", '/', false },
	{ "INBOX.Sent", "Sent", '.', true },
	{ "INBOX.Lists.mutt", "Lists/mutt", '.', true },
	{ "INBOX.INBOX", "INBOX/INBOX", '.', true },
	{ "INBOX", "INBOX", '.', true },
};

static const struct {
	const char *path;
	char delimiter;
} none[] = {
	{ "a.b", '.' },		/* would be another folder */
	{ "a/b", '\0' },
	{ "%2F", '/' },
	{ "%41", '/' },		/* is written as A */
	{ "%4", '/' },
	{ "a%", '/' },
	{ "%00", '/' },
	{ "a%0Db", '/' },
	{ "a%0Ab", '/' },
	{ "\xff", '/' },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
		const struct mt_sync_names n = { both[i].delimiter, both[i].has_prefix };
		g_autofree char *path = mt_sync_names_path(&n, both[i].name);
		g_autofree char *name = mt_sync_names_name(&n, path);

		is_str(path, both[i].path, "%s as a path", both[i].name);
		is_str(name, both[i].name, "%s, and back", both[i].name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
		const struct mt_sync_names n = { none[i].delimiter, false };
		g_autofree char *name = mt_sync_names_name(&n, none[i].path);

		is_str(name, NULL, "%s is no folder of a server with '%c'", none[i].path,
		    none[i].delimiter != '\0' ? none[i].delimiter : ' ');
	}
	return tap_done();
}
