/* pgp.h - sign and encrypt a finished message with OpenPGP (PGP/MIME, RFC 3156) */
#ifndef MT_MESSAGE_PGP_H
#define MT_MESSAGE_PGP_H

#include <stdbool.h>

#include "base/err.h"

/* Keys are named as GnuPG does: a fingerprint, or "<address>", which is exact. */
struct mt_pgp {
	const char *signer;		/* NULL: it is not signed */
	const char *const *readers;	/* ends with NULL; NULL: it is not encrypted */
	bool hides_readers;		/* the ids of their keys are left out */
};

/*
 * The message in fd, with its body signed (multipart/signed), encrypted (multipart/
 * encrypted), or both, in a new temporary file, with LF line ends, in constant memory. The
 * fields of its header stay, but those of the body (Content-...). The body must be 7 bits
 * without blanks at line ends when it is signed (RFC 3156 3, 5), as build.h's only_7bit and
 * seven.h make it: 8-bit bytes are MT_EDATA.
 *
 * It is GnuPG that does it, by its own configuration, agent and rules of trust. MT_ECONF when
 * it refuses, with its words: no such key, one that has expired or is not trusted, a
 * passphrase that is wrong or cannot be asked for; or when there is no GnuPG.
 */
int mt_pgp_write(int fd, const struct mt_pgp *p, struct mt_err *err);

#endif
