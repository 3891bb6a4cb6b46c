/* client.c - a POP3 session as a client: list, retrieve, delete, pipelined (RFC 1939) */
#include "pop3/client.h"

#include <glib.h>

#include "base/limits.h"
#include "pop3/reply.h"

/* A reply, or a piece of one. A big maildrop takes a server a while to list. */
#define REPLY_MS 120000
/* A whole list, line after line: what a slow line needs for the longest of them. */
#define LIST_MS 1800000
/* More in flight gain nothing: 50 fill a line of 20 ms. */
#define WINDOW 50
#define PIECE MT_KIB(64)
/* Lines of capabilities. */
#define CAPA_MAX 1000

/* What an answer is waited for. */
struct asked {
	const char *verb;
	uint32_t number;	/* 0: none */
};

struct mt_pop3 {
	struct mt_conn *conn;
	struct mt_pop3_capa capa;
	GQueue asked;		/* struct asked, oldest first */
	size_t list_lines, list_bytes;	/* of the answer that is read; see list_line() */
	gint64 list_end;
	GArray *list;		/* struct mt_pop3_entry */
	GStringChunk *uids;
	struct mt_pop3_body body;
	char piece[PIECE];
};

void
mt_pop3_free(struct mt_pop3 *p)
{
	if (p == NULL)
		return;
	mt_conn_free(p->conn);
	g_queue_clear_full(&p->asked, g_free);
	g_array_free(p->list, TRUE);
	g_string_chunk_free(p->uids);
	g_free(p);
}

size_t
mt_pop3_window(const struct mt_pop3 *p)
{
	return p->capa.pipelining ? WINDOW : 1;
}

/* Commands and answers. */

static int
ask(struct mt_pop3 *p, const char *verb, uint32_t number, struct mt_err *err)
{
	struct asked *a = g_new(struct asked, 1);
	int rc;

	*a = (struct asked){ verb, number };
	g_queue_push_tail(&p->asked, a);
	mt_conn_set_deadline(p->conn, REPLY_MS);
	if (number != 0)
		rc = mt_conn_writef(p->conn, err, "%s %u\r\n", verb, number);
	else
		rc = mt_conn_writef(p->conn, err, "%s\r\n", verb);
	return rc < 0 ? mt_fail_in(err, "%s", verb) : 0;
}

static int
fail_asked(const struct asked *a, struct mt_err *err)
{
	if (a->number != 0)
		return mt_fail_in(err, "%s %u", a->verb, a->number);
	return mt_fail_in(err, "%s", a->verb);
}

/* One line of an answer; the end of the stream is an error here. */
static int
reply_line(struct mt_pop3 *p, uint32_t ms, struct mt_slice *line, struct mt_err *err)
{
	int rc;

	mt_conn_set_deadline(p->conn, ms);
	rc = mt_conn_line(p->conn, MT_MAX_POP3_REPLY_LINE, line, err);
	if (rc == 0)
		return mt_fail(err, MT_ETEMP, "the server closed the connection");
	return rc;
}

int
mt_pop3_answer(struct mt_pop3 *p, struct mt_err *err)
{
	g_autofree struct asked *a = g_queue_pop_head(&p->asked);
	struct mt_pop3_reply reply;
	struct mt_slice line;

	g_assert(a != NULL);
	if (reply_line(p, REPLY_MS, &line, err) < 0)
		return fail_asked(a, err);
	if (!mt_pop3_reply_parse(line, &reply)) {
		mt_fail(err, MT_EPROTO, "not a reply: %.*s", MT_SLICE_ARG(line));
		return fail_asked(a, err);
	}
	p->body = MT_POP3_BODY_INIT;
	if (reply.ok)
		return 1;
	mt_fail(err, mt_pop3_reply_kind(&reply), "the server says: %.*s",
	    MT_SLICE_ARG(line));
	fail_asked(a, err);
	return 0;
}

int
mt_pop3_send_retr(struct mt_pop3 *p, uint32_t number, struct mt_err *err)
{
	return ask(p, "RETR", number, err);
}

int
mt_pop3_send_dele(struct mt_pop3 *p, uint32_t number, struct mt_err *err)
{
	return ask(p, "DELE", number, err);
}

static void
begin_list(struct mt_pop3 *p)
{
	p->list_lines = p->list_bytes = 0;
	p->list_end = g_get_monotonic_time() + LIST_MS * 1000LL;
}

/* A line of a multi-line answer that holds no message, of max lines: 1, 0 at the dot,
   -1. A server gets no more memory and time than the longest honest list needs. */
static int
list_line(struct mt_pop3 *p, size_t max, struct mt_slice *line, struct mt_err *err)
{
	gint64 left_ms = (p->list_end - g_get_monotonic_time()) / 1000;

	if (reply_line(p, (uint32_t)CLAMP(left_ms, 1, REPLY_MS), line, err) < 0)
		return -1;
	if (mt_slice_take_char(line, '.') && line->n == 0)
		return 0;
	p->list_bytes += line->n;
	if (++p->list_lines > max || p->list_bytes > MT_MAX_POP3_LIST)
		return mt_fail(err, MT_EPROTO, "a list without end (%zu lines)",
		    p->list_lines);
	return 1;
}

/* Capabilities. */

static int
ask_capa(struct mt_pop3 *p, struct mt_err *err)
{
	struct mt_slice line;
	int rc;

	rc = ask(p, "CAPA", 0, err) < 0 ? -1 : mt_pop3_answer(p, err);
	/* A server without CAPA (RFC 1939 alone) is no error. */
	if (rc <= 0)
		return rc;
	begin_list(p);
	while ((rc = list_line(p, CAPA_MAX, &line, err)) > 0)
		mt_pop3_capa_parse(line, &p->capa);
	return rc < 0 ? mt_fail_in(err, "CAPA") : 0;
}

struct mt_pop3 *
mt_pop3_new(struct mt_conn *c, struct mt_err *err)
{
	mt_auto(mt_pop3) p = g_new0(struct mt_pop3, 1);
	struct mt_err ignored = { 0 };

	p->conn = c;
	p->list = g_array_new(FALSE, FALSE, sizeof(struct mt_pop3_entry));
	p->uids = g_string_chunk_new(16384);
	g_queue_init(&p->asked);
	mt_pop3_capa_find(mt_conn_preamble(c), &p->capa);
	if (!p->capa.pipelining && ask_capa(p, &ignored) < 0) {
		if (err != NULL)
			*err = ignored;
		return NULL;
	}
	return mt_steal(&p);
}

/* Lists. */

static int
by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct mt_pop3_entry *)a)->number;
	uint32_t y = ((const struct mt_pop3_entry *)b)->number;

	return x < y ? -1 : x > y;
}

static int
read_uidl(struct mt_pop3 *p, struct mt_err *err)
{
	struct mt_pop3_entry e = { 0 };
	struct mt_slice line, uid;
	int rc;

	begin_list(p);
	while ((rc = list_line(p, MT_MAX_POP3_MESSAGES, &line, err)) > 0) {
		/* A line that is none leaves its message without a UID: the caller
		   finds it by LIST, and says so. */
		if (!mt_pop3_uidl_parse(line, &e.number, &uid))
			continue;
		e.uid = g_string_chunk_insert_len(p->uids, uid.p, (gssize)uid.n);
		g_array_append_val(p->list, e);
	}
	return rc;
}

static int
read_list(struct mt_pop3 *p, struct mt_err *err)
{
	struct mt_pop3_entry e = { 0 };
	struct mt_slice line;
	int rc;

	begin_list(p);
	while ((rc = list_line(p, MT_MAX_POP3_MESSAGES, &line, err)) > 0) {
		if (!mt_pop3_list_parse(line, &e.number, &e.size))
			return mt_fail(err, MT_EPROTO, "not a message and its size: %.*s",
			    MT_SLICE_ARG(line));
		g_array_append_val(p->list, e);
	}
	return rc;
}

/* Both answers name most messages: make one entry of each number, sizes and UIDs joined. */
static void
join_entries(GArray *list)
{
	struct mt_pop3_entry *v = (struct mt_pop3_entry *)(void *)list->data;
	guint n = 0;

	g_array_sort(list, by_number);
	for (guint i = 0; i < list->len; i++) {
		if (n == 0 || v[n - 1].number != v[i].number) {
			v[n++] = v[i];
			continue;
		}
		if (v[i].uid != NULL)
			v[n - 1].uid = v[i].uid;
		if (v[i].size != 0)
			v[n - 1].size = v[i].size;
	}
	g_array_set_size(list, n);
}

int
mt_pop3_list(struct mt_pop3 *p, const struct mt_pop3_entry **list, size_t *n,
    struct mt_err *err)
{
	int rc;

	g_array_set_size(p->list, 0);
	if (ask(p, "UIDL", 0, err) < 0)
		return -1;
	if (p->capa.pipelining && ask(p, "LIST", 0, err) < 0)
		return -1;
	rc = mt_pop3_answer(p, err);
	if (rc == 0)
		return mt_fail_in(err, "the server cannot tell its messages apart");
	if (rc < 0)
		return -1;
	if (read_uidl(p, err) < 0)
		return mt_fail_in(err, "UIDL");
	if (!p->capa.pipelining && ask(p, "LIST", 0, err) < 0)
		return -1;
	rc = mt_pop3_answer(p, err);
	if (rc <= 0)
		return -1;
	if (read_list(p, err) < 0)
		return mt_fail_in(err, "LIST");
	join_entries(p->list);
	*list = (const struct mt_pop3_entry *)(const void *)p->list->data;
	*n = p->list->len;
	return 0;
}

/* Messages. */

int
mt_pop3_read(struct mt_pop3 *p, struct mt_slice *piece, struct mt_err *err)
{
	size_t n = 0;

	while (n == 0) {
		struct mt_slice in;
		size_t had;
		int rc;

		if (p->body.state == MT_POP3_BODY_END)
			return 0;
		mt_conn_set_deadline(p->conn, REPLY_MS);
		rc = mt_conn_peek(p->conn, &in, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return mt_fail(err, MT_ETEMP,
			    "the server closed the connection within a message");
		had = in.n;
		n = mt_pop3_body_decode(&p->body, &in, p->piece, sizeof(p->piece));
		mt_conn_consume(p->conn, had - in.n);
	}
	*piece = mt_slice_mem(p->piece, n);
	return 1;
}

int
mt_pop3_quit(struct mt_pop3 *p, struct mt_err *err)
{
	if (ask(p, "QUIT", 0, err) < 0)
		return -1;
	return mt_pop3_answer(p, err);
}
