/* forward.h - begin a message that hands another one on: its text, and all its parts */
#ifndef MT_SEND_FORWARD_H
#define MT_SEND_FORWARD_H

#include <stdbool.h>

#include "base/err.h"
#include "send/compose.h"

/*
 * Fill what forwards the message in fd (seekable, not to be changed) into c: Subject unless
 * c has one, References, and behind what c's body already holds the message. It is in the
 * thread of that, but answers to nobody: no In-Reply-To.
 *
 * Inline: From, Date, Subject, To and Cc, and the text as a person reads it; attached is
 * every part that this does not show in full (forward_parts.h). Whole, as
 * message/rfc822 and byte for byte, goes what cannot be shown (encrypted, hostile, too long,
 * broken): *why then says so, g_free; NULL otherwise.
 *
 * MT_EDATA: it is no message.
 */
int mt_forward_inline(struct mt_compose *c, int fd, char **why, struct mt_err *err);
/* The same, with the message attached whole. */
int mt_forward_attached(struct mt_compose *c, int fd, struct mt_err *err);

/* "Fwd: " and the subject, without the Fwd:, Fw:, WG: in front. g_free. */
char *mt_forward_subject(const char *subject);

#endif
