/* prepare.c - tests of conf/prepare: what libconfuse gets to read, and where sections begin */
#include "conf/prepare.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *name, *text, *want;
	const char *opened;	/* the lines in which sections begin */
} good[] = {
	{ "nothing", "", "", "" },
	{ "no comments", "a = 1\n\nb = 2\n", "a = 1\n\nb = 2\n", "" },
	{ "comments to the end of a line", "a # {\nb // }\nc", "a    \nb     \nc", "" },
	{ "one at the end", "a # b", "a    ", "" },
	{ "a comment of several lines", "a /* {\n b\n*/ c {\n}\n", "a     \n  \n   c {\n}\n",
	    "3" },
	{ "one without end", "a /* b\nc", "a     \n ", "" },
	{ "a slash alone", "a / b", "a / b", "" },
	{ "strings", "a = \"# /* {\" b = '// {' c", "a = \"# /* {\" b = '// {' c", "" },
	{ "a quote in a string", "a = \"\\\"#\" # b", "a = \"\\\"#\"    ", "" },
	{ "strings of several lines", "a = \"\n\\\n\"\nb {}", "a = \"\n\\\n\"\nb {}", "4" },
	{ "a string without end", "a = \"# {", "a = \"# {", "" },
	{ "a backslash at the end of one", "a = \"\\", "a = \"\\", "" },
	{ "sections", "a b {\n}\nc\n{\n}\nd e { }", "a b {\n}\nc\n{\n}\nd e { }", "1 4 6" },
	{ "a section after a string", "a \"b\" {}", "a \"b\" {}", "1" },
	{ "lists", "a = {\n1 }\nb =\n# x\n{ 2 }\n", "a = {\n1 }\nb =\n   \n{ 2 }\n", "" },
	{ "a variable without quotes", "a = ${MT_SET}\nb ${MT_SET} {\n}", "a = ${MT_SET}\nb "
	    "${MT_SET} {\n}", "2" },
	{ "those that are none", "a = '${MT_UNSET}' $MT_UNSET \"\\${MT_UNSET}\"",
	    "a = '${MT_UNSET}' $MT_UNSET \"\\${MT_UNSET}\"", "" },
}, bad[] = {
	{ "a section without end", "a\nb {\n\n", "f:2: this section has no end", "2" },
	{ "the last one", "a {\n}\nb {\n", "f:3: this section has no end", "1 3" },
	{ "one that ends with a variable", "a {\nb = ${MT_SET}\n", "f:1: this section has no end",
	    "1" },
	{ "a variable that is not set", "/*\n*/\na = ${MT_UNSET}", "f:3: ${MT_UNSET} is not set "
	    "in the environment; in single quotes it stands for itself", "" },
	{ "one in a string", "a {\nb = \"\n\\\n${MT_UNSET}", "f:4: ${MT_UNSET} is not set "
	    "in the environment; in single quotes it stands for itself", "1" },
};

static void
check_opened(const GArray *opened, const char *want, const char *name)
{
	GString *lines = g_string_new(NULL);

	for (guint i = 0; i < opened->len; i++)
		g_string_append_printf(lines, "%s%u", i > 0 ? " " : "",
		    g_array_index(opened, unsigned, i));
	is_str(lines->str, want, "%s: where sections begin", name);
	g_string_free(lines, TRUE);
}

static void
test_good(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GArray) opened = g_array_new(FALSE, FALSE, sizeof(unsigned));
		char *exact = tap_exact(good[i].text, strlen(good[i].text) + 1);
		struct mt_err err = { 0 };

		ok(mt_conf_prepare("f", exact, opened, &err) == 0, "%s: %s", good[i].name,
		    err.msg);
		is_str(exact, good[i].want, "%s: what is read", good[i].name);
		check_opened(opened, good[i].opened, good[i].name);
		free(exact);
	}
}

static void
test_bad(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GArray) opened = g_array_new(FALSE, FALSE, sizeof(unsigned));
		char *exact = tap_exact(bad[i].text, strlen(bad[i].text) + 1);
		struct mt_err err = { 0 };

		ok(mt_conf_prepare("f", exact, opened, &err) < 0 && err.kind == MT_ECONF,
		    "%s is refused", bad[i].name);
		is_str(err.msg, bad[i].want, "%s: with its line", bad[i].name);
		check_opened(opened, bad[i].opened, bad[i].name);
		free(exact);
	}
}

int
main(void)
{
	g_setenv("MT_SET", "x", TRUE);
	g_unsetenv("MT_UNSET");
	test_good();
	test_bad();
	return tap_done();
}
