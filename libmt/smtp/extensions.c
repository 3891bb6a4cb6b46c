/* extensions.c - what the answer to EHLO offers (RFC 5321 4.1.1.1) */
#include "smtp/extensions.h"

#include <glib.h>

#include "smtp/reply.h"

static const struct {
	const char *keyword;
	size_t offset;
} keywords[] = {
	{ "PIPELINING", offsetof(struct mt_smtp_extensions, has_pipelining) },
	{ "SIZE", offsetof(struct mt_smtp_extensions, has_size) },
	{ "8BITMIME", offsetof(struct mt_smtp_extensions, has_8bitmime) },
	{ "SMTPUTF8", offsetof(struct mt_smtp_extensions, has_smtputf8) },
	{ "CHUNKING", offsetof(struct mt_smtp_extensions, has_chunking) },
	{ "ENHANCEDSTATUSCODES", offsetof(struct mt_smtp_extensions, has_enhanced) },
	{ "STARTTLS", offsetof(struct mt_smtp_extensions, has_starttls) },
	{ "DSN", offsetof(struct mt_smtp_extensions, has_dsn) },
};

static void
take_keyword(struct mt_slice line, struct mt_smtp_extensions *out)
{
	struct mt_slice word;
	uint64_t size;

	if (!mt_slice_take_word(&line, &word))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++) {
		if (mt_slice_eq_nocase(word, mt_slice_str(keywords[i].keyword)))
			*(bool *)((char *)out + keywords[i].offset) = true;
	}
	if (mt_slice_eq_nocase(word, MT_SLICE("SIZE")) &&
	    mt_slice_take_u64(&line, UINT64_MAX, &size))
		out->size_max = size;
}

void
mt_smtp_extensions_parse(struct mt_slice text, struct mt_smtp_extensions *out)
{
	struct mt_slice line;

	*out = (struct mt_smtp_extensions){ .is_esmtp = true };
	mt_slice_take_line(&text, &line);
	while (mt_slice_take_line(&text, &line))
		take_keyword(line, out);
}

void
mt_smtp_extensions_of_preamble(struct mt_slice lines, struct mt_smtp_extensions *out)
{
	struct mt_smtp_reply r;
	struct mt_slice line;

	*out = (struct mt_smtp_extensions){ 0 };
	mt_smtp_reply_init(&r);
	while (mt_slice_take_line(&lines, &line)) {
		int rc = mt_smtp_reply_add(&r, line, NULL);

		if (rc < 0) {
			mt_smtp_reply_clear(&r);
			mt_smtp_reply_init(&r);
		} else if (rc > 0 && r.code == 250) {
			*out = (struct mt_smtp_extensions){ 0 };
			if (r.lines > 1)
				mt_smtp_extensions_parse(mt_buf_slice(&r.text), out);
		}
	}
	mt_smtp_reply_clear(&r);
}
