/* forgotten.h - words in a text that speak of an attachment */
#ifndef MT_SEND_FORGOTTEN_H
#define MT_SEND_FORGOTTEN_H

#include <stdbool.h>

#include "base/slice.h"

/* Where a text speaks of an attachment. */
struct mt_forgotten {
	char *word;	/* as a reader would write it, in lower case; g_free */
	size_t line;	/* from 1 */
};

/*
 * Find the first word that means an attachment (English, German, French, Spanish) in what
 * the author wrote: not in lines that are quoted, not below the signature's "-- " (RFC 3676
 * 4.3) or the line above a forwarded or an answered message, and not within an address of
 * the web or of mail. False when there is none; then *out is untouched. The text is UTF-8;
 * other bytes are part of no word.
 */
bool mt_forgotten_find(struct mt_slice text, struct mt_forgotten *out);

#endif
