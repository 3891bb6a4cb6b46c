/* reply.c - tests of libmt/send/reply.c */
#include "tap.h"

#include <unistd.h>

#include "base/file.h"
#include "send/reply.h"

static int
file_of(const char *text)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, text, strlen(text)) < 0)
		abort();
	return fd;
}

static char *
specs(const struct mt_addr_list *list)
{
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < list->n; i++) {
		g_autofree char *spec = mt_addr_spec(&list->v[i]);

		g_string_append_printf(s, "%s%s", i > 0 ? " " : "", spec);
	}
	return g_string_free(s, FALSE);
}

#define AUTHOR "From: Bob <bob@x.y>\n"

static void
test_recipients(struct mt_addr_list *mine)
{
	static const struct {
		const char *name, *in;
		bool all;
		const char *to, *cc;
	} cases[] = {
		{ "the author", AUTHOR "To: me@x.y, c@x.y\n\n", false, "bob@x.y", "" },
		{ "Reply-To wins", AUTHOR "Reply-To: r@x.y, s@x.y\n\n", false,
		    "r@x.y s@x.y", "" },
		{ "Mail-Reply-To wins", AUTHOR "Reply-To: list@x.y\n"
		    "Mail-Reply-To: bob2@x.y\n\n", false, "bob2@x.y", "" },
		{ "all", AUTHOR "To: me@x.y, c@x.y\nCc: d@x.y, ME2@X.Y\n\n", true,
		    "bob@x.y", "c@x.y d@x.y" },
		{ "all, each once", AUTHOR "To: bob@x.y, c@x.y\nCc: c@x.y\n\n", true,
		    "bob@x.y", "c@x.y" },
		{ "Mail-Followup-To alone", AUTHOR "To: c@x.y\n"
		    "Mail-Followup-To: list@x.y, me@x.y\n\n", true, "list@x.y", "" },
		{ "but not for one", AUTHOR "Mail-Followup-To: list@x.y\n\n", false,
		    "bob@x.y", "" },
		{ "List-Post for all", AUTHOR "To: me@x.y\nList-Post: <mailto:l@x.y>\n\n",
		    true, "bob@x.y", "l@x.y" },
		{ "List-Post with more", AUTHOR "List-Post: <http://x/>, "
		    "<mailto:a%2bl@x.y?subject=x> (note)\n\n", true, "bob@x.y",
		    "a+l@x.y" },
		{ "List-Post: NO", AUTHOR "List-Post: NO\n\n", true, "bob@x.y", "" },
		{ "to my own message", "From: me@x.y\nTo: c@x.y\nCc: d@x.y\n\n", false,
		    "c@x.y", "" },
		{ "to my own, all", "From: me@x.y\nTo: c@x.y\nCc: d@x.y\n\n", true,
		    "c@x.y", "d@x.y" },
		{ "a note to myself", "From: me@x.y\nTo: me@x.y\n\n", true, "me@x.y",
		    "" },
		{ "a group", "From: a: bob@x.y;\n\n", false, "bob@x.y", "" },
		{ "nobody whose address cannot be read", AUTHOR
		    "Reply-To: <foo@bar)baz.org>\nCc: z@-a.org, c@x.y,\n d@x\r.y\n\n",
		    true, "bob@x.y", "c@x.y" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct mt_reply params = { cases[i].all, true, false, mine };
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *to = NULL, *cc = NULL;
		struct mt_err err = { 0 };
		int fd = file_of(cases[i].in);

		ok(mt_reply_fill(c, fd, &params, &err) == 0, "%s: %s", cases[i].name,
		    err.msg);
		to = specs(&c->to);
		cc = specs(&c->cc);
		is_str(to, cases[i].to, "%s: To", cases[i].name);
		is_str(cc, cases[i].cc, "%s: Cc", cases[i].name);
		close(fd);
	}
	{
		const struct mt_reply params = { true, true, false, mine };
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };
		int fd = file_of("Subject: x\n\nbody\n");

		ok(mt_reply_fill(c, fd, &params, &err) < 0 && err.kind == MT_EDATA,
		    "a message from nobody");
		close(fd);
	}
}

/* To the list, and to nobody else. */
static void
test_list(struct mt_addr_list *mine)
{
	static const struct {
		const char *in, *to;	/* NULL: an error */
	} cases[] = {
		{ AUTHOR "List-Post: <mailto:l@x.y?subject=a>\nReply-To: bob@x.y\n"
		    "Cc: c@x.y\nMail-Followup-To: bob@x.y\n\n", "l@x.y" },
		{ AUTHOR "List-Post: <https://x.y/>, <mailto:l%2Bx@x.y>\n\n", "l+x@x.y" },
		{ AUTHOR "List-Post: NO\n\n", NULL },
		{ AUTHOR "\n", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct mt_reply params = { .to_list = true, .no_quote = true, .mine = mine };
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *to = NULL;
		struct mt_err err = { 0 };
		int fd = file_of(cases[i].in), rc = mt_reply_fill(c, fd, &params, &err);

		close(fd);
		to = specs(&c->to);
		ok(cases[i].to == NULL ? rc < 0 && err.kind == MT_EDATA : rc == 0 && c->cc.n == 0,
		    "to the list: %s", err.msg);
		is_str(to, cases[i].to != NULL ? cases[i].to : "", "which is there");
	}
}

/* Who is in Cc and Bcc already is nobody to answer to. */
static void
test_added(struct mt_addr_list *mine)
{
	static const struct {
		const char *name, *in, *to, *cc;
	} cases[] = {
		{ "a note to myself", "From: me@x.y\nTo: me@x.y\n\n", "me@x.y", "d@x.y" },
		{ "to others", AUTHOR "To: me@x.y, c@x.y\n\n", "bob@x.y", "d@x.y c@x.y" },
		{ "to the same", AUTHOR "Cc: D@x.y\n\n", "bob@x.y", "d@x.y" },
		{ "nobody", "Subject: x\n\n", NULL, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct mt_reply params = { true, true, false, mine };
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *to = NULL, *cc = NULL;
		int fd = file_of(cases[i].in), rc;

		mt_compose_add_cc(c, "d@x.y", NULL);
		mt_compose_add_bcc(c, "e@x.y", NULL);
		rc = mt_reply_fill(c, fd, &params, NULL);
		close(fd);
		if (!ok((rc == 0) == (cases[i].to != NULL), "with an added Cc and Bcc: %s",
		    cases[i].name) || rc < 0)
			continue;
		to = specs(&c->to);
		cc = specs(&c->cc);
		is_str(to, cases[i].to, "its To");
		is_str(cc, cases[i].cc, "its Cc");
	}
}

/* Each is looked for among those before it: a list of that length takes its time. */
static void
test_many(struct mt_addr_list *mine)
{
	static const char *const names[] = { "From", "Reply-To", "To", "Cc", "Cc" };
	const struct mt_reply params = { true, true, false, mine };
	mt_auto(mt_compose) c = mt_compose_new();
	g_autoptr(GString) in = g_string_new(NULL);
	int fd;

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_string_append_printf(in, "%s:", names[i]);
		for (unsigned k = 0; k < 8000; k++)
			g_string_append_printf(in, "\n a%u@x.y,", i * 8000 + k);
		g_string_append_c(in, '\n');
	}
	g_string_append_c(in, '\n');
	fd = file_of(in->str);
	ok(mt_reply_fill(c, fd, &params, NULL) == 0, "a reply to 40000 addresses");
	is_int(c->to.n, 8000, "goes to those of Reply-To");
	is_int(c->cc.n, 24000, "and to those of To and Cc");
	ok(c->cc.n > 0 && g_str_equal(c->cc.v[c->cc.n - 1].local, "a39999"),
	    "in their order");
	close(fd);
}

static void
test_thread(struct mt_addr_list *mine)
{
	static const struct {
		const char *name, *in, *references, *in_reply_to;
	} cases[] = {
		{ "References and Message-ID", "References: <1@x>\n <2@x>\n"
		    "Message-ID: <3@x>\n", "<1@x> <2@x> <3@x>", "<3@x>" },
		{ "In-Reply-To instead", "In-Reply-To: <1@x>\nMessage-ID: <3@x>\n",
		    "<1@x> <3@x>", "<3@x>" },
		{ "not two of it", "In-Reply-To: <1@x> <2@x>\nMessage-ID: <3@x>\n",
		    "<3@x>", "<3@x>" },
		{ "no Message-ID", "References: <1@x>\n", "<1@x>", NULL },
		{ "nothing", "", NULL, NULL },
		{ "ids that are none", "References: <1 a@x> <\xc3\xa4@x> <2@x>\n"
		    " <3@\n x>\nMessage-ID: <4\xa0@x>\n", "<2@x> <3@x>", NULL },
		{ "no id that is one", "References: <1 a@x>\nIn-Reply-To: <\xe4@x>\n"
		    "Message-ID: <3 3@x>\n", NULL, NULL },
		{ "itself once", "References: <3@x>\nMessage-ID: <3@x>\n", "<3@x>",
		    "<3@x>" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct mt_reply params = { false, true, false, mine };
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *in = g_strconcat(AUTHOR, cases[i].in, "\n", NULL);
		int fd = file_of(in);

		mt_reply_fill(c, fd, &params, NULL);
		is_str(c->build.references, cases[i].references, "%s: References",
		    cases[i].name);
		is_str(c->build.in_reply_to, cases[i].in_reply_to, "%s: In-Reply-To",
		    cases[i].name);
		close(fd);
	}
}

static void
test_subject(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "hello", "Re: hello" },
		{ "Re: hello", "Re: hello" },
		{ "RE: Re[2]: AW : Antw:hello", "Re: hello" },
		{ "Ready: set", "Re: Ready: set" },
		{ "Re[x]: hello", "Re: Re[x]: hello" },
		{ "", "Re: " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = mt_reply_subject(cases[i].in);

		is_str(got, cases[i].out, "subject \"%s\"", cases[i].in);
	}
}

static void
test_quote(struct mt_addr_list *mine)
{
	const struct mt_reply params = { false, false, false, mine };
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	int fd = file_of(AUTHOR "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
	    "Date: Sat, 21 Nov 2026 10:00:00 +0100\n\n"
	    "one\n\n> two\nthree\n\n-- \nBob\n");

	mt_buf_append_str(&c->body, "mine");
	ok(mt_reply_fill(c, fd, &params, &err) == 0, "filled: %s", err.msg);
	is_str(c->body.p, "mine\n\nOn Sat, 21 Nov 2026 10:00:00 +0100, Bob wrote:\n"
	    "> one\n>\n>> two\n> three\n", "the answer, and below it the quotation");
	is_str(c->build.subject, "Re: Gr\xc3\xbc\xc3\x9f" "e", "the subject is decoded");
	is_int(mt_reply_find_mine(fd, mine), -1, "it went to none of mine");
	close(fd);
	fd = file_of(AUTHOR "To: c@x.y\nCc: ME2@x.y\n\n");
	is_int(mt_reply_find_mine(fd, mine), 1, "it went to my second address");
	close(fd);
}

int
main(void)
{
	mt_auto_value(mt_addr_list) mine = { 0 };

	mt_addr_parse(MT_SLICE("me@x.y, me2@x.y"), &mine, NULL);
	test_recipients(&mine);
	test_list(&mine);
	test_added(&mine);
	test_many(&mine);
	test_thread(&mine);
	test_subject();
	test_quote(&mine);
	return tap_done();
}
