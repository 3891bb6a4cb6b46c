/* field.h - write header fields: folding, encoded words, parameters (RFC 5322 2.2.3) */
#ifndef MT_MESSAGE_FIELD_H
#define MT_MESSAGE_FIELD_H

#include "base/buf.h"
#include "base/err.h"
#include "message/addr.h"

/*
 * Each appends one whole field, "Name: value" LF, folded at blanks before column 78
 * where it can be. CR and LF in a value, and a name that is none, are MT_EUSAGE, which
 * names the field: nothing from outside can begin a field of its own. -1 also when
 * the buffer is full (MT_EDATA).
 */

/* Text that people read: what is not ASCII goes in encoded words (RFC 2047). Invalid
   UTF-8 is taken as Windows-1252. */
int mt_field_text(struct mt_buf *out, const char *name, const char *text,
    struct mt_err *err);
/* Tokens that must stay as they are (ids, a date, Received): folded, never encoded. */
int mt_field_tokens(struct mt_buf *out, const char *name, const char *value,
    struct mt_err *err);
/* Addresses with a comma between them. An empty list writes no field. */
int mt_field_addrs(struct mt_buf *out, const char *name, const struct mt_addr_list *list,
    struct mt_err *err);

/*
 * "; name=value": as a token, a quoted string that needs no backslash, or by RFC 2231 (in
 * UTF-8, in pieces when it is long). Begins a new line where it must; the caller writes
 * the value before it and the LF behind it.
 */
int mt_field_param(struct mt_buf *out, const char *name, const char *value,
    struct mt_err *err);

#endif
