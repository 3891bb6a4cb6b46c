/* build.c - messages that we write: fields, encodings, attachments, memory */
#include "message/build.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "message/field.h"
#include "message/header.h"
#include "message/mime.h"
#include "tap.h"

static int
collect(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)err;
	g_string_append_len(arg, p, (gssize)n);
	return 0;
}

/* A message from "Ada <ada@example.org>", as text; NULL with *err. */
static GString *
write_it(struct mt_build *b, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) from = { 0 };
	GString *out = g_string_new(NULL);

	mt_addr_parse(MT_SLICE("Ada <ada@example.org>"), &from, err);
	if (b->from == NULL)
		b->from = &from;
	if (mt_build_write(b, collect, out, err) == 0)
		return out;
	g_string_free(out, TRUE);
	return NULL;
}

static char *
field(const GString *message, const char *name)
{
	return mt_header_text(mt_header_block(mt_slice_mem(message->str, message->len)),
	    name);
}

static struct mt_mime *
parse(const GString *message)
{
	struct mt_err err = { 0 };
	mt_auto_fd int fd = mt_file_temp(&err);

	if (fd < 0 || mt_file_write_all(fd, message->str, message->len) < 0)
		abort();
	return mt_mime_open(fd, &err);
}

/* Every line within its bounds, LF only, and 7 bits where that was wanted. */
static bool
is_sound(const GString *message, bool only_7bit)
{
	struct mt_slice s = { message->str, message->len }, line;

	while (mt_slice_take_line(&s, &line)) {
		if (line.n > 998 || memchr(line.p, '\r', line.n) != NULL)
			return false;
		for (size_t i = 0; i < line.n && only_7bit; i++) {
			if ((unsigned char)line.p[i] >= 0x80)
				return false;
		}
	}
	return message->len > 0 && message->str[message->len - 1] == '\n';
}

static void
test_fields(void)
{
	mt_auto_value(mt_addr_list) to = { 0 }, cc = { 0 }, bcc = { 0 };
	mt_auto_value(mt_addr_list) rcpt = { 0 };
	struct mt_err err = { 0 };
	struct mt_build_field extra[] = {
		{ "X-Note", "é" }, { "Reply-To", "Bücher <b@bücher.example>" },
	};
	struct mt_build b = { .to = &to, .cc = &cc, .bcc = &bcc, .subject = "Grüße, Welt",
		.date = 1795386605, .in_reply_to = "<a@b>", .references = "<x@y> <a@b>",
		.fields = extra, .nfields = 2, .body = MT_SLICE("hello\n") };
	GString *m;
	g_autofree char *subject = NULL, *to_text = NULL, *id = NULL, *refs = NULL;
	g_autofree char *reply_to = NULL, *note = NULL;

	mt_addr_parse(MT_SLICE("\"B, C\" <b@c.d>, é <e@f.g>"), &to, &err);
	mt_addr_parse(MT_SLICE("cc@c.d"), &cc, &err);
	mt_addr_parse(MT_SLICE("secret@c.d, CC@c.d"), &bcc, &err);
	m = write_it(&b, &err);
	if (!ok(m != NULL, "a message is written: %s", err.msg))
		return;
	subject = field(m, "Subject");
	to_text = field(m, "To");
	id = field(m, "Message-ID");
	refs = field(m, "References");
	reply_to = field(m, "Reply-To");
	note = field(m, "X-Note");
	is_str(subject, "Grüße, Welt", "its subject");
	is_str(to_text, "\"B, C\" <b@c.d>, é <e@f.g>", "its recipients");
	is_str(refs, "<x@y> <a@b>", "its references");
	is_str(reply_to, "Bücher <b@xn--bcher-kva.example>", "an address in a further field");
	is_str(note, "é", "text in a further field");
	ok(g_str_has_prefix(id, "<") && g_str_has_suffix(id, "@example.org>"), "a new id");
	ok(strstr(m->str, "\nDate: ") != NULL || g_str_has_prefix(m->str, "Date: "), "a date");
	ok(strcasestr(m->str, "bcc:") == NULL && strstr(m->str, "secret") == NULL,
	    "Bcc never leaves");
	ok(is_sound(m, true), "header and text are plain lines of ASCII");
	mt_build_recipients(&b, &rcpt);
	is_int(rcpt.n, 4, "the envelope has each mailbox once");
	g_string_free(m, TRUE);
}

static void
test_refused(void)
{
	static const struct {
		const char *name, *subject, *id, *refs;
		struct mt_build_field extra;
	} cases[] = {
		{ "a line end in Subject", "a\nBcc: x@y.z", NULL, NULL, { NULL, NULL } },
		{ "a CR in Subject", "a\rBcc: x@y.z", NULL, NULL, { NULL, NULL } },
		{ "a line end in Message-ID", "a", "<a@b>\r\nX: y", NULL, { NULL, NULL } },
		{ "a line end in References", "a", NULL, "<a@b>\n<c@d>", { NULL, NULL } },
		{ "a line end in X-Y", "a", NULL, NULL, { "X-Y", "a\n b" } },
		{ "a line end in Reply-To", "a", NULL, NULL, { "Reply-To", "a@b\n c" } },
		{ "X Y is no name", "a", NULL, NULL, { "X Y", "a" } },
		{ "X:Y is no name", "a", NULL, NULL, { "X:Y", "a" } },
		{ "nothing is no name", "a", NULL, NULL, { "", "a" } },
		{ "a line end in a name", "a", NULL, NULL, { "X\nBcc", "a" } },
		{ "Bcc", "a", NULL, NULL, { "bcc", "a@b.c" } },
		{ "Resent-Bcc", "a", NULL, NULL, { "Resent-Bcc", "a@b.c" } },
		{ "a second From", "a", NULL, NULL, { "FROM", "a@b.c" } },
		{ "Content-Type", "a", NULL, NULL, { "Content-Type", "text/html" } },
		{ "no address in Reply-To", "a", NULL, NULL, { "Reply-To", "" } },
		{ "an empty group in Reply-To", "a", NULL, NULL, { "Reply-To", "a:;" } },
		{ "what is none in Sender", "a", NULL, NULL, { "Sender", "root" } },
		{ "two in Sender", "a", NULL, NULL, { "Sender", "a@b.c, d@e.f" } },
	};
	struct mt_build_field twice[] = { { "Reply-To", "a@b.c" }, { "X", "a" },
		{ "X", "b" }, { "reply-to", "d@e.f" } };
	struct mt_build again = { .fields = twice, .nfields = 4 };
	struct mt_err why = { 0 };
	GString *m;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		struct mt_build b = { .subject = cases[i].subject, .message_id = cases[i].id,
			.references = cases[i].refs, .fields = &cases[i].extra,
			.nfields = cases[i].extra.name != NULL };

		ok(write_it(&b, &err) == NULL && err.kind == MT_EUSAGE, "%s is refused: %s",
		    cases[i].name, err.msg);
	}
	ok(write_it(&again, &why) == NULL && why.kind == MT_EUSAGE &&
	    strstr(why.msg, "reply-to") != NULL, "a second Reply-To is refused: %s",
	    why.msg);
	again.nfields = 3;
	m = write_it(&again, &why);
	if (ok(m != NULL, "not a second X"))
		g_string_free(m, TRUE);
}

static const struct {
	const char *name, *body;
	size_t n;
	bool only_7bit;
	const char *encoding, *charset, *want;	/* NULL: body */
} bodies[] = {
	{ "ASCII", "hello\n", 6, false, "7bit", "us-ascii", NULL },
	{ "no line end at the end", "hello", 5, false, "7bit", "us-ascii", "hello\n" },
	{ "CRLF", "a\r\nb\r\n", 6, false, "7bit", "us-ascii", "a\nb\n" },
	{ "UTF-8", "Grüße\n", 8, false, "8bit", "utf-8", NULL },
	{ "UTF-8 on 7 bits", "Grüße \n", 9, true, "quoted-printable", "utf-8", NULL },
	{ "unknown bytes", "Gr\xfc\xdf" "e\n", 6, false, "8bit", "unknown-8bit", NULL },
	{ "a NUL", "a\0b\n", 4, false, "quoted-printable", "us-ascii", NULL },
	{ "a bare CR", "a\rb\n", 4, false, "quoted-printable", "us-ascii", NULL },
	{ "dots and From", ".\nFrom x\n..\n", 12, false, "7bit", "us-ascii", NULL },
	{ "From on 7 bits", "From é\n", 8, true, "quoted-printable", "utf-8", NULL },
	{ "nothing", "", 0, false, "7bit", "us-ascii", NULL },
};

static void
test_bodies(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		char *exact = tap_exact(bodies[i].body, bodies[i].n);
		struct mt_build b = { .body = mt_slice_mem(exact, bodies[i].n),
			.only_7bit = bodies[i].only_7bit };
		struct mt_err err = { 0 };
		GString *m = write_it(&b, &err);
		mt_auto(mt_mime) parsed = m == NULL ? NULL : parse(m);
		mt_auto_value(mt_buf) back = MT_BUF_INIT(MT_KIB(64));
		g_autofree char *encoding = NULL;
		struct mt_slice want = bodies[i].want != NULL ? mt_slice_str(bodies[i].want) :
		    mt_slice_mem(bodies[i].body, bodies[i].n);

		if (!ok(parsed != NULL && mt_mime_count(parsed) == 1, "body: %s",
		    bodies[i].name))
			continue;
		encoding = field(m, "Content-Transfer-Encoding");
		is_str(encoding, bodies[i].encoding, "its encoding");
		is_str(mt_mime_part(parsed, 0)->charset, bodies[i].charset, "its charset");
		ok(mt_mime_bytes(parsed, 0, &back, &err) == 0 &&
		    mt_slice_eq(mt_buf_slice(&back), want), "it arrives");
		ok(is_sound(m, bodies[i].only_7bit), "and travels soundly");
		g_string_free(m, TRUE);
		free(exact);
	}
}

static void
test_long_line(void)
{
	for (size_t n = 997; n <= 1000; n++) {
		g_autofree char *line = g_strnfill(n, 'x');
		struct mt_build b = { .body = { line, n } };
		struct mt_err err = { 0 };
		GString *m = write_it(&b, &err);
		g_autofree char *encoding = m == NULL ? NULL :
		    field(m, "Content-Transfer-Encoding");

		if (!ok(m != NULL && is_sound(m, true), "a line of %zu bytes", n))
			continue;
		is_str(encoding, n <= 998 ? "7bit" : "quoted-printable", "how it travels");
		g_string_free(m, TRUE);
	}
}

static const struct {
	const char *name;
	struct mt_slice content;
	const char *given, *type;	/* type: as it arrives */
	bool only_7bit;
	const char *charset;	/* NULL: it does not matter */
} attached[] = {
	{ "text", MT_SLICE("hello\n"), NULL, "text/plain", false, "utf-8" },
	{ "a given kind of text", MT_SLICE("na\xc3\xafve,1\n"), "Text/CSV", "text/csv", false,
	    "utf-8" },
	{ "bytes", MT_SLICE("\0\x01\r\n\xff" "From x\n.\n"), NULL,
	    "application/octet-stream", false, NULL },
	{ "a picture", MT_SLICE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"),
	    NULL, "image/png", false, NULL },
	{ "a given type", MT_SLICE("hello"), "Application/X-Y", "application/x-y", false, NULL },
	{ "nothing", MT_SLICE(""), NULL, "application/octet-stream", false, NULL },
	{ "a message with CRLF", MT_SLICE("A: b\r\n\r\nx\r\n"), "message/rfc822",
	    "application/octet-stream", false, NULL },
	{ "an 8-bit message on 7 bits", MT_SLICE("A: b\n\n\xc3\xa9\n"), "message/rfc822",
	    "application/octet-stream", true, NULL },
};

static void
test_attachments(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(attached); i++) {
		struct mt_build_attachment a = { .content = attached[i].content,
			.type = attached[i].given, .name = "ein \"Name\" é.bin" };
		struct mt_build b = { .body = MT_SLICE("text\n"), .attachments = &a,
			.nattachments = 1, .only_7bit = attached[i].only_7bit };
		struct mt_err err = { 0 };
		GString *m = write_it(&b, &err);
		mt_auto(mt_mime) parsed = m == NULL ? NULL : parse(m);
		mt_auto_value(mt_buf) back = MT_BUF_INIT(MT_KIB(64));

		if (!ok(parsed != NULL && mt_mime_count(parsed) == 3, "attached: %s",
		    attached[i].name))
			continue;
		is_str(mt_mime_part(parsed, 2)->type, attached[i].type, "its type");
		is_str(mt_mime_part(parsed, 2)->filename, a.name, "its name");
		if (attached[i].charset != NULL)
			is_str(mt_mime_part(parsed, 2)->charset, attached[i].charset,
			    "its charset");
		ok(mt_mime_bytes(parsed, 2, &back, &err) == 0 &&
		    mt_slice_eq(mt_buf_slice(&back), attached[i].content),
		    "it arrives byte for byte");
		ok(is_sound(m, true), "and travels soundly");
		g_string_free(m, TRUE);
	}
}

static void
test_attached_message(void)
{
	static const char inner[] = "From: a@b.c\nSubject: x\n\nGr\xc3\xbc\xc3\x9f" "e\n";
	struct mt_build_attachment a = { .content = { inner, sizeof(inner) - 1 }, .name = "x.eml",
		.type = "message/rfc822" };
	struct mt_build b = { .attachments = &a, .nattachments = 1 };
	struct mt_err err = { 0 };
	GString *m = write_it(&b, &err);
	mt_auto(mt_mime) parsed = m == NULL ? NULL : parse(m);
	mt_auto_value(mt_buf) back = MT_BUF_INIT(MT_KIB(64));

	if (!ok(parsed != NULL && mt_mime_count(parsed) == 3, "a message is attached as one"))
		return;
	is_int(mt_mime_part(parsed, 1)->kind, MT_MIME_MESSAGE, "a message");
	ok(mt_mime_bytes(parsed, 1, &back, &err) == 0 &&
	    mt_slice_eq(mt_buf_slice(&back), a.content), "byte for byte");
	ok(strstr(m->str, "\nContent-Transfer-Encoding: 8bit\n\n--=_") != NULL,
	    "the multipart says that there are 8 bits in it");
	g_string_free(m, TRUE);
}

/* The kinds of a message's parts, "mixed(plain,png)"; as GMime has them. */
static void
append_tree(const struct mt_mime *m, size_t *i, GString *out)
{
	const struct mt_mime_part *p = mt_mime_part(m, *i);

	g_string_append(out, strchr(p->type, '/') + 1);
	(*i)++;
	if (p->kind != MT_MIME_MULTIPART)
		return;
	for (char c = '('; *i < mt_mime_count(m) && mt_mime_part(m, *i)->depth > p->depth;
	    c = ',') {
		g_string_append_c(out, c);
		append_tree(m, i, out);
	}
	g_string_append_c(out, ')');
}

static const struct {
	const char *name;
	struct mt_slice text, html;
	const char *ids[2];	/* Content-IDs of two pictures; "": none; NULL: no picture */
	bool has_file;
	const char *tree;
	unsigned multiparts_8bit;
} pages[] = {
	{ "text and HTML", MT_SLICE("a"), MT_SLICE("<p>a"), { NULL, NULL }, false,
	    "alternative(plain,html)", 0 },
	{ "HTML alone", MT_SLICE(""), MT_SLICE("<p>\xc3\xa4"), { NULL, NULL }, false, "html", 0 },
	{ "with a picture in it", MT_SLICE("a"), MT_SLICE("<p>\xc3\xa4"), { "<1@x>", NULL },
	    false, "alternative(plain,related(html,png))", 2 },
	{ "with all there is", MT_SLICE("\xc3\xa4"), MT_SLICE("<p>a"), { "<1@x>", "<2@x>" },
	    true, "mixed(alternative(plain,related(html,png,png)),x-y)", 2 },
	{ "with a picture that it does not show", MT_SLICE("a"), MT_SLICE("<p>a"),
	    { "<1@x>", "" }, false, "mixed(alternative(plain,related(html,png)),png)", 0 },
	{ "HTML alone with a file", MT_SLICE(""), MT_SLICE("<p>a"), { NULL, NULL }, true,
	    "mixed(html,x-y)", 0 },
	{ "HTML alone with a picture", MT_SLICE(""), MT_SLICE("<p>a"), { "<1@x>", NULL }, false,
	    "related(html,png)", 0 },
	{ "a picture and a text", MT_SLICE("a"), MT_SLICE(""), { "<1@x>", NULL }, false,
	    "mixed(plain,png)", 0 },
};

static unsigned
count_8bit(const char *message)
{
	unsigned n = 0;

	for (const char *p = message; (p = strstr(p, "\nContent-Type: multipart/")) != NULL; p++) {
		const char *end = strstr(p, "\n\n");
		const char *found = strstr(p, "\nContent-Transfer-Encoding: 8bit");

		n += found != NULL && found < end;
	}
	return n;
}

static void
test_pages(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		struct mt_build_attachment a[3];
		struct mt_build b = { .body = pages[i].text, .html = pages[i].html,
			.attachments = a };
		struct mt_err err = { 0 };
		g_autoptr(GString) tree = g_string_new(NULL);
		size_t at = 0;

		for (size_t k = 0; k < 2 && pages[i].ids[k] != NULL; k++)
			a[b.nattachments++] = (struct mt_build_attachment){
				.content = MT_SLICE("\x89PNG"), .type = "image/png",
				.name = "p.png", .is_inline = true,
				.content_id = pages[i].ids[k][0] != '\0' ? pages[i].ids[k] : NULL };
		if (pages[i].has_file)
			a[b.nattachments++] = (struct mt_build_attachment){
				.content = MT_SLICE("file"), .type = "application/x-y",
				.name = "f" };
		for (int seven = 0; seven < 2; seven++) {
			GString *m;
			mt_auto(mt_mime) parsed = NULL;
			mt_auto_value(mt_buf) back = MT_BUF_INIT(1000);

			b.only_7bit = seven == 1;
			m = write_it(&b, &err);
			parsed = m == NULL ? NULL : parse(m);
			if (!ok(parsed != NULL && is_sound(m, b.only_7bit), "a page: %s",
			    pages[i].name))
				continue;
			g_string_truncate(tree, 0);
			at = 0;
			append_tree(parsed, &at, tree);
			is_str(tree->str, pages[i].tree, "its parts");
			is_int(count_8bit(m->str), seven == 1 ? 0 : pages[i].multiparts_8bit,
			    "the multiparts that say that they have 8 bits");
			for (at = 0; pages[i].html.n > 0 && at < mt_mime_count(parsed); at++) {
				if (!g_str_equal(mt_mime_part(parsed, at)->type, "text/html"))
					continue;
				mt_mime_bytes(parsed, at, &back, &err);
				ok(mt_slice_starts(mt_buf_slice(&back), pages[i].html), "the HTML");
				is_str(mt_mime_part(parsed, at)->charset, "utf-8", "its charset");
			}
			if (pages[i].ids[0] != NULL)
				ok(strstr(m->str, "\nContent-ID: <1@x>\n"
				    "Content-Disposition: inline; filename=p.png\n") != NULL,
				    "a picture that is to be shown");
			g_string_free(m, TRUE);
		}
	}
}

static void
test_page_with_bad_id(void)
{
	struct mt_build_attachment a = { .content = MT_SLICE("x"), .content_id = "<a>\nBcc: x" };
	struct mt_build b = { .html = MT_SLICE("x"), .attachments = &a, .nattachments = 1 };
	struct mt_err err = { 0 };

	ok(write_it(&b, &err) == NULL && err.kind == MT_EUSAGE, "a Content-ID with a line end: %s",
	    err.msg);
}

static int
never(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)p;
	(void)n;
	*(bool *)arg = true;
	return mt_fail(err, MT_EIO, "disk full");
}

static void
test_unreadable(void)
{
	static const struct {
		const char *path, *type;
		enum mt_err_kind kind;
	} cases[] = {
		{ "/nonexistent/x", NULL, MT_ENOINPUT },
		{ "/tmp", NULL, MT_ENOINPUT },
		{ "/proc/self/mem", NULL, MT_EIO },
		{ "/dev/null", "multipart/mixed", MT_EUSAGE },
		{ "/dev/null", "text", MT_EUSAGE },
		{ "/dev/null", "text/x; a=b", MT_EUSAGE },
		{ "/dev/null", "text/x\nBcc: a", MT_EUSAGE },
	};
	mt_auto_value(mt_addr_list) from = { 0 };
	struct mt_build b = { .from = &from };
	struct mt_err err = { 0 };
	bool wrote = false;

	mt_addr_parse(MT_SLICE("a@b.c"), &from, &err);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_build_attachment a[] = { { .content = MT_SLICE("x"), .name = "y" },
			{ .path = cases[i].path, .type = cases[i].type } };

		b.attachments = a;
		b.nattachments = 2;
		ok(mt_build_write(&b, never, &wrote, &err) < 0 && err.kind == cases[i].kind &&
		    strstr(err.msg, cases[i].path) != NULL, "refused: %s", err.msg);
		ok(!wrote, "before anything is written");
	}
	b.nattachments = 0;
	ok(mt_build_write(&b, never, &wrote, &err) < 0 && err.kind == MT_EIO && wrote,
	    "an error of the writer is the result: %s", err.msg);
}

static int
count(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)p;
	(void)err;
	*(uint64_t *)arg += n;
	return 0;
}

static void
test_memory(void)
{
	struct mt_err err = { 0 };
	mt_auto_fd int fd = mt_file_temp(&err);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	struct mt_build_attachment a = { .path = path, .name = "big" };
	mt_auto_value(mt_addr_list) from = { 0 };
	struct mt_build b = { .from = &from, .attachments = &a, .nattachments = 1 };
	uint64_t n = 0;
	struct rusage before, after;

	mt_addr_parse(MT_SLICE("a@b.c"), &from, &err);
	if (ftruncate(fd, 256 << 20) < 0) {
		ok(true, "256 MiB # SKIP no room for a sparse file");
		return;
	}
	getrusage(RUSAGE_SELF, &before);
	ok(mt_build_write(&b, count, &n, &err) == 0, "an attachment of 256 MiB");
	getrusage(RUSAGE_SELF, &after);
	/* 76 characters and a line end for each 57 bytes. */
	ok(n > 362000000 && n < 364000000, "is all there (%llu bytes)", (unsigned long long)n);
	ok(after.ru_maxrss - before.ru_maxrss < 16 * 1024, "in constant memory (%ld KiB more)",
	    after.ru_maxrss - before.ru_maxrss);
}

static void
test_folding(void)
{
	mt_auto_value(mt_addr_list) list = { 0 };
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_buf) tiny = MT_BUF_INIT(20);
	g_autofree char *word = g_strnfill(996, 'x');
	struct mt_err err = { 0 };
	struct mt_slice s, line;
	size_t longest = 0;

	for (int i = 0; i < 100; i++) {
		struct mt_addr a = { (char *)"Jürgen Überläng", (char *)"someone",
			(char *)"example.org" };

		mt_addr_list_add(&list, &a);
	}
	ok(mt_field_addrs(&out, "To", &list, &err) == 0, "a hundred recipients");
	s = mt_buf_slice(&out);
	while (mt_slice_take_line(&s, &line))
		longest = MAX(longest, line.n);
	ok(longest <= 78, "are folded at 78 columns (%zu)", longest);
	ok(mt_field_tokens(&out, "X", word, &err) < 0 && err.kind == MT_EUSAGE,
	    "a word that no line can hold is refused");
	mt_buf_reset(&out);
	ok(mt_field_text(&out, "Subject", word, &err) == 0 && strstr(out.p, "=?UTF-8?") != NULL,
	    "in text it is encoded");
	ok(mt_field_text(&tiny, "Subject", "this is too long", &err) < 0 && tiny.n == 0,
	    "a full buffer keeps what it had");
	mt_buf_reset(&out);
	ok(mt_field_tokens(&out, "Subject", "  a   b  ", &err) == 0, "blanks");
	is_str(out.p, "Subject: a   b\n", "stay inside, and go outside");
}

int
main(void)
{
	test_fields();
	test_refused();
	test_bodies();
	test_long_line();
	test_attachments();
	test_attached_message();
	test_pages();
	test_page_with_bad_id();
	test_unreadable();
	test_folding();
	test_memory();
	return tap_done();
}
