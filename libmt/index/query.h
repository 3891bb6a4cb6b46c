/* query.h - search and count, in notmuch's query language */
#ifndef MT_INDEX_QUERY_H
#define MT_INDEX_QUERY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "index/db.h"

struct mt_index_query {
	const char *text;	/* notmuch-search-terms(7); "*" is everything */
	bool oldest_first;	/* else newest first */
	uint64_t limit;		/* so many at most; 0: all */
	bool with_excluded;	/* also what has one of search.exclude_tags */
};

/* Bytes of a sender or a subject that are given; of a longer one, "..." stands for the rest. */
#define MT_INDEX_MAX_TEXT ((size_t)2000)

/*
 * One message; borrowed until the next call. All text is UTF-8 for one line, without
 * control characters (mt_charset_clean_line()), but the id and the path are as they are.
 */
struct mt_index_message {
	int64_t date;
	const char *from;
	const char *subject;
	const char *tags;	/* split by single spaces, sorted */
	const char *id;		/* without brackets */
	const char *thread;
	GPtrArray *files;	/* absolute paths */
};

/* The messages that a query matches, one after the other. Messages that have one of
   search.exclude_tags are left out, unless the query asks for that tag, or for all. */
struct mt_index_results;

/* The index must live as long. MT_EUSAGE when the query cannot be parsed, MT_ETEMP when the
   index has changed since it was opened, MT_ESOFTWARE when libnotmuch fails. It may end
   the process, too: see mt_index_read(). */
struct mt_index_results *mt_index_search(struct mt_index *index,
    const struct mt_index_query *query, struct mt_err *err);
int mt_index_search_next(struct mt_index_results *r, struct mt_index_message *out,
    struct mt_err *err);
void mt_index_results_free(struct mt_index_results *r);

/* The same by threads. */
struct mt_index_thread {
	const char *id;
	int64_t newest;
	unsigned matched;	/* messages that the query matches, */
	unsigned total;		/* of so many in the thread */
	const char *authors;
	const char *subject;
	const char *tags;
};

struct mt_index_threads;

struct mt_index_threads *mt_index_search_threads(struct mt_index *index,
    const struct mt_index_query *query, struct mt_err *err);
int mt_index_threads_next(struct mt_index_threads *t, struct mt_index_thread *out,
    struct mt_err *err);
void mt_index_threads_free(struct mt_index_threads *t);

int mt_index_count_messages(struct mt_index *index, const char *query, uint64_t *out,
    struct mt_err *err);
int mt_index_count_threads(struct mt_index *index, const char *query, uint64_t *out,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_index_results, mt_index_results_free);
MT_AUTO_DEFINE(mt_index_threads, mt_index_threads_free);

#endif
