/* edit.c - a message as text for an editor, and back */
#include "send/edit.h"

#include <string.h>

#include "base/limits.h"
#include "tap.h"

static char *
text_of(const struct mt_compose *c)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_EDIT_MAX);
	struct mt_err err = { 0 };

	if (mt_edit_write(c, &out, &err) < 0)
		g_error("%s", err.msg);
	return mt_slice_dup(mt_buf_slice(&out));
}

static int
take(struct mt_compose *c, const char *text, struct mt_err *err)
{
	char *copy = tap_exact(text, strlen(text));
	int rc = mt_edit_read(c, (struct mt_slice){ copy, strlen(text) }, err);

	g_free(copy);
	return rc;
}

static void
test_round(void)
{
	static const char text[] =
	    "From: Ädä <a@x.example>\n"
	    "To: \"Doe, J.\" <j@x.example>,\n"
	    " k@x.example\n"
	    "Cc: l@x.example\n"
	    "Bcc: m@x.example\n"
	    "Subject: grün\n"
	    "In-Reply-To: <1@x.example>\n"
	    "X-A: b\n"
	    "Attach: a file.pdf\n"
	    "Attach: b:image/png\n"
	    "\n"
	    "one\n\ntwo";
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	g_autofree char *again = NULL;

	ok(take(c, text, &err) == 0, "what a person wrote is taken");
	again = text_of(c);
	is_str(again, text, "and is the same for the next edit");
	is_int(c->to.n, 2, "two recipients");
	is_int(c->attachments->len, 2, "two files");
	is_str(c->build.references, "<1@x.example>", "an answer has its thread");
}

static void
test_empty(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	g_autofree char *text = text_of(c), *body = NULL;

	is_str(text, "From: \nTo: \nCc: \nBcc: \nSubject: \n\n", "there is a place for everything");
	ok(take(c, text, &err) == 0 && mt_compose_is_blank(c), "an empty message is none");
	ok(take(c, "", &err) == 0 && c->to.n == 0, "nothing at all is taken");
	ok(take(c, "\nonly text\n", &err) == 0, "fields may be missing");
	body = mt_slice_dup(mt_buf_slice(&c->body));
	is_str(body, "only text\n", "the text is what follows");
	ok(take(c, "to: a@x.example\r\nSUBJECT: b\r\n \t\r\ntext\r\n", &err) == 0,
	    "CRLF, any case, blanks in the empty line");
	is_int(c->to.n, 1, "all the same");
	is_str(c->build.subject, "b", "a subject too");
}

static void
test_thread(void)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };

	mt_compose_set_thread(c, "<2@x>", "<1@x> <2@x>");
	ok(take(c, "From: a@x.example\nIn-Reply-To: <2@x>\n\n", &err) == 0, "a reply");
	is_str(c->build.references, "<1@x> <2@x>", "stays in its thread");
	ok(take(c, "In-Reply-To: <9@x>\n\n", &err) == 0, "another parent");
	is_str(c->build.references, "<9@x>", "is another thread");
	ok(take(c, "Subject: new\n\n", &err) == 0, "no parent");
	ok(c->build.in_reply_to == NULL && c->build.references == NULL, "is no reply any more");
}

static void
test_bad(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "To: a@x.example\nhello\n", "line 2: \"hello\" is no header field" },
		{ " goes on with nothing: x\n", "line 1" },
		{ "To: a@x.example\nCc: nobody\n\nx", "line 2: Cc \"nobody\"" },
		{ "To: a@x.example,\n\tb c\nSubject: x\n\n", "line 1: recipient" },
		{ "Subject: a\nSubject: b\n\n", "line 2: a second Subject" },
		{ "In-Reply-To: <1@x>\nIn-Reply-To: <2@x>\n\n", "line 2: a second In-Reply-To" },
		{ "S\xc3\xbc: b\n\n", "line 1" },
		{ ": b\n\n", "line 1" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		struct mt_err err = { 0 };

		ok(take(c, cases[i].text, NULL) < 0 && take(c, cases[i].text, &err) < 0 &&
		    strstr(err.msg, cases[i].why) != NULL, "refused: %s", err.msg);
		ok(take(c, "To: a@x.example\n\nx", &(struct mt_err){ 0 }) == 0 && c->to.n == 1,
		    "and mended by the next edit");
	}
}

int
main(void)
{
	test_round();
	test_empty();
	test_thread();
	test_bad();
	return tap_done();
}
