/*
 * pop3_session.c - whole connections: the first byte chooses the server, the second seeds
 * the driver's answers, the rest is what the reader sends.
 */
#include <glib.h>
#include <stdint.h>

#include "base/limits.h"
#include "pop3/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mt_pop3_message list[] = {
	{ 1, "a" }, { UINT32_MAX, "b" }, { 3, "c" }, { 4, "d" }, { 5, "e" },
};
static uint32_t seed;

static bool
yes(void)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % 4 != 0;
}

static enum mt_pop3_event
next_line(struct mt_pop3_session *s, struct mt_slice *wire)
{
	struct mt_slice line = mt_slice_first(*wire,
	    MIN(mt_slice_find(*wire, '\n') + 1, MT_MAX_POP3_LINE));

	*wire = mt_slice_from(*wire, line.n);
	mt_pop3_session_loggable(s, line);
	return mt_pop3_session_line(s, line);
}

static enum mt_pop3_event
send_one(struct mt_pop3_session *s)
{
	g_assert(mt_pop3_session_number(s) < G_N_ELEMENTS(list));
	g_assert(!mt_pop3_session_is_deleted(s, mt_pop3_session_number(s)));
	g_assert(mt_pop3_session_lines(s) >= -1);
	if (!yes())
		return mt_pop3_session_send_failed(s);
	mt_pop3_session_send_begins(s);
	return MT_POP3_GO_ON;
}

/* One step of the driver; false at the end. */
static bool
step(struct mt_pop3_session *s, struct mt_slice *wire, enum mt_pop3_event *ev)
{
	switch (*ev) {
	case MT_POP3_GO_ON:
		if (wire->n == 0)
			return false;
		*ev = next_line(s, wire);
		return true;
	case MT_POP3_MORE:
		*ev = mt_pop3_session_more(s);
		return true;
	case MT_POP3_START_TLS:
		*ev = mt_pop3_session_tls_started(s);
		return true;
	case MT_POP3_CHECK_LOGIN:
		g_assert(mt_pop3_session_user(s)[0] != '\0');
		g_assert(mt_pop3_session_secret(s)[0] != '\0');
		*ev = yes() ? mt_pop3_session_login_ok(s, list, G_N_ELEMENTS(list))
			    : mt_pop3_session_login_failed(s, MT_POP3_LOGIN_WRONG);
		return true;
	case MT_POP3_SEND:
		*ev = send_one(s);
		return true;
	case MT_POP3_COMMIT:
		*ev = mt_pop3_session_committed(s, yes());
		return true;
	case MT_POP3_CLOSE:
	default:
		return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_pop3_session_params params = { .host = "mx.example" };
	struct mt_pop3_session *s;
	struct mt_slice wire;
	enum mt_pop3_event ev;

	if (size < 2)
		return 0;
	params.can_tls = data[0] & 1;
	params.is_tls = data[0] & 2;
	seed = data[1];
	wire = mt_slice_mem(data + 2, size - 2);
	s = mt_pop3_session_new(&params);
	ev = mt_pop3_session_greet(s);
	for (;;) {
		struct mt_slice out = mt_pop3_session_output(s);

		/* Every reply ends its line, and no NUL is in it. */
		g_assert(out.n == 0 || mt_slice_ends(out, MT_SLICE("\r\n")));
		g_assert(mt_slice_find(out, '\0') == out.n);
		if (!step(s, &wire, &ev))
			break;
	}
	mt_pop3_session_free(s);
	return 0;
}
