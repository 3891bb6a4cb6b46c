/* attach.c - an attachment on its way into a message: open it, find its type */
#include "message/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <magic.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/encode.h"

/* What libmagic looks at. */
#define SAMPLE MT_KIB(64)

static int
read_some(int fd, char *p, size_t n, size_t *got, struct mt_err *err)
{
	ssize_t r;

	do {
		r = read(fd, p, n);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
	*got = (size_t)r;
	return 0;
}

int
mt_attach_read(const struct mt_attach *a,
    int (*each)(void *arg, struct mt_slice piece, struct mt_err *err), void *arg,
    struct mt_err *err)
{
	char piece[16384];
	size_t n;

	if (a->fd < 0)
		return each(arg, a->content, err);
	if (lseek(a->fd, 0, SEEK_SET) < 0)
		return mt_fail(err, MT_EIO, "seek: %m");
	for (;;) {
		if (read_some(a->fd, piece, sizeof(piece), &n, err) < 0)
			return mt_fail_in(err, "%s", a->name);
		if (n == 0)
			return 0;
		if (each(arg, mt_slice_mem(piece, n), err) < 0)
			return -1;
	}
}

/* A pipe or a terminal can be read once: keep what comes in a file without a name. */
static int
spool(int *fd, struct mt_err *err)
{
	mt_auto_fd int copy = mt_file_temp(err);
	char piece[16384];
	size_t n;

	if (copy < 0)
		return -1;
	do {
		if (read_some(*fd, piece, sizeof(piece), &n, err) < 0)
			return -1;
		if (mt_file_write_all(copy, piece, n) < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "copy: %m");
	} while (n > 0);
	close(*fd);
	*fd = mt_steal_fd(&copy);
	return 0;
}

static int
open_file(struct mt_attach *a, const char *path, struct mt_err *err)
{
	struct stat st;

	a->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (a->fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%m");
	if (fstat(a->fd, &st) < 0)
		return mt_fail(err, MT_EIO, "%m");
	if (S_ISDIR(st.st_mode))
		return mt_fail(err, MT_ENOINPUT, "is a directory");
	return S_ISREG(st.st_mode) ? 0 : spool(&a->fd, err);
}

/* Whether s is "type/subtype" with nothing behind it (RFC 2045 5.1). */
static bool
is_type(const char *s)
{
	size_t n = strcspn(s, "/");

	for (const char *c = s; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f || strchr("()<>@,;:\\\"[]?=", *c) != NULL)
			return false;
	}
	return n > 0 && s[n] == '/' && s[n + 1] != '\0' &&
	    strchr(s + n + 1, '/') == NULL;
}

/* These have rules of their own for what may be in them (RFC 2046 5). */
static bool
is_composite(const char *type)
{
	return g_ascii_strncasecmp(type, "multipart/", 10) == 0 ||
	    g_ascii_strcasecmp(type, "message/partial") == 0 ||
	    g_ascii_strcasecmp(type, "message/external-body") == 0;
}

bool
mt_attach_is_type(const char *s)
{
	return is_type(s) && !is_composite(s);
}

/* Read the beginning, which also shows whether it can be read at all. */
static int
read_sample(const struct mt_attach *a, char *p, size_t *n, struct mt_err *err)
{
	size_t got;

	*n = 0;
	if (a->fd < 0) {
		*n = MIN(a->content.n, SAMPLE);
		if (*n > 0)
			memcpy(p, a->content.p, *n);
		return 0;
	}
	if (lseek(a->fd, 0, SEEK_SET) < 0)
		return mt_fail(err, MT_EIO, "seek: %m");
	do {
		if (read_some(a->fd, p + *n, SAMPLE - *n, &got, err) < 0)
			return -1;
		*n += got;
	} while (got > 0 && *n < SAMPLE);
	return 0;
}

/* "text/plain; charset=us-ascii" from libmagic, taken apart. */
static void
guess_type(struct mt_attach *a, const char *sample, size_t n)
{
	magic_t magic = magic_open(MAGIC_MIME | MAGIC_NO_CHECK_COMPRESS |
	    MAGIC_NO_CHECK_TAR);
	const char *found = NULL;
	char *charset;

	if (n > 0 && magic != NULL && magic_load(magic, NULL) == 0)
		found = magic_buffer(magic, sample, n);
	a->type = g_strdup(found != NULL ? found : "application/octet-stream");
	if (magic != NULL)
		magic_close(magic);
	charset = strstr(a->type, "; charset=");
	if (charset != NULL) {
		*charset = '\0';
		charset += strlen("; charset=");
	}
	if (!mt_attach_is_type(a->type) ||
	    g_str_has_prefix(a->type, "inode/")) {
		g_free(a->type);
		a->type = g_strdup("application/octet-stream");
	} else if (charset != NULL && g_str_has_prefix(a->type, "text/") &&
	    strcmp(charset, "binary") != 0) {
		/* The rest of it may hold more than its beginning. */
		a->charset = g_strdup(strcmp(charset, "us-ascii") == 0 ? "utf-8" :
		    charset);
	}
}

static int
look(void *arg, struct mt_slice piece, struct mt_err *err)
{
	(void)err;
	mt_encode_look(arg, piece);
	return 0;
}

/*
 * RFC 2046 5.2.1: a message/rfc822 has no encoding but 7bit and 8bit. One that cannot
 * travel so (CRLF, NUL, long lines, 8 bits where there are 7) goes as bytes instead.
 */
static int
check_message(struct mt_attach *a, bool only_7bit, struct mt_err *err)
{
	struct mt_encode_facts f = { 0 };

	if (g_ascii_strcasecmp(a->type, "message/rfc822") != 0)
		return 0;
	if (mt_attach_read(a, look, &f, err) < 0)
		return -1;
	mt_encode_look_end(&f);
	a->as_is = !f.has_control && !f.has_crlf && f.longest <= 998 &&
	    !(f.has_8bit && only_7bit);
	a->has_8bit = a->as_is && f.has_8bit;
	if (!a->as_is) {
		g_free(a->type);
		a->type = g_strdup("application/octet-stream");
	}
	return 0;
}

static int
look_at_entity(struct mt_attach *a, struct mt_err *err)
{
	struct mt_encode_facts f = { 0 };

	if (mt_attach_read(a, look, &f, err) < 0)
		return -1;
	a->is_entity = a->as_is = true;
	a->has_8bit = f.has_8bit;
	return 0;
}

static int
open_and_look(struct mt_attach *a, const struct mt_build_attachment *from,
    bool only_7bit, struct mt_err *err)
{
	g_autofree char *sample = g_malloc(SAMPLE);
	size_t n;

	if (from->is_entity)
		return look_at_entity(a, err);
	if (from->type != NULL && !mt_attach_is_type(from->type))
		return mt_fail(err, MT_EUSAGE, "\"%s\" is no type for an attachment",
		    from->type);
	if (from->path != NULL && open_file(a, from->path, err) < 0)
		return -1;
	if (read_sample(a, sample, &n, err) < 0)
		return -1;
	/* A given type says nothing of a text's charset. */
	if (from->type == NULL || g_ascii_strncasecmp(from->type, "text/", 5) == 0)
		guess_type(a, sample, n);
	if (from->type != NULL) {
		g_free(a->type);
		a->type = g_ascii_strdown(from->type, -1);
	}
	if (from->charset != NULL) {
		g_free(a->charset);
		a->charset = g_strdup(from->charset);
	}
	return check_message(a, only_7bit, err);
}

int
mt_attach_open(struct mt_attach *a, const struct mt_build_attachment *from,
    bool only_7bit, struct mt_err *err)
{
	*a = (struct mt_attach){ .fd = -1, .content = from->content };
	if (from->name != NULL)
		a->name = g_strdup(from->name);
	else if (from->path != NULL)
		a->name = g_path_get_basename(from->path);
	if (open_and_look(a, from, only_7bit, err) == 0)
		return 0;
	mt_fail_in(err, "attachment %s", from->path != NULL ? from->path :
	    a->name != NULL ? a->name : "in memory");
	mt_attach_close(a);
	return -1;
}

void
mt_attach_close(struct mt_attach *a)
{
	if (a->fd >= 0)
		close(a->fd);
	g_free(a->type);
	g_free(a->charset);
	g_free(a->name);
	*a = (struct mt_attach){ .fd = -1 };
}
