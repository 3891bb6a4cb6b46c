/* reply.c - replies of an SMTP server (RFC 5321 4.2), their enhanced codes (RFC 2034) */
#include "smtp/reply.h"

#include <glib.h>

void
mt_smtp_reply_init(struct mt_smtp_reply *r)
{
	*r = (struct mt_smtp_reply){ .text = MT_BUF_INIT(MT_MAX_SMTP_REPLY) };
}

void
mt_smtp_reply_clear(struct mt_smtp_reply *r)
{
	mt_buf_clear(&r->text);
}

static void
reset(struct mt_smtp_reply *r)
{
	mt_buf_reset(&r->text);
	r->code = 0;
	r->dsn[0] = '\0';
	r->lines = 0;
	r->is_complete = false;
}

/* Reply-code = %x32-35 %x30-35 %x30-39; a second digit above 5 is seen and passes. */
static bool
take_code(struct mt_slice *line, unsigned *code)
{
	if (line->n < 3 || line->p[0] < '2' || line->p[0] > '5' ||
	    !g_ascii_isdigit(line->p[1]) || !g_ascii_isdigit(line->p[2]))
		return false;
	*code = (unsigned)(line->p[0] - '0') * 100 +
	    (unsigned)(line->p[1] - '0') * 10 + (unsigned)(line->p[2] - '0');
	*line = mt_slice_from(*line, 3);
	return true;
}

/*
 *	status-code = class "." subject "." detail	; RFC 3463 2
 *	class = "2" / "4" / "5", subject and detail 1*3digit
 *
 * It counts only where its class is that of the reply (RFC 2034 4).
 */
static void
find_dsn(struct mt_slice text, unsigned code, char dsn[12])
{
	struct mt_slice word, whole;
	uint64_t number;

	if (!mt_slice_take_word(&text, &whole) || whole.n >= 12)
		return;
	word = whole;
	if (!mt_slice_take_char(&word, (char)('0' + code / 100)) ||
	    !mt_slice_take_char(&word, '.') || !mt_slice_take_u64(&word, 999, &number) ||
	    !mt_slice_take_char(&word, '.') || !mt_slice_take_u64(&word, 999, &number) ||
	    word.n > 0)
		return;
	memcpy(dsn, whole.p, whole.n);
	dsn[whole.n] = '\0';
}

static int
not_a_reply(struct mt_slice line, struct mt_err *err)
{
	return mt_fail(err, MT_EPROTO, "that is no reply: \"%.*s\"",
	    line.n > 200 ? 200 : (int)line.n, line.p);
}

/*
 *	Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *		     Reply-code [ SP textstring ] CRLF
 */
int
mt_smtp_reply_add(struct mt_smtp_reply *r, struct mt_slice line, struct mt_err *err)
{
	struct mt_slice text = line;
	bool more;
	unsigned code;

	if (r->is_complete)
		reset(r);
	if (line.n > MT_MAX_SMTP_REPLY_LINE)
		return mt_fail(err, MT_EPROTO, "a line of a reply is too long");
	if (!take_code(&text, &code))
		return not_a_reply(line, err);
	more = mt_slice_take_char(&text, '-');
	if (!more && text.n > 0 && !mt_slice_take_char(&text, ' ') &&
	    !mt_slice_take_char(&text, '\t'))
		return not_a_reply(line, err);
	if (r->lines > 0 && code != r->code)
		return mt_fail(err, MT_EPROTO, "a reply has two codes, %u and %u", r->code,
		    code);
	if ((r->lines > 0 && mt_buf_append_char(&r->text, '\n') < 0) ||
	    mt_buf_append_slice(&r->text, text) < 0)
		return mt_fail(err, MT_EPROTO, "a reply is too long");
	r->code = code;
	r->lines++;
	find_dsn(text, code, r->dsn);
	r->is_complete = !more;
	return more ? 0 : 1;
}

static enum mt_err_kind
kind_of(unsigned code)
{
	switch (code) {
	case 530:
	case 534:
	case 535:
	case 538:
		return MT_EPERM;
	default:
		return code / 100 == 5 ? MT_EUNAVAIL
		     : code / 100 == 4 ? MT_ETEMP : MT_EPROTO;
	}
}

int
mt_smtp_reply_fail(const struct mt_smtp_reply *r, const char *what, struct mt_err *err)
{
	g_autofree char *text = mt_slice_dup(mt_buf_slice(&r->text));
	const char *dsn = r->dsn;

	for (size_t i = 0; i < r->text.n; i++) {
		if (text[i] == '\n' || text[i] == '\0')
			text[i] = ' ';
	}
	if (dsn[0] == '\0')
		dsn = r->code / 100 == 5 ? "5.0.0" : r->code / 100 == 4 ? "4.0.0" : "";
	return mt_fail_dsn(err, kind_of(r->code), dsn, "%s%s%u %s",
	    what == NULL ? "" : what, what == NULL ? "" : ": ", r->code, text);
}
