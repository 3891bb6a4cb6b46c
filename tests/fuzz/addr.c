/* addr.c - address lists: what is understood can be written, and read as the same */
#include <glib.h>
#include <stdint.h>

#include "base/limits.h"
#include "message/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct mt_addr_list *list)
{
	g_assert(list->n <= MT_MAX_ADDRS);
	for (size_t i = 0; i < list->n; i++) {
		g_autofree char *text = mt_addr_format(&list->v[i]);
		g_autofree char *shown = mt_addr_display(&list->v[i]);
		mt_auto_value(mt_addr) again = { NULL, NULL, NULL };
		struct mt_err err = { 0 };

		g_assert(strpbrk(text, "\r\n") == NULL && g_utf8_validate(shown, -1, NULL));
		if (mt_addr_parse_one(mt_slice_str(text), &again, &err) < 0)
			g_error("%s: %s", text, err.msg);
		g_assert(mt_addr_same(&again, &list->v[i]));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_value(mt_addr_list) strict = { 0 }, lax = { 0 };
	struct mt_slice text = mt_slice_mem(data, size);
	struct mt_err err = { 0 };

	if (mt_addr_parse(text, &strict, &err) == 0)
		check(&strict);
	else
		g_assert(strict.n == 0 && err.kind == MT_EDATA && err.msg[0] != '\0');
	mt_addr_parse_lax(text, &lax);
	check(&lax);
	return 0;
}
