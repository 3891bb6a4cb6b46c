/*
 * client.c - send messages over one SMTP connection, pipelined (RFC 5321, 2920, 3030)
 *
 * The one rule: MT_SMTP_SENT is set in one place, from a 2yz that was read after every
 * byte of the message had been sent. What a lost connection means:
 *
 *	lost while			the server			outcome
 *	envelope, or part of the body	has no whole message		deferred
 *	all was sent, and the final	may have taken it		and is_unknown
 *	reply was not heard
 */
#include "smtp/client.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/dot.h"
#include "smtp/path.h"
#include "smtp/reply.h"

#define CHUNK MT_KIB(64)
/* RFC 5321 4.5.3.2 */
#define REPLY_MS (5 * 60 * 1000)
#define BLOCK_MS (3 * 60 * 1000)
#define FINAL_MS (10 * 60 * 1000)
/* What a server may still say after it has stopped to read, and to QUIT. */
#define LAST_WORDS_MS (5 * 1000)
/* A message up to this size goes out with its envelope when BDAT is offered: a refused
   recipient costs the transfer. */
#define PIPELINED_BODY_MAX MT_KIB(256)

struct mt_smtp_client {
	struct mt_conn *conn;
	struct mt_smtp_extensions ext;
	struct mt_smtp_reply reply;
	struct mt_buf wire;
	uint32_t reply_ms;
	uint32_t final_ms;
	bool is_broken;		/* the stream is lost, or in an unknown state */
	bool needs_rset;	/* a transaction was left open */
};

/* One recipient of the transaction. */
struct target {
	struct mt_smtp_path path;
	bool in_play;		/* not refused by ourselves: RCPT is sent */
	bool is_accepted;
	bool is_settled;	/* the outcome is there */
};

struct transaction {
	struct mt_smtp_client *c;
	struct mt_smtp_path from;
	const struct mt_dsn *dsn;	/* NULL: nothing to say */
	const struct mt_dsn_rcpt *dsn_rcpts;
	struct mt_smtp_scan scan;
	struct target *targets;
	struct mt_smtp_outcome *outcomes;
	size_t n;
	int fd;
	bool is_utf8;
	bool mail_accepted;
	size_t accepted_n;
};

struct mt_smtp_client *
mt_smtp_client_new(struct mt_conn *conn)
{
	struct mt_smtp_client *c = g_new0(struct mt_smtp_client, 1);

	c->conn = conn;
	c->reply_ms = REPLY_MS;
	c->final_ms = FINAL_MS;
	mt_smtp_reply_init(&c->reply);
	mt_buf_init(&c->wire, 2 * CHUNK + 8);
	mt_smtp_extensions_of_preamble(mt_conn_preamble(conn), &c->ext);
	return c;
}

void
mt_smtp_client_free(struct mt_smtp_client *c)
{
	if (c == NULL)
		return;
	mt_conn_free(c->conn);
	mt_smtp_reply_clear(&c->reply);
	mt_buf_clear(&c->wire);
	g_free(c);
}

const struct mt_smtp_extensions *
mt_smtp_client_extensions(const struct mt_smtp_client *c)
{
	return &c->ext;
}

void
mt_smtp_client_set_extensions(struct mt_smtp_client *c,
    const struct mt_smtp_extensions *ext)
{
	c->ext = *ext;
}

void
mt_smtp_client_set_timeouts(struct mt_smtp_client *c, uint32_t reply_ms,
    uint32_t final_ms)
{
	c->reply_ms = reply_ms;
	c->final_ms = final_ms;
}

bool
mt_smtp_client_is_usable(const struct mt_smtp_client *c)
{
	return !c->is_broken;
}

/* --- replies ---------------------------------------------------------------------- */

/* Read one reply. 421 is a reply, but the last one: the server closes. */
static int
hear(struct mt_smtp_client *c, uint32_t ms, struct mt_err *err)
{
	struct mt_slice line;
	int rc;

	mt_conn_set_deadline(c->conn, ms);
	do {
		rc = mt_conn_line(c->conn, MT_MAX_SMTP_REPLY_LINE, &line, err);
		if (rc == 0)
			rc = mt_fail(err, MT_ETEMP, "the server closed the connection");
		else if (rc > 0)
			rc = mt_smtp_reply_add(&c->reply, line, err);
	} while (rc == 0);
	if (rc < 0 || c->reply.code == 421)
		c->is_broken = true;
	return rc < 0 ? -1 : 0;
}

static unsigned
class_of(const struct mt_smtp_client *c)
{
	return mt_smtp_reply_class(&c->reply);
}

/* --- outcomes --------------------------------------------------------------------- */

static void
settle(struct transaction *t, size_t i, enum mt_smtp_fate fate, unsigned code,
    const struct mt_err *why)
{
	struct mt_smtp_outcome *o = &t->outcomes[i];

	*o = (struct mt_smtp_outcome){ .fate = fate, .code = code };
	g_strlcpy(o->dsn, why->dsn, sizeof(o->dsn));
	g_strlcpy(o->text, why->msg, sizeof(o->text));
	t->targets[i].is_settled = true;
}

/* By the reply that was just read: 5yz is final; all that is not 2yz can be retried. */
static void
settle_by_reply(struct transaction *t, size_t i)
{
	const struct mt_smtp_reply *r = &t->c->reply;
	enum mt_smtp_fate fate = mt_smtp_reply_class(r) == 5 ? MT_SMTP_REFUSED
							     : MT_SMTP_DEFERRED;
	struct mt_err why = { 0 };

	mt_smtp_reply_fail(r, NULL, &why);
	settle(t, i, fate, r->code, &why);
}

/* Everybody whose outcome is still open. */
static void
settle_rest(struct transaction *t, enum mt_smtp_fate fate, const struct mt_err *why)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->targets[i].is_settled)
			settle(t, i, fate, 0, why);
	}
}

static void
settle_rest_by_reply(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->targets[i].is_settled)
			settle_by_reply(t, i);
	}
}

/* The end of the message was sent and nothing came back (RFC 1047). */
static void
settle_unknown(struct transaction *t, struct mt_err *err)
{
	mt_fail_in(err, "the message was sent whole, but no answer came, so it may arrive "
	    "twice");
	for (size_t i = 0; i < t->n; i++) {
		if (!t->targets[i].is_settled) {
			settle(t, i, MT_SMTP_DEFERRED, 0, err);
			t->outcomes[i].is_unknown = true;
		}
	}
}

/* The only place that says "sent": after the last byte, by a 2yz. */
static void
settle_by_final_reply(struct transaction *t)
{
	struct mt_err words = { 0 };

	mt_smtp_reply_fail(&t->c->reply, NULL, &words);
	for (size_t i = 0; i < t->n; i++) {
		if (t->targets[i].is_settled)
			continue;
		if (t->targets[i].is_accepted && class_of(t->c) == 2)
			settle(t, i, MT_SMTP_SENT, t->c->reply.code, &words);
		else
			settle_by_reply(t, i);
	}
}

/* --- what we say and hear --------------------------------------------------------- */

static int
say_mail(struct transaction *t, struct mt_err *err)
{
	const struct mt_smtp_extensions *ext = &t->c->ext;
	bool is_8bit = t->scan.header_is_8bit || t->scan.body_is_8bit;
	g_autoptr(GString) dsn = g_string_new(NULL);
	char size[32] = "";

	if (t->dsn != NULL)
		mt_dsn_append_mail(dsn, t->dsn);
	if (t->c->needs_rset && mt_conn_write(t->c->conn, "RSET\r\n", 6, err) < 0)
		return -1;
	if (ext->has_size)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64, t->scan.size);
	return mt_conn_writef(t->c->conn, err, "MAIL FROM:<%s>%s%s%s%s\r\n",
	    t->from.text, size,
	    is_8bit && ext->has_8bitmime ? " BODY=8BITMIME" : "",
	    t->is_utf8 ? " SMTPUTF8" : "", dsn->str);
}

static int
hear_rset(struct transaction *t, struct mt_err *err)
{
	if (!t->c->needs_rset)
		return 0;
	t->c->needs_rset = false;
	return hear(t->c, t->c->reply_ms, err);
}

static int
hear_mail(struct transaction *t, struct mt_err *err)
{
	if (hear_rset(t, err) < 0 || hear(t->c, t->c->reply_ms, err) < 0)
		return -1;
	t->mail_accepted = class_of(t->c) == 2;
	if (!t->mail_accepted)
		settle_rest_by_reply(t);
	return 0;
}

static int
say_rcpt(struct transaction *t, size_t i, struct mt_err *err)
{
	g_autoptr(GString) dsn = g_string_new(NULL);

	if (t->dsn != NULL)
		mt_dsn_append_rcpt(dsn, t->dsn,
		    t->dsn_rcpts != NULL ? &t->dsn_rcpts[i] : NULL,
		    t->targets[i].path.text);
	return mt_conn_writef(t->c->conn, err, "RCPT TO:<%s>%s\r\n",
	    t->targets[i].path.text, dsn->str);
}

static int
hear_rcpt(struct transaction *t, size_t i, struct mt_err *err)
{
	if (hear(t->c, t->c->reply_ms, err) < 0)
		return -1;
	if (class_of(t->c) == 2 && t->mail_accepted) {
		t->targets[i].is_accepted = true;
		t->accepted_n++;
	} else if (!t->targets[i].is_settled) {
		settle_by_reply(t, i);
	}
	return 0;
}

static int
say_rcpts(struct transaction *t, struct mt_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->targets[i].in_play && say_rcpt(t, i, err) < 0)
			return -1;
	}
	return 0;
}

static int
hear_rcpts(struct transaction *t, struct mt_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->targets[i].in_play && hear_rcpt(t, i, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the message ------------------------------------------------------------------ */

/*
 * Write the message. -1 leaves the connection broken, for nothing may follow half a
 * message: MT_EIO or MT_EDATA when the file is to blame. Nothing here sends the end, so
 * that a failure in the middle never completes a message.
 */
static int
say_body(struct transaction *t, struct mt_dot *dot, struct mt_err *err)
{
	g_autofree char *chunk = g_malloc(CHUNK);
	struct mt_buf *wire = &t->c->wire;
	ssize_t n;

	while ((n = pread(t->fd, chunk, CHUNK, (off_t)dot->offset)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, MT_EIO, "reading the message: %m");
		mt_buf_reset(wire);
		if (mt_dot_encode(dot, mt_slice_mem(chunk, (size_t)n), wire, err) < 0)
			return -1;
		mt_conn_set_deadline(t->c->conn, BLOCK_MS);
		if (mt_conn_write(t->c->conn, wire->p, wire->n, err) < 0)
			return -1;
	}
	if (dot->offset != t->scan.stored)
		return mt_fail(err, MT_EIO, "the message changed while it was sent");
	return 0;
}

/* Write what ends the message. */
static int
say_end(struct transaction *t, struct mt_dot *dot, struct mt_err *err)
{
	struct mt_buf *wire = &t->c->wire;

	mt_buf_reset(wire);
	if (mt_dot_finish(dot, wire, err) < 0)
		return -1;
	if (dot->kind == MT_DOT_BDAT && dot->size != t->scan.size)
		return mt_fail(err, MT_EIO, "the message changed while it was sent");
	mt_conn_set_deadline(t->c->conn, BLOCK_MS);
	return mt_conn_write(t->c->conn, wire->p, wire->n, err);
}

/* A reply that is there before its command was sent would be taken for another's. */
static int
check_silence(const struct transaction *t, struct mt_err *err)
{
	if (mt_conn_buffered(t->c->conn) == 0)
		return 0;
	return mt_fail(err, MT_EPROTO, "the server answers what it was not asked");
}

/*
 * Sending failed in the middle: a server that closes often says why first, and then that
 * is the reason. A 2yz would be no answer to half a message.
 */
static int
last_words(struct transaction *t, struct mt_err *err)
{
	struct mt_err unheard = { 0 };

	t->c->is_broken = true;
	if (err->kind == MT_EIO || err->kind == MT_EDATA || err->kind == MT_EPROTO)
		return -1;
	if (hear(t->c, LAST_WORDS_MS, &unheard) == 0 && class_of(t->c) >= 4) {
		settle_rest_by_reply(t);
		mt_smtp_reply_fail(&t->c->reply, NULL, err);
	}
	return -1;
}

/*
 * Wait for the final reply. A flush that fails has not sent the last bytes, which are the
 * end of the message: the server cannot have taken it.
 */
static int
hear_final(struct transaction *t, struct mt_err *err)
{
	mt_conn_set_deadline(t->c->conn, BLOCK_MS);
	if (mt_conn_flush(t->c->conn, err) < 0)
		return last_words(t, err);
	if (hear(t->c, t->c->final_ms, err) < 0) {
		settle_unknown(t, err);
		return -1;
	}
	if (class_of(t->c) == 3)
		t->c->is_broken = true;
	settle_by_final_reply(t);
	return 0;
}

/*
 * After 354. When no recipient was accepted the server should not have said it; the way
 * out is an empty message to nobody (RFC 2920 3.1).
 */
static int
send_data(struct transaction *t, struct mt_err *err)
{
	struct mt_dot dot;

	if (t->accepted_n == 0) {
		if (mt_conn_write(t->c->conn, ".\r\n", 3, err) < 0)
			return -1;
		return hear(t->c, t->c->reply_ms, err);
	}
	mt_dot_init(&dot, MT_DOT_SMTP);
	if (say_body(t, &dot, err) < 0 || check_silence(t, err) < 0 ||
	    say_end(t, &dot, err) < 0)
		return last_words(t, err);
	return hear_final(t, err);
}

static int
hear_data(struct transaction *t, struct mt_err *err)
{
	if (hear(t->c, t->c->reply_ms, err) < 0)
		return -1;
	if (t->c->reply.code == 354)
		return send_data(t, err);
	if (class_of(t->c) < 4) {
		t->c->is_broken = true;
		return mt_smtp_reply_fail(&t->c->reply, "DATA", err);
	}
	/* A refused DATA leaves the envelope standing at some servers. */
	t->c->needs_rset = t->mail_accepted;
	settle_rest_by_reply(t);
	return 0;
}

/* --- the three ways of a transaction ---------------------------------------------- */

/* MAIL, RCPTs and DATA in one packet; the message after 354. */
static int
pipelined(struct transaction *t, struct mt_err *err)
{
	if (say_mail(t, err) < 0 || say_rcpts(t, err) < 0 ||
	    mt_conn_write(t->c->conn, "DATA\r\n", 6, err) < 0)
		return -1;
	if (hear_mail(t, err) < 0 || hear_rcpts(t, err) < 0)
		return -1;
	return hear_data(t, err);
}

/* "BDAT n LAST" and the message (RFC 3030 2). */
static int
say_bdat(struct transaction *t, struct mt_err *err)
{
	struct mt_dot dot;

	mt_dot_init(&dot, MT_DOT_BDAT);
	if (mt_conn_writef(t->c->conn, err, "BDAT %" PRIu64 " LAST\r\n", t->scan.size) < 0 ||
	    say_body(t, &dot, err) < 0)
		return -1;
	return say_end(t, &dot, err);
}

/*
 * BDAT: with the envelope when the message is small, so that all is one round trip. The
 * replies are read in order; a server that refused all recipients refuses the BDAT too.
 * After a BDAT that failed the transaction has to be reset (RFC 3030 2).
 */
static int
chunked(struct transaction *t, struct mt_err *err)
{
	bool at_once = t->scan.size <= PIPELINED_BODY_MAX;

	if (say_mail(t, err) < 0 || say_rcpts(t, err) < 0)
		return -1;
	if (at_once && (say_bdat(t, err) < 0 || mt_conn_flush(t->c->conn, err) < 0))
		return -1;
	if (hear_mail(t, err) < 0 || hear_rcpts(t, err) < 0) {
		if (at_once)
			settle_unknown(t, err);
		return -1;
	}
	t->c->needs_rset = t->mail_accepted;
	if (t->accepted_n == 0)
		return at_once ? hear(t->c, t->c->reply_ms, err) : 0;
	if (!at_once && say_bdat(t, err) < 0)
		return last_words(t, err);
	if (hear_final(t, err) < 0)
		return -1;
	t->c->needs_rset = class_of(t->c) != 2;
	return 0;
}

/* One command at a time. */
static int
stepwise(struct transaction *t, struct mt_err *err)
{
	if (t->c->needs_rset && (mt_conn_write(t->c->conn, "RSET\r\n", 6, err) < 0 ||
	    hear_rset(t, err) < 0))
		return -1;
	if (say_mail(t, err) < 0 || hear_mail(t, err) < 0)
		return -1;
	if (!t->mail_accepted)
		return 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->targets[i].in_play &&
		    (say_rcpt(t, i, err) < 0 || hear_rcpt(t, i, err) < 0))
			return -1;
	}
	if (t->accepted_n == 0) {
		t->c->needs_rset = true;
		return 0;
	}
	if (mt_conn_write(t->c->conn, "DATA\r\n", 6, err) < 0)
		return -1;
	return hear_data(t, err);
}

static int
run(struct transaction *t, struct mt_err *err)
{
	if (check_silence(t, err) < 0)
		return -1;
	mt_conn_set_deadline(t->c->conn, t->c->reply_ms);
	if (!t->c->ext.has_pipelining)
		return stepwise(t, err);
	return t->c->ext.has_chunking ? chunked(t, err) : pipelined(t, err);
}

/* --- before anything is sent ------------------------------------------------------ */

/* Parse an address of the envelope; 5.6.7 when it needs what the server lacks. */
static int
prepare_path(struct transaction *t, const char *text, struct mt_smtp_path *path,
    struct mt_err *err)
{
	if (mt_smtp_path_parse(mt_slice_str(text), path, err) < 0 ||
	    mt_smtp_path_to_ascii(path, err) < 0) {
		g_strlcpy(err->dsn, "5.1.3", sizeof(err->dsn));
		return -1;
	}
	if (path->is_ascii)
		return 0;
	if (!t->c->ext.has_smtputf8)
		return mt_fail_dsn(err, MT_EUNAVAIL, "5.6.7",
		    "the server takes only addresses in ASCII (no SMTPUTF8)");
	t->is_utf8 = true;
	return 0;
}

/* Sets aside the recipients that cannot be sent to. -1 when nobody is left. */
static int
prepare(struct transaction *t, const struct mt_smtp_envelope_out *env,
    struct mt_err *err)
{
	struct mt_err last = { 0 };
	size_t left = 0;

	if (env->from[0] != '\0' && prepare_path(t, env->from, &t->from, err) < 0)
		return mt_fail_in(err, "sender <%s>", env->from);
	for (size_t i = 0; i < t->n; i++) {
		struct mt_err why = { 0 };

		if (prepare_path(t, env->rcpts[i], &t->targets[i].path, &why) < 0) {
			settle(t, i, MT_SMTP_REFUSED, 0, &why);
			last = why;
			continue;
		}
		t->targets[i].in_play = true;
		left++;
	}
	if (left == 0) {
		*err = last;
		return -1;
	}
	if (mt_smtp_scan(t->fd, &t->scan, err) < 0)
		return -1;
	t->is_utf8 = t->is_utf8 || (env->is_ours && t->scan.header_is_8bit);
	if (t->is_utf8 && !t->c->ext.has_smtputf8)
		return mt_fail_dsn(err, MT_EUNAVAIL, "5.6.7", "the message names addresses that "
		    "are not ASCII, and the server takes only such (no SMTPUTF8)");
	if (t->c->ext.size_max != 0 && t->scan.size > t->c->ext.size_max)
		return mt_fail_dsn(err, MT_EUNAVAIL, "5.3.4",
		    "the message has %" PRIu64 " octets, the server takes %" PRIu64,
		    t->scan.size, t->c->ext.size_max);
	return 0;
}

/* Whether what went wrong on our side is final for this message. */
static enum mt_smtp_fate
fate_of(const struct mt_err *err)
{
	switch (err->kind) {
	case MT_EDATA:
	case MT_EUNAVAIL:
	case MT_EUSAGE:
		return MT_SMTP_REFUSED;
	default:
		return MT_SMTP_DEFERRED;
	}
}

/* All is settled: 0 when somebody got it, else -1 with the outcome that weighs most. */
static int
conclude(const struct transaction *t, const struct mt_err *cause, struct mt_err *err)
{
	const struct mt_smtp_outcome *worst = &t->outcomes[0];

	for (size_t i = 0; i < t->n; i++) {
		if (t->outcomes[i].fate == MT_SMTP_SENT)
			return 0;
		if (t->outcomes[i].fate == MT_SMTP_DEFERRED &&
		    worst->fate != MT_SMTP_DEFERRED)
			worst = &t->outcomes[i];
	}
	if (cause->kind != MT_ENONE && worst->code == 0)
		return mt_fail_dsn(err, cause->kind, cause->dsn, "%s", cause->msg);
	return mt_fail_dsn(err, worst->fate == MT_SMTP_DEFERRED ? MT_ETEMP : MT_EUNAVAIL,
	    worst->dsn, "%s", worst->text);
}

int
mt_smtp_client_send(struct mt_smtp_client *c, const struct mt_smtp_envelope_out *env,
    int fd, struct mt_smtp_outcome *outcomes, struct mt_err *err)
{
	struct transaction t = {
		.c = c, .outcomes = outcomes, .n = env->rcpts_n, .fd = fd,
		.dsn = c->ext.has_dsn ? env->dsn : NULL, .dsn_rcpts = env->dsn_rcpts,
	};
	struct mt_err cause = { 0 };

	g_assert(env->rcpts_n > 0);
	t.targets = g_new0(struct target, t.n);
	if (c->is_broken)
		mt_fail(&cause, MT_ETEMP, "the connection to the server is closed");
	else if (prepare(&t, env, &cause) == 0 && run(&t, &cause) < 0)
		c->is_broken = true;
	if (cause.kind != MT_ENONE)
		settle_rest(&t, fate_of(&cause), &cause);
	g_free(t.targets);
	return conclude(&t, &cause, err);
}

void
mt_smtp_client_quit(struct mt_smtp_client *c)
{
	if (c->is_broken)
		return;
	mt_conn_set_deadline(c->conn, LAST_WORDS_MS);
	if (mt_conn_write(c->conn, "QUIT\r\n", 6, NULL) == 0)
		(void)hear(c, LAST_WORDS_MS, NULL);
	c->is_broken = true;
}
