/* html_tags.h - HTML with only the tags and attributes that its renderer reads */
#ifndef MT_MESSAGE_HTML_TAGS_H
#define MT_MESSAGE_HTML_TAGS_H

#include "base/buf.h"

/* A value in single quotes may be of double quotes, each "&quot;"; a tag may lack its end. */
#define MT_HTML_TAGS_MAX(n) (6 * (n) + 8)

/*
 * Append the document to out with every tag written anew: its name and, of its attributes,
 * alt, hidden, href and style, each once and in double quotes. Comments, declarations,
 * and what is in <script> and <style> are left out; a "<" that begins nothing is "&lt;".
 *
 * libxml2 (2.9) compares each attribute of a tag with all before it, so that one tag of
 * 4 MB takes it minutes. Since it sees no other tags than those written here, it does
 * not matter where it would have seen some: broken markup is read much as libxml2 does.
 *
 * out has room for MT_HTML_TAGS_MAX(html.n) bytes.
 */
void mt_html_tags_reduce(struct mt_slice html, struct mt_buf *out);

#endif
