/* session.c - the server's side of POP3, as an engine without I/O (RFC 1939) */
#include "pop3/session.h"

#include <glib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "net/sasl.h"

#define ERRORS_MAX 10
#define LOGINS_MAX 3
/* A listing is given out in parts of about this size. */
#define PART_SIZE MT_KIB(32)

enum state {
	AUTHORIZATION = 1,
	TRANSACTION = 2,
};

enum wait {
	WAIT_LINE,
	WAIT_SASL,	/* the client's answer within AUTH */
	WAIT_MORE,	/* the driver, here and below */
	WAIT_TLS,
	WAIT_LOGIN,
	WAIT_SEND,
	WAIT_COMMIT,
	WAIT_NOTHING,
};

struct mt_pop3_session {
	struct mt_pop3_session_params params;
	char *host;
	struct mt_buf out;
	bool out_taken;
	enum state state;
	enum wait wait;
	bool is_tls;
	bool is_logged_in;
	unsigned errors;
	unsigned logins_failed;
	struct mt_buf user;
	struct mt_buf secret;
	const struct mt_pop3_message *list;
	size_t list_n;
	uint8_t *deleted;	/* one byte per message */
	size_t left_n;		/* messages not deleted, and their octets */
	uint64_t left_size;
	size_t number;		/* at SEND */
	int64_t lines;
	size_t next;		/* of the listing under way */
	bool lists_uidl;
};

typedef enum mt_pop3_event verb_fn(struct mt_pop3_session *s, struct mt_slice args);

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
	s->state = AUTHORIZATION;
	mt_buf_init(&s->out, PART_SIZE * 2);
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

/* Append to the output; everything here is short and the driver empties it. */
__attribute__((format(printf, 2, 3))) static enum mt_pop3_event
say(struct mt_pop3_session *s, const char *fmt, ...)
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

static enum mt_pop3_event
close_session(struct mt_pop3_session *s)
{
	mt_buf_clear_secret(&s->secret);
	s->wait = WAIT_NOTHING;
	return MT_POP3_CLOSE;
}

static enum mt_pop3_event
ask(struct mt_pop3_session *s, enum wait wait, enum mt_pop3_event event)
{
	s->wait = wait;
	return event;
}

/* A mistake of the client; a few of them end the session. */
static enum mt_pop3_event
mistake(struct mt_pop3_session *s, const char *text)
{
	if (++s->errors >= s->params.errors_max) {
		say(s, "-ERR too many errors, closing\r\n");
		return close_session(s);
	}
	return say(s, "-ERR %s\r\n", text);
}

enum mt_pop3_event
mt_pop3_session_greet(struct mt_pop3_session *s)
{
	return say(s, "+OK %s POP3\r\n", s->host);
}

/* RFC 2449 5; what it says depends on TLS and login (RFC 2449 5 allows that). */
static enum mt_pop3_event
verb_capa(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "CAPA stands alone");
	say(s, "+OK what I can do\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
	    "PIPELINING\r\nEXPIRE NEVER\r\n");
	if (s->params.can_tls && !s->is_tls)
		say(s, "STLS\r\n");
	if (s->is_tls)
		say(s, "USER\r\nSASL PLAIN\r\n");
	return say(s, ".\r\n");
}

/* RFC 2595 4 */
static enum mt_pop3_event
verb_stls(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "STLS stands alone");
	if (s->is_tls)
		return mistake(s, "this is TLS already");
	if (!s->params.can_tls)
		return mistake(s, "there is no TLS here");
	say(s, "+OK begin TLS\r\n");
	return ask(s, WAIT_TLS, MT_POP3_START_TLS);
}

static bool
is_text(struct mt_slice s)
{
	return s.n > 0 && mt_slice_find(s, '\0') == s.n &&
	    g_utf8_validate_len(s.p, s.n, NULL);
}

static void
forget_login(struct mt_pop3_session *s)
{
	mt_buf_clear_secret(&s->user);
	mt_buf_clear_secret(&s->secret);
}

static enum mt_pop3_event
verb_user(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!s->is_tls)
		return mistake(s, "begin TLS first");
	forget_login(s);
	if (!is_text(args) || mt_buf_append_slice(&s->user, args) < 0)
		return mistake(s, "say USER and a name");
	return say(s, "+OK now the password\r\n");
}

/* The password is all that stands behind one blank: it may hold blanks (RFC 1939 7). */
static enum mt_pop3_event
verb_pass(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!s->is_tls)
		return mistake(s, "begin TLS first");
	if (s->user.n == 0)
		return mistake(s, "say USER first");
	if (!is_text(args) || mt_buf_append_slice(&s->secret, args) < 0) {
		forget_login(s);
		return mistake(s, "say PASS and a password");
	}
	return ask(s, WAIT_LOGIN, MT_POP3_CHECK_LOGIN);
}

static enum mt_pop3_event
sasl_plain(struct mt_pop3_session *s, struct mt_slice text)
{
	struct mt_buf message = MT_BUF_INIT(MT_MAX_SECRET);
	struct mt_slice user, secret;
	bool ok;

	s->wait = WAIT_LINE;
	forget_login(s);
	ok = mt_sasl_base64_decode(text, &message) &&
	    mt_sasl_plain(mt_buf_slice(&message), &user, &secret) &&
	    mt_buf_append_slice(&s->user, user) == 0 &&
	    mt_buf_append_slice(&s->secret, secret) == 0;
	mt_buf_clear_secret(&message);
	if (ok)
		return ask(s, WAIT_LOGIN, MT_POP3_CHECK_LOGIN);
	forget_login(s);
	return mistake(s, "that is no answer to AUTH PLAIN");
}

/* RFC 5034 4 */
static enum mt_pop3_event
verb_auth(struct mt_pop3_session *s, struct mt_slice args)
{
	struct mt_slice mechanism;

	if (!s->is_tls)
		return mistake(s, "begin TLS first");
	args = mt_slice_trim(args);
	if (!mt_slice_take_word(&args, &mechanism))
		return say(s, "+OK mechanisms\r\nPLAIN\r\n.\r\n");
	if (!mt_slice_eq_nocase(mechanism, MT_SLICE("PLAIN")))
		return mistake(s, "only PLAIN is known");
	if (args.n > 0)
		return sasl_plain(s, args);
	s->wait = WAIT_SASL;
	return say(s, "+ \r\n");
}

static enum mt_pop3_event
auth_line(struct mt_pop3_session *s, struct mt_slice line)
{
	if (!mt_slice_eq(line, MT_SLICE("*")))
		return sasl_plain(s, line);
	s->wait = WAIT_LINE;
	return mistake(s, "login is cancelled");
}

static enum mt_pop3_event
verb_stat(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "STAT stands alone");
	return say(s, "+OK %zu %" G_GUINT64_FORMAT "\r\n", s->left_n, s->left_size);
}

/* Take the number of a message that is there; *index counts from 0. */
static bool
take_number(struct mt_pop3_session *s, struct mt_slice *args, size_t *index)
{
	uint64_t number;

	if (!mt_slice_take_u64(args, s->list_n, &number) || number == 0)
		return false;
	if (args->n > 0 && mt_slice_skip_blank(args) == 0)
		return false;
	*index = (size_t)(number - 1);
	return !s->deleted[*index];
}

/* Not counted: readers ask for what they deleted. */
static enum mt_pop3_event
no_such_message(struct mt_pop3_session *s)
{
	return say(s, "-ERR no such message\r\n");
}

/* One number that ends the line. */
static bool
take_last_number(struct mt_pop3_session *s, struct mt_slice args, size_t *index)
{
	return take_number(s, &args, index) && args.n == 0;
}

static void
say_entry(struct mt_pop3_session *s, const char *before, size_t i)
{
	const struct mt_pop3_message *m = &s->list[i];

	if (s->lists_uidl)
		say(s, "%s%zu %.*s\r\n", before, i + 1, (int)MT_MAX_UIDL, m->uidl);
	else
		say(s, "%s%zu %" G_GUINT64_FORMAT "\r\n", before, i + 1, m->size);
}

static enum mt_pop3_event
list_part(struct mt_pop3_session *s)
{
	size_t i = s->next;

	for (; i < s->list_n && s->out.n < PART_SIZE; i++) {
		if (!s->deleted[i])
			say_entry(s, "", i);
	}
	s->next = i;
	if (i < s->list_n)
		return ask(s, WAIT_MORE, MT_POP3_MORE);
	s->wait = WAIT_LINE;
	return say(s, ".\r\n");
}

enum mt_pop3_event
mt_pop3_session_more(struct mt_pop3_session *s)
{
	g_assert(s->wait == WAIT_MORE);
	say(s, "%s", "");
	return list_part(s);
}

static enum mt_pop3_event
listing(struct mt_pop3_session *s, struct mt_slice args, bool uidl)
{
	size_t index;

	s->lists_uidl = uidl;
	if (args.n > 0) {
		if (!take_last_number(s, args, &index))
			return no_such_message(s);
		say_entry(s, "+OK ", index);
		return MT_POP3_GO_ON;
	}
	say(s, "+OK %zu messages\r\n", s->left_n);
	s->next = 0;
	return list_part(s);
}

static enum mt_pop3_event
verb_list(struct mt_pop3_session *s, struct mt_slice args)
{
	return listing(s, args, false);
}

static enum mt_pop3_event
verb_uidl(struct mt_pop3_session *s, struct mt_slice args)
{
	return listing(s, args, true);
}

static enum mt_pop3_event
verb_retr(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!take_last_number(s, args, &s->number))
		return no_such_message(s);
	s->lines = -1;
	return ask(s, WAIT_SEND, MT_POP3_SEND);
}

static enum mt_pop3_event
verb_top(struct mt_pop3_session *s, struct mt_slice args)
{
	uint64_t lines;

	if (!take_number(s, &args, &s->number))
		return no_such_message(s);
	if (!mt_slice_take_u64(&args, INT64_MAX, &lines) || args.n > 0)
		return mistake(s, "say TOP, a message and how many lines");
	s->lines = (int64_t)lines;
	return ask(s, WAIT_SEND, MT_POP3_SEND);
}

static enum mt_pop3_event
verb_dele(struct mt_pop3_session *s, struct mt_slice args)
{
	size_t index;

	if (!take_last_number(s, args, &index))
		return no_such_message(s);
	s->deleted[index] = 1;
	s->left_n--;
	s->left_size -= s->list[index].size;
	return say(s, "+OK message %zu will be deleted\r\n", index + 1);
}

/* Count again from scratch: nothing is deleted. */
static void
undelete_all(struct mt_pop3_session *s)
{
	s->left_n = s->list_n;
	s->left_size = 0;
	for (size_t i = 0; i < s->list_n; i++) {
		s->deleted[i] = 0;
		s->left_size += s->list[i].size;
	}
}

static enum mt_pop3_event
verb_rset(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "RSET stands alone");
	undelete_all(s);
	return say(s, "+OK %zu messages\r\n", s->left_n);
}

static enum mt_pop3_event
verb_noop(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "NOOP stands alone");
	return say(s, "+OK\r\n");
}

static enum mt_pop3_event
verb_quit(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mistake(s, "QUIT stands alone");
	if (s->state == TRANSACTION && s->left_n < s->list_n)
		return ask(s, WAIT_COMMIT, MT_POP3_COMMIT);
	say(s, "+OK bye\r\n");
	return close_session(s);
}

static const struct verb {
	const char *name;
	verb_fn *run;
	unsigned states;
} verbs[] = {
	{ "CAPA", verb_capa, AUTHORIZATION | TRANSACTION },
	{ "STLS", verb_stls, AUTHORIZATION },
	{ "USER", verb_user, AUTHORIZATION },
	{ "PASS", verb_pass, AUTHORIZATION },
	{ "AUTH", verb_auth, AUTHORIZATION },
	{ "STAT", verb_stat, TRANSACTION },
	{ "LIST", verb_list, TRANSACTION },
	{ "UIDL", verb_uidl, TRANSACTION },
	{ "RETR", verb_retr, TRANSACTION },
	{ "TOP", verb_top, TRANSACTION },
	{ "DELE", verb_dele, TRANSACTION },
	{ "RSET", verb_rset, TRANSACTION },
	{ "NOOP", verb_noop, TRANSACTION },
	{ "QUIT", verb_quit, AUTHORIZATION | TRANSACTION },
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
		return mistake(s, "unknown command");
	if ((v->states & s->state) == 0)
		return mistake(s, s->state == AUTHORIZATION ? "log in first"
							    : "you are logged in");
	/* Only a password may hold blanks at its end. */
	if (v->run != verb_pass)
		args = mt_slice_trim(args);
	return v->run(s, args);
}

enum mt_pop3_event
mt_pop3_session_line(struct mt_pop3_session *s, struct mt_slice line)
{
	g_assert(s->wait <= WAIT_SASL);
	if (!mt_slice_ends(line, MT_SLICE("\n"))) {
		say(s, "-ERR the line is too long: closing\r\n");
		return close_session(s);
	}
	line.n--;
	if (mt_slice_ends(line, MT_SLICE("\r")))
		line.n--;
	if (s->wait == WAIT_SASL)
		return auth_line(s, line);
	return run_command(s, line);
}

struct mt_slice
mt_pop3_session_loggable(const struct mt_pop3_session *s, struct mt_slice line)
{
	struct mt_slice args;
	const struct verb *v;

	line = mt_slice_trim(line);
	if (s->wait != WAIT_LINE)
		return MT_SLICE("(within AUTH)");
	v = find_verb(line, &args);
	/* An unknown verb may be a password that went astray. */
	if (v == NULL)
		return MT_SLICE("(unknown command)");
	if (v->run == verb_user || v->run == verb_pass || v->run == verb_auth)
		return mt_slice_str(v->name);
	return line;
}

enum mt_pop3_event
mt_pop3_session_tls_started(struct mt_pop3_session *s)
{
	g_assert(s->wait == WAIT_TLS);
	s->wait = WAIT_LINE;
	s->is_tls = true;
	forget_login(s);
	return MT_POP3_GO_ON;
}

enum mt_pop3_event
mt_pop3_session_login_ok(struct mt_pop3_session *s, const struct mt_pop3_message *list,
    size_t n)
{
	g_assert(s->wait == WAIT_LOGIN);
	g_assert(n <= MT_MAX_POP3_MESSAGES);
	mt_buf_clear_secret(&s->secret);
	s->wait = WAIT_LINE;
	s->is_logged_in = true;
	s->state = TRANSACTION;
	s->list = list;
	s->list_n = n;
	s->deleted = g_malloc0(n + 1);
	undelete_all(s);
	return say(s, "+OK %zu messages\r\n", n);
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

	g_assert(s->wait == WAIT_LOGIN);
	s->wait = WAIT_LINE;
	forget_login(s);
	say(s, "-ERR %s\r\n", reasons[why]);
	if (why == MT_POP3_LOGIN_WRONG && ++s->logins_failed >= s->params.logins_max)
		return close_session(s);
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
	g_assert(s->wait == WAIT_SEND);
	s->wait = WAIT_LINE;
	say(s, "+OK\r\n");
}

enum mt_pop3_event
mt_pop3_session_send_failed(struct mt_pop3_session *s)
{
	g_assert(s->wait == WAIT_SEND);
	s->wait = WAIT_LINE;
	return say(s, "-ERR [SYS/TEMP] the message cannot be read\r\n");
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
	g_assert(s->wait == WAIT_COMMIT);
	say(s, all ? "+OK bye\r\n" : "-ERR [SYS/TEMP] not all were deleted\r\n");
	return close_session(s);
}

enum mt_pop3_event
mt_pop3_session_abort(struct mt_pop3_session *s, const char *why)
{
	say(s, "-ERR [SYS/TEMP] %s\r\n", why);
	return close_session(s);
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
	return s->is_logged_in || s->wait == WAIT_LOGIN ? s->user.p : NULL;
}

const char *
mt_pop3_session_secret(const struct mt_pop3_session *s)
{
	return s->wait == WAIT_LOGIN ? s->secret.p : NULL;
}
