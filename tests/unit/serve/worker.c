/* worker.c - tests of serve/worker: every job is done once, those that wait are batched */
#include "serve/worker.h"

#include <poll.h>

#include "tap.h"

static GMutex gate;
static gint largest;

static void
work(void *const jobs[], size_t n)
{
	g_mutex_lock(&gate);
	if ((gint)n > largest)
		largest = (gint)n;
	g_mutex_unlock(&gate);
	for (size_t i = 0; i < n; i++)
		*(int *)jobs[i] += 1;
}

int
main(void)
{
	enum { JOBS = 100 };
	struct mt_err err = { 0 };
	int jobs[JOBS] = { 0 }, done = 0, once = 0;
	mt_auto(mt_serve_worker) w = mt_serve_worker_new(1, 64, work, &err);
	struct pollfd p;

	if (!ok(w != NULL, "a worker starts"))
		return tap_done();
	p = (struct pollfd){ mt_serve_worker_fd(w), POLLIN, 0 };
	is_int(poll(&p, 1, 0), 0, "nothing is done at first");
	ok(mt_serve_worker_done(w) == NULL, "and nothing comes back");
	/* While the worker is held up, the others gather. */
	g_mutex_lock(&gate);
	for (int i = 0; i < JOBS; i++)
		mt_serve_worker_put(w, &jobs[i]);
	is_int(mt_serve_worker_pending(w), JOBS, "all are pending");
	g_mutex_unlock(&gate);
	while (done < JOBS && poll(&p, 1, 10000) == 1) {
		while (mt_serve_worker_done(w) != NULL)
			done++;
	}
	is_int(done, JOBS, "all come back");
	for (int i = 0; i < JOBS; i++)
		once += jobs[i] == 1;
	is_int(once, JOBS, "each was done once");
	is_int(mt_serve_worker_pending(w), 0, "nothing is pending");
	ok(largest > 1 && largest <= 64, "in batches, the largest of %d", largest);
	is_int(poll(&p, 1, 0), 0, "nothing is left");
	return tap_done();
}
