/* recover.c - what became of the messages that a killed run was about to store */
#include "fetch/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>

#include "maildir/deliver.h"
#include "maildir/name.h"

/* Whether new/ or cur/ of an open Maildir holds that unique name, with any flags. */
static int
find_in_sub(const struct mt_maildir *m, const char *sub, const char *unique,
    struct mt_err *err)
{
	int fd = openat(mt_maildir_fd(m, sub), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct mt_slice want = mt_slice_str(unique);
	struct dirent *e;
	int found = 0;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s/%s: %m",
		    mt_maildir_path(m), sub);
	errno = 0;
	while (found == 0 && (e = readdir(dir)) != NULL) {
		struct mt_maildir_name name;

		found = mt_maildir_name_parse(e->d_name, &name) &&
		    mt_slice_eq(name.unique, want);
		errno = 0;
	}
	if (found == 0 && errno != 0)
		found = mt_fail(err, MT_EIO, "%s/%s: %m", mt_maildir_path(m), sub);
	closedir(dir);
	return found;
}

/*
 * What became of a file whose name was intended: 1 it is there, and now surely durable;
 * 0 it never came to be; -1 we cannot tell.
 */
static int
find_intended(const char *path, const char *name, struct mt_err *err)
{
	static const char *const subs[] = { "new", "cur", "new", "cur" };
	mt_auto(mt_maildir) m = NULL;
	struct mt_err why = { 0 };

	m = mt_maildir_open(path, &why);
	if (m == NULL && why.kind == MT_ENOINPUT)
		return 0;
	if (m == NULL) {
		*err = why;
		return -1;
	}
	/* A mail reader may move the file to cur/, or rename it there, just as we look:
	   a second look sees it. */
	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		const char *sub = subs[i];
		int rc = find_in_sub(m, sub, name, err);

		if (rc < 0)
			return -1;
		if (rc > 0 && fsync(mt_maildir_fd(m, sub)) < 0)
			return mt_fail(err, MT_EIO, "%s/%s: fsync: %m", path, sub);
		if (rc > 0)
			return 1;
	}
	return 0;
}

struct intent {
	char *uid;
	uint32_t nth;
	char *maildir;
	char *name;
};

static void
intent_clear(void *p)
{
	struct intent *i = p;

	g_free(i->uid);
	g_free(i->maildir);
	g_free(i->name);
}

static int
read_intents(struct mt_fetch_state *state, GArray *out, struct mt_err *err)
{
	struct mt_fetch_row_info row;
	int rc;

	while ((rc = mt_fetch_state_next(state, &row, err)) > 0) {
		struct intent i;

		if (row.row != MT_FETCH_INTENDED)
			continue;
		i = (struct intent){ g_strdup(row.id.uid), row.id.nth,
			g_strdup(row.maildir), g_strdup(row.name) };
		g_array_append_val(out, i);
	}
	return rc;
}

int
mt_fetch_recover(struct mt_fetch_state *state, uint64_t *found, struct mt_err *err)
{
	g_autoptr(GArray) intents = g_array_new(FALSE, FALSE, sizeof(struct intent));

	g_array_set_clear_func(intents, intent_clear);
	if (read_intents(state, intents, err) < 0)
		return -1;
	if (intents->len == 0)
		return 0;
	if (mt_fetch_state_begin(state, err) < 0)
		return -1;
	for (guint i = 0; i < intents->len; i++) {
		const struct intent *in = &g_array_index(intents, struct intent, i);
		struct mt_fetch_id id = { in->uid, in->nth };
		int rc = find_intended(in->maildir, in->name, err);

		*found += rc > 0;
		if (rc < 0 || mt_fetch_state_set(state, &id,
		    rc > 0 ? MT_FETCH_STORED : MT_FETCH_UNSEEN, err) < 0) {
			mt_fetch_state_rollback(state);
			return -1;
		}
	}
	return mt_fetch_state_commit(state, err);
}
