/* msgid.c - message ids (RFC 5322 3.6.4): make new ones, read lists of them */
#include "message/msgid.h"

#include <glib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "message/addr.h"

/* The host's name, when it is one that others may see: else the last resort. */
static void
host_name(char out[256])
{
	if (gethostname(out, 256) < 0)
		out[0] = '\0';
	out[255] = '\0';
	if (!mt_addr_is_domain(out))
		g_strlcpy(out, "localhost", 256);
}

char *
mt_msgid_new(const char *domain)
{
	struct timespec now;
	uint64_t random;
	char host[256];

	if (domain == NULL || !mt_addr_is_domain(domain)) {
		host_name(host);
		domain = host;
	}
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		g_error("getrandom: the kernel gives no random bytes");
	clock_gettime(CLOCK_REALTIME, &now);
	return g_strdup_printf("<%" G_GINT64_MODIFIER "x.%016" G_GINT64_MODIFIER "x@%s>",
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, random, domain);
}

/*
 * msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]: what stands between the brackets,
 * folds taken out, for there are mailers that fold there; "" for a broken one. One
 * without "@" passes: other people's ids are what they are.
 */
static char *
take_id(struct mt_slice *s)
{
	g_autoptr(GString) id = g_string_new("<");
	struct mt_slice inner;
	bool in_fold = false;

	if (!mt_slice_take_until(s, '<', &inner))
		return NULL;
	for (size_t n = 0; n < s->n; n++) {
		unsigned char c = (unsigned char)s->p[n];

		if (c == '>') {
			*s = mt_slice_from(*s, n + 1);
			g_string_append_c(id, '>');
			return g_strdup(id->len > 2 ? id->str : "");
		}
		in_fold = c == '\r' || c == '\n' || (in_fold && (c == ' ' || c == '\t'));
		if (in_fold)
			continue;
		if (c <= ' ' || c >= 0x7f || c == '<' || id->len > MT_MSGID_MAX - 2) {
			*s = mt_slice_from(*s, c == '<' ? n : n + 1);
			return g_strdup("");
		}
		g_string_append_c(id, (char)c);
	}
	return NULL;
}

char **
mt_msgid_parse(struct mt_slice text)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	struct mt_slice s = mt_slice_first(text, MT_MAX_FIELD);
	char *id;

	while ((id = take_id(&s)) != NULL) {
		if (id[0] == '\0' || g_hash_table_contains(seen, id)) {
			g_free(id);
			continue;
		}
		g_hash_table_add(seen, id);
		g_ptr_array_add(ids, id);
	}
	/* The first names the thread, the last ones the branch. */
	if (ids->len > MT_MAX_REFERENCES)
		g_ptr_array_remove_range(ids, 1, ids->len - (guint)MT_MAX_REFERENCES);
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

char *
mt_msgid_parse_one(struct mt_slice text)
{
	g_auto(GStrv) ids = mt_msgid_parse(text);

	return g_strdup(ids[0]);
}
