/*
 * spool.c - the queue as a directory
 *
 *	state		files			a crash here costs
 *	writing		tmp/ID			nothing: the caller was told nothing;
 *						swept after 36 h
 *	placed		msg/ID			the same
 *	queued		msg/ID, env/ID		nothing: the next run tries it
 *	trying		the same; msg/ID is	nothing when the server did not take it;
 *			locked			it may arrive twice when it did and the
 *						crash came before the next state (RFC
 *						1047: nobody can know)
 *	recorded	env/ID says who has	nothing: the next run goes on with those
 *			got it			who wait, and with the copy
 *	done		msg/ID; env/ID may	after a power cut env/ID may be there
 *			not yet be gone for	again: as "trying". The sync is begun
 *			good			at once, and waited for at the end
 *	gone		none, or msg/ID		nothing: swept
 *
 * env/ID is the only one of them that is ever replaced, by rename. What counts is whether it is
 * there: it comes last and goes first. The lock is on msg/ID, which stays the same file
 * for as long as the message is in the queue; flock() ends with the process.
 */
#include "queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "queue/reaper.h"
#include "smtp/client.h"

/* Of an envelope, for the longest reply to one recipient, as JSON has it. */
#define REPLY_MAX (2 * sizeof(((struct mt_smtp_outcome *)0)->text) + 100)
#define ROOM_SIZE MT_KIB(64)
#define LEFT_OVER_S (36 * INT64_C(3600))

struct mt_spool {
	char *dir, *env, *msg, *tmp, *corrupt, *last_run;
	struct mt_reaper *reaper;
	char *room;		/* the file that becomes the next env/ID to be replaced, */
	int room_fd;		/* or -1: there is none */
	size_t room_size;	/* that the disk has for it */
};

static int
check_owner(const char *dir, struct mt_err *err)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", dir);
	if (st.st_uid != geteuid())
		return mt_fail(err, MT_EPERM, "%s: belongs to another user", dir);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return mt_fail(err, MT_EPERM, "%s: others may write to it: chmod go-w it", dir);
	return 0;
}

struct mt_spool *
mt_spool_open(const char *dir, struct mt_err *err)
{
	mt_auto(mt_spool) s = g_new0(struct mt_spool, 1);

	s->room_fd = -1;
	s->dir = g_strdup(dir);
	s->env = g_build_filename(dir, "env", NULL);
	s->msg = g_build_filename(dir, "msg", NULL);
	s->tmp = g_build_filename(dir, "tmp", NULL);
	s->corrupt = g_build_filename(dir, "corrupt", NULL);
	s->last_run = g_build_filename(dir, "last-run", NULL);
	if (mt_file_mkdirs(s->env, 0700, err) < 0 || mt_file_mkdirs(s->msg, 0700, err) < 0 ||
	    mt_file_mkdirs(s->tmp, 0700, err) < 0 ||
	    mt_file_mkdirs(s->corrupt, 0700, err) < 0 || check_owner(dir, err) < 0) {
		mt_fail_in(err, "queue");
		return NULL;
	}
	s->reaper = mt_reaper_new(s->env, s->msg);
	return mt_steal(&s);
}

static void
drop_room(struct mt_spool *s)
{
	if (s->room_fd < 0)
		return;
	close(s->room_fd);
	s->room_fd = -1;
	unlink(s->room);
}

void
mt_spool_free(struct mt_spool *s)
{
	if (s == NULL)
		return;
	mt_reaper_free(s->reaper);
	drop_room(s);
	g_free(s->room);
	g_free(s->dir);
	g_free(s->env);
	g_free(s->msg);
	g_free(s->tmp);
	g_free(s->corrupt);
	g_free(s->last_run);
	g_free(s);
}

const char *
mt_spool_dir(const struct mt_spool *s)
{
	return s->dir;
}

void
mt_spool_item_free(struct mt_spool_item *i)
{
	if (i == NULL)
		return;
	if (i->fd >= 0)
		close(i->fd);
	mt_envelope_free(i->envelope);
	g_free(i);
}

static bool
is_id(const char *name)
{
	return strlen(name) == MT_QUEUE_ID_SIZE - 1 &&
	    strspn(name, "0123456789abcdef") == MT_QUEUE_ID_SIZE - 1;
}

static int
new_id(char id[MT_QUEUE_ID_SIZE], struct mt_err *err)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return mt_fail(err, MT_ESOFTWARE, "no random bytes: %m");
	g_snprintf(id, MT_QUEUE_ID_SIZE, "%08x%06x", (uint32_t)time(NULL), random & 0xffffff);
	return 0;
}

/* --- a message comes ------------------------------------------------------------- */

static int
copy_all(int to, int from, struct mt_err *err)
{
	char chunk[65536];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = pread(from, chunk, sizeof(chunk), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		if (n == 0)
			return 0;
		if (mt_file_write_all(to, chunk, (size_t)n) < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "write: %m");
		at += (uint64_t)n;
	}
}

/* The message in msg/ID, durable; gives the locked descriptor. */
static int
place_message(struct mt_spool *s, const char *id, int from, struct mt_err *err)
{
	g_autofree char *temp = g_build_filename(s->tmp, id, NULL);
	g_autofree char *path = g_build_filename(s->msg, id, NULL);
	mt_auto_fd int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", temp);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		mt_fail(err, MT_EIO, "%s: lock: %m", temp);
	else if (copy_all(fd, from, err) < 0)
		mt_fail_in(err, "%s", temp);
	else if (fsync(fd) < 0)
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: fsync: %m", temp);
	/* A second message of that name (one in 16 million, in one second) is refused. */
	else if (link(temp, path) < 0)
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	else if (mt_file_sync_dir(s->msg, err) == 0) {
		unlink(temp);
		return mt_steal_fd(&fd);
	} else
		unlink(path);
	unlink(temp);
	return -1;
}

static int
open_room(struct mt_spool *s, struct mt_err *err)
{
	if (s->room_fd >= 0)
		return 0;
	g_free(s->room);
	s->room = g_strdup_printf("%s/%d-%08x.new", s->env, (int)getpid(), g_random_int());
	s->room_size = 0;
	/* Without fallocate() in the file system, the C library reads what is there. */
	s->room_fd = open(s->room, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return s->room_fd >= 0 ? 0 :
	    mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", s->room);
}

int
mt_spool_save(struct mt_spool_item *i, struct mt_err *err)
{
	struct mt_spool *s = i->spool;
	g_autofree char *path = g_build_filename(s->env, i->id, NULL);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_ENVELOPE);

	if (mt_envelope_write(i->envelope, &text, err) < 0)
		return mt_fail_in(err, "%s", path);
	if (open_room(s, err) < 0)
		return -1;
	if (mt_file_write_all(s->room_fd, text.p, text.n) < 0 ||
	    ftruncate(s->room_fd, (off_t)text.n) < 0 || fsync(s->room_fd) < 0 ||
	    rename(s->room, path) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: write: %m", path);
		drop_room(s);
		return -1;
	}
	close(s->room_fd);
	s->room_fd = -1;
	return mt_file_sync_dir(s->env, err);
}

int
mt_spool_reserve(struct mt_spool_item *i, struct mt_err *err)
{
	struct mt_spool *s = i->spool;
	g_autofree char *path = g_build_filename(s->env, i->id, NULL);
	size_t waiting = mt_envelope_count(i->envelope, MT_QUEUE_WAITING), size;
	struct stat st;

	if (open_room(s, err) < 0)
		return -1;
	if (lstat(path, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	size = MAX((size_t)st.st_size + waiting * REPLY_MAX, ROOM_SIZE);
	if (size <= s->room_size)
		return 0;
	errno = posix_fallocate(s->room_fd, 0, (off_t)size);
	if (errno != 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
		drop_room(s);
		return -1;
	}
	s->room_size = size;
	return 0;
}

static int
copy_envelope(const struct mt_envelope *e, struct mt_envelope **out, struct mt_err *err)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_ENVELOPE);

	if (mt_envelope_write(e, &text, err) < 0)
		return -1;
	/* What becomes of each is to find room in it, too. */
	if (text.n + e->rcpts->len * REPLY_MAX > MT_MAX_ENVELOPE)
		return mt_fail(err, MT_EDATA, "%u recipients are too many for one message: send it "
		    "to some of them at a time", e->rcpts->len);
	*out = mt_envelope_read(mt_buf_slice(&text), err);
	return *out == NULL ? -1 : 0;
}

int
mt_spool_add(struct mt_spool *s, const struct mt_envelope *e, int fd,
    struct mt_spool_item **out, struct mt_err *err)
{
	mt_auto(mt_spool_item) item = g_new0(struct mt_spool_item, 1);

	item->spool = s;
	item->fd = -1;
	if (new_id(item->id, err) < 0 || copy_envelope(e, &item->envelope, err) < 0)
		return mt_fail_in(err, "queue");
	item->fd = place_message(s, item->id, fd, err);
	if (item->fd < 0)
		return mt_fail_in(err, "queue");
	if (mt_spool_save(item, err) < 0) {
		/* It may be there, only not synced. */
		if (mt_spool_remove(item, NULL) < 0 || mt_spool_flush(s, NULL) < 0)
			mt_fail_in(err, "perhaps queued as %s", item->id);
		return mt_fail_in(err, "queue");
	}
	*out = mt_steal(&item);
	return 0;
}

/* --- and is worked on ------------------------------------------------------------ */

struct mt_envelope *
mt_spool_peek(struct mt_spool *s, const char *id, struct mt_err *err)
{
	g_autofree char *path = g_build_filename(s->env, id, NULL);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_ENVELOPE);
	struct mt_envelope *e;

	if (!is_id(id) || (access(path, F_OK) < 0 && errno == ENOENT))
		return mt_fail_null(err, MT_ENOINPUT, "%s: not in the queue", id);
	if (mt_file_read(path, &text, err) < 0)
		return NULL;
	e = mt_envelope_read(mt_buf_slice(&text), err);
	if (e == NULL)
		mt_fail_in(err, "%s", path);
	return e;
}

int64_t
mt_spool_size(struct mt_spool *s, const char *id)
{
	g_autofree char *path = g_build_filename(s->msg, id, NULL);
	struct stat st;

	return is_id(id) && lstat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* Out of the way, with the reason kept in *err. */
static int
set_aside(struct mt_spool *s, const char *id, struct mt_err *err)
{
	g_autofree char *env = g_build_filename(s->env, id, NULL);
	g_autofree char *msg = g_build_filename(s->msg, id, NULL);
	g_autofree char *env_to = g_strconcat(s->corrupt, "/", id, ".env", NULL);
	g_autofree char *msg_to = g_strconcat(s->corrupt, "/", id, ".msg", NULL);

	/* The message first: env/ID without it is set aside by the next run. */
	if ((rename(msg, msg_to) < 0 && errno != ENOENT) || rename(env, env_to) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: rename to %s: %m", env,
		    s->corrupt);
	return mt_fail_in(err, "moved to %s/%s.msg and .env", s->corrupt, id);
}

/* Open and lock msg/ID: 1 with *fd; 0 when there is none, or it is busy. */
static int
lock_message(const char *path, int *fd, bool *is_busy, struct mt_err *err)
{
	/* NFS locks for writers only. */
	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == ENOENT)
		return 0;
	if (*fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	*is_busy = errno == EWOULDBLOCK;
	return *is_busy ? 0 : mt_fail(err, MT_EIO, "%s: lock: %m", path);
}

int
mt_spool_take(struct mt_spool *s, const char *id, struct mt_spool_item **out,
    bool *is_busy, struct mt_err *err)
{
	mt_auto(mt_spool_item) item = g_new0(struct mt_spool_item, 1);
	g_autofree char *path = g_build_filename(s->msg, id, NULL);
	g_autofree char *env = g_build_filename(s->env, id, NULL);
	struct mt_err why = { 0 };
	int rc;

	*is_busy = false;
	item->spool = s;
	item->fd = -1;
	if (!is_id(id))
		return 0;
	g_strlcpy(item->id, id, sizeof(item->id));
	rc = lock_message(path, &item->fd, is_busy, err);
	if (rc < 0)
		return rc;
	if (*is_busy) {
		/* Who has it may be about to let go of what has left the queue. */
		*is_busy = access(env, F_OK) == 0;
		return 0;
	}
	/* Only now: who had the lock before may have changed or removed it. */
	item->envelope = mt_spool_peek(s, id, &why);
	if (item->envelope != NULL && item->fd >= 0) {
		*out = mt_steal(&item);
		return 1;
	}
	if (item->envelope == NULL && why.kind == MT_ENOINPUT)
		return 0;
	if (item->envelope != NULL)
		mt_fail(&why, MT_EDATA, "%s: there is an envelope, but no message", path);
	if (why.kind == MT_EDATA)
		set_aside(s, id, &why);
	if (err != NULL)
		*err = why;
	return -1;
}

int
mt_spool_remove(struct mt_spool_item *i, struct mt_err *err)
{
	g_autofree char *env = g_build_filename(i->spool->env, i->id, NULL);

	if (unlink(env) < 0 && errno != ENOENT)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: remove: %m", env);
	mt_reaper_add(i->spool->reaper, i->id);
	return 0;
}

int
mt_spool_flush(struct mt_spool *s, struct mt_err *err)
{
	return mt_reaper_flush(s->reaper, err);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GDir *
open_dir(const char *path, struct mt_err *err)
{
	g_autoptr(GError) why = NULL;
	GDir *dir = g_dir_open(path, 0, &why);

	if (dir == NULL)
		mt_fail(err, MT_EIO, "%s", why->message);
	return dir;
}

GPtrArray *
mt_spool_list(struct mt_spool *s, struct mt_err *err)
{
	g_autoptr(GDir) dir = open_dir(s->env, err);
	GPtrArray *ids;
	const char *name;

	if (dir == NULL)
		return NULL;
	ids = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(dir)) != NULL) {
		if (is_id(name))
			g_ptr_array_add(ids, g_strdup(name));
	}
	g_ptr_array_sort(ids, by_name);
	return ids;
}

static int
sweep_dir(struct mt_spool *s, const char *path, int64_t now, struct mt_err *err)
{
	g_autoptr(GDir) dir = open_dir(path, err);
	const char *name;

	if (dir == NULL)
		return -1;
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *env = g_build_filename(s->env, name, NULL);
		struct stat st;

		if (lstat(file, &st) < 0 || !S_ISREG(st.st_mode) ||
		    now - st.st_ctime < LEFT_OVER_S)
			continue;
		/* Only what certainly has no envelope. */
		if (path == s->env ? is_id(name) :
		    access(env, F_OK) == 0 || errno != ENOENT)
			continue;
		if (unlink(file) < 0 && errno != ENOENT)
			return mt_fail(err, mt_err_kind_of_errno(errno), "%s: remove: %m", file);
	}
	return 0;
}

int
mt_spool_sweep(struct mt_spool *s, int64_t now, struct mt_err *err)
{
	return sweep_dir(s, s->tmp, now, err) < 0 || sweep_dir(s, s->msg, now, err) < 0 ||
	    sweep_dir(s, s->env, now, err) < 0 ? -1 : 0;
}

int
mt_spool_mark_run(struct mt_spool *s, struct mt_err *err)
{
	mt_auto_fd int fd = open(s->last_run, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || futimens(fd, NULL) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", s->last_run);
	return 0;
}

int64_t
mt_spool_last_run(struct mt_spool *s)
{
	struct stat st;

	return lstat(s->last_run, &st) == 0 ? (int64_t)st.st_mtime : 0;
}
