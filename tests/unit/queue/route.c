/* route.c - what is kept of a server that cannot be reached */
#include "queue/route.h"

#include <unistd.h>

#include "base/file.h"
#include "tap.h"

#define NOW INT64_C(1800000000)

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-route.XXXXXX", NULL);
	g_autofree char *queue = g_build_filename(dir, "queue", NULL);
	g_autofree char *file = g_build_filename(queue, "route", "to-work", NULL);
	mt_auto(mt_spool) s = mt_spool_open(queue, NULL);
	struct mt_err err = { 0 };
	struct mt_route r;
	int64_t now = NOW;
	static const char *const bad[] = { "", "{", "[]", "{\"down_since\":1}",
		"{\"down_since\":-1,\"next\":5,\"tries\":1}",
		"{\"down_since\":1,\"next\":\"5\",\"tries\":1}",
		"{\"down_since\":1,\"next\":5,\"tries\":-1}" };

	mt_route_read(s, "work", &r);
	ok(r.tries == 0 && r.next == 0 && mt_route_is_due(&r, NOW), "at first it is tried");
	ok(mt_route_set_down(s, "work", now, 0, &err) == 0, "it cannot be reached");
	mt_route_read(s, "work", &r);
	ok(r.tries == 1 && r.down_since == NOW, "that is known");
	ok(r.next > now && r.next <= now + 60 && !mt_route_is_due(&r, now),
	    "it is tried again in a minute");
	ok(mt_route_is_due(&r, now + 60), "then");
	ok(mt_route_set_down(s, "work", now + 5, 0, &err) == 0, "another message finds the same");
	mt_route_read(s, "work", &r);
	ok(r.tries == 1 && r.down_since == NOW && r.next <= now + 60, "which is one failure");
	for (int i = 0; i < 200; i++) {
		now = r.next;
		if (mt_route_set_down(s, "work", now, UINT32_MAX, &err) < 0)
			g_error("%s", err.msg);
		mt_route_read(s, "work", &r);
	}
	ok(r.next - now == MT_ROUTE_LONGEST_S, "later every quarter of an hour");
	ok(r.down_since == NOW && r.tries == 201, "and since when is kept");
	ok(mt_route_is_due(&r, NOW - 86400), "a clock that went back: it is tried");
	ok(mt_route_set_down(s, "a/../b c", NOW, 0, &err) == 0, "any name is one");
	mt_route_read(s, "a/../b c", &r);
	is_int(r.tries, 1, "of its own");
	mt_route_set_up(s, "a/../b c");
	mt_route_set_up(s, "work");
	mt_route_read(s, "work", &r);
	ok(r.tries == 0 && access(file, F_OK) < 0, "reached again, nothing is kept");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		if (!g_file_set_contents(file, bad[i], -1, NULL))
			g_error("%s", file);
		mt_route_read(s, "work", &r);
		ok(r.tries == 0 && r.next == 0, "what is no note says nothing: %s", bad[i]);
	}
	return tap_done();
}
