/* forward.c - begin a message that hands another one on: its text, and all its parts */
#include "send/forward.h"

#include "base/limits.h"
#include "message/header.h"
#include "message/mime.h"
#include "message/prescan.h"
#include "message/subject.h"
#include "message/text.h"
#include "send/draft.h"
#include "send/forward_parts.h"
#include "send/reply.h"

char *
mt_forward_subject(const char *subject)
{
	static const char *const words[] = { "fwd", "fw", "wg", NULL };

	return mt_subject_begin("Fwd: ", words, subject);
}

/* Subject and References. */
static int
fill_fields(struct mt_compose *c, int fd, struct mt_err *err)
{
	mt_auto_value(mt_buf) block = MT_BUF_INIT(MT_MAX_HEADER);
	g_autofree char *subject = NULL, *fwd = NULL, *references = NULL;
	struct mt_slice head;

	if (mt_draft_header(fd, &block, err) < 0)
		return -1;
	head = mt_buf_slice(&block);
	if (!mt_header_is_message(head))
		return mt_fail(err, MT_EDATA,
		    "it is no message: it does not begin with a header field");
	references = mt_reply_references(head);
	mt_compose_set_thread(c, NULL, references);
	if (c->build.subject != NULL)
		return 0;
	subject = mt_header_text(head, "Subject");
	fwd = mt_forward_subject(subject != NULL ? subject : "");
	mt_compose_set_subject(c, fwd);
	return 0;
}

/* Its boundary is missing, or another one: what is in it is in no part. */
static bool
has_empty_multipart(const struct mt_mime *m)
{
	size_t n = mt_mime_count(m);

	for (size_t i = 0; i < n; i++) {
		const struct mt_mime_part *part = mt_mime_part(m, i);

		if (part->kind == MT_MIME_MULTIPART &&
		    (i + 1 == n || mt_mime_part(m, i + 1)->depth <= part->depth))
			return true;
	}
	return false;
}

/* Why the text of a message cannot be shown, or NULL. */
static const char *
find_reason(const struct mt_mime *m, const struct mt_text *text)
{
	static const struct {
		const char *type, *why;
	} closed[] = {
		{ "multipart/encrypted", "the message is encrypted" },
		{ "application/pgp-encrypted", "the message is encrypted" },
		{ "application/pkcs7-mime", "the message is encrypted, or signed in a form "
		    "that cannot be shown (S/MIME)" },
		{ "application/x-pkcs7-mime", "the message is encrypted, or signed in a form "
		    "that cannot be shown (S/MIME)" },
	};
	const struct mt_mime_part *top;

	if (mt_mime_is_cut(m))
		return "the message has too many parts, or too deep ones";
	if (mt_mime_count(m) == 0)
		return NULL;
	if (has_empty_multipart(m))
		return "the parts of the message cannot be told apart";
	top = mt_mime_part(m, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(closed); i++) {
		if (g_str_equal(top->type, closed[i].type) && text->nshown == 0)
			return closed[i].why;
	}
	return NULL;
}

static int
append_field(struct mt_buf *out, const char *name, const char *value)
{
	return value == NULL ? 0 : mt_buf_appendf(out, "%s: %s\n", name, value);
}

/* What is shown of it. */
static int
write_text(const struct mt_compose *c, const struct mt_text *t, struct mt_buf *out)
{
	const struct mt_buf *body = &c->body;
	int failed = 0;

	if (body->n > 0 && body->p[body->n - 1] != '\n')
		failed |= mt_buf_append_char(out, '\n');
	if (body->n > 0)
		failed |= mt_buf_append_char(out, '\n');
	failed |= mt_buf_append_str(out, "---------- Forwarded message ----------\n");
	failed |= append_field(out, "From", t->from);
	failed |= append_field(out, "Date", t->date);
	failed |= append_field(out, "Subject", t->subject);
	failed |= append_field(out, "To", t->to);
	failed |= append_field(out, "Cc", t->cc);
	if (t->body[0] != '\0')
		failed |= mt_buf_append_char(out, '\n');
	failed |= mt_buf_append_str(out, t->body);
	return failed;
}

/* 1, or 0 with the reason why it cannot be done so. */
static int
show(struct mt_compose *c, int fd, char **why, struct mt_err *err)
{
	mt_auto_value(mt_text) text = { 0 };
	mt_auto_value(mt_buf) shown = MT_BUF_INIT(MT_COMPOSE_BODY_MAX - c->body.n);
	mt_auto(mt_mime) m = NULL;
	enum mt_prescan found;

	if (mt_prescan_fd(fd, &found, err) < 0)
		return -1;
	if (found != MT_PRESCAN_PLAIN) {
		*why = g_strdup_printf("the message has %s", mt_prescan_word(found));
		return 0;
	}
	if (mt_text_read(fd, &text, err) < 0)
		return -1;
	m = mt_mime_open(fd, err);
	if (m == NULL)
		return -1;
	*why = g_strdup(find_reason(m, &text));
	if (*why == NULL && write_text(c, &text, &shown) != 0)
		*why = g_strdup("its text is too long to be shown");
	if (*why != NULL)
		return 0;
	if (mt_buf_append_slice(&c->body, mt_buf_slice(&shown)) < 0)
		return mt_fail(err, MT_EDATA, "the text is too long");
	return mt_forward_parts(c, m, &text, err) < 0 ? -1 : 1;
}

int
mt_forward_inline(struct mt_compose *c, int fd, char **why, struct mt_err *err)
{
	int rc;

	*why = NULL;
	if (fill_fields(c, fd, err) < 0)
		return -1;
	rc = show(c, fd, why, err);
	return rc != 0 ? MIN(rc, 0) : mt_forward_whole(c, fd, err);
}

int
mt_forward_attached(struct mt_compose *c, int fd, struct mt_err *err)
{
	return fill_fields(c, fd, err) < 0 ? -1 : mt_forward_whole(c, fd, err);
}
