/* forward.c - tests of libmt/send/forward.c and of the parts that it attaches */
#include "send/forward.h"

#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "tap.h"

static int
file_of(const char *text)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, text, strlen(text)) < 0)
		abort();
	return fd;
}

#define HEAD "From: Bob <bob@x.y>\nTo: me@x.y\nSubject: tea\nMessage-ID: <2@x>\n" \
	"References: <1@x>\nMIME-Version: 1.0\n"
#define SHOWN "---------- Forwarded message ----------\nFrom: Bob <bob@x.y>\n" \
	"Subject: tea\nTo: me@x.y\n"
#define PLAIN "Content-Type: text/plain\n\nWords that are said twice\n"
#define HTML(text) "Content-Type: text/html\n\n<p>" text "</p>\n"
#define MULTI(type, parts) "Content-Type: multipart/" type "; boundary=b" type "\n\n" parts \
	"--b" type "--\n"
#define PART(type, part) "--b" type "\n" part
#define PNG "Content-Type: image/png; name=a.png\nContent-ID: <1>\n" \
	"Content-Transfer-Encoding: base64\n\niVBORw==\n"

/* Each kept part is "[entity]" or "type name [content]", with blanks between. */
static char *
kept(const struct mt_compose *c)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < c->attachments->len; i++) {
		const struct mt_build_attachment *a =
		    &g_array_index(c->attachments, struct mt_build_attachment, i);

		if (!a->is_entity)
			g_string_append_printf(out, "%s %s ", a->type,
			    a->name != NULL ? a->name : "-");
		g_string_append_c(out, '[');
		g_string_append_len(out, a->content.p, (gssize)a->content.n);
		g_string_append_c(out, ']');
	}
	return g_string_free(out, FALSE);
}

static const struct {
	const char *name, *in, *body, *kept;
} cases[] = {
	{ "plain text", HEAD "\ntext\n", SHOWN "\ntext\n", "" },
	{ "no text", HEAD "\n", SHOWN, "" },
	{ "CRLF", "From: Bob <bob@x.y>\r\nTo: me@x.y\r\nSubject: tea\r\n\r\ntext\r\n",
	    SHOWN "\ntext\n", "" },
	{ "an mbox line", "From bob\n" HEAD "\ntext\n", SHOWN "\ntext\n", "" },
	{ "HTML is kept", HEAD HTML("hi"), SHOWN "\nhi\n",
	    "[Content-Disposition: attachment; filename=message.html\n" HTML("hi") "]" },
	{ "an alternative that says the same", HEAD MULTI("alternative",
	    PART("alternative", PLAIN)
	    PART("alternative", HTML("<b>WORDS</b> that are<br>said twice"))),
	    SHOWN "\nWords that are said twice\n", "" },
	{ "one that says more", HEAD MULTI("alternative", PART("alternative", PLAIN)
	    PART("alternative", HTML("Words that nobody said"))),
	    SHOWN "\nWords that are said twice\n",
	    "[Content-Disposition: attachment; filename=message.html\n"
	    "Content-Type: text/html\n\n<p>Words that nobody said</p>]" },
	{ "an invitation", HEAD MULTI("alternative", PART("alternative", PLAIN)
	    PART("alternative", "Content-Type: text/calendar; method=REQUEST\n\nBEGIN\n")),
	    SHOWN "\nWords that are said twice\n",
	    "[Content-Disposition: attachment; filename=invite.ics\n"
	    "Content-Type: text/calendar; method=REQUEST\n\nBEGIN]" },
	{ "HTML with its pictures", HEAD MULTI("related", PART("related", HTML("hi"))
	    PART("related", PNG)), SHOWN "\nhi\n", "[" MULTI("related",
	    PART("related", HTML("hi")) PART("related", PNG)) "]" },
	{ "of HTML that says the same only pictures", HEAD MULTI("alternative",
	    PART("alternative", PLAIN) PART("alternative", MULTI("related",
	    PART("related", HTML("Words that are said twice")) PART("related", PNG)))),
	    SHOWN "\nWords that are said twice\n", "[Content-Disposition: attachment\n"
	    "Content-Type: image/png; name=a.png\nContent-ID: <1>\n"
	    "Content-Transfer-Encoding: base64\n\niVBORw==]" },
	{ "text with a name is shown, and kept", HEAD MULTI("mixed", PART("mixed", PLAIN)
	    PART("mixed", "Content-Disposition: inline; filename=a.diff\n\n+line\n")),
	    SHOWN "\nWords that are said twice\n\n+line\n", "[Content-Type: text/plain\n"
	    "Content-Disposition: inline; filename=a.diff\n\n+line]" },
	{ "text that nobody can read is kept", HEAD "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\na\xff" "b\n", SHOWN "\na\xef\xbf\xbd" "b\n",
	    "[Content-Disposition: attachment; filename=message.txt\n"
	    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
	    "a\xff" "b\n]" },
	{ "what is signed stays whole", HEAD MULTI("signed", PART("signed", PLAIN)
	    PART("signed", "Content-Type: application/pgp-signature\n\nx\n")),
	    SHOWN "\nWords that are said twice\n", "[" MULTI("signed", PART("signed", PLAIN)
	    PART("signed", "Content-Type: application/pgp-signature\n\nx\n")) "]" },
	{ "a message of a digest keeps its type", HEAD MULTI("digest",
	    PART("digest", "\nSubject: in\n\nx\n")), SHOWN
	    "\n-------- message --------\nSubject: in\n\nx",
	    "[Content-Type: message/rfc822\n\nSubject: in\n\nx]" },
	{ "8-bit fields: encoded anew, under its name", HEAD MULTI("mixed", PART("mixed", PLAIN)
	    PART("mixed", "Content-Type: application/x; name=\"\xc3\xbc\"\n\nab\n")),
	    SHOWN "\nWords that are said twice\n", "application/x \xc3\xbc [ab]" },
	{ "binary, a bare CR", HEAD MULTI("mixed", PART("mixed", PLAIN)
	    PART("mixed", "Content-Type: application/x\nContent-Transfer-Encoding: binary\n\n"
	    "a\r\nb\n") PART("mixed", "Content-Type: application/y\n\na\rb\n")),
	    SHOWN "\nWords that are said twice\n",
	    "application/x - [a\r\nb]application/y - [a\rb]" },
	{ "a line that is no field", HEAD MULTI("mixed", PART("mixed", PLAIN)
	    PART("mixed", "Content-Type: application/x\nno field\n\nab\n")),
	    SHOWN "\nWords that are said twice\n",
	    "[Content-Disposition: attachment\nContent-Type: application/x\n\nab]" },
};

static void
test_inline(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *got = NULL, *why = NULL, *body = NULL, *text = NULL;
		struct mt_err err = { 0 };
		mt_auto_fd int fd = file_of(cases[i].in);

		ok(mt_forward_inline(c, fd, &why, &err) == 0, "%s: %s", cases[i].name, err.msg);
		is_str(why, NULL, "%s: inline", cases[i].name);
		/* A last line end is added when it is written. */
		body = g_strchomp(mt_slice_dup(mt_buf_slice(&c->body)));
		text = g_strchomp(g_strdup(cases[i].body));
		is_str(body, text, "%s: the text", cases[i].name);
		got = kept(c);
		is_str(got, cases[i].kept, "%s: what is attached", cases[i].name);
	}
}

/* What cannot be shown goes whole. */
static void
test_whole(void)
{
	g_autofree char *deep = g_strnfill(70000, 'x'), *field = NULL;
	const struct {
		const char *name, *in, *why;
	} wholes[] = {
		{ "encrypted", HEAD MULTI("encrypted", PART("encrypted",
		    "Content-Type: application/pgp-encrypted\n\nVersion: 1\n")
		    PART("encrypted", "Content-Type: application/octet-stream\n\nx\n")),
		    "encrypted" },
		{ "S/MIME", HEAD "Content-Type: application/pkcs7-mime\n\nx\n", "S/MIME" },
		{ "no parts", HEAD "Content-Type: multipart/mixed; boundary=b\n\nx\n", "parts" },
		{ "no parts within", HEAD MULTI("mixed", PART("mixed", PLAIN) PART("mixed",
		    "Content-Type: multipart/alternative; boundary=c\n\n--d\n\nx\n")), "parts" },
		{ "hostile", field = g_strconcat(HEAD "X: ", deep, "\n\nx\n", NULL), "field" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wholes); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *got = NULL, *why = NULL, *want = NULL;
		struct mt_err err = { 0 };
		mt_auto_fd int fd = file_of(wholes[i].in);

		ok(mt_forward_inline(c, fd, &why, &err) == 0, "%s: %s", wholes[i].name, err.msg);
		ok(why != NULL && strstr(why, wholes[i].why) != NULL, "%s: it says why",
		    wholes[i].name);
		got = kept(c);
		want = g_strdup_printf("message/rfc822 message.eml [%s]", wholes[i].in);
		ok(strcmp(got, want) == 0, "%s: it is attached as it stands", wholes[i].name);
		ok(c->body.n == 0, "%s: and not shown", wholes[i].name);
	}
}

static void
test_attached(void)
{
	static const struct {
		const char *name, *in, *want;
	} attached[] = {
		{ "LF", HEAD "\nx\n", HEAD "\nx\n" },
		{ "no line end at the end", HEAD "\nx", HEAD "\nx" },
		{ "CRLF is SMTP's", "From: a@b\r\n\r\nx\r\n", "From: a@b\n\nx\n" },
		{ "an mbox line", "From bob\nFrom: a@b\n\nx\n", "From: a@b\n\nx\n" },
		{ "Bcc never leaves", "From: a@b\nBcc: c@d,\n e@f\nTo: g@h\n\nBcc: x\n",
		    "From: a@b\nTo: g@h\n\nBcc: x\n" },
		{ "what cannot travel has its own line ends", "From: a@b\r\n\r\nx\ry\r\n",
		    "From: a@b\r\n\r\nx\ry\r\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(attached); i++) {
		mt_auto(mt_compose) c = mt_compose_new();
		g_autofree char *got = NULL, *want = NULL;
		struct mt_err err = { 0 };
		mt_auto_fd int fd = file_of(attached[i].in);

		ok(mt_forward_attached(c, fd, &err) == 0, "%s: %s", attached[i].name, err.msg);
		got = kept(c);
		want = g_strdup_printf("message/rfc822 message.eml [%s]", attached[i].want);
		is_str(got, want, "%s", attached[i].name);
	}
}

static void
test_fields(void)
{
	static const char *const none[] = { "%PDF-1.4\nFrom: a@b\n\n", "text\n", "\nFrom: a@b\n",
		"From bob\n\nx\n", "From bob" };
	mt_auto(mt_compose) c = mt_compose_new();
	mt_auto(mt_compose) own = mt_compose_new();
	mt_auto_fd int fd = file_of(HEAD "\nx\n");
	g_autofree char *why = NULL, *again = NULL, *subject = NULL;
	struct mt_err err = { 0 };

	mt_buf_append_str(&c->body, "See");
	ok(mt_forward_inline(c, fd, &why, &err) == 0, "with a text");
	ok(g_str_has_prefix(c->body.p, "See\n\n---------- Forwarded"), "an empty line below it");
	is_str(c->build.subject, "Fwd: tea", "the subject");
	is_str(c->build.references, "<1@x> <2@x>", "it is in the thread");
	is_str(c->build.in_reply_to, NULL, "but no answer");
	mt_compose_set_subject(own, "mine");
	ok(mt_forward_inline(own, fd, &again, &err) == 0, "with a subject");
	is_str(own->build.subject, "mine", "that is it");
	subject = mt_forward_subject("WG: Fw: FWD: tea");
	is_str(subject, "Fwd: tea", "said once");
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
		mt_auto(mt_compose) d = mt_compose_new();
		mt_auto_fd int file = file_of(none[i]);
		g_autofree char *reason = NULL;

		err = (struct mt_err){ 0 };
		ok(mt_forward_inline(d, file, &reason, &err) < 0 && err.kind == MT_EDATA,
		    "no message (%zu): %s", i, err.msg);
	}
}

int
main(void)
{
	test_inline();
	test_whole();
	test_attached();
	test_fields();
	return tap_done();
}
