/* sync.c - an account and its Maildirs made equal, both ways, over IMAP */
#include "fetch/sync.h"

#include <string.h>
#include <unistd.h>

#include "fetch/sync_account.h"
#include "fetch/sync_move.h"

struct mt_sync *
mt_sync_new(const struct mt_sync_params *params, struct mt_err *err)
{
	mt_auto(mt_sync) s = g_new0(struct mt_sync, 1);

	s->inotify = -1;
	s->run.params = params;
	s->run.state = mt_sync_state_open(params->state_dir, params->account, err);
	return s->run.state != NULL ? mt_steal(&s) : NULL;
}

void
mt_sync_free(struct mt_sync *s)
{
	if (s == NULL)
		return;
	mt_sync_folders_clear(&s->folders);
	if (s->inotify >= 0)
		close(s->inotify);
	mt_sync_server_free(s->run.server);
	mt_sync_state_free(s->run.state);
	g_free(s);
}

struct mt_sync_server *
mt_sync_connect(const struct mt_sync_params *params, const char *password, struct mt_err *err)
{
	mt_auto_value(mt_conn_url) url = { NULL };
	struct mt_conn_dial dial = params->dial;
	struct mt_conn *c;

	if (mt_conn_url_parse(dial.url, &url, err) < 0)
		return NULL;
	dial.password = password;
	c = mt_conn_dial(&dial, err);
	return c == NULL ? NULL : mt_sync_server_new(c, url.host, params->version, err);
}

/* --- the account as a whole ------------------------------------------------------------ */

static bool
has_mail(const struct mt_sync *s)
{
	static const char *const subs[] = { "cur", "new" };

	for (guint i = 0; i < s->folders.paths->len; i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(subs); k++) {
			g_autofree char *path = g_build_filename(s->run.params->root,
			    (const char *)s->folders.paths->pdata[i], subs[k], NULL);
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

int
mt_sync_pass_over(struct mt_sync_run *run, const char *folder, const struct mt_err *why,
    struct mt_err *err)
{
	if (why->kind == MT_EUNAVAIL) {
		mt_sync_fail_folder(run, folder, why);
		return 0;
	}
	*err = *why;
	return mt_fail_in(err, "%.300s", folder);
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
	for (guint i = 0; i < s->folders.boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->folders.boxes, i);
		g_autofree char *path = NULL;
		struct mt_err why = { 0 };
		struct mt_sync_job *job;

		if (!mt_sync_folders_is_wanted(&s->folders, b->name, b->use))
			continue;
		s->run.result->folders++;
		path = g_build_filename(s->run.params->root,
		    (const char *)s->folders.paths->pdata[i], NULL);
		job = g_new0(struct mt_sync_job, 1);
		g_ptr_array_add(jobs, job);
		if (mt_sync_job_load(job, &s->run, b, path, err) < 0)
			return -1;
		if (!mt_sync_job_is_quiet(job) && mt_sync_job_plan(job, &why) == 0)
			continue;
		if (why.kind != MT_ENONE && mt_sync_pass_over(&s->run, b->name, &why, err) < 0)
			return -1;
		g_ptr_array_remove_index(jobs, jobs->len - 1);
	}
	return 0;
}

/* --- looking --------------------------------------------------------------------------- */

static const struct mt_sync_job *
job_of(const GPtrArray *jobs, const struct mt_sync_box *b)
{
	for (guint i = 0; jobs != NULL && i < jobs->len; i++) {
		const struct mt_sync_job *j = g_ptr_array_index(jobs, i);

		if (j->box == b)
			return j;
	}
	return NULL;
}

static int
look_at(struct mt_sync *s, guint i, const GPtrArray *jobs, struct mt_err *err)
{
	const struct mt_sync_params *p = s->run.params;
	struct mt_sync_box *b = g_ptr_array_index(s->folders.boxes, i);
	g_autofree char *path = g_build_filename(p->root,
	    (const char *)s->folders.paths->pdata[i], NULL);
	const struct mt_sync_job *job = job_of(jobs, b);
	mt_auto_value(mt_sync_folder) f = { 0 };
	struct mt_sync_look look = { .use = b->use, .remote = -1,
		.is_wanted = mt_sync_folders_is_wanted(&s->folders, b->name, b->use) };
	const struct mt_sync_event ev = { .kind = MT_SYNC_LOOK, .folder = b->name,
		.path = path, .look = &look };

	if (mt_sync_state_folder(s->run.state, b->name, false, &f, err) < 0)
		return -1;
	look.success = f.success;
	look.local = job != NULL ? job->dir.files->len :
	    mt_sync_state_count(s->run.state, f.id, err);
	if (job == NULL && (b->status.has & MT_IMAP_HAS_MESSAGES) == 0 &&
	    mt_sync_server_status(s->run.server, b, err) < 0)
		return -1;
	if (job != NULL)
		look.remote = job->sel.exists;
	else if (b->status.has & MT_IMAP_HAS_MESSAGES)
		look.remote = b->status.messages;
	p->report(p->report_arg, &ev);
	return look.local < 0 ? -1 : 0;
}

static int
look_at_all(struct mt_sync *s, const GPtrArray *jobs, struct mt_err *err)
{
	for (guint i = 0; i < s->folders.boxes->len; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->folders.boxes, i);

		if ((jobs == NULL || mt_sync_folders_is_wanted(&s->folders, b->name, b->use)) &&
		    look_at(s, i, jobs, err) < 0)
			return -1;
	}
	return 0;
}

GPtrArray *
mt_sync_repair(struct mt_sync *s, struct mt_err *err)
{
	g_autoptr(GPtrArray) names = mt_sync_state_names(s->run.state, err);

	s->folders.run = &s->run;
	for (guint i = 0; names != NULL && i < names->len; i++) {
		mt_auto_value(mt_sync_folder) f = { 0 };

		if (!mt_sync_folders_is_wanted(&s->folders, names->pdata[i], 0)) {
			g_ptr_array_remove_index(names, i--);
			continue;
		}
		if (mt_sync_state_folder(s->run.state, names->pdata[i], false, &f, err) < 0 ||
		    mt_sync_state_drop(s->run.state, f.id, err) < 0)
			return NULL;
	}
	if (names != NULL && names->len == 0 && s->run.params->folders != NULL)
		return mt_fail_null(err, MT_EUSAGE, "nothing is known of such a folder");
	return g_steal_pointer(&names);
}

/* --- what this run has moved to Trash comes back here ------------------------------------ */

static int
do_trash(struct mt_sync *s, struct mt_err *err)
{
	for (guint i = 0; i < s->folders.boxes->len && s->run.has_filled_trash; i++) {
		const struct mt_sync_box *b = g_ptr_array_index(s->folders.boxes, i);
		mt_auto_value(mt_sync_job) job = { NULL };
		g_autofree char *path = g_build_filename(s->run.params->root,
		    (const char *)s->folders.paths->pdata[i], NULL);
		struct mt_err why = { 0 };

		if (g_strcmp0(b->name, s->run.trash) != 0 ||
		    !mt_sync_folders_is_wanted(&s->folders, b->name, b->use))
			continue;
		if (mt_sync_job_load(&job, &s->run, b, path, err) < 0)
			return -1;
		if (mt_sync_job_plan(&job, &why) < 0 || mt_sync_job_do(&job, &why) < 0)
			return mt_sync_pass_over(&s->run, b->name, &why, err);
	}
	return 0;
}

/* --- whether the Maildirs stand still --------------------------------------------------- */

static GArray *
stamps(const struct mt_sync *s)
{
	const GPtrArray *paths = s->folders.paths;
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_stamp));

	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *path = g_build_filename(s->run.params->root,
		    (const char *)paths->pdata[i], NULL);
		struct mt_sync_stamp stamp = mt_sync_dir_stamp(path);

		g_array_append_val(out, stamp);
	}
	return out;
}

/* One that was not there before we have made. */
static bool
are_equal(const GArray *before, const GArray *after)
{
	for (guint i = 0; i < before->len; i++) {
		const struct mt_sync_stamp *b = &g_array_index(before, struct mt_sync_stamp, i);
		const struct mt_sync_stamp *a = &g_array_index(after, struct mt_sync_stamp, i);

		if (b->cur_ns >= 0 && (b->cur_ns != a->cur_ns || b->new_ns != a->new_ns))
			return false;
	}
	return true;
}

static bool
deletes_there(const GPtrArray *jobs)
{
	for (guint i = 0; i < jobs->len; i++) {
		const struct mt_sync_job *j = g_ptr_array_index(jobs, i);

		if (j->plan.count[MT_SYNC_DELETE_REMOTE] > 0)
			return true;
	}
	return false;
}

static void
put_off_deletions(GPtrArray *jobs)
{
	for (guint i = 0; i < jobs->len; i++) {
		struct mt_sync_job *j = g_ptr_array_index(jobs, i);
		size_t n = j->plan.count[MT_SYNC_DELETE_REMOTE];
		struct mt_err why = { 0 };

		if (n == 0)
			continue;
		mt_sync_job_take_out(j, MT_SYNC_DELETE_REMOTE);
		mt_fail(&why, MT_ETEMP, "files are renamed here just now: the deletion of %zu "
		    "messages on the server waits for the next run", n);
		mt_sync_failed(j, MT_SYNC_DELETE_REMOTE, 0, NULL, &why);
	}
}

/*
 * A file that is renamed while its directory is listed may be missed, and one that is moved
 * from a folder that is listed later to one that was listed before looks deleted. So what is
 * to be deleted on the server is looked at until the Maildirs stand still, a few times.
 */
static int
plan_moves(struct mt_sync *s, GPtrArray *jobs, struct mt_err *err)
{
	const struct mt_sync_result so_far = *s->run.result;
	bool is_still = false;

	for (int tries = 0; tries < 3; tries++) {
		g_autoptr(GArray) before = NULL, after = NULL;

		g_ptr_array_set_size(jobs, 0);
		*s->run.result = so_far;
		before = stamps(s);
		if (plan_folders(s, jobs, err) < 0)
			return -1;
		after = stamps(s);
		is_still = are_equal(before, after);
		if (is_still || !deletes_there(jobs))
			break;
	}
	if (mt_sync_move(jobs, err) < 0)
		return -1;
	if (!is_still)
		put_off_deletions(jobs);
	return 0;
}

/* --- all of it --------------------------------------------------------------------------- */

int
mt_sync_run(struct mt_sync *s, const char *password, struct mt_sync_result *result,
    struct mt_err *err)
{
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);

	*result = (struct mt_sync_result){ 0 };
	s->run.result = result;
	s->run.has_filled_trash = false;
	if (s->run.server == NULL)
		s->run.server = mt_sync_connect(s->run.params, password, err);
	if (s->run.server == NULL)
		return -1;
	if (s->run.params->stays)
		mt_sync_watch_begin(s);
	mt_sync_folders_clear(&s->folders);
	s->folders.run = &s->run;
	if (mt_sync_folders_find(&s->folders, err) < 0)
		return -1;
	if (s->run.params->looks == MT_SYNC_LOOKS_AT_NAMES)
		return look_at_all(s, NULL, err);
	if (check_root(s, err) < 0 || mt_sync_gone(&s->folders, err) < 0 ||
	    plan_moves(s, jobs, err) < 0)
		return -1;
	if (mt_sync_do_all(&s->run, jobs, password, err) < 0)
		return -1;
	if (do_trash(s, err) < 0)
		return -1;
	if (s->run.params->looks == MT_SYNC_LOOKS_AT_ALL && look_at_all(s, jobs, err) < 0)
		return -1;
	if (!s->run.params->stays)
		mt_sync_server_logout(s->run.server);
	return 0;
}

bool
mt_sync_is_connected(const struct mt_sync *s)
{
	return s->run.server != NULL;
}

void
mt_sync_hang_up(struct mt_sync *s)
{
	mt_sync_server_free(s->run.server);
	s->run.server = NULL;
}
