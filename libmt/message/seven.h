/* seven.h - a message without 8-bit bytes, for a peer without 8BITMIME (RFC 6152 3) */
#ifndef MT_MESSAGE_SEVEN_H
#define MT_MESSAGE_SEVEN_H

#include "base/err.h"

/*
 * The message in fd with every part that is not 7bit in quoted-printable or base64:
 * another temporary file. Nobody sees a difference but who checks a signature: so only
 * for messages that we wrote. An attached message with 8-bit bytes stays byte for byte, as
 * application/octet-stream. Header fields stay. MT_EDATA when it is no message, or
 * one that kills the child that reads what mt_prescan_fd() does not find plain.
 */
int mt_seven_write(int fd, struct mt_err *err);

/*
 * The same for what is to be signed: parts with a blank at the end of a line, or with a line
 * that begins with "From ", too, since there are ways that change such lines (RFC 3156 3, 5);
 * but not what somebody else signed.
 */
int mt_seven_write_firm(int fd, struct mt_err *err);

#endif
