/* serve.h - what mt-serve is told: the plain struct that a configuration becomes */
#ifndef MT_SERVE_SERVE_H
#define MT_SERVE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/tls.h"

enum mt_serve_protocol {
	MT_SERVE_SMTP,
	MT_SERVE_SUBMISSION,
	MT_SERVE_SUBMISSIONS,	/* TLS from the first byte */
	MT_SERVE_LMTP,
	MT_SERVE_POP3,
	MT_SERVE_POP3S,
	MT_SERVE_PROTOCOLS
};

struct mt_serve_listener {
	enum mt_serve_protocol protocol;
	int fd;			/* listening and non-blocking */
};

struct mt_serve_alias {
	const char *address;	/* lower case */
	const char **to;	/* users, lower case; ends with NULL */
};

/* Everything is borrowed and must stay as it is while the server runs. */
struct mt_serve_params {
	const char *hostname;
	const char *mail_root;		/* DOMAIN/USER/ below it are Maildirs (maildir++) */
	const char **domains;		/* lower case; ends with NULL */
	const char *users_file;
	const char *postmaster;		/* a user */
	const struct mt_serve_alias *aliases;
	size_t naliases;
	struct mt_tls *tls;		/* NULL: none, and then nobody can log in */
	const struct mt_serve_listener *listeners;
	size_t nlisteners;
	uint64_t size_max;		/* of a message */
	size_t rcpts_max;
	size_t connections_max;
	size_t connections_per_address;
	uint32_t command_timeout_ms;	/* for a command, or a piece of a message */
	uint32_t session_timeout_s;
	unsigned errors_max;		/* of one session */
	unsigned auth_failures_max;	/* of one address, then it is locked out */
	uint32_t auth_lockout_s;
};

/* "smtp", "submissions", ...: for logs. */
const char *mt_serve_protocol_word(enum mt_serve_protocol protocol);
bool mt_serve_protocol_is_pop3(enum mt_serve_protocol protocol);

/*
 * Serve until SIGTERM or SIGINT. The log gets an event "ready" with the real address
 * of every listener; systemd gets READY=1. Then, on the signal: no new connections, idle
 * sessions are closed, a message on its way is finished. Closes the listeners.
 */
int mt_serve_run(const struct mt_serve_params *params, struct mt_err *err);

#endif
