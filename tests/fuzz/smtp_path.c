/* smtp_path.c - what stands behind MAIL FROM: and RCPT TO: */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "smtp/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(const struct mt_smtp_path *p)
{
	struct mt_smtp_path again;

	if (mt_smtp_path_is_null(p))
		return;
	/* What we write is read as the same. */
	if (mt_smtp_path_parse(mt_slice_str(p->text), &again, NULL) < 0 ||
	    strcmp(again.text, p->text) != 0 || strcmp(again.local, p->local) != 0 ||
	    strcmp(again.domain, p->domain) != 0)
		g_error("\"%s\" is not read as it was written", p->text);
	for (const char *c = p->text; *c != '\0'; c++)
		g_assert((unsigned char)*c >= ' ' && *c != 0x7f);
	if (mt_smtp_path_to_ascii(&again, NULL) == 0)
		g_assert(mt_smtp_path_parse(mt_slice_str(again.text), &again, NULL) == 0);
}

static void
check_xtext(struct mt_slice text)
{
	struct mt_buf plain = MT_BUF_INIT(4096), coded = MT_BUF_INIT(3 * 4096);
	struct mt_buf again = MT_BUF_INIT(4096);

	if (mt_smtp_xtext_decode(text, &plain)) {
		g_assert(mt_smtp_xtext_encode(mt_buf_slice(&plain), &coded));
		g_assert(mt_smtp_xtext_decode(mt_buf_slice(&coded), &again));
		g_assert(mt_slice_eq(mt_buf_slice(&plain), mt_buf_slice(&again)));
	}
	mt_buf_clear(&plain);
	mt_buf_clear(&coded);
	mt_buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice s = mt_slice_mem(data, size);
	struct mt_smtp_path p;
	struct mt_smtp_param param;

	if (mt_smtp_path_parse(s, &p, NULL) == 0)
		check_path(&p);
	if (mt_smtp_path_take(&s, &p, NULL) < 0)
		return 0;
	check_path(&p);
	while (mt_smtp_param_next(&s, &param, NULL) > 0)
		check_xtext(param.value);
	return 0;
}
