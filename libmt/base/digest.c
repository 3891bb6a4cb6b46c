/* digest.c - SHA-256 over a stream of bytes, by OpenSSL */
#include "base/digest.h"

#include <glib.h>
#include <openssl/evp.h>

struct mt_digest {
	EVP_MD_CTX *ctx;
};

/* SHA-256 cannot fail but for memory or a broken OpenSSL: our own bugs abort. */
static void
must(int ok)
{
	if (ok != 1)
		g_error("OpenSSL: SHA-256 failed");
}

struct mt_digest *
mt_digest_new(void)
{
	struct mt_digest *d = g_new0(struct mt_digest, 1);

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
	return d;
}

void
mt_digest_free(struct mt_digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	g_free(d);
}

void
mt_digest_add(struct mt_digest *d, const void *p, size_t n)
{
	must(EVP_DigestUpdate(d->ctx, p, n));
}

void
mt_digest_end(struct mt_digest *d, uint8_t out[MT_DIGEST_SIZE])
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL));
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
}

void
mt_digest_sha256(const void *p, size_t n, uint8_t out[MT_DIGEST_SIZE])
{
	must(EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL));
}

void
mt_digest_hex(const uint8_t digest[MT_DIGEST_SIZE], char out[MT_DIGEST_HEX_SIZE])
{
	for (size_t i = 0; i < MT_DIGEST_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
