/* deliver.c - the one routine by which a message becomes durable in a Maildir */
#include "maildir/deliver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "maildir/name.h"

/* Barriers that run at once: more gain nothing (measured on ext4: the journal merges
   them). */
#define BARRIERS 8
/* A crashed delivery's file in tmp/ is swept after 36 hours, as every Maildir reader does. */
#define SWEEP_AFTER_S (36 * 3600)

static const char *const sub_names[] = { "tmp", "new", "cur" };
enum sub { TMP, NEW, CUR, NSUBS };

struct mt_maildir {
	char *path;
	int fd[NSUBS];
};

enum state { WRITING, SYNCED, RENAMED, COMMITTED, FAILED };

struct mt_deliver {
	struct mt_maildir *maildir;
	enum state state;
	int fd;
	enum sub target;
	bool has_time;
	int64_t time;
	char tmp[MT_MAILDIR_NAME_SIZE];
	char unique[MT_MAILDIR_NAME_SIZE];	/* set: use this one */
	char flags[MT_MAILDIR_FLAGS_SIZE];
	char name[MT_MAILDIR_NAME_SIZE];
	struct mt_err err;
};

static struct mt_maildir *
open_subs(const char *path, struct mt_err *err)
{
	mt_auto(mt_maildir) m = g_new0(struct mt_maildir, 1);

	m->path = g_strdup(path);
	for (size_t i = 0; i < NSUBS; i++)
		m->fd[i] = -1;
	for (size_t i = 0; i < NSUBS; i++) {
		g_autofree char *sub = g_build_filename(path, sub_names[i], NULL);

		m->fd[i] = open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (m->fd[i] < 0)
			return mt_fail_null(err, mt_err_kind_of_errno(errno),
			    "Maildir %s: %s: %m", path, sub_names[i]);
	}
	return mt_steal(&m);
}

struct mt_maildir *
mt_maildir_open(const char *path, struct mt_err *err)
{
	return open_subs(path, err);
}

struct mt_maildir *
mt_maildir_create(const char *path, struct mt_err *err)
{
	/* cur/ last: a reader that looks for it finds the other two. */
	for (size_t i = 0; i < NSUBS; i++) {
		g_autofree char *sub = g_build_filename(path, sub_names[i], NULL);

		if (mt_file_mkdirs(sub, 0700, err) < 0) {
			mt_fail_in(err, "Maildir %s", path);
			return NULL;
		}
	}
	return open_subs(path, err);
}

void
mt_maildir_free(struct mt_maildir *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < NSUBS; i++) {
		if (m->fd[i] >= 0)
			close(m->fd[i]);
	}
	g_free(m->path);
	g_free(m);
}

const char *
mt_maildir_path(const struct mt_maildir *m)
{
	return m->path;
}

bool
mt_maildir_is_there(const struct mt_maildir *m)
{
	for (size_t i = 0; i < NSUBS; i++) {
		g_autofree char *sub = g_build_filename(m->path, sub_names[i], NULL);
		struct stat there, ours;

		if (stat(sub, &there) < 0 || fstat(m->fd[i], &ours) < 0 ||
		    there.st_ino != ours.st_ino || there.st_dev != ours.st_dev)
			return false;
	}
	return true;
}

int
mt_maildir_fd(const struct mt_maildir *m, const char *sub)
{
	for (size_t i = 0; i < NSUBS; i++) {
		if (g_str_equal(sub, sub_names[i]))
			return m->fd[i];
	}
	g_error("no such directory in a Maildir: %s", sub);
}

size_t
mt_maildir_sweep(struct mt_maildir *m)
{
	int fd = openat(m->fd[TMP], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	time_t now = time(NULL);
	struct dirent *e;
	size_t swept = 0;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL) {
		struct stat st;

		if (e->d_name[0] == '.' ||
		    fstatat(m->fd[TMP], e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || now - st.st_mtime < SWEEP_AFTER_S ||
		    now - st.st_ctime < SWEEP_AFTER_S)
			continue;
		if (unlinkat(m->fd[TMP], e->d_name, 0) == 0)
			swept++;
	}
	closedir(dir);
	return swept;
}

struct mt_deliver *
mt_deliver_begin(struct mt_maildir *m, struct mt_err *err)
{
	struct mt_deliver *d = g_new0(struct mt_deliver, 1);

	d->maildir = m;
	d->target = NEW;
	mt_maildir_name_unique(d->tmp);
	d->fd = openat(m->fd[TMP], d->tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->fd < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "Maildir %s: tmp: %m", m->path);
		g_free(d);
		return NULL;
	}
	return d;
}

/* Give up before the rename: nothing stays. Keeps the first error. */
static int
give_up(struct mt_deliver *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	unlinkat(d->maildir->fd[TMP], d->tmp, 0);
	d->state = FAILED;
	return -1;
}

int
mt_deliver_write(struct mt_deliver *d, const void *p, size_t n, struct mt_err *err)
{
	g_assert(d->state == WRITING);
	if (mt_file_write_all(d->fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "Maildir %s: write: %m", d->maildir->path);
	return 0;
}

int
mt_deliver_fd(const struct mt_deliver *d)
{
	return d->fd;
}

void
mt_deliver_set_flags(struct mt_deliver *d, struct mt_slice flags)
{
	g_assert(mt_maildir_flags_valid(flags));
	memcpy(d->flags, flags.p != NULL ? flags.p : "", flags.n);
	d->flags[flags.n] = '\0';
	d->target = CUR;
}

void
mt_deliver_set_unique(struct mt_deliver *d, struct mt_slice unique)
{
	g_assert(unique.n > 0 && unique.n < sizeof(d->unique));
	memcpy(d->unique, unique.p, unique.n);
	d->unique[unique.n] = '\0';
}

void
mt_deliver_set_name(struct mt_deliver *d, const char *sub, const char *file)
{
	struct mt_maildir_name parsed;

	g_assert(g_str_equal(sub, "new") || g_str_equal(sub, "cur"));
	g_assert(mt_maildir_name_parse(file, &parsed));
	d->target = g_str_equal(sub, "new") ? NEW : CUR;
	g_strlcpy(d->name, file, sizeof(d->name));
}

void
mt_deliver_set_time(struct mt_deliver *d, int64_t seconds)
{
	d->has_time = true;
	d->time = seconds;
}

/* Choose the final name. The size comes from the file, since another process may have
   written it. */
static int
choose_name(struct mt_deliver *d)
{
	char base[MT_MAILDIR_NAME_SIZE];
	struct stat st;

	if (d->name[0] != '\0')
		return 0;
	if (fstat(d->fd, &st) < 0)
		return mt_fail(&d->err, MT_EIO, "Maildir %s: fstat: %m", d->maildir->path);
	if (d->unique[0] != '\0')
		g_strlcpy(base, d->unique, sizeof(base));
	else if (snprintf(base, sizeof(base), "%s,S=%lld", d->tmp,
	    (long long)st.st_size) >= (int)sizeof(base))
		return mt_fail(&d->err, MT_EDATA, "file name too long: %s", d->tmp);
	if (d->target == NEW)
		g_strlcpy(d->name, base, sizeof(d->name));
	else if (!mt_maildir_name_with_flags(mt_slice_str(base), mt_slice_str(d->flags),
	    d->name))
		return mt_fail(&d->err, MT_EDATA, "file name too long: %s", base);
	return 0;
}

/* The data barrier of one message: WRITING -> SYNCED or FAILED. */
static void
sync_data(struct mt_deliver *d)
{
	const char *path = d->maildir->path;

	if (choose_name(d) < 0) {
		give_up(d);
		return;
	}
	if (d->has_time) {
		struct timespec times[2] = { { d->time, 0 }, { d->time, 0 } };

		/* Only a date for readers: a file system that cannot keep it is no reason
		   to refuse mail. */
		(void)futimens(d->fd, times);
	}
	if (fsync(d->fd) < 0) {
		mt_fail(&d->err, mt_err_kind_of_errno(errno), "Maildir %s: fsync: %m", path);
		give_up(d);
		return;
	}
	if (close(mt_steal_fd(&d->fd)) < 0) {
		mt_fail(&d->err, mt_err_kind_of_errno(errno), "Maildir %s: close: %m", path);
		give_up(d);
		return;
	}
	d->state = SYNCED;
}

/* Some network file systems do not know RENAME_NOREPLACE (EINVAL): there, look first. */
static int
rename_noreplace(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? renameat(from_fd, from, to_fd, to) : -1;
}

/* SYNCED -> RENAMED or FAILED. A name that is taken is never replaced. */
static void
rename_in(struct mt_deliver *d)
{
	struct mt_maildir *m = d->maildir;

	if (rename_noreplace(m->fd[TMP], d->tmp, m->fd[d->target], d->name) == 0) {
		d->state = RENAMED;
		return;
	}
	mt_fail(&d->err, errno == EEXIST ? MT_EDATA : mt_err_kind_of_errno(errno),
	    "Maildir %s: %s/%s: %m", m->path, sub_names[d->target], d->name);
	give_up(d);
}

struct work {
	struct mt_deliver *const *list;
	size_t n;
	gint next;
};

static void *
sync_worker(void *p)
{
	struct work *w = p;

	for (;;) {
		size_t i = (size_t)g_atomic_int_add(&w->next, 1);

		if (i >= w->n)
			return NULL;
		sync_data(w->list[i]);
	}
}

/*
 * All data barriers, some at a time. A thread that cannot be made costs speed only. When all
 * data is on its way to the disk before the first of them, it stands for most of the others,
 * which find their file in a transaction that is over: twice to three times as fast on ext4.
 */
static void
sync_all(struct mt_deliver *const list[], size_t n)
{
	struct work w = { list, n, 0 };
	pthread_t threads[BARRIERS - 1];
	size_t started = 0;

	for (size_t i = 0; i < n && n > 1; i++)
		(void)sync_file_range(list[i]->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	while (started < BARRIERS - 1 && started + 1 < n &&
	    pthread_create(&threads[started], NULL, sync_worker, &w) == 0)
		started++;
	sync_worker(&w);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

/* One directory barrier for all of the list that were renamed into it. */
static void
sync_dir_of(struct mt_deliver *const list[], size_t n, size_t at)
{
	struct mt_deliver *first = list[at];
	int fd = first->maildir->fd[first->target];
	int rc = fsync(fd), saved = errno;

	for (size_t i = at; i < n; i++) {
		struct mt_deliver *d = list[i];

		if (d->state != RENAMED || d->maildir->fd[d->target] != fd)
			continue;
		d->state = rc == 0 ? COMMITTED : FAILED;
		errno = saved;
		if (rc != 0)
			mt_fail(&d->err, MT_ETEMP, "Maildir %s: fsync %s: %m",
			    d->maildir->path, sub_names[d->target]);
	}
}

int
mt_deliver_commit_all(struct mt_deliver *const list[], size_t n, struct mt_err *err)
{
	for (size_t i = 0; i < n; i++)
		g_assert(list[i]->state == WRITING);
	sync_all(list, n);
	for (size_t i = 0; i < n; i++) {
		if (list[i]->state == SYNCED)
			rename_in(list[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (list[i]->state == RENAMED)
			sync_dir_of(list, n, i);
	}
	for (size_t i = 0; i < n; i++) {
		if (list[i]->state == COMMITTED)
			continue;
		if (err != NULL)
			*err = list[i]->err;
		return -1;
	}
	return 0;
}

int
mt_deliver_commit(struct mt_deliver *d, struct mt_err *err)
{
	return mt_deliver_commit_all(&d, 1, err);
}

const struct mt_err *
mt_deliver_error(const struct mt_deliver *d)
{
	return d->state == COMMITTED ? NULL : &d->err;
}

const char *
mt_deliver_name(const struct mt_deliver *d)
{
	return d->name;
}

const char *
mt_deliver_subdir(const struct mt_deliver *d)
{
	return sub_names[d->target];
}

void
mt_deliver_free(struct mt_deliver *d)
{
	if (d == NULL)
		return;
	if (d->state == WRITING || d->state == SYNCED)
		give_up(d);
	g_free(d);
}
