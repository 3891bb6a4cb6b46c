/* reaper.c - what has left the queue is forgotten for good, while the next is sent */
#include "queue/reaper.h"

#include <glib.h>
#include <pthread.h>
#include <unistd.h>

#include "base/file.h"

struct mt_reaper {
	char *env, *msg;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;	/* guards what follows */
	pthread_cond_t news;	/* for the thread */
	pthread_cond_t idle;	/* for who waits for it */
	GPtrArray *waiting;	/* ids */
	bool is_busy, is_over;
	struct mt_err why;	/* the first sync that failed */
};

struct mt_reaper *
mt_reaper_new(const char *env, const char *msg)
{
	struct mt_reaper *r = g_new0(struct mt_reaper, 1);

	r->env = g_strdup(env);
	r->msg = g_strdup(msg);
	r->waiting = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->news, NULL);
	pthread_cond_init(&r->idle, NULL);
	return r;
}

/* All that waits. Call with the lock held; it is let go meanwhile. */
static void
reap(struct mt_reaper *r)
{
	g_autoptr(GPtrArray) ids = r->waiting;
	struct mt_err err = { 0 };

	r->waiting = g_ptr_array_new_with_free_func(g_free);
	r->is_busy = true;
	pthread_mutex_unlock(&r->lock);
	if (mt_file_sync_dir(r->env, &err) == 0) {
		/* Nothing depends on them any more; mt_spool_sweep() takes what stays. */
		for (guint i = 0; i < ids->len; i++) {
			g_autofree char *path = g_build_filename(r->msg, ids->pdata[i], NULL);

			unlink(path);
		}
	}
	pthread_mutex_lock(&r->lock);
	r->is_busy = false;
	if (r->why.kind == MT_ENONE)
		r->why = err;
	pthread_cond_broadcast(&r->idle);
}

static void *
work(void *arg)
{
	struct mt_reaper *r = arg;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (r->waiting->len == 0 && !r->is_over)
			pthread_cond_wait(&r->news, &r->lock);
		if (r->waiting->len == 0)
			break;
		reap(r);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

void
mt_reaper_add(struct mt_reaper *r, const char *id)
{
	pthread_mutex_lock(&r->lock);
	g_ptr_array_add(r->waiting, g_strdup(id));
	/* Without a thread they wait for mt_reaper_flush(). */
	if (r->waiting->len > 1 && !r->has_thread)
		r->has_thread = pthread_create(&r->thread, NULL, work, r) == 0;
	pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
}

int
mt_reaper_flush(struct mt_reaper *r, struct mt_err *err)
{
	struct mt_err why;

	pthread_mutex_lock(&r->lock);
	while (r->is_busy || r->waiting->len > 0) {
		if (r->has_thread)
			pthread_cond_wait(&r->idle, &r->lock);
		else
			reap(r);
	}
	why = r->why;
	r->why = (struct mt_err){ 0 };
	pthread_mutex_unlock(&r->lock);
	return why.kind == MT_ENONE ? 0 : mt_fail(err, why.kind, "%s", why.msg);
}

void
mt_reaper_free(struct mt_reaper *r)
{
	if (r == NULL)
		return;
	(void)mt_reaper_flush(r, NULL);
	pthread_mutex_lock(&r->lock);
	r->is_over = true;
	pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
	if (r->has_thread)
		pthread_join(r->thread, NULL);
	g_ptr_array_free(r->waiting, TRUE);
	pthread_cond_destroy(&r->idle);
	pthread_cond_destroy(&r->news);
	pthread_mutex_destroy(&r->lock);
	g_free(r->env);
	g_free(r->msg);
	g_free(r);
}
