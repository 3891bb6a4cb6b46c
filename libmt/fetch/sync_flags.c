/* sync_flags.c - flags of a message, on the server and in a Maildir name */
#include "fetch/sync_flags.h"

#include <stdlib.h>

#include "base/limits.h"

static const struct {
	unsigned bit;
	const char *imap;
	char letter;
} table[] = {
	{ MT_SYNC_SEEN, "\\Seen", 'S' },
	{ MT_SYNC_ANSWERED, "\\Answered", 'R' },
	{ MT_SYNC_FLAGGED, "\\Flagged", 'F' },
	{ MT_SYNC_DELETED, "\\Deleted", 'T' },
	{ MT_SYNC_DRAFT, "\\Draft", 'D' },
	{ MT_SYNC_FORWARDED, "$Forwarded", 'P' },
};

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One that is there, or is now, as long as there is room. */
static const char *
intern(const char *text)
{
	static GHashTable *all;
	static size_t bytes;
	const char *one;

	if (all == NULL)
		all = g_hash_table_new(g_str_hash, g_str_equal);
	one = g_hash_table_lookup(all, text);
	if (one != NULL)
		return one;
	if (strlen(text) > MT_MAX_IMAP_KEYWORDS - bytes)
		return NULL;
	bytes += strlen(text);
	one = g_strdup(text);
	g_hash_table_add(all, (void *)(uintptr_t)one);
	return one;
}

const char *
mt_sync_keywords(const char *text)
{
	static GMutex lock;
	const char *one;

	g_mutex_lock(&lock);
	one = intern(text);
	g_mutex_unlock(&lock);
	return one;
}

static const char *
join(GPtrArray *words)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (words->len == 0)
		return NULL;
	qsort(words->pdata, words->len, sizeof(words->pdata[0]), compare);
	for (guint i = 0; i < words->len; i++) {
		if (i > 0 && g_str_equal(words->pdata[i], words->pdata[i - 1]))
			continue;
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (char *)words->pdata[i]);
	}
	return mt_sync_keywords(text->str);
}

unsigned
mt_sync_flags_of_imap(struct mt_slice list, const char **keywords)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	struct mt_slice word;
	unsigned flags = 0;

	mt_slice_skip_blank(&list);
	while (mt_slice_take_word(&list, &word)) {
		bool is_known = false;

		for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
			if (mt_slice_eq_nocase(word, mt_slice_str(table[i].imap))) {
				flags |= table[i].bit;
				is_known = true;
			}
		}
		if (!is_known && word.p[0] != '\\' && mt_slice_find(word, '\0') == word.n)
			g_ptr_array_add(words, mt_slice_dup(word));
	}
	*keywords = join(words);
	return flags;
}

void
mt_sync_flags_to_imap(unsigned flags, GString *out)
{
	const char *blank = "";

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if ((flags & table[i].bit) == 0)
			continue;
		g_string_append_printf(out, "%s%s", blank, table[i].imap);
		blank = " ";
	}
}

unsigned
mt_sync_flags_of_maildir(struct mt_slice letters)
{
	unsigned flags = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (mt_slice_find(letters, table[i].letter) < letters.n)
			flags |= table[i].bit;
	}
	return flags;
}

void
mt_sync_flags_to_maildir(unsigned flags, struct mt_slice old,
    char out[MT_MAILDIR_FLAGS_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (flags & table[i].bit)
			out[n++] = table[i].letter;
	}
	for (size_t i = 0; i < old.n && n + 1 < MT_MAILDIR_FLAGS_SIZE; i++) {
		bool is_ours = false;

		for (size_t j = 0; j < G_N_ELEMENTS(table); j++)
			is_ours = is_ours || table[j].letter == old.p[i];
		if (!is_ours)
			out[n++] = old.p[i];
	}
	out[n] = '\0';
}
