/* verb.h - inside the server session: its state, and one function per verb */
#ifndef MT_POP3_VERB_H
#define MT_POP3_VERB_H

#include "base/buf.h"
#include "pop3/session.h"

/* A listing is given out in parts of about this size. */
#define MT_POP3_PART_SIZE MT_KIB(32)

enum mt_pop3_state {
	MT_POP3_ST_AUTHORIZATION = 1,
	MT_POP3_ST_TRANSACTION = 2,
};

enum mt_pop3_wait {
	MT_POP3_WAIT_LINE,
	MT_POP3_WAIT_SASL,	/* the client's answer within AUTH */
	MT_POP3_WAIT_MORE,	/* the driver, here and below */
	MT_POP3_WAIT_TLS,
	MT_POP3_WAIT_LOGIN,
	MT_POP3_WAIT_SEND,
	MT_POP3_WAIT_COMMIT,
	MT_POP3_WAIT_NOTHING,
};

struct mt_pop3_session {
	struct mt_pop3_session_params params;
	char *host;
	struct mt_buf out;
	bool out_taken;
	enum mt_pop3_state state;
	enum mt_pop3_wait wait;
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

/* Append to the output; everything here is short and the driver empties it. */
__attribute__((format(printf, 2, 3))) enum mt_pop3_event mt_pop3_say(
    struct mt_pop3_session *s, const char *fmt, ...);
/* A mistake of the client; a few of them end the session. */
enum mt_pop3_event mt_pop3_mistake(struct mt_pop3_session *s, const char *text);
enum mt_pop3_event mt_pop3_ask(struct mt_pop3_session *s, enum mt_pop3_wait wait,
    enum mt_pop3_event event);
enum mt_pop3_event mt_pop3_close(struct mt_pop3_session *s);

/* A verb's arguments are without blanks at their ends, but for PASS. */
typedef enum mt_pop3_event mt_pop3_verb(struct mt_pop3_session *s, struct mt_slice args);

/* verb_login.c */
mt_pop3_verb mt_pop3_verb_stls, mt_pop3_verb_user, mt_pop3_verb_pass, mt_pop3_verb_auth;
/* The client's answer within AUTH. */
enum mt_pop3_event mt_pop3_auth_line(struct mt_pop3_session *s, struct mt_slice line);
void mt_pop3_forget_login(struct mt_pop3_session *s);

/* verb_mail.c */
mt_pop3_verb mt_pop3_verb_stat, mt_pop3_verb_list, mt_pop3_verb_uidl, mt_pop3_verb_retr,
    mt_pop3_verb_top, mt_pop3_verb_dele, mt_pop3_verb_rset;
/* Count again from scratch: nothing is deleted. */
void mt_pop3_undelete_all(struct mt_pop3_session *s);

#endif
