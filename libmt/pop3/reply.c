/* reply.c - parse what a POP3 server says (RFC 1939, RFC 2449), without I/O */
#include "pop3/reply.h"

#include <glib.h>

#include "base/limits.h"

/* RFC 1939 3, RFC 2449 8 */
bool
mt_pop3_reply_parse(struct mt_slice line, struct mt_pop3_reply *out)
{
	struct mt_pop3_reply r = { .ok = false };
	struct mt_slice rest, code;

	if (mt_slice_take_nocase(&line, MT_SLICE("+OK")))
		r.ok = true;
	else if (!mt_slice_take_nocase(&line, MT_SLICE("-ERR")))
		return false;
	/* "+OKAY" is no reply; "+OK" alone is one that real servers send. */
	if (line.n > 0 && mt_slice_skip_blank(&line) == 0)
		return false;
	rest = line;
	if (mt_slice_take_char(&rest, '[') && mt_slice_take_until(&rest, ']', &code)) {
		r.code = code;
		mt_slice_skip_blank(&rest);
		line = rest;
	}
	r.text = line;
	*out = r;
	return true;
}

enum mt_err_kind
mt_pop3_reply_kind(const struct mt_pop3_reply *r)
{
	static const struct {
		struct mt_slice code;
		enum mt_err_kind kind;
	} codes[] = {
		{ MT_SLICE("IN-USE"), MT_ETEMP },
		{ MT_SLICE("LOGIN-DELAY"), MT_ETEMP },
		{ MT_SLICE("SYS/TEMP"), MT_ETEMP },
		{ MT_SLICE("AUTH"), MT_EPERM },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (mt_slice_eq_nocase(r->code, codes[i].code))
			return codes[i].kind;
	}
	return MT_EUNAVAIL;
}

/* RFC 2449 6 */
void
mt_pop3_capa_parse(struct mt_slice line, struct mt_pop3_capa *capa)
{
	struct mt_slice word;

	if (!mt_slice_take_word(&line, &word))
		return;
	if (mt_slice_eq_nocase(word, MT_SLICE("PIPELINING")))
		capa->pipelining = true;
	else if (mt_slice_eq_nocase(word, MT_SLICE("UIDL")))
		capa->uidl = true;
	else if (mt_slice_eq_nocase(word, MT_SLICE("TOP")))
		capa->top = true;
}

bool
mt_pop3_capa_find(struct mt_slice preamble, struct mt_pop3_capa *capa)
{
	struct mt_pop3_capa list = { false };
	struct mt_slice line;
	bool found = false;

	/*
	 * Status lines begin with "+" or "-", capabilities with a letter: a list is what
	 * stands between two status lines.
	 */
	while (mt_slice_take_line(&preamble, &line)) {
		if (line.n == 0 || line.p[0] == '.')
			continue;
		if (line.p[0] == '+' || line.p[0] == '-') {
			list = (struct mt_pop3_capa){ false };
			continue;
		}
		mt_pop3_capa_parse(line, &list);
		*capa = list;
		found = true;
	}
	return found;
}

static bool
take_number(struct mt_slice *line, uint32_t *number)
{
	uint64_t n;

	mt_slice_skip_blank(line);
	if (!mt_slice_take_u64(line, UINT32_MAX, &n) || n == 0 ||
	    mt_slice_skip_blank(line) == 0)
		return false;
	*number = (uint32_t)n;
	return true;
}

/*
 * RFC 1939 5: scan listing = message-number SP size *( SP anything ); what may follow the
 * size is not said, so it is passed over.
 */
bool
mt_pop3_list_parse(struct mt_slice line, uint32_t *number, uint64_t *size)
{
	uint32_t which;
	uint64_t n;

	if (!take_number(&line, &which) || !mt_slice_take_u64(&line, INT64_MAX, &n))
		return false;
	if (line.n > 0 && line.p[0] != ' ' && line.p[0] != '\t')
		return false;
	*number = which;
	*size = n;
	return true;
}

/* RFC 1939 7: unique-id listing = message-number SP unique-id */
bool
mt_pop3_uidl_parse(struct mt_slice line, uint32_t *number, struct mt_slice *uid)
{
	uint32_t which;

	if (!take_number(&line, &which))
		return false;
	line = mt_slice_trim(line);
	if (!mt_pop3_uid_is_valid(line))
		return false;
	*number = which;
	*uid = line;
	return true;
}

bool
mt_pop3_uid_is_valid(struct mt_slice uid)
{
	for (size_t i = 0; i < uid.n; i++) {
		if (uid.p[i] < 0x21 || uid.p[i] > 0x7e)
			return false;
	}
	return uid.n > 0 && uid.n <= MT_MAX_UIDL_TAKEN;
}

/* One byte of the message: how many bytes were written (0 to 2). */
static size_t
decode_byte(struct mt_pop3_body *b, char c, char *out)
{
	size_t n = 0;

	switch (b->state) {
	case MT_POP3_BODY_START:
		if (c == '.') {
			b->state = MT_POP3_BODY_DOT;
			return 0;
		}
		break;
	case MT_POP3_BODY_DOT:
		if (c == '\r') {
			b->state = MT_POP3_BODY_DOT_CR;
			return 0;
		}
		break;
	case MT_POP3_BODY_DOT_CR:
	case MT_POP3_BODY_CR:
		if (c == '\n' && b->state == MT_POP3_BODY_DOT_CR) {
			b->state = MT_POP3_BODY_END;
			return 0;
		}
		if (c == '\n') {
			b->state = MT_POP3_BODY_START;
			out[0] = '\n';
			return 1;
		}
		/* A CR that ends no line is part of the message. */
		out[n++] = '\r';
		break;
	case MT_POP3_BODY_TEXT:
	case MT_POP3_BODY_END:
		break;
	}
	if (c == '\r') {
		b->state = MT_POP3_BODY_CR;
		return n;
	}
	b->state = MT_POP3_BODY_TEXT;
	out[n++] = c;
	return n;
}

size_t
mt_pop3_body_decode(struct mt_pop3_body *b, struct mt_slice *in, char *out, size_t size)
{
	size_t n = 0;

	g_assert(size >= 2);
	while (in->n > 0 && size - n >= 2 && b->state != MT_POP3_BODY_END) {
		if (b->state == MT_POP3_BODY_TEXT) {
			size_t run = MIN(mt_slice_find(*in, '\r'), size - n);

			memcpy(out + n, in->p, run);
			n += run;
			*in = mt_slice_from(*in, run);
			if (in->n == 0 || size - n < 2)
				break;
		}
		n += decode_byte(b, in->p[0], out + n);
		*in = mt_slice_from(*in, 1);
	}
	return n;
}
