/* guard.c - keep files away from libnotmuch that would kill it */
#include "index/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <notmuch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "maildir/name.h"
#include "message/prescan.h"

/* What the trial returns when libnotmuch refuses the file but lives. */
#define TRIAL_REFUSED 1
#define TRIAL_FAILED 2

/* "mt.skipped." and a hash of what stays when flags and folders change; false when the
   file has gone. */
static bool
skip_key(const char *path, char key[64])
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *text = NULL;
	struct mt_maildir_name parsed;
	uint8_t sum[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (mt_maildir_name_parse(name, &parsed))
		name[parsed.unique.n] = '\0';
	text = g_strdup_printf("%s\n%lld", name, (long long)st.st_size);
	mt_digest_sha256(text, strlen(text), sum);
	mt_digest_hex(sum, hex);
	snprintf(key, 64, "mt.skipped.%.32s", hex);
	return true;
}

bool
mt_index_guard_is_skipped(struct mt_index *index, const char *path)
{
	char key[64], *value = NULL;
	bool skipped;

	if (!skip_key(path, key) || notmuch_database_get_config(mt_index_db(index), key,
	    &value) != NOTMUCH_STATUS_SUCCESS)
		return false;
	skipped = value != NULL && value[0] != '\0';
	free(value);
	return skipped;
}

/* In the child: index the file, which the link in dir leads to, for the test alone. */
static int
try_file(void *arg, int out_fd)
{
	const char *dir = arg;
	g_autofree char *file = g_build_filename(dir, "message", NULL);
	notmuch_database_t *db = NULL;
	int status, quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)out_fd;
	/* GLib has last words when memory ends; how it died is said by the parent. */
	if (quiet >= 0)
		dup2(quiet, STDERR_FILENO);
	if (notmuch_database_create_with_config(dir, "", NULL, &db, NULL) !=
	    NOTMUCH_STATUS_SUCCESS)
		return TRIAL_FAILED;
	status = notmuch_database_index_file(db, file, NULL, NULL);
	return status == NOTMUCH_STATUS_SUCCESS ? 0 : TRIAL_REFUSED;
}

/* Half of what we have ourselves: what passes there passes here. */
static uint64_t
trial_stack(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_STACK, &r) < 0 || r.rlim_cur == RLIM_INFINITY ||
	    r.rlim_cur > MT_MIB(64))
		return MT_MIB(4);
	return MAX(r.rlim_cur / 2, MT_KIB(256));
}

/* 1: libnotmuch survived the file; 0: it did not; -1: it could not be tried. */
static int
trial(const char *path, struct mt_err *err)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *dir = g_dir_make_tmp("mt-index.XXXXXX", &why);
	g_autofree char *whole = realpath(path, NULL);
	g_autofree char *link = NULL;
	struct mt_proc_leash leash = mt_prescan_leash;
	int rc;

	if (dir == NULL)
		return mt_fail(err, MT_ETEMP, "%s", why->message);
	link = g_build_filename(dir, "message", NULL);
	if (whole == NULL || symlink(whole, link) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%m");
		g_rmdir(dir);
		return -1;
	}
	leash.stack_bytes = trial_stack();
	/* What is too much for this is too much for the index as well. */
	leash.memory_bytes = MT_MIB(512);
	leash.cpu_s = 10;
	rc = mt_proc_fork(try_file, dir, &leash, NULL, err);
	mt_file_remove_tree(dir, NULL);
	if (rc < 0)
		return err->kind == MT_EDATA ? 0 : -1;
	if (rc != 0 && rc != TRIAL_REFUSED)
		return mt_fail(err, MT_ETEMP, "no throw-away index can be made in %s",
		    g_get_tmp_dir());
	return 1;
}

static void
remember(struct mt_index *index, const char *path, const char *why)
{
	g_autofree char *value = g_strdup_printf("%s: %s", path, why);
	char key[64];

	/* Not remembered means tried again: no harm. */
	if (skip_key(path, key))
		notmuch_database_set_config(mt_index_db(index), key, value);
}

int
mt_index_guard(struct mt_index *index, const char *path, struct mt_err *err)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	enum mt_prescan found;
	struct mt_err why = { 0 };
	int rc;

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (mt_prescan_fd(fd, &found, &why) < 0)
		return mt_fail(err, why.kind, "%s: %s", path, why.msg);
	if (found == MT_PRESCAN_PLAIN)
		return 1;
	rc = trial(path, &why);
	if (rc > 0)
		return 1;
	mt_fail(err, why.kind, "%s: %s: %s", path, mt_prescan_word(found), why.msg);
	if (rc == 0)
		remember(index, path, err->msg + strlen(path) + 2);
	return rc;
}
