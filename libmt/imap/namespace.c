/* namespace.c - which mailboxes are one's own (RFC 2342, RFC 9051 6.3.10) */
#include "imap/namespace.h"

#include "base/limits.h"

static void
clear(void *p)
{
	struct mt_imap_namespace *n = p;

	g_free(n->prefix);
}

/* namespace-descr = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) *(extension) ")" */
static bool
take_one(const struct mt_imap *s, enum mt_imap_owner owner, struct mt_slice descr, GArray *out)
{
	struct mt_imap_namespace n = { .owner = owner };
	struct mt_imap_value prefix, delimiter;
	g_autofree char *text = NULL;

	if (!mt_imap_take(&descr, &prefix) || !mt_imap_take(&descr, &delimiter) ||
	    out->len >= MT_MAX_IMAP_NAMESPACES)
		return false;
	text = mt_imap_value_dup(&delimiter);
	n.delimiter = text != NULL ? text[0] : '\0';
	n.prefix = prefix.type != MT_IMAP_PARENS && !mt_imap_is_nil(&prefix) &&
	    prefix.text.n == 0 ? g_strdup("") : mt_imap_mailbox_name(s, &prefix);
	if (n.prefix == NULL)
		return false;
	g_array_append_val(out, n);
	return true;
}

/* namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace,
   namespace = nil / "(" 1*namespace-descr ")" */
GArray *
mt_imap_namespaces_parse(const struct mt_imap *s, struct mt_slice data)
{
	g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(struct mt_imap_namespace));
	struct mt_imap_value v;

	g_array_set_clear_func(out, clear);
	for (unsigned owner = MT_IMAP_PERSONAL; owner <= MT_IMAP_SHARED; owner++) {
		struct mt_slice descr;

		if (!mt_imap_take(&data, &v) || (v.type != MT_IMAP_PARENS && !mt_imap_is_nil(&v)))
			return NULL;
		while (v.type == MT_IMAP_PARENS && v.text.n > 0) {
			if (!mt_imap_take_list(&v.text, &descr) ||
			    !take_one(s, owner, descr, out))
				return NULL;
		}
	}
	return data.n == 0 ? g_steal_pointer(&out) : NULL;
}

/* How much of the name the prefix is, in bytes; -1: it is none. "Other Users" itself belongs to
   "Other Users/". */
static gssize
matches(const struct mt_imap_namespace *n, const char *name)
{
	size_t length = strlen(n->prefix);

	if (g_str_has_prefix(name, n->prefix))
		return (gssize)length;
	if (length > 0 && n->prefix[length - 1] == n->delimiter && strlen(name) == length - 1 &&
	    strncmp(name, n->prefix, length - 1) == 0)
		return (gssize)length - 1;
	return -1;
}

enum mt_imap_owner
mt_imap_namespaces_owner(const GArray *spaces, const char *name)
{
	enum mt_imap_owner owner = MT_IMAP_PERSONAL;
	gssize best = -1;

	if (g_ascii_strcasecmp(name, "INBOX") == 0)
		return MT_IMAP_PERSONAL;
	for (guint i = 0; spaces != NULL && i < spaces->len; i++) {
		const struct mt_imap_namespace *n =
		    &g_array_index(spaces, struct mt_imap_namespace, i);
		gssize length = matches(n, name);

		if (length > best) {
			best = length;
			owner = n->owner;
		}
	}
	return owner;
}
