/* server.c - tests of conf/server: what a good file becomes (tests/e2e/serve-conf.t has
   the bad ones) */
#include "conf/server.h"

#include "base/file.h"
#include "tap.h"

static const char text[] =
    "hostname = \"mail.example.org\"\n"
    "domains = { \"Example.ORG\", \"xn--bcher-kva.example\" }\n"
    "mail_root = \"/mail\"\n"
    "users = \"/users\"\n"
    "postmaster = \"Ada@example.org\"\n"
    "tls_certificate = \"/cert\"\n"
    "tls_key = \"/key\"\n"
    "smtp = { \"127.0.0.1:25\", \"[::1]:25\" }\n"
    "lmtp = { \"unix:/run/lmtp\" }\n"
    "pop3s = { \"127.0.0.1:995\" }\n"
    "size_max = 1M\n"
    "timeout_command = 2m\n"
    "alias \"Info@example.org\" { to = { \"Ada@Example.org\" } }\n";

static void
test_good(const char *path)
{
	struct mt_err err = { 0 };
	mt_auto(mt_server_conf) c = NULL;

	mt_file_replace(path, mt_slice_str(text), 0600, &err);
	c = mt_server_conf_read(path, &err);
	if (!ok(c != NULL, "a good file is read %s", err.msg))
		return;
	is_str(c->domains[0], "example.org", "domains in lower case");
	ok(c->domains[2] == NULL, "and all of them");
	is_str(c->postmaster, "ada@example.org", "postmaster in lower case");
	is_int(c->nlisten, 4, "every address");
	is_int(c->listen[2].port, MT_SERVER_LMTP, "with its port's kind");
	is_str(c->listen[2].address, "unix:/run/lmtp", "as it was written");
	is_int(c->size_max, 1 << 20, "a size");
	is_int(c->timeout_command_s, 120, "a time");
	is_int(c->connections_max, 500, "a default");
	is_int(c->naliases, 1, "aliases");
	is_str(c->aliases[0].address, "info@example.org", "in lower case");
	is_str(c->aliases[0].to[0], "ada@example.org", "both sides");
	ok(c->user == NULL && c->log == NULL, "what is not said is NULL");
	mt_server_conf_fail_listen(c, &c->listen[1], &err, "is taken");
	ok(g_str_has_suffix(err.msg, ":8: smtp: is taken") && err.kind == MT_ECONF,
	    "later errors name the line, too: %s", err.msg);
}

/* With another alias behind the good one: whether it is refused, in these words. */
static void
is_refused(const char *path, const char *alias, const char *want)
{
	g_autofree char *whole = g_strconcat(text, alias, NULL);
	struct mt_err err = { 0 };
	mt_auto(mt_server_conf) c = NULL;

	mt_file_replace(path, mt_slice_str(whole), 0600, &err);
	c = mt_server_conf_read(path, &err);
	ok(c == NULL && err.kind == MT_ECONF && strstr(err.msg, want) != NULL, "%s: %s", want,
	    err.msg);
}

static void
test_aliases(const char *path)
{
	GString *many = g_string_new("alias \"all@example.org\" { to = { \"a@example.org\"");

	is_refused(path, "alias \"x@example.org\" { to = { \"info@example.org\" } }\n",
	    "\"info@example.org\" is an alias: name the users");
	is_refused(path, "alias \"x@example.org\" { to = { \"x@example.org\" } }\n",
	    "\"x@example.org\" is an alias: name the users");
	for (int i = 0; i < 200; i++)
		g_string_append_printf(many, ", \"u%d@example.org\"", i);
	g_string_append(many, " } }\n");
	is_refused(path, many->str, "more than 200 users");
	g_string_free(many, TRUE);
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-conf.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "mt-serve.conf", NULL);
	struct mt_err err = { 0 };

	test_good(path);
	test_aliases(path);
	mt_file_replace(path, MT_SLICE("hostname = \"a.b\"\n"), 0600, &err);
	ok(mt_server_conf_read(path, &err) == NULL && err.kind == MT_ECONF,
	    "a bad one is refused: %s", err.msg);
	ok(mt_server_conf_read("/nonexistent/x", &err) == NULL && err.kind == MT_ECONF,
	    "so is none");
	ok(mt_server_port_has_login(MT_SERVER_POP3) &&
	    !mt_server_port_has_login(MT_SERVER_SMTP), "who asks for passwords");
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
