/* client.c - an IMAP session: commands in flight, responses one by one (RFC 3501, RFC 9051) */
#include "imap/client.h"

#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/proc.h"
#include "imap/utf7.h"

/* Each response must be there within this time, and each piece of a body. */
#define TIMEOUT_MS (5 * 60 * 1000)
/* LITERAL- (RFC 7888 5) */
#define LITERAL_MINUS_MAX 4096

struct ended {
	struct mt_imap_done done;
	char *args, *text;
};

struct mt_imap {
	struct mt_conn *conn;
	char *name;
	unsigned caps, enabled;
	unsigned tag;		/* of the last command */
	GHashTable *commands;	/* tag -> struct ended *, NULL: under way; nobody has waited */
	GPtrArray *kept;	/* the strings of those that were */
	struct mt_buf text;	/* the response that comes in */
	bool body_was_streamed;
	bool is_over;
	bool is_wanted;		/* "+" came */
	mt_imap_on_data *on_data;
	void *arg;
	const struct mt_imap_sink *sink;
};

/* --- reading ---------------------------------------------------------------------- */

static int
fail_session(struct mt_imap *s, struct mt_err *err, enum mt_err_kind kind, const char *why)
{
	s->is_over = true;
	return mt_fail(err, kind, "%s: %s", s->name, why);
}

/* One line onto the text, without its end. */
static int
read_line(struct mt_imap *s, struct mt_err *err)
{
	struct mt_slice piece;
	bool is_whole = false;

	while (!is_whole) {
		int rc = mt_conn_raw_line(s->conn, MT_MAX_CONN_IN - 1, &piece, err);

		if (rc <= 0) {
			s->is_over = true;
			return rc < 0 ? mt_fail_in(err, "%s", s->name) : fail_session(s, err,
			    MT_ETEMP, "the server closed the connection");
		}
		is_whole = piece.p[piece.n - 1] == '\n';
		if (is_whole)
			piece.n--;
		if (mt_buf_append_slice(&s->text, piece) < 0)
			return fail_session(s, err, MT_EPROTO, "a response without end");
	}
	if (s->text.n > 0 && s->text.p[s->text.n - 1] == '\r')
		s->text.p[--s->text.n] = '\0';
	return 0;
}

/* Whether the literal at the end of text is the body of a message. */
static bool
is_body(struct mt_slice text)
{
	static const struct mt_slice names[] = { MT_SLICE("BODY[] "), MT_SLICE("BODY[]<0> "),
		MT_SLICE("RFC822 ") };

	if (!mt_slice_starts(text, MT_SLICE("* ")))
		return false;
	while (text.n > 0 && text.p[text.n - 1] != '{')
		text.n--;
	text.n--;
	if (text.n > 0 && text.p[text.n - 1] == '~')
		text.n--;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (text.n >= names[i].n && mt_slice_starts_nocase(
		    mt_slice_from(text, text.n - names[i].n), names[i]))
			return true;
	}
	return false;
}

/* n bytes of a literal to the sink, or onto the text. */
static int
read_bytes(struct mt_imap *s, uint64_t n, bool to_sink, struct mt_err *err)
{
	while (n > 0) {
		struct mt_slice piece;
		int rc;

		mt_conn_set_deadline(s->conn, TIMEOUT_MS);
		rc = mt_conn_peek(s->conn, &piece, err);
		if (rc <= 0) {
			s->is_over = true;
			return rc < 0 ? mt_fail_in(err, "%s", s->name) : fail_session(s, err,
			    MT_ETEMP, "the server closed the connection within a message");
		}
		piece = mt_slice_first(piece, (size_t)MIN(n, piece.n));
		if (!to_sink) {
			if (mt_buf_append_slice(&s->text, piece) < 0)
				return fail_session(s, err, MT_EPROTO, "a response without end");
		} else if (s->sink->write(s->sink->arg, piece.p, piece.n, err) < 0) {
			s->is_over = true;
			return -1;
		}
		mt_conn_consume(s->conn, piece.n);
		n -= piece.n;
	}
	return 0;
}

/* A body leaves "{0}" where it stood. */
static int
stream_body(struct mt_imap *s, uint64_t n, struct mt_err *err)
{
	if (s->body_was_streamed)
		return fail_session(s, err, MT_EPROTO, "two bodies for one message");
	s->body_was_streamed = true;
	while (s->text.p[s->text.n - 1] != '{')
		s->text.n--;
	mt_buf_append_str(&s->text, "0}\r\n");
	if (s->sink->begin(s->sink->arg, n, err) < 0) {
		s->is_over = true;
		return -1;
	}
	return read_bytes(s, n, true, err);
}

static int
read_response(struct mt_imap *s, struct mt_err *err)
{
	uint64_t n;

	mt_buf_reset(&s->text);
	s->body_was_streamed = false;
	for (;;) {
		bool to_sink;

		mt_conn_set_deadline(s->conn, TIMEOUT_MS);
		if (read_line(s, err) < 0)
			return -1;
		if (!mt_imap_ends_in_literal(mt_buf_slice(&s->text), &n))
			return 0;
		to_sink = s->sink != NULL && is_body(mt_buf_slice(&s->text));
		if (n > (to_sink ? MT_MAX_IMAP_MESSAGE : MT_MAX_IMAP_LITERAL)) {
			s->is_over = true;
			return mt_fail(err, MT_EPROTO, "%s: the server announces %llu bytes at "
			    "once: %.*s", s->name, (unsigned long long)n,
			    MT_SLICE_ARG(mt_slice_first(mt_buf_slice(&s->text), 80)));
		}
		if (to_sink ? stream_body(s, n, err) < 0 :
		    mt_buf_append_str(&s->text, "\r\n") < 0 ||
		    read_bytes(s, n, false, err) < 0)
			return -1;
	}
}

static unsigned
caps_of(struct mt_slice words)
{
	static const struct {
		const char *name;
		unsigned caps;
	} names[] = {
		{ "IMAP4rev1", MT_IMAP_CAP_REV1 },
		{ "IMAP4rev2", MT_IMAP_CAP_REV2 | MT_IMAP_CAP_ENABLE | MT_IMAP_CAP_NAMESPACE |
			MT_IMAP_CAP_UNSELECT | MT_IMAP_CAP_UIDPLUS | MT_IMAP_CAP_ESEARCH |
			MT_IMAP_CAP_IDLE | MT_IMAP_CAP_LIST_STATUS | MT_IMAP_CAP_MOVE |
			MT_IMAP_CAP_LITERAL_MINUS | MT_IMAP_CAP_SPECIAL_USE },
		{ "LITERAL+", MT_IMAP_CAP_LITERAL_PLUS },
		{ "LITERAL-", MT_IMAP_CAP_LITERAL_MINUS },
		{ "UIDPLUS", MT_IMAP_CAP_UIDPLUS },
		{ "MOVE", MT_IMAP_CAP_MOVE },
		{ "SPECIAL-USE", MT_IMAP_CAP_SPECIAL_USE },
		{ "NAMESPACE", MT_IMAP_CAP_NAMESPACE },
		{ "LIST-STATUS", MT_IMAP_CAP_LIST_STATUS },
		{ "ESEARCH", MT_IMAP_CAP_ESEARCH },
		{ "CONDSTORE", MT_IMAP_CAP_CONDSTORE },
		{ "QRESYNC", MT_IMAP_CAP_QRESYNC | MT_IMAP_CAP_CONDSTORE },
		{ "ENABLE", MT_IMAP_CAP_ENABLE },
		{ "IDLE", MT_IMAP_CAP_IDLE },
		{ "NOTIFY", MT_IMAP_CAP_NOTIFY },
		{ "ID", MT_IMAP_CAP_ID },
		{ "X-GM-EXT-1", MT_IMAP_CAP_GMAIL },
		{ "UNSELECT", MT_IMAP_CAP_UNSELECT },
		{ "COMPRESS=DEFLATE", MT_IMAP_CAP_COMPRESS },
		{ "UTF8=ACCEPT", MT_IMAP_CAP_UTF8 },
		{ "UTF8=ONLY", MT_IMAP_CAP_UTF8 },
	};
	struct mt_slice word;
	unsigned caps = 0;

	while (mt_slice_take_word(&words, &word)) {
		for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
			if (mt_slice_eq_nocase(word, mt_slice_str(names[i].name)))
				caps |= names[i].caps;
		}
	}
	return caps;
}

static void
ended_free(void *p)
{
	struct ended *e = p;

	if (e == NULL)
		return;
	g_free(e->args);
	g_free(e->text);
	g_free(e);
}

static int
take_tagged(struct mt_imap *s, const struct mt_imap_response *r, struct mt_err *err)
{
	struct mt_slice digits = r->tag;
	gpointer before = NULL;
	struct ended *e;
	uint64_t tag;

	if (!mt_slice_take_char(&digits, 'M') || !mt_slice_take_u64(&digits, s->tag, &tag) ||
	    digits.n > 0 || !g_hash_table_lookup_extended(s->commands,
	    GUINT_TO_POINTER((unsigned)tag), NULL, &before) || before != NULL)
		return fail_session(s, err, MT_EPROTO,
		    "the server ends a command that is not under way");
	e = g_new0(struct ended, 1);
	e->args = mt_slice_dup(r->code_args);
	e->text = mt_slice_dup(mt_slice_from(mt_buf_slice(&s->text), r->tag.n + 1));
	e->done = (struct mt_imap_done){ r->kind, r->code, e->args, e->text };
	g_hash_table_replace(s->commands, GUINT_TO_POINTER((unsigned)tag), e);
	return 0;
}

/* One response, to whom it is for. */
static int
step(struct mt_imap *s, struct mt_err *err)
{
	struct mt_imap_response r;

	if (s->is_over)
		return fail_session(s, err, MT_ETEMP, "the session is over");
	if (read_response(s, err) < 0)
		return -1;
	if (!mt_imap_response_parse(mt_buf_slice(&s->text), &r)) {
		s->is_over = true;
		return mt_fail(err, MT_EPROTO, "%s: no response of IMAP: %.*s", s->name,
		    MT_SLICE_ARG(mt_slice_first(mt_buf_slice(&s->text), 200)));
	}
	if (r.kind == MT_IMAP_CAPABILITY)
		s->caps = caps_of(r.data);
	else if (r.code == MT_IMAP_CODE_CAPABILITY)
		s->caps = caps_of(r.code_args);
	else if (r.kind == MT_IMAP_ENABLED)
		s->enabled |= caps_of(r.data);
	if (r.tag.n > 0)
		return take_tagged(s, &r, err);
	if (r.kind == MT_IMAP_CONTINUE) {
		s->is_wanted = true;
		return 0;
	}
	if (r.kind == MT_IMAP_BYE) {
		s->is_over = true;
		return mt_fail(err, MT_ETEMP, "%s: the server ends the session: %.*s", s->name,
		    MT_SLICE_ARG(r.text));
	}
	if (r.kind == MT_IMAP_FETCH && r.fetch.body.n > 0 && s->sink != NULL &&
	    (s->sink->begin(s->sink->arg, r.fetch.body.n, err) < 0 ||
	    s->sink->write(s->sink->arg, r.fetch.body.p, r.fetch.body.n, err) < 0)) {
		s->is_over = true;
		return -1;
	}
	if (s->on_data != NULL && s->on_data(s->arg, &r, err) < 0) {
		s->is_over = true;
		return -1;
	}
	return 0;
}

/* --- commands --------------------------------------------------------------------- */

static unsigned
begin(struct mt_imap *s, const char *fmt, va_list ap, struct mt_err *err)
{
	g_autofree char *words = g_strdup_vprintf(fmt, ap);

	if (s->is_over) {
		fail_session(s, err, MT_ETEMP, "the session is over");
		return 0;
	}
	if (mt_conn_writef(s->conn, err, "M%u ", ++s->tag) < 0 ||
	    mt_conn_write(s->conn, words, strlen(words), err) < 0) {
		s->is_over = true;
		mt_fail_in(err, "%s", s->name);
		return 0;
	}
	g_hash_table_insert(s->commands, GUINT_TO_POINTER(s->tag), NULL);
	return s->tag;
}

unsigned
mt_imap_send(struct mt_imap *s, struct mt_err *err, const char *fmt, ...)
{
	unsigned tag;
	va_list ap;

	va_start(ap, fmt);
	tag = begin(s, fmt, ap, err);
	va_end(ap);
	return tag != 0 && mt_imap_end(s, err) == 0 ? tag : 0;
}

int
mt_imap_write(struct mt_imap *s, const void *p, size_t n, struct mt_err *err)
{
	mt_conn_set_deadline(s->conn, TIMEOUT_MS);
	if (mt_conn_write(s->conn, p, n, err) == 0)
		return 0;
	s->is_over = true;
	return mt_fail_in(err, "%s", s->name);
}

int
mt_imap_end(struct mt_imap *s, struct mt_err *err)
{
	return mt_imap_write(s, "\r\n", 2, err);
}

/* Until the server wants the literal: 1, or 0 when it has ended the command. */
static int
wait_wanted(struct mt_imap *s, unsigned tag, struct mt_imap_done *refused, struct mt_err *err)
{
	s->is_wanted = false;
	while (!s->is_wanted) {
		if (g_hash_table_lookup(s->commands, GUINT_TO_POINTER(tag)) != NULL)
			return mt_imap_wait(s, tag, refused, err) < 0 ? -1 : 0;
		if (step(s, err) < 0)
			return -1;
	}
	return 1;
}

static unsigned
send_literal(struct mt_imap *s, const char *mark, uint64_t n, struct mt_imap_done *refused,
    struct mt_err *err, const char *fmt, va_list ap)
{
	bool at_once = mt_imap_has(s, MT_IMAP_CAP_LITERAL_PLUS) ||
	    (mt_imap_has(s, MT_IMAP_CAP_LITERAL_MINUS) && n <= LITERAL_MINUS_MAX);
	unsigned tag = begin(s, fmt, ap, err);
	int rc;

	*refused = (struct mt_imap_done){ .kind = MT_IMAP_OK };
	if (tag == 0)
		return 0;
	if (mt_conn_writef(s->conn, err, " %s{%llu%s}\r\n", mark, (unsigned long long)n,
	    at_once ? "+" : "") < 0) {
		s->is_over = true;
		return 0;
	}
	rc = at_once ? 1 : wait_wanted(s, tag, refused, err);
	if (rc == 0)
		mt_imap_fail(refused, err);
	return rc > 0 ? tag : 0;
}

unsigned
mt_imap_send_literal(struct mt_imap *s, uint64_t n, struct mt_imap_done *refused,
    struct mt_err *err, const char *fmt, ...)
{
	unsigned tag;
	va_list ap;

	va_start(ap, fmt);
	tag = send_literal(s, "", n, refused, err, fmt, ap);
	va_end(ap);
	return tag;
}

unsigned
mt_imap_send_utf8(struct mt_imap *s, uint64_t n, struct mt_imap_done *refused,
    struct mt_err *err, const char *fmt, ...)
{
	unsigned tag;
	va_list ap;

	va_start(ap, fmt);
	tag = send_literal(s, "UTF8 (~", n, refused, err, fmt, ap);
	va_end(ap);
	return tag;
}

int
mt_imap_wait(struct mt_imap *s, unsigned tag, struct mt_imap_done *done, struct mt_err *err)
{
	struct ended *e;

	while ((e = g_hash_table_lookup(s->commands, GUINT_TO_POINTER(tag))) == NULL) {
		if (step(s, err) < 0)
			return -1;
	}
	g_hash_table_steal(s->commands, GUINT_TO_POINTER(tag));
	*done = e->done;
	/* The last few are enough: nobody looks back further. */
	if (s->kept->len > 64)
		g_ptr_array_remove_range(s->kept, 0, 32);
	g_ptr_array_add(s->kept, e);
	return 0;
}

void
mt_imap_fail(const struct mt_imap_done *done, struct mt_err *err)
{
	bool is_temporary = done->code == MT_IMAP_CODE_UNAVAILABLE ||
	    done->code == MT_IMAP_CODE_INUSE || done->code == MT_IMAP_CODE_LIMIT;

	mt_fail(err, is_temporary ? MT_ETEMP : MT_EUNAVAIL, "the server says: %s", done->text);
}

int
mt_imap_wait_ok(struct mt_imap *s, unsigned tag, struct mt_imap_done *done,
    struct mt_err *err)
{
	if (mt_imap_wait(s, tag, done, err) < 0)
		return -1;
	if (done->kind == MT_IMAP_OK)
		return 0;
	mt_imap_fail(done, err);
	return -1;
}

static bool
has_utf8_names(const struct mt_imap *s)
{
	return mt_imap_is_enabled(s, MT_IMAP_CAP_UTF8) || !mt_imap_has(s, MT_IMAP_CAP_REV1);
}

char *
mt_imap_mailbox(const struct mt_imap *s, const char *name)
{
	g_autofree char *wire = has_utf8_names(s) ? g_strdup(name) : mt_imap_utf7_encode(name);
	GString *out = g_string_new("\"");

	/* They would end the command, and begin another. */
	g_assert(strpbrk(wire, "\r\n") == NULL);
	for (const char *p = wire; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *
mt_imap_mailbox_name(const struct mt_imap *s, const struct mt_imap_value *v)
{
	g_autofree char *wire = mt_imap_value_dup(v);
	char *name;

	if (wire == NULL || !has_utf8_names(s))
		name = wire == NULL ? NULL : mt_imap_utf7_decode(mt_slice_str(wire));
	else
		name = g_utf8_validate(wire, -1, NULL) ? g_steal_pointer(&wire) : NULL;
	if (name != NULL && (name[0] == '\0' || strpbrk(name, "\r\n") != NULL))
		g_clear_pointer(&name, g_free);
	return name;
}

/* --- waiting for nothing in particular -------------------------------------------------- */

#define SLICE_MS 20000
#define SLEPT_NS (INT64_C(3) * 1000000000)

/* How long the machine has been asleep since it began. */
static int64_t
asleep_ns(void)
{
	struct timespec with, without;

	clock_gettime(CLOCK_BOOTTIME, &with);
	clock_gettime(CLOCK_MONOTONIC, &without);
	return (int64_t)(with.tv_sec - without.tv_sec) * 1000000000 + with.tv_nsec -
	    without.tv_nsec;
}

/* Until something is there, or other, or the time has come. */
static int
listen(struct mt_imap *s, const bool *is_enough, int other, uint32_t ms, struct mt_err *err)
{
	const int64_t asleep = asleep_ns();
	const uint64_t end = mt_proc_now_ms() + ms;

	while (!*is_enough) {
		uint64_t now = mt_proc_now_ms();
		int rc = mt_conn_poll(s->conn, other, (uint32_t)MIN(end > now ? end - now : 0,
		    SLICE_MS), err);

		if (rc < 0) {
			s->is_over = true;
			return mt_fail_in(err, "%s", s->name);
		}
		if (asleep_ns() - asleep > SLEPT_NS)
			return fail_session(s, err, MT_ETEMP, "the machine was asleep");
		if (rc == MT_CONN_OTHER || (rc == MT_CONN_TIME && mt_proc_now_ms() >= end))
			return 0;
		if (rc == MT_CONN_READY && step(s, err) < 0)
			return -1;
	}
	return 0;
}

int
mt_imap_watch(struct mt_imap *s, bool by_idle, const bool *is_enough, int other, uint32_t ms,
    struct mt_err *err)
{
	struct mt_imap_done done;
	unsigned tag = 0;
	int rc = 1;

	if (by_idle) {
		tag = mt_imap_send(s, err, "IDLE");
		rc = tag == 0 ? -1 : wait_wanted(s, tag, &done, err);
	}
	if (rc < 0 || listen(s, is_enough, other, ms, err) < 0)
		return -1;
	/* A server that has refused IDLE is only waited for. */
	if (!by_idle || rc == 0)
		return 0;
	if (mt_imap_write(s, "DONE\r\n", 6, err) < 0)
		return -1;
	return mt_imap_wait(s, tag, &done, err);
}

/* --- beginning and end ------------------------------------------------------------ */

bool
mt_imap_has(const struct mt_imap *s, enum mt_imap_cap cap)
{
	return (s->caps & cap) != 0;
}

bool
mt_imap_is_enabled(const struct mt_imap *s, enum mt_imap_cap cap)
{
	return (s->enabled & cap) != 0;
}

void
mt_imap_set_on_data(struct mt_imap *s, mt_imap_on_data *on_data, void *arg)
{
	s->on_data = on_data;
	s->arg = arg;
}

void
mt_imap_set_sink(struct mt_imap *s, const struct mt_imap_sink *sink)
{
	s->sink = sink;
}

/* A server that tells its capabilities with the reply to the login, in it or right before it,
   need not be asked. What it said of them earlier was not for who is logged in. */
static void
caps_of_login(struct mt_imap *s)
{
	struct mt_slice said = mt_conn_preamble(s->conn), line = { NULL, 0 };
	struct mt_imap_response r = { 0 };
	unsigned caps = 0;

	while (mt_slice_take_line(&said, &line)) {
		if (r.tag.n > 0)
			caps = 0;
		if (!mt_imap_response_parse(line, &r))
			r = (struct mt_imap_response){ .kind = MT_IMAP_OTHER };
		if (r.kind == MT_IMAP_CAPABILITY)
			caps = caps_of(r.data);
	}
	if (r.code == MT_IMAP_CODE_CAPABILITY)
		caps = caps_of(r.code_args);
	s->caps = r.tag.n > 0 || r.kind == MT_IMAP_PREAUTH ? caps : 0;
}

struct mt_imap *
mt_imap_new(struct mt_conn *c, const char *name, struct mt_err *err)
{
	mt_auto(mt_imap) s = g_new0(struct mt_imap, 1);
	struct mt_imap_done done;
	unsigned tag;

	s->conn = c;
	s->name = g_strdup(name);
	s->commands = g_hash_table_new_full(NULL, NULL, NULL, ended_free);
	s->kept = g_ptr_array_new_with_free_func(ended_free);
	mt_buf_init(&s->text, MT_MAX_IMAP_RESPONSE);
	caps_of_login(s);
	if (s->caps == 0) {
		tag = mt_imap_send(s, err, "CAPABILITY");
		if (tag == 0 || mt_imap_wait_ok(s, tag, &done, err) < 0)
			return NULL;
	}
	if (!mt_imap_has(s, MT_IMAP_CAP_REV1 | MT_IMAP_CAP_REV2))
		return mt_fail_null(err, MT_EPROTO, "%s: the server is no IMAP4rev1 or IMAP4rev2",
		    s->name);
	return mt_steal(&s);
}

int
mt_imap_compress(struct mt_imap *s, struct mt_err *err)
{
	struct mt_imap_done done;
	unsigned tag;

	if (!mt_imap_has(s, MT_IMAP_CAP_COMPRESS))
		return 0;
	tag = mt_imap_send(s, err, "COMPRESS DEFLATE");
	if (tag == 0 || mt_imap_wait(s, tag, &done, err) < 0)
		return -1;
	/* Right behind the line of the OK the server deflates (RFC 4978 3). */
	if (done.kind != MT_IMAP_OK || mt_conn_deflate(s->conn, err) == 0)
		return 0;
	s->is_over = true;
	return mt_fail_in(err, "%s", s->name);
}

void
mt_imap_free(struct mt_imap *s)
{
	if (s == NULL)
		return;
	mt_conn_free(s->conn);
	g_hash_table_unref(s->commands);
	g_ptr_array_unref(s->kept);
	mt_buf_clear(&s->text);
	g_free(s->name);
	g_free(s);
}

void
mt_imap_logout(struct mt_imap *s)
{
	struct mt_err ignored = { 0 };
	struct mt_imap_done done;
	unsigned tag;

	s->on_data = NULL;
	if (!s->is_over && (tag = mt_imap_send(s, &ignored, "LOGOUT")) != 0)
		(void)mt_imap_wait(s, tag, &done, &ignored);
	s->is_over = true;
}
