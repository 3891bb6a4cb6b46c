/* walk.c - the messages that files, Maildirs, folders and mboxes hold, one by one */
#include "send/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "maildir/folder.h"
#include "message/mbox.h"

struct mt_walk {
	GQueue todo;			/* paths (char *) that are not opened yet */
	struct mt_folder_scan *scan;	/* the Maildir that is being read */
	struct mt_mbox *mbox;		/* the mbox that is being read */
	char *mbox_path;
	int mbox_fd;
	unsigned mbox_count;
	FILE *list;
	char list_end;
};

struct mt_walk *
mt_walk_new(void)
{
	struct mt_walk *w = g_new0(struct mt_walk, 1);

	g_queue_init(&w->todo);
	w->mbox_fd = -1;
	return w;
}

static void
end_mbox(struct mt_walk *w)
{
	g_clear_pointer(&w->mbox, mt_mbox_close);
	g_clear_pointer(&w->mbox_path, g_free);
	if (w->mbox_fd >= 0)
		close(mt_steal_fd(&w->mbox_fd));
	w->mbox_count = 0;
}

void
mt_walk_free(struct mt_walk *w)
{
	if (w == NULL)
		return;
	end_mbox(w);
	mt_folder_scan_free(w->scan);
	g_queue_clear_full(&w->todo, g_free);
	g_free(w);
}

void
mt_walk_add(struct mt_walk *w, const char *path)
{
	g_queue_push_tail(&w->todo, g_strdup(path));
}

void
mt_walk_set_list(struct mt_walk *w, FILE *list, char end)
{
	w->list = list;
	w->list_end = end;
}

void
mt_walk_entry_clear(struct mt_walk_entry *e)
{
	g_clear_pointer(&e->name, g_free);
	if (e->fd >= 0)
		close(mt_steal_fd(&e->fd));
}

/* An entry that says why a path gives nothing. */
static int
trouble(struct mt_walk_entry *out, const char *path, const struct mt_err *err)
{
	out->name = g_strdup(path);
	out->fd = -1;
	out->err = *err;
	return 1;
}

static int
trouble_errno(struct mt_walk_entry *out, const char *path)
{
	struct mt_err err = { 0 };

	mt_fail(&err, mt_err_kind_of_errno(errno), "%m");
	return trouble(out, path, &err);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether what a directory holds is walked. What cannot be looked at is: opening it tells
   why. Of a Maildir only the directories are: its messages come by the folder scan. */
static bool
is_walked(const char *path, const char *name, bool in_maildir)
{
	struct stat st;
	bool is_dir;

	if (g_str_equal(name, ".") || g_str_equal(name, ".."))
		return false;
	if (lstat(path, &st) < 0)
		return errno != ENOENT;
	if (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return false;
	is_dir = S_ISDIR(st.st_mode);
	/* ".Sent" is a folder of maildir++; ".notmuch" holds no mail. */
	if (name[0] == '.' && !(is_dir && mt_folder_is_maildir(path)))
		return false;
	return !in_maildir || (is_dir && !g_str_equal(name, "cur") &&
	    !g_str_equal(name, "new") && !g_str_equal(name, "tmp"));
}

/* Put what a directory holds in front of the list; on an error what was seen of it. */
static int
push_directory(struct mt_walk *w, const char *path, bool is_maildir, struct mt_err *err)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(path);
	struct dirent *e;
	int saved;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%m");
	while ((errno = 0, e = readdir(dir)) != NULL) {
		g_autofree char *sub = g_build_filename(path, e->d_name, NULL);

		if (is_walked(sub, e->d_name, is_maildir))
			g_ptr_array_add(names, mt_steal(&sub));
	}
	saved = errno;
	closedir(dir);
	if (names->len > 0)
		qsort(names->pdata, names->len, sizeof(names->pdata[0]), by_name);
	while (names->len > 0)
		g_queue_push_head(&w->todo,
		    g_ptr_array_steal_index(names, names->len - 1));
	errno = saved;
	return saved != 0 ? mt_fail(err, mt_err_kind_of_errno(saved), "readdir: %m") : 0;
}

/* Begin a directory: 0, or 1 with an entry that tells why not. */
static int
open_directory(struct mt_walk *w, const char *path, struct mt_walk_entry *out)
{
	bool is_maildir = mt_folder_is_maildir(path);
	struct mt_err err = { 0 };
	int rc = push_directory(w, path, is_maildir, &err);

	if (is_maildir && (w->scan = mt_folder_scan_new(path, &err)) == NULL)
		rc = -1;
	return rc < 0 ? trouble(out, path, &err) : 0;
}

static bool
begins_as_mbox(int fd)
{
	char start[5];

	return pread(fd, start, 5, 0) == 5 && memcmp(start, "From ", 5) == 0;
}

/* Open one path: 1 with an entry, 0 when it only put more on the list. */
static int
open_path(struct mt_walk *w, const char *path, struct mt_walk_entry *out)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct mt_err err = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return trouble_errno(out, path);
	if (S_ISDIR(st.st_mode))
		return open_directory(w, path, out);
	if (!S_ISREG(st.st_mode)) {
		mt_fail(&err, MT_ENOINPUT, "not a regular file");
		return trouble(out, path, &err);
	}
	if (begins_as_mbox(fd)) {
		w->mbox = mt_mbox_open(fd, MT_MBOX_RD, &err);
		if (w->mbox == NULL)
			return trouble(out, path, &err);
		w->mbox_fd = mt_steal_fd(&fd);
		w->mbox_path = g_strdup(path);
		return 0;
	}
	out->name = g_strdup(path);
	out->fd = mt_steal_fd(&fd);
	return 1;
}

/* The next message of the Maildir: 1, or 0 at its end. One that was renamed (a flag
   changed) or taken away meanwhile is told like any that cannot be read. */
static int
next_of_maildir(struct mt_walk *w, struct mt_walk_entry *out)
{
	struct mt_folder_entry e;
	struct mt_err err = { 0 };
	int rc = mt_folder_scan_next(w->scan, &e, &err);

	if (rc > 0) {
		out->fd = open(e.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (out->fd < 0)
			return trouble_errno(out, e.path);
		out->name = g_strdup(e.path);
		return 1;
	}
	g_clear_pointer(&w->scan, mt_folder_scan_free);
	return rc < 0 ? trouble(out, "Maildir", &err) : 0;
}

static int
write_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	int *fd = arg;

	if (mt_file_write_all(*fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "temporary file: %m");
	return 0;
}

/* The next message of the mbox, copied into a file of its own: 1, or 0 at its end. */
static int
next_of_mbox(struct mt_walk *w, struct mt_walk_entry *out)
{
	struct mt_mbox_entry e;
	struct mt_err err = { 0 };
	mt_auto_fd int fd = -1;
	int rc = mt_mbox_next(w->mbox, &e, &err);

	if (rc == 0) {
		end_mbox(w);
		return 0;
	}
	out->name = g_strdup_printf("%s:%u", w->mbox_path, ++w->mbox_count);
	if (rc > 0)
		fd = mt_file_temp(&err);
	if (fd >= 0 && mt_mbox_copy(w->mbox, &e, write_piece, &fd, &err) == 0) {
		out->fd = mt_steal_fd(&fd);
		return 1;
	}
	out->err = err;
	if (rc < 0)
		end_mbox(w);
	return 1;
}

/* The next path of the list on a stream: 0, 1 with an entry that tells why the list ended
   early, -1 at its end. */
static int
take_listed(struct mt_walk *w, struct mt_walk_entry *out)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (w->list == NULL)
		return -1;
	n = getdelim(&line, &cap, w->list_end, w->list);
	if (n > 0 && line[n - 1] == w->list_end)
		line[--n] = '\0';
	if (n > 0)
		mt_walk_add(w, line);
	free(line);
	if (n >= 0 || feof(w->list))
		return n >= 0 ? 0 : -1;
	w->list = NULL;
	return trouble_errno(out, "the list of paths");
}

int
mt_walk_next(struct mt_walk *w, struct mt_walk_entry *out)
{
	int rc = 0;

	*out = (struct mt_walk_entry){ .fd = -1 };
	while (rc == 0) {
		g_autofree char *path = NULL;

		if (w->mbox != NULL) {
			rc = next_of_mbox(w, out);
			continue;
		}
		if (w->scan != NULL) {
			rc = next_of_maildir(w, out);
			continue;
		}
		path = g_queue_pop_head(&w->todo);
		if (path != NULL)
			rc = open_path(w, path, out);
		else
			rc = take_listed(w, out);
	}
	return MAX(rc, 0);
}
