/* page.c - any bytes as a page that shows a file: only the reference to it is changed */
#include <glib.h>
#include <stdint.h>

#include "send/page_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_slice page = mt_slice_mem(data, size);
	struct mt_err err = { 0 };
	const struct mt_build_attachment *a;

	mt_compose_add_inline(c, "a/1.png");
	a = &g_array_index(c->attachments, struct mt_build_attachment, 0);
	if (mt_page_files_link(c, page, &err) < 0)
		g_assert(err.kind == MT_EDATA && err.msg[0] != '\0');
	else
		g_assert(a->content_id != NULL && c->html.n > 0);
	mt_buf_reset(&c->html);
	g_array_set_size(c->attachments, 0);
	/* Without a file, it is the page as it was, or an error. */
	if (mt_page_files_link(c, page, &err) == 0)
		g_assert(mt_slice_eq(mt_buf_slice(&c->html), page));
	return 0;
}
