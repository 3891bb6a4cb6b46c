/* digest.c - SHA-256 against FIPS 180-4's examples */
#include "base/digest.h"

#include "tap.h"

int
main(void)
{
	uint8_t d[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	mt_auto(mt_digest) s = mt_digest_new();

	mt_digest_sha256("abc", 3, d);
	mt_digest_hex(d, hex);
	is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
	for (int round = 0; round < 2; round++) {
		mt_digest_add(s, "a", 1);
		mt_digest_add(s, "bc", 2);
		mt_digest_end(s, d);
		mt_digest_hex(d, hex);
		is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		    "in pieces, and again");
	}
	mt_digest_sha256("", 0, d);
	mt_digest_hex(d, hex);
	is_str(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "nothing");
	return tap_done();
}
