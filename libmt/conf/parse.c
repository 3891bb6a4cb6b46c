/* parse.c - configuration files: a table of words, values with their lines, by libconfuse */
#include "conf/parse.h"

#include <confuse.h>
#include <glib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "conf/near.h"
#include "conf/prepare.h"

/* One word as the file says it: its values and the line of each. */
struct value {
	const struct mt_conf_word *word;
	GPtrArray *texts;	/* char * */
	GArray *lines;		/* unsigned */
	uint64_t number;
};

struct mt_conf_block {
	const struct mt_conf *conf;
	const char *title;	/* NULL for the top level */
	unsigned line;
	struct value *values;	/* one for each word of the table */
	size_t nvalues;
};

struct section {
	const char *kind;
	struct mt_conf_block *block;
};

struct mt_conf {
	char *file;
	cfg_t *cfg;
	struct mt_conf_block *top;
	GArray *sections;	/* struct section */
};

/*
 * libconfuse's callbacks carry no pointer of ours, so what they need while a file is
 * parsed is here.
 */
static _Thread_local struct parsing {
	const char *file;
	const struct mt_conf_word *words;
	const struct mt_conf_kind *kinds;
	struct mt_err *err;
	bool failed;
	GHashTable *lines;	/* cfg_opt_t * -> GArray of unsigned */
	GArray *opened;		/* the lines in which sections begin */
} *now;

static const struct mt_conf_word *
words_of(const cfg_t *cfg)
{
	for (const struct mt_conf_kind *k = now->kinds; k != NULL && k->name != NULL; k++) {
		if (strcmp(cfg->name, k->name) == 0)
			return k->words;
	}
	return now->words;
}

static const struct mt_conf_word *
word_named(const struct mt_conf_word *words, const char *name)
{
	for (; words->name != NULL; words++) {
		if (strcmp(words->name, name) == 0)
			return words;
	}
	return NULL;
}

/* The word of the block (or the kind of section) that was probably meant, or NULL. */
static const char *
nearest(const cfg_t *cfg, const char *name)
{
	size_t best_distance = MT_NEAR_FAR;
	const char *best = NULL;

	for (size_t i = 0; cfg->opts[i].name != NULL; i++) {
		size_t d = mt_near_distance(name, cfg->opts[i].name);

		if (d < best_distance) {
			best = cfg->opts[i].name;
			best_distance = d;
		}
	}
	return best;
}

/* The first error of a file is the one to mend: later ones often follow from it. */
static void
note_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	g_autofree char *text = g_strdup_vprintf(fmt, ap);
	struct mt_slice s = mt_slice_str(text), unknown;

	if (now->failed)
		return;
	now->failed = true;
	if (mt_slice_take(&s, MT_SLICE("no such option '")) &&
	    mt_slice_take_until(&s, '\'', &unknown)) {
		g_autofree char *name = mt_slice_dup(unknown);
		const char *guess = nearest(cfg, name);

		if (guess != NULL)
			mt_fail(now->err, MT_ECONF,
			    "%s:%d: unknown word \"%s\"; did you mean \"%s\"?", now->file,
			    cfg->line, name, guess);
		else
			mt_fail(now->err, MT_ECONF, "%s:%d: unknown word \"%s\"",
			    now->file, cfg->line, name);
		return;
	}
	mt_fail(now->err, MT_ECONF, "%s:%d: %s", now->file, cfg->line, text);
}

struct unit {
	char letter;
	uint64_t factor;
};

static const struct unit no_units[] = { { 0, 0 } };
static const struct unit sizes[] = { { 'k', 1 << 10 }, { 'm', 1 << 20 }, { 'g', 1 << 30 },
	{ 0, 0 } };
static const struct unit times[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
	{ 'd', 86400 }, { 0, 0 } };

static const struct {
	const struct unit *units;
	const char *what;
} numbers[] = {
	[MT_CONF_INT] = { no_units, "a number" },
	[MT_CONF_SIZE] = { sizes, "a size like 64k or 25M" },
	[MT_CONF_TIME] = { times, "a time like 30s, 5m or 1h" },
};

static bool
is_number(enum mt_conf_type type)
{
	return type == MT_CONF_INT || type == MT_CONF_SIZE || type == MT_CONF_TIME;
}

static bool
parse_number(const char *text, const struct unit *units, uint64_t *out)
{
	struct mt_slice s = mt_slice_str(text);
	uint64_t v;

	if (!mt_slice_take_u64(&s, UINT64_MAX >> 31, &v) || s.n > 1)
		return false;
	*out = v;
	if (s.n == 0)
		return true;
	for (; units->letter != 0; units++) {
		if (g_ascii_tolower(s.p[0]) == units->letter) {
			*out = v * units->factor;
			return true;
		}
	}
	return false;
}

static bool
parse_bool(const char *text, uint64_t *out)
{
	int v = cfg_parse_boolean(text);

	*out = v == cfg_true;
	return v == cfg_true || v == cfg_false;
}

/* libconfuse has read one value of the option: check its type, remember its line. */
static int
take_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
	const struct mt_conf_word *w = word_named(words_of(cfg), opt->name);
	GArray *lines = g_hash_table_lookup(now->lines, opt);
	unsigned line = (unsigned)cfg->line;
	uint64_t v = 0;

	if (lines == NULL) {
		lines = g_array_new(FALSE, FALSE, sizeof(unsigned));
		g_hash_table_insert(now->lines, opt, lines);
	}
	/* A second "word = ..." makes libconfuse forget the first one and count anew. */
	if (opt->nvalues <= lines->len) {
		cfg_error(cfg, "%s: said twice (first in line %u)", w->name,
		    g_array_index(lines, unsigned, 0));
		return -1;
	}
	if (w->type == MT_CONF_BOOL && !parse_bool(text, &v)) {
		cfg_error(cfg, "%s: \"%s\" is neither yes nor no", w->name, text);
		return -1;
	}
	if (is_number(w->type) && !parse_number(text, numbers[w->type].units, &v)) {
		cfg_error(cfg, "%s: \"%s\" is not %s", w->name, text,
		    numbers[w->type].what);
		return -1;
	}
	if (is_number(w->type) && (v < w->min || (w->max != 0 && v > w->max))) {
		cfg_error(cfg, "%s: %s is not between %llu and %llu", w->name, text,
		    (unsigned long long)w->min,
		    (unsigned long long)(w->max != 0 ? w->max : UINT64_MAX));
		return -1;
	}
	g_array_append_val(lines, line);
	*(const char **)result = text;
	return 0;
}

static size_t
count_words(const struct mt_conf_word *words)
{
	size_t n = 0;

	while (words[n].name != NULL)
		n++;
	return n;
}

static size_t
count_kinds(const struct mt_conf_kind *kinds)
{
	size_t n = 0;

	while (kinds != NULL && kinds[n].name != NULL)
		n++;
	return n;
}

/* libconfuse's table: every value is a string to it, types are checked above. */
static cfg_opt_t *
make_opts(const struct mt_conf_word *words, const struct mt_conf_kind *kinds)
{
	size_t n = count_words(words), m = count_kinds(kinds);
	cfg_opt_t *opts = g_new0(cfg_opt_t, n + m + 1);
	const cfg_opt_t end = CFG_END();

	for (size_t i = 0; i < n; i++) {
		opts[i].name = words[i].name;
		opts[i].type = CFGT_STR;
		opts[i].flags = CFGF_NODEFAULT;
		if (words[i].type == MT_CONF_LIST)
			opts[i].flags |= CFGF_LIST;
		opts[i].parsecb = take_value;
	}
	for (size_t i = 0; i < m; i++) {
		opts[n + i].name = kinds[i].name;
		opts[n + i].type = CFGT_SEC;
		opts[n + i].flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		opts[n + i].subopts = make_opts(kinds[i].words, NULL);
	}
	opts[n + m] = end;
	return opts;
}

static void
free_opts(cfg_opt_t *opts)
{
	for (size_t i = 0; opts[i].name != NULL; i++) {
		if (opts[i].type == CFGT_SEC)
			free_opts(opts[i].subopts);
	}
	g_free(opts);
}

static void
unref_array(void *p)
{
	g_array_unref(p);
}

static struct mt_conf_block *
make_block(const struct mt_conf *c, cfg_t *cfg, const struct mt_conf_word *words)
{
	struct mt_conf_block *b = g_new0(struct mt_conf_block, 1);

	b->conf = c;
	b->title = cfg->title;
	b->line = 1;
	b->nvalues = count_words(words);
	b->values = g_new0(struct value, b->nvalues);
	for (size_t i = 0; i < b->nvalues; i++) {
		struct value *v = &b->values[i];
		cfg_opt_t *opt = cfg_getopt(cfg, words[i].name);
		GArray *lines = g_hash_table_lookup(now->lines, opt);
		const char *text = words[i].fallback;

		v->word = &words[i];
		v->texts = g_ptr_array_new();
		for (unsigned k = 0; k < cfg_opt_size(opt); k++)
			g_ptr_array_add(v->texts, cfg_opt_getnstr(opt, k));
		v->lines = lines != NULL ? g_array_ref(lines)
					 : g_array_new(FALSE, FALSE, sizeof(unsigned));
		if (v->texts->len > 0)
			text = v->texts->pdata[0];
		if (text != NULL && words[i].type == MT_CONF_BOOL)
			g_assert(parse_bool(text, &v->number));
		else if (text != NULL && is_number(words[i].type))
			g_assert(parse_number(text, numbers[words[i].type].units,
			    &v->number));
	}
	return b;
}

static void
free_block(struct mt_conf_block *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->nvalues; i++) {
		g_ptr_array_free(b->values[i].texts, TRUE);
		g_array_unref(b->values[i].lines);
	}
	g_free(b->values);
	g_free(b);
}

static int
by_line(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	return (x->block->line > y->block->line) - (x->block->line < y->block->line);
}

/*
 * libconfuse knows in which line a section ends, people look for where it begins.
 * Sections do not nest: they close in the order in which they open.
 */
static void
set_section_lines(struct mt_conf *c)
{
	/* Where the two scanners disagree (an unquoted brace), the end has to do. */
	if (c->sections->len != now->opened->len)
		return;
	g_array_sort(c->sections, by_line);
	for (guint i = 0; i < c->sections->len; i++)
		g_array_index(c->sections, struct section, i).block->line =
		    g_array_index(now->opened, unsigned, i);
}

static void
collect(struct mt_conf *c)
{
	c->top = make_block(c, c->cfg, now->words);
	for (const struct mt_conf_kind *k = now->kinds; k != NULL && k->name != NULL; k++) {
		for (unsigned i = 0; i < cfg_size(c->cfg, k->name); i++) {
			cfg_t *sec = cfg_getnsec(c->cfg, k->name, i);
			struct section s = { k->name, make_block(c, sec, k->words) };

			s.block->line = (unsigned)sec->line;
			g_array_append_val(c->sections, s);
		}
	}
	set_section_lines(c);
}

struct mt_conf *
mt_conf_parse(const char *file, const char *text, const struct mt_conf_word *words,
    const struct mt_conf_kind *kinds, struct mt_err *err)
{
	mt_auto(mt_conf) c = g_new0(struct mt_conf, 1);
	struct parsing p = { file, words, kinds, err, false, NULL, NULL };
	cfg_opt_t *opts = make_opts(words, kinds);
	g_autofree char *plain = g_strdup(text);

	p.lines = g_hash_table_new_full(NULL, NULL, NULL, unref_array);
	p.opened = g_array_new(FALSE, FALSE, sizeof(unsigned));
	now = &p;
	c->file = g_strdup(file);
	c->sections = g_array_new(FALSE, FALSE, sizeof(struct section));
	c->cfg = cfg_init(opts, CFGF_NONE);
	cfg_set_error_function(c->cfg, note_error);
	if (mt_conf_prepare(file, plain, p.opened, err) < 0)
		p.failed = true;
	else if (cfg_parse_buf(c->cfg, plain) == CFG_SUCCESS && !p.failed)
		collect(c);
	else if (!p.failed)
		mt_fail(err, MT_ECONF, "%s: cannot be understood", file);
	g_hash_table_destroy(p.lines);
	g_array_unref(p.opened);
	free_opts(opts);
	now = NULL;
	return c->top != NULL ? mt_steal(&c) : NULL;
}

struct mt_conf *
mt_conf_read(const char *path, const struct mt_conf_word *words,
    const struct mt_conf_kind *kinds, struct mt_err *err)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_CONF);

	if (mt_file_read(path, &text, err) < 0)
		return NULL;
	if (memchr(text.p, '\0', text.n) != NULL)
		return mt_fail_null(err, MT_ECONF, "%s: holds a NUL byte: not a text file",
		    path);
	return mt_conf_parse(path, text.n > 0 ? text.p : "", words, kinds, err);
}

void
mt_conf_free(struct mt_conf *c)
{
	if (c == NULL)
		return;
	for (guint i = 0; i < c->sections->len; i++)
		free_block(g_array_index(c->sections, struct section, i).block);
	g_array_free(c->sections, TRUE);
	free_block(c->top);
	cfg_free(c->cfg);
	g_free(c->file);
	g_free(c);
}

const char *
mt_conf_file(const struct mt_conf *c)
{
	return c->file;
}

const struct mt_conf_block *
mt_conf_top(const struct mt_conf *c)
{
	return c->top;
}

size_t
mt_conf_sections(const struct mt_conf *c, const char *kind)
{
	size_t n = 0;

	for (guint i = 0; i < c->sections->len; i++)
		n += strcmp(g_array_index(c->sections, struct section, i).kind, kind) == 0;
	return n;
}

const struct mt_conf_block *
mt_conf_section(const struct mt_conf *c, const char *kind, size_t i)
{
	for (guint k = 0; k < c->sections->len; k++) {
		const struct section *s = &g_array_index(c->sections, struct section, k);

		if (strcmp(s->kind, kind) == 0 && i-- == 0)
			return s->block;
	}
	g_assert_not_reached();
}

const char *
mt_conf_title(const struct mt_conf_block *b)
{
	return b->title;
}

unsigned
mt_conf_block_line(const struct mt_conf_block *b)
{
	return b->line;
}

static const struct value *
value_of(const struct mt_conf_block *b, const char *word)
{
	for (size_t i = 0; i < b->nvalues; i++) {
		if (strcmp(b->values[i].word->name, word) == 0)
			return &b->values[i];
	}
	g_error("mt_conf: no such word: %s", word);
}

bool
mt_conf_is_set(const struct mt_conf_block *b, const char *word)
{
	return value_of(b, word)->texts->len > 0;
}

const char *
mt_conf_string(const struct mt_conf_block *b, const char *word)
{
	const struct value *v = value_of(b, word);

	g_assert(v->word->type == MT_CONF_STRING);
	return v->texts->len > 0 ? v->texts->pdata[0] : v->word->fallback;
}

bool
mt_conf_bool(const struct mt_conf_block *b, const char *word)
{
	const struct value *v = value_of(b, word);

	g_assert(v->word->type == MT_CONF_BOOL);
	return v->number != 0;
}

uint64_t
mt_conf_number(const struct mt_conf_block *b, const char *word)
{
	const struct value *v = value_of(b, word);

	g_assert(is_number(v->word->type));
	return v->number;
}

/* A list's fallback is a list of one. */
size_t
mt_conf_list_size(const struct mt_conf_block *b, const char *word)
{
	const struct value *v = value_of(b, word);

	g_assert(v->word->type == MT_CONF_LIST);
	return v->texts->len > 0 ? v->texts->len : v->word->fallback != NULL;
}

const char *
mt_conf_list(const struct mt_conf_block *b, const char *word, size_t i)
{
	const struct value *v = value_of(b, word);

	g_assert(i < mt_conf_list_size(b, word));
	return i < v->texts->len ? v->texts->pdata[i] : v->word->fallback;
}

static int
fail_at(const struct mt_conf_block *b, const struct value *v, size_t i, struct mt_err *err,
    const char *fmt, va_list ap)
{
	unsigned line = i < v->lines->len ? g_array_index(v->lines, unsigned, i) : b->line;

	mt_vfail(err, MT_ECONF, fmt, ap);
	return mt_fail_in(err, "%s:%u: %s", b->conf->file, line, v->word->name);
}

int
mt_conf_fail(const struct mt_conf_block *b, const char *word, struct mt_err *err,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(b, value_of(b, word), 0, err, fmt, ap);
	va_end(ap);
	return -1;
}

int
mt_conf_fail_item(const struct mt_conf_block *b, const char *word, size_t i,
    struct mt_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(b, value_of(b, word), i, err, fmt, ap);
	va_end(ap);
	return -1;
}
