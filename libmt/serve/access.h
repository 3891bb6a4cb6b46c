/* access.h - failed logins by address: who is slowed down, who is locked out */
#ifndef MT_SERVE_ACCESS_H
#define MT_SERVE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/*
 * Every failure makes the next answer slower (half a second each, five at most). After
 * `max` failures without a pause of lockout_ms between them the address (for IPv6 its /64)
 * is locked out for lockout_ms, whatever the password. A right password does not clear the
 * count: who has one account could guess at others without end. Times are of any
 * monotonic clock in milliseconds.
 */
struct mt_serve_access;

struct mt_serve_access *mt_serve_access_new(unsigned max, uint64_t lockout_ms);
void mt_serve_access_free(struct mt_serve_access *a);
bool mt_serve_access_is_locked(const struct mt_serve_access *a, const char *peer,
    uint64_t now_ms);
/*
 * A password is being checked: until one of the two below is called it counts, so that many
 * guesses at once are no more than one after another.
 */
void mt_serve_access_begin(struct mt_serve_access *a, const char *peer, uint64_t now_ms);
/* It was right. */
void mt_serve_access_right(struct mt_serve_access *a, const char *peer);
/* It was wrong: for how many milliseconds the answer is to be held back. */
uint32_t mt_serve_access_failed(struct mt_serve_access *a, const char *peer,
    uint64_t now_ms);

MT_AUTO_DEFINE(mt_serve_access, mt_serve_access_free);

#endif
