/* select.c - which folders and messages of a snapshot a person has named */
#include "backup/select.h"

#include <fnmatch.h>
#include <string.h>

#include "maildir/name.h"

/* What a word may mean: a name in the snapshot, or a path of the file system. The first
   that finds something counts. */
enum { NAME, NAME_PATTERN, PATH, PATH_PATTERN, MEANINGS };

struct word {
	const char *given;
	char **texts;		/* for each root MEANINGS: NULL where it cannot mean that */
	bool has[MEANINGS];	/* a text for some root */
	bool found[MEANINGS];
	size_t meaning;		/* the one that counts */
};

struct mt_backup_select {
	const struct mt_backup_snapshot *snapshot;
	struct word *words;
	size_t nwords;
};

/* The ways to name a message. */
struct names {
	char *list[3];
};

static void
names_init(struct names *names, const char *folder, const struct mt_backup_entry *e)
{
	bool is_root = g_str_equal(folder, ".");
	const char *dir = is_root ? "" : folder, *slash = is_root ? "" : "/";
	struct mt_maildir_name parsed;

	mt_maildir_name_parse(e->name, &parsed);
	names->list[0] = mt_backup_message_path(folder, e);
	names->list[1] = g_strconcat(dir, slash, e->name, NULL);
	names->list[2] = g_strdup_printf("%s%s%.*s", dir, slash, (int)parsed.unique.n,
	    parsed.unique.p);
}

static void
names_clear(struct names *names)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names->list); i++)
		g_free(names->list[i]);
}

MT_AUTO_VALUE_DEFINE(names, names_clear);

static bool
is_pattern(size_t meaning)
{
	return meaning == NAME_PATTERN || meaning == PATH_PATTERN;
}

/* Whether path is these n bytes, or below them. */
static bool
is_at_or_below(const char *path, const char *text, size_t n)
{
	return n == 0 || (strncmp(path, text, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0'));
}

static bool
names_folder(const char *text, size_t meaning, const char *folder)
{
	g_autofree char *below = NULL;

	if (text == NULL)
		return false;
	if (!is_pattern(meaning))
		return is_at_or_below(folder, text, strlen(text));
	below = g_strconcat(text, "/*", NULL);
	return fnmatch(text, folder, 0) == 0 || fnmatch(below, folder, 0) == 0;
}

static bool
names_entry(const char *text, size_t meaning, const struct names *names)
{
	for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(names->list); i++) {
		if (is_pattern(meaning) ? fnmatch(text, names->list[i], 0) == 0 :
		    g_str_equal(text, names->list[i]))
			return true;
	}
	return false;
}

/* What is left of an absolute path below the root; NULL when it leads elsewhere. */
static const char *
below_root(const char *path, const char *root)
{
	size_t n = strlen(root);

	/* "/" has its slash already. */
	if (n == 1)
		return path + 1;
	if (!is_at_or_below(path, root, n))
		return NULL;
	return path[n] == '/' ? path + n + 1 : path + n;
}

static bool
is_directory(const struct mt_backup_root *root, const char *text, size_t n)
{
	for (guint i = 0; i < root->folders->len; i++) {
		const struct mt_backup_folder *f = g_ptr_array_index(root->folders, i);

		if (is_at_or_below(f->path, text, n))
			return true;
	}
	return false;
}

/* The word as a pattern, with the longest beginning that is a folder, or above one, as it
   is. */
static char *
make_pattern(const char *text, const struct mt_backup_root *root)
{
	g_autoptr(GString) out = g_string_new(NULL);
	size_t n = strlen(text);

	while (n > 0 && !is_directory(root, text, n)) {
		do
			n--;
		while (n > 0 && text[n] != '/');
	}
	for (size_t i = 0; i < n; i++) {
		if (strchr("*?[]\\", text[i]) != NULL)
			g_string_append_c(out, '\\');
		g_string_append_c(out, text[i]);
	}
	g_string_append(out, text + n);
	return g_strdup(out->str);
}

/* Whether it can be nothing but a path. */
static bool
is_path(const char *word)
{
	return word[0] == '/' || g_str_equal(word, ".") || g_str_equal(word, "..") ||
	    g_str_has_prefix(word, "./") || g_str_has_prefix(word, "../");
}

/* Take the text below this root for what the word means, or for a pattern. */
static void
add_texts(struct word *w, const struct mt_backup_root *root, size_t at, size_t meaning,
    const char *text)
{
	char **texts = w->texts + at * MEANINGS;

	if (text == NULL)
		return;
	texts[meaning] = g_strdup(text);
	texts[meaning + 1] = make_pattern(text, root);
	w->has[meaning] = w->has[meaning + 1] = true;
}

static void
word_init(struct word *w, const char *given, const struct mt_backup_snapshot *s,
    const char *cwd)
{
	g_autofree char *name = is_path(given) ? NULL : g_strdup(given);
	g_autofree char *path = g_canonicalize_filename(given, cwd);

	for (size_t n = strlen(given); name != NULL && n > 1 && name[n - 1] == '/'; n--)
		name[n - 1] = '\0';
	w->given = given;
	w->texts = g_new0(char *, s->roots->len * MEANINGS);
	for (guint i = 0; i < s->roots->len && given[0] != '\0'; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		add_texts(w, root, i, NAME, name);
		add_texts(w, root, i, PATH, below_root(path, root->path));
	}
}

static const char *
text_of(const struct word *w, size_t root, size_t meaning)
{
	return w->texts[root * MEANINGS + meaning];
}

/* Whether what was not looked at yet cannot change what counts. */
static bool
is_settled(const struct word *w)
{
	for (size_t m = 0; m < MEANINGS; m++) {
		if (w->found[m] || w->has[m])
			return w->found[m];
	}
	return false;
}

static void
look_at_folder(struct mt_backup_select *sel, size_t root, const struct mt_backup_folder *f)
{
	for (size_t i = 0; i < sel->nwords; i++) {
		struct word *w = &sel->words[i];

		for (size_t m = 0; m < MEANINGS; m++) {
			w->found[m] = w->found[m] ||
			    names_folder(text_of(w, root, m), m, f->path);
		}
	}
}

static void
look_at_entry(struct mt_backup_select *sel, size_t root, const struct mt_backup_folder *f,
    const struct mt_backup_entry *e)
{
	mt_auto_value(names) names;

	names_init(&names, f->path, e);
	for (size_t i = 0; i < sel->nwords; i++) {
		struct word *w = &sel->words[i];

		for (size_t m = 0; m < MEANINGS; m++) {
			w->found[m] = w->found[m] ||
			    names_entry(text_of(w, root, m), m, &names);
		}
	}
}

static bool
all_settled(const struct mt_backup_select *sel)
{
	for (size_t i = 0; i < sel->nwords; i++) {
		if (!is_settled(&sel->words[i]))
			return false;
	}
	return true;
}

/* Look at all messages; -1 with the first error at the end. */
static int
look_at_entries(struct mt_backup_select *sel, struct mt_backup_repo *r,
    struct mt_err *err)
{
	const GPtrArray *roots = sel->snapshot->roots;
	int rc = 0;

	for (guint i = 0; i < roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(roots, i);

		for (guint k = 0; k < root->folders->len; k++) {
			const struct mt_backup_folder *f =
			    g_ptr_array_index(root->folders, k);
			g_autoptr(GPtrArray) entries = mt_backup_entries_new();

			if (mt_backup_repo_read_folder(r, f, entries,
			    rc == 0 ? err : NULL) < 0 && rc == 0)
				rc = mt_fail_in(err, "folder %s", f->path);
			for (guint n = 0; n < entries->len; n++)
				look_at_entry(sel, i, f, g_ptr_array_index(entries, n));
		}
	}
	return rc;
}

static int
choose(struct mt_backup_select *sel, const struct mt_err *unread, struct mt_err *err)
{
	for (size_t i = 0; i < sel->nwords; i++) {
		struct word *w = &sel->words[i];

		w->meaning = 0;
		while (w->meaning < MEANINGS && !w->found[w->meaning])
			w->meaning++;
		if (w->meaning < MEANINGS)
			continue;
		if (unread->kind != MT_ENONE)
			return mt_fail(err, unread->kind,
			    "\"%s\" was not found, and not all lists could be read: %s",
			    w->given, unread->msg);
		return mt_fail(err, MT_ENOINPUT, "nothing in snapshot %s is called \"%s\"",
		    sel->snapshot->name, w->given);
	}
	return 0;
}

struct mt_backup_select *
mt_backup_select_new(struct mt_backup_repo *r, const struct mt_backup_snapshot *s,
    const char *const *words, size_t nwords, const char *cwd, struct mt_err *err)
{
	mt_auto(mt_backup_select) sel = g_new0(struct mt_backup_select, 1);
	struct mt_err unread = { 0 };

	sel->snapshot = s;
	sel->words = g_new0(struct word, nwords);
	sel->nwords = nwords;
	for (size_t i = 0; i < nwords; i++)
		word_init(&sel->words[i], words[i], s, cwd);
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		for (guint k = 0; k < root->folders->len; k++)
			look_at_folder(sel, i, g_ptr_array_index(root->folders, k));
	}
	if (!all_settled(sel))
		look_at_entries(sel, r, &unread);
	return choose(sel, &unread, err) < 0 ? NULL : mt_steal(&sel);
}

void
mt_backup_select_free(struct mt_backup_select *sel)
{
	if (sel == NULL)
		return;
	for (size_t i = 0; i < sel->nwords; i++) {
		for (size_t k = 0; k < sel->snapshot->roots->len * MEANINGS; k++)
			g_free(sel->words[i].texts[k]);
		g_free(sel->words[i].texts);
	}
	g_free(sel->words);
	g_free(sel);
}

bool
mt_backup_select_has_folder(const struct mt_backup_select *sel, size_t root,
    const struct mt_backup_folder *f)
{
	for (size_t i = 0; i < sel->nwords; i++) {
		const struct word *w = &sel->words[i];

		if (names_folder(text_of(w, root, w->meaning), w->meaning, f->path))
			return true;
	}
	return false;
}

bool
mt_backup_select_has_entry(const struct mt_backup_select *sel, size_t root,
    const struct mt_backup_folder *f, const struct mt_backup_entry *e)
{
	mt_auto_value(names) names;

	names_init(&names, f->path, e);
	for (size_t i = 0; i < sel->nwords; i++) {
		const struct word *w = &sel->words[i];

		if (names_entry(text_of(w, root, w->meaning), w->meaning, &names))
			return true;
	}
	return false;
}
