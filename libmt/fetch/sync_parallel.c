/* sync_parallel.c - the folders of a run, spread over several connections */
#include <pthread.h>
#include <string.h>

#include "fetch/sync_account.h"

/* More do not help, and servers mind. */
#define CONNECTIONS_MAX 32
#define GMAIL_MAX 15

/* What all workers share. */
struct pool {
	GPtrArray *jobs;
	gint next;		/* of the jobs */
	gint is_over;		/* one has failed: no more are begun */
	const char *password;
};

/* One connection, with its own part of the result. */
struct worker {
	struct pool *pool;
	struct mt_sync_run run;
	struct mt_sync_result result;
	pthread_t thread;
	bool is_running;
	int rc;
	struct mt_err err;
};

/* Folder by folder, as long as there are some. */
static void
work(struct worker *w)
{
	gint i;

	while (w->rc == 0 && !g_atomic_int_get(&w->pool->is_over) &&
	    (i = g_atomic_int_add(&w->pool->next, 1)) < (gint)w->pool->jobs->len) {
		struct mt_sync_job *job = g_ptr_array_index(w->pool->jobs, (guint)i);
		struct mt_err why = { 0 };

		job->run = &w->run;
		if (mt_sync_job_do(job, &why) < 0)
			w->rc = mt_sync_pass_over(&w->run, job->box->name, &why, &w->err);
	}
	if (w->rc < 0)
		g_atomic_int_set(&w->pool->is_over, 1);
}

/* A connection that is refused only means that the others do it all. */
static void *
work_on_its_own(void *arg)
{
	struct worker *w = arg;
	struct mt_err ignored = { 0 };

	w->run.server = mt_sync_connect(w->run.params, w->pool->password, &ignored);
	if (w->run.server == NULL)
		return NULL;
	work(w);
	if (w->rc == 0)
		mt_sync_server_logout(w->run.server);
	mt_sync_server_free(w->run.server);
	return NULL;
}

static void
add_result(struct mt_sync_result *sum, const struct mt_sync_result *r)
{
	for (size_t i = 0; i < MT_SYNC_NWHAT; i++)
		sum->done[i] += r->done[i];
	sum->bytes += r->bytes;
	sum->joined += r->joined;
	sum->held += r->held;
	sum->failed += r->failed;
	sum->recovered += r->recovered;
	if (sum->failure.kind == MT_ENONE)
		sum->failure = r->failure;
}

/* How many make sense: of folders in which something is to be done. */
static guint
count_workers(const struct mt_sync_run *run, const GPtrArray *jobs, const char *password)
{
	mt_auto_value(mt_conn_url) url = { NULL };
	guint n = MIN(run->params->connections, CONNECTIONS_MAX), busy = 0;

	if (password == NULL || run->params->dry_run)
		return 1;
	if (mt_conn_url_parse(run->params->dial.url, &url, NULL) == 0 &&
	    (g_str_has_suffix(url.host, ".gmail.com") ||
	    g_str_has_suffix(url.host, ".googlemail.com")))
		n = MIN(n, GMAIL_MAX);
	for (guint i = 0; i < jobs->len; i++) {
		const struct mt_sync_job *j = g_ptr_array_index(jobs, i);

		busy += j->plan.actions->len > 0;
	}
	return MAX(MIN(n, busy), 1);
}

int
mt_sync_do_all(struct mt_sync_run *run, GPtrArray *jobs, const char *password,
    struct mt_err *err)
{
	guint n = count_workers(run, jobs, password);
	g_autofree struct worker *workers = g_new0(struct worker, n);
	struct pool pool = { .jobs = jobs, .password = password };
	GMutex lock;
	int rc = 0;

	g_mutex_init(&lock);
	for (guint i = 0; i < n; i++) {
		struct worker *w = &workers[i];

		w->pool = &pool;
		w->run = *run;
		w->run.result = &w->result;
		w->run.lock = n > 1 ? &lock : NULL;
		w->is_running = i > 0 &&
		    pthread_create(&w->thread, NULL, work_on_its_own, w) == 0;
	}
	/* The first has the connection that is there. */
	work(&workers[0]);
	for (guint i = 0; i < n; i++) {
		struct worker *w = &workers[i];

		if (w->is_running)
			pthread_join(w->thread, NULL);
		add_result(run->result, &w->result);
		run->has_filled_trash = run->has_filled_trash || w->run.has_filled_trash;
		if (w->rc < 0 && rc == 0) {
			rc = -1;
			*err = w->err;
		}
	}
	for (guint i = 0; i < jobs->len; i++)
		((struct mt_sync_job *)g_ptr_array_index(jobs, i))->run = run;
	g_mutex_clear(&lock);
	return rc;
}
