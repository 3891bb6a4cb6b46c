/* verb.h - inside the server session: its state, and one function per verb */
#ifndef MT_SMTP_VERB_H
#define MT_SMTP_VERB_H

#include "base/buf.h"
#include "smtp/session.h"

/* What is said between two commands, and nothing more. */
#define MT_SMTP_OUT_MAX MT_KIB(64)

/*
 * Where the session stands (RFC 5321 4.1.4). Verbs are allowed in a set of these; the
 * table is in session.c.
 */
enum mt_smtp_state {
	MT_SMTP_ST_NEW = 1,	/* greeted, no HELO yet, or TLS has just begun */
	MT_SMTP_ST_READY = 2,	/* HELO was said, no transaction */
	MT_SMTP_ST_MAIL = 4,	/* MAIL was accepted, no recipient yet */
	MT_SMTP_ST_RCPT = 8,	/* at least one recipient */
};

/* The open question, or what the next line is. */
enum mt_smtp_wait {
	MT_SMTP_WAIT_LINE,		/* a command */
	MT_SMTP_WAIT_AUTH_PLAIN,	/* the client's answers within AUTH */
	MT_SMTP_WAIT_AUTH_USER,
	MT_SMTP_WAIT_AUTH_SECRET,
	MT_SMTP_WAIT_TLS,		/* the driver */
	MT_SMTP_WAIT_LOGIN,
	MT_SMTP_WAIT_SENDER,
	MT_SMTP_WAIT_RCPT,
	MT_SMTP_WAIT_BEGIN,
	MT_SMTP_WAIT_DATA,
	MT_SMTP_WAIT_NOTHING,		/* the session is over */
};

struct mt_smtp_session {
	struct mt_smtp_session_params params;
	char *host;
	struct mt_buf out;
	bool out_taken;		/* out was handed to the driver: drop it before writing */
	enum mt_smtp_state state;
	enum mt_smtp_wait wait;
	bool must_wait;
	bool is_tls;
	bool is_esmtp;
	char helo[256];
	unsigned errors;
	unsigned logins_failed;
	unsigned rcpts_refused;
	unsigned last_code;
	bool mail_was_refused;
	struct mt_buf user;	/* of the login under way, then of the one that succeeded */
	struct mt_buf secret;
	bool is_logged_in;
	struct mt_smtp_envelope env;
	struct mt_smtp_path *rcpts;
	size_t rcpts_cap;
	struct mt_smtp_path rcpt;	/* the one in question */
	struct mt_smtp_wish *wishes, wish;	/* the same, with can_dsn */
};

/* Append a reply line; text is ours or was made printable. Gives GO_ON. */
enum mt_smtp_event mt_smtp_say(struct mt_smtp_session *s, unsigned code, const char *dsn,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same for a mistake of the client: counted; one too many gives 421 and CLOSE. */
enum mt_smtp_event mt_smtp_mistake(struct mt_smtp_session *s, unsigned code,
    const char *dsn, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Append the driver's answer; 421 and 521 give CLOSE. */
enum mt_smtp_event mt_smtp_say_answer(struct mt_smtp_session *s,
    const struct mt_smtp_answer *a);
enum mt_smtp_event mt_smtp_close(struct mt_smtp_session *s);
/* Ask the driver. */
enum mt_smtp_event mt_smtp_ask(struct mt_smtp_session *s, enum mt_smtp_wait wait,
    enum mt_smtp_event event);
/* Forget the transaction; the session is READY when HELO was said. */
void mt_smtp_forget_transaction(struct mt_smtp_session *s);

/* The verbs: args is what stands behind the verb and a blank, without the line end. */
typedef enum mt_smtp_event mt_smtp_verb(struct mt_smtp_session *s, struct mt_slice args);

mt_smtp_verb mt_smtp_verb_helo, mt_smtp_verb_ehlo, mt_smtp_verb_lhlo;
mt_smtp_verb mt_smtp_verb_starttls;
mt_smtp_verb mt_smtp_verb_auth;
mt_smtp_verb mt_smtp_verb_mail, mt_smtp_verb_rcpt;
mt_smtp_verb mt_smtp_verb_data, mt_smtp_verb_rset, mt_smtp_verb_bdat;
mt_smtp_verb mt_smtp_verb_noop, mt_smtp_verb_vrfy, mt_smtp_verb_expn;
mt_smtp_verb mt_smtp_verb_help, mt_smtp_verb_quit, mt_smtp_verb_http;

/* A line within AUTH, and the driver's word on the login. */
enum mt_smtp_event mt_smtp_auth_line(struct mt_smtp_session *s, struct mt_slice line);
enum mt_smtp_event mt_smtp_auth_done(struct mt_smtp_session *s,
    const struct mt_smtp_answer *a);
/* The driver's word on the sender and on a recipient. */
enum mt_smtp_event mt_smtp_mail_done(struct mt_smtp_session *s,
    const struct mt_smtp_answer *a);
enum mt_smtp_event mt_smtp_rcpt_done(struct mt_smtp_session *s,
    const struct mt_smtp_answer *a);

#endif
