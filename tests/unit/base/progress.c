/* progress.c - tests of libmt/base/progress.c */
#include "tap.h"

#include "base/progress.h"

int
main(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	struct mt_progress *p = mt_progress_new(to, "reading", "messages");

	mt_progress_begin(p, "reading", 8);
	mt_progress_add(p, 1);
	fflush(to);
	is_int(n, 0, "nothing is shown at once: a short job stays quiet");
	g_usleep(120 * 1000);
	mt_progress_add(p, 1);
	fflush(to);
	is_str(text, "\rreading: 2 of 8 messages, 25%\033[K",
	    "after a tenth of a second the line says how far it is");
	mt_progress_add(p, 1);
	fflush(to);
	is_str(text, "\rreading: 2 of 8 messages, 25%\033[K",
	    "and is not written again right away");
	mt_progress_free(p);
	fclose(to);
	is_str(text, "\rreading: 2 of 8 messages, 25%\033[K\r\033[K",
	    "the line is wiped at the end");
	free(text);

	mt_progress_begin(NULL, "x", 1);
	mt_progress_add(NULL, 1);
	mt_progress_pause(NULL);
	mt_progress_free(NULL);
	ok(true, "without a terminal there is no progress, and no harm");
	return tap_done();
}
