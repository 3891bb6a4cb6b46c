/* preamble.c - what a server says before it hands over: refusals, mechanisms, reasons */
#include "net/preamble.h"

#include <glib.h>

/* "550", "-ERR", "A001 NO", "* BYE": is it a refusal, and of what kind? */
static enum mt_err_kind
kind_of(struct mt_slice line)
{
	static const struct mt_slice temporary[] = { MT_SLICE("[SYS/TEMP]"),
		MT_SLICE("[IN-USE]"), MT_SLICE("[LOGIN-DELAY]"),
		MT_SLICE("[UNAVAILABLE]"), MT_SLICE("[INUSE]") };
	struct mt_slice tag;

	if (mt_slice_starts_nocase(line, MT_SLICE("* BYE")))
		return MT_ETEMP;
	if (line.n >= 3 && (line.p[0] == '4' || line.p[0] == '5') &&
	    g_ascii_isdigit(line.p[1]) && g_ascii_isdigit(line.p[2]))
		return line.p[0] == '4' ? MT_ETEMP : MT_EPERM;
	if (!mt_slice_take_nocase(&line, MT_SLICE("-ERR")) &&
	    !(mt_slice_take_word(&line, &tag) &&
	    (mt_slice_take_nocase(&line, MT_SLICE("NO ")) ||
	    mt_slice_take_nocase(&line, MT_SLICE("BAD ")))))
		return MT_ENONE;
	mt_slice_skip_blank(&line);
	for (size_t i = 0; i < G_N_ELEMENTS(temporary); i++) {
		if (mt_slice_starts_nocase(line, temporary[i]))
			return MT_ETEMP;
	}
	return MT_EPERM;
}

/* "535 5.7.8 no": the enhanced code, or "". */
static void
take_dsn(struct mt_slice line, char out[12])
{
	struct mt_slice code;
	size_t dots = 0;

	out[0] = '\0';
	if (line.n < 9 || !g_ascii_isdigit(line.p[0]))
		return;
	line = mt_slice_from(line, 4);
	if (!mt_slice_take_word(&line, &code) || code.n > 9)
		return;
	for (size_t i = 0; i < code.n; i++) {
		dots += code.p[i] == '.';
		if (code.p[i] != '.' && !g_ascii_isdigit(code.p[i]))
			return;
	}
	if (dots != 2)
		return;
	memcpy(out, code.p, code.n);
	out[code.n] = '\0';
}

void
mt_preamble_refusal(struct mt_slice said, struct mt_refusal *out)
{
	*out = (struct mt_refusal){ .kind = MT_ENONE };
	while (mt_slice_take_line(&said, &out->line))
		;
	out->kind = kind_of(out->line);
	take_dsn(out->line, out->dsn);
}

/* What the answers offer, up to a line. */
struct offer {
	GString *words;		/* of the last answer that is whole */
	GString *next;		/* of POP3's answer that is not: nothing says what it answers */
	bool is_inside;		/* a reply of SMTP of several lines */
};

static void
add_word(GString *to, struct mt_slice word)
{
	if (to->len > 0)
		g_string_append_c(to, ' ');
	g_string_append_len(to, word.p, (gssize)word.n);
}

static void
add_words(GString *to, struct mt_slice line)
{
	struct mt_slice word;

	mt_slice_skip_blank(&line);
	while (mt_slice_take_word(&line, &word))
		add_word(to, word);
}

/* "* CAPABILITY IMAP4rev1 AUTH=PLAIN", "* OK [CAPABILITY ...] hello": from the list on. */
static bool
take_capability(struct mt_slice *line)
{
	struct mt_slice word;

	while (mt_slice_take_word(line, &word)) {
		mt_slice_take_char(&word, '[');
		if (mt_slice_eq_nocase(word, MT_SLICE("CAPABILITY")))
			return true;
	}
	return false;
}

static void
take_imap(struct mt_slice line, struct offer *o)
{
	struct mt_slice word;

	if (!take_capability(&line))
		return;
	g_string_truncate(o->words, 0);
	while (mt_slice_take_word(&line, &word)) {
		bool is_last = mt_slice_find(word, ']') < word.n;

		word = mt_slice_first(word, mt_slice_find(word, ']'));
		if (mt_slice_take_nocase(&word, MT_SLICE("AUTH=")))
			add_word(o->words, word);
		if (is_last)
			return;
	}
}

static void
take_pop3(struct mt_slice line, struct offer *o)
{
	if (mt_slice_starts(line, MT_SLICE("+OK"))) {
		g_string_truncate(o->next, 0);
	} else if (mt_slice_eq(line, MT_SLICE("."))) {
		g_string_assign(o->words, o->next->str);
	} else if (mt_slice_take_nocase(&line, MT_SLICE("SASL "))) {
		add_words(o->next, line);
	}
}

/* "AUTH=PLAIN" was how servers wrote it before RFC 2554; libcurl takes no notice of it. */
static void
take_smtp(struct mt_slice line, struct offer *o)
{
	bool was_inside = o->is_inside;

	o->is_inside = line.p[3] == '-';
	if (!mt_slice_starts(line, MT_SLICE("250")))
		return;
	if (!was_inside)
		g_string_truncate(o->words, 0);
	line = mt_slice_from(line, 4);
	if (was_inside && mt_slice_take_nocase(&line, MT_SLICE("AUTH ")))
		add_words(o->words, line);
}

char *
mt_preamble_mechanisms(struct mt_slice said)
{
	struct offer o = { .words = g_string_new(NULL), .next = g_string_new(NULL) };
	struct mt_slice line;

	while (mt_slice_take_line(&said, &line)) {
		if (line.n > 3 && g_ascii_isdigit(line.p[0]))
			take_smtp(line, &o);
		else if (mt_slice_starts(line, MT_SLICE("* ")))
			take_imap(line, &o);
		else
			take_pop3(line, &o);
	}
	g_string_free(o.next, TRUE);
	return g_string_free(o.words, o.words->len == 0);
}

char *
mt_preamble_token_reason(struct mt_slice said)
{
	struct mt_slice line, text = MT_SLICE("");
	g_autofree char *encoded = NULL;
	g_autofree guchar *bytes = NULL;
	gsize n = 0;

	while (mt_slice_take_line(&said, &line)) {
		if (mt_slice_take(&line, MT_SLICE("334 ")) ||
		    mt_slice_take(&line, MT_SLICE("+ ")))
			text = mt_slice_trim(line);
	}
	encoded = mt_slice_dup(text);
	bytes = g_base64_decode(encoded, &n);
	return n > 0 && bytes[0] == '{' ? g_strndup((const char *)bytes, n) : NULL;
}
