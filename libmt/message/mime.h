/* mime.h - walk the parts of a message (RFC 2045, RFC 2046), over GMime */
#ifndef MT_MESSAGE_MIME_H
#define MT_MESSAGE_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * A parsed message. The file stays open: content is read when it is asked for, so memory
 * does not grow with attachments. Run mt_prescan_fd() first; what is not
 * MT_PRESCAN_PLAIN is opened in a child only.
 */
struct mt_mime;

/* fd must be seekable and is duplicated; its file offset, which is shared, moves. */
struct mt_mime *mt_mime_open(int fd, struct mt_err *err);
void mt_mime_free(struct mt_mime *m);

enum mt_mime_kind {
	MT_MIME_LEAF,		/* has content */
	MT_MIME_MULTIPART,	/* its parts follow, one deeper */
	MT_MIME_MESSAGE,	/* message/rfc822: what is in it follows, one deeper */
};

/* One part; strings are UTF-8, printable, and borrowed until mt_mime_free(). */
struct mt_mime_part {
	enum mt_mime_kind kind;
	unsigned depth;		/* 0 for the message's own body */
	unsigned index;		/* 0, 1, ... in the order of the walk */
	int parent;		/* index of the part that holds it; -1 */
	const char *type;	/* "text/plain", lower case */
	const char *charset;	/* as declared, or NULL */
	bool is_flowed, delsp;	/* text/plain as RFC 3676 has it */
	const char *disposition;/* "attachment", "inline", ... or NULL */
	const char *filename;	/* decoded, last component only; or NULL */
	uint64_t encoded_size;	/* in the file */
};

/*
 * The parts in the order in which they stand, parents first. Parts deeper than
 * MT_MAX_MIME_DEPTH, and more than MT_MAX_MIME_PARTS, are not walked:
 * mt_mime_is_cut() tells.
 */
size_t mt_mime_count(const struct mt_mime *m);
const struct mt_mime_part *mt_mime_part(const struct mt_mime *m, size_t index);
bool mt_mime_is_cut(const struct mt_mime *m);

/* A field of an embedded message, decoded and printable; NULL: there is none. g_free. */
char *mt_mime_message_field(const struct mt_mime *m, size_t index, const char *name);

/* Takes the next piece; 0, or -1 with an error, which ends the copy. */
typedef int mt_mime_writer(void *arg, const void *p, size_t n, struct mt_err *err);

/* Decode the content of a leaf, or write the embedded message, piece by piece. A
   multipart has none. */
int mt_mime_content(const struct mt_mime *m, size_t index, mt_mime_writer *writer,
    void *arg, struct mt_err *err);
/* Write any part as it stands: its own fields (Content-...), an empty line, and what is in
   it, not decoded. Line ends may be LF and CRLF. */
int mt_mime_entity(const struct mt_mime *m, size_t index, mt_mime_writer *writer,
    void *arg, struct mt_err *err);
/* The decoded size. */
int mt_mime_size(const struct mt_mime *m, size_t index, uint64_t *size,
    struct mt_err *err);
/* Append the content; what passes out->max is MT_EDATA, and out holds what fitted. */
int mt_mime_bytes(const struct mt_mime *m, size_t index, struct mt_buf *out,
    struct mt_err *err);
/*
 * The same for a text part, made UTF-8 (mt_charset_to_utf8()) and clean of what drives a
 * terminal (mt_charset_clean_text()). Cut at out->max, at a character: then *cut is true.
 */
int mt_mime_text(const struct mt_mime *m, size_t index, struct mt_buf *out, bool *cut,
    struct mt_err *err);


MT_AUTO_DEFINE(mt_mime, mt_mime_free);

#endif
