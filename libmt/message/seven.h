/* seven.h - a message without 8-bit bytes, for a peer without 8BITMIME (RFC 6152 3) */
#ifndef MT_MESSAGE_SEVEN_H
#define MT_MESSAGE_SEVEN_H

#include "base/err.h"

/*
 * The message in fd with every part that is not 7bit in quoted-printable or base64:
 * another temporary file. Nobody sees a difference but who checks a signature: so only
 * for messages that we wrote. Header fields stay. MT_EDATA when it is no message.
 */
int mt_seven_write(int fd, struct mt_err *err);

#endif
