/* bounce.c - delivery status notifications, as text, as fields, with the message */
#include "queue/bounce.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/limits.h"
#include "message/date.h"
#include "message/field.h"
#include "message/header.h"
#include "message/msgid.h"
#include "queue/schedule.h"
#include "smtp/path.h"

/* What is said of each kind. */
static const struct {
	const char *subject, *text, *action, *dsn;
} words[] = {
	[MT_BOUNCE_FAILED] = { "Not delivered", "could not be delivered to", "failed",
	    "5.0.0" },
	[MT_BOUNCE_DELAYED] = { "Not delivered yet", "has not been delivered yet to",
	    "delayed", "4.0.0" },
	[MT_BOUNCE_RELAYED] = { "Passed on", "was passed on to", "relayed", "2.1.9" },
};

static bool
is_told(const struct mt_bounce *b, const struct mt_queue_rcpt *r)
{
	switch (b->kind) {
	case MT_BOUNCE_FAILED:
		return r->fate == MT_QUEUE_FAILED;
	case MT_BOUNCE_DELAYED:
		return r->fate == MT_QUEUE_WAITING &&
		    mt_dsn_wants_delay(mt_envelope_notify(b->envelope, r));
	default:
		return r->is_relayed;
	}
}

static const char *
reply_of(const struct mt_queue_rcpt *r)
{
	return r->text != NULL ? r->text : "it was not tried";
}

static void
add_subject(const struct mt_bounce *b, const char *first, size_t n, GString *out)
{
	g_autofree char *more = n > 1 ? g_strdup_printf(" and %zu more", n - 1) : g_strdup("");
	g_autofree char *text = g_strconcat(words[b->kind].subject, ": ", first, more, NULL);
	mt_auto_value(mt_buf) field = MT_BUF_INIT(MT_MAX_FIELD);

	if (mt_field_text(&field, "Subject", text, NULL) == 0)
		g_string_append_len(out, field.p, (gssize)field.n);
}

/* "rfc822; a@b"; else as ASCII, which message/delivery-status is (RFC 6533 3). */
static void
add_address(const char *address, GString *out)
{
	if (g_str_is_ascii(address)) {
		g_string_append_printf(out, "rfc822; %s", address);
		return;
	}
	g_string_append(out, "utf-8; ");
	for (const char *p = address; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c > ' ' && c < 0x80 && strchr("\\+=", (int)c) == NULL)
			g_string_append_c(out, (char)c);
		else
			g_string_append_printf(out, "\\x{%02X}", c);
	}
}

static void
add_header(const struct mt_bounce *b, const char *boundary, GString *out)
{
	const struct mt_envelope *e = b->envelope;
	g_autofree char *id = mt_msgid_new(b->host);
	char date[MT_DATE_SIZE];
	const char *first = NULL;
	size_t n = 0;

	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (is_told(b, r) && n++ == 0)
			first = r->address;
	}
	mt_date_format(b->now, date);
	g_string_append_printf(out, "From: mt-send <MAILER-DAEMON@%s>\n", b->host);
	if (e->from[0] != '\0')
		g_string_append_printf(out, "To: <%s>\n", e->from);
	add_subject(b, first != NULL ? first : "nobody", n, out);
	g_string_append_printf(out, "Date: %s\nMessage-ID: %s\n", date, id);
	if (e->message_id != NULL)
		g_string_append_printf(out, "In-Reply-To: %s\nReferences: %s\n",
		    e->message_id, e->message_id);
	g_string_append_printf(out, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"%s\"\n\n", boundary);
}

/* RET is about what is lost; with the others the message is not sent back (RFC 3461 4.3). */
static bool
returns_header(const struct mt_bounce *b)
{
	return b->kind != MT_BOUNCE_FAILED || b->envelope->ret == MT_DSN_RET_HDRS;
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
	    words[b->kind].text);
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (!is_told(b, r))
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
	else if (b->kind == MT_BOUNCE_RELAYED)
		g_string_append(out, "\nThe server has taken it, but cannot report that it is "
		    "delivered (it has no DSN).\nThat you hear no more of it does not say that "
		    "it arrived.\n");
	else
		g_string_append_printf(out, "\nIt is not tried again. The %s is attached.\n",
		    returns_header(b) ? "header" : "message");
	if (sent > 0 && b->kind != MT_BOUNCE_RELAYED)
		g_string_append_printf(out, "%zu of %u recipients got it.\n", sent,
		    e->rcpts->len);
}

/* What has to be ASCII, for people: the text has it as it is. */
static void
add_ascii(struct mt_slice text, GString *out)
{
	for (size_t i = 0; i < text.n; i++)
		g_string_append_c(out, g_ascii_isprint(text.p[i]) ? text.p[i] : '?');
	g_string_append_c(out, '\n');
}

/* As the sender said it, without what only the way needs (RFC 3464 2.3.1). */
static void
add_original(const struct mt_queue_rcpt *r, GString *out)
{
	mt_auto_value(mt_buf) address = MT_BUF_INIT(MT_DSN_ORCPT_MAX);
	struct mt_slice rest = mt_slice_str(r->orcpt), type;

	if (r->orcpt == NULL || !mt_slice_take_until(&rest, ';', &type) ||
	    !mt_smtp_xtext_decode(rest, &address))
		return;
	g_string_append_printf(out, "Original-Recipient: %.*s; ", MT_SLICE_ARG(type));
	add_ascii(mt_buf_slice(&address), out);
}

/* A reply begins with its code; our own words are no SMTP (RFC 3464 2.3.6). */
static bool
is_reply(const char *text)
{
	return strspn(text, "0123456789") == 3 && text[3] == ' ';
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

		if (!is_told(b, r))
			continue;
		g_string_append_c(out, '\n');
		add_original(r, out);
		g_string_append(out, "Final-Recipient: ");
		add_address(r->address, out);
		g_string_append_printf(out, "\nAction: %s\nStatus: %s\n", words[b->kind].action,
		    r->dsn[0] != '\0' && b->kind != MT_BOUNCE_RELAYED ? r->dsn :
		    words[b->kind].dsn);
		if (r->text != NULL) {
			g_string_append_printf(out, "Diagnostic-Code: %s; ",
			    is_reply(r->text) ? "smtp" : "x-mt");
			add_ascii(mt_slice_str(r->text), out);
		}
		if (b->kind == MT_BOUNCE_DELAYED) {
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
	bool only_header = returns_header(b);
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
