/* mt-fetch.c - collect mail from POP3 servers into Maildirs */
#include <glib.h>
#include <string.h>

#include "base/json.h"
#include "base/proc.h"
#include "base/progress.h"
#include "cmd.h"
#include "conf/account.h"
#include "fetch/pop3.h"

enum { OPT_ACCOUNT = 1, OPT_CONFIG, OPT_KEEP, OPT_DELETE, OPT_DRY_RUN, OPT_JSON,
	OPT_QUIET };

static const struct mt_opt options[] = {
	{ OPT_ACCOUNT, 'a', "account", "NAME", MT_OPT_ACCOUNT,
		"fetch this account's mail (may be repeated; default: all with a pop3 URL)" },
	{ OPT_CONFIG, 'C', "config", "FILE", MT_OPT_FILE,
		"read this file instead of ~/.config/mt/mt.conf" },
	{ OPT_DELETE, 0, "delete", NULL, MT_OPT_NOTHING,
		"delete on the server what has safely arrived" },
	{ OPT_KEEP, 0, "keep", "DAYS", MT_OPT_NOTHING,
		"delete on the server what arrived here this many days ago" },
	{ OPT_DRY_RUN, 'n', "dry-run", NULL, MT_OPT_NOTHING,
		"say what would be fetched and deleted, and do neither" },
	{ OPT_JSON, 0, "json", NULL, MT_OPT_NOTHING,
		"print one JSON object per message, and one per account at the end" },
	{ OPT_QUIET, 'q', "quiet", NULL, MT_OPT_NOTHING,
		"no progress and no summary, even on a terminal" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ 1, NULL, "", MT_OPT_NOTHING, "collect mail", NULL },
	{ 0 },
};
static const struct mt_opt_command command = {
	"mt-fetch", "1", "collect mail from POP3 servers into Maildirs", options, verbs,
	"Mail stays on the server unless --delete or --keep is given."
};

/* What the command line asks for. */
struct wish {
	GPtrArray *accounts;	/* names; empty: all */
	const char *config;
	int64_t delete_after_s;	/* as in struct mt_fetch_params */
	bool dry_run;
	bool json;
	bool quiet;
};

/* One account at work: what report() needs. */
struct job {
	const struct wish *wish;
	const struct mt_account *account;
	struct mt_progress *progress;	/* NULL: nobody watches */
	char *progress_text;
	uint64_t bytes;			/* that came in and are not shown yet */
};

static void
parse_command_line(int argc, char **argv, struct wish *w)
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
		default:
			mt_cmd_usage("what is \"%s\"? No arguments are expected", p.value);
		}
	}
	if (has_delete && has_keep)
		mt_cmd_usage("--delete and --keep exclude each other");
	w->delete_after_s = has_delete ? 0 : has_keep ? (int64_t)days * 86400 : -1;
}

/* Showing what happens. */

static const char *const event_words[] = {
	[MT_FETCH_DELIVERED] = "fetched",
	[MT_FETCH_FAILED] = "failed",
	[MT_FETCH_WOULD_FETCH] = "would-fetch",
	[MT_FETCH_WOULD_DELETE] = "would-delete",
	[MT_FETCH_DELETED] = "deleted",
};

static void
report_json(const struct job *j, const struct mt_fetch_event *ev)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(event_words[ev->what]));
	json_object_set_new(o, "account", mt_json_text(j->account->name));
	json_object_set_new(o, "number", json_integer(ev->number));
	json_object_set_new(o, "uid", mt_json_text(ev->uid));
	if (ev->what != MT_FETCH_FAILED && ev->what != MT_FETCH_DELETED)
		json_object_set_new(o, "bytes", json_integer((json_int_t)ev->bytes));
	if (ev->path != NULL)
		json_object_set_new(o, "path", mt_json_text(ev->path));
	if (ev->err != NULL) {
		json_object_set_new(o, "error", mt_json_text(ev->err->msg));
		json_object_set_new(o, "kind", json_string(mt_err_word(ev->err->kind)));
	}
	mt_json_print(o, '\n', stdout);
}

static void
report_text(struct job *j, const struct mt_fetch_event *ev)
{
	const char *account = j->account->name;

	switch (ev->what) {
	case MT_FETCH_FAILED:
		mt_progress_pause(j->progress);
		mt_cmd_warn("%s: %s", account, ev->err->msg);
		break;
	case MT_FETCH_WOULD_FETCH:
	case MT_FETCH_WOULD_DELETE:
		printf("%s\t%s\t%u\t%s\t%llu\n", event_words[ev->what], account,
		    ev->number, ev->uid, (unsigned long long)ev->bytes);
		break;
	default:
		break;
	}
}

/* A message can be a thousand times another: kilobytes tell how long it will take. */
static void
show_progress(struct job *j, const struct mt_fetch_event *ev)
{
	if (ev->what == MT_FETCH_PLANNED) {
		j->progress_text = g_strdup_printf("%s: %llu messages", j->account->name,
		    (unsigned long long)ev->messages);
		mt_progress_begin(j->progress, j->progress_text, ev->bytes / 1000);
		return;
	}
	j->bytes += ev->bytes;
	mt_progress_add(j->progress, j->bytes / 1000);
	j->bytes %= 1000;
}

static void
report(void *arg, const struct mt_fetch_event *ev)
{
	struct job *j = arg;

	if (ev->what == MT_FETCH_PLANNED || ev->what == MT_FETCH_RECEIVED)
		show_progress(j, ev);
	else if (j->wish->json)
		report_json(j, ev);
	else
		report_text(j, ev);
}

static void
summary_json(const struct job *j, const struct mt_fetch_result *r, const struct mt_err *err)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string("summary"));
	json_object_set_new(o, "account", mt_json_text(j->account->name));
	json_object_set_new(o, "listed", json_integer((json_int_t)r->listed));
	json_object_set_new(o, "known", json_integer((json_int_t)r->known));
	json_object_set_new(o, "fetched", json_integer((json_int_t)r->fetched));
	json_object_set_new(o, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(o, "deleted", json_integer((json_int_t)r->deleted));
	json_object_set_new(o, "failed", json_integer((json_int_t)r->failed));
	json_object_set_new(o, "recovered", json_integer((json_int_t)r->recovered));
	if (err->kind != MT_ENONE) {
		json_object_set_new(o, "error", mt_json_text(err->msg));
		json_object_set_new(o, "kind", json_string(mt_err_word(err->kind)));
	}
	mt_json_print(o, '\n', stdout);
}

/* For a person who watches, and for everybody when something went wrong on the way. */
static void
summary_text(const struct job *j, const struct mt_fetch_result *r, const struct mt_err *err)
{
	g_autofree char *size = g_format_size(r->bytes);
	GString *text;

	if (j->wish->quiet || j->wish->dry_run)
		return;
	if (!mt_cmd_has_terminal() &&
	    ((err->kind == MT_ENONE && r->failed == 0) || r->listed == 0))
		return;
	text = g_string_new(NULL);
	g_string_printf(text, "%llu fetched (%s), %llu there already",
	    (unsigned long long)r->fetched, size,
	    (unsigned long long)r->known);
	if (r->deleted > 0)
		g_string_append_printf(text, ", %llu deleted on the server",
		    (unsigned long long)r->deleted);
	if (r->failed > 0)
		g_string_append_printf(text, ", %llu failed",
		    (unsigned long long)r->failed);
	if (r->recovered > 0)
		g_string_append_printf(text, ", %llu of an interrupted run found",
		    (unsigned long long)r->recovered);
	mt_cmd_warn("%s: %s", j->account->name, text->str);
	g_string_free(text, TRUE);
}

/* Fetching. */

static int
run(struct job *j, const struct mt_fetch_params *params, struct mt_fetch_result *result,
    struct mt_err *err)
{
	mt_auto(mt_fetch) f = mt_fetch_new(params, err);
	char *password;
	int rc;

	if (f == NULL)
		return -1;
	/* Not before the lock: the command may ask a person. */
	password = mt_account_password(j->account, err);
	if (password == NULL)
		return -1;
	if (mt_cmd_has_terminal() && !j->wish->quiet)
		j->progress = mt_progress_new(stderr, j->account->name, "kB");
	rc = mt_fetch_run(f, password, result, err);
	mt_progress_free(j->progress);
	g_free(j->progress_text);
	mt_secret_free(password);
	return rc;
}

/* One account from end to end; the exit status that it calls for. */
static int
fetch_account(const struct wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir)
{
	g_autofree char *maildir = g_build_filename(conf->maildir, a->folder, NULL);
	struct job j = { .wish = w, .account = a };
	struct mt_fetch_params params = {
		.dial = mt_account_dial(a, a->pop3, NULL),
		.maildir = maildir,
		.state_dir = state_dir,
		.delete_after_s = w->delete_after_s,
		.dry_run = w->dry_run,
		.report = report,
		.report_arg = &j,
	};
	struct mt_fetch_result result = { 0 };
	struct mt_err err = { 0 };
	int rc = run(&j, &params, &result, &err);

	if (rc < 0)
		mt_cmd_warn("%s: %s", a->name, err.msg);
	if (w->json)
		summary_json(&j, &result, &err);
	else
		summary_text(&j, &result, &err);
	return mt_err_exit(rc < 0 ? err.kind : result.failure.kind);
}

/* The accounts that are meant; 0, or the exit status. */
static int
choose(const struct wish *w, const struct mt_client_conf *conf, GPtrArray *out)
{
	struct mt_err err = { 0 };

	for (guint i = 0; i < w->accounts->len; i++) {
		const struct mt_account *a = mt_client_conf_account(conf,
		    g_ptr_array_index(w->accounts, i), &err);

		if (a != NULL && a->pop3 == NULL)
			mt_fail(&err, MT_ECONF, "%s:%u: account %s has no pop3 URL",
			    a->file, a->line, a->name);
		if (a == NULL || a->pop3 == NULL)
			return mt_cmd_fail(&err);
		g_ptr_array_add(out, (gpointer)(uintptr_t)a);
	}
	for (size_t i = 0; w->accounts->len == 0 && i < conf->naccounts; i++) {
		if (conf->accounts[i].pop3 != NULL)
			g_ptr_array_add(out, &conf->accounts[i]);
	}
	if (out->len == 0) {
		mt_fail(&err, MT_ECONF, "no account has a pop3 URL");
		return mt_cmd_fail(&err);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct wish w = { .accounts = g_ptr_array_new() };
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
	/* One account that fails does not keep the others from their mail; the first
	   failure makes the exit status. */
	for (guint i = 0; i < chosen->len; i++) {
		int rc = fetch_account(&w, conf, g_ptr_array_index(chosen, i), state_dir);

		if (status == 0)
			status = rc;
	}
	g_ptr_array_free(w.accounts, TRUE);
	return mt_cmd_end(status);
}
