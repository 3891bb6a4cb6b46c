/* pgp_key.h - the key that GnuPG means by a name: one only, and by its fingerprint */
#ifndef MT_MESSAGE_PGP_KEY_H
#define MT_MESSAGE_PGP_KEY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum mt_pgp_use { MT_PGP_SIGN, MT_PGP_ENCRYPT };

struct mt_pgp_key {
	char fpr[65];		/* of its primary key, in hexadecimal */
	bool is_vouched;	/* valid for who is named, marginally at least */
};

/*
 * Choose from a listing of GnuPG (--with-colons). With "<address>" only user ids with exactly
 * this address count, and their validity, not that of others on the same key: who
 * has one user id certified may add any other. With another name all keys count that are
 * listed. Of those that can be used, the most valid, and the newest of those, as gpg does it.
 * MT_ECONF when there is none, and why: revoked, expired, disabled, not for this use.
 */
int mt_pgp_key_choose(struct mt_slice listing, const char *name, enum mt_pgp_use use,
    struct mt_pgp_key *key, struct mt_err *err);

/*
 * The same, asking gpg; and whether its rules of trust (its trust-model) let it encrypt for
 * that name. Its own words go to standard error. MT_ECONF: as above, not trusted, or no gpg.
 */
int mt_pgp_key_find(const char *name, enum mt_pgp_use use, struct mt_pgp_key *key,
    struct mt_err *err);

#endif
