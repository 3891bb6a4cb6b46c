/* sync_account.h - inside the synchronisation: an account between two runs */
#ifndef MT_FETCH_SYNC_ACCOUNT_H
#define MT_FETCH_SYNC_ACCOUNT_H

#include "fetch/sync_folders.h"
#include "fetch/sync_job.h"

struct mt_sync {
	struct mt_sync_run run;
	struct mt_sync_folders folders;
	int inotify;			/* of the Maildirs, or -1 */
};

/* sync_watch.c: from now on changes of the Maildirs that the last run has seen wake us; those
   that came before are no news. */
void mt_sync_watch_begin(struct mt_sync *s);

#endif
