/* sync_push.c - messages of the Maildir to the server */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "fetch/sync_flags.h"
#include "fetch/sync_job.h"

/* LF becomes CRLF; a CRLF that is there stays one. */
struct crlf {
	char in[32768];
	char out[65536];
	char last;
};

/* The next piece of the file: its size in out, 0 at the end, -1. */
static ssize_t
next_piece(int fd, struct crlf *c)
{
	ssize_t n = read(fd, c->in, sizeof(c->in));
	size_t at = 0;

	for (ssize_t i = 0; i < n; i++) {
		if (c->in[i] == '\n' && c->last != '\r')
			c->out[at++] = '\r';
		c->out[at++] = c->last = c->in[i];
	}
	return n < 0 ? -1 : (ssize_t)at;
}

/* Whether a header has bytes of 8 bits, over pieces of a message. */
struct scan {
	bool is_over, is_within_line, has_8bit;
};

static void
scan_header(struct scan *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !s->is_over; i++) {
		if (p[i] == '\n') {
			s->is_over = !s->is_within_line;
			s->is_within_line = false;
		} else if (p[i] != '\r') {
			s->is_within_line = true;
			s->has_8bit = s->has_8bit || (p[i] & 0x80) != 0;
		}
	}
}

/* How many bytes the server gets; IMAP cannot carry a NUL in a literal (RFC 9051 9). */
static int
measure(int fd, const char *path, struct mt_sync_upload *m, struct mt_err *err)
{
	struct scan scan = { false, false, false };
	struct crlf c;
	ssize_t n;

	m->size = 0;
	c.last = '\0';
	while ((n = next_piece(fd, &c)) > 0) {
		m->size += (uint64_t)n;
		scan_header(&scan, c.out, (size_t)n);
		if (memchr(c.out, '\0', (size_t)n) != NULL)
			return mt_fail(err, MT_EDATA, "%s: there is a NUL in it, which IMAP cannot "
			    "carry", path);
	}
	if (n < 0)
		return mt_fail(err, MT_EIO, "%s: read: %m", path);
	if (m->size == 0)
		return mt_fail(err, MT_EDATA, "%s: it is empty", path);
	m->is_utf8 = scan.has_8bit;
	return 0;
}

/* Exactly size bytes go: a file that changes while it is read ends the session, since the
   server waits for what was announced. */
static int
send_bytes(struct mt_sync_server *server, int fd, const char *path, uint64_t size,
    struct mt_err *err)
{
	struct crlf c;
	ssize_t n;

	c.last = '\0';
	while ((n = next_piece(fd, &c)) > 0 && (uint64_t)n <= size) {
		if (mt_sync_server_piece(server, c.out, (size_t)n, err) < 0)
			return -1;
		size -= (uint64_t)n;
	}
	if (n != 0 || size != 0)
		return mt_fail(err, MT_ETEMP, "%s: it changed while it was sent", path);
	return 0;
}

static int
send_file(struct mt_sync_job *j, int fd, const char *path, const struct mt_sync_upload *m,
    uint32_t *uid, struct mt_err *err)
{
	struct mt_sync_server *server = j->run->server;
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return mt_fail(err, MT_EIO, "%s: read: %m", path);
	rc = mt_sync_server_append(server, j->box->name, m, err);
	if (rc == 0 && send_bytes(server, fd, path, m->size, err) < 0)
		return -1;
	return rc != 0 ? rc : mt_sync_server_append_end(server, j->sel.validity, uid, err);
}

/* One message: 0, 1 when it alone failed, -1. */
static int
push_file(struct mt_sync_job *j, const struct mt_sync_file *f, struct mt_sync_row *row,
    struct mt_err *err)
{
	g_autofree char *path = mt_sync_dir_path(&j->dir, f);
	mt_auto_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct mt_sync_upload m = { .flags = f->flags };
	struct mt_err why = { 0 };
	struct stat st;
	int rc = 1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		mt_fail(err, path == NULL || errno == ENOENT ? MT_ETEMP :
		    mt_err_kind_of_errno(errno), "%s: it cannot be read, or was just renamed",
		    path != NULL ? path : f->name);
		return 1;
	}
	if (!S_ISREG(st.st_mode)) {
		mt_fail(err, MT_EDATA, "%s: not a regular file", path);
		return 1;
	}
	if (measure(fd, path, &m, err) < 0)
		return 1;
	row->size = m.size;
	m.date = st.st_mtim.tv_sec;
	if (m.is_utf8 && mt_sync_server_takes_utf8(j->run->server))
		rc = send_file(j, fd, path, &m, &row->uid, &why);
	/* RFC 9755 knows no form of its own for it any more, nor is all that has 8 bits UTF-8. */
	if (rc > 0) {
		m.is_utf8 = false;
		why = (struct mt_err){ 0 };
		rc = send_file(j, fd, path, &m, &row->uid, &why);
	}
	if (rc != 0)
		*err = why;
	if (rc > 0)
		mt_fail_in(err, "%s", path);
	return rc;
}

/* A row says that both have it. Without a UID, or with one that another message has, the next
   run finds that out (sync_join.c). */
static int
push_one(struct mt_sync_job *j, const struct mt_sync_action *a, uint32_t *highest,
    struct mt_err *err)
{
	struct mt_sync_row row = { .name = a->file->name, .flags = a->file->flags };
	struct mt_err why = { 0 };
	g_autofree char *msgid = NULL;
	uint64_t size;
	int rc;

	if (mt_sync_dir_identify(&j->dir, a->file, &msgid, &size, &why) == 0)
		row.msgid = msgid;
	why = (struct mt_err){ 0 };
	rc = push_file(j, a->file, &row, &why);
	if (rc < 0) {
		*err = why;
		return -1;
	}
	if (rc > 0) {
		mt_sync_failed(j, MT_SYNC_PUSH, 0, a->file->name, &why);
		return 0;
	}
	if (row.uid <= *highest)
		row.uid = 0;
	else
		*highest = row.uid;
	if (row.uid == 0)
		j->is_partial = true;
	else if (mt_sync_state_put(j->run->state, j->folder.id, &row, MT_SYNC_AGREED, err) < 0)
		return -1;
	mt_sync_done(j, MT_SYNC_PUSH, (struct mt_sync_event){ .uid = row.uid, .name = row.name,
	    .flags = row.flags, .bytes = row.size });
	return 0;
}

int
mt_sync_push(struct mt_sync_job *j, struct mt_err *err)
{
	uint32_t highest = mt_sync_highest_uid(j);

	for (guint i = 0; i < j->plan.actions->len; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);

		if (a->what == MT_SYNC_PUSH && push_one(j, a, &highest, err) < 0)
			return -1;
	}
	return 0;
}
