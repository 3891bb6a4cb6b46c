/* sync_move.h - messages that were moved from one folder to another, on either side */
#ifndef MT_FETCH_SYNC_MOVE_H
#define MT_FETCH_SYNC_MOVE_H

#include "fetch/sync_job.h"

/*
 * What one folder has lost and another has got is the same message when both have its
 * Message-ID and size: it is moved on the other side, too, and neither sent again nor counted
 * as deleted. Of several copies each is matched once; one without a Message-ID, when its
 * file has kept its name.
 *
 * jobs (struct mt_sync_job *) are planned. The actions that a move stands for leave their
 * plans; with dry_run the moves are told, else they are made. What cannot be moved is fetched or
 * given, and deleted, as if it were two messages, or waits for the next run.
 */
int mt_sync_move(GPtrArray *jobs, struct mt_err *err);

#endif
