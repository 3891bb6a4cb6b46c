/* inject.c - pass many finished messages on, as they are, to given recipients */
#include "send/inject.h"

#include <glib.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "message/header.h"
#include "send/draft.h"
#include "smtp/client.h"

/* So many lost connections one after another, and the server is given up. */
#define LOST_MAX 3

/* A place for a connection: one thread at a time has it. */
struct line {
	struct mt_smtp_client *client;
	unsigned used;		/* messages since it was dialled */
	unsigned lost;		/* connections that broke since the last success */
	bool busy;
	bool closed;		/* the server takes no more connections than the others */
};

/*
 * There are as many threads as lines at most. They share the walk, under walk_lock (which
 * may be held while standard input gives no path), and from `lines` on what lock guards.
 */
struct mt_inject {
	struct mt_inject_params params;
	char *from;
	GPtrArray *rcpts;
	pthread_mutex_t walk_lock;
	pthread_mutex_t lock;
	pthread_cond_t news;
	pthread_cond_t idle;	/* a line is free, or the server was given up */
	struct line lines[MT_INJECT_JOBS_MAX];
	unsigned nlines;
	GQueue results;		/* struct mt_inject_result */
	unsigned running;
	bool gave_up;		/* why: then nothing is sent any more */
	struct mt_err why;
	pthread_t threads[MT_INJECT_JOBS_MAX];
	unsigned nthreads;
};

const char *
mt_inject_word(enum mt_inject_fate fate)
{
	static const char *const words[] = { "fit", "sent", "partly", "refused", "deferred",
		"unfit", "unreadable" };

	return words[fate];
}

void
mt_inject_result_clear(struct mt_inject_result *r)
{
	g_free(r->name);
	g_free(r->text);
	*r = (struct mt_inject_result){ 0 };
}

static void
set_fate(struct mt_inject_result *r, enum mt_inject_fate fate, const char *text)
{
	r->fate = fate;
	g_free(r->text);
	r->text = g_strdup(text);
}

static bool
has_bcc(struct mt_slice head)
{
	struct mt_header_field f;

	return mt_header_find(head, "Bcc", &f) ||
	    mt_header_find(head, "Resent-Bcc", &f);
}

/* What the wire cannot show of a message, though no line of it changes; or NULL. */
static const char *
line_end_note(const struct mt_smtp_scan *scan)
{
	uint64_t lf_only = scan->size - scan->stored - (scan->lacks_end ? 2 : 0);
	uint64_t ended = scan->lines - (scan->lacks_end ? 1 : 0);

	if (lf_only > 0 && lf_only < ended)
		return "mixed line ends: sent with CRLF everywhere";
	return scan->lacks_end ? "no line end at its end: sent with one" : NULL;
}

/* Whether the message may go as it is; otherwise the result says why not. */
static bool
is_fit(const struct mt_inject *i, int fd, struct mt_inject_result *r)
{
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	struct mt_smtp_scan scan;
	struct mt_err err = { 0 };

	if (mt_smtp_scan(fd, &scan, &err) < 0) {
		bool unfit = err.kind == MT_EDATA;

		set_fate(r, unfit ? MT_INJECT_UNFIT : MT_INJECT_UNREADABLE, err.msg);
		return false;
	}
	r->size = scan.size;
	r->text = g_strdup(line_end_note(&scan));
	if (scan.stored == 0) {
		set_fate(r, MT_INJECT_UNFIT, "the file is empty");
		return false;
	}
	if (i->params.keep_bcc)
		return true;
	if (mt_draft_header(fd, &head, &err) < 0) {
		set_fate(r, MT_INJECT_UNFIT, err.msg);
		return false;
	}
	if (has_bcc(mt_buf_slice(&head))) {
		set_fate(r, MT_INJECT_UNFIT,
		    "it has a Bcc field, which others would see (--keep-bcc sends it)");
		return false;
	}
	return true;
}

/* Call with the lock held. */
static void
give_up(struct mt_inject *i, const struct mt_err *why)
{
	if (!i->gave_up) {
		i->gave_up = true;
		i->why = *why;
	}
	pthread_cond_broadcast(&i->idle);
}

/* A free line, and one with a connection rather than another; NULL when there is none. */
static struct line *
free_line(struct mt_inject *i)
{
	struct line *found = NULL;

	for (unsigned at = 0; at < i->nlines; at++) {
		struct line *l = &i->lines[at];

		if (!l->busy && !l->closed && (found == NULL || found->client == NULL))
			found = l;
	}
	return found;
}

static bool
is_last_line(const struct mt_inject *i, const struct line *line)
{
	for (unsigned at = 0; at < i->nlines; at++) {
		if (&i->lines[at] != line && !i->lines[at].closed)
			return false;
	}
	return true;
}

static void
release_line(struct mt_inject *i, struct line *l)
{
	pthread_mutex_lock(&i->lock);
	l->busy = false;
	pthread_cond_signal(&i->idle);
	pthread_mutex_unlock(&i->lock);
}

/* Connect, where it is not connected. A failure closes the line; that of the last line
   is the server's. */
static bool
connect_line(struct mt_inject *i, struct line *l)
{
	struct mt_err err = { 0 };
	struct mt_conn *conn;

	if (l->client != NULL && mt_smtp_client_is_usable(l->client))
		return true;
	g_clear_pointer(&l->client, mt_smtp_client_free);
	l->used = 0;
	conn = mt_conn_dial(i->params.server, &err);
	if (conn != NULL) {
		l->client = mt_smtp_client_new(conn);
		return true;
	}
	pthread_mutex_lock(&i->lock);
	l->closed = true;
	if (is_last_line(i, l))
		give_up(i, &err);
	pthread_mutex_unlock(&i->lock);
	return false;
}

/* A line with a connection that can be used; NULL when the server was given up. */
static struct line *
take_line(struct mt_inject *i)
{
	struct line *l = NULL;

	do {
		pthread_mutex_lock(&i->lock);
		while (!i->gave_up && (l = free_line(i)) == NULL)
			pthread_cond_wait(&i->idle, &i->lock);
		if (i->gave_up)
			l = NULL;
		else
			l->busy = true;
		pthread_mutex_unlock(&i->lock);
	} while (l != NULL && !connect_line(i, l));
	return l;
}

/* "<b@example.org>: 550 5.1.1 no such user; <c@...>: ..." */
static char *
describe(const struct mt_inject *i, const struct mt_smtp_outcome *outcomes)
{
	GString *s = g_string_new(NULL);

	for (guint at = 0; at < i->rcpts->len; at++) {
		if (outcomes[at].fate == MT_SMTP_SENT)
			continue;
		g_string_append_printf(s, "%s<%s>: %s", s->len > 0 ? "; " : "",
		    (const char *)i->rcpts->pdata[at], outcomes[at].text);
	}
	return g_string_free(s, FALSE);
}

static enum mt_inject_fate
judge(const struct mt_smtp_outcome *outcomes, size_t n)
{
	size_t sent = 0, deferred = 0;

	for (size_t i = 0; i < n; i++) {
		sent += outcomes[i].fate == MT_SMTP_SENT;
		deferred += outcomes[i].fate == MT_SMTP_DEFERRED;
	}
	if (sent > 0)
		return sent == n ? MT_INJECT_SENT : MT_INJECT_PARTLY;
	return deferred > 0 ? MT_INJECT_DEFERRED : MT_INJECT_REFUSED;
}

/* Whether the server hung up between messages: it has this one for nobody. */
static bool
hung_up_before(const struct line *l, const struct mt_smtp_outcome *outcomes, size_t n)
{
	if (l->used == 0 || mt_smtp_client_is_usable(l->client))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (outcomes[i].fate != MT_SMTP_DEFERRED || outcomes[i].is_unknown)
			return false;
	}
	return true;
}

static void
send_one(struct mt_inject *i, int fd, struct mt_inject_result *r)
{
	g_autofree struct mt_smtp_outcome *outcomes =
	    g_new0(struct mt_smtp_outcome, i->rcpts->len);
	struct mt_smtp_envelope_out env = { i->from,
		(const char *const *)i->rcpts->pdata, i->rcpts->len, NULL, NULL, false };
	struct mt_err err = { 0 };
	struct line *l;
	bool again;

	do {
		l = take_line(i);
		if (l == NULL) {
			set_fate(r, MT_INJECT_DEFERRED, i->why.msg);
			return;
		}
		(void)mt_smtp_client_send(l->client, &env, fd, outcomes, &err);
		again = hung_up_before(l, outcomes, i->rcpts->len);
		l->used++;
		if (again)
			release_line(i, l);
	} while (again);
	r->fate = judge(outcomes, i->rcpts->len);
	if (r->fate != MT_INJECT_SENT) {
		g_free(r->text);
		r->text = describe(i, outcomes);
	}
	l->lost = mt_smtp_client_is_usable(l->client) ? 0 : l->lost + 1;
	if (l->lost >= LOST_MAX) {
		pthread_mutex_lock(&i->lock);
		give_up(i, &err);
		pthread_mutex_unlock(&i->lock);
	}
	release_line(i, l);
}

static void
report(struct mt_inject *i, struct mt_inject_result *r)
{
	struct mt_inject_result *kept = g_memdup2(r, sizeof(*r));

	pthread_mutex_lock(&i->lock);
	g_queue_push_tail(&i->results, kept);
	pthread_cond_signal(&i->news);
	pthread_mutex_unlock(&i->lock);
}

static void *
work(void *arg)
{
	struct mt_inject *i = arg;

	for (;;) {
		mt_auto_value(mt_walk_entry) e = { .fd = -1 };
		struct mt_inject_result r = { 0 };
		int rc;

		pthread_mutex_lock(&i->walk_lock);
		rc = mt_walk_next(i->params.walk, &e);
		pthread_mutex_unlock(&i->walk_lock);
		if (rc == 0)
			break;
		r.name = mt_steal(&e.name);
		if (e.fd < 0)
			set_fate(&r, MT_INJECT_UNREADABLE, e.err.msg);
		else if (is_fit(i, e.fd, &r) && i->params.server != NULL)
			send_one(i, e.fd, &r);
		report(i, &r);
	}
	pthread_mutex_lock(&i->lock);
	i->running--;
	pthread_cond_signal(&i->news);
	pthread_mutex_unlock(&i->lock);
	return NULL;
}

struct mt_inject *
mt_inject_new(const struct mt_inject_params *params, struct mt_err *err)
{
	struct mt_inject *i = g_new0(struct mt_inject, 1);
	unsigned jobs = CLAMP(params->jobs, 1, MT_INJECT_JOBS_MAX);

	i->params = *params;
	i->from = params->from != NULL ? mt_addr_spec(params->from) : g_strdup("");
	i->rcpts = g_ptr_array_new_with_free_func(g_free);
	for (size_t at = 0; at < params->rcpts->n; at++)
		g_ptr_array_add(i->rcpts, mt_addr_spec(&params->rcpts->v[at]));
	g_queue_init(&i->results);
	pthread_mutex_init(&i->walk_lock, NULL);
	pthread_mutex_init(&i->lock, NULL);
	pthread_cond_init(&i->news, NULL);
	pthread_cond_init(&i->idle, NULL);
	i->nlines = jobs;
	pthread_mutex_lock(&i->lock);
	while (i->nthreads < jobs &&
	    pthread_create(&i->threads[i->nthreads], NULL, work, i) == 0)
		i->nthreads++;
	i->running = i->nthreads;
	pthread_mutex_unlock(&i->lock);
	if (i->nthreads > 0)
		return i;
	mt_inject_free(i);
	return mt_fail_null(err, MT_ETEMP, "no thread can be made: %m");
}

int
mt_inject_next(struct mt_inject *i, struct mt_inject_result *out)
{
	struct mt_inject_result *r;

	pthread_mutex_lock(&i->lock);
	while ((r = g_queue_pop_head(&i->results)) == NULL && i->running > 0)
		pthread_cond_wait(&i->news, &i->lock);
	pthread_mutex_unlock(&i->lock);
	if (r == NULL)
		return 0;
	*out = *r;
	g_free(r);
	return 1;
}

void
mt_inject_free(struct mt_inject *i)
{
	struct mt_inject_result *r;

	if (i == NULL)
		return;
	for (unsigned at = 0; at < i->nthreads; at++)
		pthread_join(i->threads[at], NULL);
	while ((r = g_queue_pop_head(&i->results)) != NULL) {
		mt_inject_result_clear(r);
		g_free(r);
	}
	for (unsigned at = 0; at < i->nlines; at++) {
		struct mt_smtp_client *client = i->lines[at].client;

		if (client != NULL && mt_smtp_client_is_usable(client))
			mt_smtp_client_quit(client);
		mt_smtp_client_free(client);
	}
	pthread_cond_destroy(&i->idle);
	pthread_cond_destroy(&i->news);
	pthread_mutex_destroy(&i->lock);
	pthread_mutex_destroy(&i->walk_lock);
	g_ptr_array_free(i->rcpts, TRUE);
	g_free(i->from);
	g_free(i);
}
