/* sendmail.c - take a finished message as sendmail(8) does */
#include "send/sendmail.h"

#include <errno.h>
#include <glib.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/limits.h"
#include "message/date.h"
#include "message/field.h"
#include "message/header.h"
#include "message/msgid.h"
#include "send/draft.h"
#include "send/strip.h"
#include "smtp/client.h"

static bool
is_named(const struct mt_header_field *f, const char *name)
{
	return mt_slice_eq_nocase(f->name, mt_slice_str(name));
}

static int
add_recipients(const struct mt_header_field *f, const struct mt_addr *local,
    struct mt_addr_list *rcpts, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) list = { 0 };
	g_autofree char *name = mt_slice_dup(f->name);
	g_autofree char *text = NULL;

	/* A longer field would be cut, and recipients with it. */
	if (f->raw.n > MT_MAX_FIELD)
		return mt_fail(err, MT_EDATA, "field %s is longer than %zu bytes", name,
		    MT_MAX_FIELD);
	text = mt_header_unfold(f->raw);
	if (text[0] == '\0')
		return 0;
	if (mt_addr_parse_local(mt_slice_str(text), local, &list, err) < 0)
		return mt_fail_in(err, "field %s", name);
	for (size_t i = 0; i < list.n; i++)
		mt_addr_list_add_new(rcpts, &list.v[i]);
	return 0;
}

static const char *const plain_names[] = { "To", "Cc", "Bcc", NULL };
static const char *const resent_names[] = { "Resent-To", "Resent-Cc", "Resent-Bcc", NULL };

/*
 * The recipients that the newest block of Resent fields names (RFC 5322 3.6.6): it
 * stands on top, and ends where a name comes again or a trace field begins an older
 * hop.
 * 1 when there is such a block.
 */
static int
resent_recipients(struct mt_slice block, const struct mt_addr *local,
    struct mt_addr_list *rcpts, struct mt_err *err)
{
	g_autoptr(GHashTable) seen =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct mt_header_field f;
	int found = 0;

	while (mt_header_next(&block, &f)) {
		g_autofree char *raw_name = mt_slice_dup(f.name);
		char *name = g_ascii_strdown(raw_name, -1);
		bool is_resent = g_str_has_prefix(name, "resent-");

		if (!is_resent) {
			bool older = g_hash_table_size(seen) > 0 &&
			    (is_named(&f, "Received") || is_named(&f, "Return-Path"));

			g_free(name);
			if (older)
				break;
			continue;
		}
		if (!g_hash_table_add(seen, name))
			break;
		if (!mt_strip_is_named(&f, resent_names))
			continue;
		if (add_recipients(&f, local, rcpts, err) < 0)
			return -1;
		found = 1;
	}
	return found;
}

static int
header_recipients(struct mt_slice block, const struct mt_addr *local,
    struct mt_addr_list *rcpts, struct mt_err *err)
{
	struct mt_header_field f;
	int rc = resent_recipients(block, local, rcpts, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	while (mt_header_next(&block, &f)) {
		if (mt_strip_is_named(&f, plain_names) &&
		    add_recipients(&f, local, rcpts, err) < 0)
			return -1;
	}
	return 0;
}

/* The fields that every message has (RFC 5322 3.6), where this one lacks them. */
static int
add_missing(struct mt_slice block, const struct mt_addr *from, struct mt_buf *out,
    struct mt_err *err)
{
	struct mt_header_field f;
	char date[MT_DATE_SIZE];

	if (!mt_header_find(block, "Date", &f)) {
		mt_date_format(g_get_real_time() / G_USEC_PER_SEC, date);
		if (mt_field_tokens(out, "Date", date, err) < 0)
			return -1;
	}
	if (!mt_header_find(block, "From", &f)) {
		struct mt_addr one = *from;
		struct mt_addr_list list = { .v = &one, .n = 1 };

		if (mt_field_addrs(out, "From", &list, err) < 0)
			return -1;
	}
	if (!mt_header_find(block, "Message-ID", &f)) {
		g_autofree char *id = mt_msgid_new(from->domain);

		if (mt_field_tokens(out, "Message-ID", id, err) < 0)
			return -1;
	}
	return 0;
}

/* Added fields end their lines as the message does. */
static int
append_fields(struct mt_buf *out, struct mt_slice fields, bool crlf)
{
	struct mt_slice line;

	while (mt_slice_take_line(&fields, &line)) {
		if (mt_buf_append_slice(out, line) < 0 ||
		    mt_buf_append_str(out, crlf ? "\r\n" : "\n") < 0)
			return -1;
	}
	return 0;
}

/* Whether the message begins with a header at all: a field, or the empty line. */
static bool
has_header(struct mt_slice block)
{
	struct mt_slice rest = block, line;
	struct mt_header_field f;

	if (mt_slice_take_line(&rest, &line) && line.n == 0)
		return true;
	rest = block;
	return mt_header_next(&rest, &f) && f.whole.p == block.p;
}

/* As text its Bcc would show everybody who gets the message in secret, and with -t it would
   send the message to whom only the text names. */
static int
check_fields(struct mt_slice block, bool from_fields, struct mt_err *err)
{
	if (mt_strip_check(block, mt_strip_hidden, err) < 0)
		return -1;
	if (from_fields && (mt_strip_check(block, plain_names, err) < 0 ||
	    mt_strip_check(block, resent_names, err) < 0))
		return -1;
	return 0;
}

/* Whether it has a name without a domain; then *list is the field with mailboxes instead. */
static bool
has_local_name(const struct mt_header_field *f, const struct mt_addr *stands_for,
    struct mt_addr_list *list)
{
	mt_auto_value(mt_addr_list) plain = { 0 };
	g_autofree char *text = NULL;

	if (stands_for == NULL || f->raw.n > MT_MAX_FIELD)
		return false;
	text = mt_header_unfold(f->raw);
	return mt_addr_parse(mt_slice_str(text), &plain, NULL) < 0 &&
	    mt_addr_parse_local(mt_slice_str(text), stands_for, list, NULL) == 0;
}

/* The header with a mailbox for every such name; behind a line that is no field it may be
   text, which stays. */
static int
complete_names(struct mt_slice block, const struct mt_sendmail *params, bool crlf,
    struct mt_buf *out, struct mt_err *err)
{
	static const char *const ours[] = { "From", "Sender", "Reply-To", NULL };
	static const char *const theirs[] = { "To", "Cc", NULL };
	struct mt_slice rest = block;
	struct mt_header_field f;
	const char *from = block.p, *end = block.p + block.n, *next = block.p;

	while (mt_header_next(&rest, &f) && f.whole.p == next) {
		mt_auto_value(mt_addr_list) list = { 0 };
		mt_auto_value(mt_buf) field = MT_BUF_INIT(2 * MT_MAX_FIELD);
		g_autofree char *name = mt_slice_dup(f.name);

		next = f.whole.p + f.whole.n;
		if (!has_local_name(&f, mt_strip_is_named(&f, ours) ? params->from :
		    mt_strip_is_named(&f, theirs) ? params->local : NULL, &list))
			continue;
		if (mt_field_addrs(&field, name, &list, err) < 0)
			return -1;
		if (mt_buf_append(out, from, (size_t)(f.whole.p - from)) < 0 ||
		    append_fields(out, mt_buf_slice(&field), crlf) < 0)
			return mt_fail(err, MT_EDATA, "the header is too long");
		from = next;
	}
	if (mt_buf_append(out, from, (size_t)(end - from)) < 0)
		return mt_fail(err, MT_EDATA, "the header is too long");
	return 0;
}

/* The new header in *out, and how much of the old message it takes the place of. */
static int
edit_header(struct mt_slice block, const struct mt_sendmail *params, struct mt_buf *out,
    size_t *replaced, struct mt_err *err)
{
	mt_auto_value(mt_buf) fields = MT_BUF_INIT(MT_MAX_FIELD);
	mt_auto_value(mt_buf) whole = MT_BUF_INIT(2 * MT_MAX_HEADER);
	struct mt_slice first = block;
	bool crlf;

	*replaced = 0;
	if (mt_slice_starts(block, MT_SLICE("From "))) {
		*replaced = MIN(mt_slice_find(block, '\n') + 1, block.n);
		block = first = mt_slice_from(block, *replaced);
	}
	crlf = mt_slice_ends(mt_slice_first(first, mt_slice_find(first, '\n')),
	    MT_SLICE("\r"));
	if (!has_header(block))
		block = mt_slice_first(block, 0);
	*replaced += block.n;
	if (add_missing(block, params->from, &fields, err) < 0 ||
	    complete_names(block, params, crlf, &whole, err) < 0)
		return -1;
	if (append_fields(out, mt_buf_slice(&fields), crlf) < 0 ||
	    mt_strip_append(out, mt_buf_slice(&whole), mt_strip_hidden) < 0 ||
	    (block.n == 0 && mt_buf_append_str(out, crlf ? "\r\n" : "\n") < 0))
		return mt_fail(err, MT_EDATA, "the header is too long");
	return 0;
}

int
mt_sendmail_find_author(int draft, const struct mt_addr_list *mine)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_addr_list) authors = { 0 };
	struct mt_header_field f;

	if (mt_draft_header(draft, &head, NULL) < 0 ||
	    (!mt_header_find(mt_buf_slice(&head), "Resent-From", &f) &&
	    !mt_header_find(mt_buf_slice(&head), "From", &f)))
		return -1;
	mt_addr_parse_lax(f.raw, &authors);
	for (size_t i = 0; i < mine->n; i++) {
		if (mt_addr_list_has(&authors, &mine->v[i]))
			return (int)i;
	}
	return -1;
}

int
mt_sendmail_read(int raw, const struct mt_sendmail *params, struct mt_addr_list *rcpts,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_buf) edited = MT_BUF_INIT(2 * MT_MAX_HEADER);
	mt_auto_fd int out = -1;
	struct mt_smtp_scan scan;
	size_t replaced;

	/* Before anything is edited, so that an error names the user's own line. */
	if (mt_smtp_scan(raw, &scan, err) < 0 || mt_draft_header(raw, &head, err) < 0)
		return -1;
	if (check_fields(mt_buf_slice(&head), params->from_fields, err) < 0)
		return -1;
	if (params->from_fields &&
	    header_recipients(mt_buf_slice(&head), params->local, rcpts, err) < 0)
		return -1;
	if (edit_header(mt_buf_slice(&head), params, &edited, &replaced, err) < 0)
		return -1;
	out = mt_file_temp(err);
	if (out < 0)
		return -1;
	if (mt_file_write_all(out, edited.p, edited.n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	if (mt_draft_append(out, raw, replaced, err) < 0)
		return -1;
	return mt_steal_fd(&out);
}
