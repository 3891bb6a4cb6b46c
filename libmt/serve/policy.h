/* policy.h - whose mail we take, into which mailboxes, and who may send as whom */
#ifndef MT_SERVE_POLICY_H
#define MT_SERVE_POLICY_H

#include <glib.h>
#include <stdbool.h>

#include "serve/serve.h"
#include "serve/users.h"

/*
 * An address is looked up in lower case and without its "+tag": first among the
 * aliases, then among the users. An alias gives users, never another alias. postmaster of
 * every domain of ours, and without a domain, is the configured one, unless there is a
 * user or an alias of that name (RFC 5321 4.5.1).
 */
enum mt_serve_verdict {
	MT_SERVE_OURS,		/* has a mailbox here */
	MT_SERVE_NO_USER,	/* a domain of ours, but nobody of that name */
	MT_SERVE_NOT_OURS,	/* another domain: we do not relay */
	MT_SERVE_UNSURE,	/* cannot be told now: temporary */
};

/* On OURS every mailbox ("ada@example.org", g_free) that is not there yet is appended. */
enum mt_serve_verdict mt_serve_policy_rcpt(const struct mt_serve_params *params,
    const struct mt_serve_users *users, const char *local, const char *domain,
    GPtrArray *mailboxes);

/*
 * Whether the user may send from this envelope address: her own, tagged or not, or an
 * alias that she gets the mail of. The null sender is everybody's (RFC 8098: a
 * notification that a message was read).
 */
bool mt_serve_policy_may_send(const struct mt_serve_params *params,
    const struct mt_serve_users *users, const char *user, const char *local,
    const char *domain);

/* What was typed as login name: an address, or a bare local part where there is only
   one domain. The user's address in lower case (g_free), or NULL when it cannot be one. */
char *mt_serve_policy_login(const struct mt_serve_params *params, const char *text);

/* mail_root/DOMAIN/USER; g_free. The user must be valid (mt_serve_users_valid()). */
char *mt_serve_policy_maildir(const struct mt_serve_params *params, const char *user);

#endif
