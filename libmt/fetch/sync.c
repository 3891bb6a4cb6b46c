/* sync.c - an account and its Maildirs made equal, both ways, over IMAP */
#include "fetch/sync.h"

#include <string.h>

#include "fetch/sync_job.h"
#include "fetch/sync_move.h"
#include "fetch/sync_names.h"
#include "maildir/folder.h"

struct mt_sync {
	struct mt_sync_run run;
	struct mt_sync_names names;
	GPtrArray *boxes;	/* struct mt_sync_box */
	GPtrArray *paths;	/* of these, below the root */
};

struct mt_sync *
mt_sync_new(const struct mt_sync_params *params, struct mt_err *err)
{
	mt_auto(mt_sync) s = g_new0(struct mt_sync, 1);

	s->run.params = params;
	s->run.state = mt_sync_state_open(params->state_dir, params->account, err);
	return s->run.state != NULL ? mt_steal(&s) : NULL;
}

void
mt_sync_free(struct mt_sync *s)
{
	if (s == NULL)
		return;
	if (s->boxes != NULL)
		g_ptr_array_unref(s->boxes);
	if (s->paths != NULL)
		g_ptr_array_unref(s->paths);
	mt_sync_server_free(s->run.server);
	mt_sync_state_free(s->run.state);
	g_free(s);
}

static int
connect_to(struct mt_sync *s, const char *password, struct mt_err *err)
{
	mt_auto_value(mt_conn_url) url = { NULL };
	struct mt_conn_dial dial = s->run.params->dial;
	struct mt_conn *c;

	if (mt_conn_url_parse(dial.url, &url, err) < 0)
		return -1;
	dial.password = password;
	c = mt_conn_dial(&dial, err);
	if (c == NULL)
		return -1;
	s->run.server = mt_sync_server_new(c, url.host, err);
	return s->run.server != NULL ? 0 : -1;
}

/* --- which folders -------------------------------------------------------------------- */

static void
fail_folder(struct mt_sync *s, const char *folder, const struct mt_err *err)
{
	const struct mt_sync_params *p = s->run.params;
	const struct mt_sync_event ev = { .kind = MT_SYNC_FAILED, .folder = folder, .err = err };

	s->run.result->failed++;
	if (s->run.result->failure.kind == MT_ENONE)
		s->run.result->failure = *err;
	if (p->report != NULL)
		p->report(p->report_arg, &ev);
}

/* "INBOX.Sent", "INBOX.Lists.mutt": a server where all lies below INBOX. */
static void
learn_names(struct mt_sync *s)
{
	bool all = s->boxes->len > 1;

	for (guint i = 0; i < s->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);

		if (b->delimiter != '\0')
			s->names.delimiter = b->delimiter;
	}
	for (guint i = 0; i < s->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);

		if (!g_str_equal(b->name, "INBOX"))
			all = all && g_str_has_prefix(b->name, "INBOX") &&
			    b->name[5] == s->names.delimiter;
	}
	s->names.has_prefix = all && s->names.delimiter != '\0';
}

static bool
is_wanted(const struct mt_sync *s, const struct mt_sync_box *b)
{
	const char *const *names = s->run.params->folders;

	/* What only shows messages of other folders would double all of them. */
	if (names == NULL)
		return (b->use & (MT_SYNC_USE_ALL | MT_SYNC_USE_FLAGGED |
		    MT_SYNC_USE_IMPORTANT)) == 0;
	for (; *names != NULL; names++) {
		if (g_str_equal(*names, b->name))
			return true;
	}
	return false;
}

static int
check_wanted(const struct mt_sync *s, struct mt_err *err)
{
	const char *const *names = s->run.params->folders;

	for (; names != NULL && *names != NULL; names++) {
		bool found = false;

		for (guint i = 0; i < s->boxes->len && !found; i++) {
			const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);

			found = g_str_equal(b->name, *names);
		}
		if (!found)
			return mt_fail(err, MT_EUSAGE, "no folder \"%s\" on the server, nor below "
			    "%s", *names, s->run.params->root);
	}
	return 0;
}

static const char *
find_trash(const struct mt_sync *s)
{
	static const char *const names[] = { "Trash", "INBOX.Trash", "INBOX/Trash",
		"Deleted Items", "Deleted Messages" };

	for (guint i = 0; i < s->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);

		if (b->use & MT_SYNC_USE_TRASH)
			return b->name;
	}
	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		for (guint i = 0; i < s->boxes->len; i++) {
			const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);

			if (g_ascii_strcasecmp(b->name, names[n]) == 0)
				return b->name;
		}
	}
	return NULL;
}

static bool
has_path(const GPtrArray *paths, const char *path)
{
	for (guint i = 0; i < paths->len; i++) {
		if (g_str_equal(paths->pdata[i], path))
			return true;
	}
	return false;
}

static bool
has_name(const GPtrArray *names, const char *name)
{
	return has_path(names, name);
}

static void
add_box(struct mt_sync *s, struct mt_sync_box *b)
{
	g_ptr_array_add(s->boxes, b);
	g_ptr_array_add(s->paths, mt_sync_names_path(&s->names, b->name));
}

/* Maildirs that the server does not have are made there. One that the server had, and has no
   more, is left alone: somebody has removed it there. */
static int
add_local(struct mt_sync *s, struct mt_err *err)
{
	const struct mt_sync_params *p = s->run.params;
	g_autoptr(GPtrArray) known = mt_sync_state_names(s->run.state, err);
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
		if (has_path(s->paths, below))
			continue;
		name = mt_sync_names_name(&s->names, below);
		if (name == NULL) {
			mt_fail(&why, MT_EDATA, "%s: no folder of the server can have this name",
			    path);
			fail_folder(s, below, &why);
			continue;
		}
		if (has_name(known, name)) {
			mt_fail(&why, MT_EDATA, "%s: the server has it no more; remove the "
			    "Maildir, or move it to another name to have it made there again",
			    path);
			fail_folder(s, name, &why);
			continue;
		}
		if (!p->dry_run && mt_sync_server_create(s->run.server, name, &why) < 0) {
			if (why.kind != MT_EUNAVAIL) {
				*err = why;
				return -1;
			}
			fail_folder(s, name, &why);
			continue;
		}
		if (p->dry_run)
			continue;
		b = g_new0(struct mt_sync_box, 1);
		b->name = g_steal_pointer(&name);
		b->delimiter = s->names.delimiter;
		add_box(s, b);
	}
	return 0;
}

/* Two names of the server that lead to one path: only the first is taken. */
static void
drop_collisions(struct mt_sync *s)
{
	for (guint i = 0; i < s->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);
		char *path = mt_sync_names_path(&s->names, b->name);

		if (has_path(s->paths, path)) {
			struct mt_err why = { 0 };

			mt_fail(&why, MT_EDATA, "another folder of the server has the same "
			    "path, %s", path);
			fail_folder(s, b->name, &why);
			g_ptr_array_remove_index(s->boxes, i--);
			g_free(path);
			continue;
		}
		g_ptr_array_add(s->paths, path);
	}
}

static int
find_folders(struct mt_sync *s, struct mt_err *err)
{
	size_t odd = 0;

	s->boxes = mt_sync_server_list(s->run.server, &odd, err);
	if (s->boxes == NULL)
		return -1;
	s->paths = g_ptr_array_new_with_free_func(g_free);
	learn_names(s);
	drop_collisions(s);
	if (odd > 0) {
		struct mt_err why = { 0 };

		mt_fail(&why, MT_EPROTO, "%zu folders of the server have names that are no "
		    "modified UTF-7: they are left out", odd);
		fail_folder(s, "", &why);
	}
	if (add_local(s, err) < 0 || check_wanted(s, err) < 0)
		return -1;
	s->run.trash = find_trash(s);
	return 0;
}

/* --- the account as a whole ------------------------------------------------------------ */

static bool
has_mail(const struct mt_sync *s)
{
	static const char *const subs[] = { "cur", "new" };

	for (guint i = 0; i < s->paths->len; i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(subs); k++) {
			g_autofree char *path = g_build_filename(s->run.params->root,
			    (const char *)s->paths->pdata[i], subs[k], NULL);
			g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

			if (dir != NULL && g_dir_read_name(dir) != NULL)
				return true;
		}
	}
	return false;
}

/* A disk that is not mounted looks like a user who has deleted everything. */
static int
check_root(struct mt_sync *s, struct mt_err *err)
{
	int64_t rows = mt_sync_state_count_all(s->run.state, err);

	if (rows < 0)
		return -1;
	if (rows == 0 || has_mail(s) || s->run.params->force)
		return 0;
	return mt_fail(err, MT_EDATA, "%s: there is no mail, where %lld messages were; if the disk "
	    "is there and you have deleted them all, say --force", s->run.params->root,
	    (long long)rows);
}

/* What the server refuses for one folder says nothing of the others: 0. */
static int
pass_over(struct mt_sync *s, const char *folder, const struct mt_err *why, struct mt_err *err)
{
	if (why->kind == MT_EUNAVAIL) {
		fail_folder(s, folder, why);
		return 0;
	}
	*err = *why;
	return mt_fail_in(err, "%s", folder);
}

static void
job_free(void *p)
{
	mt_sync_job_clear(p);
	g_free(p);
}

/* A job for each folder in which something has changed, planned. */
static int
plan_folders(struct mt_sync *s, GPtrArray *jobs, struct mt_err *err)
{
	for (guint i = 0; i < s->boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->boxes, i);
		g_autofree char *path = NULL;
		struct mt_err why = { 0 };
		struct mt_sync_job *job;

		if (!is_wanted(s, b))
			continue;
		s->run.result->folders++;
		path = g_build_filename(s->run.params->root, (const char *)s->paths->pdata[i],
		    NULL);
		job = g_new0(struct mt_sync_job, 1);
		g_ptr_array_add(jobs, job);
		if (mt_sync_job_load(job, &s->run, b, path, err) < 0)
			return -1;
		if (!mt_sync_job_is_quiet(job) && mt_sync_job_plan(job, &why) == 0)
			continue;
		if (why.kind != MT_ENONE && pass_over(s, b->name, &why, err) < 0)
			return -1;
		g_ptr_array_remove_index(jobs, jobs->len - 1);
	}
	return 0;
}

int
mt_sync_run(struct mt_sync *s, const char *password, struct mt_sync_result *result,
    struct mt_err *err)
{
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);

	*result = (struct mt_sync_result){ 0 };
	s->run.result = result;
	if (connect_to(s, password, err) < 0 || find_folders(s, err) < 0 ||
	    check_root(s, err) < 0 || plan_folders(s, jobs, err) < 0 ||
	    mt_sync_move(jobs, err) < 0)
		return -1;
	for (guint i = 0; i < jobs->len; i++) {
		struct mt_sync_job *job = g_ptr_array_index(jobs, i);
		struct mt_err why = { 0 };

		if (mt_sync_job_do(job, &why) < 0 &&
		    pass_over(s, job->box->name, &why, err) < 0)
			return -1;
	}
	mt_sync_server_logout(s->run.server);
	return 0;
}
