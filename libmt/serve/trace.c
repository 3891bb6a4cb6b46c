/* trace.c - the header fields that we put on top of a message (RFC 5321 4.4) */
#include "serve/trace.h"

#include <glib.h>
#include <string.h>

#include "message/date.h"

/* TCP-info: "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3, 4.4). */
static void
write_peer(const struct mt_serve_trace *t, struct mt_buf *out)
{
	if (strcmp(t->peer, "unix") == 0)
		mt_buf_append_str(out, "(local socket)");
	else
		mt_buf_appendf(out, "([%s%s])", strchr(t->peer, ':') != NULL ? "IPv6:" : "",
		    t->peer);
}

void
mt_serve_trace_write(const struct mt_serve_trace *t, struct mt_buf *out)
{
	char date[MT_DATE_SIZE];

	mt_date_format(t->time, date);
	mt_buf_appendf(out, "Return-Path: <%s>\n", t->envelope->from.text);
	mt_buf_appendf(out, "Delivered-To: %s\n", t->mailbox);
	mt_buf_appendf(out, "Received: from %s ", t->helo[0] != '\0' ? t->helo : "unknown");
	write_peer(t, out);
	if (t->tls_version != NULL)
		mt_buf_appendf(out, "\n\t(using %s with cipher %s)", t->tls_version,
		    t->tls_cipher);
	mt_buf_appendf(out, "\n\tby %s with %s id %s", t->host, t->with, t->id);
	if (t->envelope->rcpts_n == 1)
		mt_buf_appendf(out, "\n\tfor <%s>", t->envelope->rcpts[0].text);
	mt_buf_appendf(out, ";\n\t%s\n", date);
}
