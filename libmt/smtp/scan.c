/* scan.c - what a look at a whole stored message tells about sending it */
#include "smtp/scan.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/dot.h"

#define CHUNK MT_KIB(64)

/* Where the scan stands in the wire form: it crosses chunks in the middle of lines. */
struct walk {
	uint64_t line_n;	/* octets of the line so far, with its CR */
	bool in_header;
};

static bool
is_8bit(const char *p, size_t n)
{
	unsigned char all = 0;

	for (size_t i = 0; i < n; i++)
		all |= (unsigned char)p[i];
	return (all & 0x80) != 0;
}

static void
walk_lines(struct walk *w, struct mt_slice wire, struct mt_smtp_scan *out)
{
	while (wire.n > 0) {
		size_t n = mt_slice_find(wire, '\n');

		if (is_8bit(wire.p, n)) {
			if (w->in_header)
				out->header_is_8bit = true;
			else
				out->body_is_8bit = true;
		}
		w->line_n += n;
		if (n < wire.n) {
			out->lines++;
			out->line_max = MAX(out->line_max, w->line_n - 1);
			if (w->line_n == 1)
				w->in_header = false;
			w->line_n = 0;
		}
		wire = mt_slice_from(wire, n + 1);
	}
}

static int
scan_chunks(int fd, struct mt_buf *wire, struct mt_smtp_scan *out, struct mt_err *err)
{
	g_autofree char *chunk = g_malloc(CHUNK);
	struct walk w = { .in_header = true };
	struct mt_dot dot;
	ssize_t n;

	mt_dot_init(&dot, MT_DOT_BDAT);
	while ((n = pread(fd, chunk, CHUNK, (off_t)dot.offset)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, MT_EIO, "reading the message: %m");
		mt_buf_reset(wire);
		if (mt_dot_encode(&dot, mt_slice_mem(chunk, (size_t)n), wire, err) < 0)
			return -1;
		walk_lines(&w, mt_buf_slice(wire), out);
	}
	mt_buf_reset(wire);
	if (mt_dot_finish(&dot, wire, err) < 0)
		return -1;
	walk_lines(&w, mt_buf_slice(wire), out);
	out->lacks_end = wire->n > 0;
	out->size = dot.size;
	out->stored = dot.offset;
	return 0;
}

int
mt_smtp_scan(int fd, struct mt_smtp_scan *out, struct mt_err *err)
{
	struct mt_buf wire = MT_BUF_INIT(2 * CHUNK + 8);
	struct mt_smtp_scan scan = { 0 };
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return mt_fail(err, MT_EIO, "reading the message: %m");
	if (!S_ISREG(st.st_mode))
		return mt_fail(err, MT_EUSAGE, "the message is not in a file");
	rc = scan_chunks(fd, &wire, &scan, err);
	mt_buf_clear(&wire);
	if (rc == 0)
		*out = scan;
	return rc;
}
