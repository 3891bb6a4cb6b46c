/*
 * smtp_session.c - whole connections: the first byte chooses the server, the second seeds
 * the driver's answers, the rest is what the peer sends. Every reply is well formed, and no
 * byte of a message is taken for a command.
 */
#include <glib.h>
#include <stdint.h>

#include "base/limits.h"
#include "smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t seed;

static const struct mt_smtp_answer *
judge(const struct mt_smtp_answer *no)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % 4 == 0 ? no : NULL;
}

/* "250-text CRLF" or "250 text CRLF", printable. */
static void
check_output(struct mt_slice out)
{
	while (out.n > 0) {
		size_t n = mt_slice_find(out, '\n');

		g_assert(n < out.n && n >= 5 && out.p[n - 1] == '\r');
		g_assert(out.p[0] >= '2' && out.p[0] <= '5' && g_ascii_isdigit(out.p[1]));
		g_assert(g_ascii_isdigit(out.p[2]) && (out.p[3] == ' ' || out.p[3] == '-'));
		for (size_t i = 4; i < n - 1; i++)
			g_assert(out.p[i] >= ' ' && out.p[i] <= '~');
		out = mt_slice_from(out, n + 1);
	}
}

static void
check_envelope(const struct mt_smtp_session *s)
{
	const struct mt_smtp_envelope *e = mt_smtp_session_envelope(s);

	g_assert(e->rcpts_n > 0 && e->rcpts_n <= MT_MAX_RCPTS);
	g_assert(e->envid[0] == '\0' || mt_dsn_is_envid(e->envid));
	for (size_t i = 0; i < e->rcpts_n; i++) {
		g_assert(!mt_smtp_path_is_null(&e->rcpts[i]));
		g_assert(e->rcpts[i].is_ascii || e->is_utf8);
		g_assert(e->wishes == NULL || e->wishes[i].orcpt[0] == '\0' ||
		    mt_dsn_is_orcpt(e->wishes[i].orcpt));
	}
}

static enum mt_smtp_event
receive(struct mt_smtp_session *s, struct mt_slice *wire)
{
	const struct mt_smtp_answer *a;
	enum mt_smtp_data_status status;
	struct mt_smtp_data d;
	char *out = g_malloc(wire->n + 1);
	size_t n;

	mt_smtp_data_init(&d, 1000);
	status = mt_smtp_data_decode(&d, wire, out, &n);
	g_free(out);
	if (status == MT_SMTP_DATA_MORE)
		return mt_smtp_session_abort(s, &mt_smtp_timed_out);
	a = mt_smtp_answer_of_data(status);
	return mt_smtp_session_data_done(s, a, 1);
}

/* One step of the driver; false at the end. */
static bool
step(struct mt_smtp_session *s, struct mt_slice *wire, enum mt_smtp_event *ev)
{
	struct mt_slice line;

	switch (*ev) {
	case MT_SMTP_GO_ON:
		if (wire->n == 0)
			return false;
		line = mt_slice_first(*wire, MIN(mt_slice_find(*wire, '\n') + 1,
		    MT_MAX_SMTP_LINE));
		*wire = mt_slice_from(*wire, line.n);
		mt_smtp_session_loggable(s, line);
		*ev = mt_smtp_session_line(s, line);
		return true;
	case MT_SMTP_START_TLS:
		*ev = mt_smtp_session_tls_started(s);
		return true;
	case MT_SMTP_CHECK_LOGIN:
		g_assert(mt_smtp_session_user(s)[0] != '\0');
		g_assert(mt_smtp_session_secret(s)[0] != '\0');
		*ev = mt_smtp_session_answer(s, judge(&mt_smtp_bad_login));
		return true;
	case MT_SMTP_CHECK_SENDER:
		*ev = mt_smtp_session_answer(s, judge(&mt_smtp_not_your_address));
		return true;
	case MT_SMTP_CHECK_RCPT:
		*ev = mt_smtp_session_answer(s, judge(&mt_smtp_no_user));
		return true;
	case MT_SMTP_BEGIN_DATA:
		check_envelope(s);
		*ev = mt_smtp_session_answer(s, judge(&mt_smtp_no_space));
		return true;
	case MT_SMTP_RECEIVE_DATA:
		*ev = receive(s, wire);
		return true;
	case MT_SMTP_CLOSE:
	default:
		return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_smtp_session_params params = { .host = "mx.example", .size_max = 1000 };
	struct mt_smtp_session *s;
	struct mt_slice wire;
	enum mt_smtp_event ev;

	if (size < 2)
		return 0;
	params.mode = data[0] % 3;
	params.can_tls = data[0] & 4;
	params.can_dsn = data[0] & 32;
	params.is_tls = data[0] & 8;
	params.rcpts_max = data[0] & 16 ? 2 : 0;
	seed = data[1];
	wire = mt_slice_mem(data + 2, size - 2);
	s = mt_smtp_session_new(&params);
	ev = mt_smtp_session_greet(s, NULL);
	do {
		check_output(mt_smtp_session_output(s));
	} while (step(s, &wire, &ev));
	mt_smtp_session_free(s);
	return 0;
}
