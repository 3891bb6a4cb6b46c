/* progress.h - one line on a terminal that says how far a long job is */
#ifndef MT_BASE_PROGRESS_H
#define MT_BASE_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

#include "base/auto.h"

struct mt_progress;

/*
 * Shows "what: 1234 of 20000 messages, 56%, 0:07 left" on the stream, in place, at most
 * ten times a second. The caller asks for one only when a person watches: every call
 * takes NULL and then does nothing. `what` and `unit` are borrowed.
 */
struct mt_progress *mt_progress_new(FILE *to, const char *what, const char *unit);
/* Wipes the line. */
void mt_progress_free(struct mt_progress *p);

/* How many there are (0: nobody knows), and start over from none done. */
void mt_progress_begin(struct mt_progress *p, const char *what, uint64_t total);
/* So many more are done. */
void mt_progress_add(struct mt_progress *p, uint64_t n);
/* Wipe the line, because something else will be printed; it comes back. */
void mt_progress_pause(struct mt_progress *p);

MT_AUTO_DEFINE(mt_progress, mt_progress_free);

#endif
