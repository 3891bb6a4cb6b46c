/* send.h - what the files of mt-send share: the command line and its account */
#ifndef MT_CMD_SEND_H
#define MT_CMD_SEND_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "conf/account.h"
#include "message/addr.h"
#include "net/conn.h"
#include "send/compose.h"
#include "send/submit.h"

/* The verbs; "sendmail" is also the name that the command may be called by. */
enum { SEND_NEW = 1, SEND_REPLY, SEND_FORWARD, SEND_BOUNCE, SEND_RESUME, SEND_SENDMAIL,
	SEND_INJECT, SEND_QUEUE };

/* Who needs longer than an hour uses --at. */
#define SEND_UNDO_MAX_S 3600
/* What lies further ahead is a slip. */
#define SEND_AT_MAX_S (INT64_C(36525) * 86400)

/* The command line, and what it stands for. Strings are words of argv. */
struct send {
	const char *account_name;
	const char *config;
	const char *from;		/* -f */
	const char *full_name;
	const char *body_file;
	const char *html;
	const char *subject;
	bool dry_run, no_queue, no_quote, all, list, from_fields, json, keep_bcc, nul_ends;
	bool edit, draft, no_check;
	bool is_resumed;		/* the draft is still there */
	bool whole;			/* forward --attach */
	bool sign, no_sign, encrypt;
	bool flowed;
	bool is_sendmail;		/* called by that name */
	bool verbose;			/* sendmail -v */
	char mode;			/* of sendmail: m, p, s or i as -b says; q for -q */
	uint64_t jobs;
	const char *save;		/* --save */
	struct mt_dsn dsn;		/* --notify, --ret, --envid */
	const char *at;
	uint64_t undo_s;
	int64_t not_before;		/* what --at and --undo mean, or 0 */
	GPtrArray *cc, *bcc, *attachments, *inlines, *fields, *to, *args;

	bool is_typed;			/* the text is nowhere but here */
	bool is_taken;			/* no more: a server, the queue or a draft has it */
	char *draft_text;		/* resume: what is edited, or NULL: c as text */
	char *edited;			/* the file in which it was edited, or NULL */
	char **argv;			/* as it was rewritten for sendmail, or NULL */
	struct mt_client_conf *conf;
	const struct mt_account *account;
	struct mt_addr local;		/* conf->local_mail, or all NULL */
	struct mt_addr_list mine;	/* the accounts' addresses, in their order */
	char *password;
	struct mt_conn_dial server;
};

void send_init(struct send *s);
void send_clear(struct send *s);

/* send_options.c: fill s from the command line, and give the verb. Ends the process on
   a usage error. */
int send_read_options(struct send *s, int argc, char **argv);

/* send_account.c */
int send_read_conf(struct send *s, struct mt_err *err);
/* The account of -a, else the one with this address (NULL: none), else the first. */
int send_choose_account(struct send *s, const struct mt_addr *address,
    struct mt_err *err);
/* Fill s->server, with the password: to be called right before the login. */
int send_open_account(struct send *s, struct mt_err *err);
/* The envelope as SMTP says it (the DSN parameters for a server that has DSN), an empty line,
   and the bytes that would go: to standard output. from NULL is "<>". The exit status. */
int send_print_draft(const struct send *s, const struct mt_addr *from,
    const struct mt_addr_list *rcpts, int draft);
/* A report of the delivery was asked for, and the server has no DSN. */
void send_warn_no_dsn(void);
/* Send, and tell how it went; gives the exit status. */
int send_submit(struct send *s, const struct mt_submit *m);

/*
 * send_enqueue.c: take the message into the queue, and try it once. What the server refuses
 * is 69; what waits is 0, since the queue has it. is_ours: written
 * by us. copy_to is a folder, or NULL.
 */
int send_enqueue(struct send *s, const struct mt_addr *from,
    const struct mt_addr_list *rcpts, int draft, bool is_ours, const char *copy_to,
    struct mt_slice copy_fields);

/* send_finish.c */
const struct mt_addr *send_envelope_sender(const struct mt_compose *c);
/* The author: -f, else the account. The account is that of an author, else the one with
   the address `other` (NULL: the first). */
int send_choose_sender(struct send *s, struct mt_compose *c, const struct mt_addr *other,
    struct mt_err *err);
/* The authors have changed: the account is that of one of them, or stays. */
int send_follow_author(struct send *s, struct mt_compose *c, struct mt_err *err);
/* Edit, keep as a draft or send what is filled in, as the options say: the status. */
int send_finish(struct send *s, struct mt_compose *c);
/* The folder below the mail root for the copy of what is sent; NULL: none. Borrowed. */
const char *send_copy_folder(const struct send *s);
/* Into the drafts of the account; *path (g_free) is where. */
int send_store_draft(const struct send *s, struct mt_compose *c, char **path,
    struct mt_err *err);

/* send_edit.c: --edit. Status 0: go on; s->edited is the file. Else nothing is sent, all is
   told, and the text is kept. */
int send_edit(struct send *s, struct mt_compose *c);

/*
 * send_pgp.c: the command line's wishes for a message (wish.h), in addition to its own; those
 * and what the account says of all; and the draft that is signed or encrypted (the other one is
 * closed, whatever happens). A key that is missing is MT_ECONF.
 */
struct send_pgp {
	struct mt_wish wish;
	const struct mt_addr *author;
	const struct mt_addr_list *rcpts;
	bool has_bcc;
};
void send_add_wish(const struct send *s, struct mt_wish *w);
struct mt_wish send_whole_wish(const struct send *s, const struct mt_wish *w);
int send_protect(const struct send *s, const struct send_pgp *p, int draft, struct mt_err *err);

/* send_resume.c: mt-send resume. */
int send_resume(struct send *s);

/*
 * send_book.c: a recipient by name. Whether text can only be one; and the mailbox (g_free)
 * of the only person to whom we wrote, or else who wrote to us, of whose name every word is
 * one, or whose local part it is: told on standard error. MT_EUSAGE: nobody, or several,
 * who are listed.
 */
bool send_is_name(const char *text);
char *send_find_person(const struct send *s, const char *name, struct mt_err *err);

/* mt-send.c: a path, or - for standard input. */
int send_open_input(const char *path, struct mt_err *err);

/*
 * send_message.c: the message that arg means: an existing file, - for standard input, else
 * the only answer to a query of the index (MT_ENOINPUT: none; MT_EDATA: several, which are
 * listed on standard error). A copy that nobody changes, and that can be read twice
 * (send/draft.h). *path (g_free) is the file that it is a copy of, NULL for standard input;
 * path may be NULL.
 */
int send_open_message(const struct send *s, const char *arg, char **path,
    struct mt_err *err);

/*
 * send_check.c: what the author wrote of c speaks of an attachment, and there is none: on a
 * terminal ask, where the answer may be a file, which is attached then; elsewhere,
 * or when it is not to go, MT_EDATA.
 */
struct mt_compose;
int send_check_attached(const struct send *s, struct mt_compose *c, struct mt_err *err);

/* send_queue.c: mt-send queue. */
int send_queue(struct send *s);
int send_run_queue(struct send *s);

/* send_smtp.c: sendmail -bs. */
int send_smtp(struct send *s);

/* send_mailq.c: the queue as mailq shows it. */
int send_mailq(struct send *s);

/* send_finished.c: the verbs for finished messages; they give the exit status. */
int send_sendmail(struct send *s);
int send_inject(struct send *s);

#endif
