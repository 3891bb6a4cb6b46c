/* addr_format.c - write, compare and collect addresses (RFC 5322 3.4, RFC 5891) */
#include <glib.h>
#include <idn2.h>
#include <stdlib.h>

#include "base/limits.h"
#include "message/addr.h"
#include "message/word.h"

/* atext = ALPHA / DIGIT / "!" / "#" ... (RFC 5322 3.2.3) / UTF8-non-ascii
   (RFC 6532 3.2) */
bool
mt_addr_is_atext(unsigned char c)
{
	return g_ascii_isalnum(c) || c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* dot-atom-text = 1*atext *("." 1*atext) (RFC 5322 3.2.3) */
static bool
is_dot_atom(const char *s)
{
	bool dot = true;

	for (; *s != '\0'; s++) {
		if (*s == '.' && dot)
			return false;
		dot = *s == '.';
		if (!dot && !mt_addr_is_atext((unsigned char)*s))
			return false;
	}
	return !dot;
}

static void
append_spec(GString *out, const struct mt_addr *a, const char *domain)
{
	if (is_dot_atom(a->local))
		g_string_append(out, a->local);
	else
		mt_word_append_quoted(out, a->local);
	g_string_append_printf(out, "@%s", domain);
}

char *
mt_addr_spec(const struct mt_addr *a)
{
	GString *out = g_string_new(NULL);

	append_spec(out, a, a->domain);
	return g_string_free(out, FALSE);
}

bool
mt_addr_is_domain(const char *s)
{
	size_t label = 0;

	if (strlen(s) > MT_MAX_DOMAIN)
		return false;
	for (;; s++) {
		if (*s == '.' || *s == '\0') {
			if (label == 0 || label > 63 || s[-1] == '-')
				return false;
			if (*s == '\0')
				return true;
			label = 0;
		} else if (!g_ascii_isalnum(*s) && *s != '_' && (*s != '-' || label == 0)) {
			return false;
		} else {
			label++;
		}
	}
}

char *
mt_addr_domain_ascii(const struct mt_addr *a)
{
	char *ace = NULL, *copy;

	if (a->domain[0] == '[')
		return g_strdup(a->domain);
	if (g_str_is_ascii(a->domain))
		return mt_addr_is_domain(a->domain) ?
		    g_ascii_strdown(a->domain, -1) : NULL;
	if (idn2_to_ascii_8z(a->domain, &ace, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return NULL;
	copy = mt_addr_is_domain(ace) ? g_ascii_strdown(ace, -1) : NULL;
	idn2_free(ace);
	return copy;
}

/* phrase without quotes: atoms and blanks between them (RFC 5322 3.2.5), and dots where
   they are allowed (4.1). */
static bool
is_phrase(const char *name, bool dots)
{
	bool blank = true;

	for (; *name != '\0'; name++) {
		if (*name == ' ' && blank)
			return false;
		blank = *name == ' ';
		if (!blank && !mt_addr_is_atext((unsigned char)*name) &&
		    (!dots || *name != '.'))
			return false;
	}
	return !blank;
}

char *
mt_addr_format(const struct mt_addr *a)
{
	GString *out = g_string_new(NULL);
	g_autofree char *words = NULL, *ascii = NULL;

	if (g_str_is_ascii(a->local))
		ascii = mt_addr_domain_ascii(a);
	if (g_str_is_ascii(a->domain))
		g_clear_pointer(&ascii, g_free);
	if (a->name != NULL) {
		if (!mt_word_is_plain(mt_slice_str(a->name))) {
			words = mt_word_encode(mt_slice_str(a->name),
			    strlen("Reply-To:"));
			g_string_append(out, words);
		} else if (is_phrase(a->name, false)) {
			g_string_append(out, a->name);
		} else {
			mt_word_append_quoted(out, a->name);
		}
		g_string_append(out, " <");
	}
	append_spec(out, a, ascii != NULL ? ascii : a->domain);
	if (a->name != NULL)
		g_string_append_c(out, '>');
	return g_string_free(out, FALSE);
}

char *
mt_addr_display(const struct mt_addr *a)
{
	GString *out = g_string_new(NULL);

	if (a->name != NULL && is_phrase(a->name, true))
		g_string_append(out, a->name);
	else if (a->name != NULL)
		mt_word_append_quoted(out, a->name);
	if (a->name != NULL)
		g_string_append(out, " <");
	append_spec(out, a, a->domain);
	if (a->name != NULL)
		g_string_append_c(out, '>');
	return g_string_free(out, FALSE);
}

bool
mt_addr_is_ascii(const struct mt_addr *a)
{
	return g_str_is_ascii(a->local);
}

/*
 * Equal for the same mailbox and for no others; g_free. A local part that is not ASCII
 * is marked as such: some of its letters fold to ASCII ones.
 */
static char *
mailbox_key(const struct mt_addr *a)
{
	bool is_ascii = g_str_is_ascii(a->local);
	g_autofree char *local = is_ascii ? g_ascii_strdown(a->local, -1) :
	    g_utf8_casefold(a->local, -1);
	g_autofree char *ascii = mt_addr_domain_ascii(a);
	g_autofree char *written = ascii != NULL ? NULL : g_ascii_strdown(a->domain, -1);

	return g_strdup_printf("%c%s@%s", is_ascii ? 'a' : 'u', local,
	    ascii != NULL ? ascii : written);
}

bool
mt_addr_same(const struct mt_addr *a, const struct mt_addr *b)
{
	g_autofree char *x = mailbox_key(a), *y = mailbox_key(b);

	return strcmp(x, y) == 0;
}

void
mt_addr_clear(struct mt_addr *a)
{
	g_free(a->name);
	g_free(a->local);
	g_free(a->domain);
	*a = (struct mt_addr){ NULL, NULL, NULL };
}

void
mt_addr_list_clear(struct mt_addr_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		mt_addr_clear(&list->v[i]);
	g_free(list->v);
	g_clear_pointer(&list->seen, g_hash_table_destroy);
	*list = (struct mt_addr_list){ 0 };
}

void
mt_addr_list_add(struct mt_addr_list *list, const struct mt_addr *a)
{
	/* Room is always a power of two, so the count tells when it is used up. */
	if ((list->n & (list->n - 1)) == 0)
		list->v = g_renew(struct mt_addr, list->v, MAX(list->n * 2, 1));
	list->v[list->n++] = (struct mt_addr){ g_strdup(a->name), g_strdup(a->local),
		g_strdup(a->domain) };
	if (list->seen != NULL)
		g_hash_table_add(list->seen, mailbox_key(a));
}

bool
mt_addr_list_has(struct mt_addr_list *list, const struct mt_addr *a)
{
	g_autofree char *key = mailbox_key(a);

	if (list->seen == NULL) {
		list->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		for (size_t i = 0; i < list->n; i++)
			g_hash_table_add(list->seen, mailbox_key(&list->v[i]));
	}
	return g_hash_table_contains(list->seen, key);
}

bool
mt_addr_list_add_new(struct mt_addr_list *list, const struct mt_addr *a)
{
	if (mt_addr_list_has(list, a))
		return false;
	mt_addr_list_add(list, a);
	return true;
}
