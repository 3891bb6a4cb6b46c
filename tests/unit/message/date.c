/* date.c - dates of header fields, and message ids */
#include "message/date.h"

#include <glib.h>
#include <locale.h>
#include <time.h>

#include "base/limits.h"
#include "message/msgid.h"
#include "tap.h"

#define NOVEMBER 1795386605	/* 2026-11-22 22:30:05 UTC */

static const struct {
	const char *name, *text;
	bool valid, known;
	int64_t seconds;
	int offset;
} cases[] = {
	{ "RFC 5322", "Sun, 22 Nov 2026 23:30:05 +0100", true, true, NOVEMBER, 60 },
	{ "no day name", "22 Nov 2026 22:30:05 +0000", true, true, NOVEMBER, 0 },
	{ "west", "22 Nov 2026 17:00:05 -0530", true, true, NOVEMBER, -330 },
	{ "-0000 says nothing", "22 Nov 2026 22:30:05 -0000", true, false, NOVEMBER, 0 },
	{ "no seconds", "22 Nov 2026 22:30 +0000", true, true, NOVEMBER - 5, 0 },
	{ "no zone", "22 Nov 2026 22:30:05", true, false, NOVEMBER, 0 },
	{ "GMT", "22 Nov 2026 22:30:05 GMT", true, true, NOVEMBER, 0 },
	{ "EST", "22 Nov 2026 17:30:05 EST", true, true, NOVEMBER, -300 },
	{ "PDT", "22 Nov 2026 15:30:05 PDT", true, true, NOVEMBER, -420 },
	{ "a military letter is -0000", "22 Nov 2026 22:30:05 A", true, false, NOVEMBER, 0 },
	{ "Z", "22 Nov 2026 22:30:05 Z", true, true, NOVEMBER, 0 },
	{ "an unknown zone", "22 Nov 2026 22:30:05 XYZ", true, false, NOVEMBER, 0 },
	{ "a zone in a comment", "22 Nov 2026 23:30:05 +0100 (CET)", true, true, NOVEMBER, 60 },
	{ "GMT+0100", "22 Nov 2026 23:30:05 GMT+0100", true, true, NOVEMBER, 60 },
	{ "+01:00", "22 Nov 2026 23:30:05 +01:00", true, true, NOVEMBER, 60 },
	{ "two digits of a year", "22 Nov 26 22:30:05 GMT", true, true, NOVEMBER, 0 },
	{ "49 is 2049", "1 Jan 49 00:00:00 GMT", true, true, 2493072000, 0 },
	{ "50 is 1950", "1 Jan 50 00:00:00 GMT", true, true, -631152000, 0 },
	{ "three digits of a year", "1 Jan 100 00:00:00 GMT", true, true, 946684800, 0 },
	{ "comments and folds", "(a (b)) Sun\r\n , (x) 22 (y) Nov\n\t2026 22 : 30 : 05 +0000",
	    true, true, NOVEMBER, 0 },
	{ "ctime(3)", "Sun Nov 22 22:30:05 2026", true, false, NOVEMBER, 0 },
	{ "ctime(3) with a zone", "Sun Nov 22 23:30:05 2026 +0100", true, true, NOVEMBER, 60 },
	{ "hyphens", "22-Nov-2026 22:30:05 +0000", true, true, NOVEMBER, 0 },
	{ "case", "sUN, 22 nOV 2026 22:30:05 gmt", true, true, NOVEMBER, 0 },
	{ "a month in full", "22 November 2026 22:30:05 GMT", true, true, NOVEMBER, 0 },
	{ "a leap day", "29 Feb 2024 00:00:00 GMT", true, true, 1709164800, 0 },
	{ "a leap second", "31 Dec 2016 23:59:60 GMT", true, true, 1483228800, 0 },
	{ "the beginning", "1 Jan 1970 00:00:00 +0000", true, true, 0, 0 },
	{ "before it", "31 Dec 1969 23:59:59 +0000", true, true, -1, 0 },
	{ "far away", "31 Dec 9999 23:59:59 +0000", true, true, 253402300799, 0 },
	{ "an impossible zone is none", "22 Nov 2026 22:30:05 +9999", true, false, NOVEMBER, 0 },
	{ "no leap day", "29 Feb 2023 00:00:00 GMT", false, false, 0, 0 },
	{ "day 0", "0 Jan 2026 00:00:00 GMT", false, false, 0, 0 },
	{ "hour 24", "1 Jan 2026 24:00:00 GMT", false, false, 0, 0 },
	{ "minute 60", "1 Jan 2026 00:60:00 GMT", false, false, 0, 0 },
	{ "no month", "22 2026 22:30:05", false, false, 0, 0 },
	{ "no time", "22 Nov 2026", false, false, 0, 0 },
	{ "no year", "22 Nov 22:30:05", false, false, 0, 0 },
	{ "a huge number", "99999999999999999999 Nov 2026 1:1", false, false, 0, 0 },
	{ "words", "yesterday at noon", false, false, 0, 0 },
	{ "nothing", "", false, false, 0, 0 },
	{ "an open comment", "((((", false, false, 0, 0 },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *exact = tap_exact(cases[i].text, n);
		struct mt_date d = { 0, 0, false };

		ok(mt_date_parse(mt_slice_mem(exact, n), &d) == cases[i].valid,
		    "%s is %s", cases[i].name, cases[i].valid ? "a date" : "none");
		if (cases[i].valid) {
			is_int(d.seconds, cases[i].seconds, "its time");
			is_int(d.offset_min, cases[i].offset, "its offset");
			ok(d.offset_known == cases[i].known, "whether that is known");
		}
		free(exact);
	}
}

static void
test_format(void)
{
	char out[MT_DATE_SIZE];
	bool same = true;

	mt_date_format_at(NOVEMBER, 60, out);
	is_str(out, "Sun, 22 Nov 2026 23:30:05 +0100", "east");
	mt_date_format_at(NOVEMBER, -330, out);
	is_str(out, "Sun, 22 Nov 2026 17:00:05 -0530", "west");
	mt_date_format_at(-1, 0, out);
	is_str(out, "Wed, 31 Dec 1969 23:59:59 +0000", "before 1970");
	mt_date_format_at(INT64_MAX / 2, 0, out);
	is_str(out, "Thu, 01 Jan 1970 00:00:00 +0000", "no year of ours");
	setenv("TZ", "Asia/Kathmandu", 1);
	tzset();
	setlocale(LC_ALL, "C.UTF-8");
	mt_date_format(NOVEMBER, out);
	is_str(out, "Mon, 23 Nov 2026 04:15:05 +0545", "the local zone");
	for (int64_t t = -62167219200; t < 253402300800; t += 86400 * 37 + 12345) {
		struct mt_date d;
		time_t when = (time_t)t;
		struct tm tm;
		char want[40];

		gmtime_r(&when, &tm);
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S +0000", &tm);
		mt_date_format_at(t, 0, out);
		/* A year below 1000 has four digits here, and below 100 would be a short one. */
		if (tm.tm_year >= 1000 - 1900)
			same = same && strcmp(out, want) == 0;
		same = same && mt_date_parse(mt_slice_str(out), &d) && d.seconds == t;
	}
	ok(same, "ten thousand years agree with gmtime(3) and come back");
}

static void
test_new_id(void)
{
	g_autofree char *a = mt_msgid_new("b.c"), *b = mt_msgid_new("b.c");
	g_autofree char *host = mt_msgid_new("bad domain>\r\n");
	g_autofree char *back = mt_msgid_parse_one(mt_slice_str(a));

	ok(strcmp(a, b) != 0, "two ids differ");
	ok(g_str_has_suffix(a, "@b.c>") && a[0] == '<', "in our domain: %s", a);
	is_str(back, a, "and can be read back");
	ok(strpbrk(host, " \r\n") == NULL && g_str_has_suffix(host, ">"),
	    "a bad domain becomes the host's name");
}

static void
test_ids(void)
{
	static const struct {
		const char *name, *text, *want;
	} lists[] = {
		{ "one", "<a@b>", "<a@b>" },
		{ "some", "<a@b> <c@d>\r\n <e@f>", "<a@b> <c@d> <e@f>" },
		{ "no blanks", "<a@b><c@d>", "<a@b> <c@d>" },
		{ "twice", "<a@b> <c@d> <a@b>", "<a@b> <c@d>" },
		{ "words between", "message <a@b> of \"Ada\" <c@d>", "<a@b> <c@d>" },
		{ "folded inside", "<a@\r\n b>", "<a@b>" },
		{ "a blank inside", "<a b@c> <c@d> <e@f >", "<c@d>" },
		{ "a tab inside", "<a@\tb> <c@d>", "<c@d>" },
		{ "8-bit characters", "<\xc3\xa4@b> <a@\xe4> <a@\xc2\xa0" "b> <c@d>", "<c@d>" },
		{ "DEL", "<a\x7f@b> <c@d>", "<c@d>" },
		{ "a cut one", "<a@b> <c@", "<a@b>" },
		{ "brackets in a row", "<<a@b>>", "<a@b>" },
		{ "empty", "<> <a@b>", "<a@b>" },
		{ "a control character", "<a\x1b@b> <c@d>", "<c@d>" },
		{ "nothing", "", "" },
	};
	GString *many = g_string_new(NULL), *long_id = g_string_new("<");
	g_auto(GStrv) got = NULL, none = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		size_t n = strlen(lists[i].text);
		char *exact = tap_exact(lists[i].text, n);
		g_auto(GStrv) ids = mt_msgid_parse(mt_slice_mem(exact, n));
		g_autofree char *all = g_strjoinv(" ", ids);

		is_str(all, lists[i].want, "ids: %s", lists[i].name);
		free(exact);
	}
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(many, "<%d@b> ", i);
	got = mt_msgid_parse(mt_slice_mem(many->str, many->len));
	is_int(g_strv_length(got), MT_MAX_REFERENCES, "a long chain is cut");
	is_str(got[0], "<0@b>", "its first id stays");
	is_str(got[MT_MAX_REFERENCES - 1], "<999@b>", "and the last ones");
	for (size_t i = 0; i < 2000; i++)
		g_string_append_c(long_id, 'x');
	g_string_append_c(long_id, '>');
	none = mt_msgid_parse(mt_slice_mem(long_id->str, long_id->len));
	ok(none[0] == NULL, "an id that no line can hold is passed over");
	g_string_free(many, TRUE);
	g_string_free(long_id, TRUE);
}

int
main(void)
{
	test_parse();
	test_format();
	test_new_id();
	test_ids();
	return tap_done();
}
