/* sync_folders.h - which folders of an account there are, on either side */
#ifndef MT_FETCH_SYNC_FOLDERS_H
#define MT_FETCH_SYNC_FOLDERS_H

#include "fetch/sync_job.h"
#include "fetch/sync_names.h"

struct mt_sync_folders {
	struct mt_sync_run *run;
	struct mt_sync_names names;
	GPtrArray *boxes;	/* struct mt_sync_box: those of the server, */
	GPtrArray *paths;	/* and where each is below the root */
};

/* List those of the server, and make there what only the root has. */
int mt_sync_folders_find(struct mt_sync_folders *f, struct mt_err *err);
void mt_sync_folders_clear(struct mt_sync_folders *f);

/* Whether it is one that this run is about. */
bool mt_sync_folders_is_wanted(const struct mt_sync_folders *f, const char *name,
    unsigned use);

/*
 * Those that the server had, and has no more. One that was given another name there gets it
 * here, too. Of the others the Maildir is removed when it is empty, or when params says so and
 * all that is in it was on the server; else it stays, and that is told.
 */
int mt_sync_gone(struct mt_sync_folders *f, struct mt_err *err);

/* A folder failed, or it alone cannot be done: others go on. */
void mt_sync_fail_folder(struct mt_sync_run *run, const char *folder,
    const struct mt_err *err);

#endif
