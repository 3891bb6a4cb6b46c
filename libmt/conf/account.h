/* account.h - the client's configuration: mt.conf */
#ifndef MT_CONF_ACCOUNT_H
#define MT_CONF_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "net/conn.h"

/*
 *	maildir = "~/Mail"
 *	account work {
 *	  from             = "Ada Lovelace <ada@example.org>"
 *	  pop3             = "pop3s://ada@mail.example.org"
 *	  smtp             = "smtps://ada@mail.example.org"
 *	  password_command = "pass show mail/work"
 *	}
 *
 * Strings are NULL where the file does not say, and owned by the configuration.
 */
struct mt_account {
	const char *name;
	const char *from;		/* an RFC 5322 mailbox, checked */
	const char *imap;		/* URL */
	const char *pop3;		/* URL; not used where there is imap */
	const char *smtp;		/* URL */
	const char *password_command;	/* first line of its output is the password */
	const char *ca_file;		/* PEM, instead of the system's authorities */
	const char *cert_file;		/* PEM: the client's certificate */
	const char *key_file;		/* and its key; NULL: in cert_file */
	const char *proxy;
	const char *mechanism;		/* of the login: "PLAIN", "XOAUTH2", ...; NULL: the best */
	const char *folder;		/* where mail arrives, below maildir: "NAME/INBOX" */
	const char *sent;		/* where copies of sent mail go: "NAME/Sent"; "" none */
	const char *drafts;		/* and drafts: "NAME/Drafts" */
	const char *pgp_key;		/* of the user, as GnuPG names it; NULL: by address */
	bool sign;			/* what is written is signed */
	const char *on_new, *on_error;	/* commands for mt-fetch --watch, or NULL */
	bool allow_plaintext;		/* log in without TLS where none is offered */
	const char *file;		/* the configuration file, and where the account */
	unsigned line;			/* starts in it: for error messages */
};

struct mt_client_conf {
	char *maildir;			/* absolute; "~" expanded; the default is ~/Mail */
	const char *local_mail;		/* an address for names without a domain, or NULL */
	struct mt_account *accounts;
	size_t naccounts;
	void *priv;
};

/*
 * Read path, or (NULL) $MT_CONFIG, or $XDG_CONFIG_HOME/mt/mt.conf, ~/.config/mt/mt.conf.
 * MT_ECONF is "file:line: what is wrong": unknown word, wrong type, missing value. A file that is
 * not there is MT_ECONF and says how to begin. `optional`: no file gives the defaults.
 */
struct mt_client_conf *mt_client_conf_read(const char *path, struct mt_err *err);
struct mt_client_conf *mt_client_conf_read_optional(const char *path, struct mt_err *err);
void mt_client_conf_free(struct mt_client_conf *conf);

/* The account of that name, or (NULL) the first. MT_ECONF lists the names there are. */
const struct mt_account *mt_client_conf_account(const struct mt_client_conf *conf,
    const char *name, struct mt_err *err);

/*
 * Run password_command (lazily: call it right before the login) and give its first line.
 * Free with mt_secret_free(). NULL on an error; an account without
 * password_command is MT_ECONF, unless it logs in by its certificate (then it is "").
 */
char *mt_account_password(const struct mt_account *a, struct mt_err *err);
/* Overwrite and free. */
void mt_secret_free(char *secret);
/* How to reach one of its servers; both borrow, and password may be NULL. */
struct mt_conn_dial mt_account_dial(const struct mt_account *a, const char *url,
    const char *password);

MT_AUTO_DEFINE(mt_client_conf, mt_client_conf_free);

/* Whether it is a folder below the mail root: no "..", no empty part, no "/" in front. */
bool mt_account_is_folder(const char *folder);

#endif
