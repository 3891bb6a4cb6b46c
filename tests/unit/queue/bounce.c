/* bounce.c - reports: what a person reads, what a program reads, the message */
#include "queue/bounce.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static const char message[] = "Subject: gr\xc3\xbc\xc3\x9f\n\n.dot\nFrom here\n\n";

static int
append(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)err;
	g_string_append_len(arg, p, (gssize)n);
	return 0;
}

static int
refuse(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)p;
	(void)n;
	return *(int *)arg > 0 ? (*(int *)arg)--, 0 : mt_fail(err, MT_EIO, "full");
}

static void
has(const GString *s, const char *part, const char *why)
{
	ok(strstr(s->str, part) != NULL, "%s", why);
}

static struct mt_queue_rcpt *
add(struct mt_envelope *e, const char *address, enum mt_queue_fate fate, const char *dsn,
    const char *text)
{
	struct mt_queue_rcpt *r = mt_envelope_add(e, address);

	r->fate = fate;
	g_strlcpy(r->dsn, dsn, sizeof(r->dsn));
	r->text = g_strdup(text);
	return r;
}

static struct mt_envelope *
envelope(void)
{
	struct mt_envelope *e = mt_envelope_new("work", "ada@a.example", 1800000000);

	e->message_id = g_strdup("<1@a.example>");
	add(e, "got@b.example", MT_QUEUE_SENT, "2.0.0", "250 2.0.0 ok");
	add(e, "lost@b.example", MT_QUEUE_FAILED, "5.1.1", "550 5.1.1 no such user");
	add(e, "also@b.example", MT_QUEUE_FAILED, "", "the message has a NUL");
	add(e, "late@b.example", MT_QUEUE_WAITING, "", NULL)->is_unknown = true;
	return e;
}

/* Only r failed. */
static void
turn_away(struct mt_envelope *e, const struct mt_queue_rcpt *r)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		struct mt_queue_rcpt *other = e->rcpts->pdata[i];

		if (other != r && other->fate == MT_QUEUE_FAILED)
			other->fate = MT_QUEUE_TOLD;
	}
}

int
main(void)
{
	mt_auto(mt_envelope) e = envelope();
	mt_auto_fd int fd = mt_file_temp(NULL);
	struct mt_bounce b = { MT_BOUNCE_FAILED, e, "0123456789abcd", "a.example", 1800000100,
		fd };
	g_autoptr(GString) failed = g_string_new(NULL);
	g_autoptr(GString) late = g_string_new(NULL);
	g_autoptr(GString) on = g_string_new(NULL);
	struct mt_queue_rcpt *r;
	struct mt_err err = { 0 };

	if (mt_file_write_all(fd, message, strlen(message)) < 0)
		g_error("no message");
	ok(mt_bounce_write(&b, append, failed, &err) == 0, "a report of a failure");
	has(failed, "From: mt-send <MAILER-DAEMON@a.example>\nTo: <ada@a.example>\n"
	    "Subject: Not delivered: lost@b.example and 1 more\n", "says in its subject who");
	has(failed, "\nIn-Reply-To: <1@a.example>\n", "and stands in the thread");
	has(failed, "\n  <lost@b.example>\n    550 5.1.1 no such user\n", "a reply is verbatim");
	has(failed, "\n1 of 4 recipients got it.\n", "who got it is told");
	has(failed, "\n\nFinal-Recipient: rfc822; lost@b.example\nAction: failed\n"
	    "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n", "as fields");
	has(failed, "Status: 5.0.0\nDiagnostic-Code: x-mt; the message has a NUL\n",
	    "our own reason is not SMTP's");
	has(failed, message, "the message is in it, unchanged");
	ok(strstr(failed->str, "late@b") == NULL && strstr(failed->str, "got@b") == NULL,
	    "and nobody else");
	b.kind = MT_BOUNCE_DELAYED;
	ok(mt_bounce_write(&b, append, late, &err) == 0, "a report of a delay");
	has(late, "Subject: Not delivered yet: late@b.example\n", "says who waits");
	has(late, "  <late@b.example>\n    it was not tried\n    A server may have", "and why");
	has(late, "mt-send queue rm 0123456789abcd", "and what can be done");
	has(late, "Action: delayed\nStatus: 4.0.0\nWill-Retry-Until: ", "as fields, too");
	ok(strstr(late->str, "lost@b") == NULL, "who is lost is not late");
	ok(strstr(late->str, ".dot") == NULL, "and the message is not sent back");
	r = add(e, "\"j\xc3\xb6rg x\"@b.example", MT_QUEUE_FAILED, "5.6.7", "550 caf\xc3\xa9");
	b.kind = MT_BOUNCE_FAILED;
	g_string_truncate(failed, 0);
	turn_away(e, r);
	ok(mt_bounce_write(&b, append, failed, &err) == 0, "of an address that is not ASCII");
	has(failed, "\nSubject: =?UTF-8?Q?Not_delivered=3A_=22j=C3=B6rg", "its subject is");
	has(failed, "    550 caf\xc3\xa9\n", "the text has the reply as it is");
	has(failed, "Final-Recipient: utf-8; \"j\\x{F6}rg\\x{20}x\"@b.example\n",
	    "the fields are ASCII (RFC 6533 3)");
	has(failed, "Diagnostic-Code: smtp; 550 caf??\n", "all of them");
	r = add(e, "down@b.example", MT_QUEUE_FAILED, "4.4.1", "127.0.0.1: no connection");
	g_string_truncate(failed, 0);
	turn_away(e, r);
	ok(mt_bounce_write(&b, append, failed, &err) == 0 &&
	    strstr(failed->str, "\nDiagnostic-Code: x-mt; 127.0.0.1: no") != NULL,
	    "a host that begins with a number is no reply");
	r = add(e, "on@b.example", MT_QUEUE_SENT, "2.6.0", "250 2.6.0 taken");
	r->is_relayed = true;
	r->orcpt = g_strdup("rfc822;first+2B1@b.example");
	b.kind = MT_BOUNCE_RELAYED;
	ok(mt_bounce_write(&b, append, on, &err) == 0, "a report that no report can come");
	has(on, "Subject: Passed on: on@b.example\n", "says of whom");
	has(on, "\n\nOriginal-Recipient: rfc822; first+1@b.example\nFinal-Recipient: rfc822; "
	    "on@b.example\nAction: relayed\nStatus: 2.1.9\n", "as fields, and who it was at first");
	has(on, "Content-Type: text/rfc822-headers\n", "with the header");
	ok(strstr(on->str, "got@b") == NULL && strstr(on->str, ".dot") == NULL, "and no more");
	b.kind = MT_BOUNCE_DELAYED;
	e->notify = MT_DSN_FAILURE;
	g_string_truncate(late, 0);
	ok(mt_bounce_write(&b, append, late, &err) == 0 && strstr(late->str, "late@b") == NULL,
	    "who does not want to hear of a delay is not in its report");
	b.kind = MT_BOUNCE_FAILED;
	for (int pieces = 0; pieces < 3; pieces++) {
		int left = pieces;

		ok(mt_bounce_write(&b, refuse, &left, &err) < 0 && err.kind == MT_EIO,
		    "a writer's error after %d pieces is one", pieces);
	}
	return tap_done();
}
