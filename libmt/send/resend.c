/* resend.c - send a message once more, to others, as it is (RFC 5322 3.6.6) */
#include "send/resend.h"

#include <errno.h>
#include <glib.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/date.h"
#include "message/field.h"
#include "message/msgid.h"
#include "send/draft.h"
#include "send/strip.h"

static const char *const dropped[] = { "Bcc", "Resent-Bcc", "Return-Path", NULL };

static int
write_block(const struct mt_resend *p, struct mt_buf *out, struct mt_err *err)
{
	g_autofree char *domain = mt_addr_domain_ascii(&p->from->v[0]);
	g_autofree char *id = mt_msgid_new(domain);
	char date[MT_DATE_SIZE];

	mt_date_format(p->date != 0 ? p->date : g_get_real_time() / G_USEC_PER_SEC, date);
	if (mt_field_tokens(out, "Resent-Date", date, err) < 0 ||
	    mt_field_addrs(out, "Resent-From", p->from, err) < 0)
		return -1;
	if (p->from->n > 1 && mt_field_addrs(out, "Resent-Sender", p->sender, err) < 0)
		return -1;
	if (mt_field_addrs(out, "Resent-To", p->to, err) < 0)
		return -1;
	return mt_field_tokens(out, "Resent-Message-ID", id, err);
}

/* The new header in *out, and how long the old one was. */
static int
edit_header(int fd, const struct mt_resend *p, struct mt_buf *out, size_t *replaced,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) block = MT_BUF_INIT(MT_MAX_HEADER);
	struct mt_slice head;

	if (mt_draft_header(fd, &block, err) < 0)
		return -1;
	head = mt_buf_slice(&block);
	*replaced = block.n;
	if (!mt_header_is_message(head))
		return mt_fail(err, MT_EDATA,
		    "it is no message: it does not begin with a header field");
	/* Taken out, text would be changed; left in, a field would be shown. */
	if (mt_strip_check(head, dropped, err) < 0)
		return -1;
	if (mt_slice_starts(head, MT_SLICE("From ")))
		head = mt_slice_from(head, mt_slice_find(head, '\n') + 1);
	/* Its own line ends may be CRLF: SMTP makes them all that (RFC 5321 2.3.8). */
	if (write_block(p, out, err) < 0)
		return -1;
	return mt_strip_append(out, head, dropped) < 0 ?
	    mt_fail(err, MT_EDATA, "the header is too long") : 0;
}

int
mt_resend_write(int fd, const struct mt_resend *params, struct mt_err *err)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(2 * MT_MAX_HEADER);
	mt_auto_fd int out = -1;
	size_t replaced;

	if (edit_header(fd, params, &head, &replaced, err) < 0)
		return -1;
	out = mt_file_temp(err);
	if (out < 0)
		return -1;
	if (mt_file_write_all(out, head.p, head.n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	if (mt_draft_append(out, fd, replaced, err) < 0)
		return -1;
	return mt_steal_fd(&out);
}
