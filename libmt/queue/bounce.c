/* bounce.c - delivery status notifications, as text, as fields, with the message */
#include "queue/bounce.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/limits.h"
#include "message/date.h"
#include "message/header.h"
#include "message/msgid.h"
#include "queue/schedule.h"

static enum mt_queue_fate
fate_told(const struct mt_bounce *b)
{
	return b->kind == MT_BOUNCE_FAILED ? MT_QUEUE_FAILED : MT_QUEUE_WAITING;
}

static const char *
reply_of(const struct mt_queue_rcpt *r)
{
	return r->text != NULL ? r->text : "it was not tried";
}

static void
add_header(const struct mt_bounce *b, const char *boundary, GString *out)
{
	const struct mt_envelope *e = b->envelope;
	g_autofree char *id = mt_msgid_new(b->host);
	char date[MT_DATE_SIZE];
	size_t n = mt_envelope_count(e, fate_told(b));
	const char *first = NULL;

	for (guint i = 0; i < e->rcpts->len && first == NULL; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		first = r->fate == fate_told(b) ? r->address : NULL;
	}
	mt_date_format(b->now, date);
	g_string_append_printf(out, "From: mt-send <MAILER-DAEMON@%s>\n", b->host);
	if (e->from[0] != '\0')
		g_string_append_printf(out, "To: <%s>\n", e->from);
	g_string_append_printf(out, "Subject: %s: %s", b->kind == MT_BOUNCE_FAILED ?
	    "Not delivered" : "Not delivered yet", first != NULL ? first : "nobody");
	if (n > 1)
		g_string_append_printf(out, " and %zu more", n - 1);
	g_string_append_printf(out, "\nDate: %s\nMessage-ID: %s\n", date, id);
	if (e->message_id != NULL)
		g_string_append_printf(out, "In-Reply-To: %s\nReferences: %s\n",
		    e->message_id, e->message_id);
	g_string_append_printf(out, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"%s\"\n\n", boundary);
}

static void
add_text(const struct mt_bounce *b, GString *out)
{
	const struct mt_envelope *e = b->envelope;
	size_t sent = mt_envelope_count(e, MT_QUEUE_SENT);
	char date[MT_DATE_SIZE];

	mt_date_format(e->created, date);
	g_string_append(out, "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\n");
	g_string_append_printf(out, "Your message of %s\n%s:\n\n", date,
	    b->kind == MT_BOUNCE_FAILED ? "could not be delivered to" :
	    "has not been delivered yet to");
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->fate != fate_told(b))
			continue;
		g_string_append_printf(out, "  <%s>\n    %s\n", r->address, reply_of(r));
		if (r->is_unknown)
			g_string_append(out, "    A server may have taken it all the same: "
			    "the connection was lost at the end.\n");
	}
	if (b->kind == MT_BOUNCE_DELAYED)
		g_string_append_printf(out, "\nYou need not do anything: it is tried until "
		    "%lld days after it was written.\nmt-send queue show %s tells more, "
		    "mt-send queue rm %s gives it up.\n",
		    (long long)(MT_QUEUE_EXPIRES_S / 86400), b->id, b->id);
	else
		g_string_append(out, "\nIt is not tried again. The message is attached.\n");
	if (sent > 0)
		g_string_append_printf(out, "%zu of %u recipients got it.\n", sent,
		    e->rcpts->len);
}

static void
add_status(const struct mt_bounce *b, GString *out)
{
	const struct mt_envelope *e = b->envelope;
	char date[MT_DATE_SIZE];

	mt_date_format(e->created, date);
	g_string_append_printf(out, "Content-Type: message/delivery-status\n\n"
	    "Reporting-MTA: dns; %s\nX-Queue-ID: %s\nArrival-Date: %s\n", b->host, b->id, date);
	if (e->envid != NULL)
		g_string_append_printf(out, "Original-Envelope-Id: %s\n", e->envid);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];
		bool failed = r->fate == MT_QUEUE_FAILED;

		if (r->fate != fate_told(b))
			continue;
		g_string_append_printf(out, "\nFinal-Recipient: rfc822; %s\nAction: %s\n"
		    "Status: %s\n", r->address, failed ? "failed" : "delayed",
		    r->dsn[0] != '\0' ? r->dsn : failed ? "5.0.0" : "4.0.0");
		/* A reply begins with its code; our own words are no SMTP (RFC 3464 2.3.6). */
		if (r->text != NULL)
			g_string_append_printf(out, "Diagnostic-Code: %s; %s\n",
			    g_ascii_isdigit(r->text[0]) ? "smtp" : "x-mt", r->text);
		if (!failed) {
			mt_date_format(MAX(e->created, e->not_before) + MT_QUEUE_EXPIRES_S, date);
			g_string_append_printf(out, "Will-Retry-Until: %s\n", date);
		}
	}
}

/* For who wants no more of it back (RFC 3461 4.3). */
static int
write_header(int fd, mt_build_writer *writer, void *arg, struct mt_err *err)
{
	g_autofree char *bytes = g_malloc(MT_MAX_HEADER);
	ssize_t n = pread(fd, bytes, MT_MAX_HEADER, 0);
	struct mt_slice head;

	if (n < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
	head = mt_header_block(mt_slice_mem(bytes, (size_t)n));
	return writer(arg, head.p, head.n, err);
}

static int
write_message(int fd, mt_build_writer *writer, void *arg, struct mt_err *err)
{
	char chunk[32768];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, chunk, sizeof(chunk), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		if (n == 0)
			return 0;
		if (writer(arg, chunk, (size_t)n, err) < 0)
			return -1;
		at += (uint64_t)n;
	}
}

int
mt_bounce_write(const struct mt_bounce *b, mt_build_writer *writer, void *arg,
    struct mt_err *err)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *boundary = NULL, *end = NULL;
	bool only_header = b->envelope->ret == MT_DSN_RET_HDRS;
	uint64_t random[2];

	/* 128 random bits are in no message. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return mt_fail(err, MT_ESOFTWARE, "no random bytes: %m");
	boundary = g_strdup_printf("=_%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
	    random[0], random[1]);
	add_header(b, boundary, out);
	g_string_append_printf(out, "--%s\n", boundary);
	add_text(b, out);
	g_string_append_printf(out, "\n--%s\n", boundary);
	add_status(b, out);
	g_string_append_printf(out, "\n--%s\nContent-Type: %s\n"
	    "Content-Transfer-Encoding: 8bit\n\n", boundary, only_header ?
	    "text/rfc822-headers" : "message/rfc822");
	end = g_strdup_printf("\n--%s--\n", boundary);
	if (writer(arg, out->str, out->len, err) < 0)
		return -1;
	if ((only_header ? write_header : write_message)(b->message, writer, arg, err) < 0)
		return -1;
	return writer(arg, end, strlen(end), err);
}
