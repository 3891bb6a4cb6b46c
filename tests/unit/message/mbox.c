/* mbox.c - messages of mbox files: dialects, quoting, and a suite of odd files */
#include "message/mbox.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "tap.h"

#define FROM "From a@b.c Sun Nov 22 23:30:05 2026\n"

static int
collect(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)err;
	g_string_append_len(arg, p, (gssize)n);
	return 0;
}

static int
file_of(const char *text, size_t n)
{
	struct mt_err err = { 0 };
	int fd = mt_file_temp(&err);

	if (fd < 0 || mt_file_write_all(fd, text, n) < 0)
		abort();
	return fd;
}

/* All messages with "|" behind each; "no mbox" when it is none. */
static char *
split(const char *text, size_t n, enum mt_mbox_quoting quoting)
{
	mt_auto_fd int fd = file_of(text, n);
	struct mt_err err = { 0 };
	mt_auto(mt_mbox) m = mt_mbox_open(fd, quoting, &err);
	GString *all = g_string_new(NULL);
	struct mt_mbox_entry e;

	if (m == NULL) {
		g_string_append(all, err.kind == MT_EDATA ? "no mbox" : err.msg);
		return g_string_free(all, FALSE);
	}
	while (mt_mbox_next(m, &e, &err) > 0) {
		if (mt_mbox_copy(m, &e, collect, all, &err) < 0)
			g_string_append(all, err.msg);
		g_string_append_c(all, '|');
	}
	return g_string_free(all, FALSE);
}

static const struct {
	const char *name, *text, *want, *as_is;
} cases[] = {
	{ "an empty file", "", "", "" },
	{ "one", FROM "A: b\n\nx\n", "A: b\n\nx\n|", NULL },
	{ "two", FROM "A: b\n\nx\n\n" FROM "A: c\n\ny\n\n", "A: b\n\nx\n|A: c\n\ny\n|", NULL },
	{ "CRLF", "From a 1:00 2026\r\nA: b\r\n\r\nx\r\n\r\nFrom b 1:00 2026\r\nA: c\r\n\r\n",
	    "A: b\r\n\r\nx\r\n|A: c\r\n\r\n|", NULL },
	{ "only one empty line goes", FROM "A: b\n\nx\n\n\n\n" FROM "A: c\n\n\n",
	    "A: b\n\nx\n\n\n|A: c\n\n|", NULL },
	{ "a header's end stays", FROM "A: b\n\n" FROM "A: c\n\n", "A: b\n\n|A: c\n\n|", NULL },
	{ "no empty line between", FROM "A: b\n\nx\n" FROM "A: c\n\ny\n",
	    "A: b\n\nx\n|A: c\n\ny\n|", NULL },
	{ "a sentence", FROM "A: b\n\n\nFrom this, all follows.\n",
	    "A: b\n\n\nFrom this, all follows.\n|", NULL },
	{ "a sentence before a colon", FROM "A: b\n\n\nFrom Russia with love\nYear: 1963\n",
	    "A: b\n\n\nFrom Russia with love\nYear: 1963\n|", NULL },
	{ "Mozilla", "From - \nA: b\n\nx\nFrom -\nA: c\n\ny\n", "A: b\n\nx\n|A: c\n\ny\n|", NULL },
	{ "a sender alone", "From 18@xxx\nA: b\n\nx\n\nFrom 19@xxx\nA: c\n\ny\n",
	    "A: b\n\nx\n|A: c\n\ny\n|", NULL },
	{ "quoted", FROM "A: b\n\n>From x\n>>From y\n>>> From\n>Fro\n>",
	    "A: b\n\nFrom x\n>From y\n>>> From\n>Fro\n>|",
	    "A: b\n\n>From x\n>>From y\n>>> From\n>Fro\n>|" },
	{ "a length", FROM "Content-Length: 47\n\nx\n\n" FROM "A: c\n\ny\n\n" FROM "A: d\n",
	    "Content-Length: 47\n\nx\n\n" FROM "A: c\n\ny\n|A: d\n|", NULL },
	{ "a wrong length", FROM "Content-Length: 7\n\nx\n\n" FROM "A: c\n\ny\n",
	    "Content-Length: 7\n\nx\n|A: c\n\ny\n|", NULL },
	{ "a huge length", FROM "Content-Length: 9223372036854775807\n\nx\n\n" FROM "A: c\n",
	    "Content-Length: 9223372036854775807\n\nx\n|A: c\n|", NULL },
	{ "a length in the body", FROM "A: b\n\nContent-Length: 1\n\nx\n",
	    "A: b\n\nContent-Length: 1\n\nx\n|", NULL },
	{ "empty lines first", "\n\n" FROM "A: b\n", "A: b\n|", NULL },
	{ "a byte order mark", "\xef\xbb\xbf" FROM "A: b\n", "A: b\n|", NULL },
	{ "no line end at the end", FROM "A: b\n\nx", "A: b\n\nx|", NULL },
	{ "nothing behind the From line", FROM, "|", NULL },
	{ "a message, no mbox", "From: a@b.c\n\nx\n", "no mbox", NULL },
	{ "bytes", "\x1f\x8b\x08", "no mbox", NULL },
};

static void
test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].text);
		g_autofree char *got = split(cases[i].text, n, MT_MBOX_RD);
		g_autofree char *as_is = split(cases[i].text, n, MT_MBOX_ASIS);

		is_str(got, cases[i].want, "%s", cases[i].name);
		is_str(as_is, cases[i].as_is != NULL ? cases[i].as_is : cases[i].want,
		    "as it is: %s", cases[i].name);
	}
}

/* Lines that are longer than any buffer, and marks that lie across its end. */
static void
test_long(void)
{
	for (size_t pad = 65500; pad < 65560; pad++) {
		GString *text = g_string_new(FROM "A: b\n\n");
		g_autofree char *got = NULL;

		for (size_t i = text->len; i < pad; i++)
			g_string_append_c(text, 'x');
		g_string_append(text, "\n>>From x\n\n" FROM "A: c\n");
		got = split(text->str, text->len, MT_MBOX_RD);
		if (strstr(got, "x\n>From x\n|A: c\n|") == NULL) {
			ok(false, "at the end of a window: %zu", pad);
			break;
		}
		g_string_free(text, TRUE);
	}
	ok(true, "quoting is seen wherever a window ends");
}

static const struct {
	const char *file;
	int messages;
} suite[] = {
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__binary_body.txt", 1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__hessbug.txt", 1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__invalid-boundaries.txt", 8 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-1-dos.txt", 16 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-1.txt", 16 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-2.txt", 5 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-2.txt.bz2", -1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-2.txt.gz", -1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-2.txt.lz", -1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-2.txt.xz", -1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailarc-3.txt", 17 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__mailseparators.txt", 3 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__malformed.txt", 54 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__newlines_at_beginning.txt", 1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__non-mailbox.txt.gz", -1 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__separators1.sep", 4 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__separators2.sep", 2 },
	{ "debsrc-libmail-mbox-messageparser-perl__t__mailboxes__vm-emacs.txt", 1 },
	{ "mime4j__mbox__src__test__resources__test-1__mbox.rlug", 5 },
	{ "mimekit__UnitTests__TestData__mbox__content-length.mbox.txt", 29 },
	{ "mimekit__UnitTests__TestData__mbox__issue1189.mbox.txt", 4 },
	{ "mimekit__UnitTests__TestData__mbox__simple.mbox.txt", 3 },
	{ "mimekit__UnitTests__TestData__mbox__unmunged.mbox.txt", 2 },
};

/* Between two messages lie a From line and at most one empty line, and nothing is lost. */
static int
walk(struct mt_mbox *m, uint64_t size, bool *whole)
{
	struct mt_mbox_entry e;
	struct mt_err err = { 0 };
	uint64_t end = 0;
	int n = 0;

	*whole = true;
	while (mt_mbox_next(m, &e, &err) > 0) {
		GString *text = g_string_new(NULL);

		*whole = *whole && (n == 0 || (e.from_line >= end && e.from_line <= end + 2));
		*whole = *whole && mt_mbox_copy(m, &e, collect, text, &err) == 0 &&
		    text->len == e.size;
		end = e.start + e.size;
		g_string_free(text, TRUE);
		n++;
	}
	*whole = *whole && end <= size && end + 2 >= size && err.kind == MT_ENONE;
	return n;
}

static void
test_suite(void)
{
	static const char dir[] = "../shared/suites/mbox";

	if (access(dir, R_OK) < 0) {
		ok(true, "mbox suite # SKIP %s is not there", dir);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(suite); i++) {
		g_autofree char *path = g_build_filename(dir, suite[i].file, NULL);
		mt_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		struct mt_err err = { 0 };
		mt_auto(mt_mbox) m = fd < 0 ? NULL : mt_mbox_open(fd, MT_MBOX_ASIS, &err);
		bool whole;

		if (suite[i].messages < 0) {
			ok(fd >= 0 && m == NULL && err.kind == MT_EDATA, "refused: %s",
			    suite[i].file);
			continue;
		}
		if (!ok(m != NULL, "opened: %s", suite[i].file))
			continue;
		is_int(walk(m, (uint64_t)lseek(fd, 0, SEEK_END), &whole), suite[i].messages,
		    "messages in it");
		ok(whole, "and nothing between them is lost");
	}
}

int
main(void)
{
	test_cases();
	test_long();
	test_suite();
	return tap_done();
}
