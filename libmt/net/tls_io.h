/* tls_io.h - inside net/: what conn_tls.c needs of a struct mt_tls */
#ifndef MT_NET_TLS_IO_H
#define MT_NET_TLS_IO_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* A new session of this server, not connected to anything; SSL_free. NULL: no memory. */
SSL *mt_tls_session(struct mt_tls *tls);

#endif
