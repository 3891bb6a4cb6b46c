/* parse.h - configuration files: a table of words, values with their lines, by libconfuse */
#ifndef MT_CONF_PARSE_H
#define MT_CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

/*
 *	word = "value"			# also // and slash-star comments
 *	list = { "one", "two" }
 *	section title {
 *		word = yes
 *	}
 *
 * "${NAME}" inside double quotes is the environment's variable, inside single quotes
 * it is itself.
 */
enum mt_conf_type {
	MT_CONF_STRING,
	MT_CONF_LIST,		/* of strings */
	MT_CONF_INT,		/* min to max */
	MT_CONF_BOOL,		/* yes no true false on off */
	MT_CONF_SIZE,		/* 64, 10k, 25M, 1G: bytes, powers of 1024; min to max */
	MT_CONF_TIME,		/* 90, 90s, 5m, 1h, 14d: seconds; min to max */
};

/* A word of the file. A table ends with an entry whose name is NULL. */
struct mt_conf_word {
	const char *name;
	enum mt_conf_type type;
	uint64_t min, max;	/* of a number; max 0 means no limit */
	const char *fallback;	/* the value as one would write it; NULL: none (0, no) */
};

/* A kind of titled section: `account work { ... }`. Ends with a name NULL. */
struct mt_conf_kind {
	const char *name;
	const struct mt_conf_word *words;
};

struct mt_conf;			/* a file that was read */
struct mt_conf_block;		/* its top level, or one section; owned by the file */

/*
 * Read the file, or text that is called `file` in messages. words and kinds (NULL:
 * no sections) must outlive the result. MT_ECONF is "file:line: what is wrong": an unknown
 * word (with the word that was probably meant), a value of the wrong type or out
 * of range, a word or a section title said twice, bad syntax. MT_ENOINPUT or MT_EPERM when it
 * cannot be read.
 */
struct mt_conf *mt_conf_read(const char *path, const struct mt_conf_word *words,
    const struct mt_conf_kind *kinds, struct mt_err *err);
struct mt_conf *mt_conf_parse(const char *file, const char *text,
    const struct mt_conf_word *words, const struct mt_conf_kind *kinds,
    struct mt_err *err);
void mt_conf_free(struct mt_conf *c);

const char *mt_conf_file(const struct mt_conf *c);
const struct mt_conf_block *mt_conf_top(const struct mt_conf *c);
/* Sections of a kind, in the order of the file. */
size_t mt_conf_sections(const struct mt_conf *c, const char *kind);
const struct mt_conf_block *mt_conf_section(const struct mt_conf *c, const char *kind,
    size_t i);
/* A section's title, and the line in which it begins. */
const char *mt_conf_title(const struct mt_conf_block *b);
unsigned mt_conf_block_line(const struct mt_conf_block *b);

/*
 * Values, borrowed from the file. A word that is not in the block's table, or is asked
 * for as another type, is a bug of the caller and aborts.
 */
bool mt_conf_is_set(const struct mt_conf_block *b, const char *word);
const char *mt_conf_string(const struct mt_conf_block *b, const char *word);
bool mt_conf_bool(const struct mt_conf_block *b, const char *word);
/* INT, SIZE (bytes) and TIME (seconds). */
uint64_t mt_conf_number(const struct mt_conf_block *b, const char *word);
size_t mt_conf_list_size(const struct mt_conf_block *b, const char *word);
const char *mt_conf_list(const struct mt_conf_block *b, const char *word, size_t i);

/*
 * Say what is wrong with a value: MT_ECONF "file:line: word: text", with the line of
 * the word (of the list's i-th value), or the block's when the file does not say it.
 * Returns -1.
 */
int mt_conf_fail(const struct mt_conf_block *b, const char *word, struct mt_err *err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int mt_conf_fail_item(const struct mt_conf_block *b, const char *word, size_t i,
    struct mt_err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

MT_AUTO_DEFINE(mt_conf, mt_conf_free);

#endif
