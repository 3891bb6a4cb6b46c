/* set.c - sets of UIDs: parsing, adding in any order, text */
#include "imap/set.h"

#include "tap.h"

static const struct {
	const char *text;
	const char *again;	/* NULL: it is none */
	uint64_t count;
} cases[] = {
	{ "1", "1", 1 },
	{ "1:5", "1:5", 5 },
	{ "5:1", "1:5", 5 },
	{ "7,9", "7,9", 2 },
	{ "7,8", "7:8", 2 },
	{ "9,7,8", "7:9", 3 },
	{ "1:5,3:9", "1:9", 9 },
	{ "1:5,7:9,6", "1:9", 9 },
	{ "10:20,1:30", "1:30", 30 },
	{ "1,3,5,2:4", "1:5", 5 },
	{ "4294967295", "4294967295", 1 },
	{ "1:4294967295", "1:4294967295", 4294967295 },
	{ "4294967294,4294967295", "4294967294:4294967295", 2 },
	{ "1,4294967295,2", "1:2,4294967295", 3 },
	{ "", NULL, 0 },
	{ "0", NULL, 0 },
	{ "0:5", NULL, 0 },
	{ "*", NULL, 0 },
	{ "1:*", NULL, 0 },
	{ "1,", NULL, 0 },
	{ ",1", NULL, 0 },
	{ "1,,2", NULL, 0 },
	{ "1 2", NULL, 0 },
	{ "4294967296", NULL, 0 },
	{ "1:", NULL, 0 },
};

static void
test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto_value(mt_imap_set) set = { 0 };
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *copy = tap_exact(cases[i].text, strlen(cases[i].text));
		bool good = mt_imap_set_parse(&set, mt_slice_mem(copy, strlen(cases[i].text)));
		size_t at = 0;

		ok(good == (cases[i].again != NULL), "\"%s\"", cases[i].text);
		if (!good)
			continue;
		while (mt_imap_set_text(&set, &at, 1000, text))
			;
		is_str(text->str, cases[i].again, "\"%s\" as it is written", cases[i].text);
		is_int(mt_imap_set_count(&set), cases[i].count, "\"%s\": count", cases[i].text);
	}
}

/* Any order gives what a table of bits gives. */
static void
test_any_order(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	bool same = true, sorted = true;

	for (int run = 0; run < 200; run++) {
		mt_auto_value(mt_imap_set) set = { 0 };
		bool bits[102] = { false };

		for (int i = 0; i < 50; i++) {
			uint32_t from = (uint32_t)g_rand_int_range(rand, 1, 100);
			uint32_t to = from + (uint32_t)g_rand_int_range(rand, 0, 2);

			mt_imap_set_add(&set, from, to);
			for (uint32_t n = from; n <= to; n++)
				bits[n] = true;
		}
		for (uint32_t n = 1; n <= 101; n++)
			same = same && mt_imap_set_has(&set, n) == bits[n];
		for (size_t i = 1; i < set.n; i++)
			sorted = sorted && set.v[i].from > set.v[i - 1].to + 1;
	}
	ok(same, "10,000 ranges in any order: what was added is in the set, and nothing else");
	ok(sorted, "and no two ranges meet");
}

static void
test_pieces(void)
{
	mt_auto_value(mt_imap_set) set = { 0 }, again = { 0 };
	g_autoptr(GString) text = g_string_new(NULL);
	size_t at = 0, longest = 0, lines = 0;

	for (uint32_t n = 1; n < 4000; n += 2)
		mt_imap_set_add(&set, n, n);
	while (mt_imap_set_text(&set, &at, 200, text)) {
		longest = MAX(longest, text->len);
		mt_imap_set_parse(&again, mt_slice_str(text->str));
		g_string_truncate(text, 0);
		lines++;
	}
	ok(longest < 215 && lines > 40, "a long set in lines of 200 bytes, or a little more");
	is_int(mt_imap_set_count(&again), 2000, "nothing is left out");
}

int
main(void)
{
	test_cases();
	test_any_order();
	test_pieces();
	return tap_done();
}
