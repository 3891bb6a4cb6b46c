/* build.c - write a new message: fields, text, attachments (RFC 5322, RFC 2045) */
#include "message/build.h"

#include <errno.h>
#include <glib.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "message/attach.h"
#include "message/date.h"
#include "message/encode.h"
#include "message/field.h"
#include "message/msgid.h"

/* One message in the making. */
struct work {
	const struct mt_build *b;
	struct mt_attach *attach;
	struct mt_buf head;
	const char *encoding;	/* of the text: "7bit", "8bit", "quoted-printable" */
	const char *charset;
	char boundary[36];
	struct mt_encode_out out;
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
	    mt_field_addrs(head, "To", b->to, err) < 0 ||
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

static int
full(struct mt_err *err)
{
	return mt_fail(err, MT_EDATA, "header longer than %zu bytes", MT_MAX_HEADER);
}

/* Charset and encoding of the text: what its bytes need, and no more. */
static void
choose_text_encoding(struct work *w)
{
	const struct mt_build *b = w->b;
	struct mt_encode_facts f = { 0 };

	mt_encode_look(&f, b->body);
	mt_encode_look_end(&f);
	if (f.has_control || f.longest > 998 || (f.has_8bit && b->only_7bit))
		w->encoding = "quoted-printable";
	else
		w->encoding = f.has_8bit ? "8bit" : "7bit";
	w->charset = b->charset;
	if (w->charset == NULL && !f.has_8bit)
		w->charset = "us-ascii";
	if (w->charset == NULL)
		/* RFC 1428: what nobody knows is not called something. */
		w->charset = g_utf8_validate_len(b->body.p, b->body.n, NULL) ? "utf-8" :
		    "unknown-8bit";
}

static int
write_text_head(struct work *w, struct mt_err *err)
{
	if (mt_buf_append_str(&w->head, "Content-Type: text/plain") < 0)
		return full(err);
	if (mt_field_param(&w->head, "charset", w->charset, err) < 0)
		return -1;
	if (mt_buf_appendf(&w->head, "\nContent-Transfer-Encoding: %s\n",
	    w->encoding) < 0)
		return full(err);
	return 0;
}

static int
write_attach_head(struct work *w, const struct mt_attach *a, struct mt_err *err)
{
	struct mt_buf *head = &w->head;
	const char *encoding = a->has_8bit ? "8bit" : "7bit";

	if (mt_buf_appendf(head, "Content-Type: %s", a->type) < 0)
		return full(err);
	if (a->charset != NULL && mt_field_param(head, "charset", a->charset, err) < 0)
		return -1;
	if (mt_buf_appendf(head, "\nContent-Transfer-Encoding: %s\n"
	    "Content-Disposition: attachment", a->as_is ? encoding : "base64") < 0)
		return full(err);
	if (a->name != NULL && a->name[0] != '\0' &&
	    mt_field_param(head, "filename", a->name, err) < 0)
		return -1;
	return mt_buf_append_char(head, '\n') < 0 ? full(err) : 0;
}

/* "=_" is in no base64 and no quoted-printable; 128 random bits are in no text. */
static int
write_multipart_head(struct work *w, struct mt_err *err)
{
	uint64_t r[2];
	bool has_8bit = strcmp(w->encoding, "8bit") == 0;

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return mt_fail(err, MT_ESOFTWARE, "no random bytes: %m");
	snprintf(w->boundary, sizeof(w->boundary), "=_%016" G_GINT64_MODIFIER "x%016"
	    G_GINT64_MODIFIER "x", r[0], r[1]);
	for (size_t i = 0; i < w->b->nattachments; i++)
		has_8bit |= w->attach[i].has_8bit;
	if (mt_buf_append_str(&w->head, "Content-Type: multipart/mixed") < 0)
		return full(err);
	if (mt_field_param(&w->head, "boundary", w->boundary, err) < 0)
		return -1;
	/* RFC 2045 6.4: a multipart says what its parts need. */
	return mt_buf_append_str(&w->head, has_8bit ?
	    "\nContent-Transfer-Encoding: 8bit\n" : "\n") < 0 ? full(err) : 0;
}

static int
put_head(struct work *w, struct mt_err *err)
{
	int rc = mt_encode_put(&w->out, mt_buf_slice(&w->head), err);

	mt_buf_reset(&w->head);
	return rc < 0 ? -1 : mt_encode_put(&w->out, MT_SLICE("\n"), err);
}

static int
put_text(struct work *w, struct mt_err *err)
{
	if (put_head(w, err) < 0)
		return -1;
	if (strcmp(w->encoding, "quoted-printable") == 0)
		return mt_encode_qp(&w->out, w->b->body, err);
	return mt_encode_text(&w->out, w->b->body, err);
}

static int
put_boundary(struct work *w, const char *end, struct mt_err *err)
{
	g_autofree char *line = g_strdup_printf("--%s%s\n", w->boundary, end);

	return mt_encode_put(&w->out, mt_slice_str(line), err);
}

struct piece_to {
	struct work *w;
	struct mt_encode_base64 base64;
};

static int
put_piece_as_is(void *arg, struct mt_slice piece, struct mt_err *err)
{
	struct piece_to *to = arg;

	return mt_encode_put(&to->w->out, piece, err);
}

static int
put_piece_base64(void *arg, struct mt_slice piece, struct mt_err *err)
{
	struct piece_to *to = arg;

	return mt_encode_base64(&to->base64, &to->w->out, piece, err);
}

static int
put_attachment(struct work *w, const struct mt_attach *a, struct mt_err *err)
{
	struct piece_to to = { w, { 0, 0 } };

	if (put_boundary(w, "", err) < 0)
		return -1;
	if (!a->is_entity && (write_attach_head(w, a, err) < 0 || put_head(w, err) < 0))
		return -1;
	if (a->as_is) {
		/* The line end before the boundary is the boundary's (RFC 2046 5.1.1). */
		if (mt_attach_read(a, put_piece_as_is, &to, err) < 0)
			return -1;
		return mt_encode_put(&w->out, MT_SLICE("\n"), err);
	}
	if (mt_attach_read(a, put_piece_base64, &to, err) < 0)
		return -1;
	return mt_encode_base64_end(&to.base64, &w->out, err);
}

static int
put_multipart(struct work *w, struct mt_err *err)
{
	if (write_multipart_head(w, err) < 0 || put_head(w, err) < 0)
		return -1;
	if (w->b->body.n > 0 && (put_boundary(w, "", err) < 0 ||
	    write_text_head(w, err) < 0 || put_text(w, err) < 0))
		return -1;
	for (size_t i = 0; i < w->b->nattachments; i++) {
		if (put_attachment(w, &w->attach[i], err) < 0)
			return -1;
	}
	return put_boundary(w, "--", err);
}

/* Everything that can be wrong with what the caller gave, before the first byte. */
static int
prepare(struct work *w, struct mt_err *err)
{
	const struct mt_build *b = w->b;

	if (write_fields(w, err) < 0)
		return -1;
	for (size_t i = 0; i < b->nattachments; i++) {
		if (mt_attach_open(&w->attach[i], &b->attachments[i], b->only_7bit,
		    err) < 0)
			return -1;
	}
	choose_text_encoding(w);
	return 0;
}

int
mt_build_write(const struct mt_build *b, mt_build_writer *writer, void *arg,
    struct mt_err *err)
{
	g_autofree struct work *w = g_new0(struct work, 1);
	int rc;

	w->b = b;
	w->attach = g_new0(struct mt_attach, b->nattachments);
	for (size_t i = 0; i < b->nattachments; i++)
		w->attach[i].fd = -1;
	mt_buf_init(&w->head, MT_MAX_HEADER);
	w->out.writer = writer;
	w->out.arg = arg;
	rc = prepare(w, err);
	if (rc == 0 && b->nattachments > 0)
		rc = put_multipart(w, err);
	else if (rc == 0)
		rc = write_text_head(w, err) < 0 ? -1 : put_text(w, err);
	if (rc == 0)
		rc = mt_encode_flush(&w->out, err);
	for (size_t i = 0; i < b->nattachments; i++)
		mt_attach_close(&w->attach[i]);
	g_free(w->attach);
	mt_buf_clear(&w->head);
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
