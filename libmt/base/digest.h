/* digest.h - SHA-256 over a stream of bytes */
#ifndef MT_BASE_DIGEST_H
#define MT_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define MT_DIGEST_SIZE 32
#define MT_DIGEST_HEX_SIZE (MT_DIGEST_SIZE * 2 + 1)

struct mt_digest;

struct mt_digest *mt_digest_new(void);
void mt_digest_free(struct mt_digest *d);
void mt_digest_add(struct mt_digest *d, const void *p, size_t n);
/* Write the digest; the object can then be used for the next stream. */
void mt_digest_end(struct mt_digest *d, uint8_t out[MT_DIGEST_SIZE]);

/* All at once. */
void mt_digest_sha256(const void *p, size_t n, uint8_t out[MT_DIGEST_SIZE]);
/* Lower-case hex with a NUL. */
void mt_digest_hex(const uint8_t digest[MT_DIGEST_SIZE], char out[MT_DIGEST_HEX_SIZE]);

MT_AUTO_DEFINE(mt_digest, mt_digest_free);

#endif
