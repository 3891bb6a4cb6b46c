/* folder.h - walk Maildirs: the folders below a root, the messages of a folder */
#ifndef MT_MAILDIR_FOLDER_H
#define MT_MAILDIR_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "maildir/name.h"

/* Whether path holds cur/ and new/; true also where that cannot be seen, so that who
   reads it is told why. */
bool mt_folder_is_maildir(const char *path);

/*
 * Every Maildir at or below root, sorted by path. Nested directories ("fs" layout)
 * and ".Sub" directories (maildir++) are both found. Links to directories are not followed,
 * .notmuch and other directories without a Maildir below are passed over.
 * mt_folder_walk_next(): 1 with *path, borrowed until the next call; 0 at the end; -1 for
 * a directory whose subdirectories cannot be seen (*path and *err): the walk goes on.
 */
struct mt_folder_walk;

struct mt_folder_walk *mt_folder_walk_new(const char *root, struct mt_err *err);
int mt_folder_walk_next(struct mt_folder_walk *w, const char **path, struct mt_err *err);
void mt_folder_walk_free(struct mt_folder_walk *w);

/* One message of a folder; borrowed until the next call. */
struct mt_folder_entry {
	const char *path;	/* whole path of the file */
	const char *file;	/* its last component */
	struct mt_maildir_name name;	/* slices into file */
	bool is_new;		/* in new/ */
	uint64_t inode;
};

/* The messages in new/ and cur/ of one Maildir, in inode order (fast to read). */
struct mt_folder_scan;

struct mt_folder_scan *mt_folder_scan_new(const char *maildir, struct mt_err *err);
int mt_folder_scan_next(struct mt_folder_scan *s, struct mt_folder_entry *out,
    struct mt_err *err);
void mt_folder_scan_free(struct mt_folder_scan *s);

MT_AUTO_DEFINE(mt_folder_walk, mt_folder_walk_free);
MT_AUTO_DEFINE(mt_folder_scan, mt_folder_scan_free);

#endif
