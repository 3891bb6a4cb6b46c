/* sync_folders.c - which folders of an account there are, on either side */
#include "fetch/sync_folders.h"

#include <limits.h>
#include <string.h>

#include "maildir/folder.h"

void
mt_sync_folders_clear(struct mt_sync_folders *f)
{
	if (f->boxes != NULL)
		g_ptr_array_unref(f->boxes);
	if (f->paths != NULL)
		g_ptr_array_unref(f->paths);
	*f = (struct mt_sync_folders){ 0 };
}

void
mt_sync_fail_folder(struct mt_sync_run *run, const char *folder, const struct mt_err *err)
{
	const struct mt_sync_event ev = { .kind = MT_SYNC_FAILED, .folder = folder, .err = err };

	run->result->failed++;
	if (run->result->failure.kind == MT_ENONE)
		run->result->failure = *err;
	mt_sync_run_report(run, &ev);
}

/* Whether it is the user's own: what others let us see is none of a run's business. */
static bool
is_own(const struct mt_sync_folders *f, const char *name)
{
	return f->run->server == NULL || mt_imap_namespaces_owner(
	    mt_sync_server_namespaces(f->run->server), name) == MT_IMAP_PERSONAL;
}

static bool
is_below_inbox(const char *name, char delimiter)
{
	return delimiter != '\0' && g_str_has_prefix(name, "INBOX") &&
	    name[strlen("INBOX")] == delimiter;
}

/* Where the user's own are, as the server says it: false when it says nothing. */
static bool
learn_from_namespaces(struct mt_sync_folders *f)
{
	const GArray *spaces = mt_sync_server_namespaces(f->run->server);
	bool found = false, all = true;

	for (guint i = 0; spaces != NULL && i < spaces->len; i++) {
		const struct mt_imap_namespace *n =
		    &g_array_index(spaces, struct mt_imap_namespace, i);

		if (n->owner != MT_IMAP_PERSONAL)
			continue;
		if (!found)
			f->names.delimiter = n->delimiter;
		found = true;
		all = all && n->delimiter == f->names.delimiter &&
		    is_below_inbox(n->prefix, n->delimiter) &&
		    n->prefix[strlen("INBOX.")] == '\0';
	}
	f->names.has_prefix = found && all;
	return found;
}

/* "INBOX.Sent", "INBOX.Lists.mutt": a server where all lies below INBOX. */
static void
learn_names(struct mt_sync_folders *f)
{
	bool all = f->boxes->len > 1;

	if (learn_from_namespaces(f))
		return;
	for (guint i = 0; i < f->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

		if (b->delimiter != '\0')
			f->names.delimiter = b->delimiter;
	}
	for (guint i = 0; i < f->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

		if (!g_str_equal(b->name, "INBOX"))
			all = all && is_below_inbox(b->name, f->names.delimiter);
	}
	f->names.has_prefix = all && f->names.delimiter != '\0';
}

bool
mt_sync_folders_is_wanted(const struct mt_sync_folders *f, const char *name, unsigned use)
{
	const char *const *names = f->run->params->folders;

	/* What only shows messages of other folders would double all of them. */
	if (names == NULL)
		return (use & (MT_SYNC_USE_ALL | MT_SYNC_USE_FLAGGED |
		    MT_SYNC_USE_IMPORTANT)) == 0 && is_own(f, name);
	for (; *names != NULL; names++) {
		if (g_str_equal(*names, name))
			return true;
	}
	return false;
}

static int
check_wanted(const struct mt_sync_folders *f, struct mt_err *err)
{
	const char *const *names = f->run->params->folders;

	for (; names != NULL && *names != NULL; names++) {
		bool found = false;

		for (guint i = 0; i < f->boxes->len && !found; i++) {
			const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

			found = g_str_equal(b->name, *names);
		}
		if (!found)
			return mt_fail(err, MT_EUSAGE, "no folder \"%s\" on the server, nor below "
			    "%s", *names, f->run->params->root);
	}
	return 0;
}

static const char *
find_trash(const struct mt_sync_folders *f)
{
	static const char *const names[] = { "Trash", "INBOX.Trash", "INBOX/Trash",
		"Deleted Items", "Deleted Messages" };

	for (guint i = 0; i < f->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

		if ((b->use & MT_SYNC_USE_TRASH) && is_own(f, b->name))
			return b->name;
	}
	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		for (guint i = 0; i < f->boxes->len; i++) {
			const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);

			if (g_ascii_strcasecmp(b->name, names[n]) == 0 && is_own(f, b->name))
				return b->name;
		}
	}
	return NULL;
}

static bool
has_text(const GPtrArray *list, const char *text)
{
	for (guint i = 0; i < list->len; i++) {
		if (g_str_equal(list->pdata[i], text))
			return true;
	}
	return false;
}

static void
add_box(struct mt_sync_folders *f, struct mt_sync_box *b)
{
	g_ptr_array_add(f->boxes, b);
	g_ptr_array_add(f->paths, mt_sync_names_path(&f->names, b->name));
}

/* Maildirs that the server does not have are made there, but those that it had and has no
   more (sync_gone.c). */
static int
add_local(struct mt_sync_folders *f, struct mt_err *err)
{
	const struct mt_sync_params *p = f->run->params;
	g_autoptr(GPtrArray) known = mt_sync_state_names(f->run->state, err);
	mt_auto(mt_folder_walk) walk = NULL;
	const char *path;
	int rc;

	if (known == NULL)
		return -1;
	if (p->no_push || !g_file_test(p->root, G_FILE_TEST_IS_DIR))
		return 0;
	walk = mt_folder_walk_new(p->root, err);
	if (walk == NULL)
		return -1;
	while ((rc = mt_folder_walk_next(walk, &path, err)) != 0) {
		g_autofree char *name = NULL;
		const char *below;
		struct mt_sync_box *b;
		struct mt_err why = { 0 };

		if (rc < 0)
			return -1;
		if (strlen(path) <= strlen(p->root))
			continue;
		below = path + strlen(p->root) + 1;
		if (has_text(f->paths, below))
			continue;
		name = mt_sync_names_name(&f->names, below);
		if (name == NULL) {
			mt_fail(&why, MT_EDATA, "%s: no folder of the server can have this name",
			    path);
			mt_sync_fail_folder(f->run, below, &why);
			continue;
		}
		if (has_text(known, name))
			continue;
		if (p->folders == NULL && !is_own(f, name)) {
			mt_fail(&why, MT_EDATA, "%s: on the server this folder would not be one's "
			    "own; it is made there only if --folder names it", path);
			mt_sync_fail_folder(f->run, name, &why);
			continue;
		}
		if (!p->dry_run && mt_sync_server_create(f->run->server, name, &why) < 0) {
			if (why.kind != MT_EUNAVAIL) {
				*err = why;
				return -1;
			}
			mt_sync_fail_folder(f->run, name, &why);
			continue;
		}
		if (p->dry_run)
			continue;
		b = g_new0(struct mt_sync_box, 1);
		b->name = g_steal_pointer(&name);
		b->delimiter = f->names.delimiter;
		add_box(f, b);
	}
	return 0;
}

/* Whether the root can have a Maildir of that path. */
static bool
is_too_long(const struct mt_sync_folders *f, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **p = parts; *p != NULL; p++) {
		if (strlen(*p) > NAME_MAX)
			return true;
	}
	return strlen(f->run->params->root) + strlen(path) + MT_MAILDIR_NAME_SIZE + 8 > PATH_MAX;
}

/* The paths of all. Of two names that lead to one path only the first is taken. */
static void
find_paths(struct mt_sync_folders *f)
{
	for (guint i = 0; i < f->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(f->boxes, i);
		g_autofree char *path = mt_sync_names_path(&f->names, b->name);
		struct mt_err why = { 0 };

		if (has_text(f->paths, path))
			mt_fail(&why, MT_EDATA, "another folder of the server has the same "
			    "path, %s", path);
		else if (is_too_long(f, path))
			mt_fail(&why, MT_EDATA, "its name is too long for a directory");
		if (why.kind == MT_ENONE) {
			g_ptr_array_add(f->paths, g_steal_pointer(&path));
			continue;
		}
		mt_sync_fail_folder(f->run, b->name, &why);
		g_ptr_array_remove_index(f->boxes, i--);
	}
}

int
mt_sync_folders_find(struct mt_sync_folders *f, struct mt_err *err)
{
	size_t odd = 0;

	f->boxes = mt_sync_server_list(f->run->server, &odd, err);
	if (f->boxes == NULL)
		return -1;
	f->paths = g_ptr_array_new_with_free_func(g_free);
	learn_names(f);
	find_paths(f);
	if (odd > 0) {
		struct mt_err why = { 0 };

		mt_fail(&why, MT_EPROTO, "%zu folders of the server have names that are no "
		    "modified UTF-7: they are left out", odd);
		mt_sync_fail_folder(f->run, "", &why);
	}
	if (add_local(f, err) < 0 || check_wanted(f, err) < 0)
		return -1;
	f->run->trash = find_trash(f);
	return 0;
}

