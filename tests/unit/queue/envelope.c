/* envelope.c - envelopes of the queue: written, read, and refused */
#include "queue/envelope.h"

#include <string.h>

#include "tap.h"

#define HEAD "{\"version\":1,\"route\":\"work\",\"from\":\"a@b.example\",\"message_id\":null," \
	"\"copy_to\":null,\"copy_fields\":null,\"created\":5,\"not_before\":0,\"next\":5," \
	"\"told_delay\":0,\"tries\":0,\"held\":false,\"ours\":true,\"rcpts\":["
#define RCPT "{\"to\":\"c@d.example\",\"fate\":\"waiting\",\"unknown\":false,\"dsn\":\"\"," \
	"\"text\":null}"
#define GOOD HEAD RCPT "]}\n"

static const struct {
	const char *text;	/* NULL: none */
	const char *find, *put;	/* in GOOD, when text is NULL */
	const char *err;
} bad[] = {
	{ "", NULL, NULL, "envelope: byte 0: " },
	{ "{", NULL, NULL, "envelope: byte " },
	{ "[]", NULL, NULL, "envelope: " },
	{ "null", NULL, NULL, "envelope: " },
	{ GOOD "{}", NULL, NULL, "envelope: byte " },
	{ HEAD "]}", NULL, NULL, "envelope: no recipient" },
	{ HEAD "1]}", NULL, NULL, "envelope: recipient: " },
	{ HEAD "{}]}", NULL, NULL, "envelope: recipient: " },
	{ NULL, "\"version\":1", "\"version\":2", "envelope: version 2, not 1" },
	{ NULL, "\"version\":1", "\"version\":\"1\"", "envelope: " },
	{ NULL, "\"held\"", "\"hold\"", "envelope: " },
	{ NULL, "\"held\":false", "\"held\":false,\"held\":true", "envelope: byte " },
	{ NULL, "\"held\":false", "\"held\":false,\"more\":1", "envelope: " },
	{ NULL, "\"held\":false", "\"held\":0", "envelope: " },
	{ NULL, "\"created\":5", "\"created\":-5", "envelope: a negative number" },
	{ NULL, "\"tries\":0", "\"tries\":-1", "envelope: a negative number" },
	{ NULL, "\"tries\":0", "\"tries\":1.5", "envelope: " },
	{ NULL, "\"next\":5", "\"next\":99999999999999999999", "envelope: byte " },
	{ NULL, "a@b.example", "a@b\\r\\nRCPT TO:<x@y>", "envelope: a control character" },
	{ NULL, "\"route\":\"work\"", "\"route\":\"w\\u0007\"", "envelope: a control" },
	{ NULL, "\"route\":\"work\"", "\"route\":\"w\\u0000\"", "envelope: byte " },
	{ NULL, "\"copy_to\":null", "\"copy_to\":\"a\\nb\"", "envelope: a control" },
	{ NULL, "c@d.example", "c@d\\n", "is no address" },
	{ NULL, "c@d.example", "", "is no address" },
	{ NULL, "waiting", "gone", "envelope: no fate: \"gone\"" },
	{ NULL, "\"dsn\":\"\"", "\"dsn\":\"5.5555.55555\"", "envelope: no status code" },
	{ NULL, "\"text\":null", "\"text\":\"a\\nb\"", "envelope: a control character in" },
	{ NULL, "c@d.example", "\xff@d.example", "envelope: byte " },
	{ NULL, "\"unknown\"", "\"notify\":\"x\",\"unknown\"", "recipient: no such wish" },
	{ NULL, "\"unknown\"", "\"notify\":\"\",\"unknown\"", "recipient: no such wish" },
	{ NULL, "\"unknown\"", "\"notify\":null,\"unknown\"", "envelope: recipient: " },
	{ NULL, "\"unknown\"", "\"orcpt\":\"rfc822;a NOTIFY=NEVER\",\"unknown\"",
	    "recipient: no such wish" },
	{ NULL, "\"unknown\"", "\"relayed\":1,\"unknown\"", "envelope: recipient: " },
	{ NULL, "\"rcpts\"", "\"dsn\":null,\"rcpts\"", "envelope: dsn: " },
	{ NULL, "\"rcpts\"", "\"dsn\":{\"notify\":\"x\",\"ret\":null,\"envid\":null},"
	    "\"rcpts\"", "envelope: dsn: no such wish" },
	{ NULL, "\"rcpts\"", "\"dsn\":{\"notify\":\"\",\"ret\":\"all\",\"envid\":null},"
	    "\"rcpts\"", "envelope: dsn: no such wish" },
	{ NULL, "\"rcpts\"", "\"dsn\":{\"notify\":\"\",\"ret\":null,\"envid\":\"a\\nb\"},"
	    "\"rcpts\"", "envelope: dsn: no such wish" },
};

static void
test_bad(const char *text, const char *want)
{
	struct mt_err err = { 0 };
	mt_auto(mt_envelope) e = mt_envelope_read(mt_slice_str(text), &err);

	ok(e == NULL && err.kind == MT_EDATA && strstr(err.msg, want) != NULL, "%s", want);
}

int
main(void)
{
	mt_auto(mt_envelope) e = mt_envelope_new("work", "", 5);
	mt_auto(mt_envelope) again = NULL;
	mt_auto_value(mt_buf) text = MT_BUF_INIT(4096);
	mt_auto_value(mt_buf) second = MT_BUF_INIT(4096);
	mt_auto_value(mt_buf) small = MT_BUF_INIT(100);
	mt_auto(mt_envelope) good = mt_envelope_read(MT_SLICE(GOOD), NULL);
	struct mt_err err = { 0 };
	mt_auto(mt_envelope) other = mt_envelope_new("work", "", 5);
	struct mt_queue_rcpt *r;

	e->message_id = g_strdup("<1@b.example>");
	e->copy_to = g_strdup("Sent \"2026\"");
	e->copy_fields = g_strdup("Bcc: x@y.example,\n z@y.example\n");
	e->not_before = 7;
	e->told_delay = 8;
	e->next = 9;
	e->tries = 10;
	e->is_held = true;
	e->notify = MT_DSN_SUCCESS | MT_DSN_DELAY;
	e->ret = MT_DSN_RET_HDRS;
	e->envid = g_strdup("a b");
	is_int(mt_envelope_notify(e, mt_envelope_add(e, "b@d.example")),
	    MT_DSN_SUCCESS | MT_DSN_DELAY, "a recipient without a wish has the envelope's");
	r = e->rcpts->pdata[0];
	r->notify = MT_DSN_NEVER;
	r->orcpt = g_strdup("rfc822;x+2By@d.example");
	r->is_relayed = true;
	is_int(mt_envelope_notify(e, r), MT_DSN_NEVER, "one with a wish has that");
	r->fate = MT_QUEUE_SENT;
	mt_envelope_add(e, "c@d.example");
	r = mt_envelope_add(e, "gr\xc3\xbc\xc3\x9f\x65@d.example");
	r->fate = MT_QUEUE_FAILED;
	r->is_unknown = true;
	g_strlcpy(r->dsn, "5.1.1", sizeof(r->dsn));
	r->text = g_strdup("550 5.1.1 \"no\" \\ such user");
	ok(mt_envelope_write(e, &text, &err) == 0, "written");
	ok(mt_buf_slice(&text).n > 0 && mt_slice_find(mt_buf_slice(&text), 0x0a) == text.n - 1,
	    "as one line");
	again = mt_envelope_read(mt_buf_slice(&text), &err);
	ok(again != NULL && mt_envelope_write(again, &second, &err) == 0 &&
	    mt_slice_eq(mt_buf_slice(&text), mt_buf_slice(&second)), "and read again");
	ok(again != NULL && again->is_held && again->next == 9 &&
	    again->notify == e->notify && again->ret == e->ret && again->rcpts->len == 3 &&
	    mt_envelope_has_relayed(again) && !mt_envelope_has_relayed(good),
	    "with all that it says");
	is_int((int64_t)mt_envelope_count(e, MT_QUEUE_WAITING), 1, "one waits");
	is_int((int64_t)mt_envelope_count(e, MT_QUEUE_FAILED), 1, "one is lost");
	is_int((int64_t)mt_envelope_count(e, MT_QUEUE_SENT), 1, "one was sent");
	mt_envelope_add(other, "a\xff@b.example");
	ok(mt_envelope_write(other, &second, &err) < 0 && err.kind == MT_EDATA,
	    "a recipient that cannot be written is not left out");
	ok(mt_envelope_write(e, &small, &err) < 0 && err.kind == MT_EDATA, "a ceiling holds");
	ok(good != NULL && good->created == 5 && good->message_id == NULL, "absent words");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_auto(GStrv) parts = NULL;
		g_autofree char *joined = NULL;

		if (bad[i].text == NULL) {
			parts = g_strsplit(GOOD, bad[i].find, 2);
			joined = g_strjoinv(bad[i].put, parts);
		}
		test_bad(joined != NULL ? joined : bad[i].text, bad[i].err);
	}
	return tap_done();
}
