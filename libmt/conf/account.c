/* account.c - the client's configuration: mt.conf */
#include "conf/account.h"

#include <glib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "conf/parse.h"
#include "message/addr.h"

/* A person may have to type a passphrase or touch a key. */
#define PASSWORD_TIMEOUT_MS (5 * 60 * 1000)

static const struct mt_conf_word top_words[] = {
	{ "maildir", MT_CONF_STRING, 0, 0, "~/Mail" },
	{ "local_mail", MT_CONF_STRING, 0, 0, NULL },
	{ NULL },
};
static const struct mt_conf_word account_words[] = {
	{ "from", MT_CONF_STRING, 0, 0, NULL },
	{ "smtp", MT_CONF_STRING, 0, 0, NULL },
	{ "imap", MT_CONF_STRING, 0, 0, NULL },
	{ "pop3", MT_CONF_STRING, 0, 0, NULL },
	{ "password_command", MT_CONF_STRING, 0, 0, NULL },
	{ "ca_file", MT_CONF_STRING, 0, 0, NULL },
	{ "cert_file", MT_CONF_STRING, 0, 0, NULL },
	{ "key_file", MT_CONF_STRING, 0, 0, NULL },
	{ "proxy", MT_CONF_STRING, 0, 0, NULL },
	{ "auth", MT_CONF_STRING, 0, 0, NULL },
	{ "folder", MT_CONF_STRING, 0, 0, NULL },
	{ "sent", MT_CONF_STRING, 0, 0, NULL },
	{ "drafts", MT_CONF_STRING, 0, 0, NULL },
	{ "pgp_key", MT_CONF_STRING, 0, 0, NULL },
	{ "on_new", MT_CONF_STRING, 0, 0, NULL },
	{ "on_error", MT_CONF_STRING, 0, 0, NULL },
	{ "sign", MT_CONF_BOOL, 0, 0, "no" },
	{ "allow_plaintext", MT_CONF_BOOL, 0, 0, "no" },
	{ NULL },
};
static const struct mt_conf_kind kinds[] = {
	{ "account", account_words },
	{ NULL, NULL },
};

struct priv {
	struct mt_conf *file;
	GPtrArray *strings;	/* those that are not the file's own */
};

/* Keep a string as long as the configuration lives. */
static const char *
keep(struct mt_client_conf *conf, char *s)
{
	g_ptr_array_add(((struct priv *)conf->priv)->strings, s);
	return s;
}

static struct mt_client_conf *
conf_new(void)
{
	struct mt_client_conf *conf = g_new0(struct mt_client_conf, 1);
	struct priv *priv = g_new0(struct priv, 1);

	priv->strings = g_ptr_array_new_with_free_func(g_free);
	conf->priv = priv;
	return conf;
}

/* A directory as it is written in the file: "~" is the home, else it is absolute. */
static int
read_maildir(struct mt_client_conf *conf, const struct mt_conf_block *top,
    struct mt_err *err)
{
	conf->maildir = mt_file_expand_home(mt_conf_string(top, "maildir"));
	if (conf->maildir[0] != '/')
		return mt_conf_fail(top, "maildir", err,
		    "\"%s\" must begin with / or ~/", conf->maildir);
	return 0;
}

static int
read_local_mail(struct mt_client_conf *conf, const struct mt_conf_block *top,
    struct mt_err *err)
{
	mt_auto_value(mt_addr) addr = { 0 };
	struct mt_err why = { 0 };

	conf->local_mail = mt_conf_string(top, "local_mail");
	if (conf->local_mail != NULL &&
	    mt_addr_parse_one(mt_slice_str(conf->local_mail), &addr, &why) < 0)
		return mt_conf_fail(top, "local_mail", err, "%s", why.msg);
	return 0;
}

static bool
is_title(const char *s)
{
	for (const char *p = s; *p != '\0'; p++) {
		if (!g_ascii_isalnum(*p) && strchr("-_.", *p) == NULL)
			return false;
	}
	return s[0] != '\0' && s[0] != '.' && s[0] != '-';
}

static int
check_from(const struct mt_conf_block *b, const char *from, struct mt_err *err)
{
	mt_auto_value(mt_addr) addr = { 0 };
	struct mt_err why = { 0 };

	if (from == NULL)
		return mt_conf_fail(b, "from", err,
		    "account %s has none; say from = \"Name <user@example.org>\"",
		    mt_conf_title(b));
	if (mt_addr_parse_one(mt_slice_str(from), &addr, &why) < 0)
		return mt_conf_fail(b, "from", err, "%s", why.msg);
	return 0;
}

/* The URL itself is never quoted: it may hold a password, where none belongs. */
static int
check_url(const struct mt_conf_block *b, const char *word, struct mt_err *err)
{
	const char *url = mt_conf_string(b, word);
	mt_auto_value(mt_conn_url) parts = { NULL };
	struct mt_err why = { 0 };

	if (url == NULL)
		return 0;
	if (mt_conn_url_parse(url, &parts, &why) < 0)
		return mt_conf_fail(b, word, err, "%s; write %ss://user@host or %s://user@host",
		    why.msg, word, word);
	if (!g_str_has_prefix(parts.scheme, word))
		return mt_conf_fail(b, word, err,
		    "a URL of %s; write %ss://user@host or %s://user@host", parts.scheme,
		    word, word);
	return 0;
}

/* A folder below the root: relative, and never out of it. */
bool
mt_account_is_folder(const char *folder)
{
	g_auto(GStrv) parts = g_strsplit(folder, "/", -1);

	for (char **p = parts; *p != NULL; p++) {
		if ((*p)[0] == '\0' || strcmp(*p, ".") == 0 || strcmp(*p, "..") == 0)
			return false;
	}
	return parts[0] != NULL;
}

static int
check_folder(const struct mt_conf_block *b, const char *word, const char *folder,
    struct mt_err *err)
{
	if (folder[0] == '\0' || mt_account_is_folder(folder))
		return 0;
	return mt_conf_fail(b, word, err,
	    "\"%s\" must be a folder below maildir, such as \"%s/INBOX\"", folder,
	    mt_conf_title(b));
}

/* How to log in. */
static int
read_mechanism(const struct mt_conf_block *b, const char **out, struct mt_err *err)
{
	static const char *const names[] = { "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2",
		"OAUTHBEARER", "EXTERNAL" };
	const char *said = mt_conf_string(b, "auth");

	*out = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(names) && said != NULL; i++) {
		if (g_ascii_strcasecmp(said, names[i]) == 0)
			*out = names[i];
	}
	if (said == NULL || *out != NULL)
		return 0;
	return mt_conf_fail(b, "auth", err, "\"%s\" is not plain, login, cram-md5, xoauth2, "
	    "oauthbearer or external", said);
}

/* A file as it is written in the file: "~" is the home; NULL: not said. */
static const char *
read_file(struct mt_client_conf *conf, const struct mt_conf_block *b, const char *word)
{
	const char *said = mt_conf_string(b, word);

	return said == NULL ? NULL : keep(conf, mt_file_expand_home(said));
}

/* The client's certificate, and its key. */
static int
read_certificate(struct mt_client_conf *conf, const struct mt_conf_block *b,
    struct mt_account *a, struct mt_err *err)
{
	a->cert_file = read_file(conf, b, "cert_file");
	a->key_file = read_file(conf, b, "key_file");
	if (a->key_file != NULL && a->cert_file == NULL)
		return mt_conf_fail(b, "key_file", err, "a key without a cert_file");
	if (g_strcmp0(a->mechanism, "EXTERNAL") == 0 && a->cert_file == NULL)
		return mt_conf_fail(b, "auth", err, "external needs a cert_file, whose "
		    "certificate is shown to the server");
	return 0;
}

/* A folder of the account: as the file says, or NAME/leaf. */
static int
read_folder(struct mt_client_conf *conf, const struct mt_conf_block *b, const char *word,
    const char *leaf, const char **out, struct mt_err *err)
{
	const char *said = mt_conf_string(b, word);

	*out = said;
	if (said == NULL)
		*out = keep(conf, g_strconcat(mt_conf_title(b), "/", leaf, NULL));
	return check_folder(b, word, *out, err);
}

static int
read_account(struct mt_client_conf *conf, const char *file, const struct mt_conf_block *b,
    struct mt_account *a, struct mt_err *err)
{
	a->name = mt_conf_title(b);
	a->file = file;
	a->line = mt_conf_block_line(b);
	if (!is_title(a->name))
		return mt_fail(err, MT_ECONF,
		    "%s:%u: account name \"%s\" may hold letters, digits, - _ and . only",
		    file, a->line, a->name);
	a->from = mt_conf_string(b, "from");
	a->smtp = mt_conf_string(b, "smtp");
	a->imap = mt_conf_string(b, "imap");
	a->pop3 = mt_conf_string(b, "pop3");
	a->password_command = mt_conf_string(b, "password_command");
	a->proxy = mt_conf_string(b, "proxy");
	a->pgp_key = mt_conf_string(b, "pgp_key");
	a->on_new = mt_conf_string(b, "on_new");
	a->on_error = mt_conf_string(b, "on_error");
	a->sign = mt_conf_bool(b, "sign");
	if (read_mechanism(b, &a->mechanism, err) < 0)
		return -1;
	a->allow_plaintext = mt_conf_bool(b, "allow_plaintext");
	a->ca_file = read_file(conf, b, "ca_file");
	if (read_certificate(conf, b, a, err) < 0)
		return -1;
	if (check_from(b, a->from, err) < 0 || check_url(b, "smtp", err) < 0 ||
	    check_url(b, "imap", err) < 0 || check_url(b, "pop3", err) < 0 ||
	    read_folder(conf, b, "folder", "INBOX", &a->folder, err) < 0)
		return -1;
	if (a->folder[0] == '\0')
		return mt_conf_fail(b, "folder", err, "mail must arrive somewhere");
	if (read_folder(conf, b, "drafts", "Drafts", &a->drafts, err) < 0)
		return -1;
	if (a->drafts[0] == '\0')
		return mt_conf_fail(b, "drafts", err, "drafts must be kept somewhere");
	return read_folder(conf, b, "sent", "Sent", &a->sent, err);
}

static char *
default_path(void)
{
	const char *named = g_getenv("MT_CONFIG"), *xdg = g_getenv("XDG_CONFIG_HOME");

	if (named != NULL && named[0] != '\0')
		return g_strdup(named);
	if (xdg != NULL && xdg[0] == '/')
		return g_build_filename(xdg, "mt", "mt.conf", NULL);
	return mt_file_expand_home("~/.config/mt/mt.conf");
}

static int
fill(struct mt_client_conf *conf, struct mt_err *err)
{
	struct mt_conf *file = ((struct priv *)conf->priv)->file;

	if (read_maildir(conf, mt_conf_top(file), err) < 0 ||
	    read_local_mail(conf, mt_conf_top(file), err) < 0)
		return -1;
	conf->naccounts = mt_conf_sections(file, "account");
	conf->accounts = g_new0(struct mt_account, conf->naccounts);
	for (size_t i = 0; i < conf->naccounts; i++) {
		if (read_account(conf, mt_conf_file(file),
		    mt_conf_section(file, "account", i), &conf->accounts[i], err) < 0)
			return -1;
	}
	return 0;
}

struct mt_client_conf *
mt_client_conf_read(const char *path, struct mt_err *err)
{
	mt_auto(mt_client_conf) conf = conf_new();
	g_autofree char *found = path != NULL ? g_strdup(path) : default_path();
	struct priv *priv = conf->priv;
	struct mt_err why = { 0 };

	priv->file = mt_conf_read(found, top_words, kinds, &why);
	if (priv->file == NULL && why.kind == MT_ENOINPUT)
		return mt_fail_null(err, MT_ECONF, "%s; man 5 mt.conf shows how to begin",
		    why.msg);
	if (priv->file == NULL) {
		if (err != NULL)
			*err = why;
		return NULL;
	}
	return fill(conf, err) == 0 ? mt_steal(&conf) : NULL;
}

struct mt_client_conf *
mt_client_conf_read_optional(const char *path, struct mt_err *err)
{
	g_autofree char *found = path != NULL ? g_strdup(path) : default_path();
	mt_auto(mt_client_conf) conf = NULL;
	struct priv *priv;

	if (path != NULL || g_file_test(found, G_FILE_TEST_EXISTS))
		return mt_client_conf_read(found, err);
	conf = conf_new();
	priv = conf->priv;
	priv->file = mt_conf_parse(found, "", top_words, kinds, err);
	return priv->file != NULL && fill(conf, err) == 0 ? mt_steal(&conf) : NULL;
}

void
mt_client_conf_free(struct mt_client_conf *conf)
{
	struct priv *priv;

	if (conf == NULL)
		return;
	priv = conf->priv;
	mt_conf_free(priv->file);
	g_ptr_array_unref(priv->strings);
	g_free(priv);
	g_free(conf->accounts);
	g_free(conf->maildir);
	g_free(conf);
}

const struct mt_account *
mt_client_conf_account(const struct mt_client_conf *conf, const char *name,
    struct mt_err *err)
{
	const char *file = mt_conf_file(((struct priv *)conf->priv)->file);
	g_autoptr(GString) names = g_string_new(NULL);

	if (conf->naccounts == 0)
		return mt_fail_null(err, MT_ECONF,
		    "%s: there is no account; man 5 mt.conf shows how to begin", file);
	if (name == NULL)
		return &conf->accounts[0];
	for (size_t i = 0; i < conf->naccounts; i++) {
		if (strcmp(conf->accounts[i].name, name) == 0)
			return &conf->accounts[i];
		g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ",
		    conf->accounts[i].name);
	}
	return mt_fail_null(err, MT_ECONF, "%s: no account \"%s\"; there is %s", file, name,
	    names->str);
}

struct mt_conn_dial
mt_account_dial(const struct mt_account *a, const char *url, const char *password)
{
	return (struct mt_conn_dial){
		.url = url,
		.password = password,
		.ca_file = a->ca_file,
		.cert_file = a->cert_file,
		.key_file = a->key_file,
		.proxy = a->proxy,
		.mechanism = a->mechanism,
		.allow_plaintext = a->allow_plaintext,
	};
}

char *
mt_account_password(const struct mt_account *a, struct mt_err *err)
{
	g_auto(GStrv) argv = NULL;
	struct mt_buf out = MT_BUF_INIT(MT_MAX_SECRET);
	struct mt_slice rest, line = { NULL, 0 };
	char *secret = NULL;

	if (g_strcmp0(a->mechanism, "EXTERNAL") == 0)
		return g_strdup("");
	if (a->password_command == NULL)
		return mt_fail_null(err, MT_ECONF,
		    "%s:%u: account %s needs a password_command", a->file, a->line, a->name);
	argv = mt_proc_split(a->password_command, err);
	if (argv == NULL) {
		mt_fail_in(err, "%s:%u: password_command", a->file, a->line);
		return NULL;
	}
	if (mt_proc_run(argv, MT_SLICE(""), &out, PASSWORD_TIMEOUT_MS, err) < 0) {
		mt_fail_in(err, "account %s: password_command", a->name);
		/* A keyring that is locked, say, is not so for ever. */
		if (err != NULL && err->kind == MT_EUNAVAIL)
			err->kind = MT_ETEMP;
		mt_buf_clear_secret(&out);
		return NULL;
	}
	rest = mt_buf_slice(&out);
	if (mt_slice_take_line(&rest, &line) && line.n > 0 &&
	    mt_slice_find(line, '\0') == line.n)
		secret = mt_slice_dup(line);
	else
		mt_fail(err, MT_ECONF, "account %s: password_command: %s printed no password",
		    a->name, argv[0]);
	mt_buf_clear_secret(&out);
	return secret;
}

void
mt_secret_free(char *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}
