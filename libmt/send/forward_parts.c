/* forward_parts.c - what of a forwarded message is attached, and how */
#include "send/forward_parts.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/attach.h"
#include "message/encode.h"
#include "message/field.h"
#include "message/header.h"
#include "message/html.h"
#include "send/draft.h"
#include "send/strip.h"

struct parts {
	struct mt_compose *c;
	const struct mt_mime *m;
	const struct mt_text *text;
	bool *shown;		/* by part */
	enum sameness { UNKNOWN, SAME, OTHER } *same;	/* by part: a page is read once */
	bool is_lossy;		/* text that is shown is not all that was there */
	GHashTable *words;	/* of the text; NULL until it is asked for */
};

static bool
is_type(const struct mt_mime_part *p, const char *type)
{
	return g_str_equal(p->type, type);
}

static size_t
end_of(const struct mt_mime *m, size_t i)
{
	size_t end = i + 1;

	while (end < mt_mime_count(m) &&
	    mt_mime_part(m, end)->depth > mt_mime_part(m, i)->depth)
		end++;
	return end;
}

/* --- whether an alternative says the same as what is shown --------------------------- */

/* The next run of letters and digits, in lower case; NULL at the end. g_free. */
static char *
next_word(const char **text)
{
	const char *p = *text;
	GString *word = g_string_new(NULL);

	for (; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_isalnum(c))
			g_string_append_unichar(word, g_unichar_tolower(c));
		else if (word->len > 0)
			break;
	}
	*text = p;
	return g_string_free(word, word->len == 0);
}

static GHashTable *
words_of(const char *text)
{
	GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *word;

	while ((word = next_word(&text)) != NULL)
		g_hash_table_add(words, word);
	return words;
}

/* A text part as text; false when it cannot be had, or not all of it. */
static bool
read_part(const struct parts *p, size_t i, struct mt_buf *out)
{
	mt_auto_value(mt_buf) html = MT_BUF_INIT(MT_MAX_HTML);
	bool cut;

	if (!is_type(mt_mime_part(p->m, i), "text/html"))
		return mt_mime_text(p->m, i, out, &cut, NULL) == 0 && !cut;
	return mt_mime_bytes(p->m, i, &html, NULL) == 0 &&
	    mt_html_to_text(mt_buf_slice(&html), mt_mime_part(p->m, i)->charset, out);
}

static bool
compare(struct parts *p, size_t i)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_TEXT);
	size_t total = 0, missing = 0;
	const char *at;
	char *word;

	if (!read_part(p, i, &text))
		return false;
	if (p->words == NULL)
		p->words = words_of(p->text->body);
	at = text.p != NULL ? text.p : "";
	while ((word = next_word(&at)) != NULL) {
		total++;
		missing += !g_hash_table_contains(p->words, word);
		g_free(word);
	}
	return missing * 10 <= total;
}

static bool
says_the_same(struct parts *p, size_t i)
{
	if (p->same[i] == UNKNOWN)
		p->same[i] = compare(p, i) ? SAME : OTHER;
	return p->same[i] == SAME;
}

/* --- which parts --------------------------------------------------------------------- */

static bool
is_leaf_kept(struct parts *p, size_t i)
{
	const struct mt_mime_part *part = mt_mime_part(p->m, i);
	bool is_text = is_type(part, "text/plain");

	if (p->shown[i])
		return !is_text || part->filename != NULL || p->is_lossy;
	/* Text that is not shown and not marked as an attachment is an alternative. */
	if ((is_text || is_type(part, "text/html")) && part->filename == NULL &&
	    g_strcmp0(part->disposition, "attachment") != 0)
		return !says_the_same(p, i);
	return true;
}

/* HTML and its pictures stay together, where the HTML is kept. */
static bool
has_kept_html(struct parts *p, size_t i)
{
	size_t end = end_of(p->m, i);

	for (size_t k = i + 1; k < end; k++) {
		if (is_type(mt_mime_part(p->m, k), "text/html") && is_leaf_kept(p, k))
			return true;
	}
	return false;
}

static bool
is_kept(struct parts *p, size_t i)
{
	const struct mt_mime_part *part = mt_mime_part(p->m, i);

	if (part->kind == MT_MIME_MESSAGE)
		return true;
	if (part->kind == MT_MIME_LEAF)
		return is_leaf_kept(p, i);
	return is_type(part, "multipart/signed") || is_type(part, "multipart/encrypted") ||
	    (is_type(part, "multipart/related") && has_kept_html(p, i));
}

/* --- how ------------------------------------------------------------------------------ */

static int
write_to_fd(void *arg, const void *p, size_t n, struct mt_err *err)
{
	const int *fd = arg;

	if (mt_file_write_all(*fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	return 0;
}

/* A copy that is looked at on the way. */
struct copy {
	int fd;
	struct mt_encode_facts facts;
};

static int
write_copy(void *arg, const void *p, size_t n, struct mt_err *err)
{
	struct copy *copy = arg;

	mt_encode_look(&copy->facts, mt_slice_mem(p, n));
	return write_to_fd(&copy->fd, p, n, err);
}

/* Cut the line end off that mt_draft_copy_lf() has put behind a last line without one. */
static int
cut_added_end(int from, int to, struct mt_err *err)
{
	struct stat in, out;
	char last = '\n';

	if (fstat(from, &in) < 0 || fstat(to, &out) < 0 || (in.st_size > 0 &&
	    pread(from, &last, 1, in.st_size - 1) != 1) || (last != '\n' &&
	    ftruncate(to, out.st_size - 1) < 0))
		return mt_fail(err, MT_EIO, "temporary file: %m");
	return 0;
}

/* Copy to `to` with LF line ends, and tell whether it can travel as it is then: 1 or 0. */
static int
copy_lf(int from, int to, struct mt_err *err)
{
	struct copy copy = { to, { 0 } };

	if (mt_draft_copy_lf(from, write_copy, &copy, err) < 0 ||
	    cut_added_end(from, to, err) < 0)
		return -1;
	mt_encode_look_end(&copy.facts);
	return !copy.facts.has_control && copy.facts.longest <= 998;
}

/* Whether a header is nothing but fields of ASCII, and an empty line. */
static bool
is_sound(struct mt_slice head)
{
	struct mt_slice rest = head;
	struct mt_header_field f;
	const char *at = head.p, *end = head.p + head.n;

	for (const char *p = head.p; p < end; p++) {
		if ((unsigned char)*p >= 0x80)
			return false;
	}
	while (mt_header_next(&rest, &f)) {
		if (f.whole.p != at)
			return false;
		at += f.whole.n;
	}
	return (end - at == 1 && *at == '\n') || (end - at == 2 && at[0] == '\r');
}

/* For parts without a name, where one helps. */
static const char *
name_for(const struct mt_mime_part *part)
{
	static const struct {
		const char *type, *name;
	} names[] = {
		{ "text/html", "message.html" },
		{ "text/plain", "message.txt" },
		{ "text/calendar", "invite.ics" },
		{ "message/rfc822", "message.eml" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (is_type(part, names[i].type))
			return names[i].name;
	}
	return NULL;
}

/* Fields that a part lacks where it will stand: a default type (RFC 2046 5.1.5) may be
   another there, and what is shown above need not be shown again. */
static int
write_missing(const struct mt_mime_part *part, struct mt_slice head, int fd,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_FIELD);
	const char *name = name_for(part);
	struct mt_header_field f;

	if (!mt_header_find(head, "Content-Type", &f))
		mt_buf_appendf(&out, "Content-Type: %s\n", part->type);
	if (part->kind == MT_MIME_LEAF && !mt_header_find(head, "Content-Disposition", &f)) {
		mt_buf_append_str(&out, "Content-Disposition: attachment");
		if (part->filename == NULL && name != NULL)
			mt_field_param(&out, "filename", name, NULL);
		mt_buf_append_char(&out, '\n');
	}
	return write_to_fd(&fd, out.p, out.n, err);
}

/* Attach a part as it stands: 1, or 0 when it cannot travel so. */
static int
add_entity(struct parts *p, size_t i, struct mt_err *err)
{
	const struct mt_build_attachment like = { .is_entity = true };
	mt_auto_value(mt_buf) block = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_fd int raw = mt_file_temp(err), out = raw < 0 ? -1 : mt_file_temp(err);
	g_autofree char *encoding = NULL;
	struct mt_slice head;
	int rc;

	if (out < 0 || mt_mime_entity(p->m, i, write_to_fd, &raw, err) < 0)
		return -1;
	if (mt_draft_header(raw, &block, NULL) < 0)
		return 0;
	head = mt_buf_slice(&block);
	encoding = mt_header_value(head, "Content-Transfer-Encoding");
	/* Its line ends are no line ends. */
	if (!is_sound(head) || (encoding != NULL && g_ascii_strcasecmp(encoding, "binary") == 0))
		return 0;
	if (write_missing(mt_mime_part(p->m, i), head, out, err) < 0)
		return -1;
	rc = copy_lf(raw, out, err);
	if (rc <= 0)
		return rc;
	return mt_compose_add_content(p->c, out, &like, err) < 0 ? -1 : 1;
}

/* Attach what is in a part, to be encoded anew. */
static int
add_decoded(struct parts *p, size_t i, struct mt_err *err)
{
	const struct mt_mime_part *part = mt_mime_part(p->m, i);
	struct mt_build_attachment like = { 0 };
	mt_auto_fd int fd = mt_file_temp(err);

	like.type = mt_attach_is_type(part->type) ? part->type : "application/octet-stream";
	like.charset = g_str_has_prefix(part->type, "text/") ? part->charset : NULL;
	like.name = part->filename != NULL ? part->filename : name_for(part);
	if (fd < 0 || mt_mime_content(p->m, i, write_to_fd, &fd, err) < 0)
		return -1;
	return mt_compose_add_content(p->c, fd, &like, err);
}

/* How many parts were dealt with, all those within this one or it alone; 0: an error. */
static size_t
add_part(struct parts *p, size_t i, struct mt_err *err)
{
	int rc;

	if (!is_kept(p, i))
		return 1;
	rc = add_entity(p, i, err);
	/* Of a multipart, each of its own parts can be tried. */
	if (rc == 0 && mt_mime_part(p->m, i)->kind == MT_MIME_MULTIPART)
		return 1;
	if (rc == 0)
		rc = add_decoded(p, i, err) < 0 ? -1 : 1;
	return rc < 0 ? 0 : end_of(p->m, i) - i;
}

int
mt_forward_parts(struct mt_compose *c, const struct mt_mime *m, const struct mt_text *text,
    struct mt_err *err)
{
	struct parts p = { .c = c, .m = m, .text = text };
	size_t n = mt_mime_count(m), done = 1;

	p.shown = g_new0(bool, n);
	p.same = g_new0(enum sameness, n);
	for (size_t i = 0; i < text->nshown; i++) {
		if (text->shown[i] < n)
			p.shown[text->shown[i]] = true;
	}
	p.is_lossy = text->cut || strstr(text->body, "\xef\xbf\xbd") != NULL;
	for (size_t i = 0; i < n && done > 0; i += done)
		done = add_part(&p, i, err);
	g_free(p.shown);
	g_free(p.same);
	g_clear_pointer(&p.words, g_hash_table_unref);
	if (done == 0)
		return mt_fail_in(err, "a part of the message");
	return 0;
}

/* The message, without what SMTP does not carry: an mbox line, and who had it in secret. */
static int
copy_message(int fd, int to, struct mt_err *err)
{
	mt_auto_value(mt_buf) block = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_HEADER);
	struct mt_slice head;

	if (mt_draft_header(fd, &block, err) < 0)
		return -1;
	head = mt_buf_slice(&block);
	if (mt_strip_check(head, mt_strip_hidden, err) < 0)
		return -1;
	if (mt_slice_starts(head, MT_SLICE("From ")))
		head = mt_slice_from(head, MIN(mt_slice_find(head, '\n') + 1, head.n));
	if (mt_strip_append(&out, head, mt_strip_hidden) < 0 ||
	    write_to_fd(&to, out.p, out.n, err) < 0)
		return -1;
	return mt_draft_append(to, fd, block.n, err);
}

int
mt_forward_whole(struct mt_compose *c, int fd, struct mt_err *err)
{
	const struct mt_build_attachment like = { .type = "message/rfc822",
		.name = "message.eml" };
	mt_auto_fd int raw = mt_file_temp(err), lf = raw < 0 ? -1 : mt_file_temp(err);
	int rc;

	if (lf < 0 || copy_message(fd, raw, err) < 0)
		return -1;
	/* SMTP has one line end, and so has what comes by it; other bytes are as they are. */
	rc = copy_lf(raw, lf, err);
	return rc < 0 ? -1 : mt_compose_add_content(c, rc > 0 ? lf : raw, &like, err);
}
