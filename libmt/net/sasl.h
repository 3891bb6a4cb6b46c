/* sasl.h - the server's side of SASL PLAIN and its base64, strict */
#ifndef MT_NET_SASL_H
#define MT_NET_SASL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * Append what base64 (RFC 4648 4) says. Strict: padding is there, no other bytes, the
 * unused bits are zero. False otherwise or past the ceiling; out may then hold a part.
 */
bool mt_sasl_base64_decode(struct mt_slice in, struct mt_buf *out);

/*
 * Take a PLAIN message (RFC 4616 2), decoded, apart: [authzid] NUL authcid NUL passwd.
 * user and secret are slices into it, neither is empty and both are UTF-8. An authzid that
 * differs from the authcid is refused, since nobody may act for others here.
 */
bool mt_sasl_plain(struct mt_slice message, struct mt_slice *user,
    struct mt_slice *secret);

#endif
