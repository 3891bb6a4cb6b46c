/* resume.c - a draft on its way again: the message that it becomes */
#include "send/resume.h"

#include <errno.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/header.h"
#include "message/mime.h"
#include "message/prescan.h"
#include "send/draft.h"
#include "send/forward_parts.h"
#include "send/strip.h"

bool
mt_resume_is_text(int raw)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	struct mt_header_field f;

	/* Every message that a program wrote has one of these. */
	return mt_draft_header(raw, &head, NULL) == 0 &&
	    !mt_header_find(mt_buf_slice(&head), "Date", &f) &&
	    !mt_header_find(mt_buf_slice(&head), "Message-ID", &f) &&
	    !mt_header_find(mt_buf_slice(&head), "MIME-Version", &f);
}

/* What is said anew when it is sent, and what programs note in their drafts. */
static const char *const left_out[] = { "Date", "Status", "X-Status", "X-Keywords",
	"X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys", "X-Mozilla-Draft-Info",
	"X-Identity-Key", "Fcc", MT_WISH_FIELD, NULL };
/* And what is written anew for text that was edited. */
static const char *const written_anew[] = { "Message-ID", "MIME-Version", "References",
	"In-Reply-To", "Sender", "User-Agent", "Return-Path", "Received", NULL };

static int
append_lf(struct mt_buf *out, struct mt_slice text)
{
	struct mt_slice line;
	int failed = 0;

	while (mt_slice_take_line(&text, &line)) {
		failed |= mt_buf_append_slice(out, line);
		failed |= mt_buf_append_char(out, '\n');
	}
	return failed;
}

int
mt_resume_read(int raw, struct mt_buf *bcc, struct mt_wish *wish, struct mt_err *err)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_buf) kept = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_fd int out = mt_file_temp(err);
	struct mt_header_field f;
	struct mt_slice rest;
	int failed;

	if (out < 0 || mt_draft_header(raw, &head, err) < 0 ||
	    mt_wish_find(mt_buf_slice(&head), wish, err) < 0)
		return -1;
	failed = mt_strip_append(&kept, mt_buf_slice(&head), left_out);
	rest = mt_buf_slice(&head);
	while (mt_header_next(&rest, &f)) {
		if (mt_slice_eq_nocase(f.name, MT_SLICE("Bcc")))
			failed |= append_lf(bcc, f.whole);
	}
	if (failed != 0)
		return mt_fail(err, MT_EDATA, "the header is too long");
	if (mt_file_write_all(out, kept.p, kept.n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "temporary file in %s: write: %m",
		    g_get_tmp_dir());
	if (mt_draft_append(out, raw, head.n, err) < 0)
		return -1;
	return mt_steal_fd(&out);
}

/* --- to be edited again --------------------------------------------------------------- */

static int
take_subject(struct mt_compose *c, struct mt_slice raw, struct mt_err *err)
{
	g_autofree char *text = mt_header_decode(raw);

	(void)err;
	mt_compose_set_subject(c, text);
	return 0;
}

static int
take_addrs(struct mt_addr_list *to, const char *name, struct mt_slice raw, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) list = { 0 };

	if (mt_addr_parse(raw, &list, err) < 0)
		return mt_fail_in(err, "%s", name);
	for (size_t i = 0; i < list.n; i++)
		mt_addr_list_add_new(to, &list.v[i]);
	return 0;
}

static int
take_field(struct mt_compose *c, const struct mt_header_field *f, struct mt_err *err)
{
	const struct {
		const char *name;
		struct mt_addr_list *list;
	} lists[] = { { "From", &c->from }, { "To", &c->to }, { "Cc", &c->cc },
		{ "Bcc", &c->bcc } };
	g_autofree char *name = mt_slice_dup(f->name), *text = NULL, *whole = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (g_ascii_strcasecmp(name, lists[i].name) == 0)
			return take_addrs(lists[i].list, name, f->raw, err);
	}
	if (mt_slice_eq_nocase(f->name, MT_SLICE("Subject")))
		return take_subject(c, f->raw, err);
	if (mt_strip_is_named(f, left_out) || mt_strip_is_named(f, written_anew) ||
	    mt_slice_starts_nocase(f->name, MT_SLICE("Content-")))
		return 0;
	text = mt_header_decode(f->raw);
	whole = g_strconcat(name, ": ", text, NULL);
	return mt_compose_add_field(c, whole, err);
}

static int
take_header(struct mt_compose *c, struct mt_slice head, struct mt_err *err)
{
	g_autofree char *parent = mt_header_value(head, "In-Reply-To");
	g_autofree char *references = mt_header_value(head, "References");
	struct mt_header_field f;

	if (mt_wish_find(head, &c->wish, err) < 0)
		return -1;
	while (mt_header_next(&head, &f)) {
		if (take_field(c, &f, err) < 0)
			return -1;
	}
	if (parent != NULL || references != NULL)
		mt_compose_set_thread(c, parent, references != NULL ? references : "");
	return 0;
}

/* The part that is the text: the message, or the first of multipart/mixed. -1: its text is
   not all that there is to read. */
static int
find_text(const struct mt_mime *m)
{
	const struct mt_mime_part *first = mt_mime_part(m, 0), *text;
	int at = g_str_equal(first->type, "multipart/mixed") && mt_mime_count(m) > 1;

	text = mt_mime_part(m, (size_t)at);
	if (!g_str_equal(text->type, "text/plain") || text->filename != NULL ||
	    g_strcmp0(text->disposition, "attachment") == 0)
		return -1;
	return at;
}

static int
take_parts(struct mt_compose *c, int raw, struct mt_err *err)
{
	mt_auto(mt_mime) m = NULL;
	struct mt_text text = { 0 };
	enum mt_prescan scan;
	bool cut = false;
	unsigned index;
	int at;

	if (mt_prescan_fd(raw, &scan, err) < 0)
		return -1;
	if (scan != MT_PRESCAN_PLAIN)
		return mt_fail(err, MT_EDATA, "%s", mt_prescan_word(scan));
	m = mt_mime_open(raw, err);
	if (m == NULL)
		return -1;
	at = find_text(m);
	if (at < 0 || mt_mime_is_cut(m))
		return mt_fail(err, MT_EDATA, "it is %s, which cannot be edited as text: without "
		    "--edit it is sent as it is", mt_mime_part(m, 0)->type);
	if (mt_mime_text(m, (size_t)at, &c->body, &cut, err) < 0)
		return -1;
	if (cut)
		return mt_fail(err, MT_EDATA, "its text is too long to be edited");
	/* The rest is attached as it is. */
	index = (unsigned)at;
	text.body = mt_slice_dup(mt_buf_slice(&c->body));
	text.shown = &index;
	text.nshown = 1;
	at = mt_forward_parts(c, m, &text, err);
	g_free(text.body);
	return at;
}

int
mt_resume_fill(struct mt_compose *c, int raw, struct mt_err *err)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);

	if (mt_draft_header(raw, &head, err) < 0 ||
	    take_header(c, mt_buf_slice(&head), err) < 0 || take_parts(c, raw, err) < 0)
		return -1;
	c->own = c->body.n;
	return 0;
}
