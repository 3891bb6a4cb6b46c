/* sync_flags.h - flags of a message, on the server and in a Maildir name */
#ifndef MT_FETCH_SYNC_FLAGS_H
#define MT_FETCH_SYNC_FLAGS_H

#include <glib.h>

#include "base/slice.h"
#include "maildir/name.h"

/* What both sides know: the system flags, and $Forwarded, which a Maildir calls P. */
enum {
	MT_SYNC_SEEN = 1,
	MT_SYNC_ANSWERED = 2,
	MT_SYNC_FLAGGED = 4,
	MT_SYNC_DELETED = 8,
	MT_SYNC_DRAFT = 16,
	MT_SYNC_FORWARDED = 32,
	MT_SYNC_ALL_FLAGS = 63,
};

/*
 * What stands in the parentheses behind FLAGS. \Recent is the server's own. *keywords are
 * the others, sorted, with a blank between; NULL: none.
 */
unsigned mt_sync_flags_of_imap(struct mt_slice list, const char **keywords);
/* The one copy of these keywords, which is never freed: equal pointers are equal keywords. NULL
   when there is no room for more (MT_MAX_IMAP_KEYWORDS): they are left out. */
const char *mt_sync_keywords(const char *text);
/* "\Seen $Forwarded", for STORE and APPEND. */
void mt_sync_flags_to_imap(unsigned flags, GString *out);

/* Behind ":2,". Other letters, a Maildir's own, are no flags here. */
unsigned mt_sync_flags_of_maildir(struct mt_slice letters);
/* The letters for these flags; those of `old` that we do not know stay. */
void mt_sync_flags_to_maildir(unsigned flags, struct mt_slice old,
    char out[MT_MAILDIR_FLAGS_SIZE]);

/* Both sides changed base: what is set or cleared on one side is so on both. */
static inline unsigned
mt_sync_flags_merge(unsigned base, unsigned one, unsigned other)
{
	return (base & one & other) | (~base & (one | other));
}

#endif
