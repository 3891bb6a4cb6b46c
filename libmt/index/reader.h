/* reader.h - read the index in a child, whose death is not ours */
#ifndef MT_INDEX_READER_H
#define MT_INDEX_READER_H

#include "base/err.h"

/*
 * What is to be read: opens the index, prints what it finds to standard output, and
 * closes the index. 0, or -1 with an error; then what it printed is dropped.
 */
typedef int mt_index_reader(void *arg, struct mt_err *err);

/*
 * Let a forked child run the reader. Returns a file in memory that holds all that it
 * printed, at its start; close it.
 *
 * libnotmuch ends its process, by an exception that it does not catch or without a word, when
 * another program writes to the database meanwhile or when the database is damaged. Unless
 * it says that it is damaged, another child begins anew, as after an MT_ETEMP of the reader.
 * The fifth's error is returned: MT_ETEMP when the database was seen to change, else
 * MT_ESOFTWARE.
 */
int mt_index_read(mt_index_reader *reader, void *arg, struct mt_err *err);

#endif
