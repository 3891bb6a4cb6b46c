/* sasl.c - the server's side of SASL PLAIN and its base64, strict */
#include "net/sasl.h"

#include <glib.h>
#include <stdint.h>

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, the last pad of them '=': 3 - pad bytes. */
static bool
decode_group(const char *in, unsigned pad, struct mt_buf *out)
{
	uint32_t bits = 0;
	char bytes[3];
	bool fits;

	for (unsigned i = 0; i < 4; i++) {
		int v = i < 4 - pad ? value_of(in[i]) : 0;

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
	}
	if ((pad == 1 && (bits & 0xff) != 0) || (pad == 2 && (bits & 0xffff) != 0))
		return false;
	bytes[0] = (char)(bits >> 16);
	bytes[1] = (char)(bits >> 8 & 0xff);
	bytes[2] = (char)(bits & 0xff);
	fits = mt_buf_append(out, bytes, 3 - pad) == 0;
	explicit_bzero(bytes, sizeof(bytes));
	return fits;
}

bool
mt_sasl_base64_decode(struct mt_slice in, struct mt_buf *out)
{
	if (in.n % 4 != 0)
		return false;
	for (size_t i = 0; i < in.n; i += 4) {
		unsigned pad = 0;

		if (i + 4 == in.n && in.p[i + 3] == '=')
			pad = in.p[i + 2] == '=' ? 2 : 1;
		if (!decode_group(in.p + i, pad, out))
			return false;
	}
	return true;
}

static bool
is_utf8(struct mt_slice s)
{
	return s.n == 0 || g_utf8_validate_len(s.p, s.n, NULL);
}

/* message = [authzid] UTF8NUL authcid UTF8NUL passwd */
bool
mt_sasl_plain(struct mt_slice message, struct mt_slice *user, struct mt_slice *secret)
{
	struct mt_slice authzid, authcid;

	if (!mt_slice_take_until(&message, '\0', &authzid) ||
	    !mt_slice_take_until(&message, '\0', &authcid))
		return false;
	if (authcid.n == 0 || message.n == 0 ||
	    mt_slice_find(message, '\0') != message.n)
		return false;
	if (!is_utf8(authcid) || !is_utf8(message))
		return false;
	if (authzid.n > 0 && !mt_slice_eq(authzid, authcid))
		return false;
	*user = authcid;
	*secret = message;
	return true;
}
