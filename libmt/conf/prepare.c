/* prepare.c - a configuration file, before libconfuse reads it */
#include "conf/prepare.h"

#include <string.h>

#include "base/slice.h"

struct place {
	const char *file;
	unsigned line;
};

/* libconfuse puts nothing for a variable that is not set: a directory would be another. */
static int
check_variable(const struct place *at, const char *p, struct mt_err *err)
{
	struct mt_slice s = mt_slice_str(p), name;
	g_autofree char *text = NULL;

	if (!mt_slice_take(&s, MT_SLICE("${")) || !mt_slice_take_until(&s, '}', &name))
		return 0;
	text = mt_slice_dup(name);
	if (g_getenv(text) != NULL)
		return 0;
	return mt_fail(err, MT_ECONF, "%s:%u: ${%s} is not set in the environment; "
	    "in single quotes it stands for itself", at->file, at->line, text);
}

/* Behind the string that starts at p; counts its lines. NULL: err. */
static char *
skip_string(struct place *at, char *p, struct mt_err *err)
{
	char quote = *p++;

	while (*p != '\0' && *p != quote) {
		if (quote == '"' && check_variable(at, p, err) < 0)
			return NULL;
		if (*p == '\\' && p[1] != '\0')
			at->line += *p++ == '\n';
		at->line += *p++ == '\n';
	}
	return *p == '\0' ? p : p + 1;
}

/* Behind the variable that starts at p; p itself when none does. */
static char *
skip_variable(char *p)
{
	char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;

	return end == NULL ? p : end + 1;
}

/* Behind the comment that starts at p; p itself when none does. */
static char *
skip_comment(char *p)
{
	char *end;

	if (p[0] == '#' || (p[0] == '/' && p[1] == '/'))
		return p + strcspn(p, "\n");
	if (p[0] != '/' || p[1] != '*')
		return p;
	end = strstr(p + 2, "*/");
	return end == NULL ? p + strlen(p) : end + 2;
}

int
mt_conf_prepare(const char *file, char *text, GArray *opened, struct mt_err *err)
{
	struct place at = { file, 1 };
	unsigned open = 0;
	char before = '\0';

	for (char *p = text, *next; *p != '\0'; p = next) {
		if (*p == '"' || *p == '\'') {
			next = skip_string(&at, p, err);
			if (next == NULL)
				return -1;
			before = '"';
			continue;
		}
		if (check_variable(&at, p, err) < 0)
			return -1;
		/* Its braces are no section's. */
		next = skip_variable(p);
		if (next > p) {
			before = '}';
			continue;
		}
		next = skip_comment(p);
		for (char *q = p; q < next; q++) {
			at.line += *q == '\n';
			if (*q != '\n')
				*q = ' ';
		}
		if (next > p)
			continue;
		if (*p == '{' && before != '=') {
			g_array_append_val(opened, at.line);
			open = at.line;
		} else if (*p == '}') {
			open = 0;
		}
		at.line += *p == '\n';
		if (!g_ascii_isspace(*p))
			before = *p;
		next = p + 1;
	}
	if (open != 0)
		return mt_fail(err, MT_ECONF, "%s:%u: this section has no end", file, open);
	return 0;
}
