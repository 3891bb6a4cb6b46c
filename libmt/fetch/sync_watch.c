/* sync_watch.c - wait until something changes on either side */
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "fetch/sync_account.h"
#include "maildir/folder.h"

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)
/* One change seldom comes alone: a mail reader renames many files. */
#define SETTLE_MS 500

/* What comes from inotify is read; what it was does not matter. */
static void
drain(int fd)
{
	char buf[65536];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/* A directory that cannot be watched is looked at by each run all the same. */
static void
add(const struct mt_sync *s, const char *path)
{
	(void)inotify_add_watch(s->inotify, path, EVENTS);
}

/* The folders there are, and where new ones may come. */
static void
add_folders(struct mt_sync *s)
{
	mt_auto(mt_folder_walk) walk = mt_folder_walk_new(s->run.params->root, NULL);
	struct mt_err ignored = { 0 };
	const char *path;

	add(s, s->run.params->root);
	while (walk != NULL && mt_folder_walk_next(walk, &path, &ignored) != 0) {
		g_autofree char *cur = g_build_filename(path, "cur", NULL);
		g_autofree char *new = g_build_filename(path, "new", NULL);
		g_autofree char *above = g_path_get_dirname(path);

		add(s, cur);
		add(s, new);
		add(s, path);
		add(s, above);
	}
}

void
mt_sync_watch_begin(struct mt_sync *s)
{
	if (s->inotify < 0)
		s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->inotify < 0)
		return;
	add_folders(s);
	drain(s->inotify);
}

int
mt_sync_watch(struct mt_sync *s, uint32_t ms, struct mt_err *err)
{
	const char *const *folders = s->run.params->folders;
	const char *name = folders != NULL ? folders[0] : "INBOX";
	const struct timespec settle = { 0, SETTLE_MS * 1000000L };
	bool is_woken;

	/* Folders that the run has made; in the others, what it did itself wakes us once more. */
	if (s->inotify >= 0)
		add_folders(s);
	if (mt_sync_server_watch(s->run.server, name, s->inotify, ms, &is_woken, err) < 0)
		return -1;
	if (!is_woken)
		nanosleep(&settle, NULL);
	return 0;
}
