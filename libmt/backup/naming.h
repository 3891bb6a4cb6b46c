/* naming.h - names of snapshots: their order, a new one, and what a word stands for */
#ifndef MT_BACKUP_NAMING_H
#define MT_BACKUP_NAMING_H

#include <glib.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

/* YYYYMMDDTHHMMSSZ[.COUNT]-XXXXXXXX: see repo.h. */

/* For g_ptr_array_sort(): the order in which they were made. */
int mt_backup_naming_compare(const void *a, const void *b);

/*
 * The name of a snapshot of this time and text, which comes behind all names, sorted ones:
 * when the clock was ahead once, its count is raised. g_free.
 */
char *mt_backup_naming_new(const GPtrArray *names, int64_t at, struct mt_slice text);

/*
 * The one of the sorted names (at least one) that "latest", NULL, a whole name or the
 * beginning of one, or the 8 digits at its end stand for. MT_ENOINPUT when there is none,
 * MT_EUSAGE when there are several.
 */
const char *mt_backup_naming_find(const GPtrArray *names, const char *word,
    struct mt_err *err);

#endif
