/* dsn.h - what a sender wants to hear of the delivery (RFC 3461) */
#ifndef MT_SMTP_DSN_H
#define MT_SMTP_DSN_H

#include <glib.h>
#include <stdbool.h>

#include "base/err.h"

/* NOTIFY (RFC 3461 4.1): bits, or MT_DSN_NEVER alone; 0: it is not said. */
enum {
	MT_DSN_SUCCESS = 1,
	MT_DSN_FAILURE = 2,
	MT_DSN_DELAY = 4,
	MT_DSN_NEVER = 8,
};

/* As xtext (RFC 3461 4.4), and with the type of the address in front (RFC 3461 5.4) */
#define MT_DSN_ENVID_MAX 100
#define MT_DSN_ORCPT_MAX 500

enum mt_dsn_ret { MT_DSN_RET_UNSAID, MT_DSN_RET_FULL, MT_DSN_RET_HDRS };

struct mt_dsn {
	unsigned notify;
	enum mt_dsn_ret ret;
	const char *envid;	/* printable ASCII, not empty; or NULL; borrowed */
};

/* What is said for one recipient in particular. */
struct mt_dsn_rcpt {
	unsigned notify;	/* 0: as for all */
	const char *orcpt;	/* "rfc822;xtext"; NULL: the recipient himself; borrowed */
};

/* "success,failure", "never", ... in any case: MT_EUSAGE when it is none. */
int mt_dsn_notify_parse(const char *text, unsigned *out, struct mt_err *err);
/* The words of RFC 3461, "SUCCESS,FAILURE"; "" for 0. g_free. */
char *mt_dsn_notify_text(unsigned notify);
/* "full" or "hdrs", in any case. */
int mt_dsn_ret_parse(const char *text, enum mt_dsn_ret *out, struct mt_err *err);
/* Whether it can be an envelope's id: printable ASCII, not empty, MT_DSN_ENVID_MAX octets at
   most where blanks, "+" and "=" count as three. */
bool mt_dsn_is_envid(const char *text);
/* Whether it can stand behind ORCPT= (RFC 3461 4.2): "type;xtext" */
bool mt_dsn_is_orcpt(const char *text);

/* A failure, or a delay, is to be told: NOTIFY does not forbid it (RFC 3461 6.2.7). */
bool mt_dsn_wants_failure(unsigned notify);
bool mt_dsn_wants_delay(unsigned notify);

/* What stands behind MAIL FROM:<...> (RFC 3461 4.3, 4.4) and RCPT TO:<address> (4.1, 4.2),
   with a blank before each; nothing when nothing is said. own may be NULL. */
void mt_dsn_append_mail(GString *out, const struct mt_dsn *dsn);
void mt_dsn_append_rcpt(GString *out, const struct mt_dsn *dsn,
    const struct mt_dsn_rcpt *own, const char *address);

#endif
