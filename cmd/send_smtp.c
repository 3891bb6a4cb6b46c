/* send_smtp.c - mt-send: sendmail -bs, SMTP on standard input and output (RFC 5321) */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "send.h"
#include "send/draft.h"
#include "send/sendmail.h"
#include "send_outbox.h"
#include "smtp/data.h"
#include "smtp/session.h"

struct smtp {
	struct send *s;
	struct mt_spool *spool;
	struct mt_smtp_session *engine;
	struct mt_buf in;	/* what was read, with CRLF */
	bool had_cr;		/* the byte before it was one */
	bool knows_ends;	/* the first line was there, */
	bool lf_ends;		/* and ended in LF alone */
	GPtrArray *ids;		/* of what was queued */
	int fd;			/* the message under way, or -1 */
};

/*
 * Read more: 1, 0 at the end, -1. The caller is a program of the user's own, and many of
 * those say LF where SMTP has CRLF: whose first command ends so, ends all lines so. Who
 * began with CRLF has to stay with it, for what he sends of others may hold LF.LF.
 */
static int
fill(struct smtp *m)
{
	char chunk[16384];
	ssize_t n;

	do
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	for (ssize_t i = 0; i < n; i++) {
		bool lf = chunk[i] == '\n' && !m->had_cr;

		if (chunk[i] == '\n' && !m->knows_ends) {
			m->knows_ends = true;
			m->lf_ends = lf;
		}
		if ((lf && m->lf_ends && mt_buf_append_char(&m->in, '\r') < 0) ||
		    mt_buf_append_char(&m->in, chunk[i]) < 0)
			return -1;
		m->had_cr = chunk[i] == '\r';
	}
	return 1;
}

static enum mt_smtp_event
next_command(struct smtp *m)
{
	enum mt_smtp_event ev;
	struct mt_slice in, line;
	size_t at;

	for (;;) {
		in = mt_buf_slice(&m->in);
		at = mt_slice_find(in, '\n');
		if (at < in.n || in.n >= MT_MAX_SMTP_LINE)
			break;
		if (fill(m) <= 0)
			return MT_SMTP_CLOSE;
	}
	line = mt_slice_first(in, MIN(at + 1, MT_MAX_SMTP_LINE));
	ev = mt_smtp_session_line(m->engine, line);
	mt_buf_drop(&m->in, line.n);
	return ev;
}

static int
write_output(struct smtp *m)
{
	struct mt_slice out = mt_smtp_session_output(m->engine);

	return mt_file_write_all(STDOUT_FILENO, out.p, out.n);
}

/* The message into a temporary file. */
static int
receive(struct smtp *m, enum mt_smtp_data_status *status)
{
	static char out[MT_MAX_CONN_IN];
	struct mt_smtp_data d;
	size_t n;

	mt_smtp_data_init(&d, 0);
	for (;;) {
		struct mt_slice in = mt_slice_first(mt_buf_slice(&m->in), sizeof(out));
		struct mt_slice rest = in;

		*status = mt_smtp_data_decode(&d, &rest, out, &n);
		mt_buf_drop(&m->in, in.n - rest.n);
		if (mt_file_write_all(m->fd, out, n) < 0)
			return -1;
		if (*status != MT_SMTP_DATA_MORE)
			return 0;
		if (m->in.n == 0 && fill(m) <= 0)
			return -1;
	}
}

/* Whether it was not there already. */
static bool
add_path(struct mt_addr_list *list, const struct mt_smtp_path *path)
{
	char local[MT_SMTP_PATH_SIZE], domain[MT_SMTP_PATH_SIZE];
	const struct mt_addr a = { NULL, local, domain };

	g_strlcpy(local, path->local, sizeof(local));
	g_strlcpy(domain, path->domain, sizeof(domain));
	return mt_addr_list_add_new(list, &a);
}

/* Into the queue, as any message that sendmail is given. */
static int
queue(struct smtp *m, struct mt_err *err)
{
	const struct mt_smtp_envelope *e = mt_smtp_session_envelope(m->engine);
	int mine = mt_sendmail_find_author(m->fd, &m->s->mine);
	mt_auto_value(mt_addr_list) from = { 0 }, rcpts = { 0 }, none = { 0 };
	mt_auto_value(mt_addr) author = { 0 };
	const struct mt_sendmail params = { false,
		m->s->local.local != NULL ? &m->s->local : NULL, &author };
	mt_auto(mt_spool_item) item = NULL;
	mt_auto_fd int draft = -1;
	struct mt_dsn_rcpt wishes[MT_MAX_RCPTS];
	const struct mt_dsn dsn = { m->s->dsn.notify,
		e->ret != MT_DSN_RET_UNSAID ? e->ret : m->s->dsn.ret,
		e->envid[0] != '\0' ? e->envid : m->s->dsn.envid };
	struct send_mail mail;

	if (!mt_smtp_path_is_null(&e->from))
		add_path(&from, &e->from);
	for (size_t i = 0; i < e->rcpts_n; i++) {
		const struct mt_smtp_wish *w = &e->wishes[i];

		if (add_path(&rcpts, &e->rcpts[i]))
			wishes[rcpts.n - 1] = (struct mt_dsn_rcpt){ w->notify,
				w->orcpt[0] != '\0' ? w->orcpt : NULL };
	}
	if (send_choose_account(m->s, mine >= 0 ? &m->s->mine.v[mine] :
	    from.n > 0 ? &from.v[0] : NULL, err) < 0 ||
	    mt_addr_parse_one(mt_slice_str(m->s->account->from), &author, err) < 0)
		return -1;
	draft = mt_sendmail_read(m->fd, &params, &none, err);
	if (draft < 0 || send_check_mail(m->s, draft, err) < 0)
		return -1;
	mail = (struct send_mail){ .from = from.n > 0 ? &from.v[0] : NULL, .rcpts = &rcpts,
		.draft = draft, .dsn = &dsn, .wishes = wishes };
	if (send_queue_add(m->s, m->spool, &mail, &item, err) < 0)
		return -1;
	g_ptr_array_add(m->ids, g_strdup(item->id));
	return 0;
}

static enum mt_smtp_event
begin_data(struct smtp *m)
{
	struct mt_err err = { 0 };

	m->fd = mt_file_temp(&err);
	if (m->fd < 0)
		mt_cmd_warn("%s", err.msg);
	return mt_smtp_session_answer(m->engine, m->fd < 0 ? &mt_smtp_no_space : NULL);
}

/* The 250 is said when the queue has it. */
static enum mt_smtp_event
receive_data(struct smtp *m)
{
	enum mt_smtp_data_status status;
	struct mt_smtp_answer no = { 451, "4.3.0", NULL };
	mt_auto_fd int fd = m->fd;
	struct mt_err err = { 0 };

	if (receive(m, &status) < 0)
		return mt_smtp_session_abort(m->engine, &mt_smtp_try_later);
	if (status != MT_SMTP_DATA_OK)
		return mt_smtp_session_data_done(m->engine, mt_smtp_answer_of_data(status), 1);
	if (queue(m, &err) == 0)
		return mt_smtp_session_data_done(m->engine, NULL, 1);
	mt_cmd_warn("%s", err.msg);
	no.text = err.msg;
	if (err.kind == MT_EDATA)
		no = (struct mt_smtp_answer){ 554, "5.6.0", err.msg };
	return mt_smtp_session_data_done(m->engine, &no, 1);
}

static enum mt_smtp_event
step(struct smtp *m, enum mt_smtp_event ev)
{
	switch (ev) {
	case MT_SMTP_GO_ON:
		return next_command(m);
	case MT_SMTP_CHECK_SENDER:
	case MT_SMTP_CHECK_RCPT:
		return mt_smtp_session_answer(m->engine, NULL);
	case MT_SMTP_BEGIN_DATA:
		return begin_data(m);
	case MT_SMTP_RECEIVE_DATA:
		return receive_data(m);
	default:
		return MT_SMTP_CLOSE;
	}
}

/* What was queued is tried when the caller has its answers. */
static int
send_queued(struct smtp *m)
{
	mt_auto(mt_outbox) outbox = send_open_outbox(m->s);
	bool waits = false;
	int status = EX_OK;

	for (guint i = 0; i < m->ids->len; i++) {
		mt_auto(mt_spool_item) item = NULL;
		struct mt_outbox_result r = { 0 };
		struct mt_err err = { 0 };
		int one = EX_OK;
		bool busy;

		/* Somebody else may be sending it already. */
		if (mt_spool_take(m->spool, m->ids->pdata[i], &item, &busy, &err) <= 0)
			continue;
		if (!send_is_for_later(m->s, m->spool, &item, &one))
			one = send_try(m->s, outbox, item, &r);
		status = MAX(status, one);
		waits = waits || r.waiting > 0;
	}
	(void)send_flush(m->spool);
	if (waits)
		send_warn_unattended(m->spool);
	return status;
}

int
send_smtp(struct send *s)
{
	const struct mt_smtp_session_params params = { .mode = MT_SMTP_MODE_MX,
		.host = g_get_host_name(), .can_dsn = true };
	struct smtp m = { .s = s, .in = MT_BUF_INIT(2 * MT_MAX_CONN_IN), .fd = -1 };
	mt_auto(mt_spool) spool = NULL;
	enum mt_smtp_event ev;
	struct mt_err err = { 0 };
	int status;

	if (s->dry_run || s->no_queue || s->json)
		mt_cmd_usage("-bs: not with --dry-run, --no-queue or --json");
	if (s->args->len > 0)
		mt_cmd_usage("-bs: recipients are named by RCPT, not by \"%s\"",
		    (const char *)s->args->pdata[0]);
	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	m.spool = spool = send_open_spool(&err);
	if (spool == NULL)
		return mt_cmd_fail(&err);
	m.engine = mt_smtp_session_new(&params);
	m.ids = g_ptr_array_new_with_free_func(g_free);
	ev = mt_smtp_session_greet(m.engine, NULL);
	while (ev != MT_SMTP_CLOSE && write_output(&m) == 0)
		ev = step(&m, ev);
	(void)write_output(&m);
	mt_smtp_session_free(m.engine);
	mt_buf_clear(&m.in);
	status = send_queued(&m);
	g_ptr_array_free(m.ids, TRUE);
	return status;
}
