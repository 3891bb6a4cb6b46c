/* verb_hello.c - HELO, EHLO, LHLO and STARTTLS */
#include <glib.h>

#include "smtp/verb.h"

/*
 * The name that the peer gives itself is no proof of anything (RFC 5321 4.1.4 forbids to
 * refuse a name that does not fit), so that any printable word is taken. It ends up in
 * our Received field: no blanks, no brackets but those of a literal, no controls.
 */
static bool
take_name(struct mt_slice args, char name[256])
{
	struct mt_slice word;

	if (!mt_slice_take_word(&args, &word) || word.n > MT_MAX_DOMAIN)
		return false;
	if (!g_utf8_validate_len(word.p, word.n, NULL))
		return false;
	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (c <= ' ' || c == 0x7f || strchr("()<>@,;\\\"", (int)c) != NULL)
			return false;
	}
	memcpy(name, word.p, word.n);
	name[word.n] = '\0';
	return true;
}

/* Common to the three: 0, or the event of a refusal in *event. */
static bool
hello(struct mt_smtp_session *s, struct mt_slice args, bool is_esmtp,
    enum mt_smtp_event *event)
{
	char name[256];

	if (!take_name(args, name)) {
		*event = mt_smtp_mistake(s, 501, "5.5.4", "say who you are");
		return false;
	}
	g_strlcpy(s->helo, name, sizeof(s->helo));
	s->is_esmtp = is_esmtp;
	s->state = MT_SMTP_ST_READY;
	mt_smtp_forget_transaction(s);
	return true;
}

/* Append a line of the EHLO reply; the last one has a blank behind the code. */
static void
offer(struct mt_smtp_session *s, const char *keyword, uint64_t value)
{
	int rc = value == 0
	    ? mt_buf_appendf(&s->out, "250-%s\r\n", keyword)
	    : mt_buf_appendf(&s->out, "250-%s %" G_GUINT64_FORMAT "\r\n", keyword, value);

	g_assert(rc == 0);
}

static enum mt_smtp_event
offer_all(struct mt_smtp_session *s)
{
	if (s->out_taken)
		mt_buf_reset(&s->out);
	s->out_taken = false;
	offer(s, s->host, 0);
	offer(s, "PIPELINING", 0);
	offer(s, "SIZE", s->params.size_max);
	offer(s, "8BITMIME", 0);
	if (s->params.can_tls && !s->is_tls)
		offer(s, "STARTTLS", 0);
	if (s->params.mode == MT_SMTP_MODE_SUBMISSION && s->is_tls)
		offer(s, "AUTH PLAIN LOGIN", 0);
	if (s->params.can_dsn)
		offer(s, "DSN", 0);
	offer(s, "ENHANCEDSTATUSCODES", 0);
	return mt_smtp_say(s, 250, "", "SMTPUTF8");
}

enum mt_smtp_event
mt_smtp_verb_helo(struct mt_smtp_session *s, struct mt_slice args)
{
	enum mt_smtp_event event;

	if (s->params.mode == MT_SMTP_MODE_LMTP)
		return mt_smtp_mistake(s, 500, "5.5.1", "this is LMTP: say LHLO");
	if (!hello(s, args, false, &event))
		return event;
	return mt_smtp_say(s, 250, "", "%s", s->host);
}

enum mt_smtp_event
mt_smtp_verb_ehlo(struct mt_smtp_session *s, struct mt_slice args)
{
	enum mt_smtp_event event;

	if (s->params.mode == MT_SMTP_MODE_LMTP)
		return mt_smtp_mistake(s, 500, "5.5.1", "this is LMTP: say LHLO");
	if (!hello(s, args, true, &event))
		return event;
	return offer_all(s);
}

enum mt_smtp_event
mt_smtp_verb_lhlo(struct mt_smtp_session *s, struct mt_slice args)
{
	enum mt_smtp_event event;

	if (s->params.mode != MT_SMTP_MODE_LMTP)
		return mt_smtp_mistake(s, 500, "5.5.1", "this is SMTP: say EHLO");
	if (!hello(s, args, true, &event))
		return event;
	return offer_all(s);
}

/* RFC 3207 4 */
enum mt_smtp_event
mt_smtp_verb_starttls(struct mt_smtp_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_smtp_mistake(s, 501, "5.5.4", "STARTTLS stands alone");
	if (s->is_tls)
		return mt_smtp_mistake(s, 503, "5.5.1", "this is TLS already");
	if (!s->params.can_tls)
		return mt_smtp_mistake(s, 502, "5.5.1", "there is no TLS here");
	mt_smtp_say(s, 220, "2.0.0", "begin TLS");
	return mt_smtp_ask(s, MT_SMTP_WAIT_TLS, MT_SMTP_START_TLS);
}
