/* state.h - which messages of a server are ours already: durable, in SQLite */
#ifndef MT_FETCH_STATE_H
#define MT_FETCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * One message of one maildrop on its way from a server into a Maildir. "row" is the row in the
 * database, "name" the file name in that row, which is chosen before the file has it.
 *
 *	state		row		file			a crash here costs
 *	unseen		none, BROKEN	none			nothing
 *	received	the same	in tmp/			nothing: fetched again; tmp/ is
 *								swept after 36 hours
 *	intended	INTENDED	in tmp/, synced		nothing: the next run finds no
 *					(not yet renamed)	file of that name, and forgets
 *								the row
 *	renamed		INTENDED	in new/			nothing: the next run finds the
 *								file by its name, in new/ or
 *								cur/, and makes it stored
 *	stored		STORED		wherever its owner	nothing: never delivered again
 *					has put it
 *	gone		GONE		the same		nothing: DELE was accepted and QUIT
 *								sent, or the server listed it no
 *								more; if it does again, see below
 *
 * The row is made durable before the rename (so a file that arrived is never taken for
 * one that did not), and DELE is sent only in state "stored". What remains: if the owner
 * moves or removes a file in the time between a crash after the rename and the next run, it
 * is fetched a second time.
 *
 * A server may hide a message for a while (a maildrop that is rebuilt or restored), or take
 * its time to delete one; and it may give the UID of a message that is gone to another one
 * (RFC 1939 7), also behind our back. So a UID that is known is not always a message that
 * is known: what is listed in state "gone", or with another size than before, or alone
 * where others had the same UID, is fetched into tmp/ and compared by its identity
 * (ident.h). What we had under that UID is "stored" again and not delivered twice; any
 * other is delivered. Rows in state "gone" are kept for MT_FETCH_GONE_S.
 */
struct mt_fetch_state;

enum mt_fetch_row {
	MT_FETCH_UNSEEN = 0,
	MT_FETCH_INTENDED,
	MT_FETCH_STORED,
	MT_FETCH_GONE,
	MT_FETCH_BROKEN,	/* the session broke off within it: the last to be tried */
};

#define MT_FETCH_GONE_S (90 * INT64_C(86400))

/*
 * What a server calls a message. A broken one gives the same UID to several at once:
 * then nth counts them in the order of their numbers, from 0.
 */
struct mt_fetch_id {
	const char *uid;
	uint32_t nth;
};

/*
 * Open (or make) dir/fetch.sqlite for one maildrop: key is what identifies server and
 * user. Takes a lock on the maildrop, until the end: MT_ETEMP when another process has
 * it. A database that is damaged or newer than we are is MT_EIO or MT_ESOFTWARE, and says
 * what it is: never started anew, since everything would be fetched again.
 */
struct mt_fetch_state *mt_fetch_state_open(const char *dir, const char *key,
    struct mt_err *err);
void mt_fetch_state_free(struct mt_fetch_state *s);

/* What is known of a message. */
struct mt_fetch_known {
	enum mt_fetch_row row;
	bool is_shared;		/* other messages had the same UID then */
	bool has_ident;
	uint8_t ident[MT_DIGEST_SIZE];
	uint64_t size;		/* by the server's count */
	int64_t time;		/* when it was fetched, seconds since the epoch */
};

int mt_fetch_state_get(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    struct mt_fetch_known *out, struct mt_err *err);
/* Whether any message under that UID was this one: 1, 0, -1. */
int mt_fetch_state_has(struct mt_fetch_state *s, const char *uid,
    const uint8_t ident[MT_DIGEST_SIZE], struct mt_err *err);

/*
 * Changes between begin and commit are durable together, at commit; another error in
 * between calls for mt_fetch_state_rollback().
 */
int mt_fetch_state_begin(struct mt_fetch_state *s, struct mt_err *err);
int mt_fetch_state_commit(struct mt_fetch_state *s, struct mt_err *err);
void mt_fetch_state_rollback(struct mt_fetch_state *s);

/*
 * Write the whole row. maildir and name are where an intended message will be, and may
 * be "" in the other states.
 */
int mt_fetch_state_put(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    const struct mt_fetch_known *known, const char *maildir, const char *name,
    struct mt_err *err);
/* Set the row's state; to MT_FETCH_UNSEEN: remove it; to MT_FETCH_GONE: from now on. */
int mt_fetch_state_set(struct mt_fetch_state *s, const struct mt_fetch_id *id,
    enum mt_fetch_row row, struct mt_err *err);
/* Several messages have this UID: its rows say so from now on. */
int mt_fetch_state_share(struct mt_fetch_state *s, const char *uid, struct mt_err *err);
/* Remove the rows that have been gone for MT_FETCH_GONE_S. */
int mt_fetch_state_prune(struct mt_fetch_state *s, struct mt_err *err);

/* Walk the rows of the maildrop that are not gone; *id is borrowed until the next call.
   1, 0, -1. The rows may be changed only when the walk has ended. */
struct mt_fetch_row_info {
	struct mt_fetch_id id;
	enum mt_fetch_row row;
	const char *maildir;
	const char *name;
};

int mt_fetch_state_next(struct mt_fetch_state *s, struct mt_fetch_row_info *out,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_fetch_state, mt_fetch_state_free);

#endif
