/* name.c - names of messages in a Maildir */
#include "maildir/name.h"

#include "tap.h"

static const struct {
	const char *file, *unique, *flags;
	uint64_t size;
	int64_t time;
	bool good;
} cases[] = {
	{ "1700000000.M1P2Q3R4.host,S=12:2,FS", "1700000000.M1P2Q3R4.host,S=12", "FS", 12,
	    1700000000, true },
	{ "1700000000.x.host", "1700000000.x.host", "", UINT64_MAX, 1700000000, true },
	{ "1.a.b,S=5,W=6:2,", "1.a.b,S=5,W=6", "", 5, 1, true },
	{ "1.a.b,U=7,S=99", "1.a.b,U=7,S=99", "", 99, 1, true },
	{ "1.a.b,S=x", "1.a.b,S=x", "", UINT64_MAX, 1, true },
	{ "1.a.b,S=99999999999999999999", "1.a.b,S=99999999999999999999", "", UINT64_MAX, 1,
	    true },
	{ "name:1,old", "name", "", UINT64_MAX, 0, true },
	{ "12abc", "12abc", "", UINT64_MAX, 0, true },
	{ ".hidden", NULL, NULL, 0, 0, false },
	{ "", NULL, NULL, 0, 0, false },
	{ "a/b", NULL, NULL, 0, 0, false },
};

int
main(void)
{
	char one[MT_MAILDIR_NAME_SIZE], two[MT_MAILDIR_NAME_SIZE];
	struct mt_maildir_name n;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool good = mt_maildir_name_parse(cases[i].file, &n);

		ok(good == cases[i].good, "parse \"%s\"", cases[i].file);
		if (!good || !cases[i].good)
			continue;
		ok(mt_slice_eq(n.unique, mt_slice_str(cases[i].unique)), "its unique part");
		ok(mt_slice_eq(n.flags, mt_slice_str(cases[i].flags)), "its flags");
		ok(n.size == cases[i].size && n.time == cases[i].time, "its size and time");
	}
	mt_maildir_name_unique(one);
	mt_maildir_name_unique(two);
	ok(strcmp(one, two) != 0, "two names differ");
	ok(strchr(one, ':') == NULL && strchr(one, '/') == NULL && strchr(one, ',') == NULL,
	    "a name holds no separator: %s", one);
	ok(mt_maildir_name_with_flags(MT_SLICE("u"), MT_SLICE("TSS"), one), "with flags");
	is_str(one, "u:2,ST", "sorted, each once");
	ok(!mt_maildir_name_with_flags(MT_SLICE("u"), MT_SLICE("S/../x"), one),
	    "flags that are none are refused");
	return tap_done();
}
