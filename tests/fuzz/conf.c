/* conf.c - configuration files: never a crash, and never an error without its place */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "conf/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mt_conf_word inner[] = {
	{ "flag", MT_CONF_BOOL, 0, 0, "no" },
	{ "size", MT_CONF_SIZE, 1, 1 << 20, "1k" },
	{ NULL },
};
static const struct mt_conf_word words[] = {
	{ "text", MT_CONF_STRING, 0, 0, "x" },
	{ "list", MT_CONF_LIST, 0, 0, NULL },
	{ "number", MT_CONF_INT, 0, 100, "1" },
	{ "time", MT_CONF_TIME, 0, 0, "5m" },
	{ NULL },
};
static const struct mt_conf_kind kinds[] = { { "section", inner }, { NULL, NULL } };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = mt_slice_dup(mt_slice_mem(data, size));
	struct mt_err err = { 0 };
	mt_auto(mt_conf) c = NULL;

	/* include() would read other files of this machine. */
	if (strstr(text, "include") != NULL)
		return 0;
	c = mt_conf_parse("f", text, words, kinds, &err);
	g_assert(c != NULL || g_str_has_prefix(err.msg, "f"));
	return 0;
}
