/* subject.c - the words that answers and forwarded messages put in front of a subject */
#include "message/subject.h"

#include <glib.h>

#include "base/slice.h"

static bool
take_word(struct mt_slice *s, const char *word)
{
	struct mt_slice rest = *s;
	uint64_t count;

	if (!mt_slice_take_nocase(&rest, mt_slice_str(word)))
		return false;
	if (mt_slice_take_char(&rest, '[') &&
	    !(mt_slice_take_u64(&rest, UINT32_MAX, &count) && mt_slice_take_char(&rest, ']')))
		return false;
	mt_slice_skip_blank(&rest);
	if (!mt_slice_take_char(&rest, ':'))
		return false;
	mt_slice_skip_blank(&rest);
	*s = rest;
	return true;
}

static bool
take_any(struct mt_slice *s, const char *const words[])
{
	for (; *words != NULL; words++) {
		if (take_word(s, *words))
			return true;
	}
	return false;
}

char *
mt_subject_begin(const char *prefix, const char *const words[], const char *subject)
{
	struct mt_slice s = mt_slice_trim(mt_slice_str(subject));
	g_autofree char *bare = NULL;

	while (take_any(&s, words))
		;
	bare = mt_slice_dup(s);
	return g_strconcat(prefix, bare, NULL);
}
