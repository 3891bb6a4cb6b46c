/* fetch_sync.c - mt-fetch: an account by IMAP, and how it is told */
#include "base/json.h"
#include "base/progress.h"
#include "fetch.h"
#include "fetch/sync_flags.h"

static const struct {
	const char *would, *done;
} words[] = {
	[MT_SYNC_PULL] = { "would-fetch", "fetched" },
	[MT_SYNC_PUSH] = { "would-upload", "uploaded" },
	[MT_SYNC_FLAGS_LOCAL] = { "would-flag-here", "flagged-here" },
	[MT_SYNC_FLAGS_REMOTE] = { "would-flag-there", "flagged-there" },
	[MT_SYNC_DELETE_LOCAL] = { "would-delete-here", "deleted-here" },
	[MT_SYNC_DELETE_REMOTE] = { "would-delete-there", "deleted-there" },
	[MT_SYNC_FORGET] = { "would-forget", "forgotten" },
	[MT_SYNC_NOTE] = { "would-note", "noted" },
	[MT_SYNC_MOVE_LOCAL] = { "would-move-here", "moved-here" },
	[MT_SYNC_MOVE_REMOTE] = { "would-move-there", "moved-there" },
	[MT_SYNC_RENAME_LOCAL] = { "would-rename-folder-here", "renamed-folder-here" },
	[MT_SYNC_RMDIR_LOCAL] = { "would-remove-folder-here", "removed-folder-here" },
	[MT_SYNC_RMDIR_REMOTE] = { "would-remove-folder-there", "removed-folder-there" },
};

static const char *
event_word(const struct mt_sync_event *ev)
{
	switch (ev->kind) {
	case MT_SYNC_FAILED:
		return "failed";
	case MT_SYNC_HELD:
		return "held";
	case MT_SYNC_WOULD:
		return words[ev->what].would;
	default:
		return words[ev->what].done;
	}
}

static void
report_json(const struct fetch_job *j, const struct mt_sync_event *ev)
{
	json_t *o = json_object();
	char letters[MT_MAILDIR_FLAGS_SIZE];

	json_object_set_new(o, "event", json_string(event_word(ev)));
	json_object_set_new(o, "account", mt_json_text(j->account->name));
	json_object_set_new(o, "folder", mt_json_text(ev->folder));
	if (ev->kind == MT_SYNC_FAILED || ev->kind == MT_SYNC_HELD)
		json_object_set_new(o, "action", json_string(words[ev->what].would + 6));
	if (ev->from != NULL)
		json_object_set_new(o, "from", mt_json_text(ev->from));
	if (ev->uid != 0)
		json_object_set_new(o, "uid", json_integer(ev->uid));
	if (ev->name != NULL)
		json_object_set_new(o, "name", mt_json_text(ev->name));
	if (ev->path != NULL)
		json_object_set_new(o, "path", mt_json_text(ev->path));
	if (ev->kind == MT_SYNC_DONE || ev->kind == MT_SYNC_WOULD) {
		mt_sync_flags_to_maildir(ev->flags, MT_SLICE(""), letters);
		json_object_set_new(o, "flags", json_string(letters));
	}
	if (ev->bytes != 0)
		json_object_set_new(o, "bytes", json_integer((json_int_t)ev->bytes));
	if (ev->kind == MT_SYNC_HELD) {
		json_object_set_new(o, "messages", json_integer((json_int_t)ev->messages));
		json_object_set_new(o, "of", json_integer((json_int_t)ev->of));
	}
	if (ev->err != NULL) {
		json_object_set_new(o, "error", mt_json_text(ev->err->msg));
		json_object_set_new(o, "kind", json_string(mt_err_word(ev->err->kind)));
	}
	mt_json_print(o, '\n', stdout);
}

static void
report_text(struct fetch_job *j, const struct mt_sync_event *ev)
{
	const char *account = j->account->name;
	g_autofree char *uid = ev->uid != 0 ? g_strdup_printf("%u", ev->uid) : g_strdup("");
	bool is_here = ev->what == MT_SYNC_DELETE_LOCAL;

	switch (ev->kind) {
	case MT_SYNC_FAILED:
		mt_progress_pause(j->progress);
		/* A name without end must not push out why. */
		mt_cmd_warn("%s: %.300s%s%s: %s", account, ev->folder,
		    ev->uid != 0 ? ": UID " : "", uid, ev->err->msg);
		break;
	case MT_SYNC_HELD:
		mt_progress_pause(j->progress);
		if (ev->err != NULL) {
			mt_cmd_warn("%s: %s: %s", account, ev->folder, ev->err->msg);
			break;
		}
		mt_cmd_warn("%s: %s: %llu of %llu messages are gone %s; they are not deleted %s: "
		    "see mt-fetch -n, then say --force if it is meant", account, ev->folder,
		    (unsigned long long)ev->messages, (unsigned long long)ev->of,
		    is_here ? "on the server" : "here", is_here ? "here" : "on the server");
		break;
	case MT_SYNC_WOULD:
		printf("%s\t", words[ev->what].would);
		mt_cmd_print_text(account, '\n');
		putchar('\t');
		mt_cmd_print_text(ev->folder, '\n');
		printf("\t%s\t", uid);
		mt_cmd_print(ev->name != NULL ? ev->name : "", '\n');
		break;
	default:
		break;
	}
}

/* Who stays says of each thing once that it fails, until all went well. */
static bool
was_told(struct fetch_job *j, const struct mt_sync_event *ev)
{
	char *key;

	if (j->told == NULL || (ev->kind != MT_SYNC_FAILED && ev->kind != MT_SYNC_HELD))
		return false;
	key = g_strdup_printf("%s %d %u %s", ev->folder, ev->what, ev->uid,
	    ev->err != NULL ? ev->err->msg : "");
	return !g_hash_table_add(j->told, key);
}

void
fetch_job_report(void *arg, const struct mt_sync_event *ev)
{
	struct fetch_job *j = arg;

	if (ev->kind == MT_SYNC_FOLDER) {
		g_free(j->progress_text);
		j->progress_text = g_strdup_printf("%s: %s", j->account->name, ev->folder);
		mt_progress_begin(j->progress, j->progress_text, ev->messages);
		return;
	}
	if (ev->kind == MT_SYNC_DONE &&
	    (ev->what == MT_SYNC_PULL || ev->what == MT_SYNC_PUSH))
		mt_progress_add(j->progress, 1);
	if (ev->kind == MT_SYNC_RECEIVED || was_told(j, ev))
		return;
	if (j->wish->json)
		report_json(j, ev);
	else
		report_text(j, ev);
}

static const struct {
	enum mt_sync_what what;
	const char *key, *text;
} counts[] = {
	{ MT_SYNC_PULL, "fetched", "fetched" },
	{ MT_SYNC_PUSH, "uploaded", "uploaded" },
	{ MT_SYNC_FLAGS_LOCAL, "flags_here", "flags changed here" },
	{ MT_SYNC_FLAGS_REMOTE, "flags_there", "flags changed on the server" },
	{ MT_SYNC_DELETE_LOCAL, "deleted_here", "deleted here" },
	{ MT_SYNC_DELETE_REMOTE, "deleted_there", "deleted on the server" },
	{ MT_SYNC_MOVE_LOCAL, "moved_here", "moved here" },
	{ MT_SYNC_MOVE_REMOTE, "moved_there", "moved on the server" },
	{ MT_SYNC_RENAME_LOCAL, "folders_renamed_here", "folders renamed here" },
	{ MT_SYNC_RMDIR_LOCAL, "folders_removed_here", "folders removed here" },
	{ MT_SYNC_RMDIR_REMOTE, "folders_removed_there", "folders removed on the server" },
};

static void
summary_json(const struct fetch_job *j, const struct mt_sync_result *r, const struct mt_err *err)
{
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string("summary"));
	json_object_set_new(o, "account", mt_json_text(j->account->name));
	json_object_set_new(o, "folders", json_integer((json_int_t)r->folders));
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
		json_object_set_new(o, counts[i].key,
		    json_integer((json_int_t)r->done[counts[i].what]));
	json_object_set_new(o, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(o, "joined", json_integer((json_int_t)r->joined));
	json_object_set_new(o, "held", json_integer((json_int_t)r->held));
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
summary_text(const struct fetch_job *j, const struct mt_sync_result *r, const struct mt_err *err)
{
	g_autoptr(GString) text = g_string_new(NULL);
	bool is_well = err->kind == MT_ENONE && r->failed == 0 && r->held == 0;

	if (j->wish->quiet || j->wish->dry_run || (!mt_cmd_has_terminal() && is_well) ||
	    r->folders == 0)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		if (r->done[counts[i].what] > 0)
			g_string_append_printf(text, "%s%llu %s", text->len > 0 ? ", " : "",
			    (unsigned long long)r->done[counts[i].what], counts[i].text);
	}
	if (r->joined > 0)
		g_string_append_printf(text, "%s%llu found on both sides",
		    text->len > 0 ? ", " : "", (unsigned long long)r->joined);
	if (r->failed > 0)
		g_string_append_printf(text, "%s%llu failed", text->len > 0 ? ", " : "",
		    (unsigned long long)r->failed);
	mt_cmd_warn("%s: %llu folders: %s", j->account->name, (unsigned long long)r->folders,
	    text->len > 0 ? text->str : "nothing new");
}

int
fetch_job_run(struct fetch_job *j, struct mt_sync *s, struct mt_sync_result *result,
    struct mt_err *err)
{
	char *password = NULL;
	int rc;

	*result = (struct mt_sync_result){ 0 };
	/* Not before the lock: the command may ask a person. */
	if (!mt_sync_is_connected(s) &&
	    (password = mt_account_password(j->account, err)) == NULL)
		return -1;
	if (mt_cmd_has_terminal() && !j->wish->quiet)
		j->progress = mt_progress_new(stderr, j->account->name, "messages");
	rc = mt_sync_run(s, password, result, err);
	mt_progress_free(j->progress);
	j->progress = NULL;
	g_clear_pointer(&j->progress_text, g_free);
	mt_secret_free(password);
	return rc;
}

static bool
did_something(const struct mt_sync_result *r)
{
	for (size_t i = 0; i < MT_SYNC_NWHAT; i++) {
		if (r->done[i] > 0)
			return true;
	}
	return r->joined > 0;
}

int
fetch_job_tell(struct fetch_job *j, int rc, const struct mt_sync_result *r,
    const struct mt_err *err)
{
	if (rc < 0)
		mt_cmd_warn("%s: %s", j->account->name, err->msg);
	/* Who stays says nothing of a run in which nothing was done. */
	if (j->wish->watch && !did_something(r))
		;
	else if (j->wish->json)
		summary_json(j, r, err);
	else
		summary_text(j, r, err);
	if (rc < 0)
		return mt_err_exit(err->kind);
	/* What was held back or quarantined is for a person. */
	return r->held + r->failed > 0 ? mt_err_exit(r->failed > 0 &&
	    r->failure.kind == MT_ETEMP ? MT_ETEMP : MT_EDATA) : 0;
}

struct mt_sync_params
fetch_sync_params(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir, char **root)
{
	*root = g_build_filename(conf->maildir, a->name, NULL);
	return (struct mt_sync_params){
		.account = a->name,
		.version = MT_VERSION,
		.dial = mt_account_dial(a, a->imap, NULL),
		.root = *root,
		.state_dir = state_dir,
		.folders = w->folders->len > 1 ?
		    (const char *const *)w->folders->pdata : NULL,
		.no_pull = w->push,
		.no_push = w->pull,
		.dry_run = w->dry_run,
		.force = w->force,
		.delete_folders = w->delete_folders,
		.connections = (unsigned)w->jobs,
	};
}

int
fetch_sync(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir)
{
	g_autofree char *root = NULL;
	struct fetch_job j = { .wish = w, .account = a };
	struct mt_sync_params params = fetch_sync_params(w, conf, a, state_dir, &root);
	struct mt_sync_result result = { 0 };
	mt_auto(mt_sync) sync = NULL;
	struct mt_err err = { 0 };
	int rc;

	params.report = fetch_job_report;
	params.report_arg = &j;
	sync = mt_sync_new(&params, &err);
	rc = sync == NULL ? -1 : fetch_job_run(&j, sync, &result, &err);
	return fetch_job_tell(&j, rc, &result, &err);
}
