/* fetch_watch.c - mt-fetch --watch: an account that is kept in step */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"
#include "fetch.h"

/* A whole run at least so often: folders that the server does not tell of, and a connection
   that has died without a word. Servers end an IDLE after 29 minutes. */
#define POLL_MS (5 * 60 * 1000)
#define COMMAND_MS (60 * 1000)
#define INDEX_MS (30 * 60 * 1000)
/* After a failure: 5 s, and twice as long each time, up to this. */
#define FIRST_PAUSE_S 5
#define LONGEST_PAUSE_S (15 * 60)

struct watch {
	struct fetch_job job;
	const struct mt_client_conf *conf;
	unsigned failures;	/* in a row */
};

/* --- commands of the user's ----------------------------------------------------------- */

static void
run_command(const struct watch *w, char *const argv[], uint32_t ms, const char *what)
{
	struct mt_err err = { 0 };

	if (mt_proc_run(argv, MT_SLICE(""), NULL, ms, &err) < 0)
		mt_cmd_warn("%s: %s: %s", w->job.account->name, what, err.msg);
}

static void
run_hook(const struct watch *w, const char *command, const char *what)
{
	g_auto(GStrv) argv = NULL;
	struct mt_err err = { 0 };

	if (command == NULL)
		return;
	argv = mt_proc_split(command, &err);
	setenv("MT_ACCOUNT", w->job.account->name, 1);
	if (argv == NULL)
		mt_cmd_warn("%s:%u: %s: %s", w->job.account->file, w->job.account->line, what,
		    err.msg);
	else
		run_command(w, argv, COMMAND_MS, what);
}

/* mt-index beside us, where there is an index. */
static void
run_index(const struct watch *w)
{
	g_autofree char *index = g_build_filename(w->conf->maildir, ".notmuch", NULL);
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self != NULL ? g_path_get_dirname(self) : NULL;
	g_autofree char *program = dir != NULL ? g_build_filename(dir, "mt-index", NULL) : NULL;
	char verb[] = "new";
	char *argv[] = { program, verb, NULL };

	if (program != NULL && access(index, F_OK) == 0 && access(program, X_OK) == 0)
		run_command(w, argv, INDEX_MS, "mt-index new");
}

/* --- what came of a run ---------------------------------------------------------------- */

static void
after_success(struct watch *w, const struct mt_sync_result *r)
{
	static const enum mt_sync_what here[] = { MT_SYNC_PULL, MT_SYNC_FLAGS_LOCAL,
		MT_SYNC_DELETE_LOCAL, MT_SYNC_MOVE_LOCAL, MT_SYNC_RENAME_LOCAL,
		MT_SYNC_RMDIR_LOCAL };
	g_autofree char *n = g_strdup_printf("%llu",
	    (unsigned long long)r->done[MT_SYNC_PULL]);
	uint64_t changes = 0;

	if (w->failures > 0)
		mt_cmd_warn("%s: it works again", w->job.account->name);
	w->failures = 0;
	if (r->failed + r->held == 0)
		g_hash_table_remove_all(w->job.told);
	for (size_t i = 0; i < G_N_ELEMENTS(here); i++)
		changes += r->done[here[i]];
	if (changes > 0)
		run_index(w);
	if (r->done[MT_SYNC_PULL] == 0)
		return;
	setenv("MT_NEW", n, 1);
	run_hook(w, w->job.account->on_new, "on_new");
}

/* What a person has to see to first. */
static bool
is_final(const struct mt_err *err)
{
	return err->kind == MT_EPERM || err->kind == MT_ECONF || err->kind == MT_EUSAGE;
}

static void
after_failure(struct watch *w, const struct mt_err *err)
{
	if (w->failures++ > 0)
		return;
	mt_cmd_warn("%s: %s%s", w->job.account->name, err->msg,
	    is_final(err) ? "" : "; it is tried again");
	setenv("MT_ERROR", err->msg, 1);
	run_hook(w, w->job.account->on_error, "on_error");
}

static void
pause_after(unsigned failures)
{
	unsigned s = FIRST_PAUSE_S;

	for (unsigned i = 1; i < failures && s < LONGEST_PAUSE_S; i++)
		s = MIN(s * 2, LONGEST_PAUSE_S);
	/* Not all at once, when a server comes back. */
	s = s - s / 4 + g_random_int() % (s / 2 + 1);
	sleep(s);
}

/* --- the loop -------------------------------------------------------------------------- */

/* Runs, until the session is over or refused. */
static void
keep_in_step(struct watch *w, struct mt_sync *s, struct mt_err *err)
{
	struct mt_sync_result r;

	while (fetch_job_run(&w->job, s, &r, err) == 0) {
		(void)fetch_job_tell(&w->job, 0, &r, err);
		after_success(w, &r);
		fflush(stdout);
		if (mt_sync_watch(s, POLL_MS, err) < 0) {
			/* That a server hangs up on who waits is no failure yet. */
			*err = (struct mt_err){ 0 };
			mt_sync_hang_up(s);
		}
	}
	mt_sync_hang_up(s);
}

int
fetch_watch(const struct fetch_wish *wish, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir)
{
	g_autofree char *root = NULL;
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	struct watch w = { .job = { .wish = wish, .account = a, .told = told }, .conf = conf };
	struct mt_sync_params params = fetch_sync_params(wish, conf, a, state_dir, &root);
	mt_auto(mt_sync) s = NULL;
	struct mt_err err = { 0 };

	params.stays = true;
	params.report = fetch_job_report;
	params.report_arg = &w.job;
	s = mt_sync_new(&params, &err);
	if (s == NULL) {
		mt_cmd_warn("%s: %s", a->name, err.msg);
		return mt_err_exit(err.kind);
	}
	for (;;) {
		err = (struct mt_err){ 0 };
		keep_in_step(&w, s, &err);
		after_failure(&w, &err);
		if (is_final(&err))
			return mt_err_exit(err.kind);
		pause_after(w.failures);
	}
}
