/* sync_dir.c - the Maildir's side of a synchronisation: what it has, and changes to it */
#include "fetch/sync_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "fetch/sync_flags.h"
#include "maildir/folder.h"
#include "message/header.h"
#include "message/msgid.h"

#define IDENTIFY_CHUNK MT_KIB(64)
#define SECOND_NS INT64_C(1000000000)
/* The clock of a filesystem stands still for up to 10 ms. */
#define TICK_NS (SECOND_NS / 50)

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* -1: it is not there. */
static int64_t
mtime_of(const char *path, const char *sub)
{
	g_autofree char *dir = g_build_filename(path, sub, NULL);
	struct stat st;

	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return -1;
	return (int64_t)st.st_mtim.tv_sec * SECOND_NS + st.st_mtim.tv_nsec;
}

bool
mt_sync_dir_times(const char *path, int64_t *cur_ns, int64_t *new_ns)
{
	int64_t young = now_ns() - 2 * SECOND_NS;

	*cur_ns = mtime_of(path, "cur");
	*new_ns = mtime_of(path, "new");
	if (*cur_ns < 0 || *new_ns < 0)
		return false;
	if (*cur_ns > young)
		*cur_ns = 0;
	if (*new_ns > young)
		*new_ns = 0;
	return true;
}

struct mt_sync_stamp
mt_sync_dir_stamp(const char *path)
{
	struct mt_sync_stamp s = { mtime_of(path, "cur"), mtime_of(path, "new") };
	int64_t age = now_ns() - MAX(s.cur_ns, s.new_ns);

	if (age >= 0 && age < TICK_NS) {
		g_usleep(TICK_NS / 1000);
		s = (struct mt_sync_stamp){ mtime_of(path, "cur"), mtime_of(path, "new") };
	}
	return s;
}

int
mt_sync_dir_scan(struct mt_sync_dir *d, const char *path, struct mt_err *err)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	mt_auto(mt_folder_scan) scan = NULL;
	struct mt_folder_entry e;
	int rc;

	*d = (struct mt_sync_dir){ .files = g_array_new(FALSE, FALSE,
	    sizeof(struct mt_sync_file)), .strings = g_string_chunk_new(4096) };
	if (!mt_sync_dir_times(path, &d->cur_ns, &d->new_ns))
		return 0;
	d->maildir = mt_maildir_open(path, err);
	scan = d->maildir != NULL ? mt_folder_scan_new(path, err) : NULL;
	if (scan == NULL)
		return -1;
	while ((rc = mt_folder_scan_next(scan, &e, err)) > 0) {
		struct mt_sync_file f = {
			.name = g_string_chunk_insert_len(d->strings, e.name.unique.p,
			    (gssize)e.name.unique.n),
			.flags = mt_sync_flags_of_maildir(e.name.flags),
			.letters = g_string_chunk_insert_len(d->strings, e.name.flags.p,
			    (gssize)e.name.flags.n),
			.is_new = e.is_new,
		};

		/* A program that renames while we list may show one file twice. */
		if (g_hash_table_add(seen, (void *)(uintptr_t)f.name))
			g_array_append_val(d->files, f);
	}
	return rc < 0 ? -1 : 1;
}

int
mt_sync_dir_open(struct mt_sync_dir *d, const char *path, struct mt_err *err)
{
	if (d->maildir == NULL)
		d->maildir = mt_maildir_open(path, err);
	return d->maildir != NULL ? 0 : -1;
}

void
mt_sync_dir_close(struct mt_sync_dir *d)
{
	mt_maildir_free(d->maildir);
	d->maildir = NULL;
}

bool
mt_sync_dir_has(const struct mt_sync_dir *d, const char *name)
{
	for (guint i = 0; i < d->files->len; i++) {
		if (g_str_equal(g_array_index(d->files, struct mt_sync_file, i).name, name))
			return true;
	}
	return false;
}

void
mt_sync_dir_clear(struct mt_sync_dir *d)
{
	mt_maildir_free(d->maildir);
	if (d->files != NULL)
		g_array_free(d->files, TRUE);
	if (d->strings != NULL)
		g_string_chunk_free(d->strings);
	*d = (struct mt_sync_dir){ 0 };
}

/* The name in its directory; a file in new/ may have no ":2,". */
static bool
file_name(const struct mt_sync_file *f, bool bare, char out[MT_MAILDIR_NAME_SIZE])
{
	int n = snprintf(out, MT_MAILDIR_NAME_SIZE, bare ? "%s" : "%s:2,%s", f->name, f->letters);

	return n > 0 && n < MT_MAILDIR_NAME_SIZE;
}

/* Under which of its two possible names a file without flags is there. */
static bool
find_file(const struct mt_sync_dir *d, const struct mt_sync_file *f,
    char out[MT_MAILDIR_NAME_SIZE])
{
	int dir = mt_maildir_fd(d->maildir, f->is_new ? "new" : "cur");
	struct stat st;

	if (file_name(f, false, out) && fstatat(dir, out, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	return f->letters[0] == '\0' && file_name(f, true, out) &&
	    fstatat(dir, out, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

char *
mt_sync_dir_path(const struct mt_sync_dir *d, const struct mt_sync_file *f)
{
	char name[MT_MAILDIR_NAME_SIZE];

	if (!find_file(d, f, name))
		return NULL;
	return g_build_filename(mt_maildir_path(d->maildir), f->is_new ? "new" : "cur", name, NULL);
}

/* Rename it to that name, with those flags, in a Maildir that may be another one. */
static int
place(struct mt_sync_dir *d, const struct mt_sync_file *f, struct mt_sync_dir *to,
    const char *unique, unsigned flags, struct mt_err *err)
{
	char old[MT_MAILDIR_NAME_SIZE], name[MT_MAILDIR_NAME_SIZE];
	char letters[MT_MAILDIR_FLAGS_SIZE];
	const char *sub = f->is_new && flags == 0 ? "new" : "cur";

	mt_sync_flags_to_maildir(flags, mt_slice_str(f->letters), letters);
	if (!find_file(d, f, old))
		return 0;
	if (!mt_maildir_name_with_flags(mt_slice_str(unique), mt_slice_str(letters), name))
		return mt_fail(err, MT_EDATA, "%s/%s: no room for flags in the name",
		    mt_maildir_path(d->maildir), old);
	if (renameat2(mt_maildir_fd(d->maildir, f->is_new ? "new" : "cur"), old,
	    mt_maildir_fd(to->maildir, sub), name, RENAME_NOREPLACE) == 0) {
		d->is_changed = to->is_changed = true;
		return 1;
	}
	if (errno == ENOENT)
		return 0;
	return mt_fail(err, mt_err_kind_of_errno(errno), "%s/%s: rename to %s: %m",
	    mt_maildir_path(d->maildir), old, name);
}

int
mt_sync_dir_set_flags(struct mt_sync_dir *d, const struct mt_sync_file *f, unsigned flags,
    struct mt_err *err)
{
	return place(d, f, d, f->name, flags, err);
}

int
mt_sync_dir_move(struct mt_sync_dir *d, const struct mt_sync_file *f, struct mt_sync_dir *to,
    const char *name, unsigned flags, struct mt_err *err)
{
	return place(d, f, to, name, flags, err);
}

int
mt_sync_dir_remove(struct mt_sync_dir *d, const struct mt_sync_file *f, struct mt_err *err)
{
	char name[MT_MAILDIR_NAME_SIZE];

	if (!find_file(d, f, name))
		return 0;
	if (unlinkat(mt_maildir_fd(d->maildir, f->is_new ? "new" : "cur"), name, 0) == 0) {
		d->is_changed = true;
		return 1;
	}
	if (errno == ENOENT)
		return 0;
	return mt_fail(err, mt_err_kind_of_errno(errno), "%s/%s: remove: %m",
	    mt_maildir_path(d->maildir), name);
}

int
mt_sync_dir_flush(struct mt_sync_dir *d, struct mt_err *err)
{
	if (d->is_changed && (fsync(mt_maildir_fd(d->maildir, "cur")) < 0 ||
	    fsync(mt_maildir_fd(d->maildir, "new")) < 0))
		return mt_fail(err, MT_EIO, "%s: fsync: %m", mt_maildir_path(d->maildir));
	d->is_changed = false;
	return 0;
}

int
mt_sync_dir_identify(const struct mt_sync_dir *d, const struct mt_sync_file *f,
    char **msgid, uint64_t *size, struct mt_err *err)
{
	g_autofree char *path = mt_sync_dir_path(d, f);
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct mt_header_field field;
	g_autofree char *buf = g_malloc(IDENTIFY_CHUNK);
	char last = '\0';
	ssize_t n;

	*msgid = NULL;
	*size = 0;
	if (fd < 0)
		return mt_fail(err, MT_ENOINPUT, "%s/%s: it has just been renamed or removed",
		    mt_maildir_path(d->maildir), f->name);
	while ((n = read(fd, buf, IDENTIFY_CHUNK)) > 0) {
		if (head.n < MT_KIB(256))
			(void)mt_buf_append(&head, buf, (size_t)n);
		for (ssize_t i = 0; i < n; i++) {
			*size += buf[i] == '\n' && last != '\r' ? 2 : 1;
			last = buf[i];
		}
	}
	if (n < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: read: %m", path);
	if (mt_header_find(mt_buf_slice(&head), "Message-ID", &field))
		*msgid = mt_msgid_parse_one(field.raw);
	return 0;
}
