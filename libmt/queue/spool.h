/* spool.h - the queue as a directory: durable, one writer for each message */
#ifndef MT_QUEUE_SPOOL_H
#define MT_QUEUE_SPOOL_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"
#include "queue/envelope.h"

/* "SSSSSSSSRRRRRR" in hex: the second, and 24 random bits. Sorts by age. */
#define MT_QUEUE_ID_SIZE 15

struct mt_spool;

/*
 * The directory is made (mode 0700) when it is missing: with env/ (envelopes, ID), msg/
 * (messages, ID), tmp/, corrupt/, and route/ (route.h). The table of states is at the
 * top of spool.c. Another user's directory, or one that others may write to, is MT_EPERM.
 */
struct mt_spool *mt_spool_open(const char *dir, struct mt_err *err);
void mt_spool_free(struct mt_spool *s);
/* Borrowed. */
const char *mt_spool_dir(const struct mt_spool *s);

/* A message of the queue, locked: nobody else touches it until it is freed. */
struct mt_spool_item {
	char id[MT_QUEUE_ID_SIZE];
	int fd;			/* the message; its lock hangs on it */
	struct mt_envelope *envelope;
	struct mt_spool *spool;	/* not owned */
};

void mt_spool_item_free(struct mt_spool_item *i);

/*
 * Take a message, which is everything in fd, into the queue. When this returns 0 it is
 * durable, and locked in *out; on -1 nothing is queued. The envelope is copied.
 */
int mt_spool_add(struct mt_spool *s, const struct mt_envelope *e, int fd,
    struct mt_spool_item **out, struct mt_err *err);

/*
 * Lock the message of that id. 1 with *out; 0 when there is none (any more), or with
 * *is_busy when another process has it. One that cannot be read is moved to corrupt/
 * with its message, which is MT_EDATA and says where it is now.
 */
int mt_spool_take(struct mt_spool *s, const char *id, struct mt_spool_item **out,
    bool *is_busy, struct mt_err *err);

/* The envelope without a lock, to be looked at: NULL when there is none (MT_ENOINPUT). */
struct mt_envelope *mt_spool_peek(struct mt_spool *s, const char *id,
    struct mt_err *err);

/* How many bytes the message of that id has; 0 when there is none. */
int64_t mt_spool_size(struct mt_spool *s, const char *id);

/* Make the item's envelope durable in place of the old one. */
int mt_spool_save(struct mt_spool_item *i, struct mt_err *err);
/*
 * Have room on the disk for the next mt_spool_save(), also when every recipient that waits
 * gets the longest reply; it stays until it is used or the spool is freed. A message whose
 * outcome could not be recorded would be sent again by each run: who cannot reserve does
 * not send.
 */
int mt_spool_reserve(struct mt_spool_item *i, struct mt_err *err);
/* The message leaves the queue: nobody finds it there any more. The item stays locked. */
int mt_spool_remove(struct mt_spool_item *i, struct mt_err *err);
/* All that left the queue did so for good, also if the power fails now; MT_EIO when that
   is not certain. To be called before the process ends. */
int mt_spool_flush(struct mt_spool *s, struct mt_err *err);

/* The ids in the queue, the oldest first: a GPtrArray of char *. */
GPtrArray *mt_spool_list(struct mt_spool *s, struct mt_err *err);

/* Note that somebody sees to the queue, and when that was last (0: never): what waits in
   a queue that nobody sees to is not sent. */
int mt_spool_mark_run(struct mt_spool *s, struct mt_err *err);
int64_t mt_spool_last_run(struct mt_spool *s);

/* Remove what crashes left: files that belong to no envelope, older than 36 hours. */
int mt_spool_sweep(struct mt_spool *s, int64_t now, struct mt_err *err);

MT_AUTO_DEFINE(mt_spool, mt_spool_free);
MT_AUTO_DEFINE(mt_spool_item, mt_spool_item_free);

#endif
