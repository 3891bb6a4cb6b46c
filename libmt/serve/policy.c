/* policy.c - whose mail we take, into which mailboxes, and who may send as whom */
#include "serve/policy.h"

#include <string.h>

static bool
is_our_domain(const struct mt_serve_params *params, const char *domain)
{
	for (const char **d = params->domains; *d != NULL; d++) {
		if (g_ascii_strcasecmp(*d, domain) == 0)
			return true;
	}
	return false;
}

static const struct mt_serve_alias *
alias_of(const struct mt_serve_params *params, const char *address)
{
	for (size_t i = 0; i < params->naliases; i++) {
		if (strcmp(params->aliases[i].address, address) == 0)
			return &params->aliases[i];
	}
	return NULL;
}

/* "local@domain" in lower case without "+tag"; g_free. */
static char *
plain_address(const char *local, const char *domain)
{
	size_t n = strcspn(local, "+");
	g_autofree char *address = g_strdup_printf("%.*s@%s", (int)n, local, domain);

	return g_ascii_strdown(address, -1);
}

static void
add_new(GPtrArray *mailboxes, const char *user)
{
	if (!g_ptr_array_find_with_equal_func(mailboxes, user, g_str_equal, NULL))
		g_ptr_array_add(mailboxes, g_strdup(user));
}

/* The mailboxes behind one address; whether there are any. An alias loses users that
   have been removed, and is nobody when all are. */
static bool
expand(const struct mt_serve_params *params, const struct mt_serve_users *users,
    const char *address, GPtrArray *mailboxes)
{
	const struct mt_serve_alias *alias = alias_of(params, address);
	bool found = false;

	if (alias == NULL) {
		if (!mt_serve_users_has(users, address))
			return false;
		add_new(mailboxes, address);
		return true;
	}
	for (const char **to = alias->to; *to != NULL; to++) {
		if (!mt_serve_users_has(users, *to))
			continue;
		add_new(mailboxes, *to);
		found = true;
	}
	return found;
}

enum mt_serve_verdict
mt_serve_policy_rcpt(const struct mt_serve_params *params,
    const struct mt_serve_users *users, const char *local, const char *domain,
    GPtrArray *mailboxes)
{
	bool is_postmaster = g_ascii_strcasecmp(local, "postmaster") == 0;
	g_autofree char *address = NULL;

	if (domain[0] == '\0' && is_postmaster)
		domain = params->domains[0];
	if (!is_our_domain(params, domain))
		return MT_SERVE_NOT_OURS;
	address = plain_address(local, domain);
	if (expand(params, users, address, mailboxes))
		return MT_SERVE_OURS;
	if (!is_postmaster)
		return MT_SERVE_NO_USER;
	/* Never refused: when its reader is gone the sender shall try again until the
	   configuration is mended. */
	return expand(params, users, params->postmaster, mailboxes) ? MT_SERVE_OURS
								    : MT_SERVE_UNSURE;
}

bool
mt_serve_policy_may_send(const struct mt_serve_params *params,
    const struct mt_serve_users *users, const char *user, const char *local,
    const char *domain)
{
	g_autoptr(GPtrArray) mailboxes = g_ptr_array_new_with_free_func(g_free);

	if (local[0] == '\0' && domain[0] == '\0')
		return true;
	return domain[0] != '\0' && mt_serve_policy_rcpt(params, users, local, domain,
	    mailboxes) == MT_SERVE_OURS &&
	    g_ptr_array_find_with_equal_func(mailboxes, user, g_str_equal, NULL);
}

char *
mt_serve_policy_login(const struct mt_serve_params *params, const char *text)
{
	g_autofree char *address = NULL;

	if (strchr(text, '@') == NULL) {
		g_autofree char *full = g_strconcat(text, "@", params->domains[0], NULL);

		if (params->domains[1] != NULL)
			return NULL;
		address = g_ascii_strdown(full, -1);
	} else {
		address = g_ascii_strdown(text, -1);
	}
	return mt_serve_users_valid(address) ? g_steal_pointer(&address) : NULL;
}

char *
mt_serve_policy_maildir(const struct mt_serve_params *params, const char *user)
{
	const char *at = strchr(user, '@');

	g_assert(mt_serve_users_valid(user));
	return g_strdup_printf("%s/%s/%.*s", params->mail_root, at + 1, (int)(at - user),
	    user);
}
