/* log.c - log lines: one line whatever a peer says */
#include "base/log.h"

#include <unistd.h>

#include "tap.h"

static char *
line_with(const char *value)
{
	static char text[4096];
	int fds[2];
	ssize_t n;
	struct mt_log l;

	if (pipe(fds) < 0)
		return NULL;
	mt_log_set_fd(fds[1]);
	mt_log_set_time(false);
	l = mt_log_begin("test");
	mt_log_str(&l, "v", value);
	mt_log_u64(&l, "n", 7);
	mt_log_end(&l);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(fds[0]);
	close(fds[1]);
	return text;
}

int
main(void)
{
	g_autofree char *big = g_strnfill(9000, '"');

	is_str(line_with("plain"), "event=test v=plain n=7\n", "a plain value");
	is_str(line_with("two words"), "event=test v=\"two words\" n=7\n", "is quoted");
	is_str(line_with(""), "event=test v=\"\" n=7\n", "an empty one too");
	is_str(line_with("a\nevent=forged \"x\\"),
	    "event=test v=\"a\\x0aevent=forged \\\"x\\\\\" n=7\n", "nobody forges a line");
	ok(strlen(line_with(big)) < 2048 && strchr(line_with(big), '\n')[1] == '\0',
	    "a long value is cut, and the line ends");
	return tap_done();
}
