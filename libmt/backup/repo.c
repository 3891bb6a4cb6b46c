/* repo.c - a backup repository: a directory of packs and snapshots */
#include "backup/repo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backup/naming.h"
#include "backup/packer.h"
#include "base/file.h"
#include "base/limits.h"

#define CONFIG_FIRST "mt-backup repository"
/* A blob of this run, whose pack has no name yet. */
#define PACK_PENDING UINT32_MAX

struct mt_backup_repo {
	char *path;
	int lock_fd;
	GPtrArray *snapshots;
	GPtrArray *packs;
	GPtrArray *damage;
	struct mt_err unread;		/* of the first pack that may be sound */
	GHashTable *blobs;		/* struct mt_backup_where, by its id */
	struct mt_backup_pack *open;	/* the pack that was read last */
	uint32_t open_index;
	/* Messages and lists go to packs of their own, so that reading a folder's list
	   does not decompress mail. */
	struct mt_backup_packer *message;
	struct mt_backup_packer *list;
	uint64_t added;			/* by the snapshot file */
	bool is_loaded;
};

/* Whether the directory holds nothing but what an interrupted init leaves. */
static int
check_empty(const char *path, struct mt_err *err)
{
	static const char *const ours[] = { ".", "..", "packs", "snapshots", "tmp" };
	DIR *dir = opendir(path);
	struct dirent *e;
	bool strange = false;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	while ((e = readdir(dir)) != NULL) {
		bool known = g_str_has_prefix(e->d_name, "config.new");

		for (size_t i = 0; i < G_N_ELEMENTS(ours); i++)
			known = known || g_str_equal(e->d_name, ours[i]);
		strange = strange || !known;
	}
	closedir(dir);
	if (strange)
		return mt_fail(err, MT_EDATA,
		    "%s: not empty: a repository needs a directory of its own", path);
	return 0;
}

int
mt_backup_repo_init(const char *path, struct mt_err *err)
{
	static const char *const subs[] = { "packs", "snapshots", "tmp" };
	g_autofree char *config = g_build_filename(path, "config", NULL);
	g_autofree char *text = NULL;

	if (access(config, F_OK) == 0)
		return mt_fail(err, MT_EUSAGE, "%s: is a repository already", path);
	if (mt_file_mkdirs(path, 0700, err) < 0 || check_empty(path, err) < 0)
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *sub = g_build_filename(path, subs[i], NULL);

		if (mt_file_mkdirs(sub, 0700, err) < 0)
			return -1;
	}
	text = g_strdup_printf(CONFIG_FIRST "\nversion 1\nid %08x%08x%08x%08x\n"
	    "cipher none\n", g_random_int(), g_random_int(), g_random_int(),
	    g_random_int());
	/* Last: what has it is a repository. */
	return mt_file_replace(config, mt_slice_str(text), 0600, err);
}

static int
check_config(struct mt_slice text, struct mt_err *err)
{
	bool has_version = false, has_cipher = false;
	struct mt_slice line;

	if (!mt_slice_take_line(&text, &line) ||
	    !mt_slice_eq(line, MT_SLICE(CONFIG_FIRST)))
		return mt_fail(err, MT_EDATA, "not a repository of mt-backup");
	while (mt_slice_take_line(&text, &line)) {
		if (mt_slice_eq(line, MT_SLICE("version 1")))
			has_version = true;
		else if (mt_slice_eq(line, MT_SLICE("cipher none")))
			has_cipher = true;
		else if (!mt_slice_starts(line, MT_SLICE("id ")))
			return mt_fail(err, MT_EDATA,
			    "\"%.*s\": of a later version of mt-backup",
			    MT_SLICE_ARG(line));
	}
	if (!has_version || !has_cipher)
		return mt_fail(err, MT_EDATA, "no \"%s\" line: damaged",
		    has_version ? "cipher" : "version");
	return 0;
}

struct mt_backup_repo *
mt_backup_repo_open(const char *path, struct mt_err *err)
{
	g_autofree char *config = g_build_filename(path, "config", NULL);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_MAX_CONF);
	struct mt_backup_repo *r;

	if (access(config, F_OK) < 0 && errno == ENOENT)
		return mt_fail_null(err, MT_ENOINPUT,
		    "%s: no repository there (mt-backup init makes one)", path);
	if (mt_file_read(config, &text, err) < 0)
		return NULL;
	if (check_config(mt_buf_slice(&text), err) < 0) {
		mt_fail_in(err, "%s", config);
		return NULL;
	}
	r = g_new0(struct mt_backup_repo, 1);
	r->path = g_strdup(path);
	r->lock_fd = -1;
	r->message = mt_backup_packer_new(path);
	r->list = mt_backup_packer_new(path);
	r->snapshots = g_ptr_array_new_with_free_func(g_free);
	r->packs = g_ptr_array_new_with_free_func(g_free);
	r->damage = g_ptr_array_new_with_free_func(g_free);
	r->blobs = g_hash_table_new_full(mt_backup_id_hash, mt_backup_id_equal, NULL, g_free);
	return r;
}

void
mt_backup_repo_free(struct mt_backup_repo *r)
{
	if (r == NULL)
		return;
	mt_backup_packer_free(r->message);
	mt_backup_packer_free(r->list);
	mt_backup_pack_free(r->open);
	g_ptr_array_unref(r->snapshots);
	g_ptr_array_unref(r->packs);
	g_ptr_array_unref(r->damage);
	g_hash_table_unref(r->blobs);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	g_free(r->path);
	g_free(r);
}

static char *
repo_path(const struct mt_backup_repo *r, const char *sub, const char *name)
{
	return g_build_filename(r->path, sub, name, NULL);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a directory of the repository, sorted; hidden ones are not ours. */
static int
read_names(const struct mt_backup_repo *r, const char *sub, GPtrArray *out,
    struct mt_err *err)
{
	g_autofree char *path = repo_path(r, sub, NULL);
	DIR *dir = opendir(path);
	struct dirent *e;
	int saved;

	if (dir == NULL)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.')
			g_ptr_array_add(out, g_strdup(e->d_name));
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	if (saved != 0)
		return mt_fail(err, MT_EIO, "%s: %m", path);
	g_ptr_array_sort(out, compare_names);
	return 0;
}

static int
sweep(struct mt_backup_repo *r, struct mt_err *err)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (read_names(r, "tmp", names, err) < 0)
		return -1;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
		    repo_path(r, "tmp", g_ptr_array_index(names, i));

		if (unlink(path) < 0 && errno != ENOENT)
			return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	}
	return 0;
}

int
mt_backup_repo_lock(struct mt_backup_repo *r, struct mt_err *err)
{
	g_autofree char *path = repo_path(r, "lock", NULL);

	r->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->lock_fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	if (flock(r->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return sweep(r, err);
	if (errno == EWOULDBLOCK)
		return mt_fail(err, MT_ETEMP,
		    "%s: another mt-backup is writing to it; try again later", r->path);
	return mt_fail(err, mt_err_kind_of_errno(errno), "%s: lock: %m", path);
}

int
mt_backup_repo_fail_in_pack(const struct mt_backup_repo *r, const char *name,
    struct mt_err *err)
{
	g_autofree char *path = repo_path(r, "packs", name);

	if (err == NULL || err->kind == MT_EDATA)
		return mt_fail_in(err, "pack %s", name);
	return mt_fail_in(err, "%s", path);
}

struct mt_backup_pack *
mt_backup_repo_open_pack(struct mt_backup_repo *r, const char *name, struct mt_err *err)
{
	g_autofree char *path = repo_path(r, "packs", name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct mt_backup_pack *pack;

	if (fd < 0)
		return mt_fail_null(err, MT_EIO, "%s: %m", path);
	pack = mt_backup_pack_open(fd, err);
	if (pack == NULL)
		mt_backup_repo_fail_in_pack(r, name, err);
	return pack;
}

/* A sound place for a blob is never given up for another. */
static void
add_where(struct mt_backup_repo *r, struct mt_backup_where where)
{
	const struct mt_backup_where *old = g_hash_table_lookup(r->blobs, &where.id);
	struct mt_backup_where *copy;

	if (old != NULL && (!old->suspect || where.suspect))
		return;
	copy = g_memdup2(&where, sizeof(where));
	g_hash_table_replace(r->blobs, &copy->id, copy);
}

static void
load_pack(struct mt_backup_repo *r, uint32_t index)
{
	const char *name = g_ptr_array_index(r->packs, index);
	struct mt_err err = { 0 };
	mt_auto(mt_backup_pack) pack = mt_backup_repo_open_pack(r, name, &err);
	bool suspect;

	if (pack == NULL) {
		g_ptr_array_add(r->damage, g_strdup(err.msg));
		if (err.kind != MT_EDATA && r->unread.kind == MT_ENONE)
			r->unread = err;
		return;
	}
	suspect = mt_backup_pack_is_suspect(pack);
	if (suspect)
		g_ptr_array_add(r->damage,
		    g_strdup_printf("pack %s: the table's checksum is wrong", name));
	for (size_t i = 0; i < mt_backup_pack_count(pack); i++) {
		const struct mt_backup_blob *b = mt_backup_pack_blob(pack, i);

		add_where(r, (struct mt_backup_where){ b->id, index, suspect, b->offset,
		    b->size });
	}
}

int
mt_backup_repo_load(struct mt_backup_repo *r, struct mt_err *err)
{
	g_assert(!r->is_loaded);
	/* Snapshots first: whatever one of these refers to is in packs/ by now, even while
	   another process writes. */
	if (read_names(r, "snapshots", r->snapshots, err) < 0 ||
	    read_names(r, "packs", r->packs, err) < 0)
		return -1;
	g_ptr_array_sort(r->snapshots, mt_backup_naming_compare);
	for (guint i = 0; i < r->packs->len; i++)
		load_pack(r, i);
	r->is_loaded = true;
	return 0;
}

const GPtrArray *
mt_backup_repo_damage(const struct mt_backup_repo *r)
{
	return r->damage;
}

const struct mt_err *
mt_backup_repo_unread(const struct mt_backup_repo *r)
{
	return r->unread.kind == MT_ENONE ? NULL : &r->unread;
}

const GPtrArray *
mt_backup_repo_snapshots(const struct mt_backup_repo *r)
{
	return r->snapshots;
}

const GPtrArray *
mt_backup_repo_packs(const struct mt_backup_repo *r)
{
	return r->packs;
}

uint64_t
mt_backup_repo_added(const struct mt_backup_repo *r)
{
	return r->added + mt_backup_packer_written(r->message) +
	    mt_backup_packer_written(r->list);
}

int
mt_backup_repo_check_pack(struct mt_backup_repo *r, const char *name, struct mt_err *err)
{
	g_autofree char *path = repo_path(r, "packs", name);
	mt_auto(mt_digest) digest = mt_digest_new();
	mt_auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t sum[MT_DIGEST_SIZE];
	char chunk[65536], hex[MT_DIGEST_HEX_SIZE];
	ssize_t n;

	if (fd < 0)
		return mt_fail(err, MT_EIO, "%s: %m", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		mt_digest_add(digest, chunk, (size_t)n);
	if (n < 0)
		return mt_fail(err, MT_EIO, "%s: read: %m", path);
	mt_digest_end(digest, sum);
	mt_digest_hex(sum, hex);
	if (!g_str_equal(hex, name))
		return mt_fail(err, MT_EDATA, "pack %s: the file's SHA-256 is wrong", name);
	return 0;
}

const struct mt_backup_where *
mt_backup_repo_find(const struct mt_backup_repo *r, const struct mt_backup_id *id)
{
	const struct mt_backup_where *w = g_hash_table_lookup(r->blobs, id);

	return w == NULL || w->pack == PACK_PENDING ? NULL : w;
}

int
mt_backup_repo_read(struct mt_backup_repo *r, const struct mt_backup_where *w,
    uint64_t at, struct mt_slice *bytes, struct mt_err *err)
{
	const char *name = g_ptr_array_index(r->packs, w->pack);

	if (r->open == NULL || r->open_index != w->pack) {
		mt_backup_pack_free(r->open);
		r->open = mt_backup_repo_open_pack(r, name, err);
		if (r->open == NULL)
			return -1;
		r->open_index = w->pack;
	}
	/* Offsets of a suspect table may be anything; the sum then is in no frame. */
	if (mt_backup_pack_read(r->open, w->offset + at, bytes, err) < 0)
		return mt_backup_repo_fail_in_pack(r, name, err);
	*bytes = mt_slice_first(*bytes, w->size - at);
	return 0;
}

int
mt_backup_repo_read_blob(struct mt_backup_repo *r, const struct mt_backup_id *id,
    struct mt_buf *out, struct mt_err *err)
{
	const struct mt_backup_where *w = mt_backup_repo_find(r, id);
	size_t start = out->n;
	struct mt_backup_id got;

	if (w == NULL) {
		char hex[MT_DIGEST_HEX_SIZE];

		mt_digest_hex(id->b, hex);
		if (r->unread.kind != MT_ENONE)
			return mt_fail(err, r->unread.kind, "%s", r->unread.msg);
		return mt_fail(err, MT_EDATA, "blob %s: in no pack", hex);
	}
	for (uint64_t at = 0; at < w->size;) {
		struct mt_slice bytes;

		if (mt_backup_repo_read(r, w, at, &bytes, err) < 0)
			return -1;
		if (mt_buf_append_slice(out, bytes) < 0)
			return mt_fail(err, MT_EDATA, "blob longer than %zu bytes",
			    out->max);
		at += bytes.n;
	}
	mt_digest_sha256(out->p + start, out->n - start, got.b);
	if (!mt_backup_id_same(&got, id))
		return mt_fail(err, MT_EDATA, "pack %s: raw byte %llu: wrong SHA-256",
		    (char *)g_ptr_array_index(r->packs, w->pack),
		    (unsigned long long)w->offset);
	return 0;
}

int
mt_backup_repo_read_folder(struct mt_backup_repo *r, const struct mt_backup_folder *f,
    GPtrArray *out, struct mt_err *err)
{
	mt_auto_value(mt_buf) blob = MT_BUF_INIT(MT_BACKUP_MAX_LIST);
	int rc = 0;

	for (guint i = 0; i < f->lists->len; i++) {
		const struct mt_backup_id *id =
		    &g_array_index(f->lists, struct mt_backup_id, i);

		mt_buf_reset(&blob);
		if (mt_backup_repo_read_blob(r, id, &blob, rc == 0 ? err : NULL) < 0 ||
		    mt_backup_list_parse(mt_buf_slice(&blob), out, rc == 0 ? err : NULL) < 0)
			rc = -1;
	}
	return rc;
}

bool
mt_backup_repo_has(const struct mt_backup_repo *r, const struct mt_backup_id *id)
{
	const struct mt_backup_where *w = g_hash_table_lookup(r->blobs, id);

	return w != NULL && !w->suspect;
}

int
mt_backup_repo_put(struct mt_backup_repo *r, enum mt_backup_kind kind,
    struct mt_slice bytes, struct mt_backup_id *id, struct mt_err *err)
{
	struct mt_backup_packer *p = kind == MT_BACKUP_LIST ? r->list : r->message;

	g_assert(r->is_loaded && r->lock_fd >= 0);
	mt_digest_sha256(bytes.p, bytes.n, id->b);
	if (mt_backup_repo_has(r, id))
		return 0;
	if (mt_backup_packer_write(p, bytes.p, bytes.n, err) < 0 ||
	    mt_backup_packer_end_blob(p, kind, id, err) < 0)
		return -1;
	add_where(r, (struct mt_backup_where){ *id, PACK_PENDING, false, 0, bytes.n });
	return 0;
}

int
mt_backup_repo_put_piece(struct mt_backup_repo *r, const void *p, size_t n,
    struct mt_err *err)
{
	g_assert(r->is_loaded && r->lock_fd >= 0);
	return mt_backup_packer_write(r->message, p, n, err);
}

int
mt_backup_repo_put_end(struct mt_backup_repo *r, const struct mt_backup_id *id,
    uint64_t size, struct mt_err *err)
{
	if (mt_backup_packer_end_blob(r->message, MT_BACKUP_MESSAGE, id, err) < 0)
		return -1;
	add_where(r, (struct mt_backup_where){ *id, PACK_PENDING, false, 0, size });
	return 0;
}

void
mt_backup_repo_put_drop(struct mt_backup_repo *r)
{
	mt_backup_packer_drop_blob(r->message);
}

static int
write_snapshot(struct mt_backup_repo *r, struct mt_backup_snapshot *s, const char *temp,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_BACKUP_MAX_SNAPSHOT);
	g_autofree char *path = NULL;
	mt_auto_fd int fd = -1;

	if (mt_backup_snapshot_write(s, &text, err) < 0)
		return -1;
	g_free(s->name);
	s->name = mt_backup_naming_new(r->snapshots, s->time, mt_buf_slice(&text));
	path = repo_path(r, "snapshots", s->name);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", temp);
	if (mt_file_write_all(fd, text.p, text.n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: write: %m", temp);
	r->added += text.n;
	return mt_backup_packer_place(mt_steal_fd(&fd), temp, path, err);
}

int
mt_backup_repo_commit(struct mt_backup_repo *r, struct mt_backup_snapshot *s,
    struct mt_err *err)
{
	g_autofree char *packs = repo_path(r, "packs", NULL);
	g_autofree char *snapshots = repo_path(r, "snapshots", NULL);
	g_autofree char *temp = repo_path(r, "tmp", "snapshot");

	g_assert(r->is_loaded && r->lock_fd >= 0);
	if (mt_backup_packer_finish(r->message, err) < 0 ||
	    mt_backup_packer_finish(r->list, err) < 0 || mt_file_sync_dir(packs, err) < 0)
		return -1;
	if (write_snapshot(r, s, temp, err) < 0) {
		unlink(temp);
		return -1;
	}
	return mt_file_sync_dir(snapshots, err);
}

struct mt_backup_snapshot *
mt_backup_repo_snapshot(struct mt_backup_repo *r, const char *name, struct mt_err *err)
{
	g_autofree char *path = repo_path(r, "snapshots", name);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_BACKUP_MAX_SNAPSHOT);
	struct mt_backup_snapshot *s;

	if (mt_file_read(path, &text, err) < 0)
		return NULL;
	s = mt_backup_snapshot_parse(mt_buf_slice(&text), err);
	if (s == NULL) {
		mt_fail_in(err, "snapshot %s", name);
		return NULL;
	}
	s->name = g_strdup(name);
	return s;
}

const char *
mt_backup_repo_resolve(struct mt_backup_repo *r, const char *word, struct mt_err *err)
{
	if (r->snapshots->len == 0)
		return mt_fail_null(err, MT_ENOINPUT, "%s: no snapshot yet", r->path);
	return mt_backup_naming_find(r->snapshots, word, err);
}
