/* utf7.h - names of mailboxes on the wire: modified UTF-7 (RFC 3501 5.1.3) */
#ifndef MT_IMAP_UTF7_H
#define MT_IMAP_UTF7_H

#include "base/slice.h"

/*
 * The UTF-8 of a name, or NULL when it is no modified UTF-7: g_free. What a server should
 * have encoded and did not, 8-bit bytes that are UTF-8, stays as it is.
 */
char *mt_imap_utf7_decode(struct mt_slice name);
/* The other way. name is UTF-8; g_free. */
char *mt_imap_utf7_encode(const char *name);

#endif
