/* walk.h - the messages that files, Maildirs, folders and mboxes hold, one by one */
#ifndef MT_SEND_WALK_H
#define MT_SEND_WALK_H

#include <stdio.h>

#include "base/auto.h"
#include "base/err.h"

/*
 * What a path means:
 *	a Maildir	the messages in its new/ and cur/, and the folders in it
 *	a directory	each file in it, and what its directories hold, by name
 *	an mbox		(a file that begins with "From "): each message in it
 *	another file	one message
 * Hidden files, and links to directories below a path, are passed over; what cannot be
 * looked at is an entry that says why.
 */
struct mt_walk;

struct mt_walk *mt_walk_new(void);
void mt_walk_free(struct mt_walk *w);
/* Add a path; they are walked in this order. */
void mt_walk_add(struct mt_walk *w, const char *path);
/* Then take paths from a stream (borrowed), each ending in the byte `end`. */
void mt_walk_set_list(struct mt_walk *w, FILE *list, char end);

struct mt_walk_entry {
	char *name;		/* path, or "PATH:3" for the third message of an mbox */
	int fd;			/* a regular file, whole the message; -1: see err */
	struct mt_err err;	/* why it cannot be read; the walk goes on */
};

/* The next one: 1, or 0 at the end. The entry is the caller's to clear. */
int mt_walk_next(struct mt_walk *w, struct mt_walk_entry *out);
void mt_walk_entry_clear(struct mt_walk_entry *e);

MT_AUTO_DEFINE(mt_walk, mt_walk_free);
MT_AUTO_VALUE_DEFINE(mt_walk_entry, mt_walk_entry_clear);

#endif
