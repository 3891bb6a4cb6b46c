/* transaction.c - tests of serve/transaction: files for mailboxes, kept or dropped */
#include "serve/transaction.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static const char *domains[] = { "example.org", NULL };
static const char *both[] = { "ada@example.org", "bob@example.org", NULL };
static const struct mt_serve_alias aliases[] = { { "info@example.org", both } };
static struct mt_serve_params params = {
	.domains = domains, .postmaster = "bob@example.org", .aliases = aliases,
	.naliases = 1,
};
static struct mt_serve_users *users;
static struct mt_serve_boxes *boxes;
static struct mt_serve_ipc_opened opened;
static int fds[MT_SERVE_FILES_MAX];

static struct mt_serve_transaction *
begin(const char *const locals[])
{
	g_autofree struct mt_serve_ipc_open *in = g_new0(struct mt_serve_ipc_open, 1);

	for (; locals[in->n] != NULL; in->n++) {
		g_strlcpy(in->rcpts[in->n].local, locals[in->n], MT_SMTP_PATH_SIZE);
		g_strlcpy(in->rcpts[in->n].domain, "example.org", MT_SMTP_PATH_SIZE);
	}
	return mt_serve_transaction_open(boxes, users, in, &opened, fds);
}

/* Files in a directory of a user's Maildir. */
static guint
count(const char *user, const char *sub)
{
	g_autofree char *path =
	    g_strdup_printf("%s/example.org/%s/%s", params.mail_root, user, sub);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (dir != NULL && g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void
commit(struct mt_serve_transaction *t, const uint8_t *keep, size_t n)
{
	struct mt_serve_ipc_commit c = { .files = (uint32_t)n };
	void *jobs[1] = { t };

	memcpy(c.keep, keep, n);
	ok(mt_serve_transaction_keep(t, &c), "the counts agree");
	mt_serve_transaction_commit_all(jobs, 1);
}

static void
test_once(void)
{
	static const char *const locals[] = { "ada", "ADA+x", "info", "nobody", NULL };
	struct mt_serve_ipc_committed done;
	struct mt_serve_transaction *t = begin(locals);

	is_int(opened.files, 2, "one file for each mailbox");
	is_int(opened.pairs, 4, "and every recipient knows its own");
	is_int(opened.fate[3], MT_SERVE_FATE_NO_USER, "who is gone since RCPT");
	is_str(opened.mailboxes[0], "ada@example.org", "Delivered-To");
	is_int(count("ada", "tmp") + count("bob", "tmp"), 2, "they are in tmp/");
	ok(write(fds[0], "x\n", 2) == 2 && write(fds[1], "x\n", 2) == 2, "written");
	commit(t, (const uint8_t[]){ 1, 1 }, 2);
	ok(mt_serve_transaction_result(t, &done) == NULL && done.files == 2 &&
	    done.fate[0] == MT_SERVE_FATE_GOOD && done.fate[1] == MT_SERVE_FATE_GOOD,
	    "committed");
	is_int(count("ada", "new") + count("bob", "new"), 2, "they are in new/");
	mt_serve_transaction_free(t);
	is_int(count("ada", "new") + count("bob", "new"), 2, "and stay there");
}

static void
test_drop(void)
{
	static const char *const locals[] = { "info", NULL };
	struct mt_serve_ipc_committed done;
	struct mt_serve_ipc_commit wrong = { .files = 1 };
	struct mt_serve_transaction *t = begin(locals);

	ok(!mt_serve_transaction_keep(t, &wrong), "a count that disagrees is refused");
	commit(t, (const uint8_t[]){ 0, 1 }, 2);
	mt_serve_transaction_result(t, &done);
	ok(done.fate[0] != MT_SERVE_FATE_GOOD && done.fate[1] == MT_SERVE_FATE_GOOD,
	    "a file that is not kept is not good");
	is_int(count("ada", "new"), 1, "nor delivered");
	is_int(count("ada", "tmp"), 0, "nor left");
	is_int(count("bob", "new"), 2, "the other is delivered");
	mt_serve_transaction_free(t);
	mt_serve_transaction_free(begin(locals));
	is_int(count("ada", "tmp") + count("bob", "tmp"), 0, "an aborted one leaves nothing");
}

/* The owner removes the Maildir that we hold open: it is made anew. */
static void
test_removed(void)
{
	static const char *const locals[] = { "ada", NULL };
	g_autofree char *path = g_strdup_printf("%s/example.org/ada", params.mail_root);
	struct mt_serve_ipc_committed done;
	struct mt_serve_transaction *t;

	mt_file_remove_tree(path, NULL);
	t = begin(locals);
	is_int(opened.fate[0], MT_SERVE_FATE_GOOD, "a Maildir that is gone is made again");
	commit(t, (const uint8_t[]){ 1 }, 1);
	ok(mt_serve_transaction_result(t, &done) == NULL, "and delivered to");
	is_int(count("ada", "new"), 1, "really");
	mt_serve_transaction_free(t);

	t = begin(locals);
	mt_file_remove_tree(path, NULL);
	commit(t, (const uint8_t[]){ 1 }, 1);
	ok(mt_serve_transaction_result(t, &done) != NULL &&
	    done.fate[0] == MT_SERVE_FATE_TEMP,
	    "one that goes before the commit is a temporary failure");
	mt_serve_transaction_free(t);
	t = begin(locals);
	is_int(opened.fate[0], MT_SERVE_FATE_GOOD, "of that message only");
	mt_serve_transaction_free(t);
}

/* The owner renames it: new mail goes where the path leads. */
static void
test_renamed(void)
{
	static const char *const locals[] = { "ada", NULL };
	g_autofree char *path = g_strdup_printf("%s/example.org/ada", params.mail_root);
	g_autofree char *old = g_strdup_printf("%s/example.org/old", params.mail_root);
	struct mt_serve_ipc_committed done;
	struct mt_serve_transaction *t;

	is_int(count("ada", "new"), 0, "nothing is there yet");
	is_int(rename(path, old), 0, "renamed");
	t = begin(locals);
	commit(t, (const uint8_t[]){ 1 }, 1);
	ok(mt_serve_transaction_result(t, &done) == NULL, "delivered all the same");
	is_int(count("ada", "new"), 1, "into a new Maildir");
	is_int(count("old", "new"), 0, "and not the old one");
	mt_serve_transaction_free(t);
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-transaction.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "users", NULL);
	struct mt_err err = { 0 };

	params.mail_root = dir;
	mt_file_replace(path, MT_SLICE("ada@example.org:h\nbob@example.org:h\n"), 0600,
	    &err);
	users = mt_serve_users_open(path, &err);
	boxes = mt_serve_boxes_new(&params);
	test_once();
	test_drop();
	test_removed();
	test_renamed();
	mt_serve_boxes_free(boxes);
	mt_serve_users_free(users);
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
