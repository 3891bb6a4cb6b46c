/* mt-index.c - index, search, show and count mail, on a notmuch database */
#include <glib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "cmd.h"
#include "conf/account.h"
#include "index.h"
#include "index/db.h"
#include "index/query.h"
#include "index/reader.h"
#include "index/scan.h"

enum { NEW = 1, SEARCH, SHOW, COUNT };
enum { CONFIG = 1, JSON, NUL, LIMIT, SORT, OUTPUT, VERBOSE };

static const struct mt_opt new_opts[] = {
	{ JSON, 0, "json", NULL, 0, "print the result as JSON" },
	{ VERBOSE, 'v', "verbose", NULL, 0,
	    "say what was done, also when nobody watches and all is well" },
	{ 0 },
};
static const struct mt_opt search_opts[] = {
	{ OUTPUT, 'o', "output", "WHAT", 0,
	    "summary (default), messages, threads, files or tags" },
	{ LIMIT, 'n', "limit", "N", 0, "print N records at most" },
	{ SORT, 0, "sort", "ORDER", 0, "newest (default) or oldest first" },
	{ JSON, 0, "json", NULL, 0, "print one JSON object a line" },
	{ NUL, '0', "null", NULL, 0, "end each record with a NUL instead of a newline" },
	{ 0 },
};
static const struct mt_opt show_opts[] = {
	{ JSON, 0, "json", NULL, 0, "print a JSON object" },
	{ 0 },
};
static const struct mt_opt count_opts[] = {
	{ OUTPUT, 'o', "output", "WHAT", 0, "messages (default), threads or files" },
	{ 0 },
};
static const struct mt_opt common_opts[] = {
	{ CONFIG, 'C', "config", "FILE", MT_OPT_FILE,
	    "take the mail root from this mt.conf" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ NEW, "new", "", 0, "index what is new, forget what has gone", new_opts },
	{ SEARCH, "search", "QUERY...", 0, "list what a query matches", search_opts },
	{ SHOW, "show", "FILE|QUERY...", MT_OPT_FILE,
	    "show the one message that is meant, as text", show_opts },
	{ COUNT, "count", "[QUERY...]", 0, "count what a query matches", count_opts },
	{ 0 },
};
static const struct mt_opt_command command = {
	.name = "mt-index",
	.section = "1",
	.summary = "index, search, show and count mail, on a notmuch database",
	.opts = common_opts,
	.verbs = verbs,
	.epilogue = "Examples:\n"
	    "  mt-index new\n"
	    "  mt-index search from:ada and subject:winter date:2026..\n"
	    "  mt-index show id:20261122.1@example.org\n"
	    "  mt-index search -0 -o files tag:flagged | xargs -0 grep -l Grace",
};

struct output {
	const char *what;
	index_finder *find;
};

static struct mt_index *
open_index(const struct ask *ask,
    struct mt_index *(*how)(const char *maildir, struct mt_err *err), struct mt_err *err)
{
	mt_auto(mt_client_conf) conf = ask->config != NULL ?
	    mt_client_conf_read(ask->config, err) :
	    mt_client_conf_read_optional(NULL, err);

	return conf == NULL ? NULL : how(conf->maildir, err);
}

static char *
join_query(const GPtrArray *args)
{
	g_autofree char **words = g_new0(char *, args->len + 1);

	if (args->len == 0)
		return g_strdup("*");
	memcpy(words, args->pdata, args->len * sizeof(*words));
	return g_strjoinv(" ", words);
}

struct reading {
	const struct ask *ask;
	index_finder *find;
};

static int
read_index(void *arg, struct mt_err *err)
{
	const struct reading *r = arg;
	mt_auto(mt_index) index = open_index(r->ask, mt_index_open, err);

	return index == NULL ? -1 : r->find(r->ask, index, err);
}

int
index_read(const struct ask *ask, index_finder *find, struct mt_err *err)
{
	struct reading r = { ask, find };

	return mt_index_read(read_index, &r, err);
}

/* Print what is found, all of it or nothing. */
static int
print_found(const struct ask *ask, index_finder *find)
{
	struct mt_err err = { 0 };
	mt_auto_fd int fd = index_read(ask, find, &err);
	char piece[8192];
	ssize_t n;

	if (fd < 0)
		return mt_cmd_fail(&err);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)n, stdout);
	return EX_OK;
}

static index_finder *
finder_of(const struct output *outputs, const char *what)
{
	for (; outputs->what != NULL; outputs++) {
		if (what == NULL || g_str_equal(what, outputs->what))
			return outputs->find;
	}
	return NULL;
}

static void
warn_lines(const GPtrArray *lines, const char *what)
{
	for (guint i = 0; i < lines->len; i++)
		mt_cmd_warn("%s%s", what, (const char *)g_ptr_array_index(lines, i));
}

static void
print_scanned(const struct ask *ask, const struct mt_index_scanned *s)
{
	bool all_is_well = s->skipped->len + s->failed->len == 0;

	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		    "added", mt_json_count(s->added), "files", mt_json_count(s->files),
		    "removed", mt_json_count(s->removed),
		    "removed_files", mt_json_count(s->removed_files),
		    "ignored", mt_json_count(s->ignored),
		    "skipped", mt_json_lines(s->skipped),
		    "failed", mt_json_lines(s->failed)), '\n', stdout);
		return;
	}
	if (s->files + s->removed_files + s->skipped->len == 0)
		return;
	/* As for mt-backup: cron is to send mail only when something went wrong. */
	if (all_is_well && !ask->verbose && !mt_cmd_has_terminal())
		return;
	printf("%llu new messages", (unsigned long long)s->added);
	if (s->removed > 0)
		printf(", %llu removed", (unsigned long long)s->removed);
	if (s->skipped->len > 0)
		printf(", %u skipped", s->skipped->len);
	putchar('\n');
}

static int
run_new(const struct ask *ask)
{
	struct mt_err err = { 0 };
	mt_auto(mt_index) index = open_index(ask, mt_index_open_to_write, &err);
	mt_auto(mt_progress) progress = NULL;
	mt_auto_value(mt_index_scanned) done = { 0 };

	if (index == NULL)
		return mt_cmd_fail(&err);
	if (mt_cmd_has_terminal())
		progress = mt_progress_new(stderr, "indexing", "messages");
	if (mt_index_scan(index, progress, &done, &err) < 0) {
		mt_progress_pause(progress);
		return mt_cmd_fail(&err);
	}
	mt_progress_pause(progress);
	warn_lines(done.skipped, "skipped: ");
	warn_lines(done.failed, "");
	if (mt_index_close(mt_steal(&index), &err) < 0)
		return mt_cmd_fail(&err);
	print_scanned(ask, &done);
	if (done.try_again)
		return EX_TEMPFAIL;
	if (done.skipped->len > 0)
		return EX_DATAERR;
	return done.failed->len > 0 ? EX_NOINPUT : EX_OK;
}

/* Local time, as 2026-11-22 23:27. */
static void
format_date(int64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M", &tm) == 0)
		g_strlcpy(out, "?", 32);
}

static void
print_summary(const struct ask *ask, const struct mt_index_message *m)
{
	g_autofree char *line = NULL;
	char date[32];

	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o}",
		    "id", mt_json_text(m->id), "thread", mt_json_text(m->thread),
		    "date", (json_int_t)m->date, "from", mt_json_text(m->from),
		    "subject", mt_json_text(m->subject), "tags", mt_json_text(m->tags),
		    "files", mt_json_lines(m->files)), ask->end, stdout);
		return;
	}
	format_date(m->date, date);
	printf("%s\t%s\t%s\t%s\tid:", date, m->from, m->subject, m->tags);
	mt_cmd_print(m->id, ask->end);
}

static void
print_id(const struct ask *ask, const struct mt_index_message *m)
{
	g_autofree char *id = g_strconcat("id:", m->id, NULL);

	if (ask->json)
		mt_json_print(json_pack("{s:o}", "id", mt_json_text(m->id)), ask->end, stdout);
	else
		mt_cmd_print(id, ask->end);
}

static void
print_files(const struct ask *ask, const struct mt_index_message *m)
{
	for (guint i = 0; i < m->files->len; i++) {
		const char *file = g_ptr_array_index(m->files, i);

		if (ask->json)
			mt_json_print(json_pack("{s:o}", "file", mt_json_text(file)),
			    ask->end, stdout);
		else
			mt_cmd_print(file, ask->end);
	}
}

static struct mt_index_query
query_of(const struct ask *ask)
{
	return (struct mt_index_query){ .text = ask->query,
		.oldest_first = ask->oldest_first, .limit = ask->limit };
}

static int
find_messages(const struct ask *ask, struct mt_index *index,
    void (*print)(const struct ask *, const struct mt_index_message *),
    struct mt_err *err)
{
	struct mt_index_query q = query_of(ask);
	mt_auto(mt_index_results) r = mt_index_search(index, &q, err);
	struct mt_index_message m;
	int rc = r == NULL ? -1 : 1;

	while (rc > 0 && (rc = mt_index_search_next(r, &m, err)) > 0)
		print(ask, &m);
	return rc;
}

static int
find_summaries(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	return find_messages(ask, index, print_summary, err);
}

static int
find_ids(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	return find_messages(ask, index, print_id, err);
}

static int
find_files(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	return find_messages(ask, index, print_files, err);
}

static void
print_thread(const struct ask *ask, const struct mt_index_thread *t)
{
	char date[32];

	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o}",
		    "thread", mt_json_text(t->id), "newest", (json_int_t)t->newest,
		    "matched", mt_json_count(t->matched), "total", mt_json_count(t->total),
		    "authors", mt_json_text(t->authors), "subject", mt_json_text(t->subject),
		    "tags", mt_json_text(t->tags)), ask->end, stdout);
		return;
	}
	format_date(t->newest, date);
	printf("%s\t%u/%u\t%s\t%s\t%s\tthread:%s%c", date, t->matched, t->total,
	    t->authors, t->subject, t->tags, t->id, ask->end);
}

static int
find_threads(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	struct mt_index_query q = query_of(ask);
	mt_auto(mt_index_threads) r = mt_index_search_threads(index, &q, err);
	struct mt_index_thread t;
	int rc = r == NULL ? -1 : 1;

	while (rc > 0 && (rc = mt_index_threads_next(r, &t, err)) > 0)
		print_thread(ask, &t);
	return rc;
}

/* The tags of all messages that match, each once. */
static int
find_tags(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	struct mt_index_query q = query_of(ask);
	mt_auto(mt_index_results) r = mt_index_search(index, &q, err);
	g_autoptr(GTree) seen =
	    g_tree_new_full((GCompareDataFunc)(void (*)(void))strcmp, NULL, g_free, NULL);
	struct mt_index_message m;
	int rc = r == NULL ? -1 : 1;

	while (rc > 0 && (rc = mt_index_search_next(r, &m, err)) > 0) {
		g_auto(GStrv) tags = g_strsplit(m.tags, " ", -1);

		for (char **t = tags; *t != NULL && **t != '\0'; t++)
			g_tree_insert(seen, g_strdup(*t), NULL);
	}
	if (rc < 0)
		return -1;
	for (GTreeNode *n = g_tree_node_first(seen); n != NULL; n = g_tree_node_next(n)) {
		const char *tag = g_tree_node_key(n);

		if (ask->json)
			mt_json_print(json_pack("{s:o}", "tag", mt_json_text(tag)),
			    ask->end, stdout);
		else
			mt_cmd_print(tag, ask->end);
	}
	return 0;
}

static int
run_search(const struct ask *ask)
{
	static const struct output outputs[] = {
		{ "summary", find_summaries }, { "messages", find_ids },
		{ "files", find_files }, { "threads", find_threads },
		{ "tags", find_tags }, { NULL, NULL },
	};
	index_finder *find = finder_of(outputs, ask->output);

	if (ask->args->len == 0)
		mt_cmd_usage("search: for what? \"*\" is every message");
	if (find == NULL)
		mt_cmd_usage("option --output: \"%s\" is not summary, messages, threads, "
		    "files or tags", ask->output);
	return print_found(ask, find);
}

static int
print_count(int rc, uint64_t n)
{
	if (rc == 0)
		printf("%llu\n", (unsigned long long)n);
	return rc;
}

static int
count_messages(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	uint64_t n = 0;
	int rc = mt_index_count_messages(index, ask->query, &n, err);

	return print_count(rc, n);
}

static int
count_threads(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	uint64_t n = 0;
	int rc = mt_index_count_threads(index, ask->query, &n, err);

	return print_count(rc, n);
}

static int
count_files(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	struct mt_index_query q = { .text = ask->query };
	mt_auto(mt_index_results) r = mt_index_search(index, &q, err);
	struct mt_index_message m;
	uint64_t n = 0;
	int rc = r == NULL ? -1 : 1;

	while (rc > 0 && (rc = mt_index_search_next(r, &m, err)) > 0)
		n += m.files->len;
	return print_count(rc, n);
}

static int
run_count(const struct ask *ask)
{
	static const struct output outputs[] = {
		{ "messages", count_messages }, { "threads", count_threads },
		{ "files", count_files }, { NULL, NULL },
	};
	index_finder *find = finder_of(outputs, ask->output);

	if (find == NULL)
		mt_cmd_usage("option --output: \"%s\" is not messages, threads or files",
		    ask->output);
	return print_found(ask, find);
}

static void
take_option(struct ask *ask, const struct mt_opt_parser *p)
{
	struct mt_err err = { 0 };

	switch (p->id) {
	case CONFIG:
		ask->config = p->value;
		break;
	case JSON:
		ask->json = true;
		break;
	case VERBOSE:
		ask->verbose = true;
		break;
	case NUL:
		ask->end = '\0';
		break;
	case LIMIT:
		if (mt_opt_u64(p, 1, INT64_MAX, &ask->limit, &err) < 0)
			mt_cmd_usage("%s", err.msg);
		break;
	case SORT:
		ask->oldest_first = g_str_equal(p->value, "oldest");
		if (!ask->oldest_first && !g_str_equal(p->value, "newest"))
			mt_cmd_usage("option --sort: \"%s\" is not newest or oldest",
			    p->value);
		break;
	case OUTPUT:
		ask->output = p->value;
		break;
	default:
		g_ptr_array_add(ask->args, g_strdup(p->value));
	}
}

static int
run(int verb, const struct ask *ask)
{
	switch (verb) {
	case NEW:
		if (ask->args->len > 0)
			mt_cmd_usage("new takes no argument \"%s\"",
			    (const char *)g_ptr_array_index(ask->args, 0));
		return run_new(ask);
	case SEARCH:
		return run_search(ask);
	case SHOW:
		return index_show(ask);
	default:
		return run_count(ask);
	}
}

int
main(int argc, char **argv)
{
	struct ask ask = { .end = '\n' };
	struct mt_opt_parser p;
	int status;

	mt_cmd_start(&command, argc, argv, &p);
	ask.args = g_ptr_array_new_with_free_func(g_free);
	while (mt_cmd_next(&p) > 0)
		take_option(&ask, &p);
	ask.query = join_query(ask.args);
	status = run(p.verb->id, &ask);
	g_free(ask.query);
	g_ptr_array_unref(ask.args);
	return mt_cmd_end(status);
}
