/* page_files.h - the files that a page of HTML shows, by their Content-IDs (RFC 2392) */
#ifndef MT_SEND_PAGE_FILES_H
#define MT_SEND_PAGE_FILES_H

#include "base/err.h"
#include "base/slice.h"
#include "send/compose.h"

/*
 * Append the page, which is UTF-8, to c->html, with "cid:ID" where it shows an inline file
 * of c, and give that file the Content-ID. See mt_page_read() for what refers to a file,
 * and for the errors.
 */
int mt_page_files_link(struct mt_compose *c, struct mt_slice page, struct mt_err *err);

#endif
