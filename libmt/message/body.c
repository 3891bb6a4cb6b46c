/* body.c - the body of a new message: text, HTML, pictures, attachments (RFC 2046) */
#include "message/body.h"

#include <glib.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/limits.h"
#include "message/attach.h"
#include "message/field.h"

/* Text in memory, and how it travels. */
struct text {
	struct mt_slice bytes;
	const char *type;	/* "text/plain" */
	const char *charset;
	const char *encoding;	/* "7bit", "8bit", "quoted-printable" */
	bool is_flowed;
};

struct mt_body {
	const struct mt_build *b;
	struct mt_attach *attach;
	struct text plain, html;
	size_t nrelated;	/* attachments that the HTML shows */
	struct mt_buf *head;	/* of the message or the part that begins */
	struct mt_encode_out *out;
};

/* --- what there is --------------------------------------------------------------- */

static bool
is_related(const struct mt_body *w, size_t i)
{
	return w->b->html.n > 0 && w->b->attachments[i].content_id != NULL;
}

/* What OpenPGP and some ways do not keep in lines (RFC 3156 5): blanks at the end, and "From "
   at the beginning. */
static bool
has_weak_line(struct mt_slice text)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		if (mt_slice_ends(line, MT_SLICE(" ")) || mt_slice_ends(line, MT_SLICE("\t")) ||
		    mt_slice_starts(line, MT_SLICE("From ")))
			return true;
	}
	return false;
}

/* Charset and encoding of text: what its bytes need, and no more. */
static void
look_at_text(struct text *t, bool only_7bit)
{
	struct mt_encode_facts f = { 0 };

	mt_encode_look(&f, t->bytes);
	mt_encode_look_end(&f);
	if (f.has_control || f.longest > 998 ||
	    (only_7bit && (f.has_8bit || has_weak_line(t->bytes))))
		t->encoding = "quoted-printable";
	else
		t->encoding = f.has_8bit ? "8bit" : "7bit";
	if (t->charset == NULL && !f.has_8bit)
		t->charset = "us-ascii";
	if (t->charset == NULL)
		/* RFC 1428: what nobody knows is not called something. */
		t->charset = g_utf8_validate_len(t->bytes.p, t->bytes.n, NULL) ? "utf-8" :
		    "unknown-8bit";
}

struct mt_body *
mt_body_open(const struct mt_build *b, struct mt_err *err)
{
	mt_auto(mt_body) w = g_new0(struct mt_body, 1);

	w->b = b;
	w->attach = g_new0(struct mt_attach, b->nattachments);
	for (size_t i = 0; i < b->nattachments; i++)
		w->attach[i].fd = -1;
	for (size_t i = 0; i < b->nattachments; i++) {
		if (mt_attach_open(&w->attach[i], &b->attachments[i], b->only_7bit,
		    err) < 0)
			return NULL;
		w->nrelated += is_related(w, i);
	}
	w->plain = (struct text){ b->body, "text/plain", b->charset, NULL, b->is_flowed };
	look_at_text(&w->plain, b->only_7bit);
	/* The page may say that it is UTF-8 where its bytes would not. */
	w->html = (struct text){ b->html, "text/html", "utf-8", NULL, false };
	look_at_text(&w->html, b->only_7bit);
	return mt_steal(&w);
}

void
mt_body_free(struct mt_body *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->b->nattachments; i++)
		mt_attach_close(&w->attach[i]);
	g_free(w->attach);
	g_free(w);
}

static bool
text_has_8bit(const struct text *t)
{
	return t->bytes.n > 0 && g_str_equal(t->encoding, "8bit");
}

/* Whether attachments that are related to the HTML, or those that are not, have 8 bits. */
static bool
attachments_have_8bit(const struct mt_body *w, bool related)
{
	bool found = false;

	for (size_t i = 0; i < w->b->nattachments; i++)
		found |= is_related(w, i) == related && w->attach[i].has_8bit;
	return found;
}

/* --- fields ---------------------------------------------------------------------- */

static int
full(struct mt_err *err)
{
	return mt_fail(err, MT_EDATA, "header longer than %zu bytes", MT_MAX_HEADER);
}

static int
put_head(struct mt_body *w, struct mt_err *err)
{
	int rc = mt_encode_put(w->out, mt_buf_slice(w->head), err);

	mt_buf_reset(w->head);
	return rc < 0 ? -1 : mt_encode_put(w->out, MT_SLICE("\n"), err);
}

static int
write_text_head(struct mt_body *w, const struct text *t, struct mt_err *err)
{
	if (mt_buf_appendf(w->head, "Content-Type: %s", t->type) < 0)
		return full(err);
	if (mt_field_param(w->head, "charset", t->charset, err) < 0 ||
	    (t->is_flowed && mt_field_param(w->head, "format", "flowed", err) < 0))
		return -1;
	if (mt_buf_appendf(w->head, "\nContent-Transfer-Encoding: %s\n", t->encoding) < 0)
		return full(err);
	return 0;
}

static int
write_attach_head(struct mt_body *w, size_t i, struct mt_err *err)
{
	const struct mt_build_attachment *from = &w->b->attachments[i];
	const struct mt_attach *a = &w->attach[i];
	const char *encoding = a->has_8bit ? "8bit" : "7bit";
	struct mt_buf *head = w->head;

	if (mt_buf_appendf(head, "Content-Type: %s", a->type) < 0)
		return full(err);
	if (a->charset != NULL && mt_field_param(head, "charset", a->charset, err) < 0)
		return -1;
	if (mt_buf_appendf(head, "\nContent-Transfer-Encoding: %s\n",
	    a->as_is ? encoding : "base64") < 0)
		return full(err);
	if (from->content_id != NULL &&
	    mt_field_tokens(head, "Content-ID", from->content_id, err) < 0)
		return -1;
	if (mt_buf_appendf(head, "Content-Disposition: %s",
	    from->is_inline ? "inline" : "attachment") < 0)
		return full(err);
	if (a->name != NULL && a->name[0] != '\0' &&
	    mt_field_param(head, "filename", a->name, err) < 0)
		return -1;
	return mt_buf_append_char(head, '\n') < 0 ? full(err) : 0;
}

/* --- multiparts ------------------------------------------------------------------ */

struct multipart {
	const char *subtype;
	const char *root;	/* RFC 2387 3.1: the type of the first part; or NULL */
	bool has_8bit;		/* RFC 2045 6.4: a multipart says what its parts need */
	char boundary[36];
};

/* "=_" is in no base64 and no quoted-printable; 128 random bits are in no text. */
static int
begin_multipart(struct mt_body *w, struct multipart *m, struct mt_err *err)
{
	uint64_t r[2];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return mt_fail(err, MT_ESOFTWARE, "no random bytes: %m");
	snprintf(m->boundary, sizeof(m->boundary), "=_%016" G_GINT64_MODIFIER "x%016"
	    G_GINT64_MODIFIER "x", r[0], r[1]);
	if (mt_buf_appendf(w->head, "Content-Type: multipart/%s", m->subtype) < 0)
		return full(err);
	if ((m->root != NULL && mt_field_param(w->head, "type", m->root, err) < 0) ||
	    mt_field_param(w->head, "boundary", m->boundary, err) < 0)
		return -1;
	if (mt_buf_append_str(w->head, m->has_8bit ?
	    "\nContent-Transfer-Encoding: 8bit\n" : "\n") < 0)
		return full(err);
	return put_head(w, err);
}

static int
put_boundary(struct mt_body *w, const struct multipart *m, const char *end,
    struct mt_err *err)
{
	g_autofree char *line = g_strdup_printf("--%s%s\n", m->boundary, end);

	return mt_encode_put(w->out, mt_slice_str(line), err);
}

/* --- leaves ---------------------------------------------------------------------- */

static int
put_text(struct mt_body *w, const struct text *t, struct mt_err *err)
{
	if (write_text_head(w, t, err) < 0 || put_head(w, err) < 0)
		return -1;
	if (g_str_equal(t->encoding, "quoted-printable"))
		return mt_encode_qp(w->out, t->bytes, err);
	return mt_encode_text(w->out, t->bytes, err);
}

struct piece_to {
	struct mt_encode_out *out;
	struct mt_encode_base64 base64;
};

static int
put_piece_as_is(void *arg, struct mt_slice piece, struct mt_err *err)
{
	struct piece_to *to = arg;

	return mt_encode_put(to->out, piece, err);
}

static int
put_piece_base64(void *arg, struct mt_slice piece, struct mt_err *err)
{
	struct piece_to *to = arg;

	return mt_encode_base64(&to->base64, to->out, piece, err);
}

static int
put_attachment(struct mt_body *w, size_t i, struct mt_err *err)
{
	const struct mt_attach *a = &w->attach[i];
	struct piece_to to = { w->out, { 0, 0 } };

	if (!a->is_entity && (write_attach_head(w, i, err) < 0 || put_head(w, err) < 0))
		return -1;
	if (a->as_is) {
		/* The line end before the boundary is the boundary's (RFC 2046 5.1.1). */
		if (mt_attach_read(a, put_piece_as_is, &to, err) < 0)
			return -1;
		return mt_encode_put(w->out, MT_SLICE("\n"), err);
	}
	if (mt_attach_read(a, put_piece_base64, &to, err) < 0)
		return -1;
	return mt_encode_base64_end(&to.base64, w->out, err);
}

/* The attachments that are related to the HTML, or those that are not, and the end. */
static int
put_attachments(struct mt_body *w, const struct multipart *m, bool related,
    struct mt_err *err)
{
	for (size_t i = 0; i < w->b->nattachments; i++) {
		if (is_related(w, i) == related && (put_boundary(w, m, "", err) < 0 ||
		    put_attachment(w, i, err) < 0))
			return -1;
	}
	return put_boundary(w, m, "--", err);
}

/* --- from the inside to the outside ---------------------------------------------- */

static int
put_html(struct mt_body *w, struct mt_err *err)
{
	struct multipart m = { .subtype = "related", .root = "text/html",
		.has_8bit = text_has_8bit(&w->html) || attachments_have_8bit(w, true) };

	if (w->nrelated == 0)
		return put_text(w, &w->html, err);
	if (begin_multipart(w, &m, err) < 0 || put_boundary(w, &m, "", err) < 0 ||
	    put_text(w, &w->html, err) < 0)
		return -1;
	return put_attachments(w, &m, true, err);
}

/* RFC 2046 5.1.4: what is richer stands behind what is plainer. */
static int
put_alternatives(struct mt_body *w, struct mt_err *err)
{
	struct multipart m = { .subtype = "alternative",
		.has_8bit = text_has_8bit(&w->plain) || text_has_8bit(&w->html) ||
		    attachments_have_8bit(w, true) };

	if (begin_multipart(w, &m, err) < 0 || put_boundary(w, &m, "", err) < 0 ||
	    put_text(w, &w->plain, err) < 0 || put_boundary(w, &m, "", err) < 0 ||
	    put_html(w, err) < 0)
		return -1;
	return put_boundary(w, &m, "--", err);
}

/* All that is no attachment. */
static int
put_content(struct mt_body *w, struct mt_err *err)
{
	if (w->html.bytes.n == 0)
		return put_text(w, &w->plain, err);
	return w->plain.bytes.n == 0 ? put_html(w, err) : put_alternatives(w, err);
}

int
mt_body_write(struct mt_body *w, struct mt_buf *head, struct mt_encode_out *out,
    struct mt_err *err)
{
	struct multipart m = { .subtype = "mixed",
		.has_8bit = text_has_8bit(&w->plain) || text_has_8bit(&w->html) ||
		    attachments_have_8bit(w, true) || attachments_have_8bit(w, false) };
	bool has_content = w->plain.bytes.n > 0 || w->html.bytes.n > 0;

	w->head = head;
	w->out = out;
	if (w->b->nattachments == w->nrelated)
		return put_content(w, err);
	if (begin_multipart(w, &m, err) < 0)
		return -1;
	if (has_content && (put_boundary(w, &m, "", err) < 0 || put_content(w, err) < 0))
		return -1;
	return put_attachments(w, &m, false, err);
}
