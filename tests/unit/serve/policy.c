/* policy.c - tests of serve/policy: whose mail, which mailboxes, who may send */
#include "serve/policy.h"

#include "base/file.h"
#include "tap.h"

static const char *domains[] = { "example.org", "example.net", NULL };
static const char *both[] = { "ada@example.org", "bob@example.org", NULL };
static const char *gone[] = { "gone@example.org", NULL };
static const struct mt_serve_alias aliases[] = {
	{ "info@example.org", both },
	{ "old@example.net", gone },
};
static const struct mt_serve_params params = {
	.mail_root = "/mail", .domains = domains, .postmaster = "bob@example.org",
	.aliases = aliases, .naliases = G_N_ELEMENTS(aliases),
};

static const struct {
	const char *local, *domain;
	enum mt_serve_verdict verdict;
	const char *mailboxes;
} rcpts[] = {
	{ "ada", "example.org", MT_SERVE_OURS, "ada@example.org" },
	{ "ADA", "Example.ORG", MT_SERVE_OURS, "ada@example.org" },
	{ "ada+a+b", "example.org", MT_SERVE_OURS, "ada@example.org" },
	{ "+x", "example.org", MT_SERVE_NO_USER, "" },
	{ "", "example.org", MT_SERVE_NO_USER, "" },
	{ "eve", "example.org", MT_SERVE_NO_USER, "" },
	{ "ada", "example.net", MT_SERVE_NO_USER, "" },
	{ "ada", "example.com", MT_SERVE_NOT_OURS, "" },
	{ "ada", "sub.example.org", MT_SERVE_NOT_OURS, "" },
	{ "ada", "", MT_SERVE_NOT_OURS, "" },
	{ "ada", "[127.0.0.1]", MT_SERVE_NOT_OURS, "" },
	{ "ada@example.com", "example.org", MT_SERVE_NO_USER, "" },
	{ "ada%example.com", "example.org", MT_SERVE_NO_USER, "" },
	{ "../ada", "example.org", MT_SERVE_NO_USER, "" },
	{ "Info+x", "example.org", MT_SERVE_OURS, "ada@example.org bob@example.org" },
	{ "old", "example.net", MT_SERVE_NO_USER, "" },
	{ "Postmaster", "", MT_SERVE_OURS, "bob@example.org" },
	{ "postmaster", "example.net", MT_SERVE_OURS, "bob@example.org" },
	{ "postmaster", "example.com", MT_SERVE_NOT_OURS, "" },
};

static char *
joined(GPtrArray *mailboxes)
{
	g_ptr_array_add(mailboxes, NULL);
	return g_strjoinv(" ", (char **)mailboxes->pdata);
}

static void
test_rcpt(const struct mt_serve_users *users)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rcpts); i++) {
		g_autoptr(GPtrArray) got = g_ptr_array_new_with_free_func(g_free);
		enum mt_serve_verdict v = mt_serve_policy_rcpt(&params, users,
		    rcpts[i].local, rcpts[i].domain, got);
		g_autofree char *text = joined(got);

		is_int(v, rcpts[i].verdict, "verdict on \"%s\" @ \"%s\"", rcpts[i].local,
		    rcpts[i].domain);
		is_str(text, rcpts[i].mailboxes, "and its mailboxes");
	}
}

static void
test_once(const struct mt_serve_users *users)
{
	g_autoptr(GPtrArray) got = g_ptr_array_new_with_free_func(g_free);

	mt_serve_policy_rcpt(&params, users, "ada", "example.org", got);
	mt_serve_policy_rcpt(&params, users, "info", "example.org", got);
	mt_serve_policy_rcpt(&params, users, "ADA+x", "example.org", got);
	is_int(got->len, 2, "each mailbox once");
}

static void
test_postmaster_gone(const struct mt_serve_users *users)
{
	struct mt_serve_params p = params;
	g_autoptr(GPtrArray) got = g_ptr_array_new_with_free_func(g_free);

	p.postmaster = "gone@example.org";
	is_int(mt_serve_policy_rcpt(&p, users, "postmaster", "", got), MT_SERVE_UNSURE,
	    "postmaster without a reader is a temporary failure");
}

static const struct {
	const char *user, *local, *domain;
	bool may;
} senders[] = {
	{ "ada@example.org", "ada", "example.org", true },
	{ "ada@example.org", "Ada+list", "EXAMPLE.org", true },
	{ "ada@example.org", "info", "example.org", true },
	{ "ada@example.org", "", "", true },
	{ "ada@example.org", "bob", "example.org", false },
	{ "ada@example.org", "ada", "example.com", false },
	{ "ada@example.org", "nobody", "example.org", false },
	{ "ada@example.org", "postmaster", "", false },
	{ "bob@example.org", "postmaster", "example.net", true },
	{ "ada@example.org", "postmaster", "example.org", false },
};

static void
test_senders(const struct mt_serve_users *users)
{
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		is_int(mt_serve_policy_may_send(&params, users, senders[i].user,
		    senders[i].local, senders[i].domain), senders[i].may,
		    "%s as \"%s\" @ \"%s\"", senders[i].user, senders[i].local,
		    senders[i].domain);
}

static void
test_login(void)
{
	static const char *one[] = { "example.org", NULL };
	struct mt_serve_params p = params;
	g_autofree char *full = mt_serve_policy_login(&p, "Ada@Example.org");
	g_autofree char *bare = NULL, *evil = NULL, *path = NULL;

	is_str(full, "ada@example.org", "a login name in lower case");
	ok(mt_serve_policy_login(&p, "ada") == NULL, "a bare one is unclear");
	p.domains = one;
	bare = mt_serve_policy_login(&p, "ada");
	is_str(bare, "ada@example.org", "with one domain it is not");
	evil = mt_serve_policy_login(&p, "../../etc/passwd");
	ok(evil == NULL, "a path is nobody");
	path = mt_serve_policy_maildir(&p, "ada@example.org");
	is_str(path, "/mail/example.org/ada", "the Maildir of a user");
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-policy.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "users", NULL);
	struct mt_err err = { 0 };
	mt_auto(mt_serve_users) users = NULL;

	mt_file_replace(path, MT_SLICE("ada@example.org:h\nbob@example.org:h\n"), 0600,
	    &err);
	users = mt_serve_users_open(path, &err);
	test_rcpt(users);
	test_once(users);
	test_postmaster_gone(users);
	test_senders(users);
	test_login();
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
