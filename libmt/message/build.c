/* build.c - write a new message: fields, text, attachments (RFC 5322, RFC 2045) */
#include "message/build.h"

#include <errno.h>
#include <glib.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "message/body.h"
#include "message/date.h"
#include "message/encode.h"
#include "message/field.h"
#include "message/msgid.h"

/* One message in the making. */
struct work {
	const struct mt_build *b;
	struct mt_buf head;
};

/* Fields that a caller may not add: we write them, or nobody may. */
static const char *const ours[] = {
	"From", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To",
	"References", "MIME-Version", "Resent-Bcc", "Return-Path", NULL,
};

/* Further fields that hold addresses: each may stand there once (RFC 5322 3.6). */
static const char *const addressed[] = {
	"Reply-To", "Sender", "Mail-Followup-To", "Mail-Reply-To", "Errors-To",
	"Disposition-Notification-To", "Return-Receipt-To", "Resent-From", "Resent-Sender",
	"Resent-To", "Resent-Cc", "Resent-Reply-To", NULL,
};

static bool
is_among(const char *const names[], const char *name)
{
	for (; *names != NULL; names++) {
		if (g_ascii_strcasecmp(*names, name) == 0)
			return true;
	}
	return false;
}

static bool
is_empty(const struct mt_addr_list *list)
{
	return list == NULL || list->n == 0;
}

/* Those of them that hold one mailbox (RFC 5322 3.6.2, 3.6.6). */
static const char *const single[] = { "Sender", "Resent-Sender", NULL };

static int
write_addressed(struct work *w, const struct mt_build_field *f, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) list = { 0 };

	for (const struct mt_build_field *other = w->b->fields; other < f; other++) {
		if (g_ascii_strcasecmp(other->name, f->name) == 0)
			return mt_fail(err, MT_EUSAGE,
			    "header field %s: it may stand there once only", f->name);
	}
	if (mt_addr_parse(mt_slice_str(f->value), &list, err) < 0) {
		if (err != NULL)
			err->kind = MT_EUSAGE;
		return mt_fail_in(err, "header field %s", f->name);
	}
	if (list.n == 0)
		return mt_fail(err, MT_EUSAGE, "header field %s: no address", f->name);
	if (list.n > 1 && is_among(single, f->name))
		return mt_fail(err, MT_EUSAGE, "header field %s: more than one address",
		    f->name);
	return mt_field_addrs(&w->head, f->name, &list, err);
}

static int
write_further(struct work *w, const struct mt_build_field *f, struct mt_err *err)
{
	const struct mt_build *b = w->b;

	if (is_among(ours, f->name) || g_ascii_strncasecmp(f->name, "Content-", 8) == 0 ||
	    (!is_empty(b->reply_to) && g_ascii_strcasecmp(f->name, "Reply-To") == 0) ||
	    (!is_empty(b->sender) && g_ascii_strcasecmp(f->name, "Sender") == 0))
		return mt_fail(err, MT_EUSAGE,
		    "header field %s cannot be added: it has a place of its own", f->name);
	if (is_among(addressed, f->name) && strpbrk(f->value, "\r\n") == NULL)
		return write_addressed(w, f, err);
	return mt_field_text(&w->head, f->name, f->value, err);
}

/* Message-ID, In-Reply-To, References, where there are such. */
static int
write_ids(struct work *w, struct mt_err *err)
{
	const struct mt_build *b = w->b;
	g_autofree char *domain = mt_addr_domain_ascii(&b->from->v[0]);
	g_autofree char *fresh = mt_msgid_new(domain);
	const char *id = b->message_id != NULL ? b->message_id : fresh;

	if (mt_field_tokens(&w->head, "Message-ID", id, err) < 0)
		return -1;
	if (b->in_reply_to != NULL &&
	    mt_field_tokens(&w->head, "In-Reply-To", b->in_reply_to, err) < 0)
		return -1;
	if (b->references != NULL &&
	    mt_field_tokens(&w->head, "References", b->references, err) < 0)
		return -1;
	return 0;
}

/* RFC 5322 3.6: every field that is not about MIME. */
static int
write_fields(struct work *w, struct mt_err *err)
{
	const struct mt_build *b = w->b;
	struct mt_buf *head = &w->head;
	char date[MT_DATE_SIZE];

	if (is_empty(b->from))
		return mt_fail(err, MT_EUSAGE, "a message needs a From address");
	mt_date_format(b->date != 0 ? b->date : time(NULL), date);
	if (mt_field_tokens(head, "Date", date, err) < 0 ||
	    mt_field_addrs(head, "From", b->from, err) < 0 ||
	    mt_field_addrs(head, "Sender", b->sender, err) < 0 ||
	    mt_field_addrs(head, "Reply-To", b->reply_to, err) < 0 ||
	    (is_empty(b->to) && b->to_group != NULL ?
	    mt_field_tokens(head, "To", b->to_group, err) :
	    mt_field_addrs(head, "To", b->to, err)) < 0 ||
	    mt_field_addrs(head, "Cc", b->cc, err) < 0 || write_ids(w, err) < 0)
		return -1;
	if (b->subject != NULL && mt_field_text(head, "Subject", b->subject, err) < 0)
		return -1;
	for (size_t i = 0; i < b->nfields; i++) {
		if (write_further(w, &b->fields[i], err) < 0)
			return -1;
	}
	return mt_field_tokens(head, "MIME-Version", "1.0", err);
}

int
mt_build_write(const struct mt_build *b, mt_build_writer *writer, void *arg,
    struct mt_err *err)
{
	g_autofree struct mt_encode_out *out = g_new0(struct mt_encode_out, 1);
	struct work w = { b, MT_BUF_INIT(MT_MAX_HEADER) };
	mt_auto(mt_body) body = NULL;
	int rc;

	out->writer = writer;
	out->arg = arg;
	/* Everything that can be wrong with what the caller gave, before the first byte. */
	rc = write_fields(&w, err);
	if (rc == 0) {
		body = mt_body_open(b, err);
		rc = body == NULL ? -1 : mt_body_write(body, &w.head, out, err);
	}
	if (rc == 0)
		rc = mt_encode_flush(out, err);
	mt_buf_clear(&w.head);
	return rc;
}

static int
write_to_fd(void *arg, const void *p, size_t n, struct mt_err *err)
{
	const int *fd = arg;

	if (mt_file_write_all(*fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "write: %m");
	return 0;
}

int
mt_build_write_fd(const struct mt_build *b, int fd, struct mt_err *err)
{
	return mt_build_write(b, write_to_fd, &fd, err);
}

void
mt_build_recipients(const struct mt_build *b, struct mt_addr_list *out)
{
	const struct mt_addr_list *const from[] = { b->to, b->cc, b->bcc };

	*out = (struct mt_addr_list){ 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(from); i++) {
		for (size_t k = 0; from[i] != NULL && k < from[i]->n; k++)
			mt_addr_list_add_new(out, &from[i]->v[k]);
	}
}
