/* wish.h - what a draft notes of how it is to be sent: a field X-Mt-PGP */
#ifndef MT_SEND_WISH_H
#define MT_SEND_WISH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* A field of drafts, and of the text in an editor: it is never sent. */
#define MT_WISH_FIELD "X-Mt-PGP"

struct mt_wish {
	bool sign, encrypt;
};

/* Add what the value of the field says: "sign", "encrypt", both, with blanks or commas.
   MT_EDATA, which quotes it, for another word: what is meant to be secret is not sent
   otherwise because of a slip. */
int mt_wish_parse(const char *value, struct mt_wish *w, struct mt_err *err);
/* The same from each such field of a header. */
int mt_wish_find(struct mt_slice header, struct mt_wish *w, struct mt_err *err);

/* "X-Mt-PGP: sign encrypt" LF, or nothing; -1 when it does not fit. */
int mt_wish_append(struct mt_buf *out, const struct mt_wish *w);

#endif
