/* mime.c - the parts of messages: two public suites, and hostile shapes */
#include "message/mime.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "tap.h"

static struct mt_mime *
open_text(const char *text, size_t n)
{
	struct mt_err err = { 0 };
	mt_auto_fd int fd = mt_file_temp(&err);

	if (fd < 0 || mt_file_write_all(fd, text, n) < 0)
		abort();
	return mt_mime_open(fd, &err);
}

/* The structure as text: "0X 1L 1M 2L": depth, and leaf, multipart (X) or message. */
static char *
structure(const struct mt_mime *m)
{
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < mt_mime_count(m); i++) {
		const struct mt_mime_part *p = mt_mime_part(m, i);

		g_string_append_printf(s, "%s%u%c", i > 0 ? " " : "", p->depth,
		    "LXM"[p->kind]);
	}
	return g_string_free(s, FALSE);
}

/* CRLF as LF: the suites differ in what they kept. */
static char *
with_lf(const char *p, size_t n)
{
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\r' || i + 1 == n || p[i + 1] != '\n')
			g_string_append_c(s, p[i] == '\0' ? '0' : p[i]);
	}
	return g_string_free(s, FALSE);
}

static char *
content(const struct mt_mime *m, size_t index)
{
	mt_auto_value(mt_buf) b = MT_BUF_INIT(MT_MIB(4));
	struct mt_err err = { 0 };

	if (mt_mime_bytes(m, index, &b, &err) < 0)
		return g_strdup(err.msg);
	return with_lf(b.p != NULL ? b.p : "", b.n);
}

/* Why GMime's reading is not the suite's, and is kept. */
struct difference {
	const char *file;
	const char *why;
};

static const char *
find_difference(const struct difference *list, const char *file)
{
	for (; list->file != NULL; list++) {
		if (strcmp(list->file, file) == 0)
			return list->why;
	}
	return NULL;
}

/* RFC 2046 5.2.1 forbids to encode a message; what is hidden in one is no part for us. */
#define ENCODED "an encoded message stays a leaf"

static const struct difference mime4j_differences[] = {
	{ "bad-newlines-multiple-parts-base64.msg", ENCODED },
	{ "base64encoded-rfc822message-nested.msg", ENCODED },
	{ "base64encoded-rfc822message.msg", ENCODED },
	{ "ending-boundaries.msg", "text behind a boundary makes it none" },
	{ "malformedHeader-noheader.msg", "no field at all: everything is body" },
	{ "malformedHeaderStartsBody-noheader.msg", "no field at all: everything is body" },
	{ "malformedHeaderStartsBody-nocrlfcrlf.msg", "a bad line does not end a header" },
	{ "multipartemptypart.msg", "nothing between two boundaries is no part" },
	{ "very-very-long-boundary.msg", "a boundary longer than GMime looks for" },
	{ NULL, NULL },
};

/* What mime4j expects: structure, and the files that hold the leaves' content. */
struct expected {
	GString *structure;
	GPtrArray *files;
};

static bool
is_element(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static void
expect(const xmlNode *entity, unsigned depth, struct expected *e)
{
	for (const xmlNode *n = entity->children; n != NULL; n = n->next) {
		bool leaf = is_element(n, "text-body") || is_element(n, "binary-body");
		bool multipart = is_element(n, "multipart");
		bool message = is_element(n, "message");

		if (leaf || multipart || message)
			g_string_append_printf(e->structure, "%s%u%c",
			    e->structure->len > 0 ? " " : "", depth,
			    leaf ? 'L' : multipart ? 'X' : 'M');
		if (leaf) {
			xmlChar *name = xmlGetProp(n, (const xmlChar *)"name");

			g_ptr_array_add(e->files, g_strdup((const char *)name));
			xmlFree(name);
		}
		if (message)
			expect(n, depth + 1, e);
		if (!multipart)
			continue;
		for (const xmlNode *part = n->children; part != NULL; part = part->next) {
			if (is_element(part, "body-part"))
				expect(part, depth + 1, e);
		}
	}
}

static bool
same_contents(const struct mt_mime *m, const char *dir, const struct expected *e)
{
	size_t leaf = 0;

	for (size_t i = 0; i < mt_mime_count(m); i++) {
		g_autofree char *got = NULL, *want = NULL, *path = NULL;
		mt_auto_value(mt_buf) file = MT_BUF_INIT(MT_MIB(4));
		struct mt_err err = { 0 };

		if (mt_mime_part(m, i)->kind != MT_MIME_LEAF)
			continue;
		if (leaf >= e->files->len)
			return false;
		path = g_build_filename(dir, e->files->pdata[leaf++], NULL);
		if (mt_file_read(path, &file, &err) < 0)
			printf("# %s\n", err.msg);
		got = content(m, i);
		want = with_lf(file.p != NULL ? file.p : "", file.n);
		if (strcmp(got, want) != 0) {
			printf("# %s:\n#  got: %.200s\n# want: %.200s\n", path, got, want);
			return false;
		}
	}
	return leaf == e->files->len;
}

static void
one_mime4j(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".msg"));
	g_autofree char *xml = g_strconcat(stem, "_decoded.xml", NULL);
	mt_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct mt_err err = { 0 };
	mt_auto(mt_mime) m = fd < 0 ? NULL : mt_mime_open(fd, &err);
	xmlDoc *doc = xmlReadFile(xml, NULL, XML_PARSE_NONET | XML_PARSE_RECOVER |
	    XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const char *why = find_difference(mime4j_differences, name);
	struct expected e = { g_string_new(NULL), g_ptr_array_new_with_free_func(g_free) };
	g_autofree char *got = m == NULL ? NULL : structure(m);
	bool same;

	if (ok(m != NULL && doc != NULL, "mime4j %s is read", name)) {
		expect(xmlDocGetRootElement(doc), 0, &e);
		same = strcmp(got, e.structure->str) == 0 && same_contents(m, dir, &e);
		ok(same == (why == NULL), "mime4j %s: %s", name,
		    why == NULL ? "structure and content" : why);
		if (same != (why == NULL))
			printf("#  got: %s\n# want: %s\n", got, e.structure->str);
	}
	xmlFreeDoc(doc);
	g_string_free(e.structure, TRUE);
	g_ptr_array_free(e.files, TRUE);
}

/* mail-parser keeps the text; we decode it, as the field says. */
#define UUENCODED "x-uuencode is decoded"

static const struct difference rfc_differences[] = {
	{ "rfc/000.eml", "what claims to be base64 and is none decodes to something else" },
	{ "rfc/008.eml", ENCODED },
	{ "legacy/017.eml", UUENCODED },
	{ "legacy/026.eml", UUENCODED },
	{ "legacy/045.eml", "CR CR LF is one line end" },
	{ "legacy/048.eml", UUENCODED },
	{ "legacy/049.eml", "a lone CR at the end of the file is a line end" },
	{ "legacy/052.eml", "undeclared 8-bit text is taken as Windows-1252" },
	{ NULL, NULL },
};

/* mail-parser's parts: a flat list; a multipart names its children by index. */
static void
expect_json(const json_t *parts, size_t index, unsigned depth, GString *out,
    GPtrArray *texts)
{
	const json_t *body = json_object_get(json_array_get(parts, index), "body");
	const json_t *value, *child;
	const char *kind = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)body));
	size_t i;

	if (kind == NULL)
		return;
	value = json_object_get(body, kind);
	g_string_append_printf(out, "%s%u%c", out->len > 0 ? " " : "", depth,
	    strcmp(kind, "Multipart") == 0 ? 'X' : strcmp(kind, "Message") == 0 ? 'M' : 'L');
	if (strcmp(kind, "Multipart") == 0) {
		json_array_foreach(value, i, child)
			expect_json(parts, (size_t)json_integer_value(child), depth + 1, out,
			    texts);
	} else if (strcmp(kind, "Message") == 0) {
		expect_json(json_object_get(value, "parts"), 0, depth + 1, out, texts);
	} else if (json_is_string(value)) {
		g_ptr_array_add(texts, with_lf(json_string_value(value),
		    json_string_length(value)));
	} else {
		GString *bytes = g_string_new(NULL);

		json_array_foreach(value, i, child)
			g_string_append_c(bytes, (char)json_integer_value(child));
		g_ptr_array_add(texts, with_lf(bytes->str, bytes->len));
		g_string_free(bytes, TRUE);
	}
}

static bool
same_texts(const struct mt_mime *m, const GPtrArray *texts)
{
	size_t leaf = 0;

	for (size_t i = 0; i < mt_mime_count(m); i++) {
		const struct mt_mime_part *p = mt_mime_part(m, i);
		g_autofree char *got = NULL;
		mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MIB(4));
		struct mt_err err = { 0 };
		bool cut;

		if (p->kind != MT_MIME_LEAF)
			continue;
		if (leaf >= texts->len)
			return false;
		if (g_str_has_prefix(p->type, "text/") &&
		    mt_mime_text(m, i, &text, &cut, &err) == 0)
			got = g_strdup(text.p != NULL ? text.p : "");
		else
			got = content(m, i);
		if (strcmp(got, texts->pdata[leaf]) != 0) {
			printf("# part %zu %s:\n#  got: %.3000s\n# want: %.3000s\n", i, p->type,
			    got, (char *)texts->pdata[leaf]);
			return false;
		}
		leaf++;
	}
	return leaf == texts->len;
}

static void
one_rfc(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".eml"));
	g_autofree char *file = g_strconcat(stem, ".json", NULL);
	g_autofree char *base = g_path_get_basename(dir);
	g_autofree char *label = g_strdup_printf("%s/%s", base, name);
	mt_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct mt_err err = { 0 };
	mt_auto(mt_mime) m = fd < 0 ? NULL : mt_mime_open(fd, &err);
	json_t *json = json_load_file(file, 0, NULL);
	const char *why = find_difference(rfc_differences, label);
	GString *want = g_string_new(NULL);
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *got = m == NULL ? NULL : structure(m);
	bool same;

	if (ok(m != NULL && json != NULL, "mail-parser %s is read", label)) {
		expect_json(json_object_get(json, "parts"), 0, 0, want, texts);
		same = strcmp(got, want->str) == 0 && same_texts(m, texts);
		ok(same == (why == NULL), "mail-parser %s: %s", label,
		    why == NULL ? "structure and content" : why);
		if (same != (why == NULL))
			printf("#  got: %s\n# want: %s\n", got, want->str);
	}
	json_decref(json);
	g_string_free(want, TRUE);
	g_ptr_array_free(texts, TRUE);
}

/* Run one(dir, name) for each file with that ending; how many there were. */
static int
each_file(const char *dir, const char *ending, void (*one)(const char *, const char *))
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort), count = 0;

	if (n < 0) {
		ok(true, "suite # SKIP %s is not there", dir);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		if (g_str_has_suffix(names[i]->d_name, ending)) {
			one(dir, names[i]->d_name);
			count++;
		}
		free(names[i]);
	}
	free(names);
	return count;
}

static void
test_suites(void)
{
	int n = each_file("../shared/suites/mime-mime4j", ".msg", one_mime4j);

	ok(n < 0 || n == 32, "all of mime4j's messages ran (%d)", n);
	n = each_file("../shared/suites/mime-rfc/rfc", ".eml", one_rfc);
	ok(n < 0 || n == 10, "all of mail-parser's RFC messages ran (%d)", n);
	n = each_file("../shared/suites/mime-rfc/legacy", ".eml", one_rfc);
	ok(n < 0 || n == 54, "all of mail-parser's older messages ran (%d)", n);
}

static const struct {
	const char *name, *text, *structure, *filename, *content;
} cases[] = {
	{ "a plain one", "Subject: x\n\nhello\n", "0L", NULL, "hello\n" },
	{ "no header at all", "hello, no header here\n", "0L", NULL,
	    "hello, no header here\n" },
	{ "nothing", "", "0L", NULL, "" },
	{ "quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc",
	    "0L", NULL, "a=bc" },
	{ "base64", "Content-Transfer-Encoding: base64\n\naGVs\nbG8=\n", "0L", NULL, "hello" },
	{ "a path in a file name", "Content-Disposition: attachment; "
	    "filename=\"../../etc/x\"\n\nx", "0L", "x", "x" },
	{ "a Windows path", "Content-Type: application/x; name=\"C:\\\\a\\\\b.exe\"\n\nx",
	    "0L", "b.exe", "x" },
	{ "nothing behind the slash", "Content-Disposition: attachment; filename=\"a/\"\n\nx",
	    "0L", NULL, "x" },
	{ "RFC 2231", "Content-Disposition: attachment;\n filename*0*=utf-8''%C3;\n"
	    " filename*1*=%A9.pdf\n\nx", "0L", "é.pdf", "x" },
	{ "an encoded word for a name", "Content-Disposition: attachment;\n"
	    " filename=\"=?utf-8?q?=C3=A9.pdf?=\"\n\nx", "0L", "é.pdf", "x" },
	{ "a name with controls", "Content-Disposition: attachment;\n"
	    " filename*=utf-8''a%1B%0Ab\n\nx", "0L", "a  b", "x" },
};

static void
test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto(mt_mime) m = open_text(cases[i].text, strlen(cases[i].text));
		g_autofree char *got = m == NULL ? NULL : structure(m);
		g_autofree char *bytes = NULL;

		is_str(got, cases[i].structure, "%s", cases[i].name);
		if (m == NULL || mt_mime_count(m) == 0)
			continue;
		bytes = content(m, mt_mime_count(m) - 1);
		is_str(mt_mime_part(m, 0)->filename, cases[i].filename, "its name");
		is_str(bytes, cases[i].content, "its content");
	}
}

static void
test_hostile(void)
{
	GString *deep = g_string_new(NULL), *wide = g_string_new(NULL);
	mt_auto(mt_mime) m = NULL;
	mt_auto(mt_mime) w = NULL;

	for (int i = 0; i < 10000; i++)
		g_string_append_printf(deep,
		    "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	m = open_text(deep->str, deep->len);
	ok(m != NULL && mt_mime_is_cut(m), "10,000 nested parts are cut");
	is_int(mt_mime_part(m, mt_mime_count(m) - 1)->depth, MT_MAX_MIME_DEPTH,
	    "at the depth that we follow");
	g_string_append(wide, "Content-Type: multipart/mixed; boundary=b\n");
	for (int i = 0; i < 20000; i++)
		g_string_append(wide, "\n--b\n\nx\n");
	w = open_text(wide->str, wide->len);
	ok(w != NULL && mt_mime_is_cut(w), "20,000 parts are cut");
	is_int(mt_mime_count(w), MT_MAX_MIME_PARTS, "at the count that we list");
	g_string_free(deep, TRUE);
	g_string_free(wide, TRUE);
}

int
main(void)
{
	test_cases();
	test_hostile();
	test_suites();
	xmlCleanupParser();
	return tap_done();
}
