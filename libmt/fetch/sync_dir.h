/* sync_dir.h - the Maildir's side of a synchronisation: what it has, and changes to it */
#ifndef MT_FETCH_SYNC_DIR_H
#define MT_FETCH_SYNC_DIR_H

#include "fetch/sync_plan.h"
#include "maildir/deliver.h"

struct mt_sync_dir {
	struct mt_maildir *maildir;
	GArray *files;		/* struct mt_sync_file */
	GStringChunk *strings;
	int64_t cur_ns, new_ns;	/* mtimes before the files were listed; 0: not to be relied on */
	bool is_changed;	/* by us, not yet durable */
};

/*
 * The directories' mtimes: when they are those of an earlier listing, so are the files. One
 * that is younger than two seconds is 0, since more may happen within one tick of its
 * clock. False when there is no Maildir.
 */
bool mt_sync_dir_times(const char *path, int64_t *cur_ns, int64_t *new_ns);
/* When it changed last: equal stamps mean that nobody has renamed a file between them. */
struct mt_sync_stamp {
	int64_t cur_ns, new_ns;		/* -1: it is not there */
};
struct mt_sync_stamp mt_sync_dir_stamp(const char *path);

/*
 * List it. 1, 0 when there is no Maildir of that name, -1. It is open for what follows until it
 * is closed, for not all Maildirs can be open at once; then it can be opened again.
 */
int mt_sync_dir_scan(struct mt_sync_dir *d, const char *path, struct mt_err *err);
int mt_sync_dir_open(struct mt_sync_dir *d, const char *path, struct mt_err *err);
void mt_sync_dir_close(struct mt_sync_dir *d);
void mt_sync_dir_clear(struct mt_sync_dir *d);

/* Whether there is a file of that unique name. */
bool mt_sync_dir_has(const struct mt_sync_dir *d, const char *name);
/* The file's path: g_free. */
char *mt_sync_dir_path(const struct mt_sync_dir *d, const struct mt_sync_file *f);

/*
 * Give a file these flags; into cur/, if there are any. Remove a file. 1, or 0 when
 * it is not there under that name any more (its owner has just changed it), or -1.
 */
int mt_sync_dir_set_flags(struct mt_sync_dir *d, const struct mt_sync_file *f, unsigned flags,
    struct mt_err *err);
int mt_sync_dir_remove(struct mt_sync_dir *d, const struct mt_sync_file *f,
    struct mt_err *err);
/* Move it to another Maildir on the same disk, under that unique name. */
int mt_sync_dir_move(struct mt_sync_dir *d, const struct mt_sync_file *f,
    struct mt_sync_dir *to, const char *name, unsigned flags, struct mt_err *err);
/* All that was changed is durable. */
int mt_sync_dir_flush(struct mt_sync_dir *d, struct mt_err *err);

/*
 * What identifies a file's message: its Message-ID (g_free; NULL: none), and how many bytes it
 * has with CRLF. -1 when it cannot be read.
 */
int mt_sync_dir_identify(const struct mt_sync_dir *d, const struct mt_sync_file *f,
    char **msgid, uint64_t *size, struct mt_err *err);

MT_AUTO_VALUE_DEFINE(mt_sync_dir, mt_sync_dir_clear);

#endif
