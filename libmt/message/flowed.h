/* flowed.h - text that its reader may wrap anew: format=flowed (RFC 3676) */
#ifndef MT_MESSAGE_FLOWED_H
#define MT_MESSAGE_FLOWED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * Append text as format=flowed, DelSp=no, in lines that end in LF. A line of the text is a
 * paragraph; one that ends in a space goes on in the next, as editors for such text write
 * it, unless that is empty, is quoted or is the signature's "-- ". What is wider than 78
 * columns is broken at blanks before column 72. Quote marks are written without blanks
 * between, and blanks at the end of a paragraph go. A reader gets the paragraphs as they
 * were. -1 when out is full.
 */
int mt_flowed_write(struct mt_slice text, struct mt_buf *out);
/* The same for text of others, in which a space at the end of a line means nothing. */
int mt_flowed_write_lines(struct mt_slice text, struct mt_buf *out);

/*
 * Append what was format=flowed as text in lines (RFC 3676 4): paragraphs are put together,
 * and those wider than 78 columns wrapped anew before column 72, each line with its quote
 * marks, ">> " (RFC 3676 4.5). -1 when out is full.
 */
int mt_flowed_read(struct mt_slice text, bool delsp, struct mt_buf *out);

#endif
