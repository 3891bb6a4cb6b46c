/* verb_misc.c - DATA, RSET, QUIT, and the verbs that do or tell nothing */
#include "smtp/verb.h"

static enum mt_smtp_event
no_arguments(struct mt_smtp_session *s)
{
	return mt_smtp_mistake(s, 501, "5.5.4", "the command stands alone");
}

enum mt_smtp_event
mt_smtp_verb_data(struct mt_smtp_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return no_arguments(s);
	/* Pipelined behind RCPTs that were all refused (RFC 2920 3.1): no mistake. */
	if (s->env.rcpts_n == 0)
		return mt_smtp_say(s, 554, "5.5.1", "there is no valid recipient");
	return mt_smtp_ask(s, MT_SMTP_WAIT_BEGIN, MT_SMTP_BEGIN_DATA);
}

enum mt_smtp_event
mt_smtp_verb_rset(struct mt_smtp_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return no_arguments(s);
	mt_smtp_forget_transaction(s);
	return mt_smtp_say(s, 250, "2.0.0", "forgotten");
}

enum mt_smtp_event
mt_smtp_verb_quit(struct mt_smtp_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return no_arguments(s);
	mt_smtp_say(s, 221, "2.0.0", "bye");
	return mt_smtp_close(s);
}

enum mt_smtp_event
mt_smtp_verb_noop(struct mt_smtp_session *s, struct mt_slice args)
{
	(void)args;
	return mt_smtp_say(s, 250, "2.0.0", "ok");
}

enum mt_smtp_event
mt_smtp_verb_help(struct mt_smtp_session *s, struct mt_slice args)
{
	(void)args;
	return mt_smtp_say(s, 214, "2.0.0", "see RFC 5321");
}

/* RFC 5321 7.3: who exists is not told. */
enum mt_smtp_event
mt_smtp_verb_vrfy(struct mt_smtp_session *s, struct mt_slice args)
{
	if (args.n == 0)
		return mt_smtp_mistake(s, 501, "5.5.4", "verify whom?");
	return mt_smtp_say(s, 252, "2.5.2", "send it, and we will see");
}

enum mt_smtp_event
mt_smtp_verb_expn(struct mt_smtp_session *s, struct mt_slice args)
{
	(void)args;
	return mt_smtp_mistake(s, 502, "5.5.1", "lists are not told");
}

/*
 * We do not offer CHUNKING. A client that sends BDAT all the same sends a message behind
 * it, which we would read as commands: close.
 */
enum mt_smtp_event
mt_smtp_verb_bdat(struct mt_smtp_session *s, struct mt_slice args)
{
	(void)args;
	mt_smtp_say(s, 502, "5.5.1", "there is no BDAT here: closing");
	return mt_smtp_close(s);
}

/* A browser was made to talk to us; what follows may be commands in a form's text. */
enum mt_smtp_event
mt_smtp_verb_http(struct mt_smtp_session *s, struct mt_slice args)
{
	(void)args;
	mt_smtp_say(s, 502, "5.7.0", "this is no web server: closing");
	return mt_smtp_close(s);
}
