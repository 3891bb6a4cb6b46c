/* file.h - files and directories: read whole, write durably, walk paths */
#ifndef MT_BASE_FILE_H
#define MT_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Write all n bytes, through short writes and EINTR. -1 with errno. */
int mt_file_write_all(int fd, const void *p, size_t n);

/*
 * Append everything from fd (until EOF) or from the file at path to *out. More than
 * out->max bytes is MT_EDATA "longer than N bytes". "-" is not special here.
 */
int mt_file_read_fd(int fd, struct mt_buf *out, struct mt_err *err);
int mt_file_read(const char *path, struct mt_buf *out, struct mt_err *err);

/*
 * Open a file to read it. What is no regular file (a FIFO, a terminal, a directory) is
 * MT_ENOINPUT, at once.
 */
int mt_file_open_regular(const char *path, struct mt_err *err);

/*
 * Replace the file at path so that a crash leaves the old or the new content, never
 * a mix: temporary file beside it, fsync, rename, fsync of the directory.
 */
int mt_file_replace(const char *path, struct mt_slice content, mode_t mode,
    struct mt_err *err);

/* fsync a directory, so that the names in it survive a power cut. */
int mt_file_sync_dir(const char *path, struct mt_err *err);

/* mkdir -p. Directories that are made get the mode; each is synced into its parent. */
int mt_file_mkdirs(const char *path, mode_t mode, struct mt_err *err);

/* "~" and "~/x" become $HOME (or the password database's home) and $HOME/x; anything
   else is copied. g_free. */
char *mt_file_expand_home(const char *path);

/* Remove a directory tree; links are removed, not followed. Missing is fine. */
int mt_file_remove_tree(const char *path, struct mt_err *err);

/* Anonymous temporary file (O_TMPFILE, or unlinked) in $TMPDIR; -1 on error. */
int mt_file_temp(struct mt_err *err);

#endif
