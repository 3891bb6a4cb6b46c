/* prescan.c - look at a message before a library may see it */
#include "message/prescan.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/proc.h"
#include "base/slice.h"

/*
 * GMime's nested groups take 200 bytes of stack a level, and a level takes two bytes of
 * a field: this stack (never touched but by such a message) lasts for 2.5 MB of them.
 */
const struct mt_proc_leash mt_prescan_leash = {
	.stack_bytes = MT_MIB(256),
	.memory_bytes = MT_MIB(1024),
	.cpu_s = 20,
	.wall_ms = 60000,
};

/* Where in a line the scanner is. */
enum place {
	AT_START,	/* nothing of the line was seen */
	IN_DASH,	/* one "-" */
	IN_NAME,	/* what may be a field's name */
	BEHIND_NAME,	/* blanks behind it */
	IN_8BIT,	/* the same with 8-bit, which GMime takes for one */
	IN_FIELD,	/* the line belongs to a field */
	IN_OTHER,	/* it does not */
};

struct scan {
	enum place place;
	bool field_open;	/* the line before belongs to a field */
	uint64_t field;		/* bytes of the field that is open */
	uint64_t colons;	/* in it, when it is in the header of a part */
	uint64_t line;		/* bytes of this line up to here */
	bool starts_with_cr;	/* this line */
	uint64_t header;	/* bytes of the top header */
	bool in_header;
	bool in_part_header;	/* or what may be one of a part: see begin_part() */
	bool nests;		/* and another may follow it */
	char name[sizeof("Content-Type")];	/* this line's, or the start of it */
	size_t nname;
	uint64_t fields;	/* in all headers */
	uint64_t boundaries;
	enum mt_prescan found;	/* up to here */
};

static bool
is_name(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

/*
 * Which lines are headers of parts is guessed without MIME, so that nothing is missed: what
 * follows a line with "--" first, and what follows the empty line behind such a header
 * or behind one with a Content-Type, which may be that of a message.
 */
static void
begin_part(struct scan *s)
{
	s->boundaries++;
	s->in_part_header = true;
	s->nests = true;
}

/* A colon: all before it is a name. */
static void
end_name(struct scan *s)
{
	if (s->in_part_header)
		s->fields++;
	if (mt_slice_eq_nocase(mt_slice_mem(s->name, s->nname), MT_SLICE("Content-Type")))
		s->nests = true;
	s->place = s->place == AT_START || s->place == IN_8BIT ? IN_OTHER : IN_FIELD;
}

/* The bytes at a line's start, one by one, until its kind is known. */
static void
start_char(struct scan *s, unsigned char c)
{
	bool blank = c == ' ' || c == '\t';

	if (s->place == AT_START && blank) {
		s->place = s->field_open ? IN_FIELD : IN_OTHER;
		return;
	}
	if (s->place == AT_START) {
		s->field = 0;
		s->colons = 0;
		s->field_open = false;
		s->nname = 0;
	}
	if (s->place == IN_DASH && c == '-')
		begin_part(s);
	if (c == ':') {
		end_name(s);
		return;
	}
	if (!blank && s->nname < sizeof(s->name))
		s->name[s->nname++] = (char)c;
	if (s->place == IN_8BIT)
		return;
	if (s->place == AT_START && c == '-')
		s->place = IN_DASH;
	else if (is_name(c) && s->place != BEHIND_NAME)
		s->place = IN_NAME;
	else if (blank && s->place != AT_START)
		s->place = BEHIND_NAME;
	else if (c >= 0x80 && s->in_part_header)
		s->place = IN_8BIT;
	else
		s->place = IN_OTHER;
}

static void
end_line(struct scan *s, bool empty)
{
	if (empty) {
		s->in_header = false;
		s->in_part_header = s->in_part_header && s->nests;
		s->nests = false;
	}
	s->field_open = s->place == IN_FIELD;
	if (!s->field_open)
		s->field = 0;
	s->place = AT_START;
	s->line = 0;
}

/* A field that goes on, or a name that never ends, counts. */
static uint64_t
field_length(const struct scan *s)
{
	bool other = s->place == IN_OTHER || s->place == IN_8BIT;

	return s->field + (other ? 0 : s->line);
}

/* Each may begin a group inside of the one before: what ends one is not looked at. */
static void
count_colons(struct scan *s, struct mt_slice part)
{
	for (size_t i = 0; i < part.n; i++)
		s->colons += part.p[i] == ':';
}

static enum mt_prescan
judge(const struct scan *s)
{
	if (s->header > MT_MAX_HEADER)
		return MT_PRESCAN_HEADER;
	if (field_length(s) > MT_MAX_FIELD_GMIME)
		return MT_PRESCAN_FIELD;
	if (s->colons > MT_MAX_FIELD_COLONS)
		return MT_PRESCAN_GROUPS;
	if (s->fields > MT_MAX_HEADER_FIELDS)
		return MT_PRESCAN_FIELDS;
	if (s->boundaries > MT_MAX_BOUNDARY_LINES)
		return MT_PRESCAN_PARTS;
	return MT_PRESCAN_PLAIN;
}

/* In the top header it may yet become worse. */
static bool
is_decided(const struct scan *s)
{
	return s->found == MT_PRESCAN_HEADER ||
	    (s->found != MT_PRESCAN_PLAIN && !s->in_header);
}

static void
scan_piece(struct scan *s, struct mt_slice piece)
{
	while (piece.n > 0 && !is_decided(s)) {
		size_t n = mt_slice_find(piece, '\n');
		bool ends = n < piece.n;
		struct mt_slice part = mt_slice_first(piece, n);
		enum mt_prescan now;
		bool empty;

		for (size_t i = 0; i < n && s->place < IN_FIELD; i++)
			start_char(s, (unsigned char)part.p[i]);
		if (s->place == IN_FIELD && s->in_part_header)
			count_colons(s, part);
		if (s->line == 0)
			s->starts_with_cr = n > 0 && part.p[0] == '\r';
		s->line += n;
		empty = s->line == 0 || (s->line == 1 && s->starts_with_cr);
		if (s->in_header)
			s->header += n + ends;
		now = judge(s);
		if (s->found == MT_PRESCAN_PLAIN || now == MT_PRESCAN_HEADER)
			s->found = now;
		if (ends) {
			if (s->place == IN_FIELD)
				s->field += s->line + 1;
			end_line(s, empty);
		}
		piece = mt_slice_from(piece, n + ends);
	}
}

int
mt_prescan_fd(int fd, enum mt_prescan *out, struct mt_err *err)
{
	g_autofree char *buf = g_malloc(MT_KIB(64));
	struct scan s = { .in_header = true, .in_part_header = true };
	off_t at = 0;

	while (!is_decided(&s)) {
		ssize_t n = pread(fd, buf, MT_KIB(64), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mt_fail(err, MT_EIO, "read: %m");
		if (n == 0)
			break;
		scan_piece(&s, mt_slice_mem(buf, (size_t)n));
		at += n;
	}
	*out = s.found;
	return 0;
}

const char *
mt_prescan_word(enum mt_prescan p)
{
	static const char *const words[] = {
		[MT_PRESCAN_PLAIN] = "plain",
		[MT_PRESCAN_FIELD] = "a header field of more than 64 KB",
		[MT_PRESCAN_HEADER] = "a header of more than 1 MB",
		[MT_PRESCAN_GROUPS] = "a header field with more than 1,000 colons",
		[MT_PRESCAN_FIELDS] = "more than 50,000 header fields",
		[MT_PRESCAN_PARTS] = "more than 10,000 boundary lines",
	};

	return words[p];
}
