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
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
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

/* --- some messages at once --------------------------------------------------------------- */

/* So many, or so many bytes, go before the first is waited for, and are one transaction of the
   state: what a run that is killed leaves to be found again by the next. */
#define UPLOADS_MAX 256
#define UPLOAD_BYTES_MAX MT_MIB(8)

enum upload_state { SENT, AGAIN, THERE, FAILED };

struct upload {
	const struct mt_sync_file *file;
	char *path;
	struct mt_sync_row row;
	char *msgid;		/* of row */
	struct mt_sync_upload m;
	unsigned tag;
	enum upload_state state;
};

struct push {
	struct mt_sync_job *job;
	uint32_t highest;	/* UID that cannot be that of a new message */
	struct upload uploads[UPLOADS_MAX];
	size_t n;		/* that are on their way */
	uint64_t bytes;
};

static void
upload_clear(struct upload *u)
{
	g_free(u->path);
	g_free(u->msgid);
}

static int
open_file(struct upload *u, int64_t *date, struct mt_err *err)
{
	mt_auto_fd int fd = u->path != NULL ?
	    open(u->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return mt_fail(err, u->path == NULL || errno == ENOENT ? MT_ETEMP :
		    mt_err_kind_of_errno(errno), "%s: it cannot be read, or was just renamed",
		    u->path != NULL ? u->path : u->file->name);
	if (!S_ISREG(st.st_mode))
		return mt_fail(err, MT_EDATA, "%s: not a regular file", u->path);
	*date = st.st_mtim.tv_sec;
	return mt_steal_fd(&fd);
}

/* It is on its way: 0, 1 when it alone failed, -1. */
static int
begin_upload(struct mt_sync_job *j, struct upload *u, bool as_utf8, struct mt_err *err)
{
	struct mt_sync_server *server = j->run->server;
	mt_auto_fd int fd = open_file(u, &u->m.date, err);
	int rc;

	if (fd < 0 || measure(fd, u->path, &u->m, err) < 0)
		return 1;
	u->m.is_utf8 = u->m.is_utf8 && as_utf8;
	u->row.size = u->m.size;
	rc = mt_sync_server_append(server, j->box->name, &u->m, &u->tag, err);
	if (rc > 0)
		mt_fail_in(err, "%s", u->path);
	if (rc == 0 && (send_bytes(server, fd, u->path, u->m.size, err) < 0 ||
	    mt_sync_server_append_end(server, &u->m, err) < 0))
		return -1;
	return rc;
}

static int
wait_upload(struct mt_sync_job *j, struct upload *u, struct mt_err *err)
{
	int rc = mt_sync_server_append_wait(j->run->server, u->tag, j->sel.validity, &u->row.uid,
	    err);

	if (rc > 0)
		mt_fail_in(err, "%s", u->path);
	return rc;
}

/* The server has it (0), or has refused it (1). */
static void
end_upload(struct push *p, struct upload *u, int rc, const struct mt_err *why)
{
	if (rc > 0) {
		u->state = u->m.is_utf8 ? AGAIN : FAILED;
		if (u->state == FAILED)
			mt_sync_failed(p->job, MT_SYNC_PUSH, 0, u->row.name, why);
		return;
	}
	u->state = THERE;
	/* Without a UID, or with one that another message has, the next run finds out which it
	   is (sync_join.c). */
	if (u->row.uid > p->highest) {
		p->highest = u->row.uid;
	} else {
		u->row.uid = 0;
		p->job->is_partial = true;
	}
}

/* RFC 9755 knows no form of its own for a header in UTF-8 any more, nor is all that has 8 bits
   UTF-8: what was refused in that form goes as any other. */
static int
again_plain(struct mt_sync_job *j, struct upload *u, struct mt_err *err)
{
	int rc;

	u->m.is_utf8 = false;
	rc = begin_upload(j, u, false, err);
	return rc == 0 ? wait_upload(j, u, err) : rc;
}

/* A row says that both have it. */
static int
put_rows(struct push *p, struct mt_err *err)
{
	struct mt_sync_state *state = p->job->run->state;
	int rc = 0;

	if (mt_sync_state_begin(state, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n && rc == 0; i++) {
		const struct upload *u = &p->uploads[i];

		if (u->state == THERE && u->row.uid != 0)
			rc = mt_sync_state_put(state, p->job->folder.id, &u->row, MT_SYNC_AGREED,
			    err);
	}
	if (rc == 0)
		rc = mt_sync_state_commit(state, err);
	if (rc < 0) {
		mt_sync_state_rollback(state);
		return -1;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct upload *u = &p->uploads[i];

		if (u->state == THERE)
			mt_sync_done(p->job, MT_SYNC_PUSH, (struct mt_sync_event){
			    .uid = u->row.uid, .name = u->row.name, .flags = u->row.flags,
			    .bytes = u->row.size });
	}
	return 0;
}

/* All that are in that state: those that were sent end, and then those that are to be sent
   again, since UIDs grow in the order in which messages come. */
static int
end_all(struct push *p, enum upload_state state, struct mt_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct upload *u = &p->uploads[i];
		struct mt_err why = { 0 };
		int rc;

		if (u->state != state)
			continue;
		rc = (state == AGAIN ? again_plain : wait_upload)(p->job, u, &why);
		if (rc < 0) {
			*err = why;
			return -1;
		}
		end_upload(p, u, rc, &why);
	}
	return 0;
}

/* Wait for those that are on their way. What is there counts also when the session ends. */
static int
settle(struct push *p, struct mt_err *err)
{
	struct mt_err ignored = { 0 };
	int rc = end_all(p, SENT, err);

	if (rc == 0)
		rc = end_all(p, AGAIN, err);
	if (p->n > 0 && put_rows(p, rc < 0 ? &ignored : err) < 0)
		rc = -1;
	for (; p->n > 0; p->n--)
		upload_clear(&p->uploads[p->n - 1]);
	p->bytes = 0;
	return rc;
}

static int
push_one(struct push *p, const struct mt_sync_action *a, struct mt_err *err)
{
	struct mt_sync_job *j = p->job;
	struct upload *u = &p->uploads[p->n];
	struct mt_err why = { 0 };
	uint64_t size;
	int rc;

	*u = (struct upload){ .file = a->file, .path = mt_sync_dir_path(&j->dir, a->file),
		.row = { .name = a->file->name, .flags = a->file->flags },
		.m = { .flags = a->file->flags } };
	if (mt_sync_dir_identify(&j->dir, a->file, &u->msgid, &size, &why) == 0)
		u->row.msgid = u->msgid;
	why = (struct mt_err){ 0 };
	rc = begin_upload(j, u, mt_sync_server_takes_utf8(j->run->server), &why);
	if (rc < 0) {
		struct mt_err ignored = { 0 };

		/* What came before it may be there. */
		*err = why;
		upload_clear(u);
		(void)settle(p, &ignored);
		return -1;
	}
	if (rc > 0)
		end_upload(p, u, rc, &why);
	p->n++;
	p->bytes += u->m.size;
	return p->n < UPLOADS_MAX && p->bytes < UPLOAD_BYTES_MAX ? 0 : settle(p, err);
}

int
mt_sync_push(struct mt_sync_job *j, struct mt_err *err)
{
	struct push p = { .job = j, .highest = mt_sync_highest_uid(j) };

	for (guint i = 0; i < j->plan.actions->len; i++) {
		const struct mt_sync_action *a =
		    &g_array_index(j->plan.actions, struct mt_sync_action, i);

		if (a->what == MT_SYNC_PUSH && push_one(&p, a, err) < 0)
			return -1;
	}
	return settle(&p, err);
}
