/* opt.c - option tables: parsing, --help, completion and the man-page check from one */
#include "conf/opt.h"

#include <glib.h>
#include <string.h>

#include "base/slice.h"
#include "conf/near.h"

static const struct mt_opt builtin[] = {
	{ MT_OPT_HELP, 'h', "help", NULL, MT_OPT_NOTHING, "print this help" },
	{ MT_OPT_VERSION, 0, "version", NULL, MT_OPT_NOTHING, "print the version" },
	{ 0 },
};
static const struct mt_opt hidden[] = {
	{ MT_OPT_PRINT, 0, "print-options", NULL, MT_OPT_NOTHING, "" },
	{ 0 },
};

static const struct mt_opt_verb *
verb_named(const struct mt_opt_command *command, const char *name)
{
	for (const struct mt_opt_verb *v = command->verbs; v->id != 0; v++) {
		if (g_strcmp0(v->name, name) == 0)
			return v;
	}
	return NULL;
}

void
mt_opt_init(struct mt_opt_parser *p, const struct mt_opt_command *command, int argc,
    char **argv)
{
	*p = (struct mt_opt_parser){ .command = command, .argc = argc, .argv = argv,
		.at = 1 };
}

/* The tables that are valid at this point of the command line, most special first. */
static size_t
tables(const struct mt_opt_parser *p, const struct mt_opt *out[4])
{
	const struct mt_opt_verb *verb =
	    p->verb != NULL ? p->verb : verb_named(p->command, NULL);
	size_t n = 0;

	if (verb != NULL && verb->opts != NULL)
		out[n++] = verb->opts;
	if (p->command->opts != NULL)
		out[n++] = p->command->opts;
	out[n++] = builtin;
	out[n++] = hidden;
	return n;
}

static const struct mt_opt *
find_letter(const struct mt_opt_parser *p, char letter)
{
	const struct mt_opt *list[4];
	size_t n = tables(p, list);

	for (size_t i = 0; i < n; i++) {
		for (const struct mt_opt *o = list[i]; o->id != 0; o++) {
			if (o->letter == letter)
				return o;
		}
	}
	return NULL;
}

/* The option with this long name, or the only one that begins so. */
static const struct mt_opt *
find_name(const struct mt_opt_parser *p, struct mt_slice name, bool *ambiguous)
{
	const struct mt_opt *list[4], *found = NULL;
	size_t n = tables(p, list);

	*ambiguous = false;
	for (size_t i = 0; i < n; i++) {
		for (const struct mt_opt *o = list[i]; o->id != 0; o++) {
			struct mt_slice full = mt_slice_str(o->name);

			if (o->name == NULL || !mt_slice_starts(full, name))
				continue;
			if (full.n == name.n)
				return o;
			if (list[i] == hidden)
				continue;
			*ambiguous = *ambiguous || found != NULL;
			found = o;
		}
	}
	return *ambiguous ? NULL : found;
}

static const char *
nearest_option(const struct mt_opt_parser *p, const char *name)
{
	const struct mt_opt *list[4];
	const char *best = NULL;
	size_t n = tables(p, list), best_distance = MT_NEAR_FAR;

	for (size_t i = 0; i + 1 < n; i++) {
		for (const struct mt_opt *o = list[i]; o->id != 0; o++) {
			size_t d = o->name == NULL ? SIZE_MAX
			    : mt_near_distance(name, o->name);

			if (d < best_distance) {
				best = o->name;
				best_distance = d;
			}
		}
	}
	return best;
}

/* Options of the form without a verb decide for that form. */
static void
decide_verb(struct mt_opt_parser *p, const struct mt_opt *found)
{
	const struct mt_opt_verb *plain = verb_named(p->command, NULL);

	if (p->verb != NULL || plain == NULL || plain->opts == NULL)
		return;
	for (const struct mt_opt *o = plain->opts; o->id != 0; o++) {
		if (o == found)
			p->verb = plain;
	}
}

static int
accept(struct mt_opt_parser *p, const struct mt_opt *o, const char *value)
{
	decide_verb(p, o);
	p->id = o->id;
	p->value = value;
	return 1;
}

static int
next_long(struct mt_opt_parser *p, const char *word, struct mt_err *err)
{
	struct mt_slice rest = mt_slice_str(word), name;
	const char *value = NULL, *guess;
	const struct mt_opt *o;
	bool ambiguous;

	if (mt_slice_take_until(&rest, '=', &name))
		value = rest.p;
	else
		name = rest;
	o = find_name(p, name, &ambiguous);
	if (o == NULL) {
		g_autofree char *text = mt_slice_dup(name);

		if (ambiguous)
			return mt_fail(err, MT_EUSAGE, "option --%s is ambiguous", text);
		guess = nearest_option(p, text);
		if (guess != NULL)
			return mt_fail(err, MT_EUSAGE,
			    "unknown option --%s; did you mean --%s?", text, guess);
		return mt_fail(err, MT_EUSAGE, "unknown option --%s", text);
	}
	if (o->arg == NULL && value != NULL)
		return mt_fail(err, MT_EUSAGE, "option --%s takes no value", o->name);
	if (o->arg != NULL && value == NULL) {
		if (p->at >= p->argc)
			return mt_fail(err, MT_EUSAGE, "option --%s needs a value: %s",
			    o->name, o->arg);
		value = p->argv[p->at++];
	}
	return accept(p, o, value);
}

static int
next_short(struct mt_opt_parser *p, struct mt_err *err)
{
	char letter = *p->cluster++;
	const struct mt_opt *o = find_letter(p, letter);
	const char *value = NULL;

	if (o == NULL)
		return mt_fail(err, MT_EUSAGE, "unknown option -%c", letter);
	if (o->arg != NULL) {
		value = p->cluster;
		p->cluster = NULL;
		if (*value == '\0') {
			if (p->at >= p->argc)
				return mt_fail(err, MT_EUSAGE,
				    "option -%c needs a value: %s", letter, o->arg);
			value = p->argv[p->at++];
		}
	}
	if (p->cluster != NULL && *p->cluster == '\0')
		p->cluster = NULL;
	return accept(p, o, value);
}

/* The verbs, for an error message: "init, create or list". g_free. */
static char *
verb_list(const struct mt_opt_command *command)
{
	GString *s = g_string_new(NULL);

	for (const struct mt_opt_verb *v = command->verbs; v->id != 0; v++) {
		if (v->name == NULL)
			continue;
		if (s->len > 0)
			g_string_append(s, v[1].id == 0 ? " or " : ", ");
		g_string_append(s, v->name);
	}
	return g_string_free(s, FALSE);
}

static int
next_arg(struct mt_opt_parser *p, const char *word, struct mt_err *err)
{
	if (p->verb == NULL) {
		const struct mt_opt_verb *named =
		    p->only_args ? NULL : verb_named(p->command, word);
		const struct mt_opt_verb *plain = verb_named(p->command, NULL);

		if (named == NULL && plain == NULL) {
			g_autofree char *list = verb_list(p->command);

			return mt_fail(err, MT_EUSAGE, "unknown command \"%s\": use %s",
			    word, list);
		}
		p->verb = named != NULL ? named : plain;
		if (named != NULL)
			return mt_opt_next(p, err);
	}
	p->id = MT_OPT_ARG;
	p->value = word;
	return 1;
}

int
mt_opt_next(struct mt_opt_parser *p, struct mt_err *err)
{
	const char *word;

	if (p->cluster != NULL)
		return next_short(p, err);
	if (p->at >= p->argc) {
		if (p->verb == NULL)
			p->verb = verb_named(p->command, NULL);
		if (p->verb == NULL) {
			g_autofree char *list = verb_list(p->command);

			return mt_fail(err, MT_EUSAGE, "no command given: use %s", list);
		}
		return 0;
	}
	word = p->argv[p->at++];
	if (p->only_args || word[0] != '-' || word[1] == '\0')
		return next_arg(p, word, err);
	if (strcmp(word, "--") == 0) {
		p->only_args = true;
		return mt_opt_next(p, err);
	}
	if (word[1] == '-')
		return next_long(p, word + 2, err);
	p->cluster = word + 1;
	return next_short(p, err);
}

/* The option as the user knows it: "--keep". */
static const char *
option_name(const struct mt_opt_parser *p, char text[64])
{
	const struct mt_opt *list[4];
	size_t n = tables(p, list);

	g_strlcpy(text, "argument", 64);
	for (size_t i = 0; i < n; i++) {
		for (const struct mt_opt *o = list[i]; o->id != 0; o++) {
			if (o->id != p->id)
				continue;
			if (o->name != NULL)
				g_snprintf(text, 64, "option --%s", o->name);
			else
				g_snprintf(text, 64, "option -%c", o->letter);
			return text;
		}
	}
	return text;
}

int
mt_opt_u64(const struct mt_opt_parser *p, uint64_t min, uint64_t max, uint64_t *out,
    struct mt_err *err)
{
	struct mt_slice s = mt_slice_str(p->value);
	uint64_t v;
	char name[64];

	if (!mt_slice_take_u64(&s, max, &v) || s.n != 0 || v < min)
		return mt_fail(err, MT_EUSAGE,
		    "%s: \"%s\" is not a number from %llu to %llu", option_name(p, name),
		    p->value, (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return 0;
}

struct unit {
	char letter;
	uint64_t factor;
};

/* A number with an optional unit letter of a table that ends with 0. */
static int
with_unit(const struct mt_opt_parser *p, const struct unit *units, const char *what,
    uint64_t *out, struct mt_err *err)
{
	struct mt_slice s = mt_slice_str(p->value);
	uint64_t v, factor = 1;
	char name[64];
	bool good = mt_slice_take_u64(&s, UINT64_MAX >> 31, &v);

	if (good && s.n == 1) {
		for (; units->letter != 0; units++) {
			if (g_ascii_tolower(s.p[0]) == units->letter) {
				factor = units->factor;
				s.n = 0;
			}
		}
	}
	if (!good || s.n != 0)
		return mt_fail(err, MT_EUSAGE, "%s: \"%s\" is not %s",
		    option_name(p, name), p->value, what);
	*out = v * factor;
	return 0;
}

int
mt_opt_size(const struct mt_opt_parser *p, uint64_t *out, struct mt_err *err)
{
	static const struct unit units[] = { { 'k', 1 << 10 }, { 'm', 1 << 20 },
		{ 'g', 1 << 30 }, { 0, 0 } };

	return with_unit(p, units, "a size such as 500, 10k, 2M or 1G", out, err);
}

int
mt_opt_days(const struct mt_opt_parser *p, uint64_t *out, struct mt_err *err)
{
	static const struct unit units[] = { { 'd', 1 }, { 'w', 7 }, { 0, 0 } };

	return with_unit(p, units, "a number of days such as 14, 14d or 2w", out, err);
}

/* Print text from column `from` on, wrapped at 80 with an indent. */
static void
print_wrapped(FILE *to, const char *text, size_t from, size_t indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	size_t column = from;

	for (char **w = words; *w != NULL; w++) {
		size_t n = (size_t)g_utf8_strlen(*w, -1);

		if (w != words && column + 1 + n > 79) {
			fprintf(to, "\n%*s", (int)indent, "");
			column = indent;
		} else if (w != words) {
			fputc(' ', to);
			column++;
		}
		fputs(*w, to);
		column += n;
	}
	fputc('\n', to);
}

static void
print_row(FILE *to, const char *left, const char *help)
{
	const size_t indent = 28;
	size_t n = (size_t)g_utf8_strlen(left, -1);

	fputs(left, to);
	if (n + 2 > indent)
		fprintf(to, "\n%*s", (int)indent, "");
	else
		fprintf(to, "%*s", (int)(indent - n), "");
	print_wrapped(to, help, indent, indent);
}

static void
print_option(FILE *to, const struct mt_opt *o)
{
	char left[80], letter[8] = "    ";

	if (o->letter != 0)
		g_snprintf(letter, sizeof(letter), "-%c%s", o->letter,
		    o->name != NULL ? ", " : "");
	g_snprintf(left, sizeof(left), "  %s%s%s%s%s", letter,
	    o->name != NULL ? "--" : "", o->name != NULL ? o->name : "",
	    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	print_row(to, left, o->help);
}

static void
print_options(FILE *to, const struct mt_opt *opts)
{
	for (const struct mt_opt *o = opts; o != NULL && o->id != 0; o++)
		print_option(to, o);
}

/* Whether an earlier form has the same option, with the same words. */
static bool
is_above(const struct mt_opt_command *c, const struct mt_opt_verb *verb,
    const struct mt_opt *o)
{
	for (const struct mt_opt_verb *v = c->verbs; v != verb; v++) {
		for (const struct mt_opt *p = v->opts; p != NULL && p->id != 0; p++) {
			if (p->letter == o->letter && g_strcmp0(p->name, o->name) == 0 &&
			    strcmp(p->help, o->help) == 0)
				return true;
		}
	}
	return false;
}

/* The options of one form among all; those that were explained are only named. */
static void
print_options_once(FILE *to, const struct mt_opt_command *c, const struct mt_opt_verb *verb)
{
	g_autoptr(GString) above = g_string_new(NULL);

	for (const struct mt_opt *o = verb->opts; o->id != 0; o++) {
		char letter[2] = { o->letter, '\0' };

		if (is_above(c, verb, o))
			g_string_append_printf(above, "%s-%s%s", above->len > 0 ? ", " : "",
			    o->name != NULL ? "-" : "", o->name != NULL ? o->name : letter);
		else
			print_option(to, o);
	}
	if (above->len > 0)
		print_row(to, "  as above", above->str);
}

static void
print_usage(FILE *to, const struct mt_opt_command *c, const struct mt_opt_verb *v,
    const char *lead)
{
	g_autofree char *line = g_strdup_printf("%s%s%s%s%s%s%s", c->name,
	    v->name != NULL ? " " : "", v->name != NULL ? v->name : "",
	    v->opts != NULL || c->opts != NULL ? " [OPTION]..." : "",
	    v->args != NULL && v->args[0] != '\0' ? " " : "",
	    v->args != NULL ? v->args : "", "");

	fprintf(to, "%s ", lead);
	print_wrapped(to, line, strlen(lead) + 1, 11);
}

void
mt_opt_print_help(const struct mt_opt_command *c, const struct mt_opt_verb *verb,
    FILE *to)
{
	const char *lead = "usage:";
	bool has_verbs = false, headed = false;

	for (const struct mt_opt_verb *v = c->verbs; v->id != 0; v++) {
		if (verb != NULL && v != verb)
			continue;
		print_usage(to, c, v, lead);
		lead = "      ";
	}
	if (verb != NULL && verb->name != NULL)
		fprintf(to, "\n%s %s: ", c->name, verb->name);
	else
		fprintf(to, "\n%s: ", c->name);
	print_wrapped(to, verb != NULL && verb->name != NULL ? verb->help : c->summary,
	    30, 2);
	for (const struct mt_opt_verb *v = c->verbs; verb == NULL && v->id != 0; v++) {
		char left[80];

		if (v->name == NULL)
			continue;
		if (!has_verbs)
			fputc('\n', to);
		has_verbs = true;
		g_snprintf(left, sizeof(left), "  %s", v->name);
		print_row(to, left, v->help);
	}
	for (const struct mt_opt_verb *v = c->verbs; v->id != 0; v++) {
		if ((verb != NULL && v != verb) || v->opts == NULL)
			continue;
		if (v->name != NULL)
			fprintf(to, "\nOptions of %s %s:\n", c->name, v->name);
		else
			fprintf(to, "\nOptions:\n");
		if (verb == NULL)
			print_options_once(to, c, v);
		else
			print_options(to, v->opts);
		headed = true;
	}
	if (has_verbs || !headed)
		fprintf(to, "\n%s:\n", has_verbs ? "With every form" : "Options");
	print_options(to, c->opts);
	print_options(to, builtin);
	if (c->epilogue != NULL)
		fprintf(to, "\n%s\n", c->epilogue);
	fprintf(to, "\nThe manual: man %s %s\n", c->section, c->name);
}

static void
print_table_options(FILE *to, const char *command, const char *verb,
    const struct mt_opt *opts)
{
	static const char *const words[] = { "", "file", "dir", "account" };

	for (const struct mt_opt *o = opts; o != NULL && o->id != 0; o++) {
		char letter[2] = { o->letter, '\0' };

		fprintf(to, "%s\t%s\toption\t%s\t%s\t%s\t%s\t%s\n", command, verb, letter,
		    o->name != NULL ? o->name : "", o->arg != NULL ? o->arg : "",
		    words[o->words], o->help);
	}
}

void
mt_opt_print_table(const struct mt_opt_command *c, FILE *to)
{
	static const char *const words[] = { "", "file", "dir", "account" };

	for (const struct mt_opt_verb *v = c->verbs; v->id != 0; v++) {
		const char *name = v->name != NULL ? v->name : "";

		fprintf(to, "%s\t%s\tverb\t\t\t%s\t%s\t%s\n", c->name, name,
		    v->args != NULL ? v->args : "", words[v->words],
		    v->help != NULL ? v->help : "");
		print_table_options(to, c->name, name, v->opts);
	}
	print_table_options(to, c->name, "*", c->opts);
	print_table_options(to, c->name, "*", builtin);
}
