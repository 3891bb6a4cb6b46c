/* log.c - one line per event, key=value, for a server's log */
#include "base/log.h"

#include <glib.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"

static int log_fd = 2;
static bool log_time = true;

void
mt_log_set_fd(int fd)
{
	log_fd = fd;
}

void
mt_log_set_time(bool on)
{
	log_time = on;
}

static void
add(struct mt_log *l, const char *p, size_t n)
{
	const size_t room = sizeof(l->text) - 5;	/* for "...", LF and NUL */

	if (l->n + n > room)
		return;
	memcpy(l->text + l->n, p, n);
	l->n += n;
}

static bool
is_plain(struct mt_slice v)
{
	if (v.n == 0)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c <= ' ' || c == '"' || c == '\\' || c >= 0x7f)
			return false;
	}
	return true;
}

static void
add_quoted(struct mt_log *l, struct mt_slice v)
{
	char hex[5];

	add(l, "\"", 1);
	for (size_t i = 0; i < v.n && l->n < sizeof(l->text) - 16; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c == '"' || c == '\\') {
			add(l, "\\", 1);
			add(l, v.p + i, 1);
		} else if (c < ' ' || c >= 0x7f) {
			snprintf(hex, sizeof(hex), "\\x%02x", c);
			add(l, hex, 4);
		} else {
			add(l, v.p + i, 1);
		}
	}
	add(l, "\"", 1);
}

struct mt_log
mt_log_begin(const char *event)
{
	struct mt_log l = { .n = 0 };
	struct timespec ts;
	struct tm tm;
	char stamp[48];

	if (log_time) {
		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		l.n = strftime(l.text, sizeof(l.text), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(stamp, sizeof(stamp), ".%03ldZ ", ts.tv_nsec / 1000000);
		add(&l, stamp, strlen(stamp));
	}
	add(&l, "event=", 6);
	add(&l, event, strlen(event));
	return l;
}

void
mt_log_slice(struct mt_log *l, const char *key, struct mt_slice value)
{
	const size_t longest = 512;
	bool cut = value.n > longest;

	add(l, " ", 1);
	add(l, key, strlen(key));
	add(l, "=", 1);
	value = mt_slice_first(value, longest);
	if (is_plain(value))
		add(l, value.p, value.n);
	else
		add_quoted(l, value);
	if (cut)
		add(l, "...", 3);
}

void
mt_log_str(struct mt_log *l, const char *key, const char *value)
{
	mt_log_slice(l, key, mt_slice_str(value));
}

void
mt_log_u64(struct mt_log *l, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	mt_log_str(l, key, digits);
}

void
mt_log_end(struct mt_log *l)
{
	l->text[l->n++] = '\n';
	if (log_fd >= 0)
		(void)!mt_file_write_all(log_fd, l->text, l->n);
}
