/* encode.h - how content travels: 7bit, 8bit, quoted-printable, base64 (RFC 2045 6) */
#ifndef MT_MESSAGE_ENCODE_H
#define MT_MESSAGE_ENCODE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

/* What a look at content finds; start with zero, add pieces. */
struct mt_encode_facts {
	bool has_8bit;
	bool has_control;	/* NUL, or a CR that no LF follows */
	bool has_crlf;
	size_t line;		/* bytes of the line that goes on */
	size_t longest;		/* line, without its end */
	bool cr;		/* the last byte was one */
};

void mt_encode_look(struct mt_encode_facts *f, struct mt_slice piece);
/* Call once behind the last piece. */
void mt_encode_look_end(struct mt_encode_facts *f);

/* Gathers output and hands it on in larger pieces; 0, or -1 from the writer. */
struct mt_encode_out {
	int (*writer)(void *arg, const void *p, size_t n, struct mt_err *err);
	void *arg;
	size_t n;
	char buf[8192];
};

int mt_encode_put(struct mt_encode_out *out, struct mt_slice s, struct mt_err *err);
int mt_encode_flush(struct mt_encode_out *out, struct mt_err *err);

/* Text as it is, with LF for CRLF; ends in LF unless it is empty. */
int mt_encode_text(struct mt_encode_out *out, struct mt_slice text, struct mt_err *err);
/* The same as quoted-printable (RFC 2045 6.7). */
int mt_encode_qp(struct mt_encode_out *out, struct mt_slice text, struct mt_err *err);

/* Base64 in lines of 76 (RFC 2045 6.8), piece by piece; start with zero. */
struct mt_encode_base64 {
	int state;
	int save;
};

int mt_encode_base64(struct mt_encode_base64 *e, struct mt_encode_out *out,
    struct mt_slice piece, struct mt_err *err);
int mt_encode_base64_end(struct mt_encode_base64 *e, struct mt_encode_out *out,
    struct mt_err *err);

#endif
