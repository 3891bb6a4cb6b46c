/* utf7.c - names of mailboxes on the wire: modified UTF-7 (RFC 3501 5.1.3) */
#include "imap/utf7.h"

#include <glib.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int
value_of(char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* Between "&" and "-": base64 of UTF-16, big-endian. Strict: no half characters, nothing
   that could stand for itself, so that a name has one form only. */
static bool
decode_run(struct mt_slice run, GString *out)
{
	uint32_t bits = 0, n = 0, high = 0;

	for (size_t i = 0; i < run.n; i++) {
		int v = value_of(run.p[i]);
		uint32_t unit;

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		unit = bits >> n & 0xffff;
		if (high != 0) {
			if (unit < 0xdc00 || unit > 0xdfff)
				return false;
			unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
			high = 0;
		} else if (unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
			continue;
		}
		if ((unit >= ' ' && unit < 0x7f) || unit == 0 ||
		    (unit >= 0xdc00 && unit <= 0xdfff))
			return false;
		g_string_append_unichar(out, unit);
	}
	return high == 0 && n < 6 && (bits & ((1U << n) - 1)) == 0;
}

char *
mt_imap_utf7_decode(struct mt_slice name)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct mt_slice run;

	while (name.n > 0) {
		char c = name.p[0];

		name = mt_slice_from(name, 1);
		if (c == '\0')
			return NULL;
		if (c != '&') {
			g_string_append_c(out, c);
			continue;
		}
		if (!mt_slice_take_until(&name, '-', &run))
			return NULL;
		if (run.n == 0)
			g_string_append_c(out, '&');
		else if (!decode_run(run, out))
			return NULL;
	}
	if (!g_utf8_validate(out->str, (gssize)out->len, NULL))
		return NULL;
	return g_strndup(out->str, out->len);
}

static void
encode_run(const char *from, const char *to, GString *out)
{
	uint32_t bits = 0, n = 0;

	g_string_append_c(out, '&');
	for (; from < to; from = g_utf8_next_char(from)) {
		uint32_t c = g_utf8_get_char(from);
		uint32_t units[2] = { c, 0 };
		size_t count = 1;

		if (c >= 0x10000) {
			units[0] = 0xd800 + ((c - 0x10000) >> 10);
			units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
			count = 2;
		}
		for (size_t i = 0; i < count; i++) {
			bits = bits << 16 | units[i];
			for (n += 16; n >= 6; n -= 6)
				g_string_append_c(out, alphabet[bits >> (n - 6) & 63]);
		}
	}
	if (n > 0)
		g_string_append_c(out, alphabet[bits << (6 - n) & 63]);
	g_string_append_c(out, '-');
}

char *
mt_imap_utf7_encode(const char *name)
{
	GString *out = g_string_new(NULL);

	while (*name != '\0') {
		const char *from = name;

		if (*name == '&') {
			g_string_append(out, "&-");
			name++;
		} else if (*name >= ' ' && *name < 0x7f) {
			g_string_append_c(out, *name++);
		} else {
			while (*name != '\0' && !(*name >= ' ' && *name < 0x7f))
				name = g_utf8_next_char(name);
			encode_run(from, name, out);
		}
	}
	return g_string_free(out, FALSE);
}
