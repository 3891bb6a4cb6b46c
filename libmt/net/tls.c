/* tls.c - the server's side of TLS: certificate, key and the rules, over OpenSSL */
#include "net/tls.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/conn_io.h"
#include "net/tls_io.h"

struct mt_tls {
	SSL_CTX *ctx;
};

const char *
mt_tls_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		text = g_strerror(ERR_GET_REASON(code));
	ERR_clear_error();
	return text != NULL ? text : "no reason given";
}

/* An encrypted key must fail, not ask on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

/* The first certificate is the server's own, the others lead to its authority. */
static int
load_chain(SSL_CTX *ctx, struct mt_slice chain, struct mt_err *err)
{
	BIO *bio = BIO_new_mem_buf(chain.p, (int)MIN(chain.n, G_MAXINT));
	X509 *x;
	size_t n = 0;
	bool ok = true;

	while (ok && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		if (n++ == 0)
			ok = SSL_CTX_use_certificate(ctx, x) == 1;
		else
			ok = SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	if (!ok)
		return mt_fail(err, MT_ECONF, "certificate %zu: %s", n, mt_tls_reason());
	/* The end of the text is "no start line"; anything else is a damaged block. */
	if (n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return mt_fail(err, MT_ECONF, "certificate %zu cannot be read: %s", n + 1,
		    mt_tls_reason());
	ERR_clear_error();
	return 0;
}

static int
load_key(SSL_CTX *ctx, struct mt_slice key, struct mt_err *err)
{
	BIO *bio = BIO_new_mem_buf(key.p, (int)MIN(key.n, G_MAXINT));
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	bool ok;

	BIO_free(bio);
	if (pkey == NULL)
		return mt_fail(err, MT_ECONF, "private key cannot be read: %s",
		    mt_tls_reason());
	ok = SSL_CTX_use_PrivateKey(ctx, pkey) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(pkey);
	if (!ok)
		return mt_fail(err, MT_ECONF,
		    "private key does not belong to the certificate: %s", mt_tls_reason());
	return 0;
}

struct mt_tls *
mt_tls_new(struct mt_slice chain, struct mt_slice key, struct mt_err *err)
{
	mt_auto(mt_tls) tls = g_new0(struct mt_tls, 1);

	ERR_clear_error();
	tls->ctx = SSL_CTX_new(TLS_server_method());
	if (tls->ctx == NULL)
		return mt_fail_null(err, MT_ESOFTWARE, "OpenSSL: %s", mt_tls_reason());
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(tls->ctx, 0);
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (load_chain(tls->ctx, chain, err) < 0 || load_key(tls->ctx, key, err) < 0)
		return NULL;
	return mt_steal(&tls);
}

void
mt_tls_free(struct mt_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	g_free(tls);
}

SSL *
mt_tls_session(struct mt_tls *tls)
{
	return SSL_new(tls->ctx);
}
