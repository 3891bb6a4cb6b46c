/* progress.c - one line on a terminal that says how far a long job is */
#include "base/progress.h"

#include <glib.h>
#include <stdbool.h>

#include "base/proc.h"

#define INTERVAL_MS 100
/* The time left is a guess that needs a basis. */
#define GUESS_AFTER_MS 2000

struct mt_progress {
	FILE *to;
	const char *what;
	const char *unit;
	uint64_t done;
	uint64_t total;
	uint64_t start_ms;
	uint64_t shown_ms;
	bool is_shown;
};

struct mt_progress *
mt_progress_new(FILE *to, const char *what, const char *unit)
{
	struct mt_progress *p = g_new0(struct mt_progress, 1);

	p->to = to;
	p->unit = unit;
	mt_progress_begin(p, what, 0);
	return p;
}

void
mt_progress_free(struct mt_progress *p)
{
	mt_progress_pause(p);
	g_free(p);
}

void
mt_progress_begin(struct mt_progress *p, const char *what, uint64_t total)
{
	if (p == NULL)
		return;
	p->what = what;
	p->total = total;
	p->done = 0;
	p->start_ms = p->shown_ms = mt_proc_now_ms();
}

static void
show(struct mt_progress *p, uint64_t now)
{
	uint64_t spent = now - p->start_ms;

	fprintf(p->to, "\r%s: %llu", p->what, (unsigned long long)p->done);
	if (p->total > 0)
		fprintf(p->to, " of %llu", (unsigned long long)p->total);
	fprintf(p->to, " %s", p->unit);
	if (p->total > 0)
		fprintf(p->to, ", %.0f%%",
		    100 * (double)MIN(p->done, p->total) / (double)p->total);
	if (p->total > p->done && p->done > 0 && spent >= GUESS_AFTER_MS) {
		double left = (double)spent / 1000 * (double)(p->total - p->done) /
		    (double)p->done;
		unsigned long long s = (unsigned long long)left;

		fprintf(p->to, ", %llu:%02llu left", s / 60, s % 60);
	}
	fputs("\033[K", p->to);
	fflush(p->to);
	p->is_shown = true;
	p->shown_ms = now;
}

void
mt_progress_add(struct mt_progress *p, uint64_t n)
{
	uint64_t now;

	if (p == NULL)
		return;
	p->done += n;
	now = mt_proc_now_ms();
	if (now - p->shown_ms >= INTERVAL_MS)
		show(p, now);
}

void
mt_progress_pause(struct mt_progress *p)
{
	if (p == NULL || !p->is_shown)
		return;
	fputs("\r\033[K", p->to);
	fflush(p->to);
	p->is_shown = false;
}
