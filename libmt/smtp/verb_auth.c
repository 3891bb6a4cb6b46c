/* verb_auth.c - AUTH PLAIN and LOGIN, inside TLS only (RFC 4954) */
#include <glib.h>

#include "base/limits.h"
#include "net/sasl.h"
#include "smtp/verb.h"

static enum mt_smtp_event
forget(struct mt_smtp_session *s)
{
	mt_buf_clear_secret(&s->user);
	mt_buf_clear_secret(&s->secret);
	s->wait = MT_SMTP_WAIT_LINE;
	return MT_SMTP_GO_ON;
}

/* A login that failed, for whatever reason: a few of them end the session. */
static enum mt_smtp_event
failed(struct mt_smtp_session *s, const struct mt_smtp_answer *why)
{
	forget(s);
	if (why->code >= 500 && ++s->logins_failed >= s->params.logins_max) {
		mt_smtp_say(s, 421, "4.7.0", "too many failed logins, closing");
		return mt_smtp_close(s);
	}
	return mt_smtp_say_answer(s, why);
}

static enum mt_smtp_event
undecodable(struct mt_smtp_session *s)
{
	static const struct mt_smtp_answer a = { 501, "5.5.2",
		"that is no answer to AUTH" };

	return failed(s, &a);
}

/* One answer of the client, base64; "=" is an empty initial response. */
static bool
decode(struct mt_slice text, struct mt_buf *out)
{
	mt_buf_clear_secret(out);
	if (mt_slice_eq(text, MT_SLICE("=")))
		return true;
	return mt_sasl_base64_decode(text, out);
}

/* As NUL-terminated text: a NUL inside would make two readings of it. */
static bool
is_text(const struct mt_buf *b)
{
	return b->n > 0 && memchr(b->p, '\0', b->n) == NULL &&
	    g_utf8_validate_len(b->p, b->n, NULL);
}

static enum mt_smtp_event
check(struct mt_smtp_session *s)
{
	return mt_smtp_ask(s, MT_SMTP_WAIT_LOGIN, MT_SMTP_CHECK_LOGIN);
}

static enum mt_smtp_event
plain(struct mt_smtp_session *s, struct mt_slice text)
{
	struct mt_buf message = MT_BUF_INIT(MT_MAX_SECRET);
	struct mt_slice user, secret;
	bool ok = decode(text, &message) &&
	    mt_sasl_plain(mt_buf_slice(&message), &user, &secret) &&
	    mt_buf_append_slice(&s->user, user) == 0 &&
	    mt_buf_append_slice(&s->secret, secret) == 0;

	mt_buf_clear_secret(&message);
	return ok ? check(s) : undecodable(s);
}

static enum mt_smtp_event
login_user(struct mt_smtp_session *s, struct mt_slice text)
{
	if (!decode(text, &s->user) || !is_text(&s->user))
		return undecodable(s);
	s->wait = MT_SMTP_WAIT_AUTH_SECRET;
	return mt_smtp_say(s, 334, "", "UGFzc3dvcmQ6");	/* Password: */
}

static enum mt_smtp_event
login_secret(struct mt_smtp_session *s, struct mt_slice text)
{
	if (!decode(text, &s->secret) || !is_text(&s->secret))
		return undecodable(s);
	return check(s);
}

enum mt_smtp_event
mt_smtp_verb_auth(struct mt_smtp_session *s, struct mt_slice args)
{
	struct mt_slice mechanism;
	bool is_plain, is_login;

	if (s->params.mode != MT_SMTP_MODE_SUBMISSION)
		return mt_smtp_mistake(s, 502, "5.5.1", "there is no AUTH here");
	if (s->is_logged_in)
		return mt_smtp_mistake(s, 503, "5.5.1", "you are logged in already");
	if (!s->is_tls)
		return mt_smtp_mistake(s, 538, "5.7.11", "begin TLS first");
	if (!mt_slice_take_word(&args, &mechanism))
		return mt_smtp_mistake(s, 501, "5.5.4", "name a mechanism");
	is_plain = mt_slice_eq_nocase(mechanism, MT_SLICE("PLAIN"));
	is_login = mt_slice_eq_nocase(mechanism, MT_SLICE("LOGIN"));
	if (!is_plain && !is_login)
		return mt_smtp_mistake(s, 504, "5.5.4", "only PLAIN and LOGIN are known");
	forget(s);
	if (args.n > 0)
		return is_plain ? plain(s, args) : login_user(s, args);
	s->wait = is_plain ? MT_SMTP_WAIT_AUTH_PLAIN : MT_SMTP_WAIT_AUTH_USER;
	/* RFC 4954 4: an empty challenge is "334 " with its blank; LOGIN asks Username: */
	return mt_smtp_say(s, 334, "", "%s", is_plain ? "" : "VXNlcm5hbWU6");
}

enum mt_smtp_event
mt_smtp_auth_line(struct mt_smtp_session *s, struct mt_slice line)
{
	if (mt_slice_eq(line, MT_SLICE("*"))) {
		forget(s);
		return mt_smtp_mistake(s, 501, "5.7.0", "login is cancelled");
	}
	switch (s->wait) {
	case MT_SMTP_WAIT_AUTH_PLAIN:
		return plain(s, line);
	case MT_SMTP_WAIT_AUTH_USER:
		return login_user(s, line);
	default:
		return login_secret(s, line);
	}
}

enum mt_smtp_event
mt_smtp_auth_done(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	mt_buf_clear_secret(&s->secret);
	if (a == NULL || a->code < 400) {
		s->is_logged_in = true;
		return mt_smtp_say(s, 235, "2.7.0", "welcome");
	}
	return failed(s, a);
}
