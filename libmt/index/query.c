/* query.c - search and count, in notmuch's query language */
#include "index/query.h"

#include <notmuch.h>
#include <string.h>

#include "message/charset.h"

struct mt_index_results {
	struct mt_index *index;
	notmuch_query_t *query;
	notmuch_messages_t *messages;
	notmuch_message_t *message;	/* the one that was given last */
	uint64_t left;
	GPtrArray *files;
	GPtrArray *texts;		/* what the last record borrows */
};

struct mt_index_threads {
	struct mt_index *index;
	notmuch_query_t *query;
	notmuch_threads_t *threads;
	notmuch_thread_t *thread;
	uint64_t left;
	GPtrArray *texts;
};

static notmuch_query_t *
make_query(struct mt_index *index, const char *text, notmuch_sort_t sort)
{
	notmuch_query_t *q = notmuch_query_create(mt_index_db(index), text);

	g_assert(q != NULL);	/* only for want of memory */
	notmuch_query_set_sort(q, sort);
	return q;
}

static void
exclude_tags(struct mt_index *index, notmuch_query_t *q)
{
	notmuch_config_values_t *v;

	v = notmuch_config_get_values(mt_index_db(index), NOTMUCH_CONFIG_EXCLUDE_TAGS);
	for (; notmuch_config_values_valid(v); notmuch_config_values_move_to_next(v))
		notmuch_query_add_tag_exclude(q, notmuch_config_values_get(v));
	notmuch_config_values_destroy(v);
}

static notmuch_query_t *
make_search(struct mt_index *index, const struct mt_index_query *query)
{
	notmuch_query_t *q = make_query(index, query->text, query->oldest_first ?
	    NOTMUCH_SORT_OLDEST_FIRST : NOTMUCH_SORT_NEWEST_FIRST);

	if (!query->with_excluded)
		exclude_tags(index, q);
	return q;
}

/* A query that cannot be parsed is wrong. What goes wrong later is not about its text. */
static int
query_failed(struct mt_index *index, int status, const char *text, struct mt_err *err)
{
	static const char parser[] = "A Xapian exception occurred parsing query: ";
	const char *why = notmuch_database_status_string(mt_index_db(index));

	mt_index_fail(index, status, err, "query \"%s\"", text);
	if (err != NULL && err->kind == MT_ESOFTWARE &&
	    (status == NOTMUCH_STATUS_BAD_QUERY_SYNTAX ||
	    (why != NULL && g_str_has_prefix(why, parser))))
		if (err != NULL)
			err->kind = MT_EUSAGE;
	return -1;
}

/* The accessors of libnotmuch give nothing, or less, where they caught an exception. */
static int
check_exception(struct mt_index *index, struct mt_err *err)
{
	const char *why = notmuch_database_status_string(mt_index_db(index));

	if (why == NULL || !g_str_has_prefix(why, "A Xapian exception occurred"))
		return 0;
	return mt_index_fail(index, NOTMUCH_STATUS_XAPIAN_EXCEPTION, err, "index of %s",
	    mt_index_root(index));
}

/* A copy for one line of a terminal, kept in `keep`. A Subject of 50 MB has been seen. */
static const char *
clean(GPtrArray *keep, const char *text)
{
	size_t n = text != NULL ? strnlen(text, MT_INDEX_MAX_TEXT + 1) : 0;
	char *copy = g_utf8_make_valid(text != NULL ? text : "",
	    (gssize)MIN(n, MT_INDEX_MAX_TEXT));

	if (n > MT_INDEX_MAX_TEXT) {
		char *whole = copy;

		copy = g_strconcat(whole, "...", NULL);
		g_free(whole);
	}
	mt_charset_clean_line(copy);
	g_ptr_array_add(keep, copy);
	return copy;
}

static const char *
join_tags(GPtrArray *keep, notmuch_tags_t *tags)
{
	GString *s = g_string_new(NULL);
	const char *text;

	for (; notmuch_tags_valid(tags); notmuch_tags_move_to_next(tags))
		g_string_append_printf(s, "%s%s", s->len > 0 ? " " : "",
		    notmuch_tags_get(tags));
	notmuch_tags_destroy(tags);
	text = clean(keep, s->str);
	g_string_free(s, TRUE);
	return text;
}

struct mt_index_results *
mt_index_search(struct mt_index *index, const struct mt_index_query *query,
    struct mt_err *err)
{
	mt_auto(mt_index_results) r = g_new0(struct mt_index_results, 1);
	int status;

	r->index = index;
	r->left = query->limit > 0 ? query->limit : UINT64_MAX;
	r->files = g_ptr_array_new_with_free_func(g_free);
	r->texts = g_ptr_array_new_with_free_func(g_free);
	r->query = make_search(index, query);
	status = notmuch_query_search_messages(r->query, &r->messages);
	if (status != NOTMUCH_STATUS_SUCCESS) {
		query_failed(index, status, query->text, err);
		return NULL;
	}
	return mt_steal(&r);
}

static void
fill_message(struct mt_index_results *r, struct mt_index_message *out)
{
	notmuch_message_t *m = r->message;
	notmuch_filenames_t *f = notmuch_message_get_filenames(m);

	for (; notmuch_filenames_valid(f); notmuch_filenames_move_to_next(f))
		g_ptr_array_add(r->files, g_strdup(notmuch_filenames_get(f)));
	notmuch_filenames_destroy(f);
	*out = (struct mt_index_message){
		.date = notmuch_message_get_date(m),
		.from = clean(r->texts, notmuch_message_get_header(m, "from")),
		.subject = clean(r->texts, notmuch_message_get_header(m, "subject")),
		.tags = join_tags(r->texts, notmuch_message_get_tags(m)),
		.id = notmuch_message_get_message_id(m),
		.thread = notmuch_message_get_thread_id(m),
		.files = r->files,
	};
}

int
mt_index_search_next(struct mt_index_results *r, struct mt_index_message *out,
    struct mt_err *err)
{
	if (r->message != NULL) {
		notmuch_message_destroy(r->message);
		r->message = NULL;
		notmuch_messages_move_to_next(r->messages);
	}
	g_ptr_array_set_size(r->files, 0);
	g_ptr_array_set_size(r->texts, 0);
	if (r->left == 0 || !notmuch_messages_valid(r->messages))
		return 0;
	r->left--;
	r->message = notmuch_messages_get(r->messages);
	if (r->message != NULL)
		fill_message(r, out);
	if (check_exception(r->index, err) < 0)
		return -1;
	if (r->message == NULL)
		return mt_fail(err, MT_ETEMP,
		    "the index changed while it was read; try again");
	return 1;
}

void
mt_index_results_free(struct mt_index_results *r)
{
	if (r == NULL)
		return;
	if (r->message != NULL)
		notmuch_message_destroy(r->message);
	if (r->messages != NULL)
		notmuch_messages_destroy(r->messages);
	notmuch_query_destroy(r->query);
	g_ptr_array_unref(r->files);
	g_ptr_array_unref(r->texts);
	g_free(r);
}

struct mt_index_threads *
mt_index_search_threads(struct mt_index *index, const struct mt_index_query *query,
    struct mt_err *err)
{
	mt_auto(mt_index_threads) t = g_new0(struct mt_index_threads, 1);
	int status;

	t->index = index;
	t->left = query->limit > 0 ? query->limit : UINT64_MAX;
	t->texts = g_ptr_array_new_with_free_func(g_free);
	t->query = make_search(index, query);
	status = notmuch_query_search_threads(t->query, &t->threads);
	if (status != NOTMUCH_STATUS_SUCCESS) {
		query_failed(index, status, query->text, err);
		return NULL;
	}
	return mt_steal(&t);
}

int
mt_index_threads_next(struct mt_index_threads *t, struct mt_index_thread *out,
    struct mt_err *err)
{
	if (t->thread != NULL) {
		notmuch_thread_destroy(t->thread);
		t->thread = NULL;
		notmuch_threads_move_to_next(t->threads);
	}
	g_ptr_array_set_size(t->texts, 0);
	if (t->left == 0 || !notmuch_threads_valid(t->threads))
		return 0;
	t->left--;
	t->thread = notmuch_threads_get(t->threads);
	if (check_exception(t->index, err) < 0)
		return -1;
	if (t->thread == NULL)
		return mt_fail(err, MT_ETEMP,
		    "the index changed while it was read; try again");
	*out = (struct mt_index_thread){
		.id = notmuch_thread_get_thread_id(t->thread),
		.newest = notmuch_thread_get_newest_date(t->thread),
		.matched = (unsigned)notmuch_thread_get_matched_messages(t->thread),
		.total = (unsigned)notmuch_thread_get_total_messages(t->thread),
		.authors = clean(t->texts, notmuch_thread_get_authors(t->thread)),
		.subject = clean(t->texts, notmuch_thread_get_subject(t->thread)),
		.tags = join_tags(t->texts, notmuch_thread_get_tags(t->thread)),
	};
	return 1;
}

void
mt_index_threads_free(struct mt_index_threads *t)
{
	if (t == NULL)
		return;
	if (t->thread != NULL)
		notmuch_thread_destroy(t->thread);
	if (t->threads != NULL)
		notmuch_threads_destroy(t->threads);
	notmuch_query_destroy(t->query);
	g_ptr_array_unref(t->texts);
	g_free(t);
}

static int
count(struct mt_index *index, const char *text,
    notmuch_status_t (*how)(notmuch_query_t *, unsigned *), uint64_t *out,
    struct mt_err *err)
{
	notmuch_query_t *q = make_query(index, text, NOTMUCH_SORT_UNSORTED);
	unsigned n = 0;
	int status;

	exclude_tags(index, q);
	status = how(q, &n);
	notmuch_query_destroy(q);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return query_failed(index, status, text, err);
	*out = n;
	return 0;
}

int
mt_index_count_messages(struct mt_index *index, const char *query, uint64_t *out,
    struct mt_err *err)
{
	return count(index, query, notmuch_query_count_messages, out, err);
}

int
mt_index_count_threads(struct mt_index *index, const char *query, uint64_t *out,
    struct mt_err *err)
{
	return count(index, query, notmuch_query_count_threads, out, err);
}
