/* verb_login.c - STLS, USER, PASS, AUTH: what comes before the mailbox */
#include <glib.h>

#include "base/limits.h"
#include "net/sasl.h"
#include "pop3/verb.h"

/* RFC 2595 4 */
enum mt_pop3_event
mt_pop3_verb_stls(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "STLS stands alone");
	if (s->is_tls)
		return mt_pop3_mistake(s, "this is TLS already");
	if (!s->params.can_tls)
		return mt_pop3_mistake(s, "there is no TLS here");
	mt_pop3_say(s, "+OK begin TLS\r\n");
	return mt_pop3_ask(s, MT_POP3_WAIT_TLS, MT_POP3_START_TLS);
}

static bool
is_text(struct mt_slice s)
{
	return s.n > 0 && mt_slice_find(s, '\0') == s.n &&
	    g_utf8_validate_len(s.p, s.n, NULL);
}

void
mt_pop3_forget_login(struct mt_pop3_session *s)
{
	mt_buf_clear_secret(&s->user);
	mt_buf_clear_secret(&s->secret);
}

enum mt_pop3_event
mt_pop3_verb_user(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!s->is_tls)
		return mt_pop3_mistake(s, "begin TLS first");
	mt_pop3_forget_login(s);
	if (!is_text(args) || mt_buf_append_slice(&s->user, args) < 0)
		return mt_pop3_mistake(s, "say USER and a name");
	return mt_pop3_say(s, "+OK now the password\r\n");
}

/* The password is all that stands behind one blank: it may hold blanks (RFC 1939 7). */
enum mt_pop3_event
mt_pop3_verb_pass(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!s->is_tls)
		return mt_pop3_mistake(s, "begin TLS first");
	if (s->user.n == 0)
		return mt_pop3_mistake(s, "say USER first");
	if (!is_text(args) || mt_buf_append_slice(&s->secret, args) < 0) {
		mt_pop3_forget_login(s);
		return mt_pop3_mistake(s, "say PASS and a password");
	}
	return mt_pop3_ask(s, MT_POP3_WAIT_LOGIN, MT_POP3_CHECK_LOGIN);
}

static enum mt_pop3_event
sasl_plain(struct mt_pop3_session *s, struct mt_slice text)
{
	struct mt_buf message = MT_BUF_INIT(MT_MAX_SECRET);
	struct mt_slice user, secret;
	bool ok;

	s->wait = MT_POP3_WAIT_LINE;
	mt_pop3_forget_login(s);
	ok = mt_sasl_base64_decode(text, &message) &&
	    mt_sasl_plain(mt_buf_slice(&message), &user, &secret) &&
	    mt_buf_append_slice(&s->user, user) == 0 &&
	    mt_buf_append_slice(&s->secret, secret) == 0;
	mt_buf_clear_secret(&message);
	if (ok)
		return mt_pop3_ask(s, MT_POP3_WAIT_LOGIN, MT_POP3_CHECK_LOGIN);
	mt_pop3_forget_login(s);
	return mt_pop3_mistake(s, "that is no answer to AUTH PLAIN");
}

/* RFC 5034 4 */
enum mt_pop3_event
mt_pop3_verb_auth(struct mt_pop3_session *s, struct mt_slice args)
{
	struct mt_slice mechanism;

	if (!s->is_tls)
		return mt_pop3_mistake(s, "begin TLS first");
	args = mt_slice_trim(args);
	if (!mt_slice_take_word(&args, &mechanism))
		return mt_pop3_say(s, "+OK mechanisms\r\nPLAIN\r\n.\r\n");
	if (!mt_slice_eq_nocase(mechanism, MT_SLICE("PLAIN")))
		return mt_pop3_mistake(s, "only PLAIN is known");
	if (args.n > 0)
		return sasl_plain(s, args);
	s->wait = MT_POP3_WAIT_SASL;
	return mt_pop3_say(s, "+ \r\n");
}

enum mt_pop3_event
mt_pop3_auth_line(struct mt_pop3_session *s, struct mt_slice line)
{
	if (!mt_slice_eq(line, MT_SLICE("*")))
		return sasl_plain(s, line);
	s->wait = MT_POP3_WAIT_LINE;
	return mt_pop3_mistake(s, "login is cancelled");
}
