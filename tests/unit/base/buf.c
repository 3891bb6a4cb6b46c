/* buf.c - the bounded buffer: content, ceiling */
#include "base/buf.h"

#include "tap.h"

int
main(void)
{
	mt_auto_value(mt_buf) b = MT_BUF_INIT(10);
	char *room;

	ok(mt_buf_append_str(&b, "hello") == 0, "append");
	ok(mt_buf_append_str(&b, "world!") < 0, "an append past the ceiling is refused");
	is_str(b.p, "hello", "and the content stays");
	ok(mt_buf_append_str(&b, "world") == 0, "up to the ceiling it fits");
	is_str(b.p, "helloworld", "with a NUL behind");
	mt_buf_drop(&b, 5);
	is_str(b.p, "world", "drop takes off the front");
	room = mt_buf_room(&b, 5);
	ok(room != NULL && mt_buf_room(&b, 6) == NULL, "room for five, not for six");
	room = mt_buf_room(&b, 5);
	room[0] = '!';
	mt_buf_wrote(&b, 1);
	is_str(b.p, "world!", "what was written into the room is there");
	mt_buf_reset(&b);
	ok(mt_buf_appendf(&b, "%d-%s", 42, "x") == 0, "formatted");
	is_str(b.p, "42-x", "as printf does");
	ok(mt_buf_room(&b, SIZE_MAX - 2) == NULL, "a size near SIZE_MAX is refused");
	mt_buf_clear_secret(&b);
	ok(b.p == NULL && b.n == 0 && b.max == 10, "clear frees and keeps the ceiling");
	return tap_done();
}
