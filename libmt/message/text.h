/* text.h - the readable part of a message, as text for a terminal */
#ifndef MT_MESSAGE_TEXT_H
#define MT_MESSAGE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct mt_text_attachment {
	char *name;		/* printable UTF-8; NULL when it has none */
	char *type;		/* "image/png" */
	uint64_t size;		/* decoded bytes */
	unsigned part;		/* index for mt_mime_part() */
};

/*
 * What a person reads. Everything is valid UTF-8 without control characters but LF
 * and tab (ESC, CSI, bidirectional overrides and the like are gone), so that no message
 * can drive the terminal.
 */
struct mt_text {
	char *from, *to, *cc, *date, *subject;	/* decoded; NULL when there is none */
	char *body;		/* text/plain, or HTML rendered; "" when there is none */
	const char *body_type;	/* "text/plain", "text/html": what body was made from */
	bool cut;		/* body was longer than MT_MAX_TEXT, or parts were cut */
	unsigned *shown;	/* the parts that body was made from, by mt_mime_part()'s index */
	size_t nshown;
	struct mt_text_attachment *attachments;
	size_t nattachments;
	const char *trouble;	/* what is odd about the message, or NULL */
};

/*
 * Read a message. One that mt_prescan_fd() does not find plain is read in a forked
 * child on a leash, and its death is an MT_EDATA that says so: the caller lives on; where
 * no child can be made that is an MT_ETEMP, and nothing is said of the message. Of
 * one with too long a header only the beginning of that is read. fd must be seekable;
 * its offset is not moved. After an error out is empty.
 */
int mt_text_read(int fd, struct mt_text *out, struct mt_err *err);
void mt_text_clear(struct mt_text *t);

MT_AUTO_VALUE_DEFINE(mt_text, mt_text_clear);

#endif
