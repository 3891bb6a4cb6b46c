/* send_message.c - mt-send: the message that a verb is about, from a path, an id or a query */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "index/query.h"
#include "index/reader.h"
#include "send.h"
#include "send/draft.h"

/* Of several answers so many are shown. */
#define SHOWN 5

struct question {
	const char *maildir;
	const char *text;
};

/* --- in the child that reads the index: records, each ended by a NUL ---------------- */

/* A message: "L" and a line for people, then "F" and a path for each of its files. */
static void
print_found(const struct mt_index_message *m)
{
	time_t t = (time_t)m->date;
	char date[32] = "?";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
	printf("L%s  %s  %s  id:", date, m->from, m->subject);
	mt_cmd_print_text(m->id, '\n');
	putchar('\0');
	for (guint i = 0; i < m->files->len; i++)
		printf("F%s%c", (const char *)m->files->pdata[i], '\0');
}

/* Whether it finds any. */
static int
ask(struct mt_index *index, const char *text, bool with_excluded, struct mt_err *err)
{
	const struct mt_index_query q = { .text = text, .limit = SHOWN + 1,
		.with_excluded = with_excluded };
	mt_auto(mt_index_results) r = mt_index_search(index, &q, err);
	struct mt_index_message m;
	int rc = r == NULL ? -1 : 1, n = 0;

	while (rc > 0 && (rc = mt_index_search_next(r, &m, err)) > 0) {
		print_found(&m);
		n++;
	}
	return rc < 0 ? -1 : n > 0;
}

/* What is meant may have an excluded tag ("deleted"): when there is no other. */
static int
answer(void *arg, struct mt_err *err)
{
	const struct question *q = arg;
	mt_auto(mt_index) index = mt_index_open(q->maildir, err);
	int rc = index == NULL ? -1 : ask(index, q->text, false, err);

	if (rc == 0)
		rc = ask(index, q->text, true, err);
	return rc < 0 ? -1 : 0;
}

/* --- and what becomes of them -------------------------------------------------------- */

/* "id:<a@b>" and "id:a(b)@c" are what people paste; a query has quotes there. */
static char *
query_of(const char *arg)
{
	const char *id = arg + strlen("id:");
	size_t n;

	if (!g_str_has_prefix(arg, "id:") || id[0] == '"' || strpbrk(id, " \t\n\"") != NULL)
		return g_strdup(arg);
	n = strlen(id);
	if (n > 2 && id[0] == '<' && id[n - 1] == '>')
		return g_strdup_printf("id:\"%.*s\"", (int)(n - 2), id + 1);
	return g_strdup_printf("id:\"%s\"", id);
}

/* The first file that is left; the others are copies of it. */
static int
open_first(const char *arg, const GPtrArray *files, char **path, struct mt_err *err)
{
	struct mt_err why = { 0 };

	for (guint i = 0; i < files->len; i++) {
		int fd = mt_file_open_regular(files->pdata[i], &why);

		if (fd >= 0) {
			*path = g_strdup(files->pdata[i]);
			return fd;
		}
	}
	if (why.kind != MT_ENOINPUT)
		return mt_fail(err, why.kind, "%s: %s", arg, why.msg);
	return mt_fail(err, MT_ENOINPUT, "%s: the index knows the message, but its file has "
	    "gone or was renamed (mt-index new brings the index up to date): %s", arg, why.msg);
}

static int
tell_several(const char *arg, const GPtrArray *lines, struct mt_err *err)
{
	mt_fail(err, MT_EDATA, "%s: several messages match: name one of them by its id, or "
	    "add words to the query (from:, subject:, date:)", arg);
	for (guint i = 0; i < MIN(lines->len, SHOWN); i++)
		mt_cmd_warn("  %s", (const char *)lines->pdata[i]);
	if (lines->len > SHOWN)
		mt_cmd_warn("  and more");
	return -1;
}

/* Read the child's records; lines and files point into `all`. */
static void
take_records(char *all, size_t n, GPtrArray *lines, GPtrArray *files)
{
	for (char *p = all; p < all + n; p += strlen(p) + 1)
		g_ptr_array_add(p[0] == 'L' ? lines : files, p + 1);
}

static int
open_by_query(const struct send *s, const char *arg, char **path, struct mt_err *err)
{
	g_autofree char *text = query_of(arg);
	struct question q = { s->conf->maildir, text };
	g_autoptr(GPtrArray) lines = g_ptr_array_new(), files = g_ptr_array_new();
	mt_auto_value(mt_buf) records = MT_BUF_INIT(MT_MIB(1));
	mt_auto_fd int found = mt_index_read(answer, &q, err);
	bool is_id = g_str_has_prefix(arg, "id:");

	if (found < 0)
		return mt_fail_in(err, is_id ? "%s" : "%s: there is no such file, so it is a query",
		    arg);
	if (mt_file_read_fd(found, &records, err) < 0)
		return mt_fail_in(err, "%s", arg);
	take_records(records.p, records.n, lines, files);
	if (lines->len == 0)
		return mt_fail(err, MT_ENOINPUT, "%s: %sno message that is indexed matches "
		    "(mt-index new indexes what is new, mt-index search finds it)", arg,
		    is_id ? "" : "there is no such file, and ");
	if (lines->len > 1)
		return tell_several(arg, lines, err);
	return open_first(arg, files, path, err);
}

static bool
can_only_be_path(const char *arg)
{
	return arg[0] == '/' || g_str_has_prefix(arg, "./") || g_str_has_prefix(arg, "../");
}

static int
open_input(const struct send *s, const char *arg, char **path, struct mt_err *err)
{
	struct stat st;

	if (g_str_equal(arg, "-"))
		return send_open_input(arg, err);
	if (!can_only_be_path(arg) && stat(arg, &st) < 0)
		return open_by_query(s, arg, path, err);
	*path = g_strdup(arg);
	return send_open_input(arg, err);
}

int
send_open_message(const struct send *s, const char *arg, char **path, struct mt_err *err)
{
	g_autofree char *file = NULL;
	mt_auto_fd int in = -1;
	int fd;

	if (arg[0] == '\0')
		return mt_fail(err, MT_EUSAGE, "which message? Its name is empty");
	in = open_input(s, arg, &file, err);
	if (in < 0)
		return -1;
	fd = mt_draft_spool(in, err);
	if (fd < 0)
		return mt_fail_in(err, "%s", arg);
	if (path != NULL)
		*path = g_steal_pointer(&file);
	return fd;
}
