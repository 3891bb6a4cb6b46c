/* json.h - what is printed as JSON: text of any bytes, counts, one object a line */
#ifndef MT_BASE_JSON_H
#define MT_BASE_JSON_H

#include <glib.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A string (new reference): bytes that are no UTF-8, as names of files may hold, become
 * U+FFFD. NULL gives JSON's null.
 */
json_t *mt_json_text(const char *text);
json_t *mt_json_count(uint64_t n);
/* An array of the strings of a GPtrArray of char *. */
json_t *mt_json_lines(const GPtrArray *lines);

/*
 * Print the object in one line with `end` behind it, and drop the reference. An error of
 * the stream stays in it for ferror(). An object that cannot be printed is our bug.
 */
void mt_json_print(json_t *object, char end, FILE *to);

#endif
