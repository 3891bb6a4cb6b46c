/* sync_state.h - what both sides of an account agreed upon last: durable, in SQLite */
#ifndef MT_FETCH_SYNC_STATE_H
#define MT_FETCH_SYNC_STATE_H

#include "fetch/sync_plan.h"
#include "base/err.h"

/*
 * One message on its way, by its row:
 *
 *	state		row		file			a crash here costs
 *	remote only	none		none, or in tmp/	nothing: fetched again
 *	intended	INTENDED	in tmp/, synced		nothing: the next run finds no
 *								file of that name, and forgets
 *								the row
 *	arrived		INTENDED	in new/ or cur/		nothing: the next run finds it
 *	agreed		AGREED		wherever its owner	nothing
 *					has put it
 *	local only	none		in new/ or cur/		nothing
 *	uploaded	none		the same		nothing: what only the server
 *								has is compared with what only
 *								the Maildir has, and joined
 *
 * A row is removed when neither side has the message. A deletion that one side has made and
 * the other not yet is made again by the next run, since the row says that both had it.
 */
struct mt_sync_state;

/* What is known of one folder of the server. */
struct mt_sync_folder {
	int64_t id;
	char *name;		/* on the server, UTF-8 */
	uint32_t validity;	/* 0: never synchronised */
	uint32_t uidnext;
	uint64_t modseq;	/* up to which all changes are in the rows; 0: not known */
	uint32_t messages;	/* that the server had then */
	int64_t cur_ns, new_ns;	/* mtimes of the directories that the rows stand for; 0: none */
	int64_t success;	/* when it was synchronised, seconds since 1970 */
};

/*
 * Open dir/sync-ACCOUNT.sqlite, with a lock on the account: MT_ETEMP when another process has
 * it. A file that is damaged is MT_EIO.
 */
struct mt_sync_state *mt_sync_state_open(const char *dir, const char *account,
    struct mt_err *err);
void mt_sync_state_free(struct mt_sync_state *s);

/* The folder of that name, made if it is not known and that is wanted; else it has no id.
   Clear it. */
int mt_sync_state_folder(struct mt_sync_state *s, const char *name, bool make,
    struct mt_sync_folder *out, struct mt_err *err);
/* It has another name now, that of no other. Or: it is not known any more, nor are its rows. */
int mt_sync_state_rename(struct mt_sync_state *s, int64_t folder, const char *name,
    struct mt_err *err);
int mt_sync_state_drop(struct mt_sync_state *s, int64_t folder, struct mt_err *err);
void mt_sync_folder_clear(struct mt_sync_folder *f);
int mt_sync_state_save(struct mt_sync_state *s, const struct mt_sync_folder *f,
    struct mt_err *err);
/* The names of all that are known: a GPtrArray of char *. */
GPtrArray *mt_sync_state_names(struct mt_sync_state *s, struct mt_err *err);
/* How many rows a folder has, and all: -1 with an error. */
int64_t mt_sync_state_count(struct mt_sync_state *s, int64_t folder, struct mt_err *err);
int64_t mt_sync_state_count_all(struct mt_sync_state *s, struct mt_err *err);

/* All rows that are agreed upon, by uid; strings go into chunk. */
int mt_sync_state_rows(struct mt_sync_state *s, int64_t folder, GArray *rows,
    GStringChunk *chunk, struct mt_err *err);
/* The names of the files that were intended, with their uid. */
int mt_sync_state_intended(struct mt_sync_state *s, int64_t folder, GArray *rows,
    GStringChunk *chunk, struct mt_err *err);

/*
 * Changes between begin and commit are durable together; a commit that fails is rolled back by
 * the caller. Several threads may use a state: who has begun has it alone until then.
 */
int mt_sync_state_begin(struct mt_sync_state *s, struct mt_err *err);
int mt_sync_state_commit(struct mt_sync_state *s, struct mt_err *err);
void mt_sync_state_rollback(struct mt_sync_state *s);

enum mt_sync_state_of_row { MT_SYNC_AGREED, MT_SYNC_INTENDED };
int mt_sync_state_put(struct mt_sync_state *s, int64_t folder, const struct mt_sync_row *row,
    enum mt_sync_state_of_row state, struct mt_err *err);
int mt_sync_state_remove(struct mt_sync_state *s, int64_t folder, uint32_t uid,
    struct mt_err *err);
/* UIDs mean something else now: all rows of the folder go. */
int mt_sync_state_forget(struct mt_sync_state *s, int64_t folder, struct mt_err *err);

MT_AUTO_DEFINE(mt_sync_state, mt_sync_state_free);
MT_AUTO_VALUE_DEFINE(mt_sync_folder, mt_sync_folder_clear);

#endif
