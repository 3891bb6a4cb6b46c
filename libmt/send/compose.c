/* compose.c - from what a person typed to a message that can be sent */
#include "send/compose.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/field.h"
#include "message/flowed.h"
#include "message/msgid.h"

struct mt_compose *
mt_compose_new(void)
{
	struct mt_compose *c = g_new0(struct mt_compose, 1);

	c->body = MT_BUF_INIT(MT_COMPOSE_BODY_MAX);
	c->html = MT_BUF_INIT(MT_COMPOSE_BODY_MAX);
	c->flowed = MT_BUF_INIT(MT_COMPOSE_BODY_MAX);
	c->fields = g_array_new(FALSE, FALSE, sizeof(struct mt_build_field));
	c->attachments = g_array_new(FALSE, FALSE, sizeof(struct mt_build_attachment));
	c->strings = g_ptr_array_new_with_free_func(g_free);
	c->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_mapped_file_unref);
	c->build.from = &c->from;
	c->build.to = &c->to;
	c->build.cc = &c->cc;
	c->build.bcc = &c->bcc;
	return c;
}

void
mt_compose_free(struct mt_compose *c)
{
	if (c == NULL)
		return;
	mt_addr_list_clear(&c->from);
	mt_addr_list_clear(&c->sender);
	mt_addr_list_clear(&c->to);
	mt_addr_list_clear(&c->cc);
	mt_addr_list_clear(&c->bcc);
	mt_buf_clear(&c->body);
	mt_buf_clear(&c->html);
	mt_buf_clear(&c->flowed);
	g_array_free(c->fields, TRUE);
	g_array_free(c->attachments, TRUE);
	g_ptr_array_free(c->strings, TRUE);
	g_ptr_array_free(c->files, TRUE);
	g_free(c);
}

/* Hand a string to the message, which frees it. */
static const char *
keep(struct mt_compose *c, char *s)
{
	g_ptr_array_add(c->strings, s);
	return s;
}

static int
add_list(struct mt_addr_list *to, const char *text, const char *what,
    struct mt_err *err)
{
	mt_auto_value(mt_addr_list) list = { 0 };

	if (mt_addr_parse(mt_slice_str(text), &list, err) < 0) {
		if (err != NULL)
			err->kind = MT_EUSAGE;
		return mt_fail_in(err, "%s \"%s\"", what, text);
	}
	if (list.n == 0)
		return mt_fail(err, MT_EUSAGE, "%s \"%s\": no address", what, text);
	for (size_t i = 0; i < list.n; i++)
		mt_addr_list_add_new(to, &list.v[i]);
	return 0;
}

int
mt_compose_set_from(struct mt_compose *c, const char *list, struct mt_err *err)
{
	mt_addr_list_clear(&c->from);
	return mt_compose_add_from(c, list, err);
}

int
mt_compose_add_from(struct mt_compose *c, const char *list, struct mt_err *err)
{
	return add_list(&c->from, list, "author", err);
}

int
mt_compose_set_sender(struct mt_compose *c, const char *mailbox, struct mt_err *err)
{
	mt_addr_list_clear(&c->sender);
	return add_list(&c->sender, mailbox, "sender", err);
}

int
mt_compose_add_to(struct mt_compose *c, const char *list, struct mt_err *err)
{
	mt_auto_value(mt_addr_list) none = { 0 };
	struct mt_slice text = mt_slice_trim(mt_slice_str(list));

	/* "undisclosed-recipients:;" (RFC 5322 3.4); what is only a comment names nobody. */
	if (mt_addr_parse(text, &none, NULL) == 0 && none.n == 0 &&
	    mt_slice_find(text, ':') < text.n && mt_slice_ends(text, MT_SLICE(";")) &&
	    text.p[0] != '(' && g_str_is_ascii(list)) {
		c->build.to_group = keep(c, mt_slice_dup(text));
		return 0;
	}
	return add_list(&c->to, list, "recipient", err);
}

int
mt_compose_add_cc(struct mt_compose *c, const char *list, struct mt_err *err)
{
	return add_list(&c->cc, list, "Cc", err);
}

int
mt_compose_add_bcc(struct mt_compose *c, const char *list, struct mt_err *err)
{
	return add_list(&c->bcc, list, "Bcc", err);
}

int
mt_compose_add_field(struct mt_compose *c, const char *field, struct mt_err *err)
{
	struct mt_slice rest = mt_slice_str(field), name;
	struct mt_build_field f;

	if (!mt_slice_take_until(&rest, ':', &name) || mt_slice_trim(name).n == 0)
		return mt_fail(err, MT_EUSAGE,
		    "header field \"%s\": write it as \"Name: value\"", field);
	f.name = keep(c, mt_slice_dup(mt_slice_trim(name)));
	/* Line ends inside are left for mt_build_write() to refuse by name. */
	f.value = keep(c, g_strstrip(g_strdup(rest.p)));
	g_array_append_val(c->fields, f);
	return 0;
}

/* "image/png": two tokens of RFC 2045 5.1 with a slash between. */
static bool
looks_like_type(const char *s)
{
	size_t slashes = 0, word = 0;

	for (; *s != '\0'; s++) {
		if (*s == '/') {
			if (word == 0)
				return false;
			slashes++;
			word = 0;
		} else if (!g_ascii_isalnum(*s) && strchr("!#$&-^_.+", *s) == NULL) {
			return false;
		} else {
			word++;
		}
	}
	return slashes == 1 && word > 0;
}

static void
add_file(struct mt_compose *c, const char *spec, bool is_inline)
{
	struct mt_build_attachment a = { .is_inline = is_inline };
	char *path = g_strdup(spec);
	char *colon = strrchr(path, ':');

	a.path = keep(c, path);
	if (colon != NULL && looks_like_type(colon + 1) && access(path, F_OK) < 0) {
		*colon = '\0';
		a.type = colon + 1;
	}
	g_array_append_val(c->attachments, a);
}

void
mt_compose_add_attachment(struct mt_compose *c, const char *spec)
{
	add_file(c, spec, false);
}

void
mt_compose_add_inline(struct mt_compose *c, const char *spec)
{
	add_file(c, spec, true);
}

int
mt_compose_add_content(struct mt_compose *c, int fd, const struct mt_build_attachment *like,
    struct mt_err *err)
{
	struct mt_build_attachment a = *like;
	g_autoptr(GError) why = NULL;
	/* Mapped, so that memory does not grow with it. */
	GMappedFile *file = g_mapped_file_new_from_fd(fd, FALSE, &why);

	if (file == NULL)
		return mt_fail(err, MT_ETEMP, "%s", why->message);
	g_ptr_array_add(c->files, file);
	a.content = mt_slice_mem(g_mapped_file_get_contents(file),
	    g_mapped_file_get_length(file));
	a.type = keep(c, g_strdup(like->type));
	a.charset = keep(c, g_strdup(like->charset));
	a.name = keep(c, g_strdup(like->name));
	g_array_append_val(c->attachments, a);
	return 0;
}

void
mt_compose_set_subject(struct mt_compose *c, const char *subject)
{
	c->build.subject = keep(c, g_strdup(subject));
}

void
mt_compose_set_thread(struct mt_compose *c, const char *in_reply_to,
    const char *references)
{
	c->build.in_reply_to = keep(c, g_strdup(in_reply_to));
	c->build.references =
	    references[0] != '\0' ? keep(c, g_strdup(references)) : NULL;
}

int
mt_compose_add_body(struct mt_compose *c, int fd, struct mt_err *err)
{
	if (mt_file_read_fd(fd, &c->body, err) == 0) {
		c->own = c->body.n;
		return 0;
	}
	if (err->kind == MT_EDATA)
		return mt_fail_in(err, "the text (attach it as a file instead)");
	return -1;
}

void
mt_compose_reset(struct mt_compose *c)
{
	mt_addr_list_clear(&c->from);
	mt_addr_list_clear(&c->to);
	mt_addr_list_clear(&c->cc);
	mt_addr_list_clear(&c->bcc);
	g_array_set_size(c->fields, 0);
	for (guint i = c->attachments->len; i > 0; i--) {
		const struct mt_build_attachment *a =
		    &g_array_index(c->attachments, struct mt_build_attachment, i - 1);

		if (a->path != NULL && !a->is_inline)
			g_array_remove_index(c->attachments, i - 1);
	}
	c->build.subject = c->build.in_reply_to = c->build.references = NULL;
	c->build.to_group = NULL;
	c->wish = (struct mt_wish){ 0 };
	mt_buf_reset(&c->body);
	c->own = 0;
}

static bool
is_empty(const char *s)
{
	return s == NULL || s[0] == '\0';
}

bool
mt_compose_is_blank(const struct mt_compose *c)
{
	return is_empty(c->build.subject) && c->attachments->len == 0 &&
	    c->html.n == 0 && mt_slice_trim(mt_buf_slice(&c->body)).n == 0;
}

static bool
has_field(const struct mt_compose *c, const char *name)
{
	for (guint i = 0; i < c->fields->len; i++) {
		const struct mt_build_field *f =
		    &g_array_index(c->fields, struct mt_build_field, i);

		if (g_ascii_strcasecmp(f->name, name) == 0)
			return true;
	}
	return false;
}

/* A message comes in lines: gathered, so that not each is a system call. */
struct gather {
	int fd;
	size_t n;
	char bytes[32768];
};

static int
gather_flush(struct gather *g, struct mt_err *err)
{
	if (mt_file_write_all(g->fd, g->bytes, g->n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	g->n = 0;
	return 0;
}

static int
gather_add(void *arg, const void *p, size_t n, struct mt_err *err)
{
	struct gather *g = arg;
	struct mt_slice rest = mt_slice_mem(p, n);

	while (rest.n > 0) {
		struct mt_slice first =
		    mt_slice_first(rest, sizeof(g->bytes) - g->n);

		memcpy(g->bytes + g->n, first.p, first.n);
		g->n += first.n;
		rest = mt_slice_from(rest, first.n);
		if (g->n == sizeof(g->bytes) && gather_flush(g, err) < 0)
			return -1;
	}
	return 0;
}

/* What others wrote begins on a line of its own. */
static int
flow(struct mt_compose *c, struct mt_err *err)
{
	struct mt_slice body = mt_buf_slice(&c->body), own = mt_slice_first(body, c->own);
	struct mt_slice rest = mt_slice_from(body, own.n);

	mt_buf_reset(&c->flowed);
	if (!mt_slice_ends(own, MT_SLICE("\n")))
		mt_slice_take_char(&rest, '\n');
	if (mt_flowed_write(own, &c->flowed) < 0 ||
	    mt_flowed_write_lines(rest, &c->flowed) < 0)
		return mt_fail(err, MT_EDATA, "the text is too long for format=flowed");
	c->build.is_flowed = true;
	c->build.body = mt_buf_slice(&c->flowed);
	return 0;
}

int
mt_compose_write(struct mt_compose *c, struct mt_err *err)
{
	struct mt_build *b = &c->build;
	mt_auto_fd int fd = mt_file_temp(err);
	struct gather gather;

	if (fd < 0)
		return -1;
	if (b->date == 0)
		b->date = g_get_real_time() / G_USEC_PER_SEC;
	if (b->message_id == NULL && c->from.n > 0)
		b->message_id = keep(c, mt_msgid_new(c->from.v[0].domain));
	b->sender = c->from.n > 1 && !has_field(c, "Sender") ? &c->sender : NULL;
	b->body = mt_buf_slice(&c->body);
	b->html = mt_buf_slice(&c->html);
	if (c->is_flowed && flow(c, err) < 0)
		return -1;
	b->fields = (const void *)c->fields->data;
	b->nfields = c->fields->len;
	b->attachments = (const void *)c->attachments->data;
	b->nattachments = c->attachments->len;
	gather.fd = fd;
	gather.n = 0;
	if (mt_build_write(b, gather_add, &gather, err) < 0 ||
	    gather_flush(&gather, err) < 0)
		return -1;
	return mt_steal_fd(&fd);
}

int
mt_compose_bcc_field(const struct mt_compose *c, struct mt_buf *out, struct mt_err *err)
{
	return mt_field_addrs(out, "Bcc", &c->bcc, err);
}
