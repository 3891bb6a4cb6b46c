/* tls.h - the server's side of TLS: certificate, key and the rules, over OpenSSL */
#ifndef MT_NET_TLS_H
#define MT_NET_TLS_H

#include "base/auto.h"
#include "base/err.h"
#include "base/slice.h"

struct mt_tls;

/*
 * TLS 1.2 and up, no compression, no renegotiation, no session tickets. chain and
 * key are PEM text, so that a process which may not open files can be given them.
 * MT_ECONF when they do not parse or do not belong together.
 */
struct mt_tls *mt_tls_new(struct mt_slice chain, struct mt_slice key, struct mt_err *err);
void mt_tls_free(struct mt_tls *tls);

MT_AUTO_DEFINE(mt_tls, mt_tls_free);

#endif
