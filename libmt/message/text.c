/* text.c - the readable part of a message, as text for a terminal */
#include "message/text.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "message/addr.h"
#include "message/charset.h"
#include "message/flowed.h"
#include "message/header.h"
#include "message/html.h"
#include "message/mime.h"
#include "message/prescan.h"

/* A child's answer: the text, and names and types of MT_MAX_MIME_PARTS attachments. */
#define MAX_ANSWER (MT_MAX_TEXT + MT_MIB(64))

/* What is being put together. */
struct page {
	const struct mt_mime *m;
	bool *passed_over;	/* by part: text of an alternative that was not chosen */
	struct mt_buf body;
	const char *body_type;
	GArray *shown;		/* unsigned: parts that body is made of */
	GArray *attachments;	/* struct mt_text_attachment */
	bool cut;
};

static bool
is_type(const struct mt_mime_part *p, const char *type)
{
	return strcmp(p->type, type) == 0;
}

static bool
is_marked_attachment(const struct mt_mime_part *p)
{
	return p->disposition != NULL && strcmp(p->disposition, "attachment") == 0;
}

static bool
is_readable(const struct mt_mime_part *p)
{
	return p->kind == MT_MIME_LEAF && !is_marked_attachment(p) &&
	    (is_type(p, "text/plain") || is_type(p, "text/html") ||
	    (g_str_has_prefix(p->type, "text/") && p->filename == NULL) ||
	    is_type(p, "message/delivery-status"));
}

/* Behind the last part that is inside of part i. */
static size_t
end_of(const struct mt_mime *m, size_t i)
{
	size_t end = i + 1;

	while (end < mt_mime_count(m) &&
	    mt_mime_part(m, end)->depth > mt_mime_part(m, i)->depth)
		end++;
	return end;
}

/* How well one branch of an alternative reads: plain text best, nothing to read worst. */
static int
rank(const struct mt_mime *m, size_t branch)
{
	size_t end = end_of(m, branch);
	int best = 0;

	for (size_t i = branch; i < end; i++) {
		const struct mt_mime_part *p = mt_mime_part(m, i);
		int r = 0;

		if (is_readable(p) && p->encoded_size > 0)
			r = is_type(p, "text/plain") ? 3 :
			    is_type(p, "text/html") ? 2 : 1;
		best = MAX(best, r);
	}
	return best;
}

/* multipart/alternative: the best branch; of equals the last (RFC 2046 5.1.4). */
static void
choose(struct page *page, size_t alternative)
{
	const struct mt_mime *m = page->m;
	size_t end = end_of(m, alternative), best = 0;
	int best_rank = -1;

	for (size_t i = alternative + 1; i < end; i = end_of(m, i)) {
		int r = rank(m, i);

		if (r >= best_rank) {
			best_rank = r;
			best = i;
		}
	}
	for (size_t i = alternative + 1; i < end; i++) {
		if (i == best)
			i = end_of(m, best);
		if (i < end && is_readable(mt_mime_part(m, i)))
			page->passed_over[i] = true;
	}
}

/* An empty line between what two parts say. */
static void
separate(struct page *page)
{
	const struct mt_buf *b = &page->body;

	if (b->n > 0 && b->p[b->n - 1] != '\n')
		mt_buf_append_char(&page->body, '\n');
	if (b->n > 0)
		mt_buf_append_char(&page->body, '\n');
}

static int
add_html(struct page *page, size_t i, struct mt_err *err)
{
	mt_auto_value(mt_buf) html = MT_BUF_INIT(MT_MAX_HTML);
	struct mt_err why = { 0 };

	if (mt_mime_bytes(page->m, i, &html, &why) < 0) {
		if (why.kind != MT_EDATA)
			return mt_fail(err, why.kind, "%s", why.msg);
		page->cut = true;
	}
	if (!mt_html_to_text(mt_buf_slice(&html), mt_mime_part(page->m, i)->charset,
	    &page->body))
		page->cut = true;
	return 0;
}

/* Text as lines, also where they were for the reader to put together. */
static int
add_plain(struct page *page, size_t i, struct mt_err *err)
{
	const struct mt_mime_part *p = mt_mime_part(page->m, i);
	mt_auto_value(mt_buf) flowed = MT_BUF_INIT(MT_MAX_TEXT);
	bool cut = false;
	int rc = mt_mime_text(page->m, i, p->is_flowed ? &flowed : &page->body, &cut, err);

	if (rc == 0 && p->is_flowed &&
	    mt_flowed_read(mt_buf_slice(&flowed), p->delsp, &page->body) < 0)
		cut = true;
	page->cut = page->cut || cut;
	return rc;
}

static int
add_text(struct page *page, size_t i, struct mt_err *err)
{
	const struct mt_mime_part *p = mt_mime_part(page->m, i);
	bool is_html = is_type(p, "text/html");
	unsigned part = (unsigned)i;

	separate(page);
	g_array_append_val(page->shown, part);
	if (page->body_type == NULL)
		page->body_type = is_html ? "text/html" : "text/plain";
	return is_html ? add_html(page, i, err) : add_plain(page, i, err);
}

static int
add_attachment(struct page *page, size_t i, struct mt_err *err)
{
	const struct mt_mime_part *p = mt_mime_part(page->m, i);
	struct mt_text_attachment a = { .part = (unsigned)i };

	if (mt_mime_size(page->m, i, &a.size, err) < 0)
		return -1;
	a.name = g_strdup(p->filename);
	a.type = g_strdup(p->type);
	g_array_append_val(page->attachments, a);
	return 0;
}

/* The head of an embedded message; what is in it follows. */
static void
add_message_head(struct page *page, size_t i)
{
	static const char *const names[] = { "From", "To", "Date", "Subject" };

	separate(page);
	mt_buf_append_str(&page->body, "-------- message --------\n");
	for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
		g_autofree char *value = mt_mime_message_field(page->m, i, names[k]);

		if (value != NULL)
			mt_buf_appendf(&page->body, "%s: %s\n", names[k], value);
	}
}

static int
add_part(struct page *page, size_t i, struct mt_err *err)
{
	const struct mt_mime_part *p = mt_mime_part(page->m, i);

	if (p->kind == MT_MIME_MESSAGE)
		add_message_head(page, i);
	else if (p->kind == MT_MIME_MULTIPART && is_type(p, "multipart/alternative"))
		choose(page, i);
	else if (p->kind == MT_MIME_LEAF && is_readable(p))
		return page->passed_over[i] ? 0 : add_text(page, i, err);
	else if (p->kind == MT_MIME_LEAF)
		return add_attachment(page, i, err);
	return 0;
}

/*
 * A multipart without parts: its boundary is missing or wrong. What the sender wrote is
 * shown as it stands.
 */
static int
add_raw_body(struct page *page, int fd, struct mt_err *err)
{
	mt_auto_value(mt_buf) raw = MT_BUF_INIT(MT_MAX_TEXT);
	struct mt_slice all;
	struct mt_err why = { 0 };

	if (lseek(fd, 0, SEEK_SET) < 0)
		return mt_fail(err, MT_EIO, "seek: %m");
	if (mt_file_read_fd(fd, &raw, &why) < 0 && why.kind != MT_EDATA)
		return mt_fail(err, why.kind, "%s", why.msg);
	all = mt_buf_slice(&raw);
	if (!mt_charset_to_utf8(mt_slice_from(all, mt_header_block(all).n), NULL,
	    &page->body) || why.kind == MT_EDATA)
		page->cut = true;
	mt_charset_clean_text(&page->body);
	page->body_type = "text/plain";
	return 0;
}

static int
read_parts(int fd, struct mt_text *out, struct mt_err *err)
{
	mt_auto(mt_mime) m = mt_mime_open(fd, err);
	struct page page = { .m = m, .body = MT_BUF_INIT(MT_MAX_TEXT) };
	int rc = 0;

	if (m == NULL)
		return -1;
	page.passed_over = g_new0(bool, mt_mime_count(m));
	page.shown = g_array_new(FALSE, FALSE, sizeof(unsigned));
	page.attachments = g_array_new(FALSE, FALSE, sizeof(struct mt_text_attachment));
	page.cut = mt_mime_is_cut(m);
	for (size_t i = 0; rc == 0 && i < mt_mime_count(m); i++)
		rc = add_part(&page, i, err);
	if (rc == 0 && mt_mime_count(m) == 1 &&
	    mt_mime_part(m, 0)->kind == MT_MIME_MULTIPART)
		rc = add_raw_body(&page, fd, err);
	g_free(page.passed_over);
	out->body = page.body.p != NULL ? page.body.p : g_strdup("");
	out->body_type = page.body_type;
	out->cut = page.cut;
	out->nshown = page.shown->len;
	out->shown = (unsigned *)(void *)g_array_free(page.shown, FALSE);
	out->nattachments = page.attachments->len;
	out->attachments = (struct mt_text_attachment *)(void *)
	    g_array_free(page.attachments, FALSE);
	return rc;
}

/*
 * The child's answer: numbers of 8 bytes; strings as length + 1 (0: NULL) and bytes.
 */
static void
put_number(GByteArray *to, uint64_t v)
{
	g_byte_array_append(to, (const guint8 *)&v, sizeof(v));
}

static void
put_string(GByteArray *to, const char *s)
{
	put_number(to, s == NULL ? 0 : strlen(s) + 1);
	if (s != NULL)
		g_byte_array_append(to, (const guint8 *)s, (guint)strlen(s));
}

static bool
take_number(struct mt_slice *s, uint64_t *v)
{
	if (s->n < sizeof(*v))
		return false;
	memcpy(v, s->p, sizeof(*v));
	*s = mt_slice_from(*s, sizeof(*v));
	return true;
}

/* Cleaned again: what a broken child says is as hostile as the message. */
static bool
take_string(struct mt_slice *s, char **out)
{
	struct mt_buf text = MT_BUF_INIT(MAX_ANSWER * 3);
	uint64_t n;

	*out = NULL;
	if (!take_number(s, &n) || (n > 0 && n - 1 > s->n))
		return false;
	if (n == 0)
		return true;
	mt_charset_to_utf8(mt_slice_first(*s, n - 1), "utf-8", &text);
	mt_charset_clean_text(&text);
	*out = text.p != NULL ? text.p : g_strdup("");
	*s = mt_slice_from(*s, n - 1);
	return true;
}

static int
child(void *arg, int out_fd)
{
	const int *fd = arg;
	struct mt_text t = { 0 };
	struct mt_err err = { 0 };
	g_autoptr(GByteArray) answer = g_byte_array_new();

	if (read_parts(*fd, &t, &err) < 0)
		return mt_err_exit(err.kind);
	put_string(answer, t.body);
	put_number(answer, g_strcmp0(t.body_type, "text/html") == 0);
	put_number(answer, t.cut);
	put_number(answer, t.nshown);
	for (size_t i = 0; i < t.nshown; i++)
		put_number(answer, t.shown[i]);
	put_number(answer, t.nattachments);
	for (size_t i = 0; i < t.nattachments; i++) {
		put_string(answer, t.attachments[i].name);
		put_string(answer, t.attachments[i].type);
		put_number(answer, t.attachments[i].size);
		put_number(answer, t.attachments[i].part);
	}
	return mt_file_write_all(out_fd, answer->data, answer->len) < 0 ? 1 : 0;
}

static bool
take_attachment(struct mt_slice *s, struct mt_text_attachment *a)
{
	uint64_t part;

	if (!take_string(s, &a->name) || !take_string(s, &a->type) ||
	    !take_number(s, &a->size) || !take_number(s, &part) || part > UINT32_MAX)
		return false;
	a->part = (unsigned)part;
	return a->type != NULL;
}

static bool
take_shown(struct mt_slice *s, struct mt_text *out)
{
	uint64_t n, part;

	if (!take_number(s, &n) || n > MT_MAX_MIME_PARTS)
		return false;
	out->shown = g_new0(unsigned, n);
	for (; out->nshown < n; out->nshown++) {
		if (!take_number(s, &part) || part > UINT32_MAX)
			return false;
		out->shown[out->nshown] = (unsigned)part;
	}
	return true;
}

static bool
take_answer(struct mt_slice s, struct mt_text *out)
{
	uint64_t is_html, cut, n;

	if (!take_string(&s, &out->body) || out->body == NULL ||
	    !take_number(&s, &is_html) || !take_number(&s, &cut) || !take_shown(&s, out) ||
	    !take_number(&s, &n) || n > MT_MAX_MIME_PARTS)
		return false;
	out->body_type = is_html ? "text/html" : "text/plain";
	out->cut = cut != 0;
	out->attachments = g_new0(struct mt_text_attachment, n);
	for (; out->nattachments < n; out->nattachments++) {
		struct mt_text_attachment *a = &out->attachments[out->nattachments];

		if (!take_attachment(&s, a)) {
			g_free(a->name);
			g_free(a->type);
			return false;
		}
	}
	return s.n == 0;
}

/* Let a child take the risk. */
static int
read_parts_forked(int fd, enum mt_prescan found, struct mt_text *out,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) answer = MT_BUF_INIT(MAX_ANSWER);
	int status = mt_proc_fork(child, &fd, &mt_prescan_leash, &answer, err);

	if (status < 0)
		return mt_fail_in(err, "the message has %s", mt_prescan_word(found));
	if (status == mt_err_exit(MT_ETEMP))
		return mt_fail(err, MT_ETEMP, "the message has %s and cannot be read now",
		    mt_prescan_word(found));
	if (status != 0 || !take_answer(mt_buf_slice(&answer), out))
		return mt_fail(err, MT_EDATA, "the message has %s and cannot be read",
		    mt_prescan_word(found));
	return 0;
}

/*
 * The mailboxes of a field. Parsed first and decoded then: an encoded word that decodes
 * to "<boss@example.org>" stays a name.
 */
static char *
addresses(struct mt_slice block, const char *name)
{
	mt_auto_value(mt_addr_list) list = { 0 };
	struct mt_header_field f;
	GString *out;

	if (!mt_header_find(block, name, &f))
		return NULL;
	mt_addr_parse_lax(f.raw, &list);
	if (list.n == 0)
		return mt_header_decode(f.raw);
	out = g_string_new(NULL);
	for (size_t i = 0; i < list.n; i++) {
		g_autofree char *one = mt_addr_display(&list.v[i]);

		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", one);
	}
	return g_string_free(out, FALSE);
}

/* The top header, as much of it as we look at. */
static int
read_header(int fd, struct mt_text *out, struct mt_err *err)
{
	g_autofree char *bytes = g_malloc(MT_MAX_HEADER);
	struct mt_slice block;
	size_t n = 0;

	while (n < MT_MAX_HEADER) {
		ssize_t r = pread(fd, bytes + n, MT_MAX_HEADER - n, (off_t)n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		if (r == 0)
			break;
		n += (size_t)r;
	}
	block = mt_header_block(mt_slice_mem(bytes, n));
	out->from = addresses(block, "From");
	out->to = addresses(block, "To");
	out->cc = addresses(block, "Cc");
	out->date = mt_header_text(block, "Date");
	out->subject = mt_header_text(block, "Subject");
	return 0;
}

static int
read_all(int fd, struct mt_text *out, struct mt_err *err)
{
	enum mt_prescan found;

	if (read_header(fd, out, err) < 0 || mt_prescan_fd(fd, &found, err) < 0)
		return -1;
	if (found == MT_PRESCAN_PLAIN)
		return read_parts(fd, out, err);
	out->trouble = mt_prescan_word(found);
	if (found != MT_PRESCAN_HEADER)
		return read_parts_forked(fd, found, out, err);
	/* GMime would read all of it into memory: its start says who and what. */
	out->body = g_strdup("");
	out->cut = true;
	return 0;
}

int
mt_text_read(int fd, struct mt_text *out, struct mt_err *err)
{
	off_t offset = lseek(fd, 0, SEEK_CUR);
	int rc;

	*out = (struct mt_text){ 0 };
	if (offset < 0)
		return mt_fail(err, MT_EIO, "seek: %m");
	rc = read_all(fd, out, err);
	if (lseek(fd, offset, SEEK_SET) < 0 && rc == 0)
		rc = mt_fail(err, MT_EIO, "seek: %m");
	if (rc < 0)
		mt_text_clear(out);
	return rc;
}

void
mt_text_clear(struct mt_text *t)
{
	g_free(t->from);
	g_free(t->to);
	g_free(t->cc);
	g_free(t->date);
	g_free(t->subject);
	g_free(t->body);
	g_free(t->shown);
	for (size_t i = 0; i < t->nattachments; i++) {
		g_free(t->attachments[i].name);
		g_free(t->attachments[i].type);
	}
	g_free(t->attachments);
	*t = (struct mt_text){ 0 };
}
