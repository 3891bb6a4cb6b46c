/* path.c - envelope addresses and what stands behind them (RFC 5321 4.1.2) */
#include "smtp/path.h"

#include <arpa/inet.h>
#include <glib.h>
#include <idn2.h>

/* 254 octets between the brackets (RFC 5321 4.5.3.1.3). */
#define MAILBOX_MAX (MT_SMTP_PATH_SIZE - 2)
#define LABEL_MAX 63

static bool
is_utf8_byte(unsigned char c)
{
	return c >= 0x80;
}

/* atext of RFC 5322 3.2.3, with UTF8-non-ascii of RFC 6531 3.3. */
static bool
is_atext(unsigned char c)
{
	return g_ascii_isalnum((char)c) || is_utf8_byte(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_label_byte(unsigned char c)
{
	return g_ascii_isalnum((char)c) || c == '-' || c == '_' || is_utf8_byte(c);
}

static bool
is_domain_byte(unsigned char c)
{
	return is_label_byte(c) || c == '.';
}

static bool
is_ascii(struct mt_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_utf8_byte((unsigned char)s.p[i]))
			return false;
	}
	return true;
}

/* Valid UTF-8 without control characters, those of C1 among them. */
static bool
is_text(struct mt_slice s)
{
	const char *end = s.p + s.n;

	if (s.n > 0 && !g_utf8_validate_len(s.p, s.n, NULL))
		return false;
	for (const char *p = s.p; p < end; p = g_utf8_next_char(p)) {
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			return false;
	}
	return true;
}

/*
 *	Domain		= sub-domain *("." sub-domain)
 *	sub-domain	= Let-dig [Ldh-str]	; or a U-label
 *	Ldh-str		= *( ALPHA / DIGIT / "-" ) Let-dig
 */
bool
mt_smtp_domain_valid(struct mt_slice domain)
{
	if (domain.n == 0 || domain.n > MT_MAX_DOMAIN || !is_text(domain))
		return false;
	for (;;) {
		struct mt_slice label = mt_slice_take_while(&domain, is_label_byte);

		if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' ||
		    label.p[label.n - 1] == '-')
			return false;
		if (domain.n == 0)
			return true;
		if (!mt_slice_take_char(&domain, '.'))
			return false;
	}
}

bool
mt_smtp_literal_valid(struct mt_slice literal)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char address[16];
	int family = AF_INET;

	if (!mt_slice_take_char(&literal, '[') || !mt_slice_ends(literal, MT_SLICE("]")))
		return false;
	literal.n--;
	if (mt_slice_take_nocase(&literal, MT_SLICE("IPv6:")))
		family = AF_INET6;
	if (literal.n >= sizeof(text) || memchr(literal.p, '\0', literal.n) != NULL)
		return false;
	memcpy(text, literal.p, literal.n);
	text[literal.n] = '\0';
	return inet_pton(family, text, address) == 1;
}

/* Append one byte to a text of MT_SMTP_PATH_SIZE that ends at *n. */
static bool
put(char *text, size_t *n, char c)
{
	if (*n + 1 >= MT_SMTP_PATH_SIZE)
		return false;
	text[(*n)++] = c;
	text[*n] = '\0';
	return true;
}

/*
 *	Quoted-string	= DQUOTE *QcontentSMTP DQUOTE
 *	QcontentSMTP	= qtextSMTP / quoted-pairSMTP
 *	quoted-pairSMTP	= %d92 %d32-126
 */
static bool
take_quoted(struct mt_slice *s, char *local)
{
	size_t n = 0;

	local[0] = '\0';
	while (!mt_slice_take_char(s, '"')) {
		bool escaped = mt_slice_take_char(s, '\\');

		if (s->n == 0 || (unsigned char)s->p[0] < ' ' || s->p[0] == 0x7f)
			return false;
		if (escaped && is_utf8_byte((unsigned char)s->p[0]))
			return false;
		if (!put(local, &n, s->p[0]))
			return false;
		*s = mt_slice_from(*s, 1);
	}
	return true;
}

/* Dot-string = Atom *("." Atom) */
static bool
take_dot_string(struct mt_slice *s, char *local)
{
	size_t n = 0;

	local[0] = '\0';
	do {
		struct mt_slice atom = mt_slice_take_while(s, is_atext);

		if (atom.n == 0 || (n > 0 && !put(local, &n, '.')))
			return false;
		for (size_t i = 0; i < atom.n; i++) {
			if (!put(local, &n, atom.p[i]))
				return false;
		}
	} while (mt_slice_take_char(s, '.'));
	return true;
}

static bool
is_dot_string(const char *local)
{
	struct mt_slice s = mt_slice_str(local);
	char scratch[MT_SMTP_PATH_SIZE];

	return take_dot_string(&s, scratch) && s.n == 0;
}

static bool
take_domain(struct mt_slice *s, struct mt_smtp_path *out)
{
	struct mt_slice domain = *s;

	if (s->n > 0 && s->p[0] == '[') {
		size_t n = mt_slice_find(*s, ']');

		if (n == s->n)
			return false;
		domain = mt_slice_first(*s, n + 1);
		*s = mt_slice_from(*s, n + 1);
		out->is_literal = true;
		if (!mt_smtp_literal_valid(domain))
			return false;
	} else {
		domain = mt_slice_take_while(s, is_domain_byte);
		if (!mt_smtp_domain_valid(domain))
			return false;
	}
	memcpy(out->domain, domain.p, domain.n);
	out->domain[domain.n] = '\0';
	return true;
}

/* Compose text from local and domain; false when it is too long. */
static bool
compose(struct mt_smtp_path *p)
{
	bool quote = !is_dot_string(p->local);
	size_t n = 0;
	bool fits = true;

	if (quote)
		fits = put(p->text, &n, '"');
	for (const char *c = p->local; *c != '\0' && fits; c++) {
		if (quote && (*c == '"' || *c == '\\'))
			fits = put(p->text, &n, '\\');
		fits = fits && put(p->text, &n, *c);
	}
	if (quote)
		fits = fits && put(p->text, &n, '"');
	if (p->domain[0] != '\0')
		fits = fits && put(p->text, &n, '@');
	for (const char *c = p->domain; *c != '\0' && fits; c++)
		fits = put(p->text, &n, *c);
	p->is_ascii = is_ascii(mt_slice_str(p->text));
	return fits && n <= MAILBOX_MAX;
}

/* Mailbox = Local-part [ "@" ( Domain / address-literal ) ] */
static int
take_mailbox(struct mt_slice *s, struct mt_smtp_path *out, struct mt_err *err)
{
	struct mt_slice whole = *s;
	bool ok;

	*out = (struct mt_smtp_path){ .is_ascii = true };
	ok = mt_slice_take_char(s, '"') ? take_quoted(s, out->local)
					: take_dot_string(s, out->local);
	if (!ok && whole.n > MAILBOX_MAX)
		return mt_fail(err, MT_EDATA, "the address is too long");
	if (!ok)
		return mt_fail(err, MT_EDATA, "the local part of the address is wrong");
	if (!is_text(mt_slice_str(out->local)))
		return mt_fail(err, MT_EDATA, "the local part is not UTF-8");
	if (mt_slice_take_char(s, '@') && !take_domain(s, out))
		return mt_fail(err, MT_EDATA, "the domain of the address is wrong");
	if (!compose(out))
		return mt_fail(err, MT_EDATA, "the address is too long");
	return 0;
}

/* A-d-l = At-domain *( "," At-domain ), At-domain = "@" Domain, and its ":". */
static bool
skip_route(struct mt_slice *s)
{
	if (s->n == 0 || s->p[0] != '@')
		return true;
	do {
		if (!mt_slice_take_char(s, '@') ||
		    !mt_smtp_domain_valid(mt_slice_take_while(s, is_domain_byte)))
			return false;
	} while (mt_slice_take_char(s, ','));
	return mt_slice_take_char(s, ':');
}

int
mt_smtp_path_take(struct mt_slice *s, struct mt_smtp_path *out, struct mt_err *err)
{
	struct mt_smtp_path path = { .is_ascii = true };
	struct mt_slice rest = *s;
	bool bracket = mt_slice_take_char(&rest, '<');

	if (bracket && mt_slice_take_char(&rest, '>')) {
		*out = path;
		*s = rest;
		return 0;
	}
	if (bracket && !skip_route(&rest))
		return mt_fail(err, MT_EDATA, "the source route is wrong");
	if (rest.n == 0)
		return mt_fail(err, MT_EDATA, "there is no address");
	if (take_mailbox(&rest, &path, err) < 0)
		return -1;
	if (bracket && !mt_slice_take_char(&rest, '>'))
		return mt_fail(err, MT_EDATA, "'>' is missing behind the address");
	if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '\t')
		return mt_fail(err, MT_EDATA, "the address does not end where it should");
	*out = path;
	*s = rest;
	return 0;
}

int
mt_smtp_path_parse(struct mt_slice text, struct mt_smtp_path *out, struct mt_err *err)
{
	struct mt_smtp_path path;

	if (text.n == 0)
		return mt_fail(err, MT_EDATA, "there is no address");
	if (take_mailbox(&text, &path, err) < 0)
		return -1;
	if (text.n > 0)
		return mt_fail(err, MT_EDATA, "the address does not end where it should");
	*out = path;
	return 0;
}

int
mt_smtp_path_to_ascii(struct mt_smtp_path *p, struct mt_err *err)
{
	struct mt_smtp_path ascii = *p;
	char *domain = NULL;
	int rc;

	if (is_ascii(mt_slice_str(p->domain)))
		return 0;
	rc = idn2_to_ascii_8z(p->domain, &domain, IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return mt_fail(err, MT_EDATA, "domain %s: %s", p->domain,
		    idn2_strerror(rc));
	if (!mt_smtp_domain_valid(mt_slice_str(domain))) {
		idn2_free(domain);
		return mt_fail(err, MT_EDATA, "domain %s: too long", p->domain);
	}
	g_strlcpy(ascii.domain, domain, sizeof(ascii.domain));
	idn2_free(domain);
	if (!compose(&ascii))
		return mt_fail(err, MT_EDATA, "%s: too long as A-labels", p->text);
	*p = ascii;
	return 0;
}

/*
 *	esmtp-param	= esmtp-keyword ["=" esmtp-value]
 *	esmtp-keyword	= (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *	esmtp-value	= 1*(%d33-60 / %d62-126)	; and UTF-8 (RFC 6531 3.3)
 */
static bool
is_keyword(unsigned char c)
{
	return g_ascii_isalnum((char)c) || c == '-';
}

static bool
is_value(unsigned char c)
{
	return c > ' ' && c != '=' && c != 0x7f;
}

int
mt_smtp_param_next(struct mt_slice *s, struct mt_smtp_param *out, struct mt_err *err)
{
	struct mt_slice rest = *s;
	bool blank = mt_slice_skip_blank(&rest) > 0;

	if (rest.n == 0)
		return 0;
	*out = (struct mt_smtp_param){ 0 };
	out->name = mt_slice_take_while(&rest, is_keyword);
	if (!blank || out->name.n == 0 || out->name.p[0] == '-')
		goto wrong;
	out->has_value = mt_slice_take_char(&rest, '=');
	if (out->has_value) {
		out->value = mt_slice_take_while(&rest, is_value);
		if (out->value.n == 0 || !is_text(out->value))
			goto wrong;
	}
	if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '\t')
		goto wrong;
	*s = rest;
	return 1;
wrong:
	return mt_fail_dsn(err, MT_EDATA, "5.5.4", "a parameter is wrong");
}

/*
 *	xtext	= *( xchar / hexchar )
 *	xchar	= %d33-42 / %d44-60 / %d62-126
 *	hexchar	= "+" 2(%x30-39 / %x41-46)
 */
static int
upper_hex(char c)
{
	return g_ascii_islower(c) ? -1 : g_ascii_xdigit_value(c);
}

static bool
is_xchar(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '+' && c != '=';
}

bool
mt_smtp_xtext_decode(struct mt_slice in, struct mt_buf *out)
{
	while (in.n > 0) {
		char c = in.p[0];

		in = mt_slice_from(in, 1);
		if (c == '+') {
			if (in.n < 2 || upper_hex(in.p[0]) < 0 || upper_hex(in.p[1]) < 0)
				return false;
			c = (char)(upper_hex(in.p[0]) * 16 + upper_hex(in.p[1]));
			in = mt_slice_from(in, 2);
		} else if (!is_xchar((unsigned char)c)) {
			return false;
		}
		if (mt_buf_append_char(out, c) < 0)
			return false;
	}
	return true;
}

bool
mt_smtp_xtext_encode(struct mt_slice in, struct mt_buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];
		int rc = is_xchar(c) ? mt_buf_append_char(out, in.p[i])
				     : mt_buf_appendf(out, "+%02X", c);

		if (rc < 0)
			return false;
	}
	return true;
}
