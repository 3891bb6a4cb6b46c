/* draft.h - a finished message in a file without a name, before it is sent */
#ifndef MT_SEND_DRAFT_H
#define MT_SEND_DRAFT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * A message is whole before a connection is made: in a temporary file that has no name
 * (so a crash leaves nothing behind), of any size, in constant memory. These give
 * such a descriptor, or work on one; they do not depend on its offset.
 */

/* Copy everything that `in` gives until its end. MT_EDATA when that is nothing. */
int mt_draft_spool(int in, struct mt_err *err);

/*
 * Append the header block with the empty line behind it to *head (whose ceiling is
 * MT_MAX_HEADER): all of the message when there is no such line. MT_EDATA when it does
 * not fit.
 */
int mt_draft_header(int fd, struct mt_buf *head, struct mt_err *err);

/* Copy what stands from offset on to another descriptor. */
int mt_draft_append(int to, int from, uint64_t offset, struct mt_err *err);

/* Takes the next piece; 0, or -1 with an error, which ends the copy. */
typedef int mt_draft_writer(void *arg, const void *p, size_t n, struct mt_err *err);

/*
 * As the receiver gets it: CRLF behind every line, the last one too (RFC 5321 2.3.8);
 * without the dots that only the way needs (RFC 5321 4.5.2).
 */
int mt_draft_copy_crlf(int fd, mt_draft_writer *writer, void *arg, struct mt_err *err);
/* As a Maildir keeps it: LF behind every line. */
int mt_draft_copy_lf(int fd, mt_draft_writer *writer, void *arg, struct mt_err *err);

#endif
