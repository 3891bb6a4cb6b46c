/* queue_envelope.c - envelopes of the queue, from a bad disk or another's hand */
#include <glib.h>
#include <stdint.h>

#include "base/limits.h"
#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written, and means the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto(mt_envelope) e = mt_envelope_read(mt_slice_mem(data, size), NULL);
	mt_auto(mt_envelope) f = NULL;
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_ENVELOPE);
	mt_auto_value(mt_buf) again = MT_BUF_INIT(MT_MAX_ENVELOPE);

	if (e == NULL)
		return 0;
	g_assert(mt_envelope_write(e, &text, NULL) == 0);
	f = mt_envelope_read(mt_buf_slice(&text), NULL);
	g_assert(f != NULL && mt_envelope_write(f, &again, NULL) == 0);
	g_assert(mt_slice_eq(mt_buf_slice(&text), mt_buf_slice(&again)));
	return 0;
}
