/* send_edit.c - what an editor left: what is taken comes back as the same */
#include <glib.h>
#include <stdint.h>

#include "send/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_text(const struct mt_compose *c, struct mt_buf *out)
{
	struct mt_err err = { 0 };

	if (mt_edit_write(c, out, &err) < 0)
		g_error("%s", err.msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto(mt_compose) c = mt_compose_new();
	mt_auto_value(mt_buf) first = MT_BUF_INIT(MT_EDIT_MAX), second = MT_BUF_INIT(MT_EDIT_MAX);
	struct mt_err err = { 0 };

	if (mt_edit_read(c, mt_slice_mem(data, size), &err) < 0) {
		g_assert(err.msg[0] != '\0');
		return 0;
	}
	write_text(c, &first);
	if (mt_edit_read(c, mt_buf_slice(&first), &err) < 0)
		g_error("%s", err.msg);
	write_text(c, &second);
	g_assert(mt_slice_eq(mt_buf_slice(&first), mt_buf_slice(&second)));
	return 0;
}
