/* attach.h - an attachment on its way into a message: open it, find its type */
#ifndef MT_MESSAGE_ATTACH_H
#define MT_MESSAGE_ATTACH_H

#include "base/auto.h"
#include "base/err.h"
#include "message/build.h"

struct mt_attach {
	int fd;			/* -1: content is in memory */
	struct mt_slice content;
	char *type;		/* "text/plain" */
	char *charset;		/* of text, as far as its beginning tells; or NULL */
	char *name;		/* or NULL */
	bool is_entity;		/* has fields of its own */
	bool as_is;		/* a message that needs no encoding, and may have none */
	bool has_8bit;		/* then with 8-bit bytes in it */
};

/* Whether an attachment may be said to be this: "type/subtype" and nothing behind it (RFC
   2045 5.1), but for types with rules of their own for what is in them (RFC 2046 5). */
bool mt_attach_is_type(const char *s);

/*
 * Open it, and read enough of it to say what it is (libmagic; of a given type, the charset
 * if it is text).
 * What cannot be read twice (a pipe) is copied to a temporary file. Errors name the path.
 */
int mt_attach_open(struct mt_attach *a, const struct mt_build_attachment *from,
    bool only_7bit, struct mt_err *err);
/* Read from the start, piece by piece. */
int mt_attach_read(const struct mt_attach *a,
    int (*each)(void *arg, struct mt_slice piece, struct mt_err *err), void *arg,
    struct mt_err *err);
void mt_attach_close(struct mt_attach *a);

#endif
