/* mt-fetch.c - Maildirs in step with IMAP servers, and mail of POP3 servers into them */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/proc.h"
#include "fetch.h"

enum { OPT_ACCOUNT = 1, OPT_CONFIG, OPT_FOLDER, OPT_PULL, OPT_PUSH, OPT_FORCE,
	OPT_DELETE_FOLDERS, OPT_KEEP, OPT_DELETE, OPT_DRY_RUN, OPT_JSON, OPT_QUIET, OPT_NUL,
	OPT_WATCH, OPT_JOBS };

#define OPT_OF_FOLDER { OPT_FOLDER, 'f', "folder", "FOLDER", MT_OPT_NOTHING, \
	"IMAP: only this folder of the server (may be repeated)" }
#define OPT_OF_JSON { OPT_JSON, 0, "json", NULL, MT_OPT_NOTHING, \
	"print one JSON object per line" }

static const struct mt_opt common_options[] = {
	{ OPT_ACCOUNT, 'a', "account", "NAME", MT_OPT_ACCOUNT,
		"only this account (may be repeated; default: all that have a server)" },
	{ OPT_CONFIG, 'C', "config", "FILE", MT_OPT_FILE,
		"read this file instead of ~/.config/mt/mt.conf" },
	{ 0 },
};
static const struct mt_opt sync_options[] = {
	OPT_OF_FOLDER,
	{ OPT_PULL, 0, "pull", NULL, MT_OPT_NOTHING,
		"IMAP: change nothing on the server" },
	{ OPT_PUSH, 0, "push", NULL, MT_OPT_NOTHING,
		"IMAP: change nothing here" },
	{ OPT_FORCE, 0, "force", NULL, MT_OPT_NOTHING,
		"IMAP: make deletions that look like a mistake, too" },
	{ OPT_DELETE_FOLDERS, 0, "delete-folders", NULL, MT_OPT_NOTHING,
		"IMAP: remove folders that the other side has removed, with their messages" },
	{ OPT_DELETE, 0, "delete", NULL, MT_OPT_NOTHING,
		"POP3: delete on the server what has safely arrived" },
	{ OPT_KEEP, 0, "keep", "DAYS", MT_OPT_NOTHING,
		"POP3: delete on the server what arrived here this many days ago" },
	{ OPT_JOBS, 'j', "jobs", "N", MT_OPT_NOTHING,
		"IMAP: up to N connections, over which folders are spread; 1 unless said" },
	{ OPT_WATCH, 0, "watch", NULL, MT_OPT_NOTHING,
		"IMAP: stay, and synchronise as soon as something changes on either side" },
	{ OPT_DRY_RUN, 'n', "dry-run", NULL, MT_OPT_NOTHING,
		"say what would be done, and do nothing" },
	{ OPT_JSON, 0, "json", NULL, MT_OPT_NOTHING,
		"print one JSON object per message, and one per account at the end" },
	{ OPT_QUIET, 'q', "quiet", NULL, MT_OPT_NOTHING,
		"no progress and no summary, even on a terminal" },
	{ 0 },
};
static const struct mt_opt list_options[] = {
	OPT_OF_FOLDER,
	OPT_OF_JSON,
	{ OPT_NUL, '0', "null", NULL, MT_OPT_NOTHING, "names only, each ended by a NUL" },
	{ 0 },
};
static const struct mt_opt repair_options[] = { OPT_OF_FOLDER, OPT_OF_JSON, { 0 } };
static const struct mt_opt_verb verbs[] = {
	{ FETCH_SYNC, NULL, "", MT_OPT_NOTHING, "fetch and synchronise mail", sync_options },
	{ FETCH_FOLDERS, "folders", "", MT_OPT_NOTHING,
		"IMAP: list the folders of the server, and where they are here", list_options },
	{ FETCH_STATUS, "status", "", MT_OPT_NOTHING,
		"IMAP: messages here and there, what a run would do, when the last one was well",
		list_options },
	{ FETCH_REPAIR, "repair", "", MT_OPT_NOTHING,
		"IMAP: forget what was agreed upon; the next run compares both sides anew",
		repair_options },
	{ 0 },
};
static const struct mt_opt_command command = {
	"mt-fetch", "1", "two-way sync of Maildirs with IMAP servers; mail from POP3",
	common_options, verbs,
	"POP3: mail stays on the server unless --delete or --keep is given."
};

static void
parse_command_line(int argc, char **argv, struct fetch_wish *w)
{
	struct mt_opt_parser p;
	struct mt_err err = { 0 };
	bool has_delete = false, has_keep = false;
	uint64_t days = 0;

	mt_cmd_start(&command, argc, argv, &p);
	while (mt_cmd_next(&p) > 0) {
		switch (p.id) {
		case OPT_ACCOUNT:
			g_ptr_array_add(w->accounts, (gpointer)(uintptr_t)p.value);
			break;
		case OPT_CONFIG:
			w->config = p.value;
			break;
		case OPT_FOLDER:
			g_ptr_array_add(w->folders, (gpointer)(uintptr_t)p.value);
			break;
		case OPT_PULL:
			w->pull = true;
			break;
		case OPT_PUSH:
			w->push = true;
			break;
		case OPT_FORCE:
			w->force = true;
			break;
		case OPT_DELETE_FOLDERS:
			w->delete_folders = true;
			break;
		case OPT_DELETE:
			has_delete = true;
			break;
		case OPT_KEEP:
			if (mt_opt_days(&p, &days, &err) < 0 || days > 36500)
				mt_cmd_usage("--keep %s: not a number of days", p.value);
			has_keep = true;
			break;
		case OPT_DRY_RUN:
			w->dry_run = true;
			break;
		case OPT_JSON:
			w->json = true;
			break;
		case OPT_QUIET:
			w->quiet = true;
			break;
		case OPT_JOBS:
			if (mt_opt_u64(&p, 1, 32, &w->jobs, &err) < 0)
				mt_cmd_usage("%s", err.msg);
			break;
		case OPT_WATCH:
			w->watch = true;
			break;
		case OPT_NUL:
			w->nul_ends = true;
			break;
		default:
			mt_cmd_usage("what is \"%s\"? No arguments are expected", p.value);
		}
	}
	if (has_delete && has_keep)
		mt_cmd_usage("--delete and --keep exclude each other");
	if (w->watch && w->dry_run)
		mt_cmd_usage("--watch and --dry-run exclude each other");
	if (w->pull && w->push)
		mt_cmd_usage("--pull and --push: without either of them, both are done");
	g_ptr_array_add(w->folders, NULL);
	w->verb = (enum fetch_verb)p.verb->id;
	w->delete_after_s = has_delete ? 0 : has_keep ? (int64_t)days * 86400 : -1;
}

/* The accounts that are meant; 0, or the exit status. */
static bool
has_server(const struct mt_account *a)
{
	return a->imap != NULL || a->pop3 != NULL;
}

static int
choose(const struct fetch_wish *w, const struct mt_client_conf *conf, GPtrArray *out)
{
	struct mt_err err = { 0 };

	for (guint i = 0; i < w->accounts->len; i++) {
		const struct mt_account *a = mt_client_conf_account(conf,
		    g_ptr_array_index(w->accounts, i), &err);

		if (a != NULL && !has_server(a))
			mt_fail(&err, MT_ECONF, "%s:%u: account %s has no imap or pop3 URL",
			    a->file, a->line, a->name);
		if (a == NULL || !has_server(a))
			return mt_cmd_fail(&err);
		g_ptr_array_add(out, (gpointer)(uintptr_t)a);
	}
	for (size_t i = 0; w->accounts->len == 0 && i < conf->naccounts; i++) {
		if (has_server(&conf->accounts[i]))
			g_ptr_array_add(out, &conf->accounts[i]);
	}
	if (out->len == 0) {
		mt_fail(&err, MT_ECONF, "no account has an imap or pop3 URL");
		return mt_cmd_fail(&err);
	}
	return 0;
}

static int
fetch(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir)
{
	struct mt_err err = { 0 };

	if (w->verb == FETCH_SYNC && w->watch)
		return fetch_watch(w, conf, a, state_dir);
	if (w->verb == FETCH_SYNC)
		return a->imap != NULL ? fetch_sync(w, conf, a, state_dir) :
		    fetch_pop3(w, conf, a, state_dir);
	if (a->imap != NULL)
		return fetch_look(w, conf, a, state_dir);
	/* Where all accounts are meant, those with folders are. */
	if (w->accounts->len == 0)
		return 0;
	mt_fail(&err, MT_ECONF, "%s:%u: account %s has no imap URL", a->file, a->line, a->name);
	return mt_cmd_fail(&err);
}

/* A process for each account, which ends with us. */
static int
watch_each(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const GPtrArray *chosen, const char *state_dir)
{
	int status = 0, one;

	for (guint i = 0; i < chosen->len; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(mt_cmd_end(fetch(w, conf, g_ptr_array_index(chosen, i), state_dir)));
		}
		if (pid < 0) {
			mt_cmd_warn("fork: %m");
			return EX_OSERR;
		}
	}
	while (wait(&one) > 0 || errno == EINTR) {
		if (status == 0)
			status = WIFEXITED(one) ? WEXITSTATUS(one) : EX_SOFTWARE;
	}
	return status;
}

/* What can be watched; those that are named must be. */
static int
drop_unwatched(const struct fetch_wish *w, GPtrArray *chosen)
{
	for (guint i = chosen->len; i-- > 0;) {
		const struct mt_account *a = g_ptr_array_index(chosen, i);

		if (a->imap != NULL)
			continue;
		if (w->accounts->len > 0) {
			mt_cmd_warn("%s:%u: account %s has no imap URL, and only IMAP can be "
			    "watched", a->file, a->line, a->name);
			return EX_CONFIG;
		}
		g_ptr_array_remove_index(chosen, i);
	}
	if (chosen->len > 0)
		return 0;
	mt_cmd_warn("no account has an imap URL: only IMAP can be watched");
	return EX_CONFIG;
}

int
main(int argc, char **argv)
{
	struct fetch_wish w = { .accounts = g_ptr_array_new(),
		.folders = g_ptr_array_new() };
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();
	g_autofree char *state_dir = NULL;
	mt_auto(mt_client_conf) conf = NULL;
	struct mt_err err = { 0 };
	int status = 0;

	parse_command_line(argc, argv, &w);
	mt_proc_hide_secrets();
	state_dir = mt_cmd_state_dir();
	conf = mt_client_conf_read(w.config, &err);
	if (conf == NULL)
		return mt_cmd_end(mt_cmd_fail(&err));
	status = choose(&w, conf, chosen);
	if (status == 0 && w.watch)
		status = drop_unwatched(&w, chosen);
	if (status != 0)
		g_ptr_array_set_size(chosen, 0);
	if (w.watch && chosen->len > 1) {
		status = watch_each(&w, conf, chosen, state_dir);
		g_ptr_array_set_size(chosen, 0);
	}
	/* One account that fails does not keep the others from their mail; the first
	   failure makes the exit status. */
	for (guint i = 0; i < chosen->len; i++) {
		const struct mt_account *a = g_ptr_array_index(chosen, i);
		int rc = fetch(&w, conf, a, state_dir);

		if (status == 0)
			status = rc;
	}
	g_ptr_array_free(w.accounts, TRUE);
	g_ptr_array_free(w.folders, TRUE);
	return mt_cmd_end(status);
}
