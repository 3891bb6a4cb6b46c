/* response.c - one response of an IMAP server, taken apart (RFC 9051 7) */
#include "imap/response.h"

#include <glib.h>

/* --- status ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum mt_imap_code code;
} codes[] = {
	{ "ALERT", MT_IMAP_CODE_ALERT },
	{ "ALREADYEXISTS", MT_IMAP_CODE_ALREADYEXISTS },
	{ "APPENDUID", MT_IMAP_CODE_APPENDUID },
	{ "CAPABILITY", MT_IMAP_CODE_CAPABILITY },
	{ "CLOSED", MT_IMAP_CODE_CLOSED },
	{ "COPYUID", MT_IMAP_CODE_COPYUID },
	{ "EXPUNGEISSUED", MT_IMAP_CODE_EXPUNGEISSUED },
	{ "HIGHESTMODSEQ", MT_IMAP_CODE_HIGHESTMODSEQ },
	{ "INUSE", MT_IMAP_CODE_INUSE },
	{ "LIMIT", MT_IMAP_CODE_LIMIT },
	{ "MODIFIED", MT_IMAP_CODE_MODIFIED },
	{ "NOMODSEQ", MT_IMAP_CODE_NOMODSEQ },
	{ "NONEXISTENT", MT_IMAP_CODE_NONEXISTENT },
	{ "OVERQUOTA", MT_IMAP_CODE_OVERQUOTA },
	{ "PERMANENTFLAGS", MT_IMAP_CODE_PERMANENTFLAGS },
	{ "READ-ONLY", MT_IMAP_CODE_READ_ONLY },
	{ "TOOBIG", MT_IMAP_CODE_TOOBIG },
	{ "TRYCREATE", MT_IMAP_CODE_TRYCREATE },
	{ "UIDNEXT", MT_IMAP_CODE_UIDNEXT },
	{ "UIDVALIDITY", MT_IMAP_CODE_UIDVALIDITY },
	{ "UNAVAILABLE", MT_IMAP_CODE_UNAVAILABLE },
};

/* Up to the "]" that ends the code; one in a string is none. */
static bool
take_code(struct mt_slice *s, struct mt_slice *out)
{
	struct mt_slice rest = *s;
	bool quoted = false;

	if (!mt_slice_take_char(&rest, '['))
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		if (quoted && rest.p[i] == '\\')
			i++;
		else if (rest.p[i] == '"')
			quoted = !quoted;
		else if (rest.p[i] == ']' && !quoted) {
			*out = mt_slice_first(rest, i);
			*s = mt_slice_from(rest, i + 1);
			return true;
		}
	}
	return false;
}

static void
parse_status_text(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_slice code, name;

	if (take_code(&rest, &code)) {
		out->code = MT_IMAP_CODE_OTHER;
		if (mt_slice_take_word(&code, &name)) {
			out->code_name = name;
			out->code_args = code;
			for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
				if (mt_slice_eq_nocase(name, mt_slice_str(codes[i].name)))
					out->code = codes[i].code;
			}
		}
		mt_slice_skip_blank(&rest);
	}
	out->text = rest;
}

static bool
take_status(struct mt_slice word, struct mt_slice rest, struct mt_imap_response *out)
{
	static const struct {
		const char *word;
		enum mt_imap_kind kind;
	} words[] = {
		{ "OK", MT_IMAP_OK },
		{ "NO", MT_IMAP_NO },
		{ "BAD", MT_IMAP_BAD },
		{ "BYE", MT_IMAP_BYE },
		{ "PREAUTH", MT_IMAP_PREAUTH },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (!mt_slice_eq_nocase(word, mt_slice_str(words[i].word)))
			continue;
		out->kind = words[i].kind;
		parse_status_text(rest, out);
		return true;
	}
	return false;
}

/* --- data ------------------------------------------------------------------------- */

/* (attributes) delimiter name, and perhaps extended items */
static bool
parse_list(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_imap_value delimiter;
	g_autofree char *text = NULL;

	if (!mt_imap_take_list(&rest, &out->list.attributes) ||
	    !mt_imap_take(&rest, &delimiter) || !mt_imap_take(&rest, &out->name) ||
	    out->name.type == MT_IMAP_PARENS)
		return false;
	if (mt_imap_is_nil(&delimiter))
		return true;
	text = mt_imap_value_dup(&delimiter);
	if (text == NULL || strlen(text) > 1)
		return false;
	/* "" is what some servers say for NIL. */
	out->list.delimiter = text[0];
	return true;
}

static bool
parse_status_data(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_imap_status *st = &out->status;
	const struct {
		const char *name;
		uint32_t *small;
		uint64_t *big;
		unsigned bit;
	} items[] = {
		{ "MESSAGES", &st->messages, NULL, MT_IMAP_HAS_MESSAGES },
		{ "UIDNEXT", &st->uidnext, NULL, MT_IMAP_HAS_UIDNEXT },
		{ "UIDVALIDITY", &st->uidvalidity, NULL, MT_IMAP_HAS_UIDVALIDITY },
		{ "UNSEEN", &st->unseen, NULL, MT_IMAP_HAS_UNSEEN },
		{ "HIGHESTMODSEQ", NULL, &st->modseq, MT_IMAP_HAS_MODSEQ },
		{ "SIZE", NULL, &st->size, MT_IMAP_HAS_SIZE },
	};
	struct mt_slice list, name;

	if (!mt_imap_take(&rest, &out->name) || out->name.type == MT_IMAP_PARENS ||
	    !mt_imap_take_list(&rest, &list))
		return false;
	while (mt_imap_take_atom(&list, &name)) {
		struct mt_slice before = list;
		struct mt_imap_value v;
		uint64_t n;

		if (!mt_imap_take_number(&list, INT64_MAX, &n)) {
			list = before;
			if (!mt_imap_take(&list, &v))
				return false;
			continue;
		}
		for (size_t i = 0; i < G_N_ELEMENTS(items); i++) {
			if (!mt_slice_eq_nocase(name, mt_slice_str(items[i].name)) ||
			    (items[i].small != NULL && n > UINT32_MAX))
				continue;
			st->has |= items[i].bit;
			if (items[i].small != NULL)
				*items[i].small = (uint32_t)n;
			else
				*items[i].big = n;
		}
	}
	return list.n == 0;
}

/* (TAG "A1") UID ALL 1:5,7 MODSEQ 12 */
static bool
parse_esearch(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_slice word, correlator;
	struct mt_imap_value v;

	(void)mt_imap_take_list(&rest, &correlator);
	while (mt_imap_take_atom(&rest, &word)) {
		if (mt_slice_eq_nocase(word, MT_SLICE("UID")))
			continue;
		if (!mt_imap_take(&rest, &v))
			return false;
		if (mt_slice_eq_nocase(word, MT_SLICE("ALL"))) {
			if (v.type != MT_IMAP_ATOM)
				return false;
			out->data = v.text;
		} else if (mt_slice_eq_nocase(word, MT_SLICE("MODSEQ")) &&
		    mt_slice_take_u64(&v.text, INT64_MAX, &out->status.modseq)) {
			out->status.has |= MT_IMAP_HAS_MODSEQ;
		}
	}
	return rest.n == 0;
}

static bool
parse_vanished(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_slice list;

	if (mt_imap_take_list(&rest, &list)) {
		if (!mt_slice_eq_nocase(list, MT_SLICE("EARLIER")))
			return false;
		out->is_earlier = true;
	}
	return mt_imap_take_atom(&rest, &out->data) && rest.n == 0;
}

/* --- FETCH ------------------------------------------------------------------------ */

/* "UID", "BODY[HEADER.FIELDS (Message-ID)]", "BODY[]<0>": the name without its brackets,
   and what stands in them. */
static bool
take_item_name(struct mt_slice *s, struct mt_slice *name, struct mt_slice *section)
{
	size_t n = 0;
	bool quoted = false;

	while (n < s->n && s->p[n] != ' ' && s->p[n] != '[')
		n++;
	*name = mt_slice_first(*s, n);
	*section = mt_slice_mem(NULL, 0);
	*s = mt_slice_from(*s, n);
	if (mt_slice_take_char(s, '[')) {
		for (n = 0; n < s->n && (quoted || s->p[n] != ']'); n++) {
			if (quoted && s->p[n] == '\\')
				n++;
			else if (s->p[n] == '"')
				quoted = !quoted;
		}
		if (n >= s->n)
			return false;
		*section = mt_slice_mem(s->p, n);
		*s = mt_slice_from(*s, n + 1);
		/* The origin of a part. */
		if (mt_slice_take_char(s, '<')) {
			struct mt_slice origin;

			if (!mt_slice_take_until(s, '>', &origin))
				return false;
		}
	}
	return name->n > 0 && mt_slice_take_char(s, ' ');
}

static const struct mt_slice *
text_of(const struct mt_imap_value *v, bool *is_nil)
{
	static const struct mt_slice none = { NULL, 0 };

	*is_nil = mt_imap_is_nil(v);
	return *is_nil ? &none : &v->text;
}

static void
take_body(struct mt_slice section, const struct mt_imap_value *v, struct mt_imap_fetch *f)
{
	bool is_nil;

	if (v->type == MT_IMAP_PARENS)
		return;
	if (section.n == 0) {
		f->body = *text_of(v, &f->body_is_nil);
		f->has |= MT_IMAP_HAS_BODY;
	} else if (mt_slice_starts_nocase(section, MT_SLICE("HEADER"))) {
		f->header = *text_of(v, &is_nil);
		f->has |= MT_IMAP_HAS_HEADER;
	}
}

static void
take_number(const struct mt_imap_value *v, uint64_t max, uint64_t *out, unsigned bit,
    struct mt_imap_fetch *f)
{
	struct mt_slice text = v->text;

	if (v->type != MT_IMAP_PARENS && mt_slice_take_u64(&text, max, out) && text.n == 0)
		f->has |= bit;
}

static void
take_item(struct mt_slice name, struct mt_slice section, bool has_section,
    const struct mt_imap_value *v, struct mt_imap_fetch *f)
{
	uint64_t uid = 0;

	if (mt_slice_eq_nocase(name, MT_SLICE("UID"))) {
		take_number(v, UINT32_MAX, &uid, 0, f);
		f->uid = (uint32_t)uid;
		if (uid > 0)
			f->has |= MT_IMAP_HAS_UID;
	} else if (mt_slice_eq_nocase(name, MT_SLICE("FLAGS"))) {
		if (v->type == MT_IMAP_PARENS) {
			f->flags = v->text;
			f->has |= MT_IMAP_HAS_FLAGS;
		}
	} else if (mt_slice_eq_nocase(name, MT_SLICE("RFC822.SIZE"))) {
		take_number(v, INT64_MAX, &f->size, MT_IMAP_HAS_RFC822_SIZE, f);
	} else if (mt_slice_eq_nocase(name, MT_SLICE("MODSEQ"))) {
		take_number(&(struct mt_imap_value){ MT_IMAP_ATOM, v->text }, INT64_MAX, &f->modseq,
		    MT_IMAP_HAS_FETCH_MODSEQ, f);
	} else if (mt_slice_eq_nocase(name, MT_SLICE("X-GM-MSGID"))) {
		take_number(v, UINT64_MAX, &f->gmail_id, MT_IMAP_HAS_GMAIL, f);
	} else if (mt_slice_eq_nocase(name, MT_SLICE("INTERNALDATE"))) {
		if (v->type == MT_IMAP_QUOTED && mt_imap_date_parse(v->text, &f->date))
			f->has |= MT_IMAP_HAS_DATE;
	} else if (has_section && mt_slice_eq_nocase(name, MT_SLICE("BODY"))) {
		take_body(section, v, f);
	} else if (mt_slice_eq_nocase(name, MT_SLICE("RFC822"))) {
		take_body(MT_SLICE(""), v, f);
	}
}

static bool
parse_fetch(struct mt_slice rest, struct mt_imap_fetch *f)
{
	struct mt_slice list, name, section;
	struct mt_imap_value v;

	if (!mt_imap_take_list(&rest, &list) || rest.n > 0)
		return false;
	while (mt_slice_take_char(&list, ' '))
		;
	while (list.n > 0) {
		if (!take_item_name(&list, &name, &section) || !mt_imap_take(&list, &v))
			return false;
		take_item(name, section, section.p != NULL, &v, f);
	}
	return true;
}

/* --- all of it -------------------------------------------------------------------- */

static bool
parse_numbered(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_slice word;
	uint64_t n;

	if (!mt_imap_take_number(&rest, UINT32_MAX, &n) || !mt_imap_take_atom(&rest, &word))
		return false;
	out->number = (uint32_t)n;
	if (mt_slice_eq_nocase(word, MT_SLICE("EXISTS")))
		out->kind = MT_IMAP_EXISTS;
	else if (mt_slice_eq_nocase(word, MT_SLICE("RECENT")))
		out->kind = MT_IMAP_RECENT;
	else if (mt_slice_eq_nocase(word, MT_SLICE("EXPUNGE")))
		out->kind = MT_IMAP_EXPUNGE;
	else if (mt_slice_eq_nocase(word, MT_SLICE("FETCH")))
		out->kind = MT_IMAP_FETCH;
	return out->kind != MT_IMAP_FETCH || parse_fetch(rest, &out->fetch);
}

static bool
parse_data(struct mt_slice rest, struct mt_imap_response *out)
{
	struct mt_slice word;

	if (!mt_imap_take_atom(&rest, &word))
		return false;
	if (mt_slice_eq_nocase(word, MT_SLICE("CAPABILITY"))) {
		out->kind = MT_IMAP_CAPABILITY;
	} else if (mt_slice_eq_nocase(word, MT_SLICE("ENABLED"))) {
		out->kind = MT_IMAP_ENABLED;
	} else if (mt_slice_eq_nocase(word, MT_SLICE("NAMESPACE"))) {
		out->kind = MT_IMAP_NAMESPACE;
	} else if (mt_slice_eq_nocase(word, MT_SLICE("SEARCH"))) {
		out->kind = MT_IMAP_SEARCH;
	} else if (mt_slice_eq_nocase(word, MT_SLICE("FLAGS"))) {
		out->kind = MT_IMAP_FLAGS;
		return mt_imap_take_list(&rest, &out->data);
	} else if (mt_slice_eq_nocase(word, MT_SLICE("LIST")) ||
	    mt_slice_eq_nocase(word, MT_SLICE("LSUB"))) {
		out->kind = MT_IMAP_LIST;
		return parse_list(rest, out);
	} else if (mt_slice_eq_nocase(word, MT_SLICE("STATUS"))) {
		out->kind = MT_IMAP_STATUS;
		return parse_status_data(rest, out);
	} else if (mt_slice_eq_nocase(word, MT_SLICE("ESEARCH"))) {
		out->kind = MT_IMAP_ESEARCH;
		return parse_esearch(rest, out);
	} else if (mt_slice_eq_nocase(word, MT_SLICE("VANISHED"))) {
		out->kind = MT_IMAP_VANISHED;
		return parse_vanished(rest, out);
	}
	out->data = rest;
	return true;
}

static bool
is_tag(struct mt_slice word)
{
	for (size_t i = 0; i < word.n; i++) {
		if (!g_ascii_isalnum(word.p[i]))
			return false;
	}
	return word.n > 0;
}

bool
mt_imap_response_parse(struct mt_slice text, struct mt_imap_response *out)
{
	struct mt_slice rest = text, word;

	*out = (struct mt_imap_response){ .kind = MT_IMAP_OTHER };
	if (mt_slice_take_char(&rest, '+')) {
		out->kind = MT_IMAP_CONTINUE;
		mt_slice_skip_blank(&rest);
		parse_status_text(rest, out);
		return true;
	}
	if (!mt_slice_take(&rest, MT_SLICE("* "))) {
		if (!mt_slice_take_word(&rest, &out->tag) || !is_tag(out->tag) ||
		    !mt_slice_take_word(&rest, &word))
			return false;
		return take_status(word, rest, out) && out->kind <= MT_IMAP_BAD;
	}
	while (mt_slice_take_char(&rest, ' '))
		;
	if (rest.n > 0 && g_ascii_isdigit(rest.p[0]))
		return parse_numbered(rest, out);
	text = rest;
	if (mt_slice_take_word(&text, &word) && take_status(word, text, out))
		return true;
	return parse_data(rest, out);
}

bool
mt_imap_date_parse(struct mt_slice s, int64_t *out)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	uint64_t day, year, hour, minute, second, zone;
	struct mt_slice month;
	char name[4] = "";
	const char *at;
	bool is_west;
	g_autoptr(GDateTime) time = NULL;

	mt_slice_skip_blank(&s);
	if (!mt_slice_take_u64(&s, 31, &day) || !mt_slice_take_until(&s, '-', &month) ||
	    month.n != 0 || !mt_slice_take_until(&s, '-', &month) || month.n != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		name[i] = g_ascii_tolower(month.p[i]);
	at = strstr(months, name);
	if (at == NULL || (at - months) % 3 != 0 || !mt_slice_take_u64(&s, 9999, &year) ||
	    !mt_slice_take_char(&s, ' ') || !mt_slice_take_u64(&s, 23, &hour) ||
	    !mt_slice_take_char(&s, ':') || !mt_slice_take_u64(&s, 59, &minute) ||
	    !mt_slice_take_char(&s, ':') || !mt_slice_take_u64(&s, 60, &second) ||
	    !mt_slice_take_char(&s, ' '))
		return false;
	is_west = mt_slice_take_char(&s, '-');
	if ((!is_west && !mt_slice_take_char(&s, '+')) || s.n != 4 ||
	    !mt_slice_take_u64(&s, 2359, &zone) || zone % 100 > 59)
		return false;
	time = g_date_time_new_utc((gint)year, (gint)(at - months) / 3 + 1, (gint)day, (gint)hour,
	    (gint)minute, (gdouble)MIN(second, 59));
	if (time == NULL)
		return false;
	*out = g_date_time_to_unix(time) +
	    (is_west ? 1 : -1) * (int64_t)(zone / 100 * 3600 + zone % 100 * 60);
	return true;
}
