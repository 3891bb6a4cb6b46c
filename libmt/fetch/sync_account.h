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

/* Another session with the server. */
struct mt_sync_server *mt_sync_connect(const struct mt_sync_params *params,
    const char *password, struct mt_err *err);
/* What the server refuses for one folder says nothing of the others: 0, and it is told. */
int mt_sync_pass_over(struct mt_sync_run *run, const char *folder, const struct mt_err *why,
    struct mt_err *err);

/* sync_parallel.c: do the jobs (struct mt_sync_job *), which are planned; with a password (or
   NULL) over several connections, as params says. */
int mt_sync_do_all(struct mt_sync_run *run, GPtrArray *jobs, const char *password,
    struct mt_err *err);

/* sync_watch.c: from now on changes of the Maildirs that the last run has seen wake us; those
   that came before are no news. */
void mt_sync_watch_begin(struct mt_sync *s);

#endif
