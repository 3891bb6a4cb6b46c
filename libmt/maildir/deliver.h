/* deliver.h - the one routine by which a message becomes durable in a Maildir */
#ifndef MT_MAILDIR_DELIVER_H
#define MT_MAILDIR_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * openat(tmp, O_CREAT|O_EXCL|O_NOFOLLOW) -> write -> fsync -> close, checked ->
 * renameat2(RENAME_NOREPLACE) -> fsync(new/ or cur/) -> acknowledge.
 *
 *	state		on disk				a crash here costs
 *	writing		a file in tmp/			nothing: never acknowledged; a
 *							file in tmp/, swept after 36 h
 *	synced		the same, durable		the same
 *	renamed		a name in new/ or cur/,		a duplicate: the sender was not told,
 *			perhaps not durable		and tries again
 *	committed	durable				nothing
 *
 * An error in the first two states removes the file. An error after the rename is
 * MT_ETEMP and leaves the file: a duplicate is right, a loss is not. A failed fsync
 * is final for that file (the kernel may have dropped its pages): it is removed.
 */

/* A Maildir, open: holds tmp, new and cur, so later renames of its path do not matter. */
struct mt_maildir;

/*
 * Open the Maildir at path. mt_maildir_create() makes it (and its parents, mode 0700,
 * each durable) when it is not there.
 */
struct mt_maildir *mt_maildir_open(const char *path, struct mt_err *err);
struct mt_maildir *mt_maildir_create(const char *path, struct mt_err *err);
void mt_maildir_free(struct mt_maildir *m);
const char *mt_maildir_path(const struct mt_maildir *m);
/* Whether its path still leads to it: false when it was removed, or renamed. */
bool mt_maildir_is_there(const struct mt_maildir *m);
/* Descriptors of tmp/, new/, cur/; owned by m. */
int mt_maildir_fd(const struct mt_maildir *m, const char *sub);
/* Remove what crashed deliveries left in tmp/ more than 36 hours ago; how many. */
size_t mt_maildir_sweep(struct mt_maildir *m);

/* One message on its way in. */
struct mt_deliver;

/* Opens the file in tmp/. The Maildir must live as long as the delivery. */
struct mt_deliver *mt_deliver_begin(struct mt_maildir *m, struct mt_err *err);
/* Append to the message. */
int mt_deliver_write(struct mt_deliver *d, const void *p, size_t n, struct mt_err *err);
/* The descriptor, for another process to write to; owned by d. */
int mt_deliver_fd(const struct mt_deliver *d);
/* Deliver into cur/ with these flags (which may be empty), not into new/. */
void mt_deliver_set_flags(struct mt_deliver *d, struct mt_slice flags);
/* Use this unique part instead of one of our own (restore). Commit fails with MT_EDATA
   when a file of that name is there already. */
void mt_deliver_set_unique(struct mt_deliver *d, struct mt_slice unique);
/* Use exactly this file name, in new/ or cur/ (restore). As above when it is taken. */
void mt_deliver_set_name(struct mt_deliver *d, const char *sub, const char *file);
/* Set the file's modification time on commit: the date of arrival (IMAP's INTERNALDATE). */
void mt_deliver_set_time(struct mt_deliver *d, int64_t seconds);

/*
 * Make it durable. On success the file's name is at mt_deliver_name(), its directory is
 * "new" or "cur" by mt_deliver_subdir().
 */
int mt_deliver_commit(struct mt_deliver *d, struct mt_err *err);

/*
 * Make many durable, of any number of Maildirs: all data barriers in parallel, then all
 * renames, then one barrier per directory. Returns 0 when all are durable. Otherwise -1
 * with the first error, and mt_deliver_error() tells for each.
 */
int mt_deliver_commit_all(struct mt_deliver *const list[], size_t n, struct mt_err *err);

/* After a commit: NULL when durable, else why not. */
const struct mt_err *mt_deliver_error(const struct mt_deliver *d);
/* After a commit: "SEC.M....HOST,S=1234" with its flags; borrowed. */
const char *mt_deliver_name(const struct mt_deliver *d);
const char *mt_deliver_subdir(const struct mt_deliver *d);

/* Ends a delivery. One that was not committed is removed from tmp/. */
void mt_deliver_free(struct mt_deliver *d);

MT_AUTO_DEFINE(mt_maildir, mt_maildir_free);
MT_AUTO_DEFINE(mt_deliver, mt_deliver_free);

#endif
