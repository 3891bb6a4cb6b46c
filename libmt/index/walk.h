/* walk.h - what has changed below the mail root since the index was written */
#ifndef MT_INDEX_WALK_H
#define MT_INDEX_WALK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "index/db.h"

/* A directory whose content has been compared with the index. */
struct mt_index_dir {
	char *path;		/* absolute */
	int64_t mtime;		/* when it had changed last, before it was listed */
	bool is_unsure;		/* may have changed since: look again next time */
};

struct mt_index_file {
	char *path;		/* absolute */
	int64_t time;		/* of the Maildir name, else the file's */
	guint dir;		/* index in dirs */
};

struct mt_index_changes {
	GPtrArray *dirs;	/* struct mt_index_dir: those that had changed */
	GPtrArray *added;	/* struct mt_index_file, oldest first */
	GPtrArray *removed;	/* char *: files of the index that are gone */
	GPtrArray *removed_dirs;/* char *, inner ones first */
	GPtrArray *failed;	/* char *: a line for what could not be looked at */
};

/*
 * Walk the mail root as notmuch new does: directories that have not changed since the index
 * saw them are not listed, tmp/ of a Maildir and what new.ignore names are passed
 * over. Files whose name begins with a dot are no mail.
 *
 * A directory that cannot be read is named in `failed`; what the index knows of it, and of
 * all below it, stays.
 */
int mt_index_walk(struct mt_index *index, struct mt_index_changes *out,
    struct mt_err *err);
void mt_index_changes_clear(struct mt_index_changes *c);

MT_AUTO_VALUE_DEFINE(mt_index_changes, mt_index_changes_clear);

#endif
