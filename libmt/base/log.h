/* log.h - one line per event, key=value, for a server's log */
#ifndef MT_BASE_LOG_H
#define MT_BASE_LOG_H

#include <stdint.h>

#include "base/slice.h"

/*
 * A line is built on the stack and written with one write(2), so that lines of
 * several processes never mix. Values are quoted where they hold a blank, a quote or
 * nothing, and control characters are shown as \xNN: what a peer says cannot forge a
 * line. A line that is too long is cut and ends in "...".
 *
 *	struct mt_log l = mt_log_begin("delivered");
 *	mt_log_str(&l, "rcpt", path);
 *	mt_log_end(&l);
 */
struct mt_log {
	char text[2048];
	size_t n;
};

/* Where lines go (stderr from the start); -1 drops them. */
void mt_log_set_fd(int fd);
/* Begin lines with the time, RFC 3339 in UTC with milliseconds (systemd adds its own). */
void mt_log_set_time(bool on);

struct mt_log mt_log_begin(const char *event);
void mt_log_str(struct mt_log *l, const char *key, const char *value);
void mt_log_slice(struct mt_log *l, const char *key, struct mt_slice value);
void mt_log_u64(struct mt_log *l, const char *key, uint64_t value);
void mt_log_end(struct mt_log *l);

#endif
