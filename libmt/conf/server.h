/* server.h - the server's configuration: mt-serve.conf */
#ifndef MT_CONF_SERVER_H
#define MT_CONF_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

/* Ports by what is spoken there; the words of the configuration. */
enum mt_server_port {
	MT_SERVER_SMTP,
	MT_SERVER_SUBMISSION,
	MT_SERVER_SUBMISSIONS,
	MT_SERVER_LMTP,
	MT_SERVER_POP3,
	MT_SERVER_POP3S,
	MT_SERVER_PORTS
};

struct mt_server_listen {
	enum mt_server_port port;
	const char *address;		/* "192.0.2.1:25", "unix:/path" */
};

struct mt_server_alias {
	const char *address;		/* "info@example.org", lower case */
	const char **to;		/* addresses of users, lower case; ends with NULL */
};

/* All strings belong to the configuration; NULL where the file does not say. */
struct mt_server_conf {
	const char *hostname;
	const char *mail_root;		/* absolute */
	const char **domains;		/* lower case; ends with NULL */
	const char *users;		/* the password file; absolute */
	const char *postmaster;		/* address of a user, lower case */
	const char *tls_certificate;
	const char *tls_key;
	const char *user, *group;	/* for a start by root */
	const char *log;		/* absolute path; NULL: standard error */
	struct mt_server_listen *listen;
	size_t nlisten;
	struct mt_server_alias *aliases;
	size_t naliases;
	uint64_t size_max;
	uint64_t recipients_max;
	uint64_t connections_max;
	uint64_t connections_per_address;
	uint64_t timeout_command_s;
	uint64_t timeout_session_s;
	uint64_t errors_max;
	uint64_t auth_failures_max;
	uint64_t auth_lockout_s;
	void *file;			/* private: struct mt_conf */
	void *strings;			/* private: GStringChunk */
};

/*
 * Read and check all that the file alone can tell: words, types, addresses, what
 * belongs together. MT_ECONF is "file:line: word: what is wrong".
 */
struct mt_server_conf *mt_server_conf_read(const char *path, struct mt_err *err);
void mt_server_conf_free(struct mt_server_conf *c);

/* MT_ECONF "file:line: word: ...", for what is found wrong with a value later. */
int mt_server_conf_fail(const struct mt_server_conf *c, const char *word,
    struct mt_err *err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int mt_server_conf_fail_listen(const struct mt_server_conf *c,
    const struct mt_server_listen *l, struct mt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Refuse what would be unsafe or cannot work in this file system, for the user that we
 * are: a key or a password file that others may read, a mail_root that cannot be written.
 */
int mt_server_conf_check_key(const struct mt_server_conf *c, struct mt_err *err);
int mt_server_conf_check_files(const struct mt_server_conf *c, struct mt_err *err);

/* The word of the file for a port: "smtp", "pop3s". */
const char *mt_server_port_word(enum mt_server_port port);
/* Whether passwords are asked for there. */
bool mt_server_port_has_login(enum mt_server_port port);

MT_AUTO_DEFINE(mt_server_conf, mt_server_conf_free);

#endif
