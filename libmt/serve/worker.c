/* worker.c - slow work of the keeper, in threads, so that it can answer meanwhile */
#include "serve/worker.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct mt_serve_worker {
	void (*work)(void *const jobs[], size_t n);
	size_t batch_max;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	GQueue waiting;
	GQueue done;
	bool stop;
	int fd;
	size_t pending;		/* the caller's thread only */
	pthread_t *threads;
	size_t nthreads;
};

/* Wait for jobs; 0 when the worker ends. */
static size_t
take_batch(struct mt_serve_worker *w, void **jobs)
{
	size_t n = 0;

	pthread_mutex_lock(&w->mutex);
	while (g_queue_is_empty(&w->waiting) && !w->stop)
		pthread_cond_wait(&w->more, &w->mutex);
	while (n < w->batch_max && !g_queue_is_empty(&w->waiting))
		jobs[n++] = g_queue_pop_head(&w->waiting);
	pthread_mutex_unlock(&w->mutex);
	return n;
}

static void
give_back(struct mt_serve_worker *w, void *const *jobs, size_t n)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&w->mutex);
	for (size_t i = 0; i < n; i++)
		g_queue_push_tail(&w->done, jobs[i]);
	pthread_mutex_unlock(&w->mutex);
	/* Cannot fail: the counter is read long before it overflows. */
	(void)!write(w->fd, &one, sizeof(one));
}

static void *
worker_main(void *p)
{
	struct mt_serve_worker *w = p;
	g_autofree void **jobs = g_new(void *, w->batch_max);
	size_t n;

	while ((n = take_batch(w, jobs)) > 0) {
		w->work(jobs, n);
		give_back(w, jobs, n);
	}
	return NULL;
}

struct mt_serve_worker *
mt_serve_worker_new(size_t threads, size_t batch_max,
    void (*work)(void *const jobs[], size_t n), struct mt_err *err)
{
	mt_auto(mt_serve_worker) w = g_new0(struct mt_serve_worker, 1);

	w->work = work;
	w->batch_max = batch_max;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->more, NULL);
	g_queue_init(&w->waiting);
	g_queue_init(&w->done);
	w->threads = g_new0(pthread_t, threads);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return mt_fail_null(err, MT_ETEMP, "eventfd: %m");
	for (; w->nthreads < threads; w->nthreads++) {
		int rc = pthread_create(&w->threads[w->nthreads], NULL, worker_main, w);

		if (rc != 0)
			return mt_fail_null(err, MT_ETEMP, "thread: %s", g_strerror(rc));
	}
	return mt_steal(&w);
}

void
mt_serve_worker_put(struct mt_serve_worker *w, void *job)
{
	w->pending++;
	pthread_mutex_lock(&w->mutex);
	g_queue_push_tail(&w->waiting, job);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->mutex);
}

size_t
mt_serve_worker_pending(const struct mt_serve_worker *w)
{
	return w->pending;
}

int
mt_serve_worker_fd(const struct mt_serve_worker *w)
{
	return w->fd;
}

void *
mt_serve_worker_done(struct mt_serve_worker *w)
{
	uint64_t count;
	void *job;

	/* Read first: what is done after it makes the descriptor readable again. */
	(void)!read(w->fd, &count, sizeof(count));
	pthread_mutex_lock(&w->mutex);
	job = g_queue_pop_head(&w->done);
	pthread_mutex_unlock(&w->mutex);
	if (job != NULL)
		w->pending--;
	return job;
}

void
mt_serve_worker_free(struct mt_serve_worker *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->mutex);
	for (size_t i = 0; i < w->nthreads; i++)
		pthread_join(w->threads[i], NULL);
	if (w->fd >= 0)
		close(w->fd);
	g_queue_clear(&w->waiting);
	g_queue_clear(&w->done);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->mutex);
	g_free(w->threads);
	g_free(w);
}
