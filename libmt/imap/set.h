/* set.h - sets of message numbers and UIDs: "1:5,7,9:12" (RFC 9051 9, sequence-set) */
#ifndef MT_IMAP_SET_H
#define MT_IMAP_SET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/slice.h"

struct mt_imap_range {
	uint32_t from, to;	/* 1 <= from <= to */
};

/*
 * Take one range in the order in which it is written, and the comma behind it. "7" is 7:7,
 * "9:5" is 5:9. False at the end, and for what is none, "*" and 0 among it: *s tells them
 * apart.
 */
bool mt_imap_range_take(struct mt_slice *s, struct mt_imap_range *out);

/* Sorted ranges that neither meet nor overlap. All 0 is the empty set. */
struct mt_imap_set {
	struct mt_imap_range *v;
	size_t n, cap;
};

void mt_imap_set_clear(struct mt_imap_set *set);
/* Quick behind the last range; elsewhere it moves what lies behind. */
void mt_imap_set_add(struct mt_imap_set *set, uint32_t from, uint32_t to);
/* Add what the text says; false, and only a part is added, when it is no set. */
bool mt_imap_set_parse(struct mt_imap_set *set, struct mt_slice text);
bool mt_imap_set_has(const struct mt_imap_set *set, uint32_t number);
uint64_t mt_imap_set_count(const struct mt_imap_set *set);

/*
 * Append ranges as text, from index *at on, until it has max bytes or a little more: the
 * line of a command must not grow for ever (RFC 7162 4). *at is then where to go on; false
 * when there was nothing left.
 */
bool mt_imap_set_text(const struct mt_imap_set *set, size_t *at, size_t max, GString *out);

MT_AUTO_VALUE_DEFINE(mt_imap_set, mt_imap_set_clear);

#endif
