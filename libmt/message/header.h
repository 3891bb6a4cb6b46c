/* header.h - our own scanner of header blocks (RFC 5322 2.2), fast and bounded */
#ifndef MT_MESSAGE_HEADER_H
#define MT_MESSAGE_HEADER_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * The header block of a message that lies in memory, LF or CRLF: up to and with the
 * empty line that ends it. A message without that line is all header. A leading mbox
 * "From " line is passed over by the iterator.
 */
struct mt_slice mt_header_block(struct mt_slice message);

struct mt_header_field {
	struct mt_slice name;	/* without the colon and blanks before it */
	struct mt_slice raw;	/* behind the colon, with folds, without the last line end */
	struct mt_slice whole;	/* name, colon, raw and line end: as it stands */
};

/*
 * Take the next field off the front of a block: true, or false at the empty line or the
 * end.
 * A line that is no field (no colon, bytes that no name has) is passed over.
 */
bool mt_header_next(struct mt_slice *block, struct mt_header_field *f);

/* Whether the block begins with a field, behind an mbox "From " line if there is one: what
   does not is some other file. */
bool mt_header_is_message(struct mt_slice block);

/* The first field of that name (ASCII case-insensitive); false when there is none. */
bool mt_header_find(struct mt_slice block, const char *name, struct mt_header_field *f);

/*
 * The unfolded value (RFC 5322 2.2.3), trimmed, at most MT_MAX_FIELD bytes (the rest is
 * dropped); NUL becomes U+FFFD. g_free. NULL when there is no such field.
 */
char *mt_header_value(struct mt_slice block, const char *name);
char *mt_header_unfold(struct mt_slice raw);

/*
 * As mt_header_value(), with encoded words (RFC 2047) decoded and undeclared 8-bit
 * text made UTF-8 (as UTF-8, else Windows-1252). Control characters become spaces, so
 * it can be printed on a terminal. g_free.
 */
char *mt_header_text(struct mt_slice block, const char *name);
char *mt_header_decode(struct mt_slice raw);

#endif
