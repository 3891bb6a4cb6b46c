/* page_files.c - the files that a page of HTML shows, by their Content-IDs (RFC 2392) */
#include "send/page_files.h"

#include <glib.h>

#include "base/limits.h"
#include "message/msgid.h"

struct linker {
	struct mt_compose *c;
	bool has_base;		/* relative addresses are relative to something on the web */
	struct mt_err *err;
};

/* Attributes whose files are shown when the page is. */
static const char *const shows[] = { "src", "background", "poster" };

/* --- files ----------------------------------------------------------------------- */

static struct mt_build_attachment *
file_at(struct linker *l, guint i)
{
	struct mt_build_attachment *a =
	    &g_array_index(l->c->attachments, struct mt_build_attachment, i);

	return a->is_inline && a->path != NULL ? a : NULL;
}

static const char *
without_dot(const char *path)
{
	return g_str_has_prefix(path, "./") ? path + 2 : path;
}

/*
 * The inline file of that name: as it was given, else by its last component. 0 with NULL
 * when there is none; -1 when there are several.
 */
static int
find_file(struct linker *l, const char *name, struct mt_build_attachment **out)
{
	*out = NULL;
	for (guint i = 0; i < l->c->attachments->len; i++) {
		struct mt_build_attachment *a = file_at(l, i);

		if (a != NULL && g_str_equal(without_dot(a->path), without_dot(name))) {
			*out = a;
			return 0;
		}
	}
	for (guint i = 0; i < l->c->attachments->len; i++) {
		struct mt_build_attachment *a = file_at(l, i);
		g_autofree char *base = a == NULL ? NULL : g_path_get_basename(a->path);

		if (g_strcmp0(base, name) != 0)
			continue;
		if (*out != NULL)
			return mt_fail(l->err, MT_EDATA, "several inline files are called \"%s\": "
			    "refer to it by its whole path", name);
		*out = a;
	}
	return 0;
}

static const char *
id_of(struct linker *l, struct mt_build_attachment *a)
{
	char *id;

	if (a->content_id == NULL) {
		id = mt_msgid_new(l->c->from.n > 0 ? l->c->from.v[0].domain : NULL);
		g_ptr_array_add(l->c->strings, id);
		a->content_id = id;
	}
	return a->content_id;
}

/* --- references ------------------------------------------------------------------ */

/* Whether nobody but who writes the message has what is there. */
static bool
is_of_this_machine(const char *address)
{
	size_t n = strcspn(address, ":/?#");

	if (address[0] == '\0' || address[0] == '#' || g_str_has_prefix(address, "//"))
		return false;
	return address[n] != ':' || g_ascii_strncasecmp(address, "file:", 5) == 0;
}

/* The characters that an address stands for: without blanks around, percents decoded. */
static char *
address_of(struct mt_slice value)
{
	g_autofree char *plain = mt_slice_dup(mt_slice_trim(value));
	char *decoded = g_uri_unescape_string(plain, NULL);

	return decoded != NULL && g_utf8_validate(decoded, -1, NULL) ? decoded :
	    (g_free(decoded), g_steal_pointer(&plain));
}

/* Append an address, that of an inline file as its cid: (RFC 2392 2). */
static int
put_address(struct linker *l, struct mt_slice value, bool is_shown)
{
	g_autofree char *address = address_of(value), *uri = NULL, *escaped = NULL;
	bool is_cid = g_ascii_strncasecmp(address, "cid:", 4) == 0;
	struct mt_build_attachment *a;
	const char *id;

	if (find_file(l, is_cid ? address + 4 : address, &a) < 0)
		return -1;
	if (a == NULL && is_cid)
		return mt_fail(l->err, MT_EDATA, "it shows \"%s\", and there is no --inline of "
		    "that name", address);
	if (a == NULL && is_shown && !l->has_base && is_of_this_machine(address))
		return mt_fail(l->err, MT_EDATA, "it shows \"%s\", which its readers do not have: "
		    "give it with --inline", address);
	if (a == NULL)
		return mt_buf_append_slice(&l->c->html, value);
	id = id_of(l, a);
	uri = g_strndup(id + 1, strlen(id) - 2);
	escaped = g_uri_escape_string(uri, "@", FALSE);
	return mt_buf_appendf(&l->c->html, "cid:%s", escaped);
}

/* Append text of a style, with the addresses in it: url(ADDRESS), quoted or not. */
static int
put_style(struct linker *l, struct mt_slice s)
{
	while (s.n > 0) {
		struct mt_slice start = s, value;
		char quote;

		if (!mt_slice_take_nocase(&s, MT_SLICE("url("))) {
			s = mt_slice_from(s, 1);
			if (mt_buf_append(&l->c->html, start.p, 1) < 0)
				return -1;
			continue;
		}
		mt_slice_skip_blank(&s);
		quote = s.n > 0 && (s.p[0] == '"' || s.p[0] == '\'') ? s.p[0] : ')';
		if (quote != ')')
			s = mt_slice_from(s, 1);
		value = mt_slice_first(s, mt_slice_find(s, quote));
		s = mt_slice_from(s, value.n);
		if (mt_buf_append(&l->c->html, start.p, (size_t)(value.p - start.p)) < 0 ||
		    put_address(l, value, false) < 0)
			return -1;
	}
	return 0;
}

/* --- tags ------------------------------------------------------------------------ */

static bool
is_blank(unsigned char c)
{
	return g_ascii_isspace(c);
}

static bool
is_attribute_char(unsigned char c)
{
	return !is_blank(c) && c != '=' && c != '>';
}

static bool
is_unquoted(unsigned char c)
{
	return !is_blank(c) && c != '>';
}

static int
put_value(struct linker *l, struct mt_slice name, struct mt_slice value)
{
	if (mt_slice_eq_nocase(name, MT_SLICE("style")))
		return put_style(l, value);
	for (size_t i = 0; i < G_N_ELEMENTS(shows); i++) {
		if (mt_slice_eq_nocase(name, mt_slice_str(shows[i])))
			return put_address(l, value, true);
	}
	if (mt_slice_starts_nocase(mt_slice_trim(value), MT_SLICE("cid:")))
		return put_address(l, value, false);
	return mt_buf_append_slice(&l->c->html, value);
}

/* One attribute, at its name: what is taken is appended. */
static int
put_attribute(struct linker *l, struct mt_slice *s)
{
	struct mt_slice start = *s, name = mt_slice_take_while(s, is_attribute_char), value;
	char quote;

	mt_slice_take_while(s, is_blank);
	if (!mt_slice_take_char(s, '='))
		return mt_buf_append(&l->c->html, start.p, (size_t)(s->p - start.p));
	mt_slice_take_while(s, is_blank);
	quote = s->n > 0 && (s->p[0] == '"' || s->p[0] == '\'') ? s->p[0] : '\0';
	if (quote != '\0')
		*s = mt_slice_from(*s, 1);
	value = quote == '\0' ? mt_slice_take_while(s, is_unquoted) :
	    mt_slice_first(*s, mt_slice_find(*s, quote));
	if (mt_buf_append(&l->c->html, start.p, (size_t)(value.p - start.p)) < 0 ||
	    put_value(l, name, value) < 0)
		return -1;
	if (quote == '\0')
		return 0;
	*s = mt_slice_from(*s, value.n);
	return mt_slice_take_char(s, quote) ? mt_buf_append_char(&l->c->html, quote) : 0;
}

/* A tag from its "<" to its ">". */
static int
put_tag(struct linker *l, struct mt_slice *s)
{
	do {
		struct mt_slice start = *s;

		if (is_attribute_char((unsigned char)s->p[0]) && s->p[0] != '<') {
			if (put_attribute(l, s) < 0)
				return -1;
			continue;
		}
		*s = mt_slice_from(*s, 1);
		if (mt_buf_append(&l->c->html, start.p, 1) < 0)
			return -1;
		if (start.p[0] == '>')
			break;
	} while (s->n > 0);
	return 0;
}

/*
 * What is between tags is passed on; but url() there is a style's. A comment is no
 * different: Outlook reads some.
 */
static int
put_page(struct linker *l, struct mt_slice s)
{
	while (s.n > 0) {
		struct mt_slice text = mt_slice_first(s, mt_slice_find(s, '<'));

		if (put_style(l, text) < 0)
			return -1;
		s = mt_slice_from(s, text.n);
		if (s.n > 1 && g_ascii_isalpha(s.p[1])) {
			if (put_tag(l, &s) < 0)
				return -1;
		} else if (s.n > 0) {
			if (mt_buf_append_char(&l->c->html, '<') < 0)
				return -1;
			s = mt_slice_from(s, 1);
		}
	}
	return 0;
}

static bool
has_base(struct mt_slice page)
{
	for (; page.n > 0; page = mt_slice_from(page, mt_slice_find(page, '<'))) {
		if (mt_slice_take_nocase(&page, MT_SLICE("<base ")))
			return true;
		page = mt_slice_from(page, 1);
	}
	return false;
}

int
mt_page_files_link(struct mt_compose *c, struct mt_slice page, struct mt_err *err)
{
	struct mt_err why = { 0 };
	struct linker l = { c, has_base(page), &why };

	if (put_page(&l, page) < 0)
		return mt_fail(err, MT_EDATA, "%s",
		    why.msg[0] != '\0' ? why.msg : "it is too long");
	for (guint i = 0; i < c->attachments->len; i++) {
		const struct mt_build_attachment *a = file_at(&l, i);

		if (a != NULL && a->content_id == NULL)
			return mt_fail(err, MT_EDATA, "it does not show the inline file %s: "
			    "refer to it as cid:NAME, or attach it with -A", a->path);
	}
	return 0;
}
