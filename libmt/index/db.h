/* db.h - open and create the notmuch database, and speak of its errors */
#ifndef MT_INDEX_DB_H
#define MT_INDEX_DB_H

#include "base/auto.h"
#include "base/err.h"

struct mt_index;
struct _notmuch_database;	/* libnotmuch's own type, for this folder only */

/*
 * Which database: when there is a notmuch configuration ($NOTMUCH_CONFIG,
 * $XDG_CONFIG_HOME/notmuch/PROFILE/config or ~/.notmuch-config), the one that it or
 * $NOTMUCH_DATABASE names, with all its settings. Otherwise $NOTMUCH_DATABASE, or the
 * one in maildir/.notmuch, with notmuch's defaults.
 *
 * MT_ENOINPUT when there is none.
 */
struct mt_index *mt_index_open(const char *maildir, struct mt_err *err);
/*
 * To write; made when there is none, brought up to the present format when it is old.
 * MT_ETEMP when another program writes to it.
 */
struct mt_index *mt_index_open_to_write(const char *maildir, struct mt_err *err);
/* Commit what was written, and close: frees it in any case. */
int mt_index_close(struct mt_index *index, struct mt_err *err);
/* Close, whatever becomes of what was written. */
void mt_index_free(struct mt_index *index);

/* The mail root: paths in the database are relative to it. */
const char *mt_index_root(const struct mt_index *index);
struct _notmuch_database *mt_index_db(struct mt_index *index);

/* Record a failed call of libnotmuch; status is its notmuch_status_t. Returns -1. */
int mt_index_fail(struct mt_index *index, int status, struct mt_err *err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

MT_AUTO_DEFINE(mt_index, mt_index_free);

#endif
