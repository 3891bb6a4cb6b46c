/* strip.c - take fields out of the header of a finished message, and nothing else */
#include "send/strip.h"

#include <glib.h>

const char *const mt_strip_hidden[] = { "Bcc", "Resent-Bcc", NULL };

bool
mt_strip_is_named(const struct mt_header_field *f, const char *const names[])
{
	for (; *names != NULL; names++) {
		if (mt_slice_eq_nocase(f->name, mt_slice_str(*names)))
			return true;
	}
	return false;
}

int
mt_strip_append(struct mt_buf *out, struct mt_slice block, const char *const names[])
{
	struct mt_slice rest = block;
	struct mt_header_field f;
	const char *from = block.p, *end = block.p + block.n;

	while (mt_header_next(&rest, &f)) {
		if (!mt_strip_is_named(&f, names))
			continue;
		if (mt_buf_append(out, from, (size_t)(f.whole.p - from)) < 0)
			return -1;
		from = f.whole.p + f.whole.n;
	}
	return mt_buf_append(out, from, (size_t)(end - from));
}

static size_t
count_lines(const char *from, const char *to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

int
mt_strip_check(struct mt_slice block, const char *const names[], struct mt_err *err)
{
	struct mt_slice rest = block;
	struct mt_header_field f;
	const char *end = block.p;
	size_t line = 0;

	if (mt_slice_starts(block, MT_SLICE("From ")))
		end += MIN(mt_slice_find(block, '\n') + 1, block.n);
	while (mt_header_next(&rest, &f)) {
		if (line == 0 && f.whole.p > end)
			line = count_lines(block.p, end) + 1;
		end = f.whole.p + f.whole.n;
		if (line > 0 && mt_strip_is_named(&f, names))
			return mt_fail(err, MT_EDATA, "line %zu is no header field, but a "
			    "%.*s field comes later: remove that line, or put an empty line "
			    "before the text", line, MT_SLICE_ARG(f.name));
	}
	return 0;
}
