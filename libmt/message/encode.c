/* encode.c - how content travels: 7bit, 8bit, quoted-printable, base64 (RFC 2045 6) */
#include "message/encode.h"

#include <glib.h>

/* RFC 2045 6.7 (5): 76 characters with the "=" of a soft line end. */
#define QP_COLUMNS 75

void
mt_encode_look(struct mt_encode_facts *f, struct mt_slice piece)
{
	for (size_t i = 0; i < piece.n; i++) {
		unsigned char c = (unsigned char)piece.p[i];

		if (c == '\n') {
			if (f->cr) {
				f->has_crlf = true;
				f->line--;
			}
			f->longest = MAX(f->longest, f->line);
			f->line = 0;
			f->cr = false;
			continue;
		}
		f->has_control |= f->cr || c == '\0';
		f->has_8bit |= c >= 0x80;
		f->cr = c == '\r';
		f->line++;
	}
}

void
mt_encode_look_end(struct mt_encode_facts *f)
{
	f->has_control |= f->cr;
	f->longest = MAX(f->longest, f->line);
}

int
mt_encode_flush(struct mt_encode_out *out, struct mt_err *err)
{
	size_t n = out->n;

	out->n = 0;
	return n == 0 ? 0 : out->writer(out->arg, out->buf, n, err);
}

int
mt_encode_put(struct mt_encode_out *out, struct mt_slice s, struct mt_err *err)
{
	while (s.n > 0) {
		size_t n = MIN(s.n, sizeof(out->buf) - out->n);

		memcpy(out->buf + out->n, s.p, n);
		out->n += n;
		s = mt_slice_from(s, n);
		if (out->n == sizeof(out->buf) && mt_encode_flush(out, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_encode_text(struct mt_encode_out *out, struct mt_slice text, struct mt_err *err)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		if (mt_encode_put(out, line, err) < 0 ||
		    mt_encode_put(out, MT_SLICE("\n"), err) < 0)
			return -1;
	}
	return 0;
}

/* Write one line's characters; a soft line end where the next would not fit. */
static int
qp_line(struct mt_encode_out *out, struct mt_slice line, struct mt_err *err)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool last = i + 1 == line.n;
		bool blank = c == ' ' || c == '\t';
		/* A mailbox in mbox format would take "From " for a separator. */
		bool from = i == 0 && mt_slice_starts(line, MT_SLICE("From "));
		bool plain = (blank && !last) ||
		    (c > ' ' && c < 0x7f && c != '=' && !from);
		char text[3] = { (char)c, hex[c & 15], 0 };
		size_t n = 1;

		if (!plain) {
			text[0] = '=';
			text[1] = hex[c >> 4];
			text[2] = hex[c & 15];
			n = 3;
		}
		if (column + n > QP_COLUMNS) {
			if (mt_encode_put(out, MT_SLICE("=\n"), err) < 0)
				return -1;
			column = 0;
		}
		if (mt_encode_put(out, mt_slice_mem(text, n), err) < 0)
			return -1;
		column += n;
	}
	return mt_encode_put(out, MT_SLICE("\n"), err);
}

int
mt_encode_qp(struct mt_encode_out *out, struct mt_slice text, struct mt_err *err)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		if (qp_line(out, line, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_encode_base64(struct mt_encode_base64 *e, struct mt_encode_out *out,
    struct mt_slice piece, struct mt_err *err)
{
	char text[3072 / 3 * 4 + 3072 / 57 + 16];

	while (piece.n > 0) {
		struct mt_slice part = mt_slice_first(piece, 3000);
		size_t n = g_base64_encode_step((const guchar *)part.p, part.n, TRUE, text,
		    &e->state, &e->save);

		if (mt_encode_put(out, mt_slice_mem(text, n), err) < 0)
			return -1;
		piece = mt_slice_from(piece, part.n);
	}
	return 0;
}

int
mt_encode_base64_end(struct mt_encode_base64 *e, struct mt_encode_out *out,
    struct mt_err *err)
{
	char text[16];
	size_t n = g_base64_encode_close(TRUE, text, &e->state, &e->save);

	return mt_encode_put(out, mt_slice_mem(text, n), err);
}
