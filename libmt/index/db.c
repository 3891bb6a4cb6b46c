/* db.c - open and create the notmuch database, and speak of its errors */
#include "index/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <notmuch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Documents that Xapian gathers before it writes: with 1,000 it is faster than with its
   own 10,000 (what it gathers stays in the processor's cache), at a third of the memory. */
#define FLUSH_THRESHOLD "1000"

struct mt_index {
	notmuch_database_t *db;
	char *root;
};

/* Xapian::DatabaseModifiedError, of which libnotmuch hands on no more than the text. */
static bool
is_modified(int status, const char *message)
{
	return status == NOTMUCH_STATUS_XAPIAN_EXCEPTION && message != NULL &&
	    strstr(message, "revision being read has been discarded") != NULL;
}

static enum mt_err_kind
kind_of(int status, const char *message)
{
	if (is_modified(status, message))
		return MT_ETEMP;
	switch (status) {
	case NOTMUCH_STATUS_OUT_OF_MEMORY:
		return MT_ETEMP;
	case NOTMUCH_STATUS_READ_ONLY_DATABASE:
	case NOTMUCH_STATUS_PATH_ERROR:
		return MT_EPERM;
	case NOTMUCH_STATUS_FILE_ERROR:
		return MT_EIO;
	case NOTMUCH_STATUS_NO_CONFIG:
		return MT_ECONF;
	case NOTMUCH_STATUS_NO_DATABASE:
		return MT_ENOINPUT;
	default:
		return MT_ESOFTWARE;
	}
}

int
mt_index_fail(struct mt_index *index, int status, struct mt_err *err, const char *fmt, ...)
{
	const char *more =
	    index == NULL ? NULL : notmuch_database_status_string(index->db);
	g_autofree char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	/* Xapian's own words tell its programmers to reopen() it. */
	if (is_modified(status, more))
		return mt_fail(err, MT_ETEMP, "%s: the index changed while it was read; try again",
		    what);
	/* Its first line says what is wrong. */
	if (more != NULL)
		return mt_fail(err, kind_of(status, more), "%s: %.*s", what,
		    (int)strcspn(more, "\n"), more);
	return mt_fail(err, kind_of(status, NULL), "%s: %s", what,
	    notmuch_status_to_string(status));
}

static bool
is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

/* Whether notmuch would find a configuration file, as notmuch-config(1) says. */
static bool
has_configuration(void)
{
	const char *profile = g_getenv("NOTMUCH_PROFILE");
	const char *xdg = g_getenv("XDG_CONFIG_HOME");
	g_autofree char *base = is_set(xdg) ? g_strdup(xdg) :
	    mt_file_expand_home("~/.config");
	g_autofree char *in_xdg = g_build_filename(base, "notmuch",
	    is_set(profile) ? profile : "default", "config", NULL);
	g_autofree char *plain = mt_file_expand_home("~/.notmuch-config");
	g_autofree char *in_home = is_set(profile) ?
	    g_strconcat(plain, ".", profile, NULL) : g_strdup(plain);

	return is_set(g_getenv("NOTMUCH_CONFIG")) ||
	    g_file_test(in_xdg, G_FILE_TEST_IS_REGULAR) ||
	    g_file_test(in_home, G_FILE_TEST_IS_REGULAR);
}

/* How libnotmuch shall look for the database: NULL leaves it to its own rules. */
struct place {
	const char *path;
	const char *config;	/* "": read no file */
};

static struct place
place_of(const char *maildir)
{
	const char *database = g_getenv("NOTMUCH_DATABASE");

	if (has_configuration())
		return (struct place){ NULL, NULL };
	return (struct place){ is_set(database) ? database : maildir, "" };
}

/* Takes the message that libnotmuch has allocated. */
static int
open_failed(int status, char *message, const char *path, struct mt_err *err)
{
	size_t n = message == NULL ? 0 : strlen(message);

	while (n > 0 && message[n - 1] == '\n')
		message[--n] = '\0';
	mt_fail(err, kind_of(status, message), "index of %s: %s", path,
	    n > 0 ? message : notmuch_status_to_string(status));
	free(message);
	return -1;
}

/*
 * Whether Xapian had finished making the database: its version file (iamglass) gets its
 * name last. What a crash left before that is no database, and would be in the way for ever.
 */
static bool
is_complete(const char *xapian)
{
	DIR *dir = opendir(xapian);
	struct dirent *e;
	bool found = dir == NULL;	/* then opening it will say why */

	while (dir != NULL && (e = readdir(dir)) != NULL)
		found = found || g_str_has_prefix(e->d_name, "iam") ||
		    g_str_equal(e->d_name, "XAPIANDB");
	if (dir != NULL)
		closedir(dir);
	return found;
}

/*
 * The directory of the Xapian database; NULL when there is none yet. g_free. A folder of
 * mail may be called "xapian": beside .notmuch only a whole database is one.
 */
static char *
find_xapian(const char *path)
{
	g_autofree char *below = g_build_filename(path, ".notmuch", "xapian", NULL);
	g_autofree char *inside = g_build_filename(path, "xapian", NULL);

	if (g_file_test(below, G_FILE_TEST_IS_DIR))
		return g_steal_pointer(&below);
	if (g_file_test(inside, G_FILE_TEST_IS_DIR) && is_complete(inside))
		return g_steal_pointer(&inside);
	return NULL;
}

/*
 * The mail root, and the database if it is there (both g_free), before anything is opened.
 * Without a configuration libnotmuch is not asked: it would fall back to ~/mail.
 */
static int
locate(struct place place, char **root, char **xapian, struct mt_err *err)
{
	const char *named = g_getenv("NOTMUCH_CONFIG");
	notmuch_database_t *db = NULL;
	char *message = NULL;
	int status;

	if (place.path != NULL) {
		*root = g_strdup(place.path);
		*xapian = find_xapian(place.path);
		return 0;
	}
	/* Asked first, since libnotmuch's own answer leaks and does not name the file. */
	if (is_set(named) && access(named, R_OK) < 0)
		return mt_fail(err, MT_ECONF, "$NOTMUCH_CONFIG: %s: %m", named);
	status = notmuch_database_load_config(NULL, NULL, NULL, &db, &message);
	if (db == NULL || (status != NOTMUCH_STATUS_SUCCESS &&
	    status != NOTMUCH_STATUS_NO_DATABASE)) {
		if (db != NULL)
			notmuch_database_destroy(db);
		return open_failed(status, message, "the notmuch configuration", err);
	}
	free(message);
	*root = g_strdup(notmuch_config_get(db, NOTMUCH_CONFIG_MAIL_ROOT));
	*xapian = find_xapian(notmuch_config_get(db, NOTMUCH_CONFIG_DATABASE_PATH));
	notmuch_database_destroy(db);
	return 0;
}

/*
 * Remove what a crash left of a database that was being made. A directory that holds
 * anything else is not that, whatever its name: mail may be in it.
 */
static int
remove_remains(const char *xapian, struct mt_err *err)
{
	static const char *const endings[] = { "flintlock", ".glass", ".tmp", ".honey", NULL };
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(xapian);
	struct dirent *e;
	int rc = 0;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", xapian);
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		bool is_ours = false;
		struct stat st;

		if (g_str_equal(e->d_name, ".") || g_str_equal(e->d_name, ".."))
			continue;
		for (size_t i = 0; endings[i] != NULL; i++)
			is_ours = is_ours || g_str_has_suffix(e->d_name, endings[i]);
		if (!is_ours || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			rc = mt_fail(err, MT_EDATA, "%s: neither a Xapian database nor what is "
			    "left of one, since it holds \"%s\"; move it away", xapian,
			    e->d_name);
		g_ptr_array_add(names, g_strdup(e->d_name));
	}
	for (guint i = 0; rc == 0 && i < names->len; i++) {
		if (unlinkat(dirfd(dir), names->pdata[i], 0) < 0)
			rc = mt_fail(err, mt_err_kind_of_errno(errno), "%s/%s: %m", xapian,
			    (char *)names->pdata[i]);
	}
	closedir(dir);
	if (rc == 0 && rmdir(xapian) < 0)
		rc = mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", xapian);
	return rc;
}

/* Xapian would wait without a word while another program holds its lock. */
static int
check_lock(const char *xapian, struct mt_err *err)
{
	g_autofree char *path = g_build_filename(xapian, "flintlock", NULL);
	mt_auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return mt_fail(err, MT_ETEMP,
		    "another program is writing to the index (%s); try again later",
		    xapian);
	return 0;
}

static struct mt_index *
open_index(struct place place, const char *root, notmuch_database_mode_t mode,
    struct mt_err *err)
{
	struct mt_index *index = g_new0(struct mt_index, 1);
	char *message = NULL;
	int status = notmuch_database_open_with_config(place.path, mode, place.config,
	    NULL, &index->db, &message);

	if (status != NOTMUCH_STATUS_SUCCESS) {
		open_failed(status, message, root, err);
		mt_index_free(index);
		return NULL;
	}
	free(message);
	index->root = g_strdup(notmuch_config_get(index->db, NOTMUCH_CONFIG_MAIL_ROOT));
	return index;
}

struct mt_index *
mt_index_open(const char *maildir, struct mt_err *err)
{
	struct place place = place_of(maildir);
	g_autofree char *root = NULL, *xapian = NULL;

	if (locate(place, &root, &xapian, err) < 0)
		return NULL;
	if (xapian == NULL || !is_complete(xapian))
		return mt_fail_null(err, MT_ENOINPUT,
		    "%s: no index there yet (mt-index new makes it)", root);
	return open_index(place, root, NOTMUCH_DATABASE_MODE_READ_ONLY, err);
}

static int
create(struct place place, const char *root, struct mt_err *err)
{
	notmuch_database_t *db = NULL;
	char *message = NULL;
	struct stat st;
	int status;

	if (stat(root, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "mail root %s: %m", root);
	status = notmuch_database_create_with_config(place.path, place.config, NULL, &db,
	    &message);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return open_failed(status, message, root, err);
	free(message);
	status = notmuch_database_destroy(db);
	if (status != NOTMUCH_STATUS_SUCCESS)
		return open_failed(status, NULL, root, err);
	return 0;
}

struct mt_index *
mt_index_open_to_write(const char *maildir, struct mt_err *err)
{
	struct place place = place_of(maildir);
	g_autofree char *root = NULL, *xapian = NULL;
	mt_auto(mt_index) index = NULL;
	int status;

	if (g_getenv("XAPIAN_FLUSH_THRESHOLD") == NULL)
		g_setenv("XAPIAN_FLUSH_THRESHOLD", FLUSH_THRESHOLD, TRUE);
	if (locate(place, &root, &xapian, err) < 0)
		return NULL;
	if (xapian != NULL && check_lock(xapian, err) < 0)
		return NULL;
	if (xapian != NULL && !is_complete(xapian)) {
		if (remove_remains(xapian, err) < 0)
			return NULL;
		g_clear_pointer(&xapian, g_free);
	}
	if (xapian == NULL && create(place, root, err) < 0)
		return NULL;
	index = open_index(place, root, NOTMUCH_DATABASE_MODE_READ_WRITE, err);
	if (index == NULL)
		return NULL;
	if (notmuch_database_needs_upgrade(index->db)) {
		status = notmuch_database_upgrade(index->db, NULL, NULL);
		if (status != NOTMUCH_STATUS_SUCCESS) {
			mt_index_fail(index, status, err, "upgrade of the index");
			return NULL;
		}
	}
	return mt_steal(&index);
}

int
mt_index_close(struct mt_index *index, struct mt_err *err)
{
	int status = notmuch_database_close(index->db), rc = 0;

	if (status != NOTMUCH_STATUS_SUCCESS)
		rc = mt_index_fail(index, status, err, "writing the index of %s",
		    index->root);
	mt_index_free(index);
	return rc;
}

void
mt_index_free(struct mt_index *index)
{
	if (index == NULL)
		return;
	if (index->db != NULL)
		notmuch_database_destroy(index->db);
	g_free(index->root);
	g_free(index);
}

const char *
mt_index_root(const struct mt_index *index)
{
	return index->root;
}

struct _notmuch_database *
mt_index_db(struct mt_index *index)
{
	return index->db;
}
