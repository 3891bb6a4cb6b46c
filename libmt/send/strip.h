/* strip.h - take fields out of the header of a finished message, and nothing else */
#ifndef MT_SEND_STRIP_H
#define MT_SEND_STRIP_H

#include "base/buf.h"
#include "base/err.h"
#include "message/header.h"

/* Lists of names end with NULL. Who got a copy in secret (RFC 5322 3.6.3, 3.6.6). */
extern const char *const mt_strip_hidden[];

bool mt_strip_is_named(const struct mt_header_field *f, const char *const names[]);

/* Append the header block without the fields of these names; all other bytes stay. */
int mt_strip_append(struct mt_buf *out, struct mt_slice block, const char *const names[]);

/*
 * Behind a line of the header that is no field (a byte order mark, ">From ", text without
 * an empty line before it) nobody can say whether a field is one or text. MT_EDATA, with
 * that line, when one of these names stands behind such a line. A leading mbox "From "
 * line is none.
 */
int mt_strip_check(struct mt_slice block, const char *const names[], struct mt_err *err);

#endif
