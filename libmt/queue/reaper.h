/* reaper.h - what has left the queue is forgotten for good, while the next is sent */
#ifndef MT_QUEUE_REAPER_H
#define MT_QUEUE_REAPER_H

#include "base/auto.h"
#include "base/err.h"

/*
 * env/ID is gone, so the message has left the queue for every process; that a power cut
 * does not bring it back takes a sync, and then msg/ID can go. One message is done by
 * mt_reaper_flush() itself. When there are more, a thread does both for all that have
 * come meanwhile, so that a run over many does not wait for the disk after each.
 */
struct mt_reaper;

/* The directories env/ and msg/ of the queue. */
struct mt_reaper *mt_reaper_new(const char *env, const char *msg);
/* Waits for what is under way; says nothing. */
void mt_reaper_free(struct mt_reaper *r);

/* env/ID was removed. */
void mt_reaper_add(struct mt_reaper *r, const char *id);
/* All that was added is gone for good, or MT_EIO: some may come back. */
int mt_reaper_flush(struct mt_reaper *r, struct mt_err *err);

MT_AUTO_DEFINE(mt_reaper, mt_reaper_free);

#endif
