/* send_book.c - mt-send: a recipient by name, from the mail that the index knows */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "index/query.h"
#include "index/reader.h"
#include "message/header.h"
#include "send.h"
#include "send/draft.h"

/* So many of the newest messages are looked at, and so many addresses shown. */
#define LOOKED_AT 500
#define SHOWN 8

struct question {
	const struct send *s;
	const char *name;
	bool by_us;		/* whom we wrote to; else who wrote to us */
};

/* --- whether it is who is meant ------------------------------------------------------- */

static char **
words_of(const char *text)
{
	g_autofree char *folded = g_utf8_casefold(text != NULL ? text : "", -1);

	return g_strsplit_set(folded, " \t,.\"'()", -1);
}

/* Every word of the one is a word of the other. */
static bool
has_words(const char *text, const char *name)
{
	g_auto(GStrv) all = words_of(text), wanted = words_of(name);
	bool any = false;

	for (char **w = wanted; *w != NULL; w++) {
		if ((*w)[0] == '\0')
			continue;
		if (!g_strv_contains((const char *const *)all, *w))
			return false;
		any = true;
	}
	return any;
}

static bool
is_meant(const struct mt_addr *a, const char *name)
{
	return g_ascii_strcasecmp(a->local, name) == 0 || has_words(a->name, name);
}

/* --- in the child that reads the index: addresses, each ended by a NUL --------------- */

static void
print_field(struct mt_slice head, const char *field, const char *name)
{
	struct mt_header_field f;

	while (mt_header_next(&head, &f)) {
		mt_auto_value(mt_addr_list) list = { 0 };

		if (!mt_slice_eq_nocase(f.name, mt_slice_str(field)))
			continue;
		mt_addr_parse_lax(f.raw, &list);
		for (size_t i = 0; i < list.n; i++) {
			g_autofree char *text = mt_addr_format(&list.v[i]);

			if (is_meant(&list.v[i], name))
				printf("%s%c", text, '\0');
		}
	}
}

static void
print_people(const struct mt_index_message *m, const struct question *q)
{
	static const char *const to[] = { "To", "Cc", "Bcc", NULL };
	static const char *const from[] = { "From", "Reply-To", NULL };
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_fd int fd = m->files->len > 0 ?
	    mt_file_open_regular(m->files->pdata[0], NULL) : -1;

	if (fd < 0 || mt_draft_header(fd, &head, NULL) < 0)
		return;
	for (const char *const *f = q->by_us ? to : from; *f != NULL; f++)
		print_field(mt_buf_slice(&head), *f, q->name);
}

/* "from:me@x.y or ...": all that we wrote. */
static char *
ours(const struct send *s)
{
	GString *out = g_string_new("(");

	for (size_t i = 0; i < s->mine.n; i++) {
		g_autofree char *spec = mt_addr_spec(&s->mine.v[i]);

		g_string_append_printf(out, "%sfrom:\"%s\"", i > 0 ? " or " : "", spec);
	}
	return g_string_free(g_string_append_c(out, ')'), FALSE);
}

static int
answer(void *arg, struct mt_err *err)
{
	const struct question *q = arg;
	g_autofree char *mine = ours(q->s);
	g_autofree char *text = q->by_us ? g_strdup_printf("%s and to:\"%s\"", mine, q->name) :
	    g_strdup_printf("from:\"%s\" and not %s", q->name, mine);
	const struct mt_index_query query = { .text = text, .limit = LOOKED_AT };
	mt_auto(mt_index) index = mt_index_open(q->s->conf->maildir, err);
	mt_auto(mt_index_results) r = index != NULL ? mt_index_search(index, &query, err) : NULL;
	struct mt_index_message m;
	int rc = r == NULL ? -1 : 1;

	while (rc > 0 && (rc = mt_index_search_next(r, &m, err)) > 0)
		print_people(&m, q);
	return rc;
}

/* --- and what becomes of them -------------------------------------------------------- */

static int
ask(struct question *q, struct mt_addr_list *out, struct mt_err *err)
{
	mt_auto_value(mt_buf) records = MT_BUF_INIT(MT_MIB(8));
	mt_auto_fd int found = mt_index_read(answer, q, err);

	if (found < 0)
		return -1;
	if (mt_file_read_fd(found, &records, err) < 0)
		return -1;
	for (const char *p = records.p; p != NULL && p < records.p + records.n;
	    p += strlen(p) + 1) {
		mt_auto_value(mt_addr) a = { 0 };

		if (mt_addr_parse_one(mt_slice_str(p), &a, NULL) == 0)
			mt_addr_list_add_new(out, &a);
	}
	return 0;
}

static int
tell_several(const char *name, const struct mt_addr_list *people, struct mt_err *err)
{
	for (size_t i = 0; i < people->n && i < SHOWN; i++) {
		g_autofree char *text = mt_addr_display(&people->v[i]);

		mt_cmd_warn("  %s", text);
	}
	if (people->n > SHOWN)
		mt_cmd_warn("  and more");
	return mt_fail(err, MT_EUSAGE, "recipient \"%s\": that may be several: give the address",
	    name);
}

/* What is written as no address could be: a word, or some. */
bool
send_is_name(const char *text)
{
	return text[0] != '\0' && strpbrk(text, "@,;:<>\"\\\n") == NULL &&
	    g_utf8_validate(text, -1, NULL);
}

char *
send_find_person(const struct send *s, const char *name, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) people = { 0 };
	struct question q = { s, name, true };
	g_autofree char *shown = NULL;
	int rc = ask(&q, &people, err);

	if (rc == 0 && people.n == 0) {
		q.by_us = false;
		rc = ask(&q, &people, err);
	}
	/* Where there is no index, nobody is known. */
	if (rc < 0)
		return mt_fail_null(err, err->kind == MT_ENOINPUT ? MT_EUSAGE : err->kind,
		    "recipient \"%s\": no @ in it, so a name; %s", name, err->msg);
	if (people.n == 0)
		return mt_fail_null(err, MT_EUSAGE, "recipient \"%s\": no @ in it, and nobody of "
		    "that name has written or was written to (mt-index new indexes what is new)",
		    name);
	if (people.n > 1) {
		(void)tell_several(name, &people, err);
		return NULL;
	}
	shown = mt_addr_display(&people.v[0]);
	mt_cmd_warn("%s: %s", name, shown);
	return mt_addr_format(&people.v[0]);
}
