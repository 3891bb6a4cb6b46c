/* plan.h - of what a maildrop lists: which is ours already, which comes, which goes */
#ifndef MT_FETCH_PLAN_H
#define MT_FETCH_PLAN_H

#include <stddef.h>

#include "fetch/state.h"
#include "pop3/client.h"

/* One message that the server lists, with a UID (borrowed from the list). */
struct mt_fetch_item {
	uint32_t number;
	uint64_t size;			/* by the server's count; 0: not said */
	struct mt_fetch_id id;
	struct mt_fetch_known known;	/* before this session, then as it goes on */
	bool is_shared;			/* others in the list have the same UID */
	bool is_fetched;		/* in this session */
	bool is_deleted;		/* DELE was accepted in this session */
};

struct mt_fetch_plan {
	struct mt_fetch_item *items;	/* in the order of the list */
	size_t n;
	/* Those that are to be fetched: new ones first, then those that may be known by
	   another UID's row (state.h), then those that broke a session; by number. */
	struct mt_fetch_item **todo;
	size_t todo_n;
	uint64_t bytes;			/* of these */
};

/*
 * Compare the list, whose entries without a UID are passed over, with what is known. With
 * dry_run nothing is changed in the state; else the rows of messages that are listed no
 * more are "gone" from now on, and rows whose UID is shared say so.
 */
int mt_fetch_plan_make(struct mt_fetch_plan *p, struct mt_fetch_state *state,
    const struct mt_pop3_entry *list, size_t n, bool dry_run, struct mt_err *err);
void mt_fetch_plan_clear(struct mt_fetch_plan *p);

/*
 * Whether a message may be deleted on the server: it is surely ours, and was fetched
 * after_s seconds ago or more (negative: never). Which of several messages with one UID
 * is ours is known only in the session that fetched it: later the others' numbers may
 * have moved.
 */
bool mt_fetch_is_due(const struct mt_fetch_item *item, int64_t after_s, int64_t now);

MT_AUTO_VALUE_DEFINE(mt_fetch_plan, mt_fetch_plan_clear);

#endif
