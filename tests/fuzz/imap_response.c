/* imap_response.c - responses of IMAP servers, their sets, flags and names */
#include <glib.h>
#include <stdint.h>

#include "fetch/sync_flags.h"
#include "imap/response.h"
#include "imap/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A slice lies within the response, or is none. */
static void
within(struct mt_slice part, struct mt_slice all)
{
	g_assert(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice all = mt_slice_mem(data, size);
	mt_auto_value(mt_imap_set) set = { 0 };
	struct mt_imap_response r;
	g_autofree char *name = NULL;
	const char *keywords;
	uint64_t n;

	(void)mt_imap_ends_in_literal(all, &n);
	if (!mt_imap_response_parse(all, &r))
		return 0;
	within(r.tag, all);
	within(r.text, all);
	within(r.code_args, all);
	within(r.data, all);
	within(r.name.text, all);
	within(r.fetch.flags, all);
	within(r.fetch.body, all);
	within(r.fetch.header, all);
	name = mt_imap_value_dup(&r.name);
	if (mt_imap_set_parse(&set, r.data))
		g_assert(mt_imap_set_count(&set) > 0);
	g_assert(mt_sync_flags_of_imap(r.fetch.flags, &keywords) <= MT_SYNC_ALL_FLAGS);
	return 0;
}
