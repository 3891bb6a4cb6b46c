/* addr.c - parse address lists (RFC 5322 3.4, RFC 6532, obsolete forms too) */
#include "message/addr.h"

#include <glib.h>

#include "base/limits.h"
#include "message/charset.h"
#include "message/word.h"

enum token_kind {
	TOKEN_END,
	TOKEN_ATOM,	/* 1*atext, UTF-8 too */
	TOKEN_OTHER,	/* lax: a byte that nothing else takes; names only have it */
	TOKEN_QUOTED,	/* quoted-string; text is without quotes and backslashes */
	TOKEN_LITERAL,	/* domain-literal with its brackets */
	TOKEN_SPECIAL,	/* one of <>@,;:. in c */
};

struct parser {
	struct mt_slice rest;
	bool lax;
	enum token_kind kind;
	char c;
	bool spaced;		/* blanks or a comment stood before the token */
	GString *text;		/* of an atom, a quoted string, a literal, a byte */
	GString *comment;	/* the last one: a name in the form of old */
	const char *start;	/* of the entry, for messages */
	const char *why;	/* what is wrong; NULL while nothing is */
	unsigned unclosed;	/* openings that nothing closed */
};

static bool
bad(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

/* Each opening that nothing closes costs a look at all the rest: not for ever. */
#define MAX_UNCLOSED 20

static bool
is_special(char c)
{
	return c != '\0' && strchr("<>@,;:.", c) != NULL;
}

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool
is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* A line end that a blank follows: the fold's size, else 0 (RFC 5322 3.2.2). */
static size_t
fold_length(struct mt_slice s)
{
	size_t n = s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 1;

	if (s.n > n && s.p[n - 1] == '\n' && (s.p[n] == ' ' || s.p[n] == '\t'))
		return n;
	return 0;
}

/*
 * Take one character of a quoted string, comment or literal, with quoted pairs and
 * folds resolved. 1 with *c (escaped: *quoted), 0 for a fold, -1 at the end or at what
 * must not be there.
 */
static int
take_inner(struct parser *p, char *c, bool *quoted)
{
	size_t fold = fold_length(p->rest);

	*quoted = false;
	if (p->rest.n == 0)
		return -1;
	if (fold > 0) {
		p->rest = mt_slice_from(p->rest, fold);
		return 0;
	}
	*c = p->rest.p[0];
	if (*c == '\\') {
		if (p->rest.n < 2)
			return -1;
		*c = p->rest.p[1];
		*quoted = true;
		p->rest = mt_slice_from(p->rest, 1);
	}
	if (!p->lax && (is_line_end(*c) || *c == '\0')) {
		bad(p, "line end or NUL in it");
		return -1;
	}
	p->rest = mt_slice_from(p->rest, 1);
	return 1;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; they nest: a count instead of recursion. */
static bool
skip_comment(struct parser *p)
{
	struct mt_slice before = p->rest;
	unsigned depth = 0;
	bool quoted;
	char c;
	int rc;

	g_string_truncate(p->comment, 0);
	if (p->unclosed > MAX_UNCLOSED)
		return false;
	while ((rc = take_inner(p, &c, &quoted)) >= 0) {
		if (rc == 0)
			continue;
		if (!quoted && c == '(' && ++depth == 1)
			continue;
		if (!quoted && c == ')' && --depth == 0)
			return true;
		if (depth > MT_MAX_COMMENT_DEPTH && !p->lax)
			return bad(p, "comments too deep");
		g_string_append_c(p->comment, c);
	}
	/* Lax: a parenthesis that nothing closes is a letter. */
	p->rest = before;
	p->unclosed++;
	g_string_truncate(p->comment, 0);
	return bad(p, "( without )");
}

/* CFWS; false when what comes is wrong. Lax: a ( without ) is left for an atom. */
static bool
skip_cfws(struct parser *p)
{
	p->spaced = false;
	while (p->rest.n > 0) {
		size_t fold = fold_length(p->rest);
		char c = p->rest.p[0];

		if (fold > 0) {
			p->rest = mt_slice_from(p->rest, fold);
		} else if (p->lax && mt_slice_starts(p->rest, MT_SLICE("\r\n"))) {
			p->rest = mt_slice_from(p->rest, 2);
		} else if (c == ' ' || c == '\t' || (p->lax && c == '\n')) {
			p->rest = mt_slice_from(p->rest, 1);
		} else if (!p->lax && is_line_end(c)) {
			return bad(p, "line end in it");
		} else if (c == '(') {
			if (!skip_comment(p))
				return p->lax;
		} else {
			return true;
		}
		p->spaced = true;
	}
	return true;
}

/*
 * quoted-string, or domain-literal, up to its closing character. Controls stay in it:
 * a name is cleaned of them, an address that has one is none.
 */
static bool
take_enclosed(struct parser *p, char close)
{
	struct mt_slice before = p->rest;
	bool quoted;
	char c;
	int rc;

	if (p->unclosed > MAX_UNCLOSED)
		return false;
	p->rest = mt_slice_from(p->rest, 1);
	while ((rc = take_inner(p, &c, &quoted)) >= 0) {
		if (rc == 0)
			continue;
		if (!quoted && c == close)
			return true;
		if (close == ']' && (quoted || c == '[' || is_control(c))) {
			p->rest = before;
			return bad(p, "not a domain literal");
		}
		if (!p->lax && is_control(c) && c != '\t')
			return bad(p, "control character in it");
		g_string_append_c(p->text, c);
	}
	p->rest = before;
	p->unclosed++;
	return bad(p, close == '"' ? "\" without another" : "[ without ]");
}

static bool
take_atom(struct parser *p)
{
	struct mt_slice atom = mt_slice_take_while(&p->rest, mt_addr_is_atext);

	p->kind = TOKEN_ATOM;
	g_string_append_len(p->text, atom.p, (gssize)atom.n);
	return atom.n > 0 || bad(p, "character that must be quoted");
}

static bool
take_other(struct parser *p)
{
	p->kind = TOKEN_OTHER;
	g_string_truncate(p->text, 0);
	g_string_append_c(p->text, p->rest.p[0]);
	p->rest = mt_slice_from(p->rest, 1);
	return true;
}

/* Read the next token into p. False ends a strict parse; lax always gets one. */
static bool
next(struct parser *p)
{
	g_string_truncate(p->text, 0);
	p->kind = TOKEN_END;
	p->c = '\0';
	if (!skip_cfws(p))
		return false;
	if (p->rest.n == 0)
		return true;
	if (is_special(p->rest.p[0])) {
		p->kind = TOKEN_SPECIAL;
		p->c = p->rest.p[0];
		p->rest = mt_slice_from(p->rest, 1);
		return true;
	}
	if (p->rest.p[0] == '"') {
		p->kind = TOKEN_QUOTED;
		if (take_enclosed(p, '"'))
			return true;
	} else if (p->rest.p[0] == '[') {
		p->kind = TOKEN_LITERAL;
		g_string_append_c(p->text, '[');
		if (take_enclosed(p, ']')) {
			g_string_append_c(p->text, ']');
			return true;
		}
	} else if (take_atom(p)) {
		return true;
	}
	return p->lax && take_other(p);
}

static bool
is_at(const struct parser *p, char c)
{
	return p->kind == TOKEN_SPECIAL && p->c == c;
}

static bool
is_entry_end(const struct parser *p)
{
	return p->kind == TOKEN_END || is_at(p, ',') || is_at(p, ';');
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
is_name_only(const struct parser *p)
{
	return p->kind == TOKEN_LITERAL || p->kind == TOKEN_OTHER;
}

/* Begins at p's token and ends at the first that is none of them. */
static bool
take_words(struct parser *p, struct words *w)
{
	bool want_word = true;

	while (p->kind == TOKEN_ATOM || p->kind == TOKEN_QUOTED || is_at(p, '.') ||
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
		if (!next(p))
			return false;
	}
	if (want_word && !p->lax)
		w->is_local = false;
	return true;
}

/* domain = dot-atom / domain-literal / obs-domain; p stands at its first token. */
static bool
take_domain(struct parser *p, GString *domain)
{
	bool dot = true;

	if (p->kind == TOKEN_LITERAL) {
		g_string_assign(domain, p->text->str);
		return next(p);
	}
	while ((p->kind == TOKEN_ATOM && dot) || is_at(p, '.')) {
		dot = is_at(p, '.');
		if (dot)
			g_string_append_c(domain, '.');
		else
			g_string_append_len(domain, p->text->str, (gssize)p->text->len);
		if (!next(p))
			return false;
	}
	if (p->lax && domain->len > 0 && domain->str[domain->len - 1] == '.')
		g_string_truncate(domain, domain->len - 1);
	if (domain->len == 0)
		return bad(p, "no domain behind the @");
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
emit(struct parser *p, const GString *name, const struct words *local,
    const GString *domain, struct mt_addr_list *out)
{
	struct mt_addr a = { NULL, NULL, NULL };
	bool fine;

	if (!local->is_local)
		return bad(p, "not a local part before the @");
	if (local->local->len + domain->len > MT_MAX_PATH - 3)
		return bad(p, "too long");
	if (out->n >= MT_MAX_ADDRS)
		return bad(p, "too many addresses");
	/* Nobody knows which address other bytes were meant to be. */
	if (!is_utf8(local->local) || !is_utf8(domain))
		return bad(p, "not UTF-8");
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
		bad(p, "control character in it");
	else if (!has_domain_name(&a))
		fine = bad(p, "not a domain name");
	if (fine)
		mt_addr_list_add(out, &a);
	mt_addr_clear(&a);
	return fine;
}

/* obs-route = *("," / "@" domain) ":" (RFC 5322 4.4): means nothing now. */
static bool
skip_route(struct parser *p)
{
	g_autoptr(GString) domain = g_string_new(NULL);

	if (!is_at(p, '@') && !is_at(p, ','))
		return true;
	while (is_at(p, '@') || is_at(p, ',')) {
		bool at = is_at(p, '@');

		g_string_truncate(domain, 0);
		if (!next(p) || (at && !take_domain(p, domain)))
			return false;
	}
	return is_at(p, ':') ? next(p) : bad(p, "route without :");
}

/* angle-addr = "<" [obs-route] addr-spec ">"; p stands behind the "<". */
static bool
take_angle(struct parser *p, const GString *name, struct mt_addr_list *out)
{
	g_autoptr(GString) domain = g_string_new(NULL);
	struct words w;
	bool fine;

	words_init(&w);
	fine = skip_route(p) && take_words(p, &w);
	fine = fine && (w.n > 0 || bad(p, "nothing before the @"));
	fine = fine && (is_at(p, '@') || bad(p, "no @ in it"));
	fine = fine && next(p) && take_domain(p, domain);
	fine = fine && (is_at(p, '>') || (p->lax && is_entry_end(p)) ||
	    bad(p, "no > behind the domain"));
	fine = fine && (!is_at(p, '>') || next(p));
	fine = fine && emit(p, name, &w, domain, out);
	words_clear(&w);
	return fine;
}

/* Lax: what stands between an address that is none and the next one. */
static void
take_name_rest(struct parser *p, GString *name)
{
	while (!is_entry_end(p) && !is_at(p, '<')) {
		if (p->spaced)
			g_string_append_c(name, ' ');
		if (p->kind == TOKEN_SPECIAL)
			g_string_append_c(name, p->c);
		else
			g_string_append_len(name, p->text->str, (gssize)p->text->len);
		next(p);
	}
}

/* addr-spec = local-part "@" domain; p stands behind the "@". */
static bool
take_spec(struct parser *p, struct words *w, struct mt_addr_list *out)
{
	g_autoptr(GString) domain = g_string_new(NULL);
	g_autoptr(GString) name = NULL;

	if (w->n == 0)
		return bad(p, "nothing before the @");
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
			return next(p) && take_angle(p, w->phrase, out);
		return bad(p, "text behind it");
	}
	return emit(p, name, w, domain, out);
}

/* One address, or a group's head; p stands at its first token. */
static bool
take_entry(struct parser *p, bool *in_group, struct mt_addr_list *out)
{
	struct words w;
	bool fine = false;

	words_init(&w);
	if (!take_words(p, &w))
		goto out;
	if (is_at(p, ':')) {
		/* group = display-name ":" [group-list] ";": they do not nest. */
		fine = p->lax || (w.n > 0 && !*in_group) || bad(p, "misplaced :");
		*in_group = true;
		fine = fine && next(p);
		goto out;
	}
	if (is_at(p, '<'))
		fine = next(p) && take_angle(p, w.phrase, out);
	else if (is_at(p, '@'))
		fine = next(p) && take_spec(p, &w, out);
	else
		bad(p, "no @ in it");
	if (fine && !p->lax && !is_entry_end(p))
		fine = bad(p, "text behind it");
out:
	words_clear(&w);
	return fine;
}

/* Lax: go on behind what is not understood. */
static void
skip_entry(struct parser *p)
{
	while (!is_entry_end(p))
		next(p);
}

static bool
take_list(struct parser *p, struct mt_addr_list *out)
{
	bool in_group = false, done = false;

	while (!done) {
		p->start = p->rest.p;
		if (!next(p))
			return false;
		done = p->kind == TOKEN_END;
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
		done = done || p->kind == TOKEN_END;
		if (is_at(p, ';')) {
			if (!in_group && !p->lax)
				return bad(p, "; without a group");
			in_group = false;
		}
		if (out->n >= MT_MAX_ADDRS && p->lax)
			return true;
	}
	return !in_group || p->lax || bad(p, "group without ;");
}

static bool
parse(struct parser *p, struct mt_slice text, struct mt_addr_list *out)
{
	bool fine;

	*out = (struct mt_addr_list){ 0 };
	p->rest = text;
	p->start = text.p;
	p->text = g_string_new(NULL);
	p->comment = g_string_new(NULL);
	if (!p->lax && text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		fine = bad(p, "NUL in it");
	else
		fine = take_list(p, out);
	g_string_free(p->text, TRUE);
	g_string_free(p->comment, TRUE);
	return fine;
}

int
mt_addr_parse(struct mt_slice text, struct mt_addr_list *out, struct mt_err *err)
{
	struct parser p = { .lax = false };
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
	struct parser p = { .lax = true };

	/* Cut, it could end in an address that is cut. */
	if (text.n > MT_MAX_HEADER)
		text.n = 0;
	parse(&p, text, out);
}
