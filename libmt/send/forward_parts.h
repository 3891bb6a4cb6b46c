/* forward_parts.h - what of a forwarded message is attached, and how */
#ifndef MT_SEND_FORWARD_PARTS_H
#define MT_SEND_FORWARD_PARTS_H

#include "base/err.h"
#include "message/mime.h"
#include "message/text.h"
#include "send/compose.h"

/*
 * Attach every part of m that its text does not show in full:
 *
 *	plain text		not, unless it has a file name, or was cut, or has characters
 *				that nobody could read
 *	HTML			always, when the text was made from it (layout and pictures
 *				are lost there), with the pictures that go with it
 *	what multipart/		when it says more than the text: more than one word in ten is
 *	alternative has too	not there
 *	multipart/signed,	whole: a signature is of the bytes as they stand, and what
 *	multipart/encrypted	is encrypted can be read by nobody here
 *	everything else		always
 *
 * A part stays as it stands, with its fields and its encoding. One that cannot travel so
 * (long lines, bare CRs, NULs, 8-bit fields) is encoded anew, and arrives with the
 * same bytes, type and name.
 */
int mt_forward_parts(struct mt_compose *c, const struct mt_mime *m,
    const struct mt_text *text, struct mt_err *err);

/* Attach the message in fd as message/rfc822, byte for byte, but without an mbox "From "
   line and without Bcc; as application/octet-stream where it cannot travel so
   (message/build.h). MT_EDATA as mt_strip_check(). */
int mt_forward_whole(struct mt_compose *c, int fd, struct mt_err *err);

#endif
