/* sync_job.h - one folder of a synchronisation, from opening it to equality */
#ifndef MT_FETCH_SYNC_JOB_H
#define MT_FETCH_SYNC_JOB_H

#include "fetch/sync.h"
#include "fetch/sync_dir.h"
#include "fetch/sync_server.h"
#include "fetch/sync_state.h"

/* What the folders of one run share. */
struct mt_sync_run {
	const struct mt_sync_params *params;
	struct mt_sync_state *state;
	struct mt_sync_server *server;
	struct mt_sync_result *result;
	const char *trash;	/* a mailbox, or NULL */
	bool has_filled_trash;	/* in this run */
	GMutex *lock;		/* of params->report, or NULL: there is one thread */
};

struct mt_sync_job {
	struct mt_sync_run *run;
	const struct mt_sync_box *box;
	char *path;			/* of its Maildir */
	struct mt_sync_folder folder;	/* as the state has it, then as it will */
	GArray *rows;			/* struct mt_sync_row */
	GStringChunk *strings;
	struct mt_sync_dir dir;
	struct mt_sync_selected sel;
	struct mt_sync_plan plan;
	bool is_reset;			/* UIDs mean something else than in `old` */
	bool is_missing;		/* it was synchronised, and there is no Maildir */
	GArray *old;			/* the rows before that, or NULL */
	GPtrArray *moved;		/* rows of messages that came from other folders */
	bool is_partial;		/* something is left for the next run */
};

/* Read what is known, and finish what a killed run left. */
int mt_sync_job_load(struct mt_sync_job *j, struct mt_sync_run *run,
    const struct mt_sync_box *box, const char *path, struct mt_err *err);
void mt_sync_job_clear(struct mt_sync_job *j);

/* Whether both sides are as they were: there is nothing to do. */
bool mt_sync_job_is_quiet(const struct mt_sync_job *j);

/* Open the folder on the server, list its Maildir, and find out what is to be done. */
int mt_sync_job_plan(struct mt_sync_job *j, struct mt_err *err);
/* Deletions that look like a mistake, and what is not to be changed, leave the plan. */
void mt_sync_job_take_out(struct mt_sync_job *j, enum mt_sync_what what);
/* Do all of it, or tell what would be done. 0 also when single messages failed; -1: the session
   is over, or the disk. */
int mt_sync_job_do(struct mt_sync_job *j, struct mt_err *err);

/* sync_join.c: what only the server has and what only the Maildir has may be the same message:
   rows for those, in the state and in the job. */
int mt_sync_join(struct mt_sync_job *j, struct mt_err *err);

/* sync_pull.c: fetch the messages of the plan. sync_push.c: give those of the Maildir. */
int mt_sync_pull(struct mt_sync_job *j, struct mt_err *err);
int mt_sync_push(struct mt_sync_job *j, struct mt_err *err);

/* The highest UID that is known in the folder: one that comes to be is higher, whatever the
   server says. */
uint32_t mt_sync_highest_uid(const struct mt_sync_job *j);

/* An event to who wants to know, one at a time. */
void mt_sync_run_report(const struct mt_sync_run *run, const struct mt_sync_event *ev);
/* For all of them: an event, and what it counts as. */
void mt_sync_report(const struct mt_sync_job *j, struct mt_sync_event ev);
void mt_sync_done(struct mt_sync_job *j, enum mt_sync_what what, struct mt_sync_event ev);
/* One message failed: others go on. */
void mt_sync_failed(struct mt_sync_job *j, enum mt_sync_what what, uint32_t uid,
    const char *name, const struct mt_err *err);

MT_AUTO_VALUE_DEFINE(mt_sync_job, mt_sync_job_clear);

#endif
