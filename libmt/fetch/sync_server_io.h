/* sync_server_io.h - inside the server's side: what its files share */
#ifndef MT_FETCH_SYNC_SERVER_IO_H
#define MT_FETCH_SYNC_SERVER_IO_H

#include "fetch/sync_server.h"

struct mt_sync_server {
	struct mt_imap *imap;
	/* Where data goes that comes now; NULL: nobody has asked for it. */
	GArray *namespaces;
	GPtrArray *boxes;
	size_t odd;
	struct mt_sync_selected *selected;
	uint64_t removed;		/* messages, while `selected` was there */
	GArray *meta;
	GHashTable *asked;		/* UIDs of meta that were not answered yet */
	const struct mt_sync_bodies *bodies;
	struct mt_imap_set *found;	/* of a search */
	GArray *moved;			/* struct mt_sync_moved */
	uint64_t moved_max;		/* so many were to be moved */
	char *open;			/* the mailbox that is, or NULL */
	bool *is_woken;			/* while we only wait */
	bool has_notify, no_notify;	/* it was asked for; it was refused */
	unsigned hello[3];		/* commands that nobody has waited for yet; 0: none */
};

void mt_sync_box_free(void *box);
/* One command that is to succeed. */
int mt_sync_server_ask(struct mt_sync_server *s, struct mt_imap_done *done, struct mt_err *err,
    const char *words);
/* What was said at the beginning has been answered. A server that offers something and then
   refuses does without. */
int mt_sync_server_end_hello(struct mt_sync_server *s, struct mt_err *err);
/* "VALIDITY FROM TO": two sets, of which each goes with each in their order (RFC 4315 3). */
void mt_sync_server_take_copyuid(struct mt_sync_server *s, struct mt_slice args);

#endif
