/* sync_names.h - the mailboxes of a server as folders below a directory, and back */
#ifndef MT_FETCH_SYNC_NAMES_H
#define MT_FETCH_SYNC_NAMES_H

#include <stdbool.h>

/*
 * "Lists/mutt" is Lists/mutt. What a directory cannot be called, or would mean something
 * else, is written with %XX: "/" in a part, a "." in front, cur, new and tmp, control
 * characters, "%" itself; a part that is empty is "%". So a name leads to one path, never out
 * of the directory, and back.
 */
struct mt_sync_names {
	char delimiter;		/* of the server; '\0': there is no hierarchy */
	bool has_prefix;	/* all but INBOX lie below it ("INBOX.Sent"), which is left out */
};

/* Both g_free. A path that is none of ours is NULL: it cannot be named on the server. */
char *mt_sync_names_path(const struct mt_sync_names *n, const char *name);
char *mt_sync_names_name(const struct mt_sync_names *n, const char *path);

#endif
