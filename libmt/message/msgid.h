/* msgid.h - message ids (RFC 5322 3.6.4): make new ones, read lists of them */
#ifndef MT_MESSAGE_MSGID_H
#define MT_MESSAGE_MSGID_H

#include "base/slice.h"

/*
 * "<TIME.RANDOM@domain>": the time in microseconds and 64 random bits, so it is unique
 * without asking anybody. domain NULL, or one that an id cannot hold: the host's name.
 * With its brackets; g_free.
 */
char *mt_msgid_new(const char *domain);

/*
 * The ids in a References, In-Reply-To or Message-ID field, in their order, each once,
 * with brackets: comments, words and broken ids are passed over. The text is that of the
 * field with its folds; an id is at most MT_MSGID_MAX bytes of printable ASCII, and one
 * with a blank in it is broken. Of more than MT_MAX_REFERENCES the first and the last
 * ones are given. NULL-terminated; g_strfreev.
 */
#define MT_MSGID_MAX 900
char **mt_msgid_parse(struct mt_slice text);

/* The first id, or NULL. g_free. */
char *mt_msgid_parse_one(struct mt_slice text);

#endif
