/* flowed.c - any bytes as flowed text, and any text flowed */
#include <glib.h>
#include <stdint.h>

#include "message/flowed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No line ends in a blank, but a signature's. */
static void
check_lines(struct mt_slice text)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line))
		g_assert(!mt_slice_ends(line, MT_SLICE(" ")) ||
		    mt_slice_ends(line, MT_SLICE("-- ")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_value(mt_buf) read = MT_BUF_INIT(20000), flowed = MT_BUF_INIT(20000);
	mt_auto_value(mt_buf) back = MT_BUF_INIT(20000), again = MT_BUF_INIT(20000);
	struct mt_slice text = mt_slice_mem(data, size);

	/* The text of a message has none (message/charset.h). */
	if (size == 0 || memchr(data, '\r', size) != NULL)
		return 0;
	mt_flowed_read(text, size % 2 == 0, &read);
	check_lines(mt_buf_slice(&read));
	/* Flowed once, it is read as what it was: flowed again, it is the same; but where a
	   text begins with what looks quoted. */
	if (memchr(data, '>', size) == NULL &&
	    mt_flowed_write(text, &flowed) == 0 &&
	    mt_flowed_read(mt_buf_slice(&flowed), false, &back) == 0 &&
	    mt_flowed_write_lines(mt_buf_slice(&back), &again) == 0) {
		check_lines(mt_buf_slice(&back));
		mt_buf_reset(&read);
		g_assert(mt_flowed_read(mt_buf_slice(&again), false, &read) == 0);
		g_assert(mt_slice_eq(mt_buf_slice(&read), mt_buf_slice(&back)));
	}
	return 0;
}
