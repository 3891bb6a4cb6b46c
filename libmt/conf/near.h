/* near.h - which word did they mean? */
#ifndef MT_CONF_NEAR_H
#define MT_CONF_NEAR_H

#include <stddef.h>

/* Letters to change, add or drop between two words shorter than 64 bytes (Levenshtein);
   SIZE_MAX for longer ones. */
size_t mt_near_distance(const char *a, const char *b);

/* A word that is this far away, or farther, was not meant. */
#define MT_NEAR_FAR ((size_t)3)

#endif
