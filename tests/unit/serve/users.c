/* users.c - tests of serve/users: who can be a user, the password file */
#include "serve/users.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static const struct {
	const char *address;
	bool valid;
} addresses[] = {
	{ "ada@example.org", true },
	{ "a.b-c_d=1@x", true },
	{ "1@example.org", true },
	{ "Ada@example.org", false },
	{ "ada@Example.org", false },
	{ "ada", false },
	{ "@example.org", false },
	{ ".ada@example.org", false },
	{ "..@example.org", false },
	{ "a/b@example.org", false },
	{ "ada@", false },
	{ "ada@.", false },
	{ "ada@..", false },
	{ "ada@../x", false },
	{ "ada@x/y", false },
	{ "ada@-x", false },
	{ "a@b@c", false },
	{ "ada+tag@example.org", false },
	{ "ada:x@example.org", false },
	{ "a\nb@example.org", false },
	{ "", false },
};

static void
test_valid(void)
{
	char local[100];

	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
		is_int(mt_serve_users_valid(addresses[i].address), addresses[i].valid,
		    "\"%s\" %s be a user", addresses[i].address,
		    addresses[i].valid ? "can" : "cannot");
	memset(local, 'a', sizeof(local));
	g_strlcpy(local + 64, "@x", 3);
	ok(mt_serve_users_valid(local), "a local part of 64 bytes");
	memset(local, 'a', sizeof(local));
	g_strlcpy(local + 65, "@x", 3);
	ok(!mt_serve_users_valid(local), "but not of 65");
}

static void
test_hash(void)
{
	struct mt_err err = { 0 };
	g_autofree char *a = mt_serve_users_make_hash(MT_SLICE("secret"), &err);
	g_autofree char *b = mt_serve_users_make_hash(MT_SLICE("secret"), &err);

	if (!ok(a != NULL && b != NULL, "a password is hashed %s", err.msg))
		return;
	ok(g_str_has_prefix(a, "$y$"), "with yescrypt");
	ok(strcmp(a, b) != 0, "and a salt");
	ok(mt_serve_users_verify(a, "secret"), "the right password");
	ok(!mt_serve_users_verify(a, "Secret"), "a wrong one");
	ok(!mt_serve_users_verify(a, ""), "an empty one");
	ok(!mt_serve_users_verify(NULL, "secret"), "nobody's");
	ok(!mt_serve_users_verify("nonsense", "secret"), "a hash that is none");
	ok(!mt_serve_users_verify("*0", "secret"), "crypt's failure token");
	ok(mt_serve_users_make_hash(MT_SLICE(""), &err) == NULL &&
	    err.kind == MT_EDATA, "an empty password is refused");
	ok(mt_serve_users_make_hash(MT_SLICE("a\0b"), &err) == NULL, "and one with NUL");
}

static void
test_file(const char *path)
{
	struct mt_err err = { 0 };
	struct stat st;
	g_autofree const char **list = NULL;
	mt_auto(mt_serve_users) u = NULL;
	mt_auto(mt_serve_users) other = NULL;

	ok(mt_serve_users_open(path, &err) == NULL && err.kind == MT_ENOINPUT,
	    "a server needs the file");
	u = mt_serve_users_open_or_new(path, &err);
	ok(u != NULL, "a change does not");
	is_int(mt_serve_users_add(u, "bob@example.org", "$y$b", &err), 0, "add");
	is_int(mt_serve_users_add(u, "ada@example.org", "$y$a", &err), 0, "add another");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "mode 0600");
	other = mt_serve_users_open(path, &err);
	is_int(mt_serve_users_add(u, "ada@example.org", "$y$x", &err), -1, "not twice");
	is_int(err.kind, MT_EDATA, "which is the caller's mistake");
	is_str(mt_serve_users_hash(other, "ada@example.org"), "$y$a", "hash");
	ok(mt_serve_users_hash(other, "eve@example.org") == NULL, "nobody's hash");
	is_int(mt_serve_users_passwd(u, "ada@example.org", "$y$aa", &err), 0, "passwd");
	is_int(mt_serve_users_refresh(other, &err), 0, "the other process looks again");
	is_str(mt_serve_users_hash(other, "ada@example.org"), "$y$aa", "and sees it");
	is_int(mt_serve_users_passwd(u, "eve@example.org", "$y$e", &err), -1, "no user");
	is_int(err.kind, MT_ENOUSER, "is said");
	is_int(mt_serve_users_remove(other, "bob@example.org", &err), 0, "remove");
	is_int(mt_serve_users_add(u, "eve@example.org", "$y$e", &err), 0,
	    "a change by a stale reader");
	list = mt_serve_users_list(u);
	ok(g_strv_length((char **)(void *)list) == 2 &&
	    strcmp(list[0], "ada@example.org") == 0 &&
	    strcmp(list[1], "eve@example.org") == 0, "keeps what others did");
}

static const struct {
	const char *name, *text, *want;
} bad[] = {
	{ "no colon", "ada@example.org\n", ":1: not \"address:hash\"" },
	{ "no hash", "# c\nada@example.org:\n", ":2: ada@example.org has no password hash" },
	{ "a path", "../../x@y:h\n", ":1: \"../../x@y\" cannot be a user's address" },
	{ "twice", "a@b:h\na@b:i\n", ":2: a@b is there twice" },
};

static void
test_bad(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct mt_err err = { 0 };

		mt_file_replace(path, mt_slice_str(bad[i].text), 0600, &err);
		ok(mt_serve_users_open(path, &err) == NULL, "refused: %s", bad[i].name);
		ok(strstr(err.msg, bad[i].want) != NULL, "%s", err.msg);
	}
}

static void
test_goes_bad(const char *path)
{
	struct mt_err err = { 0 };
	mt_auto(mt_serve_users) u = NULL;

	mt_file_replace(path, MT_SLICE("a@b:h\n"), 0600, &err);
	u = mt_serve_users_open(path, &err);
	mt_file_replace(path, MT_SLICE("c@d:h\nnonsense\n"), 0600, &err);
	is_int(mt_serve_users_refresh(u, &err), -1, "a file that goes bad is an error");
	ok(mt_serve_users_has(u, "a@b") && !mt_serve_users_has(u, "c@d"),
	    "and the users stay");
	g_file_set_contents(path, "c@d:$y$abc", -1, NULL);
	is_int(mt_serve_users_refresh(u, &err), -1, "one that is cut is, too: %s", err.msg);
	g_file_set_contents(path, "", -1, NULL);
	is_int(mt_serve_users_refresh(u, &err), -1, "and an empty one: %s", err.msg);
	ok(mt_serve_users_has(u, "a@b"), "the users stay");
	g_file_set_contents(path, "c@d:h\n", -1, NULL);
	is_int(mt_serve_users_refresh(u, &err), 0, "until it is whole again");
	ok(mt_serve_users_has(u, "c@d") && !mt_serve_users_has(u, "a@b"), "and is the truth");
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-users.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "users", NULL);

	test_valid();
	test_hash();
	test_file(path);
	test_bad(path);
	test_goes_bad(path);
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
