/* mt-serve.c - the mail server: options, configuration, privileges, users */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/proc.h"
#include "cmd.h"
#include "conf/server.h"
#include "net/listen.h"
#include "serve/serve.h"
#include "serve/users.h"

#define DEFAULT_CONF "/etc/mt/mt-serve.conf"

enum { OPT_CONF = 1, OPT_JSON, OPT_NUL };
enum { VERB_RUN = 1, VERB_CHECK, VERB_USER };

static const struct mt_opt options[] = {
	{ OPT_CONF, 'c', "config", "FILE", MT_OPT_FILE,
	    "read FILE instead of " DEFAULT_CONF },
	{ 0 },
};
static const struct mt_opt user_options[] = {
	{ OPT_JSON, 0, "json", NULL, MT_OPT_NOTHING, "print one JSON object a line" },
	{ OPT_NUL, '0', "null", NULL, MT_OPT_NOTHING,
		"end each address with NUL, not a new line" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ VERB_RUN, NULL, "", MT_OPT_NOTHING, "serve, in the foreground", NULL },
	{ VERB_CHECK, "check", "", MT_OPT_NOTHING,
	    "check the configuration and say what is wrong", NULL },
	{ VERB_USER, "user", "add|passwd|remove|list [ADDRESS]", MT_OPT_NOTHING,
	    "change who has a mailbox; passwords come from standard input", user_options },
	{ 0 },
};
static const struct mt_opt_command command = { "mt-serve", "8",
	"mail server: SMTP, submission, LMTP, POP3 into Maildirs", options, verbs, NULL };

struct call {
	const char *conf_path;
	int verb;
	bool is_json;
	char end;
	const char *args[2];
	size_t nargs;
};

static void
parse(int argc, char **argv, struct call *call)
{
	struct mt_opt_parser p;

	mt_cmd_start(&command, argc, argv, &p);
	call->conf_path = DEFAULT_CONF;
	while (mt_cmd_next(&p)) {
		if (p.id == OPT_CONF)
			call->conf_path = p.value;
		else if (p.id == OPT_JSON)
			call->is_json = true;
		else if (p.id == OPT_NUL)
			call->end = '\0';
		else if (call->nargs < G_N_ELEMENTS(call->args))
			call->args[call->nargs++] = p.value;
		else
			mt_cmd_usage("too many arguments: \"%s\"", p.value);
	}
	call->verb = p.verb->id;
	if (call->verb != VERB_USER && call->nargs > 0)
		mt_cmd_usage("unexpected argument \"%s\"", call->args[0]);
}

/* Who serves, when root starts us. */
static int
find_owner(const struct mt_server_conf *conf, uid_t *uid, gid_t *gid, struct mt_err *err)
{
	const struct passwd *pw;
	const struct group *gr;

	if (conf->user == NULL)
		return mt_server_conf_fail(conf, "user", err,
		    "missing: root does not serve mail; set user = \"mt\"");
	pw = getpwnam(conf->user);
	if (pw == NULL)
		return mt_server_conf_fail(conf, "user", err, "no user \"%s\" here",
		    conf->user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (conf->group == NULL)
		return 0;
	gr = getgrnam(conf->group);
	if (gr == NULL)
		return mt_server_conf_fail(conf, "group", err, "no group \"%s\" here",
		    conf->group);
	*gid = gr->gr_gid;
	return 0;
}

/* A start by root goes on as the configured user. */
static int
drop_privileges(const struct mt_server_conf *conf, struct mt_err *err)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return 0;
	if (find_owner(conf, &uid, &gid, err) < 0)
		return -1;
	/* Somebody who writes so has a container to himself. */
	if (uid == 0)
		return 0;
	if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return mt_fail(err, MT_EPERM, "become user %s: %m", conf->user);
	return 0;
}

/* Certificate and key, read while we still may. *tls stays NULL when there are none. */
static int
load_tls(const struct mt_server_conf *conf, struct mt_tls **tls, struct mt_err *err)
{
	mt_auto_value(mt_buf) chain = MT_BUF_INIT(MT_MAX_CONF);
	mt_auto_value(mt_buf) key = MT_BUF_INIT(MT_MAX_CONF);
	struct mt_err why = { 0 };

	if (conf->tls_key == NULL)
		return 0;
	if (mt_server_conf_check_key(conf, err) < 0)
		return -1;
	if (mt_file_read(conf->tls_certificate, &chain, &why) < 0)
		return mt_server_conf_fail(conf, "tls_certificate", err, "%s", why.msg);
	if (mt_file_read(conf->tls_key, &key, &why) < 0)
		return mt_server_conf_fail(conf, "tls_key", err, "%s", why.msg);
	*tls = mt_tls_new(mt_buf_slice(&chain), mt_buf_slice(&key), &why);
	mt_buf_clear_secret(&key);
	if (*tls == NULL)
		return mt_server_conf_fail(conf, "tls_certificate", err, "%s", why.msg);
	return 0;
}

/* Users come and go while the server runs, so this is no error. */
static void
warn_of_strangers(const struct mt_server_conf *conf, const struct mt_serve_users *users)
{
	for (size_t i = 0; i < conf->naliases; i++) {
		const struct mt_server_alias *a = &conf->aliases[i];

		for (const char **to = a->to; *to != NULL; to++) {
			if (!mt_serve_users_has(users, *to))
				mt_cmd_warn("alias %s: no user %s, who gets nothing",
				    a->address, *to);
		}
	}
}

static int
read_users(const struct mt_server_conf *conf, struct mt_err *err)
{
	struct mt_err why = { 0 };
	mt_auto(mt_serve_users) users = mt_serve_users_open(conf->users, &why);
	bool is_alias = false;

	if (users == NULL)
		return mt_server_conf_fail(conf, "users", err, "%s", why.msg);
	for (size_t i = 0; i < conf->naliases; i++)
		is_alias |= g_str_equal(conf->aliases[i].address, conf->postmaster);
	if (is_alias)
		return mt_server_conf_fail(conf, "postmaster", err,
		    "\"%s\" is an alias: name a user", conf->postmaster);
	if (!mt_serve_users_has(users, conf->postmaster))
		return mt_server_conf_fail(conf, "postmaster", err,
		    "no user \"%s\"; make one with: mt-serve user add %s",
		    conf->postmaster, conf->postmaster);
	warn_of_strangers(conf, users);
	return 0;
}

struct users_check {
	const struct mt_server_conf *conf;
	struct mt_err err;
};

static int
users_child(void *arg, int out_fd)
{
	struct users_check *c = arg;
	int rc = read_users(c->conf, &c->err);

	if (rc < 0 && mt_file_write_all(out_fd, &c->err, sizeof(c->err)) < 0)
		return EX_IOERR;
	return rc < 0 ? EX_CONFIG : 0;
}

/* In a child: each session is a copy of what we are, and must not have the hashes. */
static int
check_users(const struct mt_server_conf *conf, struct mt_err *err)
{
	static const struct mt_proc_leash none = { 0 };
	struct users_check c = { conf, { 0 } };
	mt_auto_value(mt_buf) said = MT_BUF_INIT(sizeof(c.err));
	int status = mt_proc_fork(users_child, &c, &none, &said, err);

	if (status <= 0)
		return status;
	if (said.n != sizeof(*err))
		return mt_fail(err, MT_ESOFTWARE, "the users could not be read");
	memcpy(err, said.p, sizeof(*err));
	return -1;
}

static int
open_log(const struct mt_server_conf *conf, struct mt_err *err)
{
	int fd;

	/* The journal has the time of its own. */
	mt_log_set_time(g_getenv("JOURNAL_STREAM") == NULL);
	if (conf->log == NULL)
		return 0;
	fd = open(conf->log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return mt_server_conf_fail(conf, "log", err, "%s: %m", conf->log);
	mt_log_set_fd(fd);
	mt_log_set_time(true);
	return 0;
}

/* Started by root, a socket in the file system is for the user who serves. */
static int
give_socket(const struct mt_server_conf *conf, const struct mt_listen_addr *addr,
    struct mt_err *err)
{
	uid_t uid;
	gid_t gid;

	if (!addr->is_unix || geteuid() != 0)
		return 0;
	if (find_owner(conf, &uid, &gid, err) < 0)
		return -1;
	if (lchown(((const struct sockaddr_un *)&addr->sa)->sun_path, uid, gid) < 0)
		return mt_fail(err, MT_EPERM, "chown to %s: %m", conf->user);
	return 0;
}

static int
open_listeners(const struct mt_server_conf *conf, struct mt_serve_listener *out,
    struct mt_err *err)
{
	static const enum mt_serve_protocol protocols[MT_SERVER_PORTS] = {
		[MT_SERVER_SMTP] = MT_SERVE_SMTP,
		[MT_SERVER_SUBMISSION] = MT_SERVE_SUBMISSION,
		[MT_SERVER_SUBMISSIONS] = MT_SERVE_SUBMISSIONS,
		[MT_SERVER_LMTP] = MT_SERVE_LMTP,
		[MT_SERVER_POP3] = MT_SERVE_POP3,
		[MT_SERVER_POP3S] = MT_SERVE_POP3S,
	};

	for (size_t i = 0; i < conf->nlisten; i++) {
		const struct mt_server_listen *l = &conf->listen[i];
		struct mt_listen_addr addr;
		struct mt_err why = { 0 };

		out[i].protocol = protocols[l->port];
		out[i].fd = mt_listen_parse(l->address, &addr, &why) < 0
		    ? -1 : mt_listen_open(&addr, &why);
		if (out[i].fd < 0 || give_socket(conf, &addr, &why) < 0) {
			mt_server_conf_fail_listen(conf, l, err, "%s: %s", l->address,
			    why.msg);
			/* Nothing is wrong with the file when a port is taken. */
			if (err != NULL)
				err->kind = why.kind;
			return -1;
		}
	}
	return 0;
}

static int
run(const struct mt_server_conf *conf, struct mt_err *err)
{
	mt_auto(mt_tls) tls = NULL;
	g_autofree struct mt_serve_listener *listeners =
	    g_new0(struct mt_serve_listener, conf->nlisten);
	g_autofree struct mt_serve_alias *aliases =
	    g_new0(struct mt_serve_alias, conf->naliases);
	struct mt_serve_params params = {
		.hostname = conf->hostname,
		.mail_root = conf->mail_root,
		.domains = conf->domains,
		.users_file = conf->users,
		.postmaster = conf->postmaster,
		.aliases = aliases,
		.naliases = conf->naliases,
		.listeners = listeners,
		.nlisteners = conf->nlisten,
		.size_max = conf->size_max,
		.rcpts_max = (size_t)conf->recipients_max,
		.connections_max = (size_t)conf->connections_max,
		.connections_per_address = (size_t)conf->connections_per_address,
		.command_timeout_ms = (uint32_t)conf->timeout_command_s * 1000,
		.session_timeout_s = (uint32_t)conf->timeout_session_s,
		.errors_max = (unsigned)conf->errors_max,
		.auth_failures_max = (unsigned)conf->auth_failures_max,
		.auth_lockout_s = (uint32_t)conf->auth_lockout_s,
	};

	for (size_t i = 0; i < conf->naliases; i++)
		aliases[i] = (struct mt_serve_alias){ conf->aliases[i].address,
			conf->aliases[i].to };
	mt_proc_hide_secrets();
	if (load_tls(conf, &tls, err) < 0 || open_listeners(conf, listeners, err) < 0 ||
	    drop_privileges(conf, err) < 0 || open_log(conf, err) < 0 ||
	    mt_server_conf_check_files(conf, err) < 0 || check_users(conf, err) < 0)
		return -1;
	params.tls = tls;
	return mt_serve_run(&params, err);
}

static int
check(const struct mt_server_conf *conf, struct mt_err *err)
{
	mt_auto(mt_tls) tls = NULL;

	if (load_tls(conf, &tls, err) < 0 || drop_privileges(conf, err) < 0 ||
	    mt_server_conf_check_files(conf, err) < 0)
		return -1;
	return check_users(conf, err);
}

/* One line of standard input; asked for, unseen, when that is a terminal. */
static int
read_password(struct mt_buf *out, struct mt_err *err)
{
	bool is_terminal = isatty(STDIN_FILENO) == 1;
	struct termios old, quiet;
	char c;
	ssize_t n;

	if (is_terminal && tcgetattr(STDIN_FILENO, &old) == 0) {
		fputs("Password: ", stderr);
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (mt_buf_append_char(out, c) < 0)
			break;
	}
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (n < 0)
		return mt_fail(err, MT_EIO, "password on standard input: %m");
	if (n == 1 && c != '\n')
		return mt_fail(err, MT_EDATA, "the password is longer than %zu bytes",
		    out->max);
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return 0;
}

static int
list_users(const struct mt_serve_users *users, const struct call *call)
{
	g_autofree const char **list = mt_serve_users_list(users);

	for (size_t i = 0; list[i] != NULL; i++) {
		if (call->is_json)
			mt_json_print(json_pack("{s:o}", "address", mt_json_text(list[i])),
			    call->end, stdout);
		else
			mt_cmd_print(list[i], call->end);
	}
	return 0;
}

/* Of a configured domain, in lower case: anything else would never get mail. */
static int
check_domain(const struct mt_server_conf *conf, const char *address, struct mt_err *err)
{
	const char *at = strchr(address, '@');

	for (const char **d = conf->domains; at != NULL && *d != NULL; d++) {
		if (strcmp(at + 1, *d) == 0)
			return 0;
	}
	return mt_fail(err, MT_EUSAGE, "%s: not an address in one of our domains (%s%s)",
	    address, conf->domains[0], conf->domains[1] != NULL ? ", ..." : "");
}

static int
set_password(const struct mt_server_conf *conf, struct mt_serve_users *users,
    const char *address, bool is_new, struct mt_err *err)
{
	mt_auto_value(mt_buf) password = MT_BUF_INIT(512);
	g_autofree char *hash = NULL;

	if (is_new && check_domain(conf, address, err) < 0)
		return -1;
	if (read_password(&password, err) < 0)
		return -1;
	hash = mt_serve_users_make_hash(mt_buf_slice(&password), err);
	mt_buf_clear_secret(&password);
	if (hash == NULL)
		return -1;
	return is_new ? mt_serve_users_add(users, address, hash, err)
		      : mt_serve_users_passwd(users, address, hash, err);
}

static int
change_users(const struct mt_server_conf *conf, const struct call *call,
    struct mt_err *err)
{
	const char *action = call->nargs > 0 ? call->args[0] : "";
	mt_auto(mt_serve_users) users = NULL;
	g_autofree char *address = NULL;
	bool is_list = strcmp(action, "list") == 0;

	if (call->nargs != (is_list ? 1 : 2) || (!is_list && strcmp(action, "add") != 0 &&
	    strcmp(action, "passwd") != 0 && strcmp(action, "remove") != 0))
		mt_cmd_usage("user: use add ADDRESS, passwd ADDRESS, remove ADDRESS or list");
	if ((call->is_json || call->end == '\0') && !is_list)
		mt_cmd_usage("options --json and -0 go with user list");
	/* So that the file belongs to the user who serves. */
	if (drop_privileges(conf, err) < 0)
		return -1;
	users = mt_serve_users_open_or_new(conf->users, err);
	if (users == NULL)
		return -1;
	if (is_list)
		return list_users(users, call);
	address = g_ascii_strdown(call->args[1], -1);
	if (strcmp(action, "remove") == 0)
		return mt_serve_users_remove(users, address, err);
	return set_password(conf, users, address, strcmp(action, "add") == 0, err);
}

int
main(int argc, char **argv)
{
	struct call call = { .end = '\n' };
	mt_auto(mt_server_conf) conf = NULL;
	struct mt_err err = { 0 };
	int rc;

	parse(argc, argv, &call);
	conf = mt_server_conf_read(call.conf_path, &err);
	if (conf == NULL)
		return mt_cmd_fail(&err);
	if (call.verb == VERB_CHECK)
		rc = check(conf, &err);
	else if (call.verb == VERB_USER)
		rc = change_users(conf, &call, &err);
	else
		rc = run(conf, &err);
	return mt_cmd_end(rc < 0 ? mt_cmd_fail(&err) : EX_OK);
}
