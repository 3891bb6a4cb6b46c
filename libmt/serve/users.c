/* users.c - the password file: who has a mailbox here */
#include "serve/users.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

struct mt_serve_users {
	char *path;
	GHashTable *hashes;	/* address -> hash */
	struct stat seen;	/* of the file that was read; all zero: there was none */
};

static bool
is_local_char(char c)
{
	return g_ascii_islower(c) || g_ascii_isdigit(c) || strchr("._-=", c) != NULL;
}

bool
mt_serve_users_valid(const char *address)
{
	const char *at = strchr(address, '@'), *p;

	if (at == NULL || (size_t)(at - address) > MT_MAX_LOCAL_PART ||
	    strlen(at + 1) > MT_MAX_DOMAIN)
		return false;
	if (!g_ascii_islower(address[0]) && !g_ascii_isdigit(address[0]))
		return false;
	for (p = address; p < at; p++) {
		if (!is_local_char(*p))
			return false;
	}
	if (at[1] == '\0' || at[1] == '.' || at[1] == '-')
		return false;
	for (p = at + 1; *p != '\0'; p++) {
		if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && *p != '-' && *p != '.')
			return false;
	}
	return true;
}

/* One line of the file into the table. */
static int
take_line(GHashTable *hashes, struct mt_slice line, struct mt_err *err)
{
	struct mt_slice address;
	g_autofree char *key = NULL;

	if (line.n == 0 || line.p[0] == '#')
		return 0;
	if (!mt_slice_take_until(&line, ':', &address))
		return mt_fail(err, MT_ECONF, "not \"address:hash\"");
	key = mt_slice_dup(address);
	if (!mt_serve_users_valid(key))
		return mt_fail(err, MT_ECONF, "\"%s\" cannot be a user's address", key);
	if (line.n == 0)
		return mt_fail(err, MT_ECONF, "%s has no password hash", key);
	if (!g_hash_table_insert(hashes, g_strdup(key), mt_slice_dup(line)))
		return mt_fail(err, MT_ECONF, "%s is there twice", key);
	return 0;
}

static int
take_text(struct mt_serve_users *u, struct mt_slice text, struct mt_err *err)
{
	g_autoptr(GHashTable) hashes =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	struct mt_slice line;

	if (text.n > 0 && text.p[text.n - 1] != '\n')
		return mt_fail(err, MT_ECONF,
		    "%s: its last line has no end: is it being written?", u->path);
	for (unsigned n = 1; mt_slice_take_line(&text, &line); n++) {
		if (memchr(line.p, '\0', line.n) != NULL)
			return mt_fail(err, MT_ECONF, "%s:%u: holds a NUL", u->path, n);
		if (take_line(hashes, line, err) < 0)
			return mt_fail_in(err, "%s:%u", u->path, n);
	}
	g_hash_table_unref(u->hashes);
	u->hashes = g_steal_pointer(&hashes);
	return 0;
}

/* Read the file; without one, the table is empty. */
static int
load(struct mt_serve_users *u, struct mt_err *err)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_PASSWD_FILE);
	mt_auto_fd int fd = open(u->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 && errno == ENOENT) {
		g_hash_table_remove_all(u->hashes);
		u->seen = (struct stat){ 0 };
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", u->path);
	rc = mt_file_read_fd(fd, &text, err);
	if (rc < 0)
		mt_fail_in(err, "%s", u->path);
	else
		rc = take_text(u, mt_buf_slice(&text), err);
	/* Remembered even when bad, so that one bad file is one complaint. */
	u->seen = st;
	mt_buf_clear_secret(&text);
	return rc;
}

struct mt_serve_users *
mt_serve_users_open_or_new(const char *path, struct mt_err *err)
{
	mt_auto(mt_serve_users) u = g_new0(struct mt_serve_users, 1);

	u->path = g_strdup(path);
	u->hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (load(u, err) < 0)
		return NULL;
	return mt_steal(&u);
}

struct mt_serve_users *
mt_serve_users_open(const char *path, struct mt_err *err)
{
	if (access(path, R_OK) < 0)
		return mt_fail_null(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	return mt_serve_users_open_or_new(path, err);
}

void
mt_serve_users_free(struct mt_serve_users *u)
{
	if (u == NULL)
		return;
	g_hash_table_unref(u->hashes);
	g_free(u->path);
	g_free(u);
}

int
mt_serve_users_refresh(struct mt_serve_users *u, struct mt_err *err)
{
	struct stat st;

	if (stat(u->path, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", u->path);
	if (st.st_ino == u->seen.st_ino && st.st_size == u->seen.st_size &&
	    st.st_mtim.tv_sec == u->seen.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == u->seen.st_mtim.tv_nsec)
		return 0;
	/* Somebody is about to write it. */
	if (st.st_size == 0 && g_hash_table_size(u->hashes) > 0)
		return mt_fail(err, MT_ECONF, "%s: is empty now", u->path);
	return load(u, err);
}

bool
mt_serve_users_has(const struct mt_serve_users *u, const char *address)
{
	return g_hash_table_contains(u->hashes, address);
}

const char *
mt_serve_users_hash(const struct mt_serve_users *u, const char *address)
{
	return g_hash_table_lookup(u->hashes, address);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
mt_serve_users_list(const struct mt_serve_users *u)
{
	size_t n = g_hash_table_size(u->hashes), i = 0;
	const char **list = g_new0(const char *, n + 1);
	GHashTableIter it;
	void *key;

	g_hash_table_iter_init(&it, u->hashes);
	while (g_hash_table_iter_next(&it, &key, NULL))
		list[i++] = key;
	qsort(list, n, sizeof(*list), by_name);
	return list;
}

char *
mt_serve_users_make_hash(struct mt_slice password, struct mt_err *err)
{
	g_autofree char *text = NULL;
	struct crypt_data *data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash;
	char *copy = NULL;

	if (password.n == 0)
		return mt_fail_null(err, MT_EDATA, "the password is empty");
	if (memchr(password.p, '\0', password.n) != NULL)
		return mt_fail_null(err, MT_EDATA, "the password holds a NUL");
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return mt_fail_null(err, MT_ESOFTWARE, "crypt: no yescrypt here: %m");
	data = g_new0(struct crypt_data, 1);
	text = mt_slice_dup(password);
	hash = crypt_r(text, setting, data);
	if (hash == NULL || hash[0] == '*')
		mt_fail(err, MT_EDATA, "crypt: %m");
	else
		copy = g_strdup(hash);
	explicit_bzero(text, password.n);
	explicit_bzero(data, sizeof(*data));
	g_free(data);
	return copy;
}

/* Equal in a time that does not tell where they differ. */
static bool
same(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char diff = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		diff |= (unsigned char)(a[i] ^ b[i]);
	return diff == 0;
}

bool
mt_serve_users_verify(const char *hash, const char *password)
{
	/* A yescrypt setting of the usual cost with a salt that means nothing. */
	static const char nobody[] = "$y$j9T$VVVVVVVVVVVVVVVVVVVVV.$";
	struct crypt_data *data = g_new0(struct crypt_data, 1);
	const char *got = crypt_r(password, hash != NULL ? hash : nobody, data);
	bool right = hash != NULL && got != NULL && got[0] != '*' && same(got, hash);

	explicit_bzero(data, sizeof(*data));
	g_free(data);
	return right;
}

static int
save(struct mt_serve_users *u, struct mt_err *err)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_PASSWD_FILE);
	g_autofree const char **list = mt_serve_users_list(u);
	int rc;

	for (size_t i = 0; list[i] != NULL; i++) {
		if (mt_buf_appendf(&text, "%s:%s\n", list[i],
		    mt_serve_users_hash(u, list[i])) < 0)
			return mt_fail(err, MT_EDATA, "%s: too many users", u->path);
	}
	rc = mt_file_replace(u->path, mt_buf_slice(&text), 0600, err);
	mt_buf_clear_secret(&text);
	return rc;
}

/* hash NULL removes. */
static int
change(struct mt_serve_users *u, const char *address, const char *hash, bool is_new,
    struct mt_err *err)
{
	g_autofree char *lock = g_strconcat(u->path, ".lock", NULL);
	mt_auto_fd int fd = -1;

	if (!mt_serve_users_valid(address))
		return mt_fail(err, MT_EUSAGE, "\"%s\" cannot be a user's address: write "
		    "name@domain in small letters, digits, \".\", \"_\", \"-\"", address);
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", lock);
	if (load(u, err) < 0)
		return -1;
	if (is_new && mt_serve_users_has(u, address))
		return mt_fail(err, MT_EDATA, "%s is there already", address);
	if (!is_new && !mt_serve_users_has(u, address))
		return mt_fail(err, MT_ENOUSER, "%s: no such user", address);
	if (hash != NULL)
		g_hash_table_insert(u->hashes, g_strdup(address), g_strdup(hash));
	else
		g_hash_table_remove(u->hashes, address);
	return save(u, err);
}

int
mt_serve_users_add(struct mt_serve_users *u, const char *address, const char *hash,
    struct mt_err *err)
{
	return change(u, address, hash, true, err);
}

int
mt_serve_users_passwd(struct mt_serve_users *u, const char *address, const char *hash,
    struct mt_err *err)
{
	return change(u, address, hash, false, err);
}

int
mt_serve_users_remove(struct mt_serve_users *u, const char *address, struct mt_err *err)
{
	return change(u, address, NULL, false, err);
}
