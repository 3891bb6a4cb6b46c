/* mt-backup.c - keep snapshots of Maildirs, and bring mail back from them */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "backup/create.h"
#include "backup/repo.h"
#include "backup/restore.h"
#include "backup/verify.h"
#include "base/json.h"
#include "cmd.h"
#include "conf/account.h"

enum { INIT = 1, CREATE, LIST, RESTORE, VERIFY };
enum { REPO = 1, CONFIG, JSON, NUL, SNAPSHOT, TO, VERBOSE };

static const struct mt_opt create_opts[] = {
	{ CONFIG, 'C', "config", "FILE", MT_OPT_FILE,
	    "take the mail root from this mt.conf" },
	{ JSON, 0, "json", NULL, 0, "print the result as JSON" },
	{ VERBOSE, 'v', "verbose", NULL, 0,
	    "say what was done, also when nobody watches and all is well" },
	{ 0 },
};
static const struct mt_opt list_opts[] = {
	{ JSON, 0, "json", NULL, 0, "print one JSON object a line" },
	{ NUL, '0', "null", NULL, 0, "end each record with a NUL instead of a newline" },
	{ 0 },
};
static const struct mt_opt restore_opts[] = {
	{ SNAPSHOT, 's', "snapshot", "NAME", 0,
	    "from this snapshot, not the latest: its name or the beginning of it" },
	{ TO, 0, "to", "DIR", MT_OPT_DIR, "restore below DIR, not where the mail was" },
	{ JSON, 0, "json", NULL, 0, "print the result as JSON" },
	{ VERBOSE, 'v', "verbose", NULL, 0,
	    "say what was done, also when nobody watches and all is well" },
	{ 0 },
};
static const struct mt_opt verify_opts[] = {
	{ JSON, 0, "json", NULL, 0, "print the result as JSON" },
	{ VERBOSE, 'v', "verbose", NULL, 0,
	    "say what was done, also when nobody watches and all is well" },
	{ 0 },
};
static const struct mt_opt common_opts[] = {
	{ REPO, 'r', "repo", "DIR", MT_OPT_DIR, "the repository (default: $MT_BACKUP_REPO)" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ INIT, "init", "", 0, "make a repository", NULL },
	{ CREATE, "create", "[DIR]...", MT_OPT_DIR,
	    "take a snapshot of all Maildirs below DIR (default: the mail root)",
	    create_opts },
	{ LIST, "list", "[SNAPSHOT]", 0, "list the snapshots, or the messages of one",
	    list_opts },
	{ RESTORE, "restore", "[FOLDER|MESSAGE]...", 0,
	    "bring mail back (default: all); never replaces what is there",
	    restore_opts },
	{ VERIFY, "verify", "", 0, "read everything and check every hash", verify_opts },
	{ 0 },
};
static const struct mt_opt_command command = {
	.name = "mt-backup",
	.section = "1",
	.summary = "keep snapshots of Maildirs, and bring mail back from them",
	.opts = common_opts,
	.verbs = verbs,
	.epilogue = "Examples:\n"
	    "  mt-backup -r /media/disk/mail init\n"
	    "  mt-backup -r /media/disk/mail create ~/Mail\n"
	    "  mt-backup -r /media/disk/mail restore --to ~/Restored work/INBOX",
};

/* What the command line says. */
struct ask {
	const char *repo;
	const char *config;
	const char *snapshot;
	const char *to;
	bool json;
	bool verbose;
	char end;
	GPtrArray *args;
	struct mt_progress *progress;
};

static void
warn_lines(const struct ask *ask, const GPtrArray *lines)
{
	mt_progress_pause(ask->progress);
	for (guint i = 0; i < lines->len; i++)
		mt_cmd_warn("%s", (const char *)g_ptr_array_index(lines, i));
}

/* Whether to say in words what was done: for a person who watches, and for everybody when
   something went wrong; cron is to send mail only then. */
static bool
wants_summary(const struct ask *ask, bool all_is_well)
{
	return ask->verbose || !all_is_well || mt_cmd_has_terminal();
}

static struct mt_backup_repo *
open_loaded(const struct ask *ask, bool to_write, struct mt_err *err)
{
	mt_auto(mt_backup_repo) r = mt_backup_repo_open(ask->repo, err);

	if (r == NULL || (to_write && mt_backup_repo_lock(r, err) < 0) ||
	    mt_backup_repo_load(r, err) < 0)
		return NULL;
	return mt_steal(&r);
}

static int
run_init(const struct ask *ask)
{
	struct mt_err err = { 0 };

	if (mt_backup_repo_init(ask->repo, &err) < 0)
		return mt_cmd_fail(&err);
	return EX_OK;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directories to save, absolute, without one that lies in another. */
static GPtrArray *
find_roots(const struct ask *ask, struct mt_err *err)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free);
	GPtrArray *roots = g_ptr_array_new_with_free_func(free);
	mt_auto(mt_client_conf) conf = NULL;

	if (ask->args->len == 0) {
		conf = ask->config != NULL ? mt_client_conf_read(ask->config, err) :
		    mt_client_conf_read_optional(NULL, err);
		if (conf == NULL)
			goto fail;
		g_ptr_array_add(ask->args, g_strdup(conf->maildir));
	}
	for (guint i = 0; i < ask->args->len; i++) {
		const char *arg = g_ptr_array_index(ask->args, i);
		char *path = realpath(arg, NULL);

		if (path == NULL) {
			mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", arg);
			goto fail;
		}
		g_ptr_array_add(all, path);
	}
	g_ptr_array_sort(all, compare_strings);
	for (guint i = 0; i < all->len; i++) {
		char *path = g_ptr_array_index(all, i);
		bool inside = false;

		for (guint k = 0; k < roots->len; k++) {
			const char *root = g_ptr_array_index(roots, k);
			size_t n = strlen(root);

			inside = inside || (strncmp(path, root, n) == 0 &&
			    (path[n] == '/' || path[n] == '\0' || n == 1));
		}
		if (!inside)
			g_ptr_array_add(roots, strdup(path));
	}
	return roots;
fail:
	g_ptr_array_unref(roots);
	return NULL;
}

static void
print_created(const struct ask *ask, const struct mt_backup_created *c, int status)
{
	g_autofree char *size = g_format_size(c->bytes);
	g_autofree char *added = g_format_size(c->added_bytes);

	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		    "snapshot", mt_json_text(c->snapshot->name),
		    "messages", mt_json_count(c->messages),
		    "bytes", mt_json_count(c->bytes),
		    "read", mt_json_count(c->read),
		    "new", mt_json_count(c->stored),
		    "added_bytes", mt_json_count(c->added_bytes),
		    "missing", mt_json_lines(c->missing)), '\n', stdout);
		return;
	}
	if (!wants_summary(ask, status == EX_OK))
		return;
	printf("%s: %llu messages, %s; %llu new, %s added\n", c->snapshot->name,
	    (unsigned long long)c->messages, size, (unsigned long long)c->stored, added);
}

static int
run_create(const struct ask *ask)
{
	struct mt_err err = { 0 };
	mt_auto(mt_backup_repo) r = open_loaded(ask, true, &err);
	g_autoptr(GPtrArray) roots = r == NULL ? NULL : find_roots(ask, &err);
	mt_auto_value(mt_backup_created) made = { 0 };
	struct mt_backup_create params = { .progress = ask->progress };
	int status = EX_OK;

	if (roots == NULL)
		return mt_cmd_fail(&err);
	warn_lines(ask, mt_backup_repo_damage(r));
	params.roots = (const char *const *)roots->pdata;
	params.nroots = roots->len;
	mt_progress_begin(ask->progress, "saving", 0);
	if (mt_backup_create(r, &params, &made, &err) < 0) {
		mt_progress_pause(ask->progress);
		return mt_cmd_fail(&err);
	}
	warn_lines(ask, made.missing);
	if (made.ahead != NULL)
		mt_cmd_warn("the clock is behind snapshot %s: it was wrong then, or is now; "
		    "the new one is the latest all the same", made.ahead);
	if (mt_backup_repo_unread(r) != NULL)
		status = mt_err_exit(mt_backup_repo_unread(r)->kind);
	else if (mt_backup_repo_damage(r)->len > 0)
		status = EX_DATAERR;
	else if (made.missing->len > 0)
		status = EX_NOINPUT;
	print_created(ask, &made, status);
	return status;
}

static json_t *
json_snapshot(const struct mt_backup_snapshot *s, uint64_t messages, uint64_t bytes)
{
	json_t *roots = json_array();

	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		json_array_append_new(roots, mt_json_text(root->path));
	}
	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o}",
	    "snapshot", mt_json_text(s->name), "time", (json_int_t)s->time,
	    "host", mt_json_text(s->host), "messages", mt_json_count(messages),
	    "bytes", mt_json_count(bytes), "missing", mt_json_count(s->missing),
	    "roots", roots);
}

static void
print_snapshot(const struct ask *ask, const struct mt_backup_snapshot *s,
    uint64_t messages, uint64_t bytes)
{
	mt_cmd_print_text(s->name, ask->end);
	printf("\t%llu messages\t%llu bytes", (unsigned long long)messages,
	    (unsigned long long)bytes);
	if (s->missing > 0)
		printf("\t%llu missing", (unsigned long long)s->missing);
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		putchar('\t');
		mt_cmd_print_text(root->path, ask->end);
	}
	putchar(ask->end);
}

static int
list_snapshots(const struct ask *ask, struct mt_backup_repo *r)
{
	const GPtrArray *names = mt_backup_repo_snapshots(r);
	int status = EX_OK;

	for (guint i = 0; i < names->len; i++) {
		struct mt_err err = { 0 };
		mt_auto(mt_backup_snapshot) s =
		    mt_backup_repo_snapshot(r, g_ptr_array_index(names, i), &err);
		uint64_t messages, bytes;

		if (s == NULL) {
			status = mt_cmd_fail(&err);
			continue;
		}
		mt_backup_snapshot_sum(s, &messages, &bytes);
		if (ask->json)
			mt_json_print(json_snapshot(s, messages, bytes), ask->end, stdout);
		else
			print_snapshot(ask, s, messages, bytes);
	}
	return status;
}

/* A name below a root, or with several roots the whole path, which tells them apart;
   restore takes either. */
static void
print_entry(const struct ask *ask, const struct mt_backup_snapshot *s,
    const struct mt_backup_root *root, const struct mt_backup_folder *f,
    const struct mt_backup_entry *e)
{
	g_autofree char *path = mt_backup_message_path(f->path, e);
	g_autofree char *whole = g_build_filename(root->path, path, NULL);
	char hex[MT_DIGEST_HEX_SIZE];

	if (!ask->json) {
		mt_cmd_print(s->roots->len > 1 ? whole : path, ask->end);
		return;
	}
	mt_digest_hex(e->id.b, hex);
	mt_json_print(json_pack("{s:o, s:o, s:o, s:I, s:s}",
	    "root", mt_json_text(root->path), "path", mt_json_text(path),
	    "size", mt_json_count(e->size), "time", (json_int_t)e->mtime, "sha256", hex),
	    ask->end, stdout);
}

static int
list_messages(const struct ask *ask, struct mt_backup_repo *r, const char *word)
{
	struct mt_err err = { 0 };
	const char *name = mt_backup_repo_resolve(r, word, &err);
	mt_auto(mt_backup_snapshot) s =
	    name == NULL ? NULL : mt_backup_repo_snapshot(r, name, &err);
	int status = EX_OK;

	if (s == NULL)
		return mt_cmd_fail(&err);
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *root = g_ptr_array_index(s->roots, i);

		for (guint k = 0; k < root->folders->len; k++) {
			const struct mt_backup_folder *f =
			    g_ptr_array_index(root->folders, k);
			g_autoptr(GPtrArray) entries = mt_backup_entries_new();

			if (mt_backup_repo_read_folder(r, f, entries, &err) < 0) {
				mt_fail_in(&err, "folder %s", f->path);
				status = mt_cmd_fail(&err);
			}
			for (guint n = 0; n < entries->len; n++)
				print_entry(ask, s, root, f,
				    g_ptr_array_index(entries, n));
		}
	}
	return status;
}

static int
run_list(const struct ask *ask)
{
	struct mt_err err = { 0 };
	mt_auto(mt_backup_repo) r = open_loaded(ask, false, &err);

	if (r == NULL)
		return mt_cmd_fail(&err);
	if (ask->args->len > 1)
		mt_cmd_usage("list: one snapshot, not %u", ask->args->len);
	if (ask->args->len == 0)
		return list_snapshots(ask, r);
	return list_messages(ask, r, g_ptr_array_index(ask->args, 0));
}

static void
print_restored(const struct ask *ask, const char *snapshot,
    const struct mt_backup_restored *done, int status)
{
	g_autofree char *size = g_format_size(done->bytes);

	if (ask->json) {
		mt_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		    "snapshot", mt_json_text(snapshot),
		    "restored", mt_json_count(done->messages),
		    "bytes", mt_json_count(done->bytes),
		    "present", mt_json_count(done->present),
		    "renamed", mt_json_lines(done->renamed),
		    "lost", mt_json_lines(done->lost),
		    "unread", mt_json_lines(done->unread)), '\n', stdout);
		return;
	}
	if (!wants_summary(ask, status == EX_OK))
		return;
	mt_cmd_print_text(snapshot, '\n');
	printf(": restored %llu messages, %s", (unsigned long long)done->messages, size);
	if (done->present > 0)
		printf("; %llu were there", (unsigned long long)done->present);
	if (done->unread->len > 0)
		printf("; %u could not be read", done->unread->len);
	if (done->lost->len > 0)
		printf("; %u lost", done->lost->len);
	putchar('\n');
}

static int
run_restore(const struct ask *ask)
{
	struct mt_err err = { 0 };
	mt_auto(mt_backup_repo) r = open_loaded(ask, false, &err);
	const char *name = r == NULL ? NULL :
	    mt_backup_repo_resolve(r, ask->snapshot, &err);
	mt_auto(mt_backup_snapshot) s =
	    name == NULL ? NULL : mt_backup_repo_snapshot(r, name, &err);
	mt_auto_value(mt_backup_restored) done = { 0 };
	g_autofree char *to = NULL;
	g_autofree char *cwd = g_get_current_dir();
	struct mt_backup_restore params;
	uint64_t messages, bytes;
	int rc;

	if (s == NULL)
		return mt_cmd_fail(&err);
	if (ask->to != NULL)
		to = g_canonicalize_filename(ask->to, NULL);
	params = (struct mt_backup_restore){ .snapshot = s, .to = to,
		.words = (const char *const *)ask->args->pdata,
		.nwords = ask->args->len, .cwd = cwd, .progress = ask->progress };
	mt_backup_snapshot_sum(s, &messages, &bytes);
	mt_progress_begin(ask->progress, "restoring", ask->args->len > 0 ? 0 : messages);
	rc = mt_backup_restore(r, &params, &done, &err);
	warn_lines(ask, done.renamed);
	warn_lines(ask, done.lost);
	warn_lines(ask, done.unread);
	if (rc < 0)
		rc = mt_cmd_fail(&err);
	else if (done.unread->len > 0)
		rc = mt_err_exit(done.failure.kind);
	else if (done.lost->len > 0)
		rc = EX_DATAERR;
	print_restored(ask, name, &done, rc);
	return rc;
}

static void
print_verified(const struct ask *ask, const struct mt_backup_verified *v)
{
	g_autofree char *size = g_format_size(v->bytes);

	if (ask->json)
		mt_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		    "snapshots", mt_json_count(v->snapshots),
		    "packs", mt_json_count(v->packs),
		    "messages", mt_json_count(v->messages),
		    "bytes", mt_json_count(v->bytes), "lost", mt_json_count(v->lost),
		    "damage", mt_json_lines(v->damage),
		    "unread", mt_json_lines(v->unread)), '\n', stdout);
	else if (v->damage->len > 0 || v->unread->len > 0)
		printf("%llu snapshots, %llu packs: %s; %llu messages are whole, "
		    "%llu are lost\n", (unsigned long long)v->snapshots,
		    (unsigned long long)v->packs, v->unread->len == 0 ? "damaged" :
		    v->damage->len == 0 ? "not all could be read" :
		    "damaged, and not all could be read",
		    (unsigned long long)v->messages, (unsigned long long)v->lost);
	else if (wants_summary(ask, true))
		printf("%llu snapshots, %llu messages, %s in %llu packs: all whole\n",
		    (unsigned long long)v->snapshots, (unsigned long long)v->messages,
		    size, (unsigned long long)v->packs);
}

static int
run_verify(const struct ask *ask)
{
	struct mt_err err = { 0 };
	mt_auto(mt_backup_repo) r = open_loaded(ask, false, &err);
	mt_auto_value(mt_backup_verified) v = { 0 };

	if (r == NULL || (mt_progress_begin(ask->progress, "verifying", 0),
	    mt_backup_verify(r, ask->progress, &v, &err)) < 0)
		return mt_cmd_fail(&err);
	warn_lines(ask, v.damage);
	warn_lines(ask, v.unread);
	print_verified(ask, &v);
	if (v.unread->len > 0)
		return EX_IOERR;
	return v.damage->len > 0 ? EX_DATAERR : EX_OK;
}

static void
take_option(struct ask *ask, const struct mt_opt_parser *p)
{
	switch (p->id) {
	case REPO:
		ask->repo = p->value;
		break;
	case CONFIG:
		ask->config = p->value;
		break;
	case SNAPSHOT:
		ask->snapshot = p->value;
		break;
	case TO:
		/* An unset variable of a script is not the working directory. */
		if (p->value[0] == '\0')
			mt_cmd_usage("--to: which directory?");
		ask->to = p->value;
		break;
	case JSON:
		ask->json = true;
		break;
	case NUL:
		ask->end = '\0';
		break;
	case VERBOSE:
		ask->verbose = true;
		break;
	default:
		g_ptr_array_add(ask->args, g_strdup(p->value));
	}
}

static int
run(int verb, const struct ask *ask)
{
	if ((verb == INIT || verb == VERIFY) && ask->args->len > 0)
		mt_cmd_usage("takes no argument \"%s\"",
		    (const char *)g_ptr_array_index(ask->args, 0));
	switch (verb) {
	case INIT:
		return run_init(ask);
	case CREATE:
		return run_create(ask);
	case LIST:
		return run_list(ask);
	case RESTORE:
		return run_restore(ask);
	default:
		return run_verify(ask);
	}
}

int
main(int argc, char **argv)
{
	struct ask ask = { .repo = g_getenv("MT_BACKUP_REPO"), .end = '\n' };
	struct mt_opt_parser p;
	int status;

	mt_cmd_start(&command, argc, argv, &p);
	ask.args = g_ptr_array_new_with_free_func(g_free);
	while (mt_cmd_next(&p) > 0)
		take_option(&ask, &p);
	if (ask.repo == NULL || ask.repo[0] == '\0')
		mt_cmd_usage("which repository? Use -r DIR or set MT_BACKUP_REPO");
	if (mt_cmd_has_terminal())
		ask.progress = mt_progress_new(stderr, "", "messages");
	status = run(p.verb->id, &ask);
	mt_progress_free(ask.progress);
	g_ptr_array_unref(ask.args);
	return mt_cmd_end(status);
}
