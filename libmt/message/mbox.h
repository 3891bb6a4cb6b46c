/* mbox.h - the messages of an mbox file, as byte ranges (RFC 4155 and its dialects) */
#ifndef MT_MESSAGE_MBOX_H
#define MT_MESSAGE_MBOX_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * An mbox file, read front to back in constant memory. A message begins behind a line
 * "From SENDER DATE" that stands behind an empty line or before a header field
 * (archives of mailman leave the empty line out); "From SENDER" alone needs both, but
 * for the "From -" of Mozilla. Dialects:
 *
 *	mboxo	body lines "From " were written ">From ": cannot be told from text
 *	mboxrd	">From ", ">>From ": one ">" comes off each
 *	mboxcl	Content-Length says where the body ends; believed only when
 *		a From line or the end of the file stands there
 *
 * Lines end in LF or CRLF; what comes out has the line ends that the file has. Empty
 * lines before the first From line, and a byte order mark, are passed over.
 */
struct mt_mbox;

enum mt_mbox_quoting {
	MT_MBOX_RD,	/* take one ">" off ">From " and ">>From " */
	MT_MBOX_ASIS,	/* leave lines as they stand (mboxo, mboxcl2) */
};

/* The descriptor must be seekable and is borrowed. MT_EDATA: it is no mbox. */
struct mt_mbox *mt_mbox_open(int fd, enum mt_mbox_quoting quoting, struct mt_err *err);
void mt_mbox_close(struct mt_mbox *m);

/* Where a message lies in the file: without its From line and the empty line behind. */
struct mt_mbox_entry {
	uint64_t start;
	uint64_t size;
	uint64_t from_line;	/* where its From line begins */
};

/* The next message: 1, or 0 at the end, or -1 (MT_EIO). */
int mt_mbox_next(struct mt_mbox *m, struct mt_mbox_entry *out, struct mt_err *err);

/* Takes the next piece; 0, or -1 with an error, which ends the copy. */
typedef int mt_mbox_writer(void *arg, const void *p, size_t n, struct mt_err *err);

/* Copy a message out, unquoted. May be called between calls of mt_mbox_next(). */
int mt_mbox_copy(struct mt_mbox *m, const struct mt_mbox_entry *e,
    mt_mbox_writer *writer, void *arg, struct mt_err *err);

MT_AUTO_DEFINE(mt_mbox, mt_mbox_close);

#endif
