/* recover.h - what became of the messages that a killed run was about to store */
#ifndef MT_FETCH_RECOVER_H
#define MT_FETCH_RECOVER_H

#include "fetch/state.h"

/*
 * Every row in state INTENDED is a killed run's. Where its file is in the Maildir, under
 * any flags, it becomes STORED and *found is counted up; where it is not, the row goes,
 * and the message is fetched again. -1 when a Maildir cannot be read: then nothing is
 * changed, since to guess would lose or double mail.
 */
int mt_fetch_recover(struct mt_fetch_state *state, uint64_t *found, struct mt_err *err);

#endif
