/* edit.h - a message as text for an editor: its fields, an empty line, what it says */
#ifndef MT_SEND_EDIT_H
#define MT_SEND_EDIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"
#include "send/compose.h"

/* The text for the editor, with its fields. */
#define MT_EDIT_MAX (MT_COMPOSE_BODY_MAX + MT_MAX_HEADER)

/*
 * Append what a person edits: From, To, Cc, Bcc and Subject, also where they are empty;
 * In-Reply-To of an answer; X-Mt-PGP (wish.h); further fields; "Attach: FILE[:TYPE]" for
 * each file; an empty line; the text. In UTF-8, nothing encoded.
 */
int mt_edit_write(const struct mt_compose *c, struct mt_buf *out, struct mt_err *err);

/*
 * Take it back: what the text says takes the place of what c had. An answer whose
 * In-Reply-To is gone is none any more. Attachments that are no files stay. A line that
 * begins with a blank goes on with the one before; the first empty line ends the fields.
 * MT_EDATA for what is no field, with its line, and MT_EUSAGE as the functions of compose.h
 * say; after an error c can only be filled again, or freed.
 */
int mt_edit_read(struct mt_compose *c, struct mt_slice text, struct mt_err *err);

#endif
