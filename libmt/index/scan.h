/* scan.h - bring the index up to date with the mail root */
#ifndef MT_INDEX_SCAN_H
#define MT_INDEX_SCAN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "index/db.h"

struct mt_index_scanned {
	uint64_t added;		/* messages that are new */
	uint64_t files;		/* files that are new, of those and of known messages */
	uint64_t removed;	/* messages whose last file has gone */
	uint64_t removed_files;	/* files that have gone, or have got another name */
	uint64_t ignored;	/* files that are no mail */
	GPtrArray *skipped;	/* a line for each file that is dangerous to read */
	GPtrArray *failed;	/* a line for each file or directory that could not be read
				   now; what the index knows below a directory stays */
	bool try_again;		/* a file failed because the system is out of something */
};

/*
 * Index what is new below the mail root, oldest first, then forget what has gone, so
 * that a message whose file was renamed keeps its tags. New messages get the tags of new.tags;
 * with maildir.synchronize_flags the tags follow the Maildir flags.
 *
 * Each message is a transaction. After a crash the next run goes on where Xapian had committed
 * last; a directory counts as seen only when all of it was.
 */
int mt_index_scan(struct mt_index *index, struct mt_progress *progress,
    struct mt_index_scanned *out, struct mt_err *err);
void mt_index_scanned_clear(struct mt_index_scanned *s);

MT_AUTO_VALUE_DEFINE(mt_index_scanned, mt_index_scanned_clear);

#endif
