/* json.c - JSON of whatever bytes there are */
#include "base/json.h"

#include "tap.h"

static char *
printed(json_t *object, char end)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	mt_json_print(object, end, to);
	fclose(to);
	return text;
}

int
main(void)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new();
	char one[] = "one", two[] = "t\xffo";
	char *text;

	g_ptr_array_add(lines, one);
	g_ptr_array_add(lines, two);
	text = printed(json_pack("{s:o, s:o, s:o}", "a", mt_json_text("x\"\n"), "b",
	    mt_json_text(NULL), "n", mt_json_count(UINT32_MAX)), '\n');
	is_str(text, "{\"a\":\"x\\\"\\n\",\"b\":null,\"n\":4294967295}\n", "an object");
	free(text);
	text = printed(mt_json_lines(lines), '\n');
	is_str(text, "[\"one\",\"t\xef\xbf\xbdo\"]\n", "bytes that are no UTF-8");
	free(text);
	return tap_done();
}
