/* guard.h - keep files away from libnotmuch that would kill it */
#ifndef MT_INDEX_GUARD_H
#define MT_INDEX_GUARD_H

#include <stdbool.h>

#include "index/db.h"

/*
 * 1: libnotmuch may index the file. 0: it may not, *err says why, and that is remembered in the
 * database (key "mt.skipped.HASH", by the file's unique name and size), so that it is not
 * tried again. -1: it cannot be told (the file has gone, or cannot be read; MT_ETEMP: the
 * system is out of something, processes for example).
 *
 * A file that mt_prescan_fd() does not find plain is tried first: a forked child with
 * half our stack indexes it into a throw-away database.
 */
int mt_index_guard(struct mt_index *index, const char *path, struct mt_err *err);

/* Whether an earlier run has skipped this file. */
bool mt_index_guard_is_skipped(struct mt_index *index, const char *path);

#endif
