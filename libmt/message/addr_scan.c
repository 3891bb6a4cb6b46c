/* addr_scan.c - the tokens of address lists (RFC 5322 3.2), for addr.c */
#include "message/addr_scan.h"

#include <string.h>

#include "base/limits.h"
#include "message/addr.h"

bool
mt_addr_scan_bad(struct mt_addr_scan *p, const char *why)
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
take_inner(struct mt_addr_scan *p, char *c, bool *quoted)
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
		mt_addr_scan_bad(p, "line end or NUL in it");
		return -1;
	}
	p->rest = mt_slice_from(p->rest, 1);
	return 1;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; they nest: a count instead of recursion. */
static bool
skip_comment(struct mt_addr_scan *p)
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
			return mt_addr_scan_bad(p, "comments too deep");
		g_string_append_c(p->comment, c);
	}
	/* Lax: a parenthesis that nothing closes is a letter. */
	p->rest = before;
	p->unclosed++;
	g_string_truncate(p->comment, 0);
	return mt_addr_scan_bad(p, "( without )");
}

/* CFWS; false when what comes is wrong. Lax: a ( without ) is left for an atom. */
static bool
skip_cfws(struct mt_addr_scan *p)
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
			return mt_addr_scan_bad(p, "line end in it");
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
take_enclosed(struct mt_addr_scan *p, char close)
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
			return mt_addr_scan_bad(p, "not a domain literal");
		}
		if (!p->lax && is_control(c) && c != '\t')
			return mt_addr_scan_bad(p, "control character in it");
		g_string_append_c(p->text, c);
	}
	p->rest = before;
	p->unclosed++;
	return mt_addr_scan_bad(p, close == '"' ? "\" without another" : "[ without ]");
}

static bool
take_atom(struct mt_addr_scan *p)
{
	struct mt_slice atom = mt_slice_take_while(&p->rest, mt_addr_is_atext);

	p->kind = MT_ADDR_ATOM;
	g_string_append_len(p->text, atom.p, (gssize)atom.n);
	return atom.n > 0 || mt_addr_scan_bad(p, "character that must be quoted");
}

static bool
take_other(struct mt_addr_scan *p)
{
	p->kind = MT_ADDR_OTHER;
	g_string_truncate(p->text, 0);
	g_string_append_c(p->text, p->rest.p[0]);
	p->rest = mt_slice_from(p->rest, 1);
	return true;
}

bool
mt_addr_scan_next(struct mt_addr_scan *p)
{
	g_string_truncate(p->text, 0);
	p->kind = MT_ADDR_END;
	p->c = '\0';
	if (!skip_cfws(p))
		return false;
	if (p->rest.n == 0)
		return true;
	if (is_special(p->rest.p[0])) {
		p->kind = MT_ADDR_SPECIAL;
		p->c = p->rest.p[0];
		p->rest = mt_slice_from(p->rest, 1);
		return true;
	}
	if (p->rest.p[0] == '"') {
		p->kind = MT_ADDR_QUOTED;
		if (take_enclosed(p, '"'))
			return true;
	} else if (p->rest.p[0] == '[') {
		p->kind = MT_ADDR_LITERAL;
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
