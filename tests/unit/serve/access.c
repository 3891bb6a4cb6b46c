/* access.c - tests of serve/access: slower with each failure, then locked out */
#include "serve/access.h"

#include "tap.h"

int
main(void)
{
	mt_auto(mt_serve_access) a = mt_serve_access_new(3, 60000);

	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 0), "nobody is locked out at first");
	is_int(mt_serve_access_begin(a, "192.0.2.1", 1000), 500, "a failure costs time");
	is_int(mt_serve_access_begin(a, "192.0.2.1", 2000), 1000, "the second more");
	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 2000), "two are forgiven");
	mt_serve_access_begin(a, "192.0.2.1", 3000);
	ok(mt_serve_access_is_locked(a, "192.0.2.1", 3000), "the third locks out");
	ok(!mt_serve_access_is_locked(a, "192.0.2.2", 3000), "but not the neighbour");
	ok(mt_serve_access_is_locked(a, "192.0.2.1", 62999), "for the whole time");
	ok(!mt_serve_access_is_locked(a, "192.0.2.1", 63000), "and no longer");
	is_int(mt_serve_access_begin(a, "192.0.2.1", 70000), 500, "then all is forgotten");
	for (int i = 0; i < 3; i++)
		mt_serve_access_begin(a, "2001:db8:1:2::1", 1000);
	ok(mt_serve_access_is_locked(a, "2001:db8:1:2:ffff::9", 1000),
	    "IPv6: the whole /64");
	ok(!mt_serve_access_is_locked(a, "2001:db8:1:3::1", 1000), "not the next /64");
	for (int i = 0; i < 50; i++)
		is_int(mt_serve_access_begin(a, "198.51.100.1", 1000) <= 5000, 1,
		    "no answer is held back for more than five seconds");
	for (int i = 0; i < 9; i++) {
		mt_serve_access_begin(a, "203.0.113.1", 1000);
		mt_serve_access_right(a, "203.0.113.1");
	}
	is_int(mt_serve_access_begin(a, "203.0.113.1", 1000), 500, "who is right does not count");
	mt_serve_access_right(a, "203.0.113.9");
	return tap_done();
}
