/* learn.c - what a server's reply to a message says of its Message-ID */
#include "send/learn.h"

#include <glib.h>

#include "base/slice.h"
#include "message/msgid.h"

/* "email-smtp.eu-west-1.amazonaws.com", "email-smtp-fips.us-east-1.amazonaws.com" */
static char *
ses_domain(const char *host)
{
	struct mt_slice s = mt_slice_str(host), first, region;

	if (!mt_slice_starts_nocase(s, MT_SLICE("email-smtp")) ||
	    !mt_slice_take_until(&s, '.', &first) || !mt_slice_take_until(&s, '.', &region) ||
	    !mt_slice_eq_nocase(s, MT_SLICE("amazonaws.com")))
		return NULL;
	if (mt_slice_eq_nocase(region, MT_SLICE("us-east-1")))
		return g_strdup("email.amazonses.com");
	return g_strdup_printf("%.*s.amazonses.com", (int)region.n, region.p);
}

static bool
is_ses_id(struct mt_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!g_ascii_isalnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return s.n >= 16 && s.n <= 200;
}

static char *
learn_from_ses(struct mt_slice reply, const char *host)
{
	g_autofree char *domain = ses_domain(host);

	if (domain == NULL || !mt_slice_take_nocase(&reply, MT_SLICE("250 Ok ")) ||
	    !is_ses_id(reply))
		return NULL;
	return g_strdup_printf("<%.*s@%s>", (int)reply.n, reply.p, domain);
}

static char *
learn_from_exchange(struct mt_slice reply)
{
	static const struct {
		struct mt_slice before, behind;
	} shapes[] = {
		{ MT_SLICE("250 2.6.0 <"), MT_SLICE(" [InternalId=") },
		{ MT_SLICE("250 2.0.0 OK <"), MT_SLICE(" [Hostname=") },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		struct mt_slice rest = reply, id;

		if (!mt_slice_take_nocase(&rest, shapes[i].before) ||
		    !mt_slice_take_until(&rest, '>', &id) ||
		    !mt_slice_starts_nocase(rest, shapes[i].behind))
			continue;
		return mt_msgid_parse_one(mt_slice_mem(id.p - 1, id.n + 2));
	}
	return NULL;
}

char *
mt_learn_message_id(const char *reply, const char *host, const char *ours)
{
	struct mt_slice s = mt_slice_trim(mt_slice_str(reply));
	g_autofree char *id = learn_from_ses(s, host);

	if (id == NULL)
		id = learn_from_exchange(s);
	return g_strcmp0(id, ours) == 0 ? NULL : g_steal_pointer(&id);
}
