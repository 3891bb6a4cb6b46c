/* opt.h - option tables: parsing, --help, completion and the man-page check from one */
#ifndef MT_CONF_OPT_H
#define MT_CONF_OPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* What completion offers for an option's value or a verb's arguments. */
enum mt_opt_words {
	MT_OPT_NOTHING = 0,	/* anything: nothing to offer */
	MT_OPT_FILE,
	MT_OPT_DIR,
	MT_OPT_ACCOUNT,		/* account names of the configuration */
};

/* One option. A table ends with an entry that has id 0. */
struct mt_opt {
	int id;			/* what mt_opt_next() gives back; not 0 */
	char letter;		/* 's' for -s, or 0 */
	const char *name;	/* "subject" for --subject, or NULL */
	const char *arg;	/* "TEXT" when it takes a value, or NULL */
	enum mt_opt_words words;
	const char *help;	/* one sentence without a capital or a full stop */
};

/* One verb ("mt-send reply"), or with name NULL the form without one. */
struct mt_opt_verb {
	int id;
	const char *name;
	const char *args;	/* "[MSG]...": the synopsis of its arguments */
	enum mt_opt_words words;
	const char *help;
	const struct mt_opt *opts;	/* NULL for none */
};

struct mt_opt_command {
	const char *name;	/* "mt-send" */
	const char *section;	/* of its manual page: "1" or "8" */
	const char *summary;	/* "compose, reply, forward mail and submit it" */
	const struct mt_opt *opts;		/* valid with every verb; NULL for none */
	const struct mt_opt_verb *verbs;	/* ends with an entry of id 0 */
	const char *epilogue;	/* printed below the options in --help, or NULL */
};

/* Ids that mt_opt_next() itself gives: a positional argument, --help, --version, and
   the hidden --print-options for completion and tests. Every command has the three. */
#define MT_OPT_ARG (-1)
#define MT_OPT_HELP (-2)
#define MT_OPT_VERSION (-3)
#define MT_OPT_PRINT (-4)

struct mt_opt_parser {
	const struct mt_opt_command *command;
	const struct mt_opt_verb *verb;	/* NULL until the command line has chosen */
	char **argv;
	int argc;
	int at;			/* next word of argv */
	const char *cluster;	/* rest of "-abc" */
	bool only_args;		/* behind "--" */
	int id;			/* result: what was found */
	const char *value;	/* result: its value, a word of argv, or NULL */
};

void mt_opt_init(struct mt_opt_parser *p, const struct mt_opt_command *command, int argc,
    char **argv);

/*
 * The next option or argument: 1 with p->id and p->value, 0 at the end, -1 with
 * MT_EUSAGE, which names the word and, for a typing error, the option that was
 * probably meant. Options may stand between and behind arguments. "-s X", "-sX", "--subject X",
 * "--subject=X", "--" are understood; long names may be cut as long as they are unique.
 *
 * The first argument chooses the verb, unless an option that belongs to the form
 * without a verb came before. At the end a command without such a form fails when no
 * verb was given.
 */
int mt_opt_next(struct mt_opt_parser *p, struct mt_err *err);

/* A value as a number in [min, max], as a size ("64", "10k", "2M", "1G", powers of
   1024) or as days ("14", "14d", "2w"). MT_EUSAGE names the option and the value. */
int mt_opt_u64(const struct mt_opt_parser *p, uint64_t min, uint64_t max, uint64_t *out,
    struct mt_err *err);
int mt_opt_size(const struct mt_opt_parser *p, uint64_t *out, struct mt_err *err);
int mt_opt_days(const struct mt_opt_parser *p, uint64_t *out, struct mt_err *err);

/*
 * --help, within 80 columns: of one verb when it is not NULL, else of all, where an option
 * that several of them have is explained once.
 */
void mt_opt_print_help(const struct mt_opt_command *command,
    const struct mt_opt_verb *verb, FILE *to);

/*
 * The table for completion scripts and tests, one record a line, fields split by TAB:
 * command TAB verb TAB kind TAB letter TAB name TAB argument TAB words TAB help,
 * kind being "verb" or "option", an empty verb meaning the form without one and "*"
 * every verb.
 */
void mt_opt_print_table(const struct mt_opt_command *command, FILE *to);

#endif
