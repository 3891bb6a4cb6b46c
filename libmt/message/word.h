/* word.h - words of header fields, encoded (RFC 2047) or quoted (RFC 5322 3.2.4) */
#ifndef MT_MESSAGE_WORD_H
#define MT_MESSAGE_WORD_H

#include <glib.h>
#include <stdbool.h>

#include "base/slice.h"

/*
 * Decode the encoded words in unfolded text; what is not one is made UTF-8 as
 * mt_charset_to_utf8() does. Lax as real mail needs it: words that touch other text,
 * blanks in a word, a character that is split over two words. Controls become spaces.
 * g_free.
 */
char *mt_word_decode(struct mt_slice text);

/*
 * Text as encoded words (UTF-8, Q or B, whichever is shorter), with a space between them.
 * Each has at most 75 bytes and whole characters; the first one, which stands at a column
 * of its line (below 40), stays within 76 (RFC 2047 2, 5). g_free.
 */
char *mt_word_encode(struct mt_slice utf8, size_t column);

/* Whether text can stand in a field unencoded: printable ASCII and tabs, nothing in it
   that reads as an encoded word, no word too long to fold. */
bool mt_word_is_plain(struct mt_slice text);

/* Append a quoted-string of printable ASCII or UTF-8 (RFC 5322 3.2.4, RFC 6532 3.2). */
void mt_word_append_quoted(GString *out, const char *s);

#endif
