/* json.c - what is printed as JSON: text of any bytes, counts, one object a line */
#include "base/json.h"

#include <stdlib.h>

json_t *
mt_json_text(const char *text)
{
	g_autofree char *valid = text == NULL ? NULL : g_utf8_make_valid(text, -1);

	return valid == NULL ? json_null() : json_string(valid);
}

json_t *
mt_json_count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *
mt_json_lines(const GPtrArray *lines)
{
	json_t *array = json_array();

	for (guint i = 0; i < lines->len; i++)
		json_array_append_new(array, mt_json_text(g_ptr_array_index(lines, i)));
	return array;
}

void
mt_json_print(json_t *object, char end, FILE *to)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (text == NULL)
		g_error("JSON could not be made");
	fputs(text, to);
	fputc(end, to);
	free(text);
	json_decref(object);
}
