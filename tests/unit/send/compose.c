/* compose.c - tests of libmt/send/compose.c */
#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "send/compose.h"

static char *
text_of(int fd)
{
	mt_auto_value(mt_buf) got = MT_BUF_INIT(1 << 20);

	lseek(fd, 0, SEEK_SET);
	if (fd < 0 || mt_file_read_fd(fd, &got, NULL) < 0)
		abort();
	close(fd);
	return g_strndup(got.p, got.n);
}

static void
test_addresses(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	mt_auto_value(mt_addr_list) rcpts = { 0 };
	struct mt_err err = { 0 };

	ok(mt_compose_add_to(c, "a@x.y, B <b@x.y>", &err) == 0 && c->to.n == 2,
	    "a list of recipients");
	ok(mt_compose_add_to(c, "A@X.Y", &err) == 0 && c->to.n == 2,
	    "the same one is taken once");
	ok(mt_compose_add_cc(c, "c@x.y", &err) == 0 &&
	    mt_compose_add_bcc(c, "d@x.y", &err) == 0, "Cc and Bcc");
	mt_build_recipients(&c->build, &rcpts);
	is_int(rcpts.n, 4, "all of them are in the envelope");
	ok(mt_compose_add_to(c, "nobody at all", &err) < 0 && err.kind == MT_EUSAGE &&
	    strstr(err.msg, "nobody at all") != NULL, "what is no address is named");
	ok(mt_compose_add_bcc(c, "", &err) < 0 && err.kind == MT_EUSAGE,
	    "an empty recipient is one too few");
}

static void
test_fields(void)
{
	static const char *const bad[] = { "no colon", ": value", " : value" };
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		ok(mt_compose_add_field(c, bad[i], &err) < 0 && err.kind == MT_EUSAGE,
		    "no header field: %s", bad[i]);
	mt_compose_set_from(c, "a@x.y", &err);
	mt_compose_add_to(c, "b@x.y", &err);
	ok(mt_compose_add_field(c, "X-A:  one: two ", &err) == 0, "a field");
	{
		g_autofree char *text = text_of(mt_compose_write(c, &err));

		ok(strstr(text, "\nX-A: one: two\n") != NULL, "stands in the message");
	}
	mt_compose_add_field(c, "X-B: one\nBcc: evil@x.y", &err);
	ok(mt_compose_write(c, &err) < 0 && err.kind == MT_EUSAGE &&
	    strstr(err.msg, "X-B") != NULL, "a line end in a value is refused by name");
}

static void
test_sender(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	g_autofree char *one = NULL, *two = NULL, *given = NULL;

	mt_compose_add_to(c, "b@x.y", &err);
	mt_compose_set_sender(c, "S <s@x.y>", &err);
	mt_compose_set_from(c, "a@x.y", &err);
	one = text_of(mt_compose_write(c, &err));
	ok(strstr(one, "\nSender:") == NULL, "one author needs no Sender");
	mt_compose_set_from(c, "a@x.y, b@x.y", &err);
	two = text_of(mt_compose_write(c, &err));
	ok(strstr(two, "\nFrom: a@x.y, b@x.y\nSender: S <s@x.y>\n") != NULL,
	    "of several it says who sends it");
	mt_compose_add_field(c, "sender: t@x.y", &err);
	given = text_of(mt_compose_write(c, &err));
	ok(strstr(given, "S <s@x.y>") == NULL &&
	    strstr(given, "\nsender: t@x.y\n") != NULL, "a Sender that was given stays");
}

static void
test_attachments(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-XXXXXX", NULL);
	g_autofree char *colon = g_build_filename(dir, "a:b", NULL);
	g_autofree char *sub = g_build_filename(dir, "c:text", NULL);
	g_autofree char *odd = g_build_filename(sub, "plain", NULL);
	const struct {
		const char *name, *spec, *path, *type;
	} cases[] = {
		{ "a file", "/x/y.pdf", "/x/y.pdf", NULL },
		{ "with a type", "/x/y.pdf:application/pdf", "/x/y.pdf",
		    "application/pdf" },
		{ "a colon in a name", "/x/a:b", "/x/a:b", NULL },
		{ "a colon and a slash", "/x/a:b/", "/x/a:b/", NULL },
		{ "two slashes", "/x/a:b/c/d", "/x/a:b/c/d", NULL },
		{ "a file of that whole name", odd, odd, NULL },
	};

	if (mkdir(sub, 0700) < 0 || !g_file_set_contents(odd, "x", 1, NULL))
		abort();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_build_attachment *a;

		mt_compose_add_attachment(c, cases[i].spec);
		a = &g_array_index(c->attachments, struct mt_build_attachment, 0);
		is_str(a->path, cases[i].path, "attachment, %s: path", cases[i].name);
		is_str(a->type, cases[i].type, "attachment, %s: type", cases[i].name);
	}
	{
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };

		mt_compose_set_from(c, "a@x.y", &err);
		mt_compose_add_to(c, "b@x.y", &err);
		mt_compose_add_attachment(c, colon);
		ok(mt_compose_write(c, &err) < 0 && err.kind == MT_ENOINPUT &&
		    strstr(err.msg, colon) != NULL, "one that is not there is named");
	}
	mt_file_remove_tree(dir, NULL);
}

static void
test_write(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	mt_auto_value(mt_buf) bcc = MT_BUF_INIT(1000);
	struct mt_err err = { 0 };
	g_autofree char *first = NULL, *again = NULL, *seven = NULL;
	int fd = mt_file_temp(NULL);

	ok(mt_compose_is_blank(c), "nothing yet");
	mt_compose_set_from(c, "Ada <a@x.y>", &err);
	mt_compose_add_to(c, "b@x.y", &err);
	mt_compose_add_bcc(c, "hidden@x.y", &err);
	if (mt_file_write_all(fd, "h\xc3\xa4\n", 4) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	ok(mt_compose_add_body(c, fd, &err) == 0 && !mt_compose_is_blank(c), "a text");
	close(fd);
	first = text_of(mt_compose_write(c, &err));
	again = text_of(mt_compose_write(c, &err));
	is_str(again, first, "written again, it is the same message");
	ok(strstr(first, "hidden") == NULL, "Bcc is not in it");
	ok(mt_compose_bcc_field(c, &bcc, &err) == 0, "the field for the own copy");
	is_str(bcc.p, "Bcc: hidden@x.y\n", "names it");
	c->build.only_7bit = true;
	seven = text_of(mt_compose_write(c, &err));
	ok(strchr(seven, '\xc3') == NULL && strstr(seven, "h=C3=A4") != NULL,
	    "for a server without 8BITMIME");
}

static void
test_flowed(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	g_autofree char *first = NULL, *again = NULL;
	int fd = mt_file_temp(NULL);

	mt_compose_set_from(c, "a@x.y", &err);
	mt_compose_add_to(c, "b@x.y", &err);
	if (mt_file_write_all(fd, "I \nsay", 6) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	mt_compose_add_body(c, fd, &err);
	close(fd);
	mt_buf_append_str(&c->body, "\n\nb wrote:\n> c \n> d\n");
	c->is_flowed = true;
	first = text_of(mt_compose_write(c, &err));
	again = text_of(mt_compose_write(c, &err));
	is_str(again, first, "flowed text that is written again is the same");
	ok(g_str_has_suffix(first, "\n\nI say\n\nb wrote:\n> c\n> d\n"),
	    "only the author's lines go on");
	ok(strstr(first, "; format=flowed\n") != NULL, "it says what it is");
}

int
main(void)
{
	test_addresses();
	test_fields();
	test_sender();
	test_attachments();
	test_write();
	test_flowed();
	return tap_done();
}
