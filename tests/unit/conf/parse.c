/* parse.c - tests of conf/parse: every mistake is named with its file and line */
#include "conf/parse.h"

#include "tap.h"

static const struct mt_conf_word words[] = {
	{ "hostname", MT_CONF_STRING, 0, 0, NULL },
	{ "domains", MT_CONF_LIST, 0, 0, NULL },
	{ "port", MT_CONF_INT, 1, 65535, "25" },
	{ "size_max", MT_CONF_SIZE, 1024, 0, "50M" },
	{ "timeout", MT_CONF_TIME, 1, 3600, "5m" },
	{ "verbose", MT_CONF_BOOL, 0, 0, "no" },
	{ 0 },
};
static const struct mt_conf_word account_words[] = {
	{ "from", MT_CONF_STRING, 0, 0, NULL },
	{ "tls", MT_CONF_BOOL, 0, 0, "yes" },
	{ 0 },
};
static const struct mt_conf_kind kinds[] = { { "account", account_words }, { 0 } };

static const struct {
	const char *name, *text, *want;
} bad[] = {
	{ "a typing error", "\nhostnam = \"a\"\n",
	    "f:2: unknown word \"hostnam\"; did you mean \"hostname\"?" },
	{ "a stranger", "xyzzy = \"a\"\n", "f:1: unknown word \"xyzzy\"" },
	{ "in a section", "account a {\n\n fron = \"x\"\n}\n",
	    "f:3: unknown word \"fron\"; did you mean \"from\"?" },
	{ "text for a number", "# c\nport = smtp\n", "f:2: port: \"smtp\" is not a number" },
	{ "a number out of range", "port = 65536\n",
	    "f:1: port: 65536 is not between 1 and 65535" },
	{ "a negative number", "port = -1\n", "f:1: port: \"-1\" is not a number" },
	{ "a unit that is none", "size_max = 25X\n",
	    "f:1: size_max: \"25X\" is not a size like 64k or 25M" },
	{ "a time that is none", "timeout = soon\n",
	    "f:1: timeout: \"soon\" is not a time like 30s, 5m or 1h" },
	{ "neither yes nor no", "verbose = maybe\n",
	    "f:1: verbose: \"maybe\" is neither yes nor no" },
	{ "a variable that is not set", "# ${A}\nhostname = \"a\n${MT_UNSET}/b\"\n",
	    "f:3: ${MT_UNSET} is not set in the environment; "
	    "in single quotes it stands for itself" },
	{ "the same without quotes", "hostname = ${MT_UNSET}\n",
	    "f:1: ${MT_UNSET} is not set in the environment; "
	    "in single quotes it stands for itself" },
	{ "said twice", "hostname = \"a\"\nhostname = \"b\"\n",
	    "f:2: hostname: said twice (first in line 1)" },
	{ "a list said twice", "domains = { \"a\" }\ndomains = { \"b\" }\n",
	    "f:2: domains: said twice (first in line 1)" },
};

static void
test_bad(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct mt_err err = { 0 };
		mt_auto(mt_conf) c = mt_conf_parse("f", bad[i].text, words, kinds, &err);

		is_str(err.msg, bad[i].want, "refused: %s", bad[i].name);
		ok(c == NULL && err.kind == MT_ECONF, "no result: %s", bad[i].name);
	}
}

static void
test_syntax(void)
{
	static const char *const texts[] = { "hostname\n", "hostname = \n", "= 3\n",
		"domains = { \"a\"\n", "account { }\n", "account a {\n", "hostname = \"x\n",
		"account a { }\naccount a { }\n", "}\n" };

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct mt_err err = { 0 };
		mt_auto(mt_conf) c = mt_conf_parse("f", texts[i], words, kinds, &err);

		ok(c == NULL && err.kind == MT_ECONF && strncmp(err.msg, "f:", 2) == 0,
		    "bad syntax %zu: %s", i, err.msg);
	}
}

static void
test_variables(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "hostname = \"${MT_SET}/b\"\n", "x/b" },
		{ "hostname = '${MT_UNSET}'\n", "${MT_UNSET}" },
		{ "hostname = \"\\${MT_UNSET}\"\n", "${MT_UNSET}" },
		{ "hostname = \"$MT_UNSET\"\n", "$MT_UNSET" },
	};

	g_setenv("MT_SET", "x", TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		mt_auto(mt_conf) c = mt_conf_parse("f", cases[i].text, words, kinds, &err);

		if (ok(c != NULL, "%s%s", cases[i].text, err.msg))
			is_str(mt_conf_string(mt_conf_top(c), "hostname"), cases[i].want,
			    "is what it says");
	}
}

static void
test_good(void)
{
	struct mt_err err = { 0 };
	const struct mt_conf_block *top, *a;
	mt_auto(mt_conf) c = mt_conf_parse("f",
	    "hostname = \"mail {\" // {\n"
	    "domains = {\n \"one\",\n 'two' }\n"
	    "size_max = 2k /* {\n */\n"
	    "timeout = 1h\n"
	    "verbose = on\n"
	    "account work\n{\n from = \"a@b\"\n}\n"
	    "account home { tls = no }\n",
	    words, kinds, &err);

	if (!ok(c != NULL, "a good file is understood: %s", err.msg))
		return;
	top = mt_conf_top(c);
	is_str(mt_conf_string(top, "hostname"), "mail {", "string");
	is_int(mt_conf_list_size(top, "domains"), 2, "list");
	is_str(mt_conf_list(top, "domains", 1), "two", "second of the list");
	is_int(mt_conf_number(top, "size_max"), 2048, "size");
	is_int(mt_conf_number(top, "timeout"), 3600, "time");
	is_int(mt_conf_number(top, "port"), 25, "fallback");
	ok(!mt_conf_is_set(top, "port"), "which was not set");
	ok(mt_conf_bool(top, "verbose"), "bool");
	is_int(mt_conf_sections(c, "account"), 2, "two sections");
	a = mt_conf_section(c, "account", 0);
	is_str(mt_conf_title(a), "work", "title");
	is_int(mt_conf_block_line(a), 10, "line where a section begins");
	ok(mt_conf_bool(a, "tls"), "fallback in a section");
	a = mt_conf_section(c, "account", 1);
	is_int(mt_conf_block_line(a), 13, "line of the second");
	ok(!mt_conf_bool(a, "tls"), "value in a section");
	ok(mt_conf_string(a, "from") == NULL, "no value, no fallback");
	mt_conf_fail_item(top, "domains", 1, &err, "is bad");
	is_str(err.msg, "f:4: domains: is bad", "an error names the line of a list's item");
	mt_conf_fail(a, "from", &err, "is missing");
	is_str(err.msg, "f:13: from: is missing", "a missing word names the section");
}

int
main(void)
{
	test_bad();
	test_syntax();
	test_variables();
	test_good();
	return tap_done();
}
