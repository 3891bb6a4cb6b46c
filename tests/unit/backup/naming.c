/* naming.c - tests of libmt/backup/naming.c */
#include "tap.h"

#include "backup/naming.h"

/* In the order in which they were made. */
static const char *const made[] = {
	"20250101T000000Z-0000000a",
	"20250101T000000Z-0000000b",
	"20990101T000000Z-0000000c",
	"20250102T000000Z.1-0000000d",
	"20250103T000000Z.1-0000000e",
	"20250101T000000Z.2-0000000f",
	"20250101T000000Z.10-00000010",
};

static void
check_order(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(made); k++) {
			int got = mt_backup_naming_compare(&made[i], &made[k]);

			if ((got < 0) != (i < k) || (got > 0) != (i > k))
				ok(false, "%s and %s are in order", made[i], made[k]);
		}
	}
	ok(true, "names are in the order of their clocks");
}

static void
check_new(void)
{
	static const struct {
		const char *last, *begins;
	} cases[] = {
		{ NULL, "20260102T030405Z-" },
		{ "20260102T030404Z-ffffffff", "20260102T030405Z-" },
		{ "20260102T030406Z-00000000", "20260102T030405Z.1-" },
		{ "20260102T030406Z.9-00000000", "20260102T030405Z.10-" },
		{ "20250102T030406Z.9-00000000", "20260102T030405Z.9-" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		g_autofree char *name = NULL;

		if (cases[i].last != NULL)
			g_ptr_array_add(names, (char *)(uintptr_t)cases[i].last);
		name = mt_backup_naming_new(names, 1767323045, mt_slice_str("x"));
		ok(g_str_has_prefix(name, cases[i].begins), "behind %s comes %s",
		    cases[i].last == NULL ? "nothing" : cases[i].last, cases[i].begins);
		ok(g_str_has_suffix(name, "-2d711642"), "with the digits of its text");
	}
}

static void
check_find(void)
{
	static const struct {
		const char *word, *found;
		enum mt_err_kind kind;
	} cases[] = {
		{ NULL, "20250101T000000Z.10-00000010", MT_ENONE },
		{ "latest", "20250101T000000Z.10-00000010", MT_ENONE },
		{ "2099", "20990101T000000Z-0000000c", MT_ENONE },
		{ "0000000d", "20250102T000000Z.1-0000000d", MT_ENONE },
		{ "20250103T000000Z.1-0000000e", "20250103T000000Z.1-0000000e", MT_ENONE },
		{ "000000d", NULL, MT_ENOINPUT },
		{ "2024", NULL, MT_ENOINPUT },
		{ "20250101", NULL, MT_EUSAGE },
		{ "", NULL, MT_EUSAGE },
	};
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(made); i++)
		g_ptr_array_add(names, (char *)(uintptr_t)made[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		const char *got = mt_backup_naming_find(names, cases[i].word, &err);

		ok(g_strcmp0(got, cases[i].found) == 0 && err.kind == cases[i].kind,
		    "\"%s\" is %s", cases[i].word == NULL ? "(none)" : cases[i].word,
		    cases[i].found == NULL ? "no snapshot" : cases[i].found);
	}
}

int
main(void)
{
	check_order();
	check_new();
	check_find();
	return tap_done();
}
