/* sync_server.h - the server's side of a synchronisation: what it has, and changes to it */
#ifndef MT_FETCH_SYNC_SERVER_H
#define MT_FETCH_SYNC_SERVER_H

#include "fetch/sync_plan.h"
#include "imap/client.h"
#include "imap/namespace.h"

struct mt_sync_server;

/* Takes over a connection that is logged in. name is who it is, in messages; version is ours,
   for a server that wants to know. */
struct mt_sync_server *mt_sync_server_new(struct mt_conn *c, const char *name,
    const char *version, struct mt_err *err);
void mt_sync_server_free(struct mt_sync_server *s);
void mt_sync_server_logout(struct mt_sync_server *s);

/* What a mailbox is for (RFC 6154). */
enum { MT_SYNC_USE_ALL = 1, MT_SYNC_USE_ARCHIVE = 2, MT_SYNC_USE_DRAFTS = 4,
	MT_SYNC_USE_FLAGGED = 8, MT_SYNC_USE_JUNK = 16, MT_SYNC_USE_SENT = 32,
	MT_SYNC_USE_TRASH = 64, MT_SYNC_USE_IMPORTANT = 128,
	/* And whose it is, where not one's own (RFC 2342). */
	MT_SYNC_USE_OTHERS = 256, MT_SYNC_USE_SHARED = 512 };

struct mt_sync_box {
	char *name;		/* UTF-8 */
	char delimiter;		/* '\0': none */
	unsigned use;
	struct mt_imap_status status;	/* what was said of it unasked */
};

/* What the server says of namespaces; NULL: nothing. Borrowed. */
const GArray *mt_sync_server_namespaces(const struct mt_sync_server *s);

/* All mailboxes that hold messages, by name: struct mt_sync_box *. A name that is no UTF-7, or
   that we cannot say, is left out, and counted in *odd. */
GPtrArray *mt_sync_server_list(struct mt_sync_server *s, size_t *odd, struct mt_err *err);
/* Ask for the status of one. What the server refuses to say is not there. */
int mt_sync_server_status(struct mt_sync_server *s, struct mt_sync_box *b, struct mt_err *err);
/* Make one. It is there already: that is good. */
int mt_sync_server_create(struct mt_sync_server *s, const char *name, struct mt_err *err);
/* Remove one, with all that is in it. MT_EUNAVAIL: the server refuses. */
int mt_sync_server_delete(struct mt_sync_server *s, const char *name, struct mt_err *err);

/* A mailbox that was opened, against what is known of it. */
struct mt_sync_selected {
	uint32_t validity, uidnext, exists;
	uint64_t modseq;	/* 0: the server counts none */
	bool has_exists;
	bool is_readonly;
	bool is_reset;		/* rows mean nothing: remote is all there is */
	/* New messages, and those that have changed; or all of them: by uid. */
	GArray *remote;		/* struct mt_sync_remote */
	/* Of the rows' UIDs those that are gone. */
	struct mt_imap_set gone;
};

/*
 * Open it, and compare with rows, which are as of modseq in a mailbox with that validity (0:
 * nothing is known). The least is asked for that the server makes possible: QRESYNC, else
 * CONDSTORE, else all flags. Where the validity is another, or UIDNEXT has gone back (a server
 * restored from a backup gives UIDs a second time), rows mean nothing: out->is_reset.
 * A server that lists fewer messages than it says that there are is MT_EPROTO: those that it
 * does not list are not gone.
 */
struct mt_sync_known {
	uint32_t validity, uidnext;
	uint64_t modseq;
	const struct mt_sync_row *rows;
	size_t nrows;
};
int mt_sync_server_select(struct mt_sync_server *s, const char *name,
    const struct mt_sync_known *known, struct mt_sync_selected *out, struct mt_err *err);
void mt_sync_selected_clear(struct mt_sync_selected *sel);
/* Open it once more, unless it is open: MT_ETEMP when its validity is not that any more. */
int mt_sync_server_open(struct mt_sync_server *s, const char *name, uint32_t validity,
    struct mt_err *err);

/* What identifies a message, without its body. */
struct mt_sync_meta {
	uint32_t uid;
	uint64_t size;		/* RFC822.SIZE */
	int64_t date;		/* INTERNALDATE */
	char *msgid;		/* "<...>", or NULL; g_free */
};
/* Of these UIDs: struct mt_sync_meta, by uid, in a GArray that frees msgid. */
GArray *mt_sync_server_meta(struct mt_sync_server *s, const struct mt_imap_set *uids,
    struct mt_err *err);
/* Which of these UIDs there are. */
int mt_sync_server_present(struct mt_sync_server *s, const struct mt_imap_set *uids,
    struct mt_imap_set *out, struct mt_err *err);

/*
 * Fetch bodies. For each message, in the server's order: begin (its size), write, and end,
 * which is told what it was. A number below 0 ends the session; a message that is gone is
 * passed over.
 */
struct mt_sync_bodies {
	int (*begin)(void *arg, uint64_t n, struct mt_err *err);
	int (*write)(void *arg, const char *p, size_t n, struct mt_err *err);
	int (*end)(void *arg, const struct mt_imap_fetch *what, struct mt_err *err);
	void *arg;
};
int mt_sync_server_fetch(struct mt_sync_server *s, const struct mt_imap_set *uids,
    const struct mt_sync_bodies *bodies, struct mt_err *err);

/* Add and remove flags in the mailbox that is open. -1 when the server refuses some of it. */
struct mt_sync_change {
	uint32_t uid;
	unsigned add, remove;
};
int mt_sync_server_store(struct mt_sync_server *s, const struct mt_sync_change *changes,
    size_t n, struct mt_err *err);

/*
 * Move into that mailbox, or (NULL) remove for good. Where this is to copy and to remove,
 * those of `copied` (or NULL) are there already. Where the server can only remove all that is
 * marked as deleted, and others have marked some, ours stay marked: *left is then true.
 * moved (of struct mt_sync_moved; NULL: not wanted) gets the new UIDs that the server tells.
 */
struct mt_sync_moved {
	uint32_t from;
	uint32_t validity, to;	/* there */
};
int mt_sync_server_move(struct mt_sync_server *s, const struct mt_imap_set *uids,
    const struct mt_imap_set *copied, const char *to, bool *left, GArray *moved,
    struct mt_err *err);

/*
 * Wait until something may have changed in a mailbox (*is_woken), until other can be read, or for
 * ms. By NOTIFY the server tells of all mailboxes, else by IDLE of this one, else of none.
 * Nothing is open then.
 */
int mt_sync_server_watch(struct mt_sync_server *s, const char *name, int other, uint32_t ms,
    bool *is_woken, struct mt_err *err);

/*
 * Give a message to a mailbox: begin it, write it by mt_sync_server_piece(), end it, and wait for
 * it by its tag, perhaps only after others have gone. Begin and wait: 0, or 1 when the server
 * refuses this one (*err says why), or -1. *uid is its UID there then, 0 when the server does
 * not say, or speaks of another validity.
 */
struct mt_sync_upload {
	unsigned flags;
	int64_t date;		/* since 1970 */
	uint64_t size;		/* in bytes, with CRLF */
	bool is_utf8;		/* its header is, and the server takes that */
};
/* Whether a header in UTF-8 is said to be one. */
bool mt_sync_server_takes_utf8(const struct mt_sync_server *s);
int mt_sync_server_append(struct mt_sync_server *s, const char *name,
    const struct mt_sync_upload *m, unsigned *tag, struct mt_err *err);
int mt_sync_server_piece(struct mt_sync_server *s, const void *p, size_t n, struct mt_err *err);
int mt_sync_server_append_end(struct mt_sync_server *s, const struct mt_sync_upload *m,
    struct mt_err *err);
int mt_sync_server_append_wait(struct mt_sync_server *s, unsigned tag, uint32_t validity,
    uint32_t *uid, struct mt_err *err);

MT_AUTO_DEFINE(mt_sync_server, mt_sync_server_free);
MT_AUTO_VALUE_DEFINE(mt_sync_selected, mt_sync_selected_clear);

#endif
