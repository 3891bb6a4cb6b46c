/* body.h - the body of a new message: text, HTML, pictures, attachments (RFC 2046) */
#ifndef MT_MESSAGE_BODY_H
#define MT_MESSAGE_BODY_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "message/build.h"
#include "message/encode.h"

struct mt_body;

/* Open every attachment and look at all content, so that nothing of it is in the way when
   the writing begins. Errors are those of mt_build_write(); b has to stay. */
struct mt_body *mt_body_open(const struct mt_build *b, struct mt_err *err);
void mt_body_free(struct mt_body *w);

/* Write the header, to which Content-Type and the like are added, and the body. */
int mt_body_write(struct mt_body *w, struct mt_buf *head, struct mt_encode_out *out,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_body, mt_body_free);

#endif
