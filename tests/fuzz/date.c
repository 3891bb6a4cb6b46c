/* date.c - dates and message ids: what is understood can be written and read again */
#include <glib.h>
#include <stdint.h>

#include "base/limits.h"
#include "message/date.h"
#include "message/msgid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice text = mt_slice_mem(data, size);
	g_auto(GStrv) ids = mt_msgid_parse(text);
	struct mt_date d, again;
	char out[MT_DATE_SIZE];

	g_assert(g_strv_length(ids) <= MT_MAX_REFERENCES);
	for (char **id = ids; *id != NULL; id++) {
		g_autofree char *same = mt_msgid_parse_one(mt_slice_str(*id));

		g_assert(strlen(*id) <= MT_MSGID_MAX && strcmp(same, *id) == 0);
		g_assert(g_str_is_ascii(*id) && strpbrk(*id, " \t\r\n") == NULL);
	}
	if (!mt_date_parse(text, &d))
		return 0;
	g_assert(d.offset_min > -1440 && d.offset_min < 1440);
	mt_date_format_at(d.seconds, d.offset_min, out);
	/* The first and last day may fall out of the years 0 to 9999 in UTC. */
	if (d.seconds > -62167000000 && d.seconds < 253402000000)
		g_assert(mt_date_parse(mt_slice_str(out), &again) &&
		    again.seconds == d.seconds && again.offset_min == d.offset_min);
	return 0;
}
