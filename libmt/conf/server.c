/* server.c - the server's configuration: mt-serve.conf */
#include "conf/server.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "conf/parse.h"
#include "net/listen.h"

static const struct mt_conf_word words[] = {
	{ "hostname", MT_CONF_STRING, 0, 0, NULL },
	{ "mail_root", MT_CONF_STRING, 0, 0, NULL },
	{ "domains", MT_CONF_LIST, 0, 0, NULL },
	{ "users", MT_CONF_STRING, 0, 0, NULL },
	{ "postmaster", MT_CONF_STRING, 0, 0, NULL },
	{ "tls_certificate", MT_CONF_STRING, 0, 0, NULL },
	{ "tls_key", MT_CONF_STRING, 0, 0, NULL },
	{ "smtp", MT_CONF_LIST, 0, 0, NULL },
	{ "submission", MT_CONF_LIST, 0, 0, NULL },
	{ "submissions", MT_CONF_LIST, 0, 0, NULL },
	{ "lmtp", MT_CONF_LIST, 0, 0, NULL },
	{ "pop3", MT_CONF_LIST, 0, 0, NULL },
	{ "pop3s", MT_CONF_LIST, 0, 0, NULL },
	{ "user", MT_CONF_STRING, 0, 0, NULL },
	{ "group", MT_CONF_STRING, 0, 0, NULL },
	{ "log", MT_CONF_STRING, 0, 0, NULL },
	{ "size_max", MT_CONF_SIZE, 65536, 0, "50M" },
	{ "recipients_max", MT_CONF_INT, 1, MT_MAX_RCPTS, "100" },
	{ "connections_max", MT_CONF_INT, 1, 100000, "500" },
	{ "connections_per_address", MT_CONF_INT, 1, 100000, "50" },
	{ "timeout_command", MT_CONF_TIME, 1, 3600, "5m" },
	{ "timeout_session", MT_CONF_TIME, 1, 7 * 86400, "1h" },
	{ "errors_max", MT_CONF_INT, 1, 1000, "10" },
	{ "auth_failures_max", MT_CONF_INT, 1, 1000, "10" },
	{ "auth_lockout", MT_CONF_TIME, 1, 7 * 86400, "15m" },
	{ 0 },
};
static const struct mt_conf_word alias_words[] = {
	{ "to", MT_CONF_LIST, 0, 0, NULL },
	{ 0 },
};
static const struct mt_conf_kind kinds[] = { { "alias", alias_words }, { 0 } };

static const struct {
	const char *word;
	bool has_login;
	bool needs_tls;
} ports[MT_SERVER_PORTS] = {
	[MT_SERVER_SMTP] = { "smtp", false, false },
	[MT_SERVER_SUBMISSION] = { "submission", true, true },
	[MT_SERVER_SUBMISSIONS] = { "submissions", true, true },
	[MT_SERVER_LMTP] = { "lmtp", false, false },
	[MT_SERVER_POP3] = { "pop3", true, true },
	[MT_SERVER_POP3S] = { "pop3s", true, true },
};

const char *
mt_server_port_word(enum mt_server_port port)
{
	return ports[port].word;
}

bool
mt_server_port_has_login(enum mt_server_port port)
{
	return ports[port].has_login;
}

static const struct mt_conf_block *
top_of(const struct mt_server_conf *c)
{
	return mt_conf_top(c->file);
}

int
mt_server_conf_fail(const struct mt_server_conf *c, const char *word, struct mt_err *err,
    const char *fmt, ...)
{
	struct mt_err text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(&text, MT_ECONF, fmt, ap);
	va_end(ap);
	return mt_conf_fail(top_of(c), word, err, "%s", text.msg);
}

int
mt_server_conf_fail_listen(const struct mt_server_conf *c,
    const struct mt_server_listen *l, struct mt_err *err, const char *fmt, ...)
{
	const char *word = ports[l->port].word;
	struct mt_err text = { 0 };
	size_t i = 0;
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(&text, MT_ECONF, fmt, ap);
	va_end(ap);
	while (mt_conf_list(top_of(c), word, i) != l->address)
		i++;
	return mt_conf_fail_item(top_of(c), word, i, err, "%s", text.msg);
}

/* RFC 1035 2.3.1 with digits first (RFC 1123 2.1): labels of letters, digits, hyphens. */
static bool
is_domain(const char *s)
{
	size_t label = 0;

	if (strlen(s) == 0 || strlen(s) > MT_MAX_DOMAIN)
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0 || s[-1] == '-')
				return false;
			label = 0;
		} else if (g_ascii_isalnum(*s) || (*s == '-' && label > 0)) {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0 && s[-1] != '-';
}

/* A copy in lower case, for what is compared without case. */
static const char *
lower(struct mt_server_conf *c, const char *s)
{
	g_autofree char *down = g_ascii_strdown(s, -1);

	return g_string_chunk_insert(c->strings, down);
}

static bool
is_ours(const struct mt_server_conf *c, const char *address)
{
	const char *at = strrchr(address, '@');

	for (const char **d = c->domains; at != NULL && at > address && *d != NULL; d++) {
		if (g_ascii_strcasecmp(at + 1, *d) == 0)
			return true;
	}
	return false;
}

/* A list as a NULL-terminated array (g_free), all in lower case. */
static const char **
take_list(struct mt_server_conf *c, const struct mt_conf_block *b, const char *word)
{
	size_t n = mt_conf_list_size(b, word);
	const char **list = g_new0(const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		list[i] = lower(c, mt_conf_list(b, word, i));
	return list;
}

static int
take_domains(struct mt_server_conf *c, struct mt_err *err)
{
	const struct mt_conf_block *top = top_of(c);

	c->domains = take_list(c, top, "domains");
	if (c->domains[0] == NULL)
		return mt_conf_fail(top, "domains", err,
		    "missing: which domains do we take mail for?");
	for (size_t i = 0; c->domains[i] != NULL; i++) {
		if (!is_domain(c->domains[i]))
			return mt_conf_fail_item(top, "domains", i, err,
			    "\"%s\" is not a domain name (write IDNs as xn--...)",
			    c->domains[i]);
	}
	return 0;
}

/* An alias gives users: behind another alias nobody would be found. */
static int
check_aliases(const struct mt_server_conf *c, struct mt_err *err)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < c->naliases; i++)
		g_hash_table_add(names, (gpointer)(uintptr_t)c->aliases[i].address);
	for (size_t i = 0; i < c->naliases; i++) {
		const struct mt_server_alias *a = &c->aliases[i];
		const struct mt_conf_block *b = mt_conf_section(c->file, "alias", i);

		for (size_t k = 0; a->to[k] != NULL; k++) {
			if (k == MT_MAX_ALIAS)
				return mt_conf_fail_item(b, "to", k, err,
				    "more than %zu users: no message could go to all",
				    MT_MAX_ALIAS);
			if (g_hash_table_contains(names, a->to[k]))
				return mt_conf_fail_item(b, "to", k, err,
				    "\"%s\" is an alias: name the users", a->to[k]);
		}
	}
	return 0;
}

static int
take_aliases(struct mt_server_conf *c, struct mt_err *err)
{
	size_t n = mt_conf_sections(c->file, "alias");

	c->aliases = g_new0(struct mt_server_alias, n);
	for (; c->naliases < n; c->naliases++) {
		const struct mt_conf_block *b =
		    mt_conf_section(c->file, "alias", c->naliases);
		struct mt_server_alias *a = &c->aliases[c->naliases];

		a->address = lower(c, mt_conf_title(b));
		a->to = take_list(c, b, "to");
		if (!is_ours(c, a->address) || strchr(a->address, '+') != NULL) {
			c->naliases++;
			return mt_conf_fail(b, "to", err,
			    "alias \"%s\": write name@domain with one of our domains",
			    a->address);
		}
		for (size_t i = 0; a->to[i] != NULL; i++) {
			if (!is_ours(c, a->to[i])) {
				c->naliases++;
				return mt_conf_fail_item(b, "to", i, err,
				    "\"%s\" is not in one of our domains: mail is not "
				    "sent on", a->to[i]);
			}
		}
		if (a->to[0] == NULL) {
			c->naliases++;
			return mt_conf_fail(b, "to", err, "missing: who gets the mail?");
		}
	}
	return check_aliases(c, err);
}

static int
take_ports(struct mt_server_conf *c, struct mt_err *err)
{
	const struct mt_conf_block *top = top_of(c);
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct mt_server_listen));
	int rc = 0;

	for (unsigned port = 0; port < MT_SERVER_PORTS && rc == 0; port++) {
		const char *word = ports[port].word;

		for (size_t i = 0; i < mt_conf_list_size(top, word) && rc == 0; i++) {
			struct mt_server_listen l = { port, mt_conf_list(top, word, i) };
			struct mt_listen_addr addr;
			struct mt_err why = { 0 };

			if (mt_listen_parse(l.address, &addr, &why) < 0)
				rc = mt_conf_fail_item(top, word, i, err, "%s", why.msg);
			else if (ports[port].needs_tls && c->tls_certificate == NULL)
				rc = mt_conf_fail_item(top, word, i, err, "passwords are "
				    "taken over TLS only: set tls_certificate and tls_key");
			g_array_append_val(all, l);
		}
	}
	c->nlisten = all->len;
	c->listen = (struct mt_server_listen *)(void *)g_array_free(all, FALSE);
	if (rc == 0 && c->nlisten == 0)
		return mt_conf_fail(top, "smtp", err, "nothing to listen on: set smtp, "
		    "submission, submissions, lmtp, pop3 or pop3s");
	return rc;
}

static int
need_path(const struct mt_server_conf *c, const char *word, const char *value,
    struct mt_err *err)
{
	if (value == NULL)
		return mt_server_conf_fail(c, word, err, "missing");
	if (value[0] != '/')
		return mt_server_conf_fail(c, word, err, "\"%s\" is not an absolute path",
		    value);
	return 0;
}

static int
take_strings(struct mt_server_conf *c, struct mt_err *err)
{
	const struct mt_conf_block *top = top_of(c);

	c->hostname = mt_conf_string(top, "hostname");
	c->mail_root = mt_conf_string(top, "mail_root");
	c->users = mt_conf_string(top, "users");
	c->tls_certificate = mt_conf_string(top, "tls_certificate");
	c->tls_key = mt_conf_string(top, "tls_key");
	c->user = mt_conf_string(top, "user");
	c->group = mt_conf_string(top, "group");
	c->log = mt_conf_string(top, "log");
	if (c->hostname == NULL)
		return mt_conf_fail(top, "hostname", err,
		    "missing: the name by which others find this server");
	if (!is_domain(c->hostname))
		return mt_conf_fail(top, "hostname", err, "\"%s\" is not a host name",
		    c->hostname);
	if (need_path(c, "mail_root", c->mail_root, err) < 0 ||
	    need_path(c, "users", c->users, err) < 0)
		return -1;
	if (c->log != NULL && need_path(c, "log", c->log, err) < 0)
		return -1;
	if ((c->tls_certificate == NULL) != (c->tls_key == NULL))
		return mt_conf_fail(top, c->tls_key == NULL ? "tls_certificate" : "tls_key",
		    err, "tls_certificate and tls_key belong together");
	if (c->tls_key != NULL && (need_path(c, "tls_key", c->tls_key, err) < 0 ||
	    need_path(c, "tls_certificate", c->tls_certificate, err) < 0))
		return -1;
	return 0;
}

static int
take_postmaster(struct mt_server_conf *c, struct mt_err *err)
{
	const struct mt_conf_block *top = top_of(c);

	c->postmaster = mt_conf_string(top, "postmaster");
	if (c->postmaster == NULL)
		return mt_conf_fail(top, "postmaster", err, "missing: every mail server "
		    "takes mail for postmaster (RFC 5321 4.5.1); who reads it?");
	c->postmaster = lower(c, c->postmaster);
	if (!is_ours(c, c->postmaster))
		return mt_conf_fail(top, "postmaster", err,
		    "\"%s\" is not in one of our domains", c->postmaster);
	return 0;
}

static void
take_limits(struct mt_server_conf *c)
{
	const struct mt_conf_block *top = top_of(c);

	c->size_max = mt_conf_number(top, "size_max");
	c->recipients_max = mt_conf_number(top, "recipients_max");
	c->connections_max = mt_conf_number(top, "connections_max");
	c->connections_per_address = mt_conf_number(top, "connections_per_address");
	c->timeout_command_s = mt_conf_number(top, "timeout_command");
	c->timeout_session_s = mt_conf_number(top, "timeout_session");
	c->errors_max = mt_conf_number(top, "errors_max");
	c->auth_failures_max = mt_conf_number(top, "auth_failures_max");
	c->auth_lockout_s = mt_conf_number(top, "auth_lockout");
}

struct mt_server_conf *
mt_server_conf_read(const char *path, struct mt_err *err)
{
	mt_auto(mt_server_conf) c = g_new0(struct mt_server_conf, 1);

	c->strings = g_string_chunk_new(1024);
	c->file = mt_conf_read(path, words, kinds, err);
	if (c->file == NULL) {
		if (err != NULL && err->kind == MT_ENOINPUT)
			err->kind = MT_ECONF;
		return NULL;
	}
	take_limits(c);
	if (take_strings(c, err) < 0 || take_domains(c, err) < 0 ||
	    take_postmaster(c, err) < 0 || take_aliases(c, err) < 0 ||
	    take_ports(c, err) < 0)
		return NULL;
	return mt_steal(&c);
}

void
mt_server_conf_free(struct mt_server_conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->naliases; i++)
		g_free(c->aliases[i].to);
	g_free(c->aliases);
	g_free(c->listen);
	g_free(c->domains);
	g_string_chunk_free(c->strings);
	mt_conf_free(c->file);
	g_free(c);
}

int
mt_server_conf_check_key(const struct mt_server_conf *c, struct mt_err *err)
{
	struct stat st;

	if (c->tls_key == NULL)
		return 0;
	if (stat(c->tls_key, &st) < 0)
		return mt_server_conf_fail(c, "tls_key", err, "%s: %m", c->tls_key);
	if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
		return mt_server_conf_fail(c, "tls_key", err,
		    "%s: others may read or write this key (mode %03o): chmod 600",
		    c->tls_key, (unsigned)(st.st_mode & 0777));
	return 0;
}

int
mt_server_conf_check_files(const struct mt_server_conf *c, struct mt_err *err)
{
	struct stat st;

	if (stat(c->mail_root, &st) < 0)
		return mt_server_conf_fail(c, "mail_root", err, "%s: %m", c->mail_root);
	if (!S_ISDIR(st.st_mode))
		return mt_server_conf_fail(c, "mail_root", err, "%s: not a directory",
		    c->mail_root);
	if (st.st_mode & S_IWOTH)
		return mt_server_conf_fail(c, "mail_root", err,
		    "%s: others may write there (mode %03o)", c->mail_root,
		    (unsigned)(st.st_mode & 0777));
	if (access(c->mail_root, R_OK | W_OK | X_OK) < 0)
		return mt_server_conf_fail(c, "mail_root", err, "%s: %m (as uid %u)",
		    c->mail_root, (unsigned)geteuid());
	if (stat(c->users, &st) < 0)
		return mt_server_conf_fail(c, "users", err, "%s: %m%s", c->users,
		    errno == ENOENT ? "; make it with: mt-serve user add ADDRESS" : "");
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return mt_server_conf_fail(c, "users", err, "%s: others may read or write "
		    "these password hashes (mode %03o): chmod 600", c->users,
		    (unsigned)(st.st_mode & 0777));
	if (access(c->users, R_OK) < 0)
		return mt_server_conf_fail(c, "users", err, "%s: %m (as uid %u)", c->users,
		    (unsigned)geteuid());
	return 0;
}
