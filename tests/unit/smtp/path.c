/* path.c - envelope addresses, parameters, xtext */
#include "smtp/path.h"

#include "tap.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B63 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What stands in MAIL or RCPT; text NULL: refused. */
static const struct {
	const char *name;
	const char *in;
	const char *text;
	const char *local;
	const char *domain;
	const char *rest;
} paths[] = {
	{ "plain", "<a@b.example>", "a@b.example", "a", "b.example", "" },
	{ "the null path", "<>", "", "", "", "" },
	{ "parameters stay", "<a@b> SIZE=1", "a@b", "a", "b", " SIZE=1" },
	{ "without brackets", "a@b SIZE=1", "a@b", "a", "b", " SIZE=1" },
	{ "case is kept", "<A.b@C.D>", "A.b@C.D", "A.b", "C.D", "" },
	{ "a source route", "<@r.example,@s:a@b>", "a@b", "a", "b", "" },
	{ "atext of all kinds", "<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b",
	  "!#$%&'*+-/=?^_`{|}~", "b", "" },
	{ "needless quotes go", "<\"a.b\"@c>", "a.b@c", "a.b", "c", "" },
	{ "needless escapes go", "<\"\\a\\b\"@c>", "ab@c", "ab", "c", "" },
	{ "a blank needs quotes", "<\"a b\"@c>", "\"a b\"@c", "a b", "c", "" },
	{ "a quote in quotes", "<\"a\\\"b\"@c>", "\"a\\\"b\"@c", "a\"b", "c", "" },
	{ "a backslash in quotes", "<\"a\\\\\"@c>", "\"a\\\\\"@c", "a\\", "c", "" },
	{ "an @ in quotes", "<\"a@b\"@c>", "\"a@b\"@c", "a@b", "c", "" },
	{ "a bracket in quotes", "<\"a>b\"@c>", "\"a>b\"@c", "a>b", "c", "" },
	{ "dots that need quotes", "<\"a..b\"@c>", "\"a..b\"@c", "a..b", "c", "" },
	{ "an empty local part", "<\"\"@c>", "\"\"@c", "", "c", "" },
	{ "no domain", "<Postmaster>", "Postmaster", "Postmaster", "", "" },
	{ "an IPv4 literal", "<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]", "" },
	{ "an IPv6 literal", "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a",
	  "[IPv6:2001:db8::1]", "" },
	{ "an underscore in a domain", "<a@my_host>", "a@my_host", "a", "my_host", "" },
	{ "a hyphen in a domain", "<a@b-c.d--e>", "a@b-c.d--e", "a", "b-c.d--e", "" },
	{ "a U-label", "<\xc3\xa5@b\xc3\xbc.example>", "\xc3\xa5@b\xc3\xbc.example",
	  "\xc3\xa5", "b\xc3\xbc.example", "" },
	{ "more than 64 octets", "<x" A64 "@b>", "x" A64 "@b", "x" A64, "b", "" },
	{ "a label of 63", "<a@" B63 ">", "a@" B63, "a", B63, "" },
	{ "a label of 64", "<a@b" B63 ">", NULL, "", "", "" },
	{ "256 octets", "<" B63 "@" B63 "." B63 "." B63 ">",
	  NULL, "", "", "" },
	{ "254 octets", "<a" B63 "@" B63 "." B63 "." "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	  "bbbbbbbbbbbbbbbbbbbbbbbbbbb>", "a" B63 "@" B63 "." B63 "."
	  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "a" B63,
	  B63 "." B63 "." "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
	  "" },
	{ "a local part past all", "<" A64 A64 A64 A64 "@b>", NULL, "", "", "" },
	{ "nothing", "", NULL, "", "", "" },
	{ "one bracket", "<", NULL, "", "", "" },
	{ "no closing bracket", "<a@b", NULL, "", "", "" },
	{ "words behind the bracket", "<a@b>x", NULL, "", "", "" },
	{ "a closing bracket too many", "a@b>", NULL, "", "", "" },
	{ "brackets twice", "<<a@b>>", NULL, "", "", "" },
	{ "a blank inside", "<a b@c>", NULL, "", "", "" },
	{ "a blank before it", "< a@b>", NULL, "", "", "" },
	{ "two @", "<a@b@c>", NULL, "", "", "" },
	{ "no local part", "<@b>", NULL, "", "", "" },
	{ "an @ without a domain", "<a@>", NULL, "", "", "" },
	{ "a leading dot", "<.a@b>", NULL, "", "", "" },
	{ "a trailing dot", "<a.@b>", NULL, "", "", "" },
	{ "two dots", "<a..b@c>", NULL, "", "", "" },
	{ "a domain that ends in a dot", "<a@b.>", NULL, "", "", "" },
	{ "a domain with two dots", "<a@b..c>", NULL, "", "", "" },
	{ "a label that begins with a hyphen", "<a@-b>", NULL, "", "", "" },
	{ "a label that ends in a hyphen", "<a@xn--->", NULL, "", "", "" },
	{ "an open quote", "<\"a@b>", NULL, "", "", "" },
	{ "a backslash at the end", "<\"a\\", NULL, "", "", "" },
	{ "a tab in quotes", "<\"a\tb\"@c>", NULL, "", "", "" },
	{ "a control character", "<a\x01@b>", NULL, "", "", "" },
	{ "DEL in quotes", "<\"a\x7f\"@b>", NULL, "", "", "" },
	{ "a C1 control", "<a\xc2\x85@b>", NULL, "", "", "" },
	{ "bad UTF-8", "<a\xff@b>", NULL, "", "", "" },
	{ "bad UTF-8 in a domain", "<a@b\xc3>", NULL, "", "", "" },
	{ "a literal that is no address", "<a@[x]>", NULL, "", "", "" },
	{ "an open literal", "<a@[192.0.2.1>", NULL, "", "", "" },
	{ "an IPv4 of three", "<a@[192.0.2]>", NULL, "", "", "" },
	{ "an IPv6 without its tag", "<a@[::1]>", NULL, "", "", "" },
	{ "a literal with blanks", "<a@[ 192.0.2.1]>", NULL, "", "", "" },
	{ "a route without its colon", "<@r a@b>", NULL, "", "", "" },
	{ "a route with nothing", "<@r:>", NULL, "", "", "" },
	{ "a comment", "<a(b)@c>", NULL, "", "", "" },
};

static void
test_path(size_t i)
{
	size_t n = strlen(paths[i].in);
	char *exact = tap_exact(paths[i].in, n);
	struct mt_slice s = mt_slice_mem(exact, n);
	struct mt_smtp_path p;
	struct mt_err err = { 0 };
	int rc = mt_smtp_path_take(&s, &p, &err);

	if (paths[i].text == NULL) {
		ok(rc < 0 && err.kind == MT_EDATA && s.n == n && s.p == exact,
		    "%s: refused, nothing is taken", paths[i].name);
	} else {
		ok(rc == 0 && strcmp(p.text, paths[i].text) == 0 &&
		    strcmp(p.local, paths[i].local) == 0 &&
		    strcmp(p.domain, paths[i].domain) == 0 &&
		    mt_slice_eq(s, mt_slice_str(paths[i].rest)), "%s", paths[i].name);
		if (rc < 0)
			printf("# %s\n", err.msg);
	}
	free(exact);
}

/* What we write can be read again, and is the same. */
static void
test_round_trip(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct mt_smtp_path p;

		if (paths[i].text == NULL || paths[i].text[0] == '\0')
			continue;
		ok(mt_smtp_path_parse(mt_slice_str(paths[i].text), &p, NULL) == 0 &&
		    strcmp(p.text, paths[i].text) == 0 &&
		    strcmp(p.local, paths[i].local) == 0, "%s: what is written is read",
		    paths[i].name);
	}
}

static void
test_parse(void)
{
	struct mt_smtp_path p;

	ok(mt_smtp_path_parse(MT_SLICE("a@[192.0.2.1]"), &p, NULL) == 0 && p.is_literal &&
	    p.is_ascii, "a literal is known as one");
	ok(mt_smtp_path_parse(MT_SLICE("\xc3\xa5@b"), &p, NULL) == 0 && !p.is_literal &&
	    !p.is_ascii, "what is not ASCII is known");
	ok(mt_smtp_path_parse(MT_SLICE("a@b "), &p, NULL) < 0, "a blank behind it");
	ok(mt_smtp_path_parse(MT_SLICE("<a@b>"), &p, NULL) < 0, "brackets");
	ok(mt_smtp_path_parse(MT_SLICE(""), &p, NULL) < 0, "nothing");
}

static void
test_to_ascii(void)
{
	struct mt_smtp_path p;
	struct mt_err err = { 0 };

	mt_smtp_path_parse(MT_SLICE("a@b\xc3\xbc""cher.example"), &p, NULL);
	ok(mt_smtp_path_to_ascii(&p, &err) == 0 && p.is_ascii &&
	    strcmp(p.text, "a@xn--bcher-kva.example") == 0, "a U-label becomes an A-label");
	mt_smtp_path_parse(MT_SLICE("\xc3\xa5@\xc3\xbc.example"), &p, NULL);
	ok(mt_smtp_path_to_ascii(&p, &err) == 0 && !p.is_ascii &&
	    strcmp(p.domain, "xn--tda.example") == 0, "the local part stays as it is");
	mt_smtp_path_parse(MT_SLICE("a@\xe2\x80\xa9.example"), &p, NULL);
	ok(mt_smtp_path_to_ascii(&p, &err) < 0 && err.kind == MT_EDATA,
	    "what IDNA forbids is refused");
}

static const struct {
	const char *name;
	const char *in;
	int rc;
	const char *param, *value;
} params[] = {
	{ "none", "", 0, "", "" },
	{ "blanks only", "  ", 0, "", "" },
	{ "a keyword", " SMTPUTF8", 1, "SMTPUTF8", "" },
	{ "a value", " SIZE=10", 1, "SIZE", "10" },
	{ "more behind it", " A=1 B=2", 1, "A", "1" },
	{ "a hyphen", " X-Y=1", 1, "X-Y", "1" },
	{ "no blank before it", "SIZE=1", -1, "", "" },
	{ "a leading hyphen", " -X", -1, "", "" },
	{ "no name", " =1", -1, "", "" },
	{ "no value", " A=", -1, "", "" },
	{ "two =", " A=1=2", -1, "", "" },
	{ "a control in the value", " A=1\x01", -1, "", "" },
	{ "a control in the name", " A\x01", -1, "", "" },
	{ "bad UTF-8", " A=\xff", -1, "", "" },
};

static void
test_param(size_t i)
{
	size_t n = strlen(params[i].in);
	char *exact = tap_exact(params[i].in, n);
	struct mt_slice s = mt_slice_mem(exact, n);
	struct mt_smtp_param p;
	struct mt_err err = { 0 };
	int rc = mt_smtp_param_next(&s, &p, &err);

	ok(rc == params[i].rc && (rc <= 0 ||
	    (mt_slice_eq(p.name, mt_slice_str(params[i].param)) &&
	    mt_slice_eq(p.value, mt_slice_str(params[i].value)))) &&
	    (rc >= 0 || strcmp(err.dsn, "5.5.4") == 0), "parameter, %s", params[i].name);
	free(exact);
}

static void
test_xtext(void)
{
	static const char *const bad[] = { "+", "+2", "+2b", "+GG", "a=b", "a b", "\xff" };
	struct mt_buf b = MT_BUF_INIT(100);
	char all[256];

	ok(mt_smtp_xtext_decode(MT_SLICE("a+2Bb+3D"), &b) &&
	    strcmp(b.p, "a+b=") == 0, "xtext is decoded");
	mt_buf_reset(&b);
	ok(mt_smtp_xtext_encode(MT_SLICE("a+b= \xff"), &b) &&
	    strcmp(b.p, "a+2Bb+3D+20+FF") == 0, "xtext is encoded");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		ok(!mt_smtp_xtext_decode(mt_slice_str(bad[i]), &b), "xtext \"%s\" is bad",
		    i == G_N_ELEMENTS(bad) - 1 ? "8-bit" : bad[i]);
	mt_buf_clear(&b);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	ok(!mt_smtp_xtext_encode(mt_slice_mem(all, sizeof(all)), &b),
	    "xtext past the ceiling is refused");
	mt_buf_clear(&b);
}

/*
 * The public suite is about mail addresses of all kinds; a path takes what it calls valid
 * for SMTP, and no more. Where we differ on purpose:
 */
static const struct {
	const char *address;
	const char *why;
} differences[] = {
	{ "test", "without a domain: the session decides" },
	{ "test_exa-mple.com", "the same" },
	{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghiklmn@iana.org",
	  "65 octets in a local part" },
	{ "\"abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghj\"@iana.org",
	  "the same" },
	{ "\"abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefg\\h\"@iana.org",
	  "the same" },
	{ "test@[IPv6:1111:2222:3333:4444:5555:6666::8888]",
	  "'::' for one group is allowed by RFC 4291 and not by RFC 5321: harmless" },
};

struct suite {
	GString *text;
	char *address;
	char *category;
	size_t tests, wrong;
};

static bool
is_difference(const char *address)
{
	for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
		if (strcmp(differences[i].address, address) == 0)
			return true;
	}
	return false;
}

/* U+2400 and on stand for control characters; a NUL is none of them that matters here,
   for it would end the text. */
static char *
with_controls(const char *text)
{
	GString *out = g_string_new(NULL);

	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c >= 0x2400 && c < 0x2420)
			g_string_append_c(out, (char)(c - 0x2400));
		else
			g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

static void
suite_text(GMarkupParseContext *x, const char *text, gsize n, gpointer data, GError **e)
{
	struct suite *s = data;

	(void)x;
	(void)e;
	g_string_append_len(s->text, text, (gssize)n);
}

static void
suite_start(GMarkupParseContext *x, const char *name, const char **keys,
    const char **values, gpointer data, GError **e)
{
	struct suite *s = data;

	(void)x;
	(void)name;
	(void)keys;
	(void)values;
	(void)e;
	g_string_truncate(s->text, 0);
}

static void
suite_end(GMarkupParseContext *x, const char *name, gpointer data, GError **e)
{
	struct suite *s = data;
	struct mt_smtp_path p;
	bool valid;

	(void)x;
	(void)e;
	if (strcmp(name, "address") == 0) {
		g_free(s->address);
		s->address = with_controls(s->text->str);
	} else if (strcmp(name, "category") == 0) {
		g_free(s->category);
		s->category = g_strstrip(g_strdup(s->text->str));
	} else if (strcmp(name, "test") == 0) {
		valid = strcmp(s->category, "ISEMAIL_VALID_CATEGORY") == 0 ||
		    strcmp(s->category, "ISEMAIL_DNSWARN") == 0 ||
		    strcmp(s->category, "ISEMAIL_RFC5321") == 0;
		valid = valid != is_difference(s->address);
		s->tests++;
		if ((mt_smtp_path_parse(mt_slice_str(s->address), &p, NULL) == 0) == valid)
			return;
		s->wrong++;
		printf("# %s is %s\n", s->address, s->category);
	}
}

static void
test_suite(const char *path)
{
	static const GMarkupParser parser = { .start_element = suite_start,
		.end_element = suite_end, .text = suite_text };
	g_autofree char *xml = NULL;
	struct suite s = { .text = g_string_new(NULL) };
	GMarkupParseContext *x = g_markup_parse_context_new(&parser, 0, &s, NULL);
	gsize n;

	if (!g_file_get_contents(path, &xml, &n, NULL)) {
		ok(true, "the suite of addresses # SKIP no %s", path);
	} else {
		ok(g_markup_parse_context_parse(x, xml, (gssize)n, NULL) &&
		    s.tests == 164, "the suite of addresses is read");
		is_int(s.wrong, 0, "its addresses are judged as it says");
	}
	g_markup_parse_context_free(x);
	g_string_free(s.text, TRUE);
	g_free(s.address);
	g_free(s.category);
}

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
		test_path(i);
	test_round_trip();
	test_parse();
	test_to_ascii();
	for (size_t i = 0; i < G_N_ELEMENTS(params); i++)
		test_param(i);
	test_xtext();
	test_suite("../shared/suites/isemail/tests.xml");
	return tap_done();
}
