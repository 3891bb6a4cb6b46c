/* route.c - what the queue knows of a way out: whether its server can be reached */
#include "queue/route.h"

#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "queue/schedule.h"

/* A file of that size is not ours. */
#define FILE_MAX 1024

/* Names of accounts may hold anything. */
static char *
path_of(struct mt_spool *s, const char *name)
{
	g_autofree char *escaped = g_uri_escape_string(name, NULL, false);
	g_autofree char *file = g_strconcat("to-", escaped, NULL);

	return g_build_filename(mt_spool_dir(s), "route", file, NULL);
}

void
mt_route_read(struct mt_spool *s, const char *name, struct mt_route *out)
{
	g_autofree char *path = path_of(s, name);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(FILE_MAX);
	json_int_t since = 0, next = 0, tries = 0;
	json_t *o;

	*out = (struct mt_route){ 0 };
	if (mt_file_read(path, &text, NULL) < 0)
		return;
	o = json_loadb(text.p != NULL ? text.p : "", text.n, 0, NULL);
	if (json_unpack(o, "{s:I, s:I, s:I}", "down_since", &since, "next", &next, "tries",
	    &tries) == 0 && since > 0 && next > 0 && tries > 0)
		*out = (struct mt_route){ since, next, (uint64_t)tries };
	json_decref(o);
}

int
mt_route_set_down(struct mt_spool *s, const char *name, int64_t now, uint32_t jitter,
    struct mt_err *err)
{
	g_autofree char *path = path_of(s, name);
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *text = NULL;
	struct mt_route r;

	mt_route_read(s, name, &r);
	/* Who tries before the time, say with a new message, finds the same outage. */
	if (r.tries > 0 && r.down_since <= now && !mt_route_is_due(&r, now))
		return 0;
	if (r.down_since == 0 || r.down_since > now)
		r.down_since = now;
	r.tries++;
	r.next = now + MIN(mt_schedule_delay(r.tries, now - r.down_since, jitter),
	    MT_ROUTE_LONGEST_S);
	text = g_strdup_printf("{\"down_since\":%lld,\"next\":%lld,\"tries\":%llu}\n",
	    (long long)r.down_since, (long long)r.next, (unsigned long long)r.tries);
	if (mt_file_mkdirs(dir, 0700, err) < 0)
		return -1;
	return mt_file_replace(path, mt_slice_str(text), 0600, err);
}

void
mt_route_set_up(struct mt_spool *s, const char *name)
{
	g_autofree char *path = path_of(s, name);

	unlink(path);
}

bool
mt_route_is_due(const struct mt_route *r, int64_t now)
{
	return now >= r->next || r->next - now > MT_ROUTE_LONGEST_S;
}
