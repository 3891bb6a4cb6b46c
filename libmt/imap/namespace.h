/* namespace.h - which mailboxes are one's own (RFC 2342, RFC 9051 6.3.10) */
#ifndef MT_IMAP_NAMESPACE_H
#define MT_IMAP_NAMESPACE_H

#include <glib.h>
#include <stdbool.h>

#include "imap/client.h"

enum mt_imap_owner { MT_IMAP_PERSONAL, MT_IMAP_OTHERS, MT_IMAP_SHARED };

struct mt_imap_namespace {
	enum mt_imap_owner owner;
	char *prefix;		/* UTF-8: "", "INBOX.", "Other Users/" */
	char delimiter;		/* '\0': there is no hierarchy */
};

/*
 * What the server says of them: (struct mt_imap_namespace) in a GArray that frees them, or NULL
 * when it is not what the standard says, or MT_MAX_IMAP_NAMESPACES are not enough.
 */
GArray *mt_imap_namespaces_parse(const struct mt_imap *s, struct mt_slice data);

/* Whose mailbox it is: the longest prefix counts. Without any (NULL) all are personal. */
enum mt_imap_owner mt_imap_namespaces_owner(const GArray *spaces, const char *name);

#endif
