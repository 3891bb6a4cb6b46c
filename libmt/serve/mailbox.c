/* mailbox.c - the process that has one user's Maildir, for one reading session */
#include "serve/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/sandbox.h"
#include "maildir/folder.h"
#include "serve/ipc.h"

/* A session that says nothing for so long is dead, whatever its own limits are. */
#define IDLE_MS (24 * 3600 * 1000)
#define LOOK_AGAIN_MS 3000

struct message {
	char *path;
	char *unique;
	uint64_t inode;		/* tells doubles apart, whatever they are named */
	int64_t time;
	uint64_t size;		/* octets on the wire */
	char uidl[MT_MAX_UIDL + 2];
	bool is_deleted;
};

struct mailbox {
	const char *path;
	int session_fd;
	GArray *messages;
	uint64_t looked_ms;	/* when find_again() looked; 0: never */
	struct mt_serve_packet packet;
};

static void
log_error(const struct mailbox *m, const char *event, const struct mt_err *err)
{
	struct mt_log l = mt_log_begin(event);

	mt_log_str(&l, "maildir", m->path);
	mt_log_str(&l, "error", err->msg);
	mt_log_end(&l);
}

static void
clear_message(void *p)
{
	struct message *msg = p;

	g_free(msg->path);
	g_free(msg->unique);
}

/*
 * Octets that RETR will send (RFC 1939 11): each line ends in CRLF, whatever the file
 * has, and so does a last line without an end.
 */
static int
wire_size(const char *path, uint64_t *size)
{
	mt_auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	static char chunk[256 * 1024];
	char last = '\n';
	ssize_t n;

	*size = 0;
	if (fd < 0)
		return -1;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		*size += (uint64_t)n;
		for (const char *p = chunk, *end = chunk + n;
		    (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
			*size += (p > chunk ? p[-1] : last) != '\r';
		last = chunk[n - 1];
	}
	*size += last == '\n' ? 0 : 2;
	return n < 0 ? -1 : 0;
}

/*
 * The unique part of the file name where it fits (RFC 1939 7: 1 to 70 characters from
 * 0x21 to 0x7e), else its hash. It stays when flags change or the file moves to cur/.
 */
static void
make_uidl(struct message *msg)
{
	uint8_t digest[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];
	size_t n = strlen(msg->unique);
	bool fits = n <= MT_MAX_UIDL;

	for (size_t i = 0; i < n && fits; i++)
		fits = msg->unique[i] > ' ' && msg->unique[i] < 0x7f;
	if (fits) {
		g_strlcpy(msg->uidl, msg->unique, sizeof(msg->uidl));
		return;
	}
	mt_digest_sha256(msg->unique, n, digest);
	mt_digest_hex(digest, hex);
	g_strlcpy(msg->uidl, hex, sizeof(msg->uidl));
}

/* By arrival; a unique part that is there twice (a copy in new/ and in cur/) by path. */
static int
by_arrival(const void *a, const void *b)
{
	const struct message *x = a, *y = b;
	int c = (x->time > y->time) - (x->time < y->time);

	if (c == 0)
		c = strcmp(x->unique, y->unique);
	return c != 0 ? c : strcmp(x->path, y->path);
}

/* Two messages never share a UIDL: a double's is made from the other's. */
static void
part_doubles(struct mailbox *m)
{
	for (guint i = 1; i < m->messages->len; i++) {
		struct message *msg = &g_array_index(m->messages, struct message, i);
		const struct message *before = msg - 1;

		if (strcmp(msg->unique, before->unique) == 0) {
			g_autofree char *other = g_strconcat(before->uidl, "/2", NULL);
			uint8_t digest[MT_DIGEST_SIZE];
			char hex[MT_DIGEST_HEX_SIZE];

			mt_digest_sha256(other, strlen(other), digest);
			mt_digest_hex(digest, hex);
			g_strlcpy(msg->uidl, hex, sizeof(msg->uidl));
		}
	}
}

static int
scan(struct mailbox *m, GArray *out, struct mt_err *err)
{
	mt_auto(mt_folder_scan) s = mt_folder_scan_new(m->path, err);
	struct mt_folder_entry e;
	int rc;

	if (s == NULL)
		return -1;
	while ((rc = mt_folder_scan_next(s, &e, err)) > 0) {
		struct message msg = { .path = g_strdup(e.path),
			.unique = mt_slice_dup(e.name.unique), .inode = e.inode,
			.time = e.name.time };

		g_array_append_val(out, msg);
	}
	return rc;
}

static int
load(struct mailbox *m, struct mt_err *err)
{
	guint kept = 0;

	if (scan(m, m->messages, err) < 0)
		return -1;
	g_array_sort(m->messages, by_arrival);
	for (guint i = 0; i < m->messages->len; i++) {
		struct message *msg = &g_array_index(m->messages, struct message, i);

		if (kept == MT_MAX_POP3_MESSAGES || wire_size(msg->path, &msg->size) < 0) {
			/* Removed meanwhile by somebody else, or unreadable: not listed. */
			clear_message(msg);
			continue;
		}
		make_uidl(msg);
		g_array_index(m->messages, struct message, kept++) = *msg;
	}
	/* What lies behind was moved or freed above. */
	g_array_set_clear_func(m->messages, NULL);
	g_array_set_size(m->messages, kept);
	g_array_set_clear_func(m->messages, clear_message);
	part_doubles(m);
	return 0;
}

/* Another reader has renamed files (flags, new/ to cur/): look where they are now. One that
   was removed makes nobody look again and again. */
static void
find_again(struct mailbox *m)
{
	g_autoptr(GArray) now = g_array_new(FALSE, FALSE, sizeof(struct message));
	g_autoptr(GHashTable) found = g_hash_table_new(g_int64_hash, g_int64_equal);

	if (m->looked_ms != 0 && mt_proc_now_ms() - m->looked_ms < LOOK_AGAIN_MS)
		return;
	g_array_set_clear_func(now, clear_message);
	if (scan(m, now, NULL) < 0)
		return;
	m->looked_ms = mt_proc_now_ms();
	for (guint i = 0; i < now->len; i++) {
		struct message *msg = &g_array_index(now, struct message, i);

		g_hash_table_insert(found, &msg->inode, msg);
	}
	for (guint i = 0; i < m->messages->len; i++) {
		struct message *msg = &g_array_index(m->messages, struct message, i);
		const struct message *same = g_hash_table_lookup(found, &msg->inode);

		/* An inode that was freed may be another message's by now. */
		if (same == NULL || strcmp(same->unique, msg->unique) != 0)
			continue;
		g_free(msg->path);
		msg->path = g_strdup(same->path);
	}
}

static int
send_list(struct mailbox *m, struct mt_err *err)
{
	struct mt_serve_ipc_listed *l = &m->packet.body.listed;

	for (guint i = 0; i < m->messages->len;) {
		memset(l, 0, sizeof(*l));
		for (; i < m->messages->len && l->n < MT_SERVE_LISTED_MAX; i++) {
			const struct message *msg =
			    &g_array_index(m->messages, struct message, i);

			l->list[l->n].size = msg->size;
			g_strlcpy(l->list[l->n].uidl, msg->uidl, sizeof(l->list[0].uidl));
			l->n++;
		}
		if (mt_serve_ipc_send(m->session_fd, MT_SERVE_IPC_LISTED, l,
		    mt_serve_ipc_listed_size(l->n), NULL, 0, err) < 0)
			return -1;
	}
	memset(l, 0, sizeof(*l));
	return mt_serve_ipc_send(m->session_fd, MT_SERVE_IPC_LISTED, l,
	    mt_serve_ipc_listed_size(0), NULL, 0, err);
}

/* The answer to the first question. Not before it: who asks when we have left is told of
   a broken pipe, and never reads the reason. */
static int
send_failed(struct mailbox *m, uint32_t how, struct mt_err *err)
{
	struct mt_serve_ipc_listed l = { .n = 0, .failed = how };

	if (mt_serve_ipc_recv(m->session_fd, &m->packet, IDLE_MS, err) <= 0)
		return -1;
	mt_serve_ipc_drop(&m->packet);
	return mt_serve_ipc_send(m->session_fd, MT_SERVE_IPC_LISTED, &l,
	    mt_serve_ipc_listed_size(0), NULL, 0, err);
}

static int
send_message(struct mailbox *m, uint32_t index, struct mt_err *err)
{
	const struct message *msg = &g_array_index(m->messages, struct message, index);
	struct mt_serve_ipc_result r = { .ok = 1 };
	mt_auto_fd int fd = open(msg->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		find_again(m);
		fd = open(msg->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	r.ok = fd >= 0;
	return mt_serve_ipc_send(m->session_fd, MT_SERVE_IPC_FETCHED, &r, sizeof(r), &fd,
	    r.ok, err);
}

/* Remove what is marked; gone already is as good. */
static bool
expunge(struct mailbox *m)
{
	static const char *const subs[] = { "new", "cur" };
	struct mt_err err = { 0 };
	bool looked = false, all = true;

	for (guint i = 0; i < m->messages->len; i++) {
		struct message *msg = &g_array_index(m->messages, struct message, i);

		if (!msg->is_deleted || unlink(msg->path) == 0)
			continue;
		if (errno == ENOENT && !looked) {
			m->looked_ms = 0;
			find_again(m);
			looked = true;
		}
		if (unlink(msg->path) < 0 && errno != ENOENT) {
			mt_fail(&err, MT_EIO, "unlink: %m");
			all = false;
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *dir = g_build_filename(m->path, subs[i], NULL);

		all = mt_file_sync_dir(dir, &err) == 0 && all;
	}
	if (!all)
		log_error(m, "expunge-failed", &err);
	return all;
}

static int
serve_question(struct mailbox *m, struct mt_err *err)
{
	const struct mt_serve_packet *p = &m->packet;
	struct mt_serve_ipc_result r = { 0 };
	uint32_t index = p->body.index.index;

	if ((p->type == MT_SERVE_IPC_FETCH || p->type == MT_SERVE_IPC_DELETE) &&
	    index >= m->messages->len)
		return mt_fail(err, MT_EPROTO, "no message %u", index);
	switch (p->type) {
	case MT_SERVE_IPC_LIST:
		return send_list(m, err);
	case MT_SERVE_IPC_FETCH:
		return send_message(m, index, err);
	case MT_SERVE_IPC_DELETE:
		g_array_index(m->messages, struct message, index).is_deleted = true;
		return 0;
	case MT_SERVE_IPC_EXPUNGE:
		r.ok = expunge(m);
		return mt_serve_ipc_send(m->session_fd, MT_SERVE_IPC_EXPUNGED, &r,
		    sizeof(r), NULL, 0, err);
	default:
		return mt_fail(err, MT_EPROTO, "question of type %u", p->type);
	}
}

static int
confine(const char *path, struct mt_err *err)
{
	const struct mt_sandbox_path own = { path, MT_SANDBOX_REMOVE };
	const struct mt_sandbox_limits limits = { .files = 64 };

	if (mt_sandbox_begin(err) < 0 || mt_sandbox_limit(&limits, err) < 0 ||
	    mt_sandbox_files(&own, 1, err) < 0)
		return -1;
	return mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, err);
}

/* One reader at a time: a lock on the directory cur/ itself leaves no file behind. */
static int
lock(const char *path)
{
	g_autofree char *cur = g_build_filename(path, "cur", NULL);
	int fd = open(cur, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		errno = EWOULDBLOCK;
		return -1;
	}
	return fd;
}

int
mt_serve_mailbox_main(int session_fd, const char *path)
{
	struct mailbox *m = g_new0(struct mailbox, 1);
	struct mt_err err = { 0 };
	int rc, lock_fd;

	m->path = path;
	m->session_fd = session_fd;
	m->messages = g_array_new(FALSE, FALSE, sizeof(struct message));
	g_array_set_clear_func(m->messages, clear_message);
	rc = confine(path, &err);
	if (rc == 0) {
		lock_fd = lock(path);
		if (lock_fd < 0 && errno == EWOULDBLOCK)
			return send_failed(m, 2, NULL) < 0 ? EX_PROTOCOL : EX_OK;
		rc = lock_fd < 0 ? mt_fail(&err, MT_ETEMP, "lock: %m") : load(m, &err);
	}
	if (rc < 0) {
		log_error(m, "mailbox-failed", &err);
		send_failed(m, 1, NULL);
		return mt_err_exit(err.kind);
	}
	while ((rc = mt_serve_ipc_recv(session_fd, &m->packet, IDLE_MS, &err)) > 0) {
		if (serve_question(m, &err) < 0)
			break;
	}
	if (rc != 0)
		log_error(m, "session-broken", &err);
	g_array_free(m->messages, TRUE);
	g_free(m);
	return rc == 0 ? EX_OK : EX_PROTOCOL;
}
