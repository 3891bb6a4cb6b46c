/* folder.c - walk Maildirs: the folders below a root, the messages of a folder */
#include "maildir/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Nested directories that we follow; a mail root is at most a few levels deep. */
#define MAX_DEPTH 32

bool
mt_folder_is_maildir(const char *path)
{
	/* An empty tmp/ is what a copy leaves out first. */
	static const char *const subs[] = { "cur", "new" };

	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *sub = g_build_filename(path, subs[i], NULL);
		struct stat st;

		if (lstat(sub, &st) == 0 ? !S_ISDIR(st.st_mode) :
		    errno == ENOENT || errno == ENOTDIR)
			return false;
	}
	return true;
}

struct mt_folder_walk {
	GPtrArray *found;	/* paths, sorted */
	guint at;
	GArray *hidden;		/* struct hidden */
	guint hidden_at;
};

/* A directory whose subdirectories cannot be seen. */
struct hidden {
	char *path;
	struct mt_err why;
};

static void
hidden_clear(void *p)
{
	g_free(((struct hidden *)p)->path);
}

struct pending {
	char *path;
	unsigned depth;
};

static void
pending_clear(void *p)
{
	g_free(((struct pending *)p)->path);
}

/* cur, new and tmp are a Maildir's own; "." and ".." are nobody's folder. */
static bool
may_be_folder(const char *name, bool in_maildir)
{
	if (g_str_equal(name, ".") || g_str_equal(name, "..") ||
	    g_str_equal(name, ".notmuch"))
		return false;
	return !in_maildir || (!g_str_equal(name, "cur") && !g_str_equal(name, "new") &&
	    !g_str_equal(name, "tmp"));
}

/* Add the directories in path to the list of those to look at. */
static int
push_children(const char *path, unsigned depth, bool in_maildir, GArray *pending,
    struct mt_err *err)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (dir == NULL)
		return errno == ENOENT ? 0 : mt_fail(err, mt_err_kind_of_errno(errno),
		    "%s: %m", path);
	while ((errno = 0, e = readdir(dir)) != NULL) {
		struct pending p = { NULL, depth + 1 };
		struct stat st;

		if (!may_be_folder(e->d_name, in_maildir) || depth >= MAX_DEPTH ||
		    (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		p.path = g_build_filename(path, e->d_name, NULL);
		if (lstat(p.path, &st) == 0 && S_ISDIR(st.st_mode))
			g_array_append_val(pending, p);
		else
			g_free(p.path);
	}
	if (errno != 0) {
		mt_fail(err, MT_EIO, "%s: readdir: %m", path);
		closedir(dir);
		return -1;
	}
	closedir(dir);
	return 0;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct mt_folder_walk *
mt_folder_walk_new(const char *root, struct mt_err *err)
{
	mt_auto(mt_folder_walk) w = g_new0(struct mt_folder_walk, 1);
	g_autoptr(GArray) pending = g_array_new(FALSE, FALSE, sizeof(struct pending));
	struct pending first = { g_strdup(root), 0 };
	struct stat st;

	w->hidden = g_array_new(FALSE, FALSE, sizeof(struct hidden));
	g_array_set_clear_func(w->hidden, hidden_clear);
	g_array_set_clear_func(pending, NULL);
	w->found = g_ptr_array_new_with_free_func(g_free);
	g_array_append_val(pending, first);
	if (stat(root, &st) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", root);
		goto fail;
	}
	while (pending->len > 0) {
		struct pending p = g_array_index(pending, struct pending,
		    pending->len - 1);
		bool is = mt_folder_is_maildir(p.path);
		struct mt_err why = { 0 };
		int rc;

		g_array_set_size(pending, pending->len - 1);
		rc = push_children(p.path, p.depth, is, pending, &why);
		if (rc < 0 && p.depth > 0) {
			struct hidden h = { g_strdup(p.path), why };

			g_array_append_val(w->hidden, h);
			rc = 0;
		} else if (rc < 0) {
			*err = why;
		}
		if (is)
			g_ptr_array_add(w->found, p.path);
		else
			pending_clear(&p);
		if (rc < 0)
			goto fail;
	}
	g_ptr_array_sort(w->found, compare_paths);
	return mt_steal(&w);
fail:
	g_array_set_clear_func(pending, pending_clear);
	return NULL;
}

int
mt_folder_walk_next(struct mt_folder_walk *w, const char **path, struct mt_err *err)
{
	const struct hidden *h;

	if (w->at < w->found->len) {
		*path = g_ptr_array_index(w->found, w->at++);
		return 1;
	}
	if (w->hidden_at >= w->hidden->len)
		return 0;
	h = &g_array_index(w->hidden, struct hidden, w->hidden_at++);
	*path = h->path;
	*err = h->why;
	return -1;
}

void
mt_folder_walk_free(struct mt_folder_walk *w)
{
	if (w == NULL)
		return;
	g_ptr_array_unref(w->found);
	g_array_unref(w->hidden);
	g_free(w);
}

struct scan_entry {
	char *file;
	uint64_t inode;
	bool is_new;
};

struct mt_folder_scan {
	char *maildir;
	GArray *entries;	/* struct scan_entry */
	guint at;
	char *path;		/* of the entry that was given last */
};

static void
scan_entry_clear(void *p)
{
	g_free(((struct scan_entry *)p)->file);
}

static int
compare_inodes(const void *a, const void *b)
{
	const struct scan_entry *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int
read_sub(struct mt_folder_scan *s, const char *sub, bool is_new, struct mt_err *err)
{
	g_autofree char *path = g_build_filename(s->maildir, sub, NULL);
	DIR *dir = opendir(path);
	struct dirent *e;
	int saved;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	while ((errno = 0, e = readdir(dir)) != NULL) {
		struct mt_maildir_name name;
		struct scan_entry entry = { NULL, e->d_ino, is_new };

		if (e->d_type != DT_REG && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN)
			continue;
		if (!mt_maildir_name_parse(e->d_name, &name))
			continue;
		entry.file = g_strdup(e->d_name);
		g_array_append_val(s->entries, entry);
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	if (saved != 0)
		return mt_fail(err, MT_EIO, "%s: readdir: %m", path);
	return 0;
}

struct mt_folder_scan *
mt_folder_scan_new(const char *maildir, struct mt_err *err)
{
	mt_auto(mt_folder_scan) s = g_new0(struct mt_folder_scan, 1);

	s->maildir = g_strdup(maildir);
	s->entries = g_array_new(FALSE, FALSE, sizeof(struct scan_entry));
	g_array_set_clear_func(s->entries, scan_entry_clear);
	/* new/ first: what moves from new/ to cur/ meanwhile is seen, perhaps twice (as two
	   names of one unique part), never missed. */
	if (read_sub(s, "new", true, err) < 0 || read_sub(s, "cur", false, err) < 0)
		return NULL;
	g_array_sort(s->entries, compare_inodes);
	return mt_steal(&s);
}

int
mt_folder_scan_next(struct mt_folder_scan *s, struct mt_folder_entry *out,
    struct mt_err *err)
{
	const struct scan_entry *e;

	(void)err;
	if (s->at >= s->entries->len)
		return 0;
	e = &g_array_index(s->entries, struct scan_entry, s->at++);
	g_free(s->path);
	s->path = g_build_filename(s->maildir, e->is_new ? "new" : "cur", e->file, NULL);
	*out = (struct mt_folder_entry){ .path = s->path, .file = e->file,
		.is_new = e->is_new, .inode = e->inode };
	mt_maildir_name_parse(e->file, &out->name);
	return 1;
}

void
mt_folder_scan_free(struct mt_folder_scan *s)
{
	if (s == NULL)
		return;
	g_array_unref(s->entries);
	g_free(s->maildir);
	g_free(s->path);
	g_free(s);
}
