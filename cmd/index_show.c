/* index_show.c - the one message that a file or a query means, as text */
#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cmd.h"
#include "index.h"
#include "index/query.h"
#include "message/text.h"

/* Print the first file of a message that is there; -1 with an error. */
static int
print_first(const GPtrArray *files, struct mt_err *err)
{
	for (guint i = 0; i < files->len; i++) {
		const char *file = g_ptr_array_index(files, i);
		mt_auto_fd int fd = mt_file_open_regular(file, err);

		if (fd >= 0) {
			fputs(file, stdout);
			return 0;
		}
		if (access(file, F_OK) < 0 && errno == ENOENT)
			mt_fail(err, MT_ENOINPUT, "%s: %m "
			    "(mt-index new brings the index up to date)", file);
	}
	return -1;
}

static void *
copy_string(const void *s, void *arg)
{
	(void)arg;
	return g_strdup(s);
}

/* 1: a file of the one message that the query finds is printed; 0: it finds none. */
static int
find_only(struct mt_index *index, const struct mt_index_query *q, struct mt_err *err)
{
	mt_auto(mt_index_results) r = mt_index_search(index, q, err);
	struct mt_index_message m;
	g_autoptr(GPtrArray) files = NULL;
	int rc = r == NULL ? -1 : mt_index_search_next(r, &m, err);

	if (rc <= 0)
		return rc;
	files = g_ptr_array_copy(m.files, copy_string, NULL);
	rc = mt_index_search_next(r, &m, err);
	if (rc > 0)
		return mt_fail(err, MT_EUSAGE, "several messages match \"%s\": name one "
		    "(mt-index search lists their ids)", q->text);
	return rc < 0 || print_first(files, err) < 0 ? -1 : 1;
}

/* What is meant may have been deleted: excluded tags count when there is another. */
static int
find_one(const struct ask *ask, struct mt_index *index, struct mt_err *err)
{
	struct mt_index_query q = { .text = ask->query };
	int rc = find_only(index, &q, err);

	q.with_excluded = true;
	if (rc == 0)
		rc = find_only(index, &q, err);
	if (rc == 0)
		return mt_fail(err, MT_ENOINPUT, "no message matches \"%s\"", ask->query);
	return rc < 0 ? -1 : 0;
}

static int
open_by_query(const struct ask *ask, char **path, struct mt_err *err)
{
	mt_auto_fd int found = index_read(ask, find_one, err);
	mt_auto_value(mt_buf) name = MT_BUF_INIT(PATH_MAX);

	if (found < 0 || mt_file_read_fd(found, &name, err) < 0)
		return -1;
	*path = g_strdup(name.p);
	return mt_file_open_regular(*path, err);
}

/* A path when there is such a file or the argument can be nothing else; else a query. */
static int
open_message(const struct ask *ask, char **path, struct mt_err *err)
{
	const char *arg = g_ptr_array_index(ask->args, 0);
	struct stat st;

	if (ask->args->len > 1 || (stat(arg, &st) < 0 && arg[0] != '/' &&
	    !g_str_has_prefix(arg, "./") && !g_str_has_prefix(arg, "../")))
		return open_by_query(ask, path, err);
	*path = g_strdup(arg);
	return mt_file_open_regular(arg, err);
}

static json_t *
json_attachments(const struct mt_text *t)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->nattachments; i++) {
		const struct mt_text_attachment *a = &t->attachments[i];

		json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o}",
		    "name", mt_json_text(a->name), "type", mt_json_text(a->type),
		    "size", mt_json_count(a->size), "part", mt_json_count(a->part)));
	}
	return array;
}

static void
print_field(const char *name, const char *value)
{
	if (value != NULL)
		printf("%s: %s\n", name, value);
}

static void
print_message(const struct ask *ask, const char *path, const struct mt_text *t)
{
	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
		    "file", mt_json_text(path), "from", mt_json_text(t->from),
		    "to", mt_json_text(t->to), "cc", mt_json_text(t->cc),
		    "date", mt_json_text(t->date), "subject", mt_json_text(t->subject),
		    "body", mt_json_text(t->body), "body_type", mt_json_text(t->body_type),
		    "cut", t->cut, "attachments", json_attachments(t),
		    "trouble", mt_json_text(t->trouble)), '\n', stdout);
		return;
	}
	print_field("From", t->from);
	print_field("To", t->to);
	print_field("Cc", t->cc);
	print_field("Date", t->date);
	print_field("Subject", t->subject);
	putchar('\n');
	fputs(t->body, stdout);
	if (t->body[0] != '\0' && !g_str_has_suffix(t->body, "\n"))
		putchar('\n');
	if (t->cut)
		puts("[the rest is not shown]");
	for (size_t i = 0; i < t->nattachments; i++) {
		const struct mt_text_attachment *a = &t->attachments[i];
		g_autofree char *size = g_format_size(a->size);

		printf("%s[attachment: %s, %s, %s]\n", i == 0 ? "\n" : "",
		    a->name != NULL ? a->name : "without a name", a->type, size);
	}
}

int
index_show(const struct ask *ask)
{
	struct mt_err err = { 0 };
	g_autofree char *path = NULL;
	mt_auto_value(mt_text) text = { 0 };
	mt_auto_fd int fd = -1;

	if (ask->args->len == 0)
		mt_cmd_usage("show: which message? A file, or a query that matches one");
	fd = open_message(ask, &path, &err);
	if (fd < 0)
		return mt_cmd_fail(&err);
	if (mt_text_read(fd, &text, &err) < 0) {
		mt_fail_in(&err, "%s", path);
		return mt_cmd_fail(&err);
	}
	if (text.trouble != NULL)
		mt_cmd_warn("%s: %s", path, text.trouble);
	else if (text.cut)
		mt_cmd_warn("%s: too deep or too long: not all is shown", path);
	print_message(ask, path, &text);
	return text.cut ? EX_DATAERR : EX_OK;
}
