/* forgotten.c - words in a text that speak of an attachment */
#include "send/forgotten.h"

#include <glib.h>

/* In lower case, with one blank between words; "*" stands for the letters of an ending. */
static const char *const words[] = {
	"attached", "attaching", "attachment", "attachments", "i attach", "we attach",
	"enclosed", "enclosing",
	"anhang", "anhänge", "anhängen", "angehängt*", "beigefügt*", "anbei",
	"ci-joint*", "pièce jointe", "pièces jointes", "pièce-jointe", "pièces-jointes",
	"adjunto", "adjuntos", "adjunta", "adjuntas", "adjuntado*",
};

static bool
is_word_char(gunichar c)
{
	return g_unichar_isalnum(c) || c == '_';
}

/* Whether a word ends at p, for which letters of an ending are passed over first. */
static bool
ends_here(const char *p, bool has_ending, const char **end)
{
	while (has_ending && g_unichar_isalpha(g_utf8_get_char(p)))
		p = g_utf8_next_char(p);
	*end = p;
	return !is_word_char(g_utf8_get_char(p));
}

/* Whether what stands around it, up to the next blanks, is an address and no prose. */
static bool
is_in_address(const char *line, const char *at)
{
	const char *from = at, *to = at;
	g_autofree char *around = NULL;

	while (from > line && !g_ascii_isspace(from[-1]))
		from--;
	while (*to != '\0' && !g_ascii_isspace(*to))
		to++;
	around = g_strndup(from, (gsize)(to - from));
	return strstr(around, "://") != NULL || strchr(around, '@') != NULL;
}

/* A copy of the word in the line, or NULL. */
static char *
find_word(const char *line, const char *word)
{
	g_autofree char *stem = g_strndup(word, strcspn(word, "*"));
	bool has_ending = word[strlen(stem)] == '*';
	const char *end;

	for (const char *p = strstr(line, stem); p != NULL; p = strstr(p + 1, stem)) {
		if (p > line && is_word_char(g_utf8_get_char(g_utf8_prev_char(p))))
			continue;
		if (ends_here(p + strlen(stem), has_ending, &end) && !is_in_address(line, p))
			return g_strndup(p, (gsize)(end - p));
	}
	return NULL;
}

/* Composed and in lower case, so that there is one way to write a word; g_free. */
static char *
as_one_writes_it(struct mt_slice line)
{
	g_autofree char *valid = g_utf8_make_valid(line.p, (gssize)line.n);
	g_autofree char *composed = g_utf8_normalize(valid, -1,
	    G_NORMALIZE_DEFAULT_COMPOSE);

	return g_utf8_strdown(composed, -1);
}

/* "-- ", or the line that mail programs put above what is not the author's. */
static bool
is_end_of_text(struct mt_slice line)
{
	struct mt_slice rest = line;

	if (mt_slice_eq(line, MT_SLICE("-- ")))
		return true;
	while (mt_slice_take_char(&rest, '-'))
		continue;
	if (line.n - rest.n < 5)
		return false;
	mt_slice_skip_blank(&rest);
	return mt_slice_starts_nocase(rest, MT_SLICE("Forwarded message")) ||
	    mt_slice_starts_nocase(rest, MT_SLICE("Original message"));
}

bool
mt_forgotten_find(struct mt_slice text, struct mt_forgotten *out)
{
	struct mt_slice line;

	for (size_t n = 1; mt_slice_take_line(&text, &line); n++) {
		g_autofree char *plain = NULL;

		if (is_end_of_text(line))
			return false;
		if (mt_slice_starts(line, MT_SLICE(">")))
			continue;
		plain = as_one_writes_it(line);
		for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
			char *found = find_word(plain, words[i]);

			if (found != NULL) {
				*out = (struct mt_forgotten){ found, n };
				return true;
			}
		}
	}
	return false;
}
