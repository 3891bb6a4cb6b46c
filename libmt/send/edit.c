/* edit.c - a message as text for an editor: its fields, an empty line, what it says */
#include "send/edit.h"

#include "base/limits.h"

/* --- to the editor ------------------------------------------------------------------ */

/* A line for each address but the first: a list of many stays readable. */
static int
write_addrs(struct mt_buf *out, const char *name, const struct mt_addr_list *list)
{
	int failed = mt_buf_appendf(out, "%s:", name);

	for (size_t i = 0; i < list->n; i++) {
		g_autofree char *text = mt_addr_display(&list->v[i]);

		failed |= mt_buf_appendf(out, "%s %s", i == 0 ? "" : ",\n", text);
	}
	return failed | mt_buf_append_str(out, list->n == 0 ? " \n" : "\n");
}

int
mt_edit_write(const struct mt_compose *c, struct mt_buf *out, struct mt_err *err)
{
	const struct mt_build *b = &c->build;
	int failed = 0;

	failed |= write_addrs(out, "From", &c->from);
	if (c->to.n == 0 && b->to_group != NULL)
		failed |= mt_buf_appendf(out, "To: %s\n", b->to_group);
	else
		failed |= write_addrs(out, "To", &c->to);
	failed |= write_addrs(out, "Cc", &c->cc);
	failed |= write_addrs(out, "Bcc", &c->bcc);
	failed |= mt_buf_appendf(out, "Subject: %s\n", b->subject != NULL ? b->subject : "");
	if (b->in_reply_to != NULL)
		failed |= mt_buf_appendf(out, "In-Reply-To: %s\n", b->in_reply_to);
	failed |= mt_wish_append(out, &c->wish);
	for (guint i = 0; i < c->fields->len; i++) {
		const struct mt_build_field *f =
		    &g_array_index(c->fields, struct mt_build_field, i);

		failed |= mt_buf_appendf(out, "%s: %s\n", f->name, f->value);
	}
	for (guint i = 0; i < c->attachments->len; i++) {
		const struct mt_build_attachment *a =
		    &g_array_index(c->attachments, struct mt_build_attachment, i);

		if (a->path != NULL && !a->is_inline)
			failed |= mt_buf_appendf(out, "Attach: %s%s%s\n", a->path,
			    a->type != NULL ? ":" : "", a->type != NULL ? a->type : "");
	}
	failed |= mt_buf_append_char(out, '\n');
	failed |= mt_buf_append_slice(out, mt_buf_slice(&c->body));
	return failed != 0 ? mt_fail(err, MT_EDATA, "too long for an editor") : 0;
}

/* --- and back ----------------------------------------------------------------------- */

/* One field: its name, and its value with the lines that go on with it. */
struct field {
	unsigned line;
	struct mt_slice name;
	GString *value;
};

static int
set_subject(struct mt_compose *c, const char *value, struct mt_err *err)
{
	if (c->build.subject != NULL)
		return mt_fail(err, MT_EUSAGE, "a second Subject");
	mt_compose_set_subject(c, value);
	return 0;
}

static int
set_parent(struct mt_compose *c, const char *value, struct mt_err *err)
{
	if (c->build.in_reply_to != NULL)
		return mt_fail(err, MT_EUSAGE, "a second In-Reply-To");
	mt_compose_set_thread(c, value, value);
	return 0;
}

static int
attach(struct mt_compose *c, const char *value, struct mt_err *err)
{
	(void)err;
	mt_compose_add_attachment(c, value);
	return 0;
}

static int
set_wish(struct mt_compose *c, const char *value, struct mt_err *err)
{
	return mt_wish_parse(value, &c->wish, err);
}

static int
take_field(struct mt_compose *c, const struct field *f, struct mt_err *err)
{
	static const struct {
		struct mt_slice name;
		int (*take)(struct mt_compose *, const char *, struct mt_err *);
	} known[] = {
		{ MT_SLICE("From"), mt_compose_add_from },
		{ MT_SLICE("To"), mt_compose_add_to },
		{ MT_SLICE("Cc"), mt_compose_add_cc },
		{ MT_SLICE("Bcc"), mt_compose_add_bcc },
		{ MT_SLICE("Subject"), set_subject },
		{ MT_SLICE("In-Reply-To"), set_parent },
		{ MT_SLICE("Attach"), attach },
		{ MT_SLICE(MT_WISH_FIELD), set_wish },
	};
	g_autofree char *name = mt_slice_dup(f->name);
	g_autofree char *whole = NULL;

	g_strstrip(f->value->str);
	if (f->value->str[0] == '\0')
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (mt_slice_eq_nocase(f->name, known[i].name))
			return known[i].take(c, f->value->str, err);
	}
	whole = g_strconcat(name, ": ", f->value->str, NULL);
	return mt_compose_add_field(c, whole, err);
}

/* Finish the field before, if there is one. */
static int
end_field(struct mt_compose *c, struct field *f, struct mt_err *err)
{
	int rc = 0;

	if (f->value != NULL) {
		rc = take_field(c, f, err);
		if (rc < 0)
			mt_fail_in(err, "line %u", f->line);
		g_string_free(f->value, TRUE);
	}
	f->value = NULL;
	return rc;
}

static bool
is_name(struct mt_slice s)
{
	/* RFC 5322 3.6.8 */
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 127)
			return false;
	}
	return s.n > 0;
}

static int
begin_field(struct field *f, unsigned line, struct mt_slice text, struct mt_err *err)
{
	struct mt_slice shown = mt_slice_first(text, 60), rest = text;

	f->line = line;
	if (!mt_slice_take_until(&rest, ':', &f->name) || !is_name(mt_slice_trim(f->name)))
		return mt_fail(err, MT_EDATA, "line %u: \"%.*s\" is no header field: \"Name: "
		    "value\" (an empty line ends them)", line, (int)shown.n, shown.p);
	f->name = mt_slice_trim(f->name);
	f->value = g_string_new_len(rest.p, (gssize)rest.n);
	return 0;
}

/* The lines up to the first empty one. */
static int
read_fields(struct mt_compose *c, struct mt_slice *text, struct mt_err *err)
{
	struct field f = { 0 };
	struct mt_slice line;

	for (unsigned n = 1; mt_slice_take_line(text, &line); n++) {
		if (mt_slice_trim(line).n == 0)
			break;
		if (memchr(line.p, '\0', line.n) != NULL) {
			g_string_free(f.value != NULL ? f.value : g_string_new(NULL), TRUE);
			return mt_fail(err, MT_EDATA, "line %u: a NUL", n);
		}
		if (f.value != NULL && (line.p[0] == ' ' || line.p[0] == '\t')) {
			line = mt_slice_trim(line);
			g_string_append_c(f.value, ' ');
			g_string_append_len(f.value, line.p, (gssize)line.n);
			continue;
		}
		if (end_field(c, &f, err) < 0 || begin_field(&f, n, line, err) < 0)
			return -1;
	}
	return end_field(c, &f, err);
}

int
mt_edit_read(struct mt_compose *c, struct mt_slice text, struct mt_err *err)
{
	const char *parent = c->build.in_reply_to, *references = c->build.references;

	mt_compose_reset(c);
	if (read_fields(c, &text, err) < 0)
		return -1;
	/* The thread that it was in, when it still answers to the same. */
	if (g_strcmp0(c->build.in_reply_to, parent) == 0)
		c->build.references = references;
	if (mt_buf_append_slice(&c->body, text) < 0)
		return mt_fail(err, MT_EDATA, "the text has more than %zu bytes (attach it as a "
		    "file instead)", c->body.max);
	c->own = c->body.n;
	return 0;
}
