/* session.c - the server's side of POP3, as an engine without I/O (RFC 1939) */
#include "pop3/session.h"

#include <glib.h>

#include "base/limits.h"
#include "pop3/verb.h"

#define ERRORS_MAX 10
#define LOGINS_MAX 3

struct mt_pop3_session *
mt_pop3_session_new(const struct mt_pop3_session_params *params)
{
	struct mt_pop3_session *s = g_new0(struct mt_pop3_session, 1);

	s->params = *params;
	s->host = g_strdup(params->host);
	s->params.host = s->host;
	if (s->params.errors_max == 0)
		s->params.errors_max = ERRORS_MAX;
	if (s->params.logins_max == 0)
		s->params.logins_max = LOGINS_MAX;
	s->is_tls = params->is_tls;
	s->state = MT_POP3_ST_AUTHORIZATION;
	mt_buf_init(&s->out, MT_POP3_PART_SIZE * 2);
	mt_buf_init(&s->user, MT_MAX_SECRET);
	mt_buf_init(&s->secret, MT_MAX_SECRET);
	return s;
}

void
mt_pop3_session_free(struct mt_pop3_session *s)
{
	if (s == NULL)
		return;
	mt_buf_clear(&s->out);
	mt_buf_clear_secret(&s->user);
	mt_buf_clear_secret(&s->secret);
	g_free(s->deleted);
	g_free(s->host);
	g_free(s);
}

enum mt_pop3_event
mt_pop3_say(struct mt_pop3_session *s, const char *fmt, ...)
{
	va_list ap;
	int rc;

	if (s->out_taken)
		mt_buf_reset(&s->out);
	s->out_taken = false;
	va_start(ap, fmt);
	rc = mt_buf_vappendf(&s->out, fmt, ap);
	va_end(ap);
	g_assert(rc == 0);
	return MT_POP3_GO_ON;
}

enum mt_pop3_event
mt_pop3_close(struct mt_pop3_session *s)
{
	mt_buf_clear_secret(&s->secret);
	s->wait = MT_POP3_WAIT_NOTHING;
	return MT_POP3_CLOSE;
}

enum mt_pop3_event
mt_pop3_ask(struct mt_pop3_session *s, enum mt_pop3_wait wait, enum mt_pop3_event event)
{
	s->wait = wait;
	return event;
}

enum mt_pop3_event
mt_pop3_mistake(struct mt_pop3_session *s, const char *text)
{
	if (++s->errors >= s->params.errors_max) {
		mt_pop3_say(s, "-ERR too many errors, closing\r\n");
		return mt_pop3_close(s);
	}
	return mt_pop3_say(s, "-ERR %s\r\n", text);
}

enum mt_pop3_event
mt_pop3_session_greet(struct mt_pop3_session *s)
{
	return mt_pop3_say(s, "+OK %s POP3\r\n", s->host);
}

/* RFC 2449 5; what it says depends on TLS and login (RFC 2449 5 allows that). */
static enum mt_pop3_event
verb_capa(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "CAPA stands alone");
	mt_pop3_say(s, "+OK what I can do\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n");
	if (s->params.can_tls && !s->is_tls)
		mt_pop3_say(s, "STLS\r\n");
	if (s->is_tls)
		mt_pop3_say(s, "USER\r\nSASL PLAIN\r\n");
	return mt_pop3_say(s, ".\r\n");
}

static enum mt_pop3_event
verb_noop(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "NOOP stands alone");
	return mt_pop3_say(s, "+OK\r\n");
}

static enum mt_pop3_event
verb_quit(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "QUIT stands alone");
	if (s->state == MT_POP3_ST_TRANSACTION && s->left_n < s->list_n)
		return mt_pop3_ask(s, MT_POP3_WAIT_COMMIT, MT_POP3_COMMIT);
	mt_pop3_say(s, "+OK bye\r\n");
	return mt_pop3_close(s);
}

static const struct verb {
	const char *name;
	mt_pop3_verb *run;
	unsigned states;
} verbs[] = {
	{ "CAPA", verb_capa, MT_POP3_ST_AUTHORIZATION | MT_POP3_ST_TRANSACTION },
	{ "STLS", mt_pop3_verb_stls, MT_POP3_ST_AUTHORIZATION },
	{ "USER", mt_pop3_verb_user, MT_POP3_ST_AUTHORIZATION },
	{ "PASS", mt_pop3_verb_pass, MT_POP3_ST_AUTHORIZATION },
	{ "AUTH", mt_pop3_verb_auth, MT_POP3_ST_AUTHORIZATION },
	{ "STAT", mt_pop3_verb_stat, MT_POP3_ST_TRANSACTION },
	{ "LIST", mt_pop3_verb_list, MT_POP3_ST_TRANSACTION },
	{ "UIDL", mt_pop3_verb_uidl, MT_POP3_ST_TRANSACTION },
	{ "RETR", mt_pop3_verb_retr, MT_POP3_ST_TRANSACTION },
	{ "TOP", mt_pop3_verb_top, MT_POP3_ST_TRANSACTION },
	{ "DELE", mt_pop3_verb_dele, MT_POP3_ST_TRANSACTION },
	{ "RSET", mt_pop3_verb_rset, MT_POP3_ST_TRANSACTION },
	{ "NOOP", verb_noop, MT_POP3_ST_TRANSACTION },
	{ "QUIT", verb_quit, MT_POP3_ST_AUTHORIZATION | MT_POP3_ST_TRANSACTION },
};

/* Find the verb; *args is behind one blank, as it stands. */
static const struct verb *
find_verb(struct mt_slice line, struct mt_slice *args)
{
	struct mt_slice word = mt_slice_first(line, mt_slice_find(line, ' '));

	*args = mt_slice_from(line, word.n + 1);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (mt_slice_eq_nocase(word, mt_slice_str(verbs[i].name)))
			return &verbs[i];
	}
	return NULL;
}

static enum mt_pop3_event
run_command(struct mt_pop3_session *s, struct mt_slice line)
{
	struct mt_slice args;
	const struct verb *v = find_verb(line, &args);

	if (v == NULL)
		return mt_pop3_mistake(s, "unknown command");
	if ((v->states & s->state) == 0)
		return mt_pop3_mistake(s, s->state == MT_POP3_ST_AUTHORIZATION ?
		    "log in first" : "you are logged in");
	/* Only a password may hold blanks at its end. */
	if (v->run != mt_pop3_verb_pass)
		args = mt_slice_trim(args);
	return v->run(s, args);
}

enum mt_pop3_event
mt_pop3_session_line(struct mt_pop3_session *s, struct mt_slice line)
{
	g_assert(s->wait <= MT_POP3_WAIT_SASL);
	if (!mt_slice_ends(line, MT_SLICE("\n"))) {
		mt_pop3_say(s, "-ERR the line is too long: closing\r\n");
		return mt_pop3_close(s);
	}
	line.n--;
	if (mt_slice_ends(line, MT_SLICE("\r")))
		line.n--;
	if (s->wait == MT_POP3_WAIT_SASL)
		return mt_pop3_auth_line(s, line);
	return run_command(s, line);
}

struct mt_slice
mt_pop3_session_loggable(const struct mt_pop3_session *s, struct mt_slice line)
{
	struct mt_slice args;
	const struct verb *v;

	line = mt_slice_trim(line);
	if (s->wait != MT_POP3_WAIT_LINE)
		return MT_SLICE("(within AUTH)");
	v = find_verb(line, &args);
	/* An unknown verb may be a password that went astray. */
	if (v == NULL)
		return MT_SLICE("(unknown command)");
	if (v->run == mt_pop3_verb_user || v->run == mt_pop3_verb_pass ||
	    v->run == mt_pop3_verb_auth)
		return mt_slice_str(v->name);
	return line;
}

enum mt_pop3_event
mt_pop3_session_tls_started(struct mt_pop3_session *s)
{
	g_assert(s->wait == MT_POP3_WAIT_TLS);
	s->wait = MT_POP3_WAIT_LINE;
	s->is_tls = true;
	mt_pop3_forget_login(s);
	return MT_POP3_GO_ON;
}

enum mt_pop3_event
mt_pop3_session_login_ok(struct mt_pop3_session *s, const struct mt_pop3_message *list,
    size_t n)
{
	g_assert(s->wait == MT_POP3_WAIT_LOGIN);
	g_assert(n <= MT_MAX_POP3_MESSAGES);
	mt_buf_clear_secret(&s->secret);
	s->wait = MT_POP3_WAIT_LINE;
	s->is_logged_in = true;
	s->state = MT_POP3_ST_TRANSACTION;
	s->list = list;
	s->list_n = n;
	s->deleted = g_malloc0(n + 1);
	mt_pop3_undelete_all(s);
	return mt_pop3_say(s, "+OK %zu messages\r\n", n);
}

enum mt_pop3_event
mt_pop3_session_login_failed(struct mt_pop3_session *s, enum mt_pop3_login_error why)
{
	/* RFC 2449 8, RFC 3206 4 */
	static const char *const reasons[] = {
		[MT_POP3_LOGIN_WRONG] = "[AUTH] user name or password is wrong",
		[MT_POP3_LOGIN_TEMP] = "[SYS/TEMP] a problem on our side, try later",
		[MT_POP3_LOGIN_IN_USE] = "[IN-USE] somebody else reads this mailbox",
	};

	g_assert(s->wait == MT_POP3_WAIT_LOGIN);
	s->wait = MT_POP3_WAIT_LINE;
	mt_pop3_forget_login(s);
	mt_pop3_say(s, "-ERR %s\r\n", reasons[why]);
	if (why == MT_POP3_LOGIN_WRONG && ++s->logins_failed >= s->params.logins_max)
		return mt_pop3_close(s);
	return MT_POP3_GO_ON;
}

size_t
mt_pop3_session_number(const struct mt_pop3_session *s)
{
	return s->number;
}

int64_t
mt_pop3_session_lines(const struct mt_pop3_session *s)
{
	return s->lines;
}

void
mt_pop3_session_send_begins(struct mt_pop3_session *s)
{
	g_assert(s->wait == MT_POP3_WAIT_SEND);
	s->wait = MT_POP3_WAIT_LINE;
	mt_pop3_say(s, "+OK\r\n");
}

enum mt_pop3_event
mt_pop3_session_send_failed(struct mt_pop3_session *s)
{
	g_assert(s->wait == MT_POP3_WAIT_SEND);
	s->wait = MT_POP3_WAIT_LINE;
	return mt_pop3_say(s, "-ERR [SYS/TEMP] the message cannot be read\r\n");
}

bool
mt_pop3_session_is_deleted(const struct mt_pop3_session *s, size_t index)
{
	return index < s->list_n && s->deleted[index];
}

/* RFC 1939 6 */
enum mt_pop3_event
mt_pop3_session_committed(struct mt_pop3_session *s, bool all)
{
	g_assert(s->wait == MT_POP3_WAIT_COMMIT);
	mt_pop3_say(s, all ? "+OK bye\r\n" :
	    "-ERR [SYS/TEMP] not all were deleted\r\n");
	return mt_pop3_close(s);
}

enum mt_pop3_event
mt_pop3_session_abort(struct mt_pop3_session *s, const char *why)
{
	mt_pop3_say(s, "-ERR [SYS/TEMP] %s\r\n", why);
	return mt_pop3_close(s);
}

struct mt_slice
mt_pop3_session_output(struct mt_pop3_session *s)
{
	struct mt_slice out = s->out_taken ? (struct mt_slice){ "", 0 }
					   : mt_buf_slice(&s->out);

	s->out_taken = true;
	return out;
}

const char *
mt_pop3_session_user(const struct mt_pop3_session *s)
{
	return s->is_logged_in || s->wait == MT_POP3_WAIT_LOGIN ? s->user.p : NULL;
}

const char *
mt_pop3_session_secret(const struct mt_pop3_session *s)
{
	return s->wait == MT_POP3_WAIT_LOGIN ? s->secret.p : NULL;
}
