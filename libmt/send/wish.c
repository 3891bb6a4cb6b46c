/* wish.c - what a draft notes of how it is to be sent: a field X-Mt-PGP */
#include "send/wish.h"

#include <glib.h>

#include "message/header.h"

int
mt_wish_parse(const char *value, struct mt_wish *w, struct mt_err *err)
{
	g_auto(GStrv) words = g_strsplit_set(value, ", \t", -1);
	struct mt_wish found = *w;

	for (char **word = words; *word != NULL; word++) {
		if (g_ascii_strcasecmp(*word, "sign") == 0)
			found.sign = true;
		else if (g_ascii_strcasecmp(*word, "encrypt") == 0)
			found.encrypt = true;
		else if ((*word)[0] != '\0')
			return mt_fail(err, MT_EDATA, MT_WISH_FIELD ": \"%s\" is neither sign nor "
			    "encrypt", *word);
	}
	*w = found;
	return 0;
}

int
mt_wish_find(struct mt_slice header, struct mt_wish *w, struct mt_err *err)
{
	struct mt_header_field f;

	while (mt_header_next(&header, &f)) {
		g_autofree char *value = NULL;

		if (!mt_slice_eq_nocase(f.name, MT_SLICE(MT_WISH_FIELD)))
			continue;
		value = mt_header_decode(f.raw);
		if (mt_wish_parse(value, w, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_wish_append(struct mt_buf *out, const struct mt_wish *w)
{
	if (!w->sign && !w->encrypt)
		return 0;
	return mt_buf_appendf(out, MT_WISH_FIELD ":%s%s\n", w->sign ? " sign" : "",
	    w->encrypt ? " encrypt" : "");
}
