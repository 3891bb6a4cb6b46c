/* reply.c - begin an answer: to whom, about what, quoting what (RFC 5322 3.6.4) */
#include "send/reply.h"

#include "base/limits.h"
#include "message/date.h"
#include "message/header.h"
#include "message/msgid.h"
#include "message/subject.h"
#include "message/text.h"
#include "send/draft.h"
#include "send/page.h"

/* --- to whom ----------------------------------------------------------------- */

/* Append the addresses of every field of that name; lax, as received mail is. */
static void
collect(struct mt_slice head, const char *name, struct mt_addr_list *out)
{
	struct mt_header_field f;

	while (mt_header_next(&head, &f)) {
		mt_auto_value(mt_addr_list) list = { 0 };

		if (!mt_slice_eq_nocase(f.name, mt_slice_str(name)))
			continue;
		mt_addr_parse_lax(f.raw, &list);
		for (size_t i = 0; i < list.n; i++)
			mt_addr_list_add_new(out, &list.v[i]);
	}
}

/*
 * List-Post = "<mailto:" address [ "?" parameters ] ">", or "NO" (RFC 2369 3.4).
 */
static void
collect_list_post(struct mt_slice head, struct mt_addr_list *out)
{
	g_autofree char *value = mt_header_value(head, "List-Post");
	struct mt_slice rest = mt_slice_str(value), uri;
	mt_auto_value(mt_addr) a = { 0 };
	g_autofree char *spec = NULL;

	do {
		if (!mt_slice_take_until(&rest, '<', &uri) ||
		    !mt_slice_take_until(&rest, '>', &uri))
			return;
		uri = mt_slice_trim(uri);
	} while (!mt_slice_take_nocase(&uri, MT_SLICE("mailto:")));
	uri = mt_slice_first(uri, mt_slice_find(uri, '?'));
	spec = g_uri_unescape_segment(uri.p, uri.p + uri.n, NULL);
	if (spec != NULL && mt_addr_parse_one(mt_slice_str(spec), &a, NULL) == 0)
		mt_addr_list_add_new(out, &a);
}

/* Copy what is not mine, and not in `but`, to the end of out. */
static void
add_others(struct mt_addr_list *out, const struct mt_addr_list *from,
    struct mt_addr_list *mine, struct mt_addr_list *but)
{
	for (size_t i = 0; i < from->n; i++) {
		if (!mt_addr_list_has(mine, &from->v[i]) &&
		    !mt_addr_list_has(but, &from->v[i]))
			mt_addr_list_add_new(out, &from->v[i]);
	}
}

static void
choose_author(struct mt_slice head, struct mt_addr_list *out)
{
	static const char *const names[] = { "Mail-Reply-To", "Reply-To", "From" };

	for (size_t i = 0; i < G_N_ELEMENTS(names) && out->n == 0; i++)
		collect(head, names[i], out);
}

/* To and Cc as the message names them; what the user adds has no say in it. */
static void
choose_recipients(struct mt_slice head, const struct mt_reply *p,
    struct mt_addr_list *to, struct mt_addr_list *cc)
{
	mt_auto_value(mt_addr_list) author = { 0 }, writer = { 0 };
	mt_auto_value(mt_addr_list) first = { 0 }, others = { 0 }, nobody = { 0 };
	bool own;

	choose_author(head, &author);
	collect(head, "From", &writer);
	collect(head, "To", &first);
	collect(head, "Cc", &others);
	own = writer.n > 0 && mt_addr_list_has(p->mine, &writer.v[0]);
	if (p->to_all) {
		mt_auto_value(mt_addr_list) followup = { 0 };

		collect(head, "Mail-Followup-To", &followup);
		add_others(to, &followup, p->mine, &nobody);
		if (to->n > 0)
			return;
		collect_list_post(head, &others);
	}
	add_others(to, own ? &first : &author, p->mine, &nobody);
	if (p->to_all) {
		add_others(to->n == 0 ? to : cc, &first, p->mine, to);
		add_others(cc, &others, p->mine, to);
	}
	/* A note to oneself: there is nobody else to answer to. */
	if (to->n == 0 && cc->n == 0)
		add_others(to, &author, &nobody, &nobody);
}

static int
set_recipients(struct mt_compose *c, struct mt_slice head, const struct mt_reply *p,
    struct mt_err *err)
{
	mt_auto_value(mt_addr_list) to = { 0 }, cc = { 0 };

	if (p->to_list)
		collect_list_post(head, &to);
	else
		choose_recipients(head, p, &to, &cc);
	if (p->to_list && to.n == 0)
		return mt_fail(err, MT_EDATA, "it came by no list that can be answered (no "
		    "address in List-Post): --all answers to everybody");
	if (to.n == 0 && cc.n == 0)
		return mt_fail(err, MT_EDATA,
		    "the message names nobody to answer to (no From, no Reply-To "
		    "that is an address)");
	for (size_t i = 0; i < to.n; i++)
		mt_addr_list_add_new(&c->to, &to.v[i]);
	for (size_t i = 0; i < cc.n; i++)
		mt_addr_list_add_new(&c->cc, &cc.v[i]);
	return 0;
}

int
mt_reply_find_mine(int fd, const struct mt_addr_list *mine)
{
	static const char *const names[] = { "To", "Cc", "Delivered-To",
		"X-Original-To", "From" };
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_addr_list) list = { 0 };

	if (mt_draft_header(fd, &head, NULL) < 0)
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		collect(mt_buf_slice(&head), names[i], &list);
	for (size_t i = 0; i < list.n; i++) {
		for (size_t j = 0; j < mine->n; j++) {
			if (mt_addr_same(&list.v[i], &mine->v[j]))
				return (int)j;
		}
	}
	return -1;
}

/* --- about what -------------------------------------------------------------- */

char *
mt_reply_subject(const char *subject)
{
	static const char *const words[] = { "re", "aw", "sv", "antw", NULL };

	return mt_subject_begin("Re: ", words, subject);
}

static void
append_id(GString *out, const char *id)
{
	if (out->len > 0)
		g_string_append_c(out, ' ');
	g_string_append(out, id);
}

/* The first field of that name, as it stands; nothing when there is none. */
static struct mt_slice
field_of(struct mt_slice head, const char *name)
{
	struct mt_header_field f;

	return mt_header_find(head, name, &f) ? f.raw : MT_SLICE("");
}

char *
mt_reply_references(struct mt_slice head)
{
	g_auto(GStrv) ids = mt_msgid_parse(field_of(head, "References"));
	g_autofree char *id = mt_msgid_parse_one(field_of(head, "Message-ID"));
	GString *out = g_string_new(NULL);
	bool use = true;

	if (ids[0] == NULL) {
		g_strfreev(ids);
		ids = mt_msgid_parse(field_of(head, "In-Reply-To"));
		use = ids[0] != NULL && ids[1] == NULL;
	}
	for (char **i = ids; use && *i != NULL; i++) {
		if (g_strcmp0(*i, id) != 0)
			append_id(out, *i);
	}
	if (id != NULL)
		append_id(out, id);
	return g_string_free(out, FALSE);
}

static void
set_thread(struct mt_compose *c, struct mt_slice head)
{
	g_autofree char *id = mt_msgid_parse_one(field_of(head, "Message-ID"));
	g_autofree char *references = mt_reply_references(head);

	mt_compose_set_thread(c, id, references);
}

/* --- what it quotes ---------------------------------------------------------- */

/* "On Sat, 21 Nov 2026 10:00:00 +0100, Ada Lovelace wrote:" */
static char *
attribution(struct mt_slice head)
{
	mt_auto_value(mt_addr_list) from = { 0 };
	g_autofree char *date = mt_header_value(head, "Date");
	g_autofree char *who = NULL;
	char when[MT_DATE_SIZE];
	struct mt_date d;

	collect(head, "From", &from);
	if (from.n > 0 && from.v[0].name != NULL)
		who = g_strdup(from.v[0].name);
	else
		who = from.n > 0 ? mt_addr_spec(&from.v[0]) : g_strdup("somebody");
	if (date == NULL || !mt_date_parse(mt_slice_str(date), &d))
		return g_strdup_printf("%s wrote:\n", who);
	mt_date_format_at(d.seconds, d.offset_min, when);
	return g_strdup_printf("On %s, %s wrote:\n", when, who);
}

/* What comes before the signature's "-- " (RFC 3676 4.3), without empty lines there. */
static struct mt_slice
without_signature(struct mt_slice text)
{
	struct mt_slice rest = text, line;

	while (mt_slice_take_line(&rest, &line)) {
		if (mt_slice_eq(line, MT_SLICE("-- "))) {
			text.n = (size_t)(line.p - text.p);
			break;
		}
	}
	while (mt_slice_ends(text, MT_SLICE("\n")))
		text.n--;
	return text;
}

/* The lines with "> " in front, or ">" where they are quoted already (RFC 3676 4.5). */
static int
append_quoted(struct mt_buf *out, struct mt_slice text)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		bool bare = line.n == 0 || line.p[0] == '>';

		if (mt_buf_append_str(out, bare ? ">" : "> ") < 0 ||
		    mt_buf_append_slice(out, line) < 0 ||
		    mt_buf_append_char(out, '\n') < 0)
			return -1;
	}
	return 0;
}

static int
append_quotation(struct mt_compose *c, int fd, struct mt_slice head, struct mt_err *err)
{
	mt_auto_value(mt_text) text = { 0 };
	g_autofree char *who = attribution(head);
	struct mt_buf *body = &c->body;
	int failed = 0;

	if (mt_text_read(fd, &text, err) < 0)
		return -1;
	if (mt_slice_trim(mt_slice_str(text.body)).n == 0)
		return 0;
	if (body->n > 0 && body->p[body->n - 1] != '\n')
		failed |= mt_buf_append_char(body, '\n');
	if (body->n > 0)
		failed |= mt_buf_append_char(body, '\n');
	failed |= mt_buf_append_str(body, who);
	failed |= append_quoted(body, without_signature(mt_slice_str(text.body)));
	if (failed != 0)
		return mt_fail(err, MT_EDATA, "too long to be quoted: use --no-quote");
	if (c->html.n > 0)
		return mt_page_quote(c, who, without_signature(mt_slice_str(text.body)), err);
	return 0;
}

int
mt_reply_fill(struct mt_compose *c, int fd, const struct mt_reply *params,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) block = MT_BUF_INIT(MT_MAX_HEADER);
	g_autofree char *subject = NULL, *re = NULL;
	struct mt_slice head;

	if (mt_draft_header(fd, &block, err) < 0)
		return -1;
	head = mt_buf_slice(&block);
	if (set_recipients(c, head, params, err) < 0)
		return -1;
	if (c->build.subject == NULL) {
		subject = mt_header_text(head, "Subject");
		re = mt_reply_subject(subject != NULL ? subject : "");
		mt_compose_set_subject(c, re);
	}
	set_thread(c, head);
	return params->no_quote ? 0 : append_quotation(c, fd, head, err);
}
