/* worker.h - slow work of the keeper, in threads, so that it can answer meanwhile */
#ifndef MT_SERVE_WORKER_H
#define MT_SERVE_WORKER_H

#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"

/*
 * A queue of jobs (pointers of the caller's), threads that take them, and a queue of
 * what is done. With batch_max above 1, a thread takes all that wait, up to so many, at
 * once: so the commits that come in while others are synced share the next barriers.
 */
struct mt_serve_worker;

struct mt_serve_worker *mt_serve_worker_new(size_t threads, size_t batch_max,
    void (*work)(void *const jobs[], size_t n), struct mt_err *err);
void mt_serve_worker_put(struct mt_serve_worker *w, void *job);
/* Jobs that were put and not yet taken by mt_serve_worker_done(). */
size_t mt_serve_worker_pending(const struct mt_serve_worker *w);
/* Readable while something is done; owned by the worker. */
int mt_serve_worker_fd(const struct mt_serve_worker *w);
/* The next job that is done, or NULL: call it until then when the descriptor is readable. */
void *mt_serve_worker_done(struct mt_serve_worker *w);
/* Waits for the threads; nothing may be pending. */
void mt_serve_worker_free(struct mt_serve_worker *w);

MT_AUTO_DEFINE(mt_serve_worker, mt_serve_worker_free);

#endif
