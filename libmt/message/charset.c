/* charset.c - any bytes to UTF-8, and UTF-8 that cannot drive a terminal */
#include "message/charset.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>

/* Names that mail uses and iconv(3) does not know, or that say less than is meant. */
static const struct {
	const char *name;
	const char *iconv;
} aliases[] = {
	{ "iso-8859-1", "windows-1252" },
	{ "latin1", "windows-1252" },
	{ "iso8859-1", "windows-1252" },
	{ "iso_8859-1", "windows-1252" },
	{ "iso-8859-8-i", "iso-8859-8" },
	{ "iso-8859-9", "windows-1254" },
	{ "tis-620", "windows-874" },
	{ "ks_c_5601-1987", "cp949" },
	{ "ks_c_5601-1989", "cp949" },
	{ "euc-kr", "cp949" },
	{ "gb2312", "gb18030" },
	{ "gbk", "gb18030" },
	{ "x-gbk", "gb18030" },
	{ "shift_jis", "cp932" },
	{ "shift-jis", "cp932" },
	{ "x-sjis", "cp932" },
	{ "utf8", "utf-8" },
	{ "unicode-1-1-utf-8", "utf-8" },
	{ "unicode-1-1-utf-7", "utf-7" },
	{ "x-mac-roman", "macintosh" },
	{ "cp-850", "cp850" },
};

/* 0x80 to 0x9f of Windows-1252; 0 where it has no character. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

static bool
append_unichar(struct mt_buf *out, gunichar c)
{
	char utf8[6];
	int n = g_unichar_to_utf8(c == 0 ? 0xfffd : c, utf8);

	return mt_buf_append(out, utf8, (size_t)n) == 0;
}

/* Append n bytes of valid UTF-8, or as many of its characters as there is room for. */
static bool
append_valid(struct mt_buf *out, const char *p, size_t n)
{
	size_t room = out->max - out->n;

	if (n <= room)
		return mt_buf_append(out, p, n) == 0;
	while (room > 0 && ((unsigned char)p[room] & 0xc0) == 0x80)
		room--;
	mt_buf_append(out, p, room);
	return false;
}

/* The longest valid piece, then U+FFFD for one byte that is not, and so on. */
static bool
from_utf8(struct mt_slice s, struct mt_buf *out)
{
	while (s.n > 0) {
		const char *end;

		g_utf8_validate_len(s.p, s.n, &end);
		if (!append_valid(out, s.p, (size_t)(end - s.p)))
			return false;
		s = mt_slice_from(s, (size_t)(end - s.p));
		if (s.n == 0)
			break;
		if (!append_unichar(out, 0xfffd))
			return false;
		s = mt_slice_from(s, 1);
	}
	return true;
}

static bool
from_windows_1252(struct mt_slice s, struct mt_buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 1 && c < 0x80) {
			if (mt_buf_append_char(out, s.p[i]) < 0)
				return false;
		} else if (!append_unichar(out, c >= 0x80 && c < 0xa0 ?
		    windows_1252[c - 0x80] : c)) {
			return false;
		}
	}
	return true;
}

static bool
guess(struct mt_slice s, struct mt_buf *out)
{
	g_autofree char *no_nul = NULL;

	/* A NUL is no reason to doubt that the rest is UTF-8. */
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) {
		no_nul = mt_slice_dup(s);
		for (size_t i = 0; i < s.n; i++) {
			if (no_nul[i] == '\0')
				no_nul[i] = ' ';
		}
	}
	if (g_utf8_validate_len(no_nul != NULL ? no_nul : s.p, s.n, NULL))
		return from_utf8(s, out);
	return from_windows_1252(s, out);
}

/* Take one piece through iconv: false when out is full. */
static bool
from_iconv(GIConv cd, struct mt_slice s, struct mt_buf *out)
{
	char piece[4096];
	char *in = (char *)(uintptr_t)s.p;
	size_t left = s.n;

	for (;;) {
		char *to = piece;
		size_t room = sizeof(piece);
		bool end = left == 0;
		size_t rc = g_iconv(cd, end ? NULL : &in, end ? NULL : &left, &to, &room);
		int why = errno;

		if (!from_utf8(mt_slice_mem(piece, sizeof(piece) - room), out))
			return false;
		if (rc != (size_t)-1) {
			if (end)
				return true;
			continue;
		}
		if (why == E2BIG)
			continue;
		/* EILSEQ, or EINVAL: a character that the end cuts. */
		if (left == 0)
			return true;
		if (!append_unichar(out, 0xfffd))
			return false;
		in++;
		left--;
	}
}

/* A charset's name goes to iconv_open(3) only when it is a plain word, and no path. */
static bool
is_charset_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < 40 && strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+") == n;
}

bool
mt_charset_to_utf8(struct mt_slice text, const char *charset, struct mt_buf *out)
{
	GIConv cd;
	bool fits;

	if (charset == NULL || !is_charset_name(charset))
		return guess(text, out);
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (g_ascii_strcasecmp(charset, aliases[i].name) == 0)
			charset = aliases[i].iconv;
	}
	if (g_ascii_strcasecmp(charset, "utf-8") == 0)
		return from_utf8(text, out);
	if (g_ascii_strcasecmp(charset, "windows-1252") == 0)
		return from_windows_1252(text, out);
	if (g_ascii_strcasecmp(charset, "us-ascii") == 0)
		return guess(text, out);
	cd = g_iconv_open("UTF-8", charset);
	if (cd == (GIConv)-1)
		return guess(text, out);
	fits = from_iconv(cd, text, out);
	g_iconv_close(cd);
	return fits;
}

bool
mt_charset_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void
mt_charset_clean_line(char *utf8)
{
	struct mt_slice rest = mt_slice_str(utf8), bytes;
	char *to = utf8;
	uint32_t c;

	while (mt_slice_take_utf8(&rest, &bytes, &c)) {
		if (c == MT_SLICE_NO_CHAR || mt_charset_is_control(c)) {
			*to++ = ' ';
		} else {
			memmove(to, bytes.p, bytes.n);
			to += bytes.n;
		}
	}
	*to = '\0';
}

void
mt_charset_clean_text(struct mt_buf *utf8)
{
	struct mt_slice rest = mt_buf_slice(utf8), bytes;
	char *to = utf8->p;
	uint32_t c;

	if (utf8->n == 0)
		return;
	while (mt_slice_take_utf8(&rest, &bytes, &c)) {
		if (c == MT_SLICE_NO_CHAR) {
			*to++ = ' ';
		} else if (c == '\r') {
			size_t n = 1;

			while (mt_slice_take_char(&rest, '\r'))
				n++;
			if (rest.n == 0 || rest.p[0] != '\n') {
				memset(to, '\n', n);
				to += n;
			}
		} else if (c == '\n' || c == '\t' || !mt_charset_is_control(c)) {
			memmove(to, bytes.p, bytes.n);
			to += bytes.n;
		}
	}
	*to = '\0';
	utf8->n = (size_t)(to - utf8->p);
}
