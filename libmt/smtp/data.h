/* data.h - what follows 354: wire bytes to message bytes (RFC 5321 4.5.2) */
#ifndef MT_SMTP_DATA_H
#define MT_SMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * The decoder of a DATA stream. It is fed what came from the network, in pieces of any
 * size, and gives the message as it is stored: dots unstuffed, lines ending in LF.
 *
 * The end is CRLF.CRLF and nothing else (the CRLF of the DATA command counts, so that
 * an empty message works). A CR without LF, an LF without CR or a NUL anywhere ends in
 * refusal: the driver answers mt_smtp_answer_of_data() and closes, since nobody can
 * say where such a stream's message ends. Bytes above 127 and lines of any length pass.
 *
 *	char out[MT_MAX_CONN_IN];
 *
 *	mt_smtp_data_init(&d, size_max);
 *	do {
 *		mt_conn_peek(c, &in, err);	(at most MT_MAX_CONN_IN bytes)
 *		rest = in;
 *		status = mt_smtp_data_decode(&d, &rest, out, &n);
 *		mt_conn_consume(c, in.n - rest.n);
 *		write out[0..n)
 *	} while (status == MT_SMTP_DATA_MORE);
 */
enum mt_smtp_data_status {
	MT_SMTP_DATA_MORE,	/* all input is used up, the end has not come */
	MT_SMTP_DATA_OK,	/* the message is whole */
	MT_SMTP_DATA_TOO_BIG,	/* the end came, but it was over size_max: 552 */
	MT_SMTP_DATA_LOOP,	/* the end came, Received is there MT_MAX_HOPS times: 554 */
	MT_SMTP_DATA_BARE_CR,	/* not SMTP: refuse and close */
	MT_SMTP_DATA_BARE_LF,
	MT_SMTP_DATA_NUL,
};

struct mt_smtp_data {
	uint64_t size;		/* octets as RFC 1870 counts: CRLF is 2, no stuffing */
	uint64_t size_max;
	size_t hops;		/* Received fields in the header so far */
	int state;		/* private from here on */
	size_t matched;
	bool in_header;
	bool line_empty;
	enum mt_smtp_data_status status;
};

/* size_max 0: no ceiling. */
void mt_smtp_data_init(struct mt_smtp_data *d, uint64_t size_max);

/*
 * Decode bytes off the front of *in to out, which has room for in->n bytes; *out_n
 * is how many were written. Behind the end, *in holds what the peer pipelined. Above
 * the ceiling nothing more is written, but the stream is still checked to its end. A
 * status other than MORE is final: further calls give it again and take nothing.
 */
enum mt_smtp_data_status mt_smtp_data_decode(struct mt_smtp_data *d,
    struct mt_slice *in, char *out, size_t *out_n);

#endif
