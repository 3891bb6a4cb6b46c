/* sent_copy.h - the sender's own copy of a message that has left the queue */
#ifndef MT_SEND_SENT_COPY_H
#define MT_SEND_SENT_COPY_H

#include <stdbool.h>

#include "base/err.h"
#include "queue/spool.h"

/*
 * Keep the copy of item in the folder of its envelope (copy_to) below the Maildir root,
 * seen, with the fields that only the copy has. When the envelope has learnt another
 * Message-ID (learn.h), the copy has that, since answers will name it, and the one that
 * it was written with in X-Original-Message-ID.
 *
 * Its name is made of the queue's id and host: after a crash before the queue had recorded
 * that it is there (is_again), it is found.
 */
int mt_sent_copy_keep(const char *maildir, const char *host,
    const struct mt_spool_item *item, bool is_again, struct mt_err *err);

#endif
