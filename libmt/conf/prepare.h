/* prepare.h - a configuration file, before libconfuse reads it */
#ifndef MT_CONF_PREPARE_H
#define MT_CONF_PREPARE_H

#include <glib.h>

#include "base/err.h"

/*
 * What libconfuse (3.3) gets wrong is done here: it counts the lines of comments twice
 * or thrice, so they are made blank; it takes the end of the file for the end of a section;
 * it forgets where a section begins, which is at a brace that opens no list ("= {"); and
 * it takes a variable that is not set for an empty one.
 *
 * Blanks the comments in text, and appends to opened (unsigned) the line of each brace that
 * opens a section. MT_ECONF, with file and line, when the last section has no end, or for a
 * ${VARIABLE} that is not set and not in single quotes.
 */
int mt_conf_prepare(const char *file, char *text, GArray *opened, struct mt_err *err);

#endif
