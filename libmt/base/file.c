/* file.c - files and directories: read whole, write durably, walk paths */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/auto.h"

int
mt_file_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

int
mt_file_read_fd(int fd, struct mt_buf *out, struct mt_err *err)
{
	char chunk[16384];

	for (;;) {
		ssize_t r = read(fd, chunk, sizeof(chunk));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		if (r == 0)
			return 0;
		if (mt_buf_append(out, chunk, (size_t)r) < 0)
			return mt_fail(err, MT_EDATA, "longer than %zu bytes", out->max);
	}
}

int
mt_file_open_regular(const char *path, struct mt_err *err)
{
	/* To open a FIFO would wait for its writer. */
	mt_auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return mt_fail(err, MT_ENOINPUT, "%s: not a regular file", path);
	return mt_steal_fd(&fd);
}

int
mt_file_read(const char *path, struct mt_buf *out, struct mt_err *err)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (mt_file_read_fd(fd, out, err) < 0)
		return mt_fail_in(err, "%s", path);
	return 0;
}

int
mt_file_sync_dir(const char *path, struct mt_err *err)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (fsync(fd) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: fsync: %m", path);
	return 0;
}

/* Write the whole file at a new name, synced and closed with every error seen. */
static int
write_new(const char *path, struct mt_slice content, mode_t mode, struct mt_err *err)
{
	mt_auto_fd int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (mt_file_write_all(fd, content.p, content.n) < 0 || fsync(fd) < 0 ||
	    close(mt_steal_fd(&fd)) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: write: %m", path);
	return 0;
}

int
mt_file_replace(const char *path, struct mt_slice content, mode_t mode,
    struct mt_err *err)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *temp =
	    g_strdup_printf("%s.new%d-%08x", path, (int)getpid(), g_random_int());

	if (write_new(temp, content, mode, err) < 0) {
		unlink(temp);
		return -1;
	}
	if (rename(temp, path) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "rename to %s: %m", path);
		unlink(temp);
		return -1;
	}
	return mt_file_sync_dir(dir, err);
}

int
mt_file_mkdirs(const char *path, mode_t mode, struct mt_err *err)
{
	g_autofree char *parent = NULL;
	struct stat st;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return mt_fail(err, MT_EDATA, "%s: not a directory", path);
		return 0;
	}
	if (errno != ENOENT)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	parent = g_path_get_dirname(path);
	if (mt_file_mkdirs(parent, mode, err) < 0)
		return -1;
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return mt_fail(err, mt_err_kind_of_errno(errno), "mkdir %s: %m", path);
	return mt_file_sync_dir(parent, err);
}

char *
mt_file_expand_home(const char *path)
{
	const char *home = g_getenv("HOME");

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return g_strdup(path);
	if (home == NULL || home[0] == '\0')
		home = g_get_home_dir();
	return g_strconcat(home, path + 1, NULL);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
mt_file_remove_tree(const char *path, struct mt_err *err)
{
	if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return 0;
	return mt_fail(err, mt_err_kind_of_errno(errno), "remove %s: %m", path);
}

int
mt_file_temp(struct mt_err *err)
{
	const char *dir = g_get_tmp_dir();
	g_autofree char *path = NULL;
	int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	path = g_build_filename(dir, "mt.XXXXXX", NULL);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "temporary file in %s: %m",
		    dir);
	unlink(path);
	return fd;
}
