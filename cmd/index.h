/* index.h - what the files of mt-index share: the command line, and reading the index */
#ifndef MT_CMD_INDEX_H
#define MT_CMD_INDEX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "index/db.h"

/* What the command line says. */
struct ask {
	const char *config;
	const char *output;
	bool json;
	bool verbose;
	bool oldest_first;
	uint64_t limit;
	char end;
	GPtrArray *args;
	char *query;		/* all args, as notmuch takes them */
};

/* Reads the index in a child of its own, and prints what it finds there. */
typedef int index_finder(const struct ask *ask, struct mt_index *index,
    struct mt_err *err);

/* Let a child read the index, see mt_index_read(): a file that holds what find printed. */
int index_read(const struct ask *ask, index_finder *find, struct mt_err *err);

/* index_show.c: the verb; gives the exit status. */
int index_show(const struct ask *ask);

#endif
