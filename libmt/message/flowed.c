/* flowed.c - text that its reader may wrap anew: format=flowed (RFC 3676) */
#include "message/flowed.h"

#include <glib.h>

/* RFC 3676 4.2: lines are of 78 at most; what is longer is broken well before, so that it
   can be quoted some times. */
#define WIDEST 78
#define COLUMNS 72

static const struct mt_slice signature = MT_SLICE("-- ");

/* A line, or what several say: without quote marks and stuffing. */
struct paragraph {
	size_t depth;
	struct mt_slice text;
};

static int
put_marks(struct mt_buf *out, size_t depth)
{
	for (; depth > 0; depth--) {
		if (mt_buf_append_char(out, '>') < 0)
			return -1;
	}
	return 0;
}

/* RFC 3676 4.4: what would read as something else has a space in front. */
static bool
needs_stuffing(struct mt_slice line)
{
	return mt_slice_starts(line, MT_SLICE(" ")) || mt_slice_starts(line, MT_SLICE(">")) ||
	    mt_slice_starts(line, MT_SLICE("From "));
}

static int
put_flowed_line(struct mt_buf *out, size_t depth, struct mt_slice line)
{
	if (put_marks(out, depth) < 0)
		return -1;
	if (line.n > 0 && (depth > 0 || needs_stuffing(line)) &&
	    mt_buf_append_char(out, ' ') < 0)
		return -1;
	return mt_buf_append_slice(out, line) < 0 ? -1 : mt_buf_append_char(out, '\n');
}

static struct mt_slice
without_blanks(struct mt_slice s)
{
	while (mt_slice_ends(s, MT_SLICE(" ")))
		s.n--;
	return s;
}

static int
put_plain_line(struct mt_buf *out, size_t depth, struct mt_slice line)
{
	if (!mt_slice_eq(line, signature))
		line = without_blanks(line);
	if (put_marks(out, depth) < 0)
		return -1;
	if (depth > 0 && line.n > 0 && mt_buf_append_char(out, ' ') < 0)
		return -1;
	return mt_buf_append_slice(out, line) < 0 ? -1 : mt_buf_append_char(out, '\n');
}

static size_t
width_of(uint32_t c)
{
	if (c == MT_SLICE_NO_CHAR)
		return 1;
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

static size_t
width_of_text(struct mt_slice s)
{
	struct mt_slice bytes;
	size_t width = 0;
	uint32_t c;

	while (mt_slice_take_utf8(&s, &bytes, &c))
		width += width_of(c);
	return width;
}

/*
 * Take the first words that fit, with the blanks behind them: one word at least. Nothing
 * of it may read as the signature's line, and nothing behind it as quoted.
 */
static struct mt_slice
take_words(struct mt_slice *s, size_t columns)
{
	struct mt_slice rest = *s, bytes, best = { s->p, 0 };
	size_t width = 0;
	uint32_t c;

	while (mt_slice_take_utf8(&rest, &bytes, &c)) {
		width += width_of(c);
		if (width > columns && best.n > 0)
			break;
		if (c == ' ' && rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '>' &&
		    !mt_slice_eq(mt_slice_first(*s, s->n - rest.n), signature))
			best.n = s->n - rest.n;
	}
	if (best.n == 0 || rest.n == 0)
		best.n = width > columns && best.n > 0 ? best.n : s->n;
	*s = mt_slice_from(*s, best.n);
	return best;
}

static int
put_paragraph(struct mt_buf *out, const struct paragraph *p,
    int (*put_line)(struct mt_buf *out, size_t depth, struct mt_slice line))
{
	struct mt_slice text = mt_slice_eq(p->text, signature) ? p->text :
	    without_blanks(p->text);
	/* With the marks, a space behind them, and one at the end. */
	size_t marks = p->depth > 0 ? p->depth + 1 : 0;
	size_t columns = marks + 20 < COLUMNS ? COLUMNS - marks : 20;

	if (marks + width_of_text(text) <= WIDEST)
		return put_line(out, p->depth, text);
	while (text.n > 0) {
		if (put_line(out, p->depth, take_words(&text, columns)) < 0)
			return -1;
	}
	return 0;
}

/* --- writing --------------------------------------------------------------------- */

/* "> > " and ">> " alike, with the blank behind them. */
static struct paragraph
read_quoted(struct mt_slice line)
{
	struct paragraph p = { 0, line };
	struct mt_slice rest = line;

	while (mt_slice_take_char(&rest, '>')) {
		p.depth++;
		p.text = rest;
		mt_slice_take_char(&rest, ' ');
	}
	if (p.depth > 0)
		mt_slice_take_char(&p.text, ' ');
	return p;
}

/* Whether a line of the author goes on in the next. */
static bool
goes_on(struct mt_slice line, struct mt_slice rest)
{
	struct mt_slice next;

	return mt_slice_ends(line, MT_SLICE(" ")) && !mt_slice_eq(line, signature) &&
	    without_blanks(line).n > 0 && line.p[0] != '>' && mt_slice_take_line(&rest, &next) &&
	    without_blanks(next).n > 0 && next.p[0] != '>' && !mt_slice_eq(next, signature);
}

int
mt_flowed_write_lines(struct mt_slice text, struct mt_buf *out)
{
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		struct paragraph p = read_quoted(line);

		if (put_paragraph(out, &p, put_flowed_line) < 0)
			return -1;
	}
	return 0;
}

int
mt_flowed_write(struct mt_slice text, struct mt_buf *out)
{
	g_autoptr(GString) all = g_string_new(NULL);
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		g_string_append_len(all, line.p, (gssize)line.n);
		if (goes_on(line, text))
			continue;
		g_string_append_c(all, '\n');
		if (mt_flowed_write_lines(mt_slice_mem(all->str, all->len), out) < 0)
			return -1;
		g_string_truncate(all, 0);
	}
	return 0;
}

/* --- reading --------------------------------------------------------------------- */

/* RFC 3676 4.3, 4.4: the marks, then a space that was stuffed in. */
static struct paragraph
read_flowed(struct mt_slice line)
{
	struct paragraph p = { 0, line };

	while (mt_slice_take_char(&p.text, '>'))
		p.depth++;
	mt_slice_take_char(&p.text, ' ');
	return p;
}

static int
end_paragraph(struct mt_buf *out, size_t depth, GString *text)
{
	struct paragraph p = { depth, { text->str, text->len } };
	int rc = put_paragraph(out, &p, put_plain_line);

	g_string_truncate(text, 0);
	return rc;
}

int
mt_flowed_read(struct mt_slice text, bool delsp, struct mt_buf *out)
{
	g_autoptr(GString) all = g_string_new(NULL);
	size_t depth = 0;
	bool is_open = false;
	struct mt_slice line;

	while (mt_slice_take_line(&text, &line)) {
		struct paragraph p = read_flowed(line);
		bool is_signature = mt_slice_eq(p.text, signature);

		/* RFC 3676 4.5: a paragraph ends where the depth changes, come what may. */
		if (is_open && (p.depth != depth || is_signature) &&
		    end_paragraph(out, depth, all) < 0)
			return -1;
		depth = p.depth;
		is_open = !is_signature && mt_slice_ends(p.text, MT_SLICE(" "));
		if (is_open && delsp)
			p.text.n--;
		g_string_append_len(all, p.text.p, (gssize)p.text.n);
		if (!is_open && end_paragraph(out, depth, all) < 0)
			return -1;
	}
	return is_open ? end_paragraph(out, depth, all) : 0;
}
