/* addr.c - address lists: strict, lax, formatting, and the isemail suite */
#include "message/addr.h"

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <unistd.h>

#include "base/limits.h"
#include "tap.h"

/* Expected: names and mailboxes as they are, "|" between; NULL: refused. */
static const struct {
	const char *name, *text, *strict, *lax;
} cases[] = {
	{ "a plain one", "a@b.c", "a@b.c", "a@b.c" },
	{ "with a name", "Ada Lovelace <ada@example.org>",
	    "Ada Lovelace <ada@example.org>", "Ada Lovelace <ada@example.org>" },
	{ "a quoted name", "\"Lovelace, Ada\" <a@b.c>", "Lovelace, Ada <a@b.c>",
	    "Lovelace, Ada <a@b.c>" },
	{ "escapes in a quoted name", "\"a \\\"b\\\" \\\\c\" <a@b.c>",
	    "a \"b\" \\c <a@b.c>", "a \"b\" \\c <a@b.c>" },
	{ "a list", "a@b.c, D <d@e.f>,,g@h.i", "a@b.c|D <d@e.f>|g@h.i",
	    "a@b.c|D <d@e.f>|g@h.i" },
	{ "a dot in the name", "John Q. Public <j@b.c>", "John Q. Public <j@b.c>",
	    "John Q. Public <j@b.c>" },
	{ "an encoded name", "=?utf-8?q?J=C3=BCrgen?= M <j@b.c>", "Jürgen M <j@b.c>",
	    "Jürgen M <j@b.c>" },
	{ "UTF-8 all over", "Jürgen <jürgen@exämple.org>", "Jürgen <jürgen@exämple.org>",
	    "Jürgen <jürgen@exämple.org>" },
	{ "a group", "team: a@b.c, d@e.f;", "a@b.c|d@e.f", "a@b.c|d@e.f" },
	{ "a group and one more", "team: a@b.c;, x@y.z", "a@b.c|x@y.z", "a@b.c|x@y.z" },
	{ "an empty group", "undisclosed-recipients:;", "", "" },
	{ "a group in a group", "a: b: c@d.e;;", NULL, "" },
	{ "a group without end", "team: a@b.c", NULL, "a@b.c" },
	{ "a comment is a name", "a@b.c (Ada (the) first)", "Ada (the) first <a@b.c>",
	    "Ada (the) first <a@b.c>" },
	{ "comments everywhere", "(x)Ada(y)<(z)a@b.c(q)>(r)", "Ada <a@b.c>", "Ada <a@b.c>" },
	{ "an old route", "<@r.s,@t.u:a@b.c>", "a@b.c", "a@b.c" },
	{ "a quoted local part", "\"a b\"@b.c", "\"a b\"@b.c", "\"a b\"@b.c" },
	{ "needless quotes go", "\"ab\"@b.c", "ab@b.c", "ab@b.c" },
	{ "a literal", "a@[192.0.2.1]", "a@[192.0.2.1]", "a@[192.0.2.1]" },
	{ "folded", "Ada\r\n <a@b.c>,\n\td@e.f", "Ada <a@b.c>|d@e.f", "Ada <a@b.c>|d@e.f" },
	{ "a line end without a blank", "a@b.c,\nd@e.f", NULL, "a@b.c|d@e.f" },
	{ "no @", "ada", NULL, "" },
	{ "two @", "a@b@c.d", NULL, "" },
	{ "no >", "Ada <a@b.c", NULL, "Ada <a@b.c>" },
	{ "text behind", "a@b.c Ada", NULL, "" },
	{ "a byte in the domain", "foo@bar)baz.org, d@e.f", NULL, "d@e.f" },
	{ "the same in brackets", "F <foo@bar)baz.org>, d@e.f", NULL, "d@e.f" },
	{ "a blank in the domain", "foo@bar baz.org, d@e.f", NULL, "d@e.f" },
	{ "a backslash in it", "foo@bar\\baz.org, d@e.f", NULL, "d@e.f" },
	{ "a control in the domain", "foo@bar\x01" "baz.org, d@e.f", NULL, "d@e.f" },
	{ "a byte in the local part", "foo)bar@baz.org, d@e.f", NULL, "d@e.f" },
	{ "a parenthesis alone", ")@baz.org, d@e.f", NULL, "d@e.f" },
	{ "a literal without end", "q@[1.2>.3, d@e.f", NULL, "d@e.f" },
	{ "a control in a literal", "q@[1.2\x01.3], d@e.f", NULL, "d@e.f" },
	{ "a hyphen at the start", "z@-a.org, d@e.f", NULL, "d@e.f" },
	{ "a line end in quotes", "\"a\nb\"@c.d, d@e.f", NULL, "d@e.f" },
	{ "a tab in quotes", "\"a\tb\"@c.d, d@e.f", NULL, "d@e.f" },
	{ "a control in a quoted name", "\"a\x01z\" <a@b.c>", NULL, "a z <a@b.c>" },
	{ "a route without end", "<@foo bar@x.y>, d@e.f", NULL, "d@e.f" },
	{ "an address and a name in the name", "a@b.c via (x) L <l@x.y>", NULL,
	    "a@b.c via L <l@x.y>" },
	{ "a local part that is not UTF-8", "J\xfcrgen@b.c, d@e.f", NULL, "d@e.f" },
	{ "a domain that is not UTF-8", "a@b\xfc" "cher.example, d@e.f", NULL, "d@e.f" },
	{ "an unquoted @ in the name", "a@b.c <a@b.c>", NULL, "a@b.c <a@b.c>" },
	{ "brackets in the name", "[list] Ada <a@b.c>", NULL, "[list] Ada <a@b.c>" },
	{ "an open quote", "\"Ada <a@b.c>", NULL, "\"Ada <a@b.c>" },
	{ "an open comment", "(Ada <a@b.c>", NULL, "(Ada <a@b.c>" },
	{ "dots in a row", "a..b.@docomo.example", NULL, "\"a..b.\"@docomo.example" },
	{ "semicolons between", "a@b.c; d@e.f", NULL, "a@b.c|d@e.f" },
	{ "one bad among good", "a@b.c, nobody, d@e.f", NULL, "a@b.c|d@e.f" },
	{ "empty brackets", "<>", NULL, "" },
	{ "a control character", "a\x01z@b.c", NULL, "" },
	{ "an override in the name", "a\xe2\x80\xaez <a@b.c>", "a z <a@b.c>", "a z <a@b.c>" },
	{ "an override in the local part", "a\xe2\x80\xaez@b.c", NULL, "" },
	{ "a name that is not UTF-8", "J\xfcrgen <j@b.c>", "Jürgen <j@b.c>",
	    "Jürgen <j@b.c>" },
	{ "a comment that is not UTF-8", "j@b.c (J\xfcrgen)", "Jürgen <j@b.c>",
	    "Jürgen <j@b.c>" },
	{ "a hyphen at a label's end", "a@b-.c", NULL, "" },
	{ "a dot at the end", "a@b.c.", NULL, "a@b.c" },
	{ "nothing", "", "", "" },
};

static char *
join(const struct mt_addr_list *list)
{
	GString *all = g_string_new(NULL);

	for (size_t i = 0; i < list->n; i++) {
		const struct mt_addr *a = &list->v[i];
		g_autofree char *spec = mt_addr_spec(a);

		if (i > 0)
			g_string_append_c(all, '|');
		if (a->name != NULL)
			g_string_append_printf(all, "%s <%s>", a->name, spec);
		else
			g_string_append(all, spec);
	}
	return g_string_free(all, FALSE);
}

static void
test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *exact = tap_exact(cases[i].text, n);
		mt_auto_value(mt_addr_list) strict = { 0 }, lax = { 0 };
		struct mt_err err = { 0 };
		int rc = mt_addr_parse(mt_slice_mem(exact, n), &strict, &err);
		g_autofree char *got = rc == 0 ? join(&strict) : NULL;
		g_autofree char *got_lax = NULL;

		is_str(got, cases[i].strict, "strict: %s", cases[i].name);
		if (rc < 0)
			ok(err.kind == MT_EDATA && err.msg[0] != '\0', "and says why: %s",
			    err.msg);
		mt_addr_parse_lax(mt_slice_mem(exact, n), &lax);
		got_lax = join(&lax);
		is_str(got_lax, cases[i].lax, "lax: %s", cases[i].name);
		free(exact);
	}
}

static void
test_display(void)
{
	static const struct {
		const char *name, *text, *want;
	} shown[] = {
		{ "a name", "=?utf-8?q?J=C3=BCrgen?= Q. M <j@b.c>", "Jürgen Q. M <j@b.c>" },
		{ "no name", "j@b.c", "j@b.c" },
		{ "a name with a comma", "\"L, A\" <a@b.c>", "\"L, A\" <a@b.c>" },
		{ "a name that plays an address", "=?utf-8?q?boss=40example.org=3E?= <a@b.c>",
		    "\"boss@example.org>\" <a@b.c>" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(shown); i++) {
		mt_auto_value(mt_addr_list) list = { 0 };
		g_autofree char *got = NULL;

		mt_addr_parse_lax(mt_slice_str(shown[i].text), &list);
		got = list.n == 1 ? mt_addr_display(&list.v[0]) : NULL;
		is_str(got, shown[i].want, "display: %s", shown[i].name);
	}
}

static const struct {
	const char *name;
	struct mt_addr a;
	const char *want;
} formats[] = {
	{ "no name", { NULL, (char *)"a", (char *)"b.c" }, "a@b.c" },
	{ "a plain name", { (char *)"Ada L", (char *)"a", (char *)"b.c" }, "Ada L <a@b.c>" },
	{ "a name to quote", { (char *)"L, \"A\"", (char *)"a", (char *)"b.c" },
	    "\"L, \\\"A\\\"\" <a@b.c>" },
	{ "a name to encode", { (char *)"é", (char *)"a", (char *)"b.c" },
	    "=?UTF-8?B?w6k=?= <a@b.c>" },
	{ "a name that looks encoded", { (char *)"=?a?q?b?=", (char *)"a", (char *)"b.c" },
	    "=?UTF-8?B?PT9hP3E/Yj89?= <a@b.c>" },
	{ "a local part to quote", { NULL, (char *)"a b", (char *)"b.c" }, "\"a b\"@b.c" },
	{ "a domain in A-labels", { NULL, (char *)"a", (char *)"Bücher.example" },
	    "a@xn--bcher-kva.example" },
	{ "a UTF-8 local part keeps its domain",
	    { NULL, (char *)"ü", (char *)"bücher.example" }, "ü@bücher.example" },
};

static void
test_format(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *got = mt_addr_format(&formats[i].a);

		is_str(got, formats[i].want, "format: %s", formats[i].name);
	}
}

static void
test_same(void)
{
	struct mt_addr a = { NULL, (char *)"Ada", (char *)"Bücher.example" };
	struct mt_addr b = { (char *)"x", (char *)"ada", (char *)"xn--bcher-kva.EXAMPLE" };
	struct mt_addr c = { NULL, (char *)"ada", (char *)"buecher.example" };
	struct mt_addr bad = { NULL, (char *)"a", (char *)"a b" };
	struct mt_addr kelvin = { NULL, (char *)"\xe2\x84\xaa", (char *)"b.c" };
	struct mt_addr k = { NULL, (char *)"k", (char *)"b.c" };
	mt_auto_value(mt_addr_list) list = { 0 };
	g_autofree char *none = mt_addr_domain_ascii(&bad);

	ok(mt_addr_same(&a, &b), "case, and the form of the domain, do not matter");
	ok(!mt_addr_same(&a, &c), "another domain does");
	ok(mt_addr_list_add_new(&list, &a), "a first one is added");
	ok(!mt_addr_list_add_new(&list, &b), "the same one is not");
	ok(mt_addr_list_add_new(&list, &c), "another one is");
	ok(mt_addr_list_has(&list, &b) && !mt_addr_list_has(&list, &bad),
	    "and the list says which it has");
	ok(!mt_addr_same(&kelvin, &k), "a letter that only folds to another is another");
	ok(none == NULL, "no domain name, no A-labels");
}

/* Shapes that cost a careless parser its stack or its time. */
static void
test_hostile(void)
{
	static const char *const units[] = { "a:", "(", "\"", "[", "<", "a@b,", "\\\"", ",",
		"(()", "\"\\", "a@", ".", "a.", "=?utf-8?q?", "@a,", "<@a:" };

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		GString *text = g_string_new(NULL);
		struct mt_addr_list list, strict;
		struct mt_err err = { 0 };

		while (text->len < MT_KIB(250))
			g_string_append(text, units[i]);
		mt_addr_parse_lax(mt_slice_mem(text->str, text->len), &list);
		mt_addr_parse(mt_slice_mem(text->str, text->len), &strict, &err);
		ok(list.n <= MT_MAX_ADDRS, "250 KB of %s give at most MT_MAX_ADDRS", units[i]);
		mt_addr_list_clear(&list);
		mt_addr_list_clear(&strict);
		g_string_free(text, TRUE);
	}
}

/*
 * Where we judge otherwise than isemail, and why. It calls an address an error, or valid
 * in some form; we have one kind of valid: what mail can be sent to.
 */
static const struct {
	int id;
	bool valid;
	const char *why;
} differences[] = {
	{ 28, false, "a label of 64 bytes is in no DNS" },
	{ 41, false, "a domain above 255 bytes is in no DNS" },
	{ 58, false, "a NUL, even quoted, is refused everywhere" },
	{ 115, false, "a control character in a literal" },
	{ 116, false, "a quoted pair in a literal" },
	{ 117, false, "the same" },
	{ 124, false, "DEL in a local part" },
	{ 125, false, "the same, quoted" },
	{ 134, false, "a quoted line end would end an SMTP line" },
	{ 138, false, "a control character in a local part" },
	{ 139, false, "the same, quoted" },
	{ 160, true, "RFC 6532 made UTF-8 a VCHAR" },
	{ 161, false, "a slash is in no host name" },
};

static char *
child_text(xmlNode *test, const char *name)
{
	for (xmlNode *c = test->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0) {
			xmlChar *text = xmlNodeGetContent(c);
			char *copy = g_strdup((const char *)text);

			xmlFree(text);
			return copy;
		}
	}
	return g_strdup("");
}

/* U+2400 and up stand for control characters in the suite. */
static struct mt_slice
unpicture(const char *text, GString *out)
{
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c >= 0x2400 && c < 0x2420)
			g_string_append_c(out, (char)(c - 0x2400));
		else
			g_string_append_unichar(out, c);
	}
	return mt_slice_mem(out->str, out->len);
}

static void
one_isemail(xmlNode *test)
{
	xmlChar *id_text = xmlGetProp(test, (const xmlChar *)"id");
	int id = (int)g_ascii_strtoll((const char *)id_text, NULL, 10);
	g_autofree char *address = child_text(test, "address");
	g_autofree char *category = child_text(test, "category");
	g_autofree char *diagnosis = child_text(test, "diagnosis");
	bool want = strcmp(category, "ISEMAIL_ERR") != 0;
	GString *bytes = g_string_new(NULL);
	struct mt_slice s = unpicture(address, bytes);
	char *exact = tap_exact(s.p, s.n);
	struct mt_addr a;
	struct mt_err err = { 0 };
	const char *why = "";
	bool got;

	for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
		if (differences[i].id == id) {
			ok(want != differences[i].valid, "isemail %d differs: %s", id,
			    differences[i].why);
			want = differences[i].valid;
			why = " (by choice)";
		}
	}
	got = mt_addr_parse_one(mt_slice_mem(exact, s.n), &a, &err) == 0;
	ok(got == want, "isemail %d %s is %s%s", id, diagnosis,
	    want ? "an address" : "none", why);
	if (got != want && err.msg[0] != '\0')
		printf("# %s\n", err.msg);
	if (got)
		mt_addr_clear(&a);
	free(exact);
	g_string_free(bytes, TRUE);
	xmlFree(id_text);
}

static void
test_isemail(void)
{
	static const char path[] = "../shared/suites/isemail/tests.xml";
	xmlDoc *doc;
	int n = 0;

	if (access(path, R_OK) < 0) {
		ok(true, "isemail suite # SKIP %s is not there", path);
		return;
	}
	doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
	ok(doc != NULL, "the isemail suite can be read");
	if (doc == NULL)
		return;
	for (xmlNode *c = xmlDocGetRootElement(doc)->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)c->name, "test") == 0) {
			one_isemail(c);
			n++;
		}
	}
	is_int(n, 164, "all cases of isemail ran");
	xmlFreeDoc(doc);
	xmlCleanupParser();
}

/* Names without a domain, where somebody gets what is for them. */
static void
check_local(void)
{
	static const struct {
		const char *text;
		size_t n;	/* 0: an error */
		const char *name;	/* of the last */
	} names[] = {
		{ "root", 1, "root" },
		{ "<root>", 1, "root" },
		{ "Cron Daemon <root>", 1, "Cron Daemon" },
		{ "root (the boss)", 1, "the boss" },
		{ "root (x), daemon", 2, "daemon" },
		{ "=?utf-8?q?gr=C3=BCn?= <root>", 1, "gr\xc3\xbcn" },
		{ "root, daemon, ada@x.example", 3, NULL },
		{ "group: root, b@x.example;", 2, NULL },
		{ "a.b", 1, "a.b" },
		{ "\xff", 0, NULL },
		{ "a b", 0, NULL },
		{ "<root", 0, NULL },
		{ "root@", 0, NULL },
		{ "@x.example", 0, NULL },
		{ "<>", 0, NULL },
	};
	mt_auto_value(mt_addr) local = { 0 };
	struct mt_err err = { 0 };

	if (mt_addr_parse_one(MT_SLICE("admin@x.example"), &local, &err) < 0)
		g_error("%s", err.msg);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t n = strlen(names[i].text);
		char *copy = tap_exact(names[i].text, n);
		mt_auto_value(mt_addr_list) list = { 0 }, without = { 0 };
		struct mt_slice text = { copy, n };
		int rc = mt_addr_parse_local(text, &local, &list, &err);

		ok(names[i].n == 0 ? rc < 0 : rc == 0 && list.n == names[i].n &&
		    mt_addr_same(&list.v[0], &local),
		    "local: %s", names[i].text);
		if (names[i].n > 0 && rc == 0)
			is_str(list.v[list.n - 1].name, names[i].name, "under its name");
		ok(mt_addr_parse(text, &without, &err) < 0, "and an error otherwise");
		g_free(copy);
	}
}

int
main(void)
{
	check_local();
	test_cases();
	test_format();
	test_display();
	test_same();
	test_hostile();
	test_isemail();
	return tap_done();
}
