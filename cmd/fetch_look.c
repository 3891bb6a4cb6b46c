/* fetch_look.c - mt-fetch: folders, status and repair of an account by IMAP */
#include <time.h>

#include "base/json.h"
#include "fetch.h"
#include "fetch/sync_server.h"

struct look {
	const struct fetch_wish *wish;
	const struct mt_account *account;
	GHashTable *pending;	/* folder -> how many actions */
	bool is_partial;	/* something could not be looked at */
};

static const char *
use_word(unsigned use)
{
	static const struct {
		unsigned use;
		const char *word;
	} words[] = { { MT_SYNC_USE_OTHERS, "others" }, { MT_SYNC_USE_SHARED, "shared" },
		{ MT_SYNC_USE_ALL, "all" }, { MT_SYNC_USE_ARCHIVE, "archive" },
		{ MT_SYNC_USE_DRAFTS, "drafts" }, { MT_SYNC_USE_FLAGGED, "flagged" },
		{ MT_SYNC_USE_JUNK, "junk" }, { MT_SYNC_USE_SENT, "sent" },
		{ MT_SYNC_USE_TRASH, "trash" }, { MT_SYNC_USE_IMPORTANT, "important" } };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (use & words[i].use)
			return words[i].word;
	}
	return NULL;
}

static void
print_json(const struct look *l, const struct mt_sync_event *ev)
{
	const struct mt_sync_look *f = ev->look;
	bool is_status = l->wish->verb == FETCH_STATUS;
	json_t *o = json_object();

	json_object_set_new(o, "account", mt_json_text(l->account->name));
	json_object_set_new(o, "folder", mt_json_text(ev->folder));
	json_object_set_new(o, "path", mt_json_text(ev->path));
	json_object_set_new(o, "use", mt_json_text(use_word(f->use)));
	json_object_set_new(o, "wanted", json_boolean(f->is_wanted));
	json_object_set_new(o, "remote", f->remote < 0 ? json_null() : json_integer(f->remote));
	if (is_status) {
		json_object_set_new(o, "local", json_integer(f->local));
		json_object_set_new(o, "pending", json_integer((json_int_t)GPOINTER_TO_SIZE(
		    g_hash_table_lookup(l->pending, ev->folder))));
	}
	json_object_set_new(o, "success", f->success == 0 ? json_null() :
	    json_integer(f->success));
	mt_json_print(o, '\n', stdout);
}

static void
print_count(int64_t n)
{
	if (n < 0)
		fputs("\t-", stdout);
	else
		printf("\t%lld", (long long)n);
}

/* account, folder, where it is, what for, messages there, or: account, folder, messages here and
   there, what a run would do, and when the last one was well. */
static void
print_text(const struct look *l, const struct mt_sync_event *ev)
{
	const struct mt_sync_look *f = ev->look;
	const char *use = use_word(f->use);
	char when[32] = "never";
	time_t t = (time_t)f->success;
	struct tm tm;

	mt_cmd_print_text(l->account->name, '\n');
	putchar('\t');
	mt_cmd_print_text(ev->folder, '\n');
	if (l->wish->verb == FETCH_FOLDERS) {
		putchar('\t');
		mt_cmd_print_text(f->is_wanted ? ev->path : "-", '\n');
		printf("\t%s", use != NULL ? use : "-");
		print_count(f->remote);
		putchar('\n');
		return;
	}
	if (f->success != 0 && localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	print_count(f->local);
	print_count(f->remote);
	printf("\t%zu\t%s\n", GPOINTER_TO_SIZE(g_hash_table_lookup(l->pending, ev->folder)),
	    when);
}

static void
count(struct look *l, const char *folder, size_t n)
{
	size_t before = GPOINTER_TO_SIZE(g_hash_table_lookup(l->pending, folder));

	g_hash_table_insert(l->pending, g_strdup(folder), GSIZE_TO_POINTER(before + n));
}

static void
report(void *arg, const struct mt_sync_event *ev)
{
	struct look *l = arg;

	switch (ev->kind) {
	case MT_SYNC_WOULD:
		count(l, ev->folder, 1);
		break;
	case MT_SYNC_HELD:
		count(l, ev->folder, ev->messages);
		break;
	case MT_SYNC_FAILED:
		l->is_partial = true;
		mt_cmd_warn("%s: %s: %s", l->account->name, ev->folder, ev->err->msg);
		break;
	case MT_SYNC_LOOK:
		if (l->wish->nul_ends)
			mt_cmd_print(ev->folder, '\0');
		else if (l->wish->json)
			print_json(l, ev);
		else
			print_text(l, ev);
		break;
	default:
		break;
	}
}

/* Nothing is asked of the server. */
static int
repair(const struct look *l, struct mt_sync *s, struct mt_err *err)
{
	g_autoptr(GPtrArray) names = mt_sync_repair(s, err);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		if (l->wish->json) {
			mt_json_print(json_pack("{s:s, s:o, s:o}", "event", "forgotten", "account",
			    mt_json_text(l->account->name), "folder",
			    mt_json_text(names->pdata[i])), '\n', stdout);
			continue;
		}
		mt_cmd_print_text(l->account->name, '\n');
		putchar('\t');
		mt_cmd_print(names->pdata[i], '\n');
	}
	return names != NULL ? 0 : -1;
}

static int
look(const struct look *l, struct mt_sync *s, struct mt_err *err)
{
	struct mt_sync_result ignored;
	char *password = mt_account_password(l->account, err);
	int rc = password == NULL ? -1 : mt_sync_run(s, password, &ignored, err);

	mt_secret_free(password);
	return rc;
}

int
fetch_look(const struct fetch_wish *w, const struct mt_client_conf *conf,
    const struct mt_account *a, const char *state_dir)
{
	g_autofree char *root = NULL;
	g_autoptr(GHashTable) pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	struct look l = { .wish = w, .account = a, .pending = pending };
	struct mt_sync_params params = fetch_sync_params(w, conf, a, state_dir, &root);
	mt_auto(mt_sync) s = NULL;
	struct mt_err err = { 0 };
	int rc;

	params.dry_run = true;
	params.looks = w->verb == FETCH_FOLDERS ? MT_SYNC_LOOKS_AT_NAMES : MT_SYNC_LOOKS_AT_ALL;
	params.report = report;
	params.report_arg = &l;
	s = mt_sync_new(&params, &err);
	rc = s == NULL ? -1 : w->verb == FETCH_REPAIR ? repair(&l, s, &err) : look(&l, s, &err);
	if (rc < 0) {
		mt_cmd_warn("%s: %s", a->name, err.msg);
		return mt_err_exit(err.kind);
	}
	return l.is_partial ? mt_err_exit(MT_EDATA) : 0;
}
