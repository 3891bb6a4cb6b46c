/* sync_plan.h - what makes two sides of a folder equal: a pure function of three lists */
#ifndef MT_FETCH_SYNC_PLAN_H
#define MT_FETCH_SYNC_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "imap/set.h"

/* What both sides agreed upon last: a row of the state. Strings are borrowed. */
struct mt_sync_row {
	uint32_t uid;
	const char *name;	/* the file's unique part: what stays when flags change */
	unsigned flags;		/* sync_flags.h */
	const char *keywords;	/* of mt_sync_keywords() */
	uint64_t size;		/* RFC822.SIZE, 0: not known */
	const char *msgid;	/* or NULL */
};

/* What the server says of a message: it is new, or something of it has changed. */
struct mt_sync_remote {
	uint32_t uid;
	unsigned flags;
	const char *keywords;	/* of mt_sync_keywords() */
};

/* A file of the Maildir. */
struct mt_sync_file {
	const char *name;	/* unique part */
	unsigned flags;
	bool is_new;		/* in new/ */
	const char *letters;	/* the flags as they are written */
};

struct mt_sync_lists {
	const struct mt_sync_row *rows;		/* by uid */
	size_t nrows;
	const struct mt_sync_remote *remote;	/* by uid */
	size_t nremote;
	const struct mt_imap_set *gone;		/* UIDs of rows that the server has no more */
	const struct mt_sync_file *files;	/* in any order; each name once */
	size_t nfiles;
};

enum mt_sync_what {
	MT_SYNC_PULL,		/* remote: fetch it */
	MT_SYNC_PUSH,		/* file: append it */
	MT_SYNC_FLAGS_LOCAL,	/* row, file: give the file these flags */
	MT_SYNC_FLAGS_REMOTE,	/* row: add and remove these */
	MT_SYNC_DELETE_LOCAL,	/* row, file: the server has it no more */
	MT_SYNC_DELETE_REMOTE,	/* row: the Maildir has it no more */
	MT_SYNC_FORGET,		/* row: neither has it */
	MT_SYNC_NOTE,		/* row: both agree already; the row is to say so */
	/* Moves are found when all folders of an account are planned (sync_move.h). */
	MT_SYNC_MOVE_LOCAL,	/* the server has moved it: so does the Maildir */
	MT_SYNC_MOVE_REMOTE,	/* and the reverse */
	/* Whole folders (sync_folders.h). */
	MT_SYNC_RENAME_LOCAL,
	MT_SYNC_RMDIR_LOCAL,
	MT_SYNC_RMDIR_REMOTE,
	MT_SYNC_NWHAT,
};

/* Pointers into the lists, NULL where there is none of the kind. */
struct mt_sync_action {
	enum mt_sync_what what;
	const struct mt_sync_row *row;
	const struct mt_sync_remote *remote;
	const struct mt_sync_file *file;
	unsigned flags;		/* of both sides then */
	unsigned add, remove;	/* FLAGS_REMOTE */
	const char *keywords;	/* of the row then */
};

struct mt_sync_plan {
	GArray *actions;	/* of struct mt_sync_action, in the order of enum mt_sync_what */
	size_t count[MT_SYNC_NWHAT];
};

/*
 * Both sides are equal when all of it is done. Nothing is lost: a message that only one side
 * has and that no row knows is given to the other one. Who deletes a message whose flags the
 * other side changes means it: it is deleted.
 */
void mt_sync_plan_make(struct mt_sync_plan *p, const struct mt_sync_lists *lists);
void mt_sync_plan_clear(struct mt_sync_plan *p);

/*
 * Whether so many deletions of n messages look like a mistake: more than a tenth, and more
 * than MT_SYNC_FEW.
 */
#define MT_SYNC_FEW 50
bool mt_sync_is_mass(size_t deletions, size_t n);

MT_AUTO_VALUE_DEFINE(mt_sync_plan, mt_sync_plan_clear);

#endif
