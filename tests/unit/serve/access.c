/* access.c - tests of serve/access: slower with each failure, then locked out */
#include "serve/access.h"

#include "tap.h"

static uint32_t
fail(struct mt_serve_access *a, const char *peer, uint64_t now_ms)
{
	mt_serve_access_begin(a, peer, now_ms);
	return mt_serve_access_failed(a, peer, now_ms);
}

int
main(void)
{
	mt_auto(mt_serve_access) a = mt_serve_access_new(3, 60000);

	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 0), "nobody is locked out at first");
	is_int(fail(a, "192.0.2.1", 1000), 500, "a failure costs time");
	is_int(fail(a, "192.0.2.1", 2000), 1000, "the second more");
	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 2000), "two are forgiven");
	fail(a, "192.0.2.1", 3000);
	ok(mt_serve_access_is_locked(a, "192.0.2.1", 3000), "the third locks out");
	ok(!mt_serve_access_is_locked(a, "192.0.2.2", 3000), "but not the neighbour");
	ok(mt_serve_access_is_locked(a, "192.0.2.1", 62999), "for the whole time");
	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 63000), "and no longer");
	is_int(fail(a, "192.0.2.1", 70000), 500, "then all is forgotten");
	for (int i = 0; i < 3; i++)
		fail(a, "2001:db8:1:2::1", 1000);
	ok(mt_serve_access_is_locked(a, "2001:db8:1:2:ffff::9", 1000),
	    "IPv6: the whole /64");
	ok(!mt_serve_access_is_locked(a, "2001:db8:1:3::1", 1000), "not the next /64");
	for (int i = 0; i < 50; i++)
		is_int(fail(a, "198.51.100.1", 1000) <= 5000, 1,
		    "no answer is held back for more than five seconds");
	for (int i = 0; i < 3; i++)
		mt_serve_access_begin(a, "203.0.113.1", 1000);
	ok(mt_serve_access_is_locked(a, "203.0.113.1", 1000), "three at once are three");
	for (int i = 0; i < 3; i++)
		mt_serve_access_right(a, "203.0.113.1");
	ok(!mt_serve_access_is_locked(a, "203.0.113.1", 1000), "if they are not right");
	fail(a, "203.0.113.1", 1000);
	mt_serve_access_begin(a, "203.0.113.1", 60000);
	mt_serve_access_right(a, "203.0.113.1");
	is_int(fail(a, "203.0.113.1", 61001), 500,
	    "who is right meanwhile does not keep a failure alive");
	mt_serve_access_right(a, "203.0.113.9");
	return tap_done();
}
