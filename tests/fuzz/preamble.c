/* preamble.c - what a server says before the login */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "net/preamble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice said = mt_slice_mem(data, size);
	g_autofree char *mechanisms = mt_preamble_mechanisms(said);
	g_autofree char *reason = mt_preamble_token_reason(said);
	struct mt_refusal r;

	mt_preamble_refusal(said, &r);
	g_assert(r.kind == MT_ENONE || r.kind == MT_ETEMP || r.kind == MT_EPERM);
	g_assert(strlen(r.dsn) < sizeof(r.dsn));
	g_assert(r.dsn[strspn(r.dsn, "0123456789.")] == '\0');
	g_assert(mechanisms == NULL || mechanisms[0] != '\0');
	g_assert(reason == NULL || reason[0] == '{');
	return 0;
}
