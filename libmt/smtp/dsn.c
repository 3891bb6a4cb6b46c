/* dsn.c - what a sender wants to hear of the delivery (RFC 3461) */
#include "smtp/dsn.h"

#include <string.h>

#include "message/addr.h"
#include "smtp/path.h"

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
	{ "NEVER", MT_DSN_NEVER },
	{ "SUCCESS", MT_DSN_SUCCESS },
	{ "FAILURE", MT_DSN_FAILURE },
	{ "DELAY", MT_DSN_DELAY },
};

static unsigned
bit_of(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(word, words[i].word) == 0)
			return words[i].bit;
	}
	return 0;
}

/* notify-esmtp-value = "NEVER" / 1#notify-list-element (RFC 3461 4.1) */
int
mt_dsn_notify_parse(const char *text, unsigned *out, struct mt_err *err)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	unsigned bits = 0;

	for (char **p = parts; *p != NULL; p++) {
		unsigned bit = bit_of(g_strstrip(*p));

		if (bit == 0)
			return mt_fail(err, MT_EUSAGE, "\"%s\": \"%s\" is not success, failure, "
			    "delay or never", text, *p);
		bits |= bit;
	}
	if (bits == 0 || ((bits & MT_DSN_NEVER) && bits != MT_DSN_NEVER))
		return mt_fail(err, MT_EUSAGE, "\"%s\": say never alone, or some of success, "
		    "failure and delay", text);
	*out = bits;
	return 0;
}

char *
mt_dsn_notify_text(unsigned notify)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (notify & words[i].bit)
			g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "",
			    words[i].word);
	}
	return g_string_free(out, FALSE);
}

int
mt_dsn_ret_parse(const char *text, enum mt_dsn_ret *out, struct mt_err *err)
{
	if (g_ascii_strcasecmp(text, "full") == 0)
		*out = MT_DSN_RET_FULL;
	else if (g_ascii_strcasecmp(text, "hdrs") == 0)
		*out = MT_DSN_RET_HDRS;
	else
		return mt_fail(err, MT_EUSAGE, "\"%s\" is not full or hdrs", text);
	return 0;
}

bool
mt_dsn_is_envid(const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			return false;
		n += strchr(" +=", *p) != NULL ? 3 : 1;
	}
	return n > 0 && n <= MT_DSN_ENVID_MAX;
}

/* original-recipient-address = addr-type ";" xtext; addr-type = atom (RFC 3461 4.2) */
bool
mt_dsn_is_orcpt(const char *text)
{
	mt_auto_value(mt_buf) address = MT_BUF_INIT(MT_DSN_ORCPT_MAX);
	struct mt_slice rest = mt_slice_str(text), type;

	if (rest.n > MT_DSN_ORCPT_MAX || !mt_slice_take_until(&rest, ';', &type) || type.n == 0)
		return false;
	for (size_t i = 0; i < type.n; i++) {
		if ((unsigned char)type.p[i] >= 128 ||
		    !mt_addr_is_atext((unsigned char)type.p[i]))
			return false;
	}
	return rest.n > 0 && mt_smtp_xtext_decode(rest, &address);
}

bool
mt_dsn_wants_failure(unsigned notify)
{
	return notify == 0 || (notify & MT_DSN_FAILURE);
}

bool
mt_dsn_wants_delay(unsigned notify)
{
	return notify == 0 || (notify & MT_DSN_DELAY);
}

/* xtext = *( xchar / hexchar ); xchar is 33 to 126 but "+" and "=" (RFC 3461 4). */
static void
append_xtext(GString *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p > ' ' && *p < 127 && *p != '+' && *p != '=')
			g_string_append_c(out, (char)*p);
		else
			g_string_append_printf(out, "+%02X", *p);
	}
}

void
mt_dsn_append_mail(GString *out, const struct mt_dsn *dsn)
{
	if (dsn->ret != MT_DSN_RET_UNSAID)
		g_string_append(out, dsn->ret == MT_DSN_RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (dsn->envid != NULL) {
		g_string_append(out, " ENVID=");
		append_xtext(out, dsn->envid);
	}
}

void
mt_dsn_append_rcpt(GString *out, const struct mt_dsn *dsn, const struct mt_dsn_rcpt *own,
    const char *address)
{
	unsigned bits = own != NULL && own->notify != 0 ? own->notify : dsn->notify;
	g_autofree char *notify = mt_dsn_notify_text(bits);

	if (bits != 0)
		g_string_append_printf(out, " NOTIFY=%s", notify);
	/* "rfc822" is ASCII; for the others a report quotes RCPT (RFC 6533 3). */
	if (own != NULL && own->orcpt != NULL) {
		g_string_append_printf(out, " ORCPT=%s", own->orcpt);
	} else if (bits != 0 && g_str_is_ascii(address)) {
		g_string_append(out, " ORCPT=rfc822;");
		append_xtext(out, address);
	}
}
