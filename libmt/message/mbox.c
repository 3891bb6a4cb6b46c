/* mbox.c - the messages of an mbox file, as byte ranges (RFC 4155 and its dialects) */
#include "message/mbox.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/slice.h"

#define WINDOW ((size_t)65536)
/* As much of a From line, with the line behind it, as is looked at. */
#define FROM_LINE_LOOK ((size_t)1024)

struct mt_mbox {
	int fd;
	enum mt_mbox_quoting quoting;
	uint64_t next;		/* where the next From line begins */
	uint64_t at;		/* file offset of buf */
	size_t n;
	char buf[WINDOW];
};

/*
 * The bytes at an offset, at least `want` of them (at most a quarter of the window)
 * unless the file ends before. Empty at the end of the file.
 */
static int
look(struct mt_mbox *m, uint64_t offset, size_t want, struct mt_slice *out,
    struct mt_err *err)
{
	if (offset < m->at || offset + want > m->at + m->n) {
		m->at = offset;
		m->n = 0;
		while (m->n < WINDOW) {
			ssize_t r = pread(m->fd, m->buf + m->n, WINDOW - m->n,
			    (off_t)(offset + m->n));

			if (r < 0 && errno == EINTR)
				continue;
			if (r < 0)
				return mt_fail(err, MT_EIO, "mbox: read: %m");
			if (r == 0)
				break;
			m->n += (size_t)r;
		}
	}
	*out = mt_slice_mem(m->buf + (offset - m->at), m->n - (size_t)(offset - m->at));
	return 0;
}

/* Where the line that begins at an offset ends: behind its LF, or at the file's end. */
static int
line_end(struct mt_mbox *m, uint64_t offset, uint64_t *end, struct mt_err *err)
{
	struct mt_slice s;

	for (;;) {
		size_t n;

		if (look(m, offset, 1, &s, err) < 0)
			return -1;
		n = mt_slice_find(s, '\n');
		*end = offset + n + (n < s.n);
		if (n < s.n || s.n == 0)
			return 0;
		offset += s.n;
	}
}

/* The size of an empty line at the front, 0 for none. */
static size_t
empty_line(struct mt_slice s)
{
	if (mt_slice_starts(s, MT_SLICE("\n")))
		return 1;
	return mt_slice_starts(s, MT_SLICE("\r\n")) ? 2 : 0;
}

static bool
is_field_name(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

/* A header field, or the From line that a mail system of old left among them. */
static bool
starts_field(struct mt_slice s)
{
	if (mt_slice_starts(s, MT_SLICE(">From ")))
		return true;
	return mt_slice_take_while(&s, is_field_name).n > 0 &&
	    (mt_slice_skip_blank(&s), mt_slice_take_char(&s, ':'));
}

/* A time ("23:30") and a year ("2026") somewhere in the line. */
static bool
has_date(struct mt_slice line)
{
	bool has_time = false, has_year = false;
	size_t digits = 0;

	for (size_t i = 0; i <= line.n; i++) {
		if (i < line.n && g_ascii_isdigit(line.p[i])) {
			digits++;
			continue;
		}
		if (i < line.n && line.p[i] == ':' && digits > 0 && digits <= 2)
			has_time = true;
		if (digits == 4)
			has_year = true;
		digits = 0;
	}
	return has_time && has_year;
}

/* Whether a From line stands there; behind_empty: so does an empty line before it. */
static bool
is_from_line(struct mt_slice s, bool behind_empty)
{
	struct mt_slice line, sender;

	if (!mt_slice_take(&s, MT_SLICE("From ")) || !mt_slice_take_line(&s, &line))
		return false;
	if (has_date(line) && (behind_empty || starts_field(s)))
		return true;
	line = mt_slice_trim(line);
	if (!mt_slice_take_word(&line, &sender) || line.n > 0 || !starts_field(s))
		return false;
	return behind_empty || mt_slice_eq(sender, MT_SLICE("-"));
}

struct mt_mbox *
mt_mbox_open(int fd, enum mt_mbox_quoting quoting, struct mt_err *err)
{
	mt_auto(mt_mbox) m = g_new0(struct mt_mbox, 1);
	struct mt_slice s;

	m->fd = fd;
	m->quoting = quoting;
	if (look(m, 0, FROM_LINE_LOOK, &s, err) < 0)
		return NULL;
	if (mt_slice_take(&s, MT_SLICE("\xef\xbb\xbf")))
		m->next = 3;
	for (size_t n; (n = empty_line(s)) > 0; m->next += n) {
		if (look(m, m->next + n, FROM_LINE_LOOK, &s, err) < 0)
			return NULL;
	}
	if (s.n > 0 && !is_from_line(s, true))
		return mt_fail_null(err, MT_EDATA, "no mbox: it does not begin with a "
		    "\"From \" line");
	return mt_steal(&m);
}

void
mt_mbox_close(struct mt_mbox *m)
{
	g_free(m);
}

/* What is known while a message's lines go by. */
struct lines {
	uint64_t at;		/* where the line begins */
	bool in_header;
	bool behind_empty;	/* the line before is empty, */
	bool ends_header;	/* and ends the header: then it is the message's own */
	uint64_t empty_at;	/* where it begins */
	bool has_length;
	uint64_t length;	/* Content-Length */
};

static void
note_length(struct lines *l, struct mt_slice s)
{
	if (!mt_slice_take_nocase(&s, MT_SLICE("Content-Length:")))
		return;
	mt_slice_skip_blank(&s);
	l->has_length = mt_slice_take_u64(&s, INT64_MAX / 2, &l->length);
}

/*
 * At the end of a header: does Content-Length lead to a line's start where the file
 * ends, or a From line stands, with or without an empty line before it? Then the message
 * ends there. 1 (with *next), 0 or -1.
 */
static int
ends_by_length(struct mt_mbox *m, uint64_t body, uint64_t length, uint64_t *next,
    struct mt_err *err)
{
	struct mt_slice s;
	uint64_t end = body + length;

	if (look(m, end - 1, FROM_LINE_LOOK, &s, err) < 0)
		return -1;
	if (s.n == 0 || s.p[0] != '\n')
		return 0;
	s = mt_slice_from(s, 1);
	*next = end + empty_line(s);
	s = mt_slice_from(s, empty_line(s));
	return s.n == 0 || is_from_line(s, true);
}

/* One line of a message: 1 when the message ends before it (e and m->next are set). */
static int
take_line(struct mt_mbox *m, struct lines *l, struct mt_mbox_entry *e,
    struct mt_err *err)
{
	struct mt_slice s;
	uint64_t end;
	bool empty;
	int rc;

	if (look(m, l->at, FROM_LINE_LOOK, &s, err) < 0)
		return -1;
	if (s.n == 0 || (l->at > e->start && is_from_line(s, l->behind_empty))) {
		e->size = (l->behind_empty && !l->ends_header ? l->empty_at : l->at) -
		    e->start;
		m->next = l->at;
		return 1;
	}
	empty = empty_line(s) > 0;
	if (l->in_header)
		note_length(l, s);
	if (line_end(m, l->at, &end, err) < 0)
		return -1;
	if (l->in_header && empty && l->has_length) {
		rc = ends_by_length(m, end, l->length, &m->next, err);
		if (rc != 0) {
			e->size = end + l->length - e->start;
			return rc;
		}
	}
	l->behind_empty = empty;
	l->ends_header = empty && l->in_header;
	l->empty_at = l->at;
	if (empty)
		l->in_header = false;
	l->at = end;
	return 0;
}

int
mt_mbox_next(struct mt_mbox *m, struct mt_mbox_entry *out, struct mt_err *err)
{
	struct lines l = { .in_header = true };
	struct mt_slice s;
	int rc;

	if (look(m, m->next, 1, &s, err) < 0)
		return -1;
	if (s.n == 0)
		return 0;
	*out = (struct mt_mbox_entry){ .from_line = m->next };
	if (line_end(m, m->next, &l.at, err) < 0)
		return -1;
	out->start = l.at;
	while ((rc = take_line(m, &l, out, err)) == 0)
		;
	return rc;
}

/* Takes one ">" off lines of ">" and "From ", whatever pieces they come in. */
struct unquoter {
	mt_mbox_writer *writer;
	void *arg;
	bool in_start;		/* still in what may be ">>>From " */
	uint64_t marks;		/* ">" held back */
	size_t matched;		/* of "From " held back */
};

static const char from_word[] = "From ";

/* Write what was held back; a quoted From line loses one mark. */
static int
release(struct unquoter *u, bool is_quoted, struct mt_err *err)
{
	static const char many[] = ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>";
	uint64_t marks = u->marks - (is_quoted ? 1 : 0), n;
	size_t matched = u->matched;

	u->in_start = false;
	u->marks = 0;
	u->matched = 0;
	for (; marks > 0; marks -= n) {
		n = MIN(marks, sizeof(many) - 1);
		if (u->writer(u->arg, many, n, err) < 0)
			return -1;
	}
	return matched == 0 ? 0 : u->writer(u->arg, from_word, matched, err);
}

static int
unquote(struct unquoter *u, struct mt_slice s, struct mt_err *err)
{
	while (s.n > 0) {
		if (!u->in_start) {
			size_t n = mt_slice_find(s, '\n');
			bool ends = n < s.n;

			if (u->writer(u->arg, s.p, n + ends, err) < 0)
				return -1;
			s = mt_slice_from(s, n + ends);
			u->in_start = ends;
		} else if (u->matched == 0 && s.p[0] == '>') {
			u->marks++;
			s = mt_slice_from(s, 1);
		} else if (s.p[0] == from_word[u->matched]) {
			u->matched++;
			s = mt_slice_from(s, 1);
			if (u->matched == 5 && release(u, u->marks > 0, err) < 0)
				return -1;
		} else if (release(u, false, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int
mt_mbox_copy(struct mt_mbox *m, const struct mt_mbox_entry *e, mt_mbox_writer *writer,
    void *arg, struct mt_err *err)
{
	struct unquoter u = { writer, arg, true, 0, 0 };
	uint64_t at = e->start, end = e->start + e->size;
	struct mt_slice s;

	while (at < end) {
		if (look(m, at, 1, &s, err) < 0)
			return -1;
		if (s.n == 0)
			return mt_fail(err, MT_EIO, "mbox: shorter than before");
		s = mt_slice_first(s, end - at);
		at += s.n;
		if ((m->quoting == MT_MBOX_ASIS ? writer(arg, s.p, s.n, err) :
		    unquote(&u, s, err)) < 0)
			return -1;
	}
	return release(&u, false, err);
}
