/* ident.h - what makes two messages from a POP3 server the same one */
#ifndef MT_FETCH_IDENT_H
#define MT_FETCH_IDENT_H

#include "base/auto.h"
#include "base/digest.h"

/*
 * The SHA-256 of a message as it comes in, with LF at the ends of lines, but without the
 * header fields in which a server that keeps an mbox writes down what it did with the
 * message: Status, X-Status, X-UID, X-UIDL, X-Keywords, Content-Length. They change
 * from one session to the next.
 */
struct mt_fetch_ident;

struct mt_fetch_ident *mt_fetch_ident_new(void);
void mt_fetch_ident_free(struct mt_fetch_ident *i);
void mt_fetch_ident_add(struct mt_fetch_ident *i, const char *p, size_t n);
/* Write the digest; the object can then be used for the next message. Also to be called
   for a message that was given up. */
void mt_fetch_ident_end(struct mt_fetch_ident *i, uint8_t out[MT_DIGEST_SIZE]);

MT_AUTO_DEFINE(mt_fetch_ident, mt_fetch_ident_free);

#endif
