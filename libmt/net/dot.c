/* dot.c - a stored message on its way to the wire: CRLF, dots stuffed, the last dot */
#include "net/dot.h"

#include <glib.h>
#include <inttypes.h>

void
mt_dot_init(struct mt_dot *d, enum mt_dot_kind kind)
{
	*d = (struct mt_dot){
		.kind = kind, .line = 1, .body_lines = -1,
		.at_start = true, .in_header = true, .line_empty = true,
	};
}

void
mt_dot_limit_body(struct mt_dot *d, uint64_t lines)
{
	d->body_lines = lines > INT64_MAX ? INT64_MAX : (int64_t)lines;
}

static int
put(struct mt_dot *d, const char *p, size_t n, struct mt_buf *out, struct mt_err *err)
{
	if (mt_buf_append(out, p, n) < 0)
		return mt_fail(err, MT_ESOFTWARE, "a buffer for the wire is too small");
	d->size += n;
	return 0;
}

static int
not_carried(const struct mt_dot *d, const char *what, uint64_t offset,
    struct mt_err *err)
{
	return mt_fail_dsn(err, MT_EDATA, "5.6.0",
	    "%s in line %" PRIu64 " (offset %" PRIu64
	    "): a message that SMTP cannot carry", what, d->line, offset);
}

/* The CR that was held back turned out to be no line end. */
static int
lone_cr(struct mt_dot *d, struct mt_buf *out, struct mt_err *err)
{
	d->after_cr = false;
	if (d->kind != MT_DOT_POP3)
		return not_carried(d, "a bare CR", d->offset - 1, err);
	d->at_start = d->line_empty = false;
	return put(d, "\r", 1, out, err);
}

/* Bytes of one line, without LF and CR. */
static int
take_text(struct mt_dot *d, struct mt_slice run, struct mt_buf *out, struct mt_err *err)
{
	if (run.n == 0)
		return 0;
	if (d->kind != MT_DOT_POP3) {
		size_t nul = mt_slice_find(run, '\0');

		if (nul < run.n)
			return not_carried(d, "a NUL", d->offset + nul, err);
	}
	if (d->at_start && run.p[0] == '.' && d->kind != MT_DOT_BDAT &&
	    put(d, ".", 1, out, err) < 0)
		return -1;
	d->at_start = d->line_empty = false;
	return put(d, run.p, run.n, out, err);
}

static int
end_line(struct mt_dot *d, struct mt_buf *out, struct mt_err *err)
{
	if (put(d, "\r\n", 2, out, err) < 0)
		return -1;
	if (!d->in_header && d->body_lines > 0)
		d->body_lines--;
	if (d->line_empty)
		d->in_header = false;
	d->is_full = !d->in_header && d->body_lines == 0;
	d->at_start = d->line_empty = true;
	d->after_cr = false;
	d->line++;
	return 0;
}

/* Take a line or the rest of the piece: up to and with the first CR or LF. */
static int
take_piece(struct mt_dot *d, struct mt_slice *in, struct mt_buf *out,
    struct mt_err *err)
{
	size_t lf = mt_slice_find(*in, '\n');
	size_t end = mt_slice_find(mt_slice_first(*in, lf), '\r');
	char c = end < in->n ? in->p[end] : '\0';

	if (d->after_cr && !(end == 0 && c == '\n') && lone_cr(d, out, err) < 0)
		return -1;
	if (take_text(d, mt_slice_first(*in, end), out, err) < 0)
		return -1;
	d->offset += end;
	*in = mt_slice_from(*in, end);
	if (in->n == 0)
		return 0;
	*in = mt_slice_from(*in, 1);
	d->offset++;
	if (c == '\r') {
		d->after_cr = true;
		return 0;
	}
	return end_line(d, out, err);
}

int
mt_dot_encode(struct mt_dot *d, struct mt_slice in, struct mt_buf *out,
    struct mt_err *err)
{
	while (in.n > 0 && !d->is_full) {
		if (take_piece(d, &in, out, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_dot_finish(struct mt_dot *d, struct mt_buf *out, struct mt_err *err)
{
	if (d->after_cr && lone_cr(d, out, err) < 0)
		return -1;
	if (!d->at_start && end_line(d, out, err) < 0)
		return -1;
	if (d->kind == MT_DOT_BDAT)
		return 0;
	return put(d, ".\r\n", 3, out, err);
}
