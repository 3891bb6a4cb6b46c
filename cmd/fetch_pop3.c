/* fetch_pop3.c - mt-fetch: an account by POP3, and how it is told */
#include <glib.h>

#include "base/json.h"
#include "base/progress.h"
#include "fetch.h"
#include "fetch/pop3.h"

/* One account at work: what report() needs. */
struct job {
	const struct fetch_wish *wish;
	const struct mt_account *account;
	struct mt_progress *progress;	/* NULL: nobody watches */
	char *progress_text;
	uint64_t bytes;			/* that came in and are not shown yet */
};

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

int
fetch_pop3(const struct fetch_wish *w, const struct mt_client_conf *conf,
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
