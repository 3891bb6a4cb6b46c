/* fetch.h - what the files of mt-fetch share: the command line */
#ifndef MT_CMD_FETCH_H
#define MT_CMD_FETCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "conf/account.h"

/* What the command line asks for. */
struct fetch_wish {
	GPtrArray *accounts;	/* names; empty: all */
	GPtrArray *folders;	/* names on the server, NULL at the end; only that: all */
	const char *config;
	int64_t delete_after_s;	/* POP3: as in struct mt_fetch_params */
	bool pull, push;	/* IMAP: only this way */
	bool force;
	bool dry_run;
	bool json;
	bool quiet;
};

/* One account from end to end; the exit status that it calls for. */
int fetch_pop3(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);
int fetch_sync(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir);

#endif
