/* verb_mail.c - MAIL and RCPT: the envelope (RFC 5321 4.1.1.2, 4.1.1.3) */
#include <glib.h>

#include "base/limits.h"
#include "smtp/verb.h"

/* Take "FROM:" or "TO:" and blanks behind it, which many clients send. */
static bool
take_keyword(struct mt_slice *args, struct mt_slice word)
{
	if (!mt_slice_take_nocase(args, word))
		return false;
	mt_slice_skip_blank(args);
	return true;
}

/*
 * A domain is left out only for <Postmaster> (RFC 5321 4.5.1), and by local software
 * that speaks LMTP to us.
 */
static bool
may_lack_domain(const struct mt_smtp_session *s, const struct mt_smtp_path *p)
{
	return s->params.mode == MT_SMTP_MODE_LMTP ||
	    g_ascii_strcasecmp(p->local, "postmaster") == 0;
}

/* What a parameter is refused with; each function below gives one, or NULL. */
struct refusal {
	unsigned code;
	const char *dsn;
	const char *text;
};

static const struct refusal param_wrong = { 501, "5.5.4", "a parameter is wrong" };
static const struct refusal param_unknown = { 555, "5.5.4", "an unknown parameter" };
static const struct refusal too_big = { 552, "5.3.4", "the message is too big" };

/* SIZE=octets (RFC 1870 6.1) */
static const struct refusal *
param_size(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	struct mt_slice digits = p->value;
	uint64_t size;

	/* 20 digits at most; a number past 64 bits is too big for anybody. */
	if (digits.n > 20)
		return &param_wrong;
	if (!mt_slice_take_u64(&digits, UINT64_MAX, &size) || digits.n > 0)
		return &param_wrong;
	if (s->params.size_max != 0 && size > s->params.size_max)
		return &too_big;
	s->env.size = size;
	return NULL;
}

/* BODY=7BIT or 8BITMIME (RFC 6152 2) */
static const struct refusal *
param_body(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	if (mt_slice_eq_nocase(p->value, MT_SLICE("8BITMIME")))
		s->env.is_8bit = true;
	else if (!mt_slice_eq_nocase(p->value, MT_SLICE("7BIT")))
		return &param_wrong;
	return NULL;
}

/* SMTPUTF8 (RFC 6531 3.4) */
static const struct refusal *
param_smtputf8(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	if (p->has_value)
		return &param_wrong;
	s->env.is_utf8 = true;
	return NULL;
}

/* AUTH=xtext or <> (RFC 4954 5): checked, and forgotten, for we trust no relay's word. */
static const struct refusal *
param_auth(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	struct mt_buf who = MT_BUF_INIT(MT_MAX_SMTP_LINE);
	bool ok = p->has_value && (mt_slice_eq(p->value, MT_SLICE("<>")) ||
	    mt_smtp_xtext_decode(p->value, &who));

	mt_buf_clear(&who);
	if (!ok)
		return &param_wrong;
	return s->params.mode == MT_SMTP_MODE_SUBMISSION ? NULL : &param_unknown;
}

/* RET=FULL or HDRS (RFC 3461 4.3), once */
static const struct refusal *
param_ret(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	g_autofree char *text = mt_slice_dup(p->value);

	if (!s->params.can_dsn)
		return &param_unknown;
	return s->env.ret == MT_DSN_RET_UNSAID &&
	    mt_dsn_ret_parse(text, &s->env.ret, NULL) == 0 ? NULL : &param_wrong;
}

/* ENVID=xtext (RFC 3461 4.4), once */
static const struct refusal *
param_envid(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	mt_auto_value(mt_buf) id = MT_BUF_INIT(MT_DSN_ENVID_MAX);
	g_autofree char *text = NULL;

	if (!s->params.can_dsn)
		return &param_unknown;
	if (s->env.envid[0] != '\0' || !mt_smtp_xtext_decode(p->value, &id))
		return &param_wrong;
	text = mt_slice_dup(mt_buf_slice(&id));
	if (strlen(text) != id.n || !mt_dsn_is_envid(text))
		return &param_wrong;
	g_strlcpy(s->env.envid, text, sizeof(s->env.envid));
	return NULL;
}

/* NOTIFY=NEVER or SUCCESS,FAILURE,DELAY (RFC 3461 4.1), once */
static const struct refusal *
param_notify(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	g_autofree char *text = mt_slice_dup(p->value);

	if (!s->params.can_dsn)
		return &param_unknown;
	return s->wish.notify == 0 && mt_dsn_notify_parse(text, &s->wish.notify, NULL) == 0 ?
	    NULL : &param_wrong;
}

/* ORCPT=type;xtext (RFC 3461 4.2), once */
static const struct refusal *
param_orcpt(struct mt_smtp_session *s, const struct mt_smtp_param *p)
{
	g_autofree char *text = mt_slice_dup(p->value);

	if (!s->params.can_dsn)
		return &param_unknown;
	if (s->wish.orcpt[0] != '\0' || !mt_dsn_is_orcpt(text))
		return &param_wrong;
	g_strlcpy(s->wish.orcpt, text, sizeof(s->wish.orcpt));
	return NULL;
}

struct param {
	const char *name;
	const struct refusal *(*take)(struct mt_smtp_session *s,
	    const struct mt_smtp_param *p);
};

static const struct param mail_params[] = {
	{ "SIZE", param_size },
	{ "BODY", param_body },
	{ "SMTPUTF8", param_smtputf8 },
	{ "AUTH", param_auth },
	{ "RET", param_ret },
	{ "ENVID", param_envid },
	{ NULL, NULL },
};
static const struct param rcpt_params[] = {
	{ "NOTIFY", param_notify },
	{ "ORCPT", param_orcpt },
	{ NULL, NULL },
};

static const struct refusal *
take_param(struct mt_smtp_session *s, const struct param *known,
    const struct mt_smtp_param *p)
{
	for (; known->name != NULL; known++) {
		if (mt_slice_eq_nocase(p->name, mt_slice_str(known->name)))
			return known->take(s, p);
	}
	return &param_unknown;
}

static const struct refusal *
take_params(struct mt_smtp_session *s, const struct param *known, struct mt_slice args)
{
	struct mt_smtp_param p;
	int rc;

	while ((rc = mt_smtp_param_next(&args, &p, NULL)) > 0) {
		const struct refusal *r = take_param(s, known, &p);

		if (r != NULL)
			return r;
	}
	return rc < 0 ? &param_wrong : NULL;
}

static enum mt_smtp_event
refuse_mail(struct mt_smtp_session *s, unsigned code, const char *dsn, const char *text)
{
	mt_smtp_forget_transaction(s);
	s->mail_was_refused = true;
	return mt_smtp_mistake(s, code, dsn, "%s", text);
}

enum mt_smtp_event
mt_smtp_verb_mail(struct mt_smtp_session *s, struct mt_slice args)
{
	const struct refusal *r;
	struct mt_err err = { 0 };

	s->mail_was_refused = false;
	if (s->params.mode == MT_SMTP_MODE_SUBMISSION && !s->is_logged_in)
		return refuse_mail(s, 530, "5.7.0",
		    s->is_tls ? "log in first" : "begin TLS and log in first");
	if (!take_keyword(&args, MT_SLICE("FROM:")))
		return refuse_mail(s, 501, "5.5.4", "it is MAIL FROM:<address>");
	if (mt_smtp_path_take(&args, &s->env.from, &err) < 0)
		return refuse_mail(s, 501, "5.1.7", err.msg);
	if (s->env.from.text[0] != '\0' && s->env.from.domain[0] == '\0' &&
	    !may_lack_domain(s, &s->env.from))
		return refuse_mail(s, 501, "5.1.7", "the address has no domain");
	r = take_params(s, mail_params, args);
	if (r != NULL)
		return refuse_mail(s, r->code, r->dsn, r->text);
	if (!s->env.from.is_ascii && !s->env.is_utf8)
		return refuse_mail(s, 550, "5.6.7", "such an address needs SMTPUTF8");
	return mt_smtp_ask(s, MT_SMTP_WAIT_SENDER, MT_SMTP_CHECK_SENDER);
}

enum mt_smtp_event
mt_smtp_mail_done(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	if (a != NULL && a->code >= 400) {
		mt_smtp_forget_transaction(s);
		s->mail_was_refused = true;
		return mt_smtp_say_answer(s, a);
	}
	s->state = MT_SMTP_ST_MAIL;
	return mt_smtp_say(s, 250, "2.1.0", "sender ok");
}

enum mt_smtp_event
mt_smtp_verb_rcpt(struct mt_smtp_session *s, struct mt_slice args)
{
	const struct refusal *r;
	struct mt_err err = { 0 };

	if (!take_keyword(&args, MT_SLICE("TO:")))
		return mt_smtp_mistake(s, 501, "5.5.4", "it is RCPT TO:<address>");
	if (mt_smtp_path_take(&args, &s->rcpt, &err) < 0)
		return mt_smtp_mistake(s, 501, "5.1.3", "%s", err.msg);
	if (mt_smtp_path_is_null(&s->rcpt))
		return mt_smtp_mistake(s, 501, "5.1.3", "nobody is no recipient");
	if (s->rcpt.domain[0] == '\0' && !may_lack_domain(s, &s->rcpt))
		return mt_smtp_mistake(s, 501, "5.1.3", "the address has no domain");
	s->wish = (struct mt_smtp_wish){ 0 };
	r = take_params(s, rcpt_params, args);
	if (r != NULL)
		return mt_smtp_mistake(s, r->code, r->dsn, "%s", r->text);
	if (!s->rcpt.is_ascii && !s->env.is_utf8)
		return mt_smtp_mistake(s, 553, "5.6.7", "such an address needs SMTPUTF8");
	/* Not a mistake: RFC 5321 4.5.3.1.10 has the client send the rest later. */
	if (s->env.rcpts_n >= s->params.rcpts_max)
		return mt_smtp_say(s, 452, "4.5.3", "too many recipients");
	return mt_smtp_ask(s, MT_SMTP_WAIT_RCPT, MT_SMTP_CHECK_RCPT);
}

/*
 * Refused recipients have a count of their own: a list with a dozen dead addresses must
 * not cost the living ones their mail, and who guesses addresses is still stopped.
 */
static enum mt_smtp_event
refuse_rcpt(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	if (a->code >= 500 && ++s->rcpts_refused > 2 * s->params.rcpts_max) {
		mt_smtp_say(s, 421, "4.7.0", "too many unknown recipients, closing");
		return mt_smtp_close(s);
	}
	return mt_smtp_say_answer(s, a);
}

enum mt_smtp_event
mt_smtp_rcpt_done(struct mt_smtp_session *s, const struct mt_smtp_answer *a)
{
	if (a != NULL && a->code >= 400)
		return refuse_rcpt(s, a);
	if (s->env.rcpts_n == s->rcpts_cap) {
		s->rcpts_cap = s->rcpts_cap == 0 ? 4 : s->rcpts_cap * 2;
		s->rcpts = g_renew(struct mt_smtp_path, s->rcpts, s->rcpts_cap);
		if (s->params.can_dsn)
			s->wishes = g_renew(struct mt_smtp_wish, s->wishes, s->rcpts_cap);
	}
	if (s->params.can_dsn)
		s->wishes[s->env.rcpts_n] = s->wish;
	s->env.wishes = s->wishes;
	s->rcpts[s->env.rcpts_n++] = s->rcpt;
	s->env.rcpts = s->rcpts;
	s->state = MT_SMTP_ST_RCPT;
	return mt_smtp_say(s, 250, "2.1.5", "recipient ok");
}
