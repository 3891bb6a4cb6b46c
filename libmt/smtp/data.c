/* data.c - what follows 354: wire bytes to message bytes (RFC 5321 4.5.2) */
#include "smtp/data.h"

#include <glib.h>

#include "base/limits.h"

/* Where the next byte stands. Only in AFTER_CR and AFTER_DOT_CR may it be an LF. */
enum {
	AT_START,	/* first byte of a line */
	IN_LINE,
	AFTER_CR,	/* behind a CR that ends a line */
	AFTER_DOT,	/* behind a dot that began a line; it is not written */
	AFTER_DOT_CR,	/* behind ".CR": an LF is the end of the message */
	ENDED,
};

static const char received[] = "received:";

void
mt_smtp_data_init(struct mt_smtp_data *d, uint64_t size_max)
{
	*d = (struct mt_smtp_data){
		.size_max = size_max, .state = AT_START,
		.in_header = true, .line_empty = true,
	};
}

/* Give message bytes out, unless there are too many of them already. */
static void
emit(struct mt_smtp_data *d, const char *p, size_t n, size_t wire, char *out,
    size_t *out_n)
{
	d->size += wire;
	if (d->size_max != 0 && d->size > d->size_max)
		return;
	memcpy(out + *out_n, p, n);
	*out_n += n;
}

/* Bytes of a header line without its end: does it begin with "Received:"? */
static void
match_received(struct mt_smtp_data *d, struct mt_slice run)
{
	for (size_t i = 0; i < run.n && d->matched < sizeof(received) - 1; i++) {
		if (g_ascii_tolower(run.p[i]) != received[d->matched]) {
			d->matched = sizeof(received);
			return;
		}
		d->matched++;
	}
	if (d->matched == sizeof(received) - 1) {
		d->hops++;
		d->matched = sizeof(received);
	}
}

/*
 * A run of bytes of one line, up to the next CR or the end of the piece: the hot path.
 * Looking for the CR first keeps the two further scans inside the line.
 */
static void
take_run(struct mt_smtp_data *d, struct mt_slice *in, char *out, size_t *out_n)
{
	struct mt_slice run = mt_slice_first(*in, mt_slice_find(*in, '\r'));
	const char *lf = memchr(run.p, '\n', run.n);
	const char *nul = memchr(run.p, '\0', run.n);

	if (lf != NULL || nul != NULL) {
		bool lf_first = lf != NULL && (nul == NULL || lf < nul);

		d->status = lf_first ? MT_SMTP_DATA_BARE_LF : MT_SMTP_DATA_NUL;
		return;
	}
	if (d->in_header)
		match_received(d, run);
	emit(d, run.p, run.n, run.n, out, out_n);
	d->line_empty = d->line_empty && run.n == 0;
	*in = mt_slice_from(*in, run.n);
	d->state = IN_LINE;
	if (mt_slice_take_char(in, '\r'))
		d->state = AFTER_CR;
}

static void
end_of_line(struct mt_smtp_data *d, char *out, size_t *out_n)
{
	emit(d, "\n", 1, 2, out, out_n);
	if (d->line_empty)
		d->in_header = false;
	d->line_empty = true;
	d->matched = 0;
	d->state = AT_START;
}

static void
end_of_data(struct mt_smtp_data *d)
{
	d->state = ENDED;
	if (d->size_max != 0 && d->size > d->size_max)
		d->status = MT_SMTP_DATA_TOO_BIG;
	else if (d->hops >= MT_MAX_HOPS)
		d->status = MT_SMTP_DATA_LOOP;
	else
		d->status = MT_SMTP_DATA_OK;
}

/* The byte behind a CR: only an LF may stand there. */
static bool
take_lf(struct mt_smtp_data *d, struct mt_slice *in)
{
	if (mt_slice_take_char(in, '\n'))
		return true;
	d->status = MT_SMTP_DATA_BARE_CR;
	return false;
}

enum mt_smtp_data_status
mt_smtp_data_decode(struct mt_smtp_data *d, struct mt_slice *in, char *out, size_t *out_n)
{
	*out_n = 0;
	while (d->status == MT_SMTP_DATA_MORE && in->n > 0) {
		switch (d->state) {
		case AT_START:
			if (mt_slice_take_char(in, '.'))
				d->state = AFTER_DOT;
			else
				take_run(d, in, out, out_n);
			break;
		case AFTER_DOT:
			if (mt_slice_take_char(in, '\r'))
				d->state = AFTER_DOT_CR;
			else
				take_run(d, in, out, out_n);
			break;
		case IN_LINE:
			take_run(d, in, out, out_n);
			break;
		case AFTER_CR:
			if (take_lf(d, in))
				end_of_line(d, out, out_n);
			break;
		case AFTER_DOT_CR:
			if (take_lf(d, in))
				end_of_data(d);
			break;
		default:
			g_assert_not_reached();
		}
	}
	return d->status;
}
