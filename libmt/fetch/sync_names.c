/* sync_names.c - the mailboxes of a server as folders below a directory, and back */
#include "fetch/sync_names.h"

#include <glib.h>
#include <string.h>

#define INBOX "INBOX"

static bool
is_own_word(const char *part)
{
	return g_str_equal(part, "cur") || g_str_equal(part, "new") || g_str_equal(part, "tmp");
}

static void
append_part(GString *out, const char *part)
{
	bool first = true;

	if (part[0] == '\0')
		g_string_append_c(out, '%');
	for (const char *p = part; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '/' || c == '%' || c < ' ' || c == 0x7f ||
		    (first && (c == '.' || is_own_word(part))))
			g_string_append_printf(out, "%%%02X", c);
		else
			g_string_append_c(out, (char)c);
		first = false;
	}
}

/* "INBOX.Sent" without its prefix; what would be INBOX then keeps it. */
static const char *
without_prefix(const struct mt_sync_names *n, const char *name)
{
	if (!n->has_prefix || n->delimiter == '\0' || !g_str_has_prefix(name, INBOX) ||
	    name[strlen(INBOX)] != n->delimiter ||
	    g_ascii_strcasecmp(name + strlen(INBOX) + 1, INBOX) == 0)
		return name;
	return name + strlen(INBOX) + 1;
}

char *
mt_sync_names_path(const struct mt_sync_names *n, const char *name)
{
	const char delimiter[2] = { n->delimiter, '\0' };
	GString *out = g_string_new(NULL);
	g_auto(GStrv) parts = NULL;

	name = without_prefix(n, name);
	if (n->delimiter == '\0') {
		append_part(out, name);
		return g_string_free(out, FALSE);
	}
	parts = g_strsplit(name, delimiter, -1);
	for (char **p = parts; *p != NULL; p++) {
		if (p != parts)
			g_string_append_c(out, '/');
		append_part(out, *p);
	}
	return g_string_free(out, FALSE);
}

/* One part, decoded; false when we would not have written it so. */
static bool
append_decoded(GString *out, const char *part, char delimiter)
{
	g_autoptr(GString) text = g_string_new(NULL), again = g_string_new(NULL);

	for (const char *p = part; *p != '\0' && !g_str_equal(part, "%"); p++) {
		if (*p != '%') {
			g_string_append_c(text, *p);
		} else if (g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			g_string_append_c(text, (char)(g_ascii_xdigit_value(p[1]) * 16 +
			    g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			return false;
		}
	}
	/* A NUL, or what would end the line of a command. */
	if (strlen(text->str) != text->len || strpbrk(text->str, "\r\n") != NULL ||
	    (delimiter != '\0' && strchr(text->str, delimiter) != NULL))
		return false;
	append_part(again, text->str);
	g_string_append(out, text->str);
	return g_str_equal(again->str, part);
}

char *
mt_sync_names_name(const struct mt_sync_names *n, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *again = NULL;

	if (parts[0] == NULL || (n->delimiter == '\0' && parts[1] != NULL))
		return NULL;
	if (n->has_prefix && !(g_str_equal(parts[0], INBOX)))
		g_string_append_printf(out, INBOX "%c", n->delimiter);
	for (char **p = parts; *p != NULL; p++) {
		if (p != parts)
			g_string_append_c(out, n->delimiter);
		if (!append_decoded(out, *p, n->delimiter))
			return NULL;
	}
	if (!g_utf8_validate(out->str, -1, NULL))
		return NULL;
	again = mt_sync_names_path(n, out->str);
	return g_str_equal(again, path) ? g_strdup(out->str) : NULL;
}
