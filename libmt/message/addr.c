/* addr.c - parse address lists (RFC 5322 3.4, RFC 6532, obsolete forms too) */
#include "message/addr.h"

#include <glib.h>

#include "base/limits.h"
#include "message/addr_scan.h"
#include "message/charset.h"
#include "message/word.h"

static bool
is_at(const struct mt_addr_scan *p, char c)
{
	return p->kind == MT_ADDR_SPECIAL && p->c == c;
}

static bool
is_entry_end(const struct mt_addr_scan *p)
{
	return p->kind == MT_ADDR_END || is_at(p, ',') || is_at(p, ';');
}

/* Words up to a special that is no dot: a name, a local part or a group's name. */
struct words {
	GString *phrase;	/* with blanks where there were some */
	GString *local;		/* without */
	bool is_local;		/* word *("." word) and nothing else */
	size_t n;
};

static void
words_init(struct words *w)
{
	w->phrase = g_string_new(NULL);
	w->local = g_string_new(NULL);
	w->is_local = true;
	w->n = 0;
}

static void
words_clear(struct words *w)
{
	g_string_free(w->phrase, TRUE);
	g_string_free(w->local, TRUE);
}

/* What names of real mail have in them, unquoted, and no address has there. */
static bool
is_name_only(const struct mt_addr_scan *p)
{
	return p->kind == MT_ADDR_LITERAL || p->kind == MT_ADDR_OTHER;
}

/* Begins at p's token and ends at the first that is none of them. */
static bool
take_words(struct mt_addr_scan *p, struct words *w)
{
	bool want_word = true;

	while (p->kind == MT_ADDR_ATOM || p->kind == MT_ADDR_QUOTED || is_at(p, '.') ||
	    (p->lax && is_name_only(p))) {
		bool dot = is_at(p, '.');

		if (w->n > 0 && p->spaced)
			g_string_append_c(w->phrase, ' ');
		/* Mail of Japanese mobile networks has dots in a row: fine when lax. */
		if (dot ? want_word && !p->lax : !want_word || is_name_only(p))
			w->is_local = false;
		want_word = dot;
		if (dot)
			g_string_assign(p->text, ".");
		g_string_append_len(w->phrase, p->text->str, (gssize)p->text->len);
		g_string_append_len(w->local, p->text->str, (gssize)p->text->len);
		w->n++;
		if (!mt_addr_scan_next(p))
			return false;
	}
	if (want_word && !p->lax)
		w->is_local = false;
	return true;
}

/* domain = dot-atom / domain-literal / obs-domain; p stands at its first token. */
static bool
take_domain(struct mt_addr_scan *p, GString *domain)
{
	bool dot = true;

	if (p->kind == MT_ADDR_LITERAL) {
		g_string_assign(domain, p->text->str);
		return mt_addr_scan_next(p);
	}
	while ((p->kind == MT_ADDR_ATOM && dot) || is_at(p, '.')) {
		dot = is_at(p, '.');
		if (dot)
			g_string_append_c(domain, '.');
		else
			g_string_append_len(domain, p->text->str, (gssize)p->text->len);
		if (!mt_addr_scan_next(p))
			return false;
	}
	if (p->lax && domain->len > 0 && domain->str[domain->len - 1] == '.')
		g_string_truncate(domain, domain->len - 1);
	if (domain->len == 0)
		return mt_addr_scan_bad(p, "no domain behind the @");
	return true;
}

/* Also false for a NUL in it. */
static bool
is_utf8(const GString *s)
{
	return g_utf8_validate_len(s->str, s->len, NULL);
}

static bool
has_control(const char *utf8)
{
	for (; *utf8 != '\0'; utf8 = g_utf8_next_char(utf8)) {
		if (mt_charset_is_control(g_utf8_get_char(utf8)))
			return true;
	}
	return false;
}

/* A literal, or what DNS can know. */
static bool
has_domain_name(const struct mt_addr *a)
{
	g_autofree char *ascii = mt_addr_domain_ascii(a);

	return ascii != NULL;
}

/* Give the address to the list, if there is one (lax: else it is passed over). */
static bool
emit(struct mt_addr_scan *p, const GString *name, const struct words *local,
    const GString *domain, struct mt_addr_list *out)
{
	struct mt_addr a = { NULL, NULL, NULL };
	bool fine;

	if (!local->is_local)
		return mt_addr_scan_bad(p, "not a local part before the @");
	if (local->local->len + domain->len > MT_MAX_PATH - 3)
		return mt_addr_scan_bad(p, "too long");
	if (out->n >= MT_MAX_ADDRS)
		return mt_addr_scan_bad(p, "too many addresses");
	/* Nobody knows which address other bytes were meant to be. */
	if (!is_utf8(local->local) || !is_utf8(domain))
		return mt_addr_scan_bad(p, "not UTF-8");
	a.local = g_strdup(local->local->str);
	a.domain = g_strdup(domain->str);
	if (name != NULL && name->len > 0) {
		a.name = mt_word_decode(mt_slice_mem(name->str, name->len));
		g_strstrip(a.name);
		if (a.name[0] == '\0')
			g_clear_pointer(&a.name, g_free);
	}
	fine = !has_control(a.local) && !has_control(a.domain);
	if (!fine)
		mt_addr_scan_bad(p, "control character in it");
	else if (!has_domain_name(&a))
		fine = mt_addr_scan_bad(p, "not a domain name");
	if (fine)
		mt_addr_list_add(out, &a);
	mt_addr_clear(&a);
	return fine;
}

/* obs-route = *("," / "@" domain) ":" (RFC 5322 4.4): means nothing now. */
static bool
skip_route(struct mt_addr_scan *p)
{
	g_autoptr(GString) domain = g_string_new(NULL);

	if (!is_at(p, '@') && !is_at(p, ','))
		return true;
	while (is_at(p, '@') || is_at(p, ',')) {
		bool at = is_at(p, '@');

		g_string_truncate(domain, 0);
		if (!mt_addr_scan_next(p) || (at && !take_domain(p, domain)))
			return false;
	}
	if (!is_at(p, ':'))
		return mt_addr_scan_bad(p, "route without :");
	return mt_addr_scan_next(p);
}

/* A name without a domain: the mailbox of all those, if there is one, under that name. */
static bool
emit_local(struct mt_addr_scan *p, const GString *name, const struct words *w,
    struct mt_addr_list *out)
{
	struct mt_addr a;

	if (p->local == NULL || !w->is_local)
		return mt_addr_scan_bad(p, "no @ in it");
	if (out->n >= MT_MAX_ADDRS)
		return mt_addr_scan_bad(p, "too many addresses");
	if (!is_utf8(w->local))
		return mt_addr_scan_bad(p, "not UTF-8");
	if (name == NULL || name->len == 0)
		name = w->local;
	a = *p->local;
	a.name = mt_word_decode(mt_slice_mem(name->str, name->len));
	mt_addr_list_add(out, &a);
	g_free(a.name);
	return true;
}

/* angle-addr = "<" [obs-route] addr-spec ">"; p stands behind the "<". */
static bool
take_angle(struct mt_addr_scan *p, const GString *name, struct mt_addr_list *out)
{
	g_autoptr(GString) domain = g_string_new(NULL);
	struct words w;
	bool fine;

	words_init(&w);
	fine = skip_route(p) && take_words(p, &w);
	fine = fine && (w.n > 0 || mt_addr_scan_bad(p, "nothing before the @"));
	if (fine && !is_at(p, '@')) {
		fine = emit_local(p, name, &w, out) && (is_at(p, '>') ||
		    mt_addr_scan_bad(p, "no > behind it")) && mt_addr_scan_next(p);
		words_clear(&w);
		return fine;
	}
	fine = fine && mt_addr_scan_next(p) && take_domain(p, domain);
	fine = fine && (is_at(p, '>') || (p->lax && is_entry_end(p)) ||
	    mt_addr_scan_bad(p, "no > behind the domain"));
	fine = fine && (!is_at(p, '>') || mt_addr_scan_next(p));
	fine = fine && emit(p, name, &w, domain, out);
	words_clear(&w);
	return fine;
}

/* Lax: what stands between an address that is none and the next one. */
static void
take_name_rest(struct mt_addr_scan *p, GString *name)
{
	while (!is_entry_end(p) && !is_at(p, '<')) {
		if (p->spaced)
			g_string_append_c(name, ' ');
		if (p->kind == MT_ADDR_SPECIAL)
			g_string_append_c(name, p->c);
		else
			g_string_append_len(name, p->text->str, (gssize)p->text->len);
		mt_addr_scan_next(p);
	}
}

/* addr-spec = local-part "@" domain; p stands behind the "@". */
static bool
take_spec(struct mt_addr_scan *p, struct words *w, struct mt_addr_list *out)
{
	g_autoptr(GString) domain = g_string_new(NULL);
	g_autoptr(GString) name = NULL;

	if (w->n == 0)
		return mt_addr_scan_bad(p, "nothing before the @");
	/* A comment behind it was where the name stood before RFC 822. */
	g_string_truncate(p->comment, 0);
	if (!take_domain(p, domain))
		return false;
	if (p->comment->len > 0)
		name = g_string_new_len(p->comment->str, (gssize)p->comment->len);
	if (p->lax && !is_entry_end(p)) {
		/* a@b by L <l@b>, without the quotes that it needs: a name, if any */
		g_string_append_printf(w->phrase, "@%s", domain->str);
		take_name_rest(p, w->phrase);
		if (is_at(p, '<'))
			return mt_addr_scan_next(p) && take_angle(p, w->phrase, out);
		return mt_addr_scan_bad(p, "text behind it");
	}
	return emit(p, name, w, domain, out);
}

/* One address, or a group's head; p stands at its first token. */
static bool
take_entry(struct mt_addr_scan *p, bool *in_group, struct mt_addr_list *out)
{
	struct words w;
	bool fine = false;

	words_init(&w);
	/* What stood behind the entry before this is not ours. */
	g_string_truncate(p->comment, 0);
	if (!take_words(p, &w))
		goto out;
	if (is_at(p, ':')) {
		/* group = display-name ":" [group-list] ";": they do not nest. */
		fine = p->lax || (w.n > 0 && !*in_group) ||
		    mt_addr_scan_bad(p, "misplaced :");
		*in_group = true;
		fine = fine && mt_addr_scan_next(p);
		goto out;
	}
	if (is_at(p, '<'))
		fine = mt_addr_scan_next(p) && take_angle(p, w.phrase, out);
	else if (is_at(p, '@'))
		fine = mt_addr_scan_next(p) && take_spec(p, &w, out);
	else	/* "root (Cron Daemon)" */
		fine = emit_local(p, p->comment, &w, out);
	if (fine && !p->lax && !is_entry_end(p))
		fine = mt_addr_scan_bad(p, "text behind it");
out:
	words_clear(&w);
	return fine;
}

/* Lax: go on behind what is not understood. */
static void
skip_entry(struct mt_addr_scan *p)
{
	while (!is_entry_end(p))
		mt_addr_scan_next(p);
}

static bool
take_list(struct mt_addr_scan *p, struct mt_addr_list *out)
{
	bool in_group = false, done = false;

	while (!done) {
		p->start = p->rest.p;
		if (!mt_addr_scan_next(p))
			return false;
		done = p->kind == MT_ADDR_END;
		while (!is_entry_end(p)) {
			bool was_in_group = in_group;

			if (!take_entry(p, &in_group, out) && !p->lax)
				return false;
			/* Behind a group's head the first member stands, or its end. */
			if (in_group && !was_in_group)
				continue;
			if (p->lax)
				skip_entry(p);
		}
		done = done || p->kind == MT_ADDR_END;
		if (is_at(p, ';')) {
			if (!in_group && !p->lax)
				return mt_addr_scan_bad(p, "; without a group");
			in_group = false;
		}
		if (out->n >= MT_MAX_ADDRS && p->lax)
			return true;
	}
	return !in_group || p->lax || mt_addr_scan_bad(p, "group without ;");
}

static bool
parse(struct mt_addr_scan *p, struct mt_slice text, struct mt_addr_list *out)
{
	bool fine;

	*out = (struct mt_addr_list){ 0 };
	p->rest = text;
	p->start = text.p;
	p->text = g_string_new(NULL);
	p->comment = g_string_new(NULL);
	if (!p->lax && text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		fine = mt_addr_scan_bad(p, "NUL in it");
	else
		fine = take_list(p, out);
	g_string_free(p->text, TRUE);
	g_string_free(p->comment, TRUE);
	return fine;
}

int
mt_addr_parse(struct mt_slice text, struct mt_addr_list *out, struct mt_err *err)
{
	return mt_addr_parse_local(text, NULL, out, err);
}

int
mt_addr_parse_local(struct mt_slice text, const struct mt_addr *local,
    struct mt_addr_list *out, struct mt_err *err)
{
	struct mt_addr_scan p = { .lax = false, .local = local };
	struct mt_slice at;

	if (parse(&p, text, out))
		return 0;
	mt_addr_list_clear(out);
	at = mt_slice_from(text, text.n == 0 ? 0 : (size_t)(p.start - text.p));
	at = mt_slice_trim(mt_slice_first(at, mt_slice_find(at, ',')));
	return mt_fail(err, MT_EDATA, "address \"%.*s\": %s",
	    (int)mt_slice_first(at, 200).n, at.n == 0 ? "" : at.p, p.why);
}

int
mt_addr_parse_one(struct mt_slice text, struct mt_addr *out, struct mt_err *err)
{
	struct mt_addr_list list;

	*out = (struct mt_addr){ NULL, NULL, NULL };
	if (mt_addr_parse(text, &list, err) < 0)
		return -1;
	if (list.n != 1) {
		mt_fail(err, MT_EDATA, "address \"%.*s\": %s",
		    (int)mt_slice_first(text, 200).n, text.n == 0 ? "" : text.p,
		    list.n == 0 ? "nothing there" : "more than one");
		mt_addr_list_clear(&list);
		return -1;
	}
	*out = list.v[0];
	g_free(list.v);
	return 0;
}

void
mt_addr_parse_lax(struct mt_slice text, struct mt_addr_list *out)
{
	struct mt_addr_scan p = { .lax = true };

	/* Cut, it could end in an address that is cut. */
	if (text.n > MT_MAX_HEADER)
		text.n = 0;
	parse(&p, text, out);
}
