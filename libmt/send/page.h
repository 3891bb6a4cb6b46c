/* page.h - a page of HTML in a message: its charset, its pictures, the text beside it */
#ifndef MT_SEND_PAGE_H
#define MT_SEND_PAGE_H

#include "base/err.h"
#include "base/slice.h"
#include "send/compose.h"

/*
 * Make the page in fd the HTML of c, when the text and all inline files are there. A text
 * that is blank is replaced by what the page says (message/html.h).
 *
 * The page is UTF-8, or has the charset that it declares; then it is converted. An inline
 * file is shown where an attribute, or url() of a style, is cid:NAME, or NAME alone, which
 * is the file as it was given, or the last component of that; percent-encoded or not.
 * There it gets a Content-ID (RFC 2392).
 *
 * MT_EDATA: it is empty or too long, its charset is not known or not kept, it refers to a
 * cid: that is no inline file or shows a file of this machine that is none (unless it has
 * a <base>), or it does not show one that there is.
 */
int mt_page_read(struct mt_compose *c, int fd, struct mt_err *err);

/* Put text below the page as what somebody else wrote, with a line above it that says so.
   MT_EDATA when it gets too long. */
int mt_page_quote(struct mt_compose *c, const char *who, struct mt_slice text,
    struct mt_err *err);

#endif
