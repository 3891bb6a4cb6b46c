/* draft.c - a finished message in a file without a name, before it is sent */
#include "send/draft.h"

#include <errno.h>
#include <glib.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/header.h"

/* Read at most n bytes at an offset: how many, 0 at the end, or -1. */
static ssize_t
read_at(int fd, char *p, size_t n, uint64_t at, struct mt_err *err)
{
	ssize_t got;

	do
		got = pread(fd, p, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
	return got;
}

static int
write_out(int fd, const void *p, size_t n, struct mt_err *err)
{
	if (mt_file_write_all(fd, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	return 0;
}

int
mt_draft_spool(int in, struct mt_err *err)
{
	mt_auto_fd int out = mt_file_temp(err);
	char chunk[32768];
	bool any = false;

	if (out < 0)
		return -1;
	for (;;) {
		ssize_t n = read(in, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		if (n == 0)
			break;
		any = true;
		if (write_out(out, chunk, (size_t)n, err) < 0)
			return -1;
	}
	if (!any)
		return mt_fail(err, MT_EDATA, "the message is empty");
	return mt_steal_fd(&out);
}

int
mt_draft_header(int fd, struct mt_buf *head, struct mt_err *err)
{
	for (;;) {
		struct mt_slice block;
		char chunk[16384];
		size_t room = MIN(head->max - head->n, sizeof(chunk));
		ssize_t n = read_at(fd, chunk, room, head->n, err);

		if (n < 0)
			return -1;
		mt_buf_append(head, chunk, (size_t)n);
		block = mt_header_block(mt_buf_slice(head));
		if (block.n < head->n || n == 0) {
			if (room == 0 && block.n == head->n)
				break;
			head->n = block.n;
			return 0;
		}
	}
	return mt_fail(err, MT_EDATA, "the header is longer than %zu bytes", head->max);
}

int
mt_draft_append(int to, int from, uint64_t offset, struct mt_err *err)
{
	char chunk[32768];
	ssize_t n;

	while ((n = read_at(from, chunk, sizeof(chunk), offset, err)) > 0) {
		if (write_out(to, chunk, (size_t)n, err) < 0)
			return -1;
		offset += (uint64_t)n;
	}
	return n < 0 ? -1 : 0;
}

/* Gives every line with the line end that is wanted, whatever it has. */
struct lines {
	mt_draft_writer *writer;
	void *arg;
	struct mt_slice end;
	bool held_cr;		/* a CR came, and what follows it has not */
	bool in_line;		/* something stands behind the last line end */
};

static int
give(struct lines *l, const char *p, size_t n, struct mt_err *err)
{
	return n == 0 ? 0 : l->writer(l->arg, p, n, err);
}

static int
add_piece(struct lines *l, struct mt_slice s, struct mt_err *err)
{
	/* Most messages have LF, and most copies want it: no work line by line. */
	if (l->end.n == 1 && !l->held_cr && s.n > 0 && mt_slice_find(s, '\r') == s.n) {
		l->in_line = s.p[s.n - 1] != '\n';
		return give(l, s.p, s.n, err);
	}
	while (s.n > 0) {
		size_t n = mt_slice_find(s, '\n');
		bool ends = n < s.n;
		struct mt_slice text = mt_slice_first(s, n);

		s = mt_slice_from(s, ends ? n + 1 : n);
		if (text.n > 0 && l->held_cr && give(l, "\r", 1, err) < 0)
			return -1;
		if (text.n > 0)
			l->held_cr = text.p[text.n - 1] == '\r';
		if (give(l, text.p, text.n - (text.n > 0 && l->held_cr), err) < 0)
			return -1;
		l->in_line = !ends;
		if (!ends)
			continue;
		l->held_cr = false;
		if (give(l, l->end.p, l->end.n, err) < 0)
			return -1;
	}
	return 0;
}

static int
copy_lines(int fd, struct lines *l, struct mt_err *err)
{
	char chunk[32768];
	uint64_t at = 0;
	ssize_t n;

	while ((n = read_at(fd, chunk, sizeof(chunk), at, err)) > 0) {
		if (add_piece(l, mt_slice_mem(chunk, (size_t)n), err) < 0)
			return -1;
		at += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	return l->in_line ? give(l, l->end.p, l->end.n, err) : 0;
}

int
mt_draft_copy_crlf(int fd, mt_draft_writer *writer, void *arg, struct mt_err *err)
{
	struct lines l = { writer, arg, MT_SLICE("\r\n"), false, false };

	return copy_lines(fd, &l, err);
}

int
mt_draft_copy_lf(int fd, mt_draft_writer *writer, void *arg, struct mt_err *err)
{
	struct lines l = { writer, arg, MT_SLICE("\n"), false, false };

	return copy_lines(fd, &l, err);
}
