/* ingest.c - read one message file into a repository */
#include "backup/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.h"

/* Up to this size a message is read into memory, so that one that the repository has is
   not compressed again; above, it is read twice. */
#define WHOLE_MAX MT_MIB(4)
#define CHUNK MT_KIB(64)

struct mt_backup_ingest {
	struct mt_backup_repo *repo;
	struct mt_buf buf;
};

struct mt_backup_ingest *
mt_backup_ingest_new(struct mt_backup_repo *r)
{
	struct mt_backup_ingest *in = g_new0(struct mt_backup_ingest, 1);

	in->repo = r;
	mt_buf_init(&in->buf, WHOLE_MAX + CHUNK);
	return in;
}

void
mt_backup_ingest_free(struct mt_backup_ingest *in)
{
	if (in == NULL)
		return;
	mt_buf_clear(&in->buf);
	g_free(in);
}

static enum mt_backup_ingest_result
unreadable(struct mt_err *err)
{
	mt_fail(err, MT_ENOINPUT, "%m");
	return MT_BACKUP_INGEST_UNREADABLE;
}

/* Hash a large message. */
static enum mt_backup_ingest_result
hash_large(struct mt_backup_ingest *in, int fd, struct mt_backup_entry *e,
    struct mt_err *err)
{
	mt_auto(mt_digest) digest = mt_digest_new();
	char *chunk = mt_buf_room(&in->buf, CHUNK);
	ssize_t n;

	for (e->size = 0;
	    (n = pread(fd, chunk, CHUNK, (off_t)e->size)) > 0; e->size += (size_t)n)
		mt_digest_add(digest, chunk, (size_t)n);
	if (n < 0)
		return unreadable(err);
	mt_digest_end(digest, e->id.b);
	return mt_backup_repo_has(in->repo, &e->id) ? MT_BACKUP_INGEST_KNOWN :
	    MT_BACKUP_INGEST_NEW;
}

/* Store a large message that is new. What counts is what this pass reads, should the
   file have grown. */
static enum mt_backup_ingest_result
store_large(struct mt_backup_ingest *in, int fd, struct mt_backup_entry *e,
    struct mt_err *err)
{
	mt_auto(mt_digest) digest = mt_digest_new();
	char *chunk = mt_buf_room(&in->buf, CHUNK);
	ssize_t n;

	for (e->size = 0;
	    (n = pread(fd, chunk, CHUNK, (off_t)e->size)) > 0; e->size += (size_t)n) {
		mt_digest_add(digest, chunk, (size_t)n);
		if (mt_backup_repo_put_piece(in->repo, chunk, (size_t)n, err) < 0)
			return MT_BACKUP_INGEST_BROKEN;
	}
	if (n < 0) {
		mt_backup_repo_put_drop(in->repo);
		return unreadable(err);
	}
	mt_digest_end(digest, e->id.b);
	if (mt_backup_repo_put_end(in->repo, &e->id, e->size, err) < 0)
		return MT_BACKUP_INGEST_BROKEN;
	return MT_BACKUP_INGEST_NEW;
}

static enum mt_backup_ingest_result
ingest_large(struct mt_backup_ingest *in, int fd, struct mt_backup_entry *e,
    struct mt_err *err)
{
	enum mt_backup_ingest_result rc;

	mt_buf_reset(&in->buf);
	rc = hash_large(in, fd, e, err);
	return rc == MT_BACKUP_INGEST_NEW ? store_large(in, fd, e, err) : rc;
}

static enum mt_backup_ingest_result
ingest_small(struct mt_backup_ingest *in, int fd, struct mt_backup_entry *e,
    struct mt_err *err)
{
	ssize_t n;

	mt_buf_reset(&in->buf);
	do {
		char *room = mt_buf_room(&in->buf, CHUNK);

		if (room == NULL)	/* it has grown since we looked */
			return ingest_large(in, fd, e, err);
		n = pread(fd, room, CHUNK, (off_t)in->buf.n);
		if (n < 0)
			return unreadable(err);
		mt_buf_wrote(&in->buf, (size_t)n);
	} while (n > 0);
	e->size = in->buf.n;
	mt_digest_sha256(in->buf.p, in->buf.n, e->id.b);
	if (mt_backup_repo_has(in->repo, &e->id))
		return MT_BACKUP_INGEST_KNOWN;
	if (mt_backup_repo_put(in->repo, MT_BACKUP_MESSAGE, mt_buf_slice(&in->buf), &e->id,
	    err) < 0)
		return MT_BACKUP_INGEST_BROKEN;
	return MT_BACKUP_INGEST_NEW;
}

enum mt_backup_ingest_result
mt_backup_ingest(struct mt_backup_ingest *in, const char *path,
    struct mt_backup_entry *e, struct mt_err *err)
{
	/* A FIFO under a message's name must not stop us. */
	mt_auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return MT_BACKUP_INGEST_GONE;
	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(err);
	if (!S_ISREG(st.st_mode)) {
		mt_fail(err, MT_ENOINPUT, "not a regular file");
		return MT_BACKUP_INGEST_UNREADABLE;
	}
	e->inode = (uint64_t)st.st_ino;
	e->mtime = st.st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	if ((uint64_t)st.st_size > WHOLE_MAX)
		return ingest_large(in, fd, e, err);
	return ingest_small(in, fd, e, err);
}
