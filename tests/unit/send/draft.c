/* draft.c - tests of libmt/send/draft.c */
#include "tap.h"

#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "send/draft.h"

static int
file_of(const void *p, size_t n)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, p, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static int
add(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)err;
	g_string_append_len(arg, p, (gssize)n);
	return 0;
}

static int
refuse(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)arg, (void)p, (void)n;
	return mt_fail(err, MT_EIO, "full");
}

static void
test_lines(void)
{
	static const struct {
		const char *name, *in, *crlf, *lf;
	} cases[] = {
		{ "LF", "a\nb\n", "a\r\nb\r\n", "a\nb\n" },
		{ "CRLF", "a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n" },
		{ "mixed", "a\nb\r\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nc\n" },
		{ "no end", "a\nb", "a\r\nb\r\n", "a\nb\n" },
		{ "empty lines", "\n\r\n\n", "\r\n\r\n\r\n", "\n\n\n" },
		{ "dots stay", "..\n.\n", "..\r\n.\r\n", "..\n.\n" },
		{ "nothing", "", "", "" },
	};
	char *big = g_malloc(100001);
	g_autoptr(GString) out = g_string_new(NULL);
	int fd;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) crlf = g_string_new(NULL), lf = g_string_new(NULL);

		fd = file_of(cases[i].in, strlen(cases[i].in));
		ok(mt_draft_copy_crlf(fd, add, crlf, NULL) == 0 &&
		    mt_draft_copy_lf(fd, add, lf, NULL) == 0, "%s: copied",
		    cases[i].name);
		is_str(crlf->str, cases[i].crlf, "%s: with CRLF", cases[i].name);
		is_str(lf->str, cases[i].lf, "%s: with LF", cases[i].name);
		close(fd);
	}
	/* A CR at the end of each piece that is read: 32768 bytes. */
	memset(big, 'x', 100001);
	big[32767] = '\r';
	big[32768] = '\n';
	big[65535] = '\r';
	big[65536] = '\n';
	big[100000] = '\n';
	fd = file_of(big, 100001);
	mt_draft_copy_lf(fd, add, out, NULL);
	is_int(out->len, 100001 - 2, "CRLF that two pieces share");
	ok(out->str[32767] == '\n' && out->str[65534] == '\n', "becomes one LF");
	ok(mt_draft_copy_crlf(fd, refuse, NULL, NULL) < 0, "the writer's error ends it");
	close(fd);
	g_free(big);
}

static void
test_spool(void)
{
	struct mt_err err = { 0 };
	int in = file_of("", 0);

	ok(mt_draft_spool(in, &err) < 0 && err.kind == MT_EDATA, "nothing is no message");
	close(in);
	in = file_of("a\0b", 3);
	{
		mt_auto_value(mt_buf) got = MT_BUF_INIT(100);
		int fd = mt_draft_spool(in, &err);

		lseek(fd, 0, SEEK_SET);
		ok(mt_file_read_fd(fd, &got, &err) == 0 && got.n == 3 &&
		    memcmp(got.p, "a\0b", 3) == 0, "what comes is kept as it is");
		close(fd);
	}
	close(in);
}

static void
test_header(void)
{
	static const struct {
		const char *name, *in, *head;
	} cases[] = {
		{ "LF", "A: b\n\nbody\n\nmore\n", "A: b\n\n" },
		{ "CRLF", "A: b\r\n\r\nbody\r\n", "A: b\r\n\r\n" },
		{ "no body", "A: b\n", "A: b\n" },
		{ "no header", "\nbody\n", "\n" },
	};
	mt_auto_value(mt_buf) small = MT_BUF_INIT(10);
	struct mt_err err = { 0 };
	int fd;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);

		fd = file_of(cases[i].in, strlen(cases[i].in));
		ok(mt_draft_header(fd, &head, &err) == 0 &&
		    head.n == strlen(cases[i].head) &&
		    memcmp(head.p, cases[i].head, head.n) == 0,
		    "header block: %s", cases[i].name);
		close(fd);
	}
	fd = file_of("A: 0123456789\n\n", 15);
	ok(mt_draft_header(fd, &small, &err) < 0 && err.kind == MT_EDATA,
	    "a header past the ceiling is refused, not cut");
	close(fd);
}

int
main(void)
{
	test_lines();
	test_spool();
	test_header();
	return tap_done();
}
