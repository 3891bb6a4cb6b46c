/* resend.c - tests of libmt/send/resend.c */
#include "send/resend.h"

#include <glib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/date.h"
#include "message/header.h"
#include "tap.h"

static int
file_of(const char *text, size_t n)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, text, n) < 0)
		abort();
	return fd;
}

static char *
text_of(int fd)
{
	mt_auto_value(mt_buf) b = MT_BUF_INIT(MT_MIB(4));

	if (lseek(fd, 0, SEEK_SET) < 0 || mt_file_read_fd(fd, &b, NULL) < 0)
		abort();
	return mt_slice_dup(mt_buf_slice(&b));
}

#define OLD "Resent-From: c@x.y\nResent-To: me@x.y\nReceived: by x\n"
#define HEAD "From: Bob <bob@x.y>\nTo: me@x.y\nSubject: =?utf-8?q?=C3=BC?=\nDKIM-Signature: x;\n" \
	"\tb=y\nMessage-ID: <2@x>\n"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "all stays", HEAD "\n\xc3\xbc\n.\nFrom x\n", HEAD "\n\xc3\xbc\n.\nFrom x\n" },
	{ "an older block, too", OLD HEAD "\nx\n", OLD HEAD "\nx\n" },
	{ "CRLF, and no last line end", "From: a@b\r\n\r\nx\r\ny", "From: a@b\r\n\r\nx\r\ny" },
	{ "not Bcc", "Bcc: a@b,\n c@d\n" HEAD "Resent-Bcc: e@f\n\nBcc: x\n", HEAD "\nBcc: x\n" },
	{ "not Return-Path", "Return-Path: <a@b>\n" HEAD "\nReturn-Path: x\n",
	    HEAD "\nReturn-Path: x\n" },
	{ "not an mbox line", "From bob Sat Nov 21 10:00:00 2026\n" HEAD "\nx\n", HEAD "\nx\n" },
	{ "odd fields", "From: a@b\nX-\xff: \xfe\n>From x\n\nx\n",
	    "From: a@b\nX-\xff: \xfe\n>From x\n\nx\n" },
	{ "a header alone", HEAD, HEAD },
};

/* What stands in the new block: its fields in their order, and the rest behind it. */
static void
test_write(struct mt_addr_list *from, struct mt_addr_list *sender, struct mt_addr_list *to)
{
	const struct mt_resend params = { from, sender, to, 0 };
	g_autofree char *last_id = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mt_err err = { 0 };
		mt_auto_fd int in = file_of(cases[i].in, strlen(cases[i].in));
		mt_auto_fd int out = mt_resend_write(in, &params, &err);
		g_autofree char *got = NULL, *date = NULL, *id = NULL, *block = NULL;
		struct mt_slice head;
		struct mt_date d;
		size_t n, want = strlen(cases[i].want);

		if (!ok(out >= 0, "%s: %s", cases[i].name, err.msg))
			continue;
		got = text_of(out);
		n = strlen(got);
		ok(n > want && strcmp(got + n - want, cases[i].want) == 0, "%s: byte for byte",
		    cases[i].name);
		head = mt_slice_mem(got, n - want);
		date = mt_header_value(head, "Resent-Date");
		id = mt_header_value(head, "Resent-Message-ID");
		ok(date != NULL && mt_date_parse(mt_slice_str(date), &d), "%s: a date",
		    cases[i].name);
		ok(id != NULL && g_strcmp0(id, last_id) != 0, "%s: an id of its own",
		    cases[i].name);
		block = g_strdup_printf("Resent-Date: %s\nResent-From: Ada <ada@x.y>%s\n"
		    "Resent-To: Eve <eve@x.y>, f@x.y\nResent-Message-ID: %s\n", date,
		    from->n > 1 ? ", z@x.y\nResent-Sender: s@x.y" : "", id);
		got[n - want] = '\0';
		is_str(got, block, "%s: the block", cases[i].name);
		g_free(last_id);
		last_id = g_strdup(id);
	}
}

static void
test_refused(const struct mt_addr_list *from, const struct mt_addr_list *to)
{
	static const struct {
		const char *name, *in, *why;
	} bad[] = {
		{ "a text", "text\n\nx\n", "no message" },
		{ "an empty header", "\nFrom: a@b\n", "no message" },
		{ "an mbox line alone", "From bob", "no message" },
		{ "a Bcc that may be text", "From: a@b\nno field\nBcc: c@d\n\nx\n", "line 2" },
		{ "a Return-Path that may be text", "From: a@b\nno field\nReturn-Path: <>\n\nx\n",
		    "line 2" },
	};
	const struct mt_resend params = { from, NULL, to, 0 };
	g_autofree char *fill = g_strnfill(MT_MAX_HEADER, 'x');
	g_autofree char *large = g_strconcat("From: a@b\nX: ", fill, "\n\nx\n", NULL);
	mt_auto_fd int in = file_of(large, strlen(large));
	struct mt_err err = { 0 };

	ok(mt_resend_write(in, &params, &err) < 0 && err.kind == MT_EDATA,
	    "a header that is too long: %s", err.msg);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		mt_auto_fd int fd = file_of(bad[i].in, strlen(bad[i].in));

		err = (struct mt_err){ 0 };
		ok(mt_resend_write(fd, &params, &err) < 0 && err.kind == MT_EDATA &&
		    strstr(err.msg, bad[i].why) != NULL, "%s: %s", bad[i].name, err.msg);
	}
}

int
main(void)
{
	mt_auto_value(mt_addr_list) from = { 0 }, two = { 0 }, sender = { 0 }, to = { 0 };
	struct mt_err err = { 0 };

	if (mt_addr_parse(MT_SLICE("Ada <ada@x.y>"), &from, &err) < 0 ||
	    mt_addr_parse(MT_SLICE("Ada <ada@x.y>, z@x.y"), &two, &err) < 0 ||
	    mt_addr_parse(MT_SLICE("s@x.y"), &sender, &err) < 0 ||
	    mt_addr_parse(MT_SLICE("Eve <eve@x.y>, f@x.y"), &to, &err) < 0)
		abort();
	test_write(&from, &sender, &to);
	test_write(&two, &sender, &to);
	test_refused(&from, &to);
	return tap_done();
}
