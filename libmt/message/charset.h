/* charset.h - any bytes to UTF-8, and UTF-8 that cannot drive a terminal */
#ifndef MT_MESSAGE_CHARSET_H
#define MT_MESSAGE_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * Append text as valid UTF-8. charset is a name from a message (RFC 2046 4.1.2), or
 * NULL. Nobody declares it truly: no charset, US-ASCII, and names that we do not know
 * mean UTF-8 if it is that, else Windows-1252; ISO-8859-1 means Windows-1252. What a
 * charset does not have becomes U+FFFD, and so does NUL. False when out is full: then it
 * holds what fitted, whole characters only.
 */
bool mt_charset_to_utf8(struct mt_slice text, const char *charset, struct mt_buf *out);

/*
 * Characters that act instead of being seen: C0, C1, DEL, line and paragraph
 * separators, bidirectional embeddings, overrides and isolates (they can make a name
 * read as another).
 */
bool mt_charset_is_control(uint32_t c);

/* Valid UTF-8 with a space for each such character, in place: for one line of text. */
void mt_charset_clean_line(char *utf8);
/* The same for a text: LF and tab stay, CRs before an LF go, another CR becomes LF, the
   others are dropped. */
void mt_charset_clean_text(struct mt_buf *utf8);

#endif
