/* fetch.h - what the files of mt-fetch share: the command line */
#ifndef MT_CMD_FETCH_H
#define MT_CMD_FETCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "cmd.h"
#include "conf/account.h"
#include "fetch/sync.h"

enum fetch_verb { FETCH_SYNC = 1, FETCH_FOLDERS, FETCH_STATUS, FETCH_REPAIR };

/* What the command line asks for. */
struct fetch_wish {
	enum fetch_verb verb;
	GPtrArray *accounts;	/* names; empty: all */
	GPtrArray *folders;	/* names on the server, NULL at the end; only that: all */
	const char *config;
	int64_t delete_after_s;	/* POP3: as in struct mt_fetch_params */
	bool pull, push;	/* IMAP: only this way */
	bool force;
	bool delete_folders;
	bool dry_run;
	bool json;
	bool quiet;
	bool nul_ends;
	bool watch;
	uint64_t jobs;		/* connections; 0: one */
};

/* One account from end to end; the exit status that it calls for. */
int fetch_pop3(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);
int fetch_sync(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);
/* --watch: it ends when it cannot go on. */
int fetch_watch(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);
/* The other verbs. */
int fetch_look(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);

/* One account by IMAP at work: what its reports need. */
struct fetch_job {
	const struct fetch_wish *wish;
	const struct mt_account *account;
	struct mt_progress *progress;	/* NULL: nobody watches */
	char *progress_text;
	GHashTable *told;		/* with --watch: failures that are known; or NULL */
};

/* fetch_sync.c */
void fetch_job_report(void *arg, const struct mt_sync_event *ev);
/* One run, with progress. */
int fetch_job_run(struct fetch_job *j, struct mt_sync *s, struct mt_sync_result *result,
    struct mt_err *err);
/* What came of it, which gave rc: the exit status. */
int fetch_job_tell(struct fetch_job *j, int rc, const struct mt_sync_result *r,
    const struct mt_err *err);
/* What an account by IMAP is to do; root is g_free. */
struct mt_sync_params fetch_sync_params(const struct fetch_wish *w,
    const struct mt_client_conf *conf, const struct mt_account *a, const char *state_dir,
    char **root);

#endif
