/* resume.h - a draft on its way again: the message that it becomes */
#ifndef MT_SEND_RESUME_H
#define MT_SEND_RESUME_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "send/compose.h"

/*
 * What a draft (draft.h: raw) is: a message as we and other programs keep one, or text as
 * an editor left it (edit.h), which names files that are not in it yet.
 */
bool mt_resume_is_text(int raw);

/*
 * The message to be sent, in a new descriptor: the draft without its Date, since that is
 * when it was begun, and without the fields that programs put into drafts (Status,
 * X-Status, X-Mozilla-..., Fcc, X-Mt-PGP: *wish is what that says (wish.h)). All else stays,
 * byte for byte, Bcc too: *bcc is what stands in it of that, LF behind each line, for the
 * sender's own copy.
 */
int mt_resume_read(int raw, struct mt_buf *bcc, struct mt_wish *wish, struct mt_err *err);

/*
 * A draft that is a message, as it is edited again: authors, recipients, subject, thread,
 * further fields and text; not Date and Message-ID, since it becomes a new message. What
 * else is in it is attached as it stands. MT_EDATA when its text cannot be edited as plain
 * text, or when an address in it is none.
 */
int mt_resume_fill(struct mt_compose *c, int raw, struct mt_err *err);

#endif
