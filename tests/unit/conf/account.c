/* account.c - mt.conf: what it gives, and what a wrong one says */
#include "conf/account.h"

#include <glib/gstdio.h>

#include "base/file.h"
#include "tap.h"

static char *path;

static struct mt_client_conf *
read_text(const char *text, struct mt_err *err)
{
	g_file_set_contents(path, text, -1, NULL);
	return mt_client_conf_read(path, err);
}

static const char good[] =
    "# a comment\n"
    "maildir = \"~/Mail\"\n"
    "account work {\n"
    "  from             = \"Ada Lovelace <ada@example.org>\"\n"
    "  pop3             = \"pop3s://ada@mail.example.org\"\n"
    "  smtp             = \"smtps://ada@mail.example.org\"\n"
    "  password_command = \"printf 'se cret\\\\nmore\\\\n'\"\n"
    "}\n"
    "account home {\n"
    "  from = \"ada@example.net\"\n"
    "  folder = \"In\"\n"
    "  sent = \"\"\n"
    "}\n";

#define ACCOUNT(words) "account w {\n  from = \"a@b.example\"\n" words "}\n"

static const struct {
	const char *name, *text, *want;
} wrong[] = {
	{ "no from", "account w {\n}\n", ":1: from: account w has none" },
	{ "bad address", "account w {\n  from = \"nobody\"\n}\n", ":2: from: " },
	{ "drafts outside", ACCOUNT("  drafts = \"../x\"\n"), ":3: drafts: " },
	{ "no mechanism", ACCOUNT("  auth = \"scram\"\n"), ":3: auth: \"scram\" is not" },
	{ "drafts nowhere", ACCOUNT("  drafts = \"\"\n"), ":3: drafts: " },
	{ "unknown word", "maildri = \"x\"\n", ":1: " },
	{ "unknown word of an account", ACCOUNT("  smpt = \"x\"\n"), ":3: " },
	{ "no URL", ACCOUNT("  smtp = \"mail.example.org\"\n"), ":3: smtp: " },
	{ "the wrong protocol", ACCOUNT("  pop3 = \"imaps://h\"\n"), ":3: pop3: " },
	{ "a URL of nothing", ACCOUNT("  pop3 = \"pop3s://\"\n"), ":3: pop3: " },
	{ "a password in the URL", ACCOUNT("  smtp = \"smtps://me:secret@h\"\n"),
	    ":3: smtp: " },
	{ "the same behind one slash", ACCOUNT("  smtp = \"smtp:/me:secret@h\"\n"),
	    ":3: smtp: " },
	{ "the same without a protocol", ACCOUNT("  smtp = \"me:secret@h\"\n"),
	    ":3: smtp: " },
	{ "folder out of the root", ACCOUNT("  folder = \"../x\"\n"), ":3: folder: " },
	{ "absolute folder", ACCOUNT("  sent = \"/x\"\n"), ":3: sent: " },
	{ "empty folder", ACCOUNT("  folder = \"\"\n"), ":3: folder: " },
	{ "relative root", "maildir = \"Mail\"\n", ":1: maildir: " },
	{ "wrong type", ACCOUNT("  allow_plaintext = \"perhaps\"\n"), ":3: " },
	{ "syntax", "account {\n", ":" },
	{ "name with a slash", "account \"a/b\" {\n from = \"a@b.example\"\n}\n", ":1: " },
};

static void
check_good(void)
{
	struct mt_err err = { 0 };
	mt_auto(mt_client_conf) c = read_text(good, &err);
	const struct mt_account *a;
	char *secret;

	if (!ok(c != NULL, "a good file is read: %s", err.msg))
		return;
	is_str(c->maildir, "/h/Mail", "the root is in the home directory");
	is_int(c->naccounts, 2, "two accounts");
	a = mt_client_conf_account(c, NULL, &err);
	is_str(a->name, "work", "the first is the default");
	is_str(a->folder, "work/INBOX", "mail arrives in NAME/INBOX");
	is_str(a->sent, "work/Sent", "copies go to NAME/Sent");
	secret = mt_account_password(a, &err);
	is_str(secret, "se cret", "the password is the first line of the output");
	mt_secret_free(secret);
	a = mt_client_conf_account(c, "home", &err);
	is_str(a->folder, "In", "the file may say another folder");
	is_str(a->sent, "", "and that no copies are wanted");
	ok(mt_account_password(a, &err) == NULL, "no password command: %s", err.msg);
	is_int(err.kind, MT_ECONF, "is an error of the configuration");
	ok(mt_client_conf_account(c, "wrok", &err) == NULL, "no such account: %s", err.msg);
	ok(strstr(err.msg, "work, home") != NULL, "the message lists those there are");
}

int
main(void)
{
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "mt-unit-XXXXXX", NULL);
	const char *root = g_mkdtemp(template);
	struct mt_err err = { 0 };
	struct mt_client_conf *c;

	path = g_build_filename(root, "mt.conf", NULL);
	g_setenv("HOME", "/h", TRUE);
	check_good();
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *want = g_strconcat(path, wrong[i].want, NULL);

		c = read_text(wrong[i].text, &err);
		ok(c == NULL && err.kind == MT_ECONF && g_str_has_prefix(err.msg, want),
		    "%s: %s", wrong[i].name, err.msg);
		ok(strstr(err.msg, "secret") == NULL, "no password is told: %s",
		    wrong[i].name);
		mt_client_conf_free(c);
	}
	g_unlink(path);
	ok(mt_client_conf_read(path, &err) == NULL && err.kind == MT_ECONF, "missing: %s",
	    err.msg);
	g_setenv("MT_CONFIG", path, TRUE);
	c = mt_client_conf_read_optional(NULL, &err);
	ok(c != NULL && c->naccounts == 0, "a missing one may be optional");
	is_str(c->maildir, "/h/Mail", "then the defaults hold");
	mt_client_conf_free(c);
	mt_file_remove_tree(root, &err);
	g_free(path);
	return tap_done();
}
