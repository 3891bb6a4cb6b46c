/* html.h - HTML of a mail as text for a terminal */
#ifndef MT_MESSAGE_HTML_H
#define MT_MESSAGE_HTML_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * Append what a reader would see: paragraphs, lists, tables as lines, links numbered in
 * the text and listed below it. Styles, scripts and what is hidden (display:none) are
 * left out. Nothing is opened or fetched. charset is the part's, or NULL: then what the
 * document declares, else a guess. Bytes beyond MT_MAX_HTML, what is nested deeper than
 * MT_MAX_HTML_DEPTH, and what out cannot hold is cut: then false.
 */
bool mt_html_to_text(struct mt_slice html, const char *charset, struct mt_buf *out);

/* The name of the charset that the document declares for itself (<meta>), where it stands
   in there; empty when there is none in its first 2048 bytes. */
struct mt_slice mt_html_charset(struct mt_slice html);

#endif
