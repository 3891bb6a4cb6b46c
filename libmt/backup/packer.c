/* packer.c - puts blobs into packs, and packs into their place in a repository */
#include "backup/packer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

struct mt_backup_packer {
	char *repo;
	int fd;			/* of the pack that is being written, with the two below */
	char *temp;
	struct mt_backup_pack_writer *writer;
	uint64_t written;
};

struct mt_backup_packer *
mt_backup_packer_new(const char *repo)
{
	struct mt_backup_packer *p = g_new0(struct mt_backup_packer, 1);

	p->repo = g_strdup(repo);
	p->fd = -1;
	return p;
}

/* Forget the pack that was begun, and remove it unless it has got its place. */
static void
drop_pack(struct mt_backup_packer *p)
{
	if (p->fd >= 0)
		close(mt_steal_fd(&p->fd));
	if (p->temp != NULL)
		unlink(p->temp);
	g_clear_pointer(&p->temp, g_free);
	mt_backup_pack_writer_free(p->writer);
	p->writer = NULL;
}

void
mt_backup_packer_free(struct mt_backup_packer *p)
{
	if (p == NULL)
		return;
	drop_pack(p);
	g_free(p->repo);
	g_free(p);
}

uint64_t
mt_backup_packer_written(const struct mt_backup_packer *p)
{
	return p->written;
}

static int
begin_pack(struct mt_backup_packer *p, struct mt_err *err)
{
	static unsigned count;
	char name[32];

	if (p->writer != NULL)
		return 0;
	snprintf(name, sizeof(name), "%d-%u", (int)getpid(), count++);
	p->temp = g_build_filename(p->repo, "tmp", name, NULL);
	p->fd = open(p->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (p->fd < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", p->temp);
		g_clear_pointer(&p->temp, g_free);
		return -1;
	}
	p->writer = mt_backup_pack_writer_new(p->fd);
	return 0;
}

int
mt_backup_packer_write(struct mt_backup_packer *p, const void *bytes, size_t n,
    struct mt_err *err)
{
	if (begin_pack(p, err) < 0)
		return -1;
	return mt_backup_pack_write(p->writer, bytes, n, err);
}

int
mt_backup_packer_end_blob(struct mt_backup_packer *p, enum mt_backup_kind kind,
    const struct mt_backup_id *id, struct mt_err *err)
{
	if (begin_pack(p, err) < 0)
		return -1;
	mt_backup_pack_end_blob(p->writer, kind, id);
	if (kind == MT_BACKUP_LIST && mt_backup_pack_end_frame(p->writer, err) < 0)
		return -1;
	return mt_backup_pack_is_full(p->writer) ? mt_backup_packer_finish(p, err) : 0;
}

void
mt_backup_packer_drop_blob(struct mt_backup_packer *p)
{
	if (p->writer != NULL)
		mt_backup_pack_drop_blob(p->writer);
}

int
mt_backup_packer_place(int fd, const char *temp, const char *path, struct mt_err *err)
{
	if (fsync(fd) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: fsync: %m", temp);
		close(fd);
		return -1;
	}
	if (close(fd) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: close: %m", temp);
	if (rename(temp, path) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "rename to %s: %m", path);
	return 0;
}

int
mt_backup_packer_finish(struct mt_backup_packer *p, struct mt_err *err)
{
	g_autofree char *path = NULL;
	struct mt_backup_id id;
	char hex[MT_DIGEST_HEX_SIZE];

	if (p->writer == NULL)
		return 0;
	if (mt_backup_pack_finish(p->writer, &id, err) < 0)
		return -1;
	mt_digest_hex(id.b, hex);
	path = g_build_filename(p->repo, "packs", hex, NULL);
	if (mt_backup_packer_place(mt_steal_fd(&p->fd), p->temp, path, err) < 0)
		return -1;
	p->written += mt_backup_pack_written(p->writer);
	g_clear_pointer(&p->temp, g_free);
	drop_pack(p);
	return 0;
}
