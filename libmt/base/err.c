/* err.c - the one error type */
#include "base/err.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "base/slice.h"

static const struct {
	const char *word;
	int exit;
} kinds[] = {
	[MT_ENONE] = { "none", EX_OK },
	[MT_EUSAGE] = { "usage", EX_USAGE },
	[MT_EDATA] = { "data", EX_DATAERR },
	[MT_ENOINPUT] = { "noinput", EX_NOINPUT },
	[MT_ENOUSER] = { "nouser", EX_NOUSER },
	[MT_EUNAVAIL] = { "unavailable", EX_UNAVAILABLE },
	[MT_ESOFTWARE] = { "software", EX_SOFTWARE },
	[MT_EIO] = { "io", EX_IOERR },
	[MT_ETEMP] = { "temp", EX_TEMPFAIL },
	[MT_EPROTO] = { "protocol", EX_PROTOCOL },
	[MT_EPERM] = { "permission", EX_NOPERM },
	[MT_ECONF] = { "config", EX_CONFIG },
};

/*
 * Copy text into dst[size] so that it is printable: control characters and invalid
 * UTF-8 become \xNN, and what does not fit is cut at a character.
 */
static void
copy_printable(char *dst, size_t size, const char *src)
{
	struct mt_slice rest = mt_slice_str(src), bytes;
	size_t n = 0;
	uint32_t c;

	while (mt_slice_take_utf8(&rest, &bytes, &c)) {
		bool ok = c != MT_SLICE_NO_CHAR && !g_unichar_iscntrl(c);

		if (n + (ok ? bytes.n : 4 * bytes.n) >= size)
			break;
		if (ok) {
			memcpy(dst + n, bytes.p, bytes.n);
			n += bytes.n;
			continue;
		}
		for (size_t i = 0; i < bytes.n; i++, n += 4)
			snprintf(dst + n, 5, "\\x%02x", (unsigned char)bytes.p[i]);
	}
	dst[n] = '\0';
}

int
mt_vfail(struct mt_err *err, enum mt_err_kind kind, const char *fmt, va_list ap)
{
	int saved = errno;
	char text[sizeof(err->msg) * 2];

	if (err == NULL)
		return -1;
	vsnprintf(text, sizeof(text), fmt, ap);
	err->kind = kind;
	err->dsn[0] = '\0';
	if ((saved == ENOSPC || saved == EDQUOT) && strstr(fmt, "%m") != NULL)
		g_strlcpy(err->dsn, "4.3.1", sizeof(err->dsn));
	copy_printable(err->msg, sizeof(err->msg), text);
	errno = saved;
	return -1;
}

int
mt_fail(struct mt_err *err, enum mt_err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

void *
mt_fail_null(struct mt_err *err, enum mt_err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(err, kind, fmt, ap);
	va_end(ap);
	return NULL;
}

int
mt_fail_dsn(struct mt_err *err, enum mt_err_kind kind, const char *dsn, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(err, kind, fmt, ap);
	va_end(ap);
	if (err != NULL)
		g_strlcpy(err->dsn, dsn, sizeof(err->dsn));
	return -1;
}

int
mt_fail_in(struct mt_err *err, const char *fmt, ...)
{
	int saved = errno;
	char text[sizeof(err->msg) * 2 + 4];
	size_t n;
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, ": %s", err->msg);
	copy_printable(err->msg, sizeof(err->msg), text);
	errno = saved;
	return -1;
}

enum mt_err_kind
mt_err_kind_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
		return MT_ENOINPUT;
	case EACCES:
	case EPERM:
	case EROFS:
		return MT_EPERM;
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
	case EINTR:
		return MT_ETEMP;
	default:
		return MT_EIO;
	}
}

int
mt_err_exit(enum mt_err_kind kind)
{
	return kinds[kind].exit;
}

const char *
mt_err_word(enum mt_err_kind kind)
{
	return kinds[kind].word;
}
