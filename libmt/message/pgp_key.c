/* pgp_key.c - the key that GnuPG means by a name: one only, and by its fingerprint */
#include "message/pgp_key.h"

#include <glib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/proc.h"

/* It may have to check its trust database first. */
#define GPG_TIMEOUT_MS 60000

/* Fields of a record, from 1, as GnuPG's doc/DETAILS counts them. */
enum { TYPE = 1, VALIDITY = 2, CREATED = 6, USER_ID = 10, CAPABILITIES = 12, NFIELDS = 13 };

/* Why a key is not used; a listing with several tells the first. */
enum state { GOOD, ABSENT, REVOKED, ID_REVOKED, EXPIRED, DISABLED, INVALID, UNABLE };

static const char *const why[] = {
	[REVOKED] = "has been revoked",
	[ID_REVOKED] = "has this address no more",
	[EXPIRED] = "has expired",
	[DISABLED] = "is disabled",
	[INVALID] = "is invalid",
	[UNABLE] = "cannot be used for this",
};

struct candidate {
	char fpr[sizeof(((struct mt_pgp_key *)NULL)->fpr)];
	enum state state;
	unsigned rank;
	uint64_t created;
	bool is_named;		/* a user id that was asked for, and is not revoked */
	bool was_named;
};

struct choice {
	char *address;		/* as a listing has it, with < and >; NULL: all keys count */
	char use;
	struct candidate now, best;
};

/* The trust that gpg asks for before it encrypts begins with 1. */
static unsigned
rank_of(char validity)
{
	static const char ranks[] = "mfu";
	const char *at = validity != '\0' ? strchr(ranks, validity) : NULL;

	return at != NULL ? (unsigned)(at - ranks) + 1 : 0;
}

static char
first(struct mt_slice field)
{
	return field.n > 0 ? field.p[0] : '\0';
}

static enum state
state_of(const struct mt_slice *f, char use)
{
	bool is_disabled = mt_slice_find(f[CAPABILITIES], 'D') < f[CAPABILITIES].n;

	switch (first(f[VALIDITY])) {
	case 'r':
		return REVOKED;
	case 'e':
		return EXPIRED;
	case 'd':
		return DISABLED;
	case 'i':
		return INVALID;
	default:
		if (is_disabled)
			return DISABLED;
		/* A capital is what the whole key can do now. */
		return mt_slice_find(f[CAPABILITIES], use) < f[CAPABILITIES].n ? GOOD : UNABLE;
	}
}

static bool
is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->state != GOOD || b->state != GOOD)
		return b->state == ABSENT || (a->state == GOOD && b->state != GOOD);
	if (a->rank != b->rank)
		return a->rank > b->rank;
	return a->created > b->created;
}

static void
end_key(struct choice *c)
{
	struct candidate *k = &c->now;

	if (!k->is_named && k->was_named && k->state == GOOD)
		k->state = ID_REVOKED;
	if (k->fpr[0] != '\0' && (k->is_named || k->was_named) && is_better(k, &c->best))
		c->best = *k;
	*k = (struct candidate){ .state = ABSENT };
}

static void
begin_key(struct choice *c, const struct mt_slice *f)
{
	struct mt_slice created = f[CREATED];

	end_key(c);
	c->now.state = state_of(f, c->use);
	(void)mt_slice_take_u64(&created, UINT64_MAX, &c->now.created);
	if (c->address == NULL) {
		c->now.is_named = true;
		c->now.rank = rank_of(first(f[VALIDITY]));
	}
}

/* The first is that of the primary key. */
static void
take_fingerprint(struct choice *c, struct mt_slice fpr)
{
	if (c->now.fpr[0] != '\0' || fpr.n == 0 || fpr.n >= sizeof(c->now.fpr))
		return;
	for (size_t i = 0; i < fpr.n; i++) {
		if (!g_ascii_isxdigit(fpr.p[i]))
			return;
	}
	memcpy(c->now.fpr, fpr.p, fpr.n);
	c->now.fpr[fpr.n] = '\0';
}

/* "Name <address>", or an address alone. */
static bool
is_address(struct mt_slice id, const char *address)
{
	struct mt_slice want = mt_slice_str(address);
	size_t at = mt_slice_find(id, '<');

	if (at == id.n)
		return mt_slice_eq_nocase(id, mt_slice_first(mt_slice_from(want, 1), want.n - 2));
	return mt_slice_eq_nocase(mt_slice_from(id, at), want);
}

static void
take_user_id(struct choice *c, const struct mt_slice *f)
{
	char validity = first(f[VALIDITY]);

	if (c->address == NULL || !is_address(f[USER_ID], c->address))
		return;
	c->now.was_named = true;
	if (c->now.state == GOOD && (validity == 'r' || validity == 'e' || validity == 'i'))
		return;
	c->now.is_named = true;
	c->now.rank = MAX(c->now.rank, rank_of(validity));
}

static void
take_record(struct choice *c, struct mt_slice line)
{
	struct mt_slice f[NFIELDS] = { { NULL, 0 } };

	for (size_t i = TYPE; i < NFIELDS; i++) {
		if (!mt_slice_take_until(&line, ':', &f[i])) {
			f[i] = line;
			break;
		}
	}
	if (mt_slice_eq(f[TYPE], MT_SLICE("pub")) || mt_slice_eq(f[TYPE], MT_SLICE("sec")))
		begin_key(c, f);
	else if (mt_slice_eq(f[TYPE], MT_SLICE("fpr")))
		take_fingerprint(c, f[USER_ID]);
	else if (mt_slice_eq(f[TYPE], MT_SLICE("uid")))
		take_user_id(c, f);
}

/* With what a listing escapes; NULL when the name is no "<address>". */
static char *
address_in_listing(const char *name)
{
	GString *s;

	if (name[0] != '<' || !g_str_has_suffix(name, ">") || strlen(name) < 3)
		return NULL;
	s = g_string_new(NULL);
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == ':' || *p == '\\')
			g_string_append_printf(s, "\\x%02x", (unsigned)*p);
		else
			g_string_append_c(s, *p);
	}
	return g_string_free(s, FALSE);
}

int
mt_pgp_key_choose(struct mt_slice listing, const char *name, enum mt_pgp_use use,
    struct mt_pgp_key *key, struct mt_err *err)
{
	g_autofree char *address = address_in_listing(name);
	struct choice c = { .address = address, .use = use == MT_PGP_SIGN ? 'S' : 'E',
		.now = { .state = ABSENT }, .best = { .state = ABSENT } };
	struct mt_slice line;

	while (mt_slice_take_line(&listing, &line))
		take_record(&c, line);
	end_key(&c);
	if (c.best.state == ABSENT)
		return mt_fail(err, MT_ECONF, "%s: GnuPG has no %s for it", name,
		    use == MT_PGP_SIGN ? "secret key" : "key");
	if (c.best.state != GOOD)
		return mt_fail(err, MT_ECONF, "%s: the key %s %s", name, c.best.fpr,
		    why[c.best.state]);
	memcpy(key->fpr, c.best.fpr, sizeof(key->fpr));
	key->is_vouched = c.best.rank > 0;
	return 0;
}

/* --- what gpg says -------------------------------------------------------------------- */

static int
list(const char *name, enum mt_pgp_use use, struct mt_buf *out, struct mt_err *err)
{
	const char *const argv[] = { "gpg", "--batch", "--quiet", "--no-tty", "--with-colons",
		use == MT_PGP_SIGN ? "--list-secret-keys" : "--list-keys", "--", name, NULL };
	struct mt_err why_not = { 0 };

	/* It fails when there is no such key; then nothing is listed. */
	if (mt_proc_run((char *const *)(uintptr_t)argv, MT_SLICE(""), out, GPG_TIMEOUT_MS,
	    &why_not) < 0 && why_not.kind != MT_EUNAVAIL) {
		*err = why_not;
		return -1;
	}
	return 0;
}

/*
 * Nothing is encrypted for the name: gpg knows its rules best, and a configuration may say
 * "trust-model always", which no listing shows.
 */
static int
ask_for_trust(const char *name, const struct mt_pgp_key *key, struct mt_err *err)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_KEY_LIST);
	const char *const argv[] = { "gpg", "--batch", "--quiet", "--no-tty", "--encrypt",
		"--recipient", name, "--output", "-", NULL };
	struct mt_err why_not = { 0 };

	if (mt_proc_run((char *const *)(uintptr_t)argv, MT_SLICE(""), &out, GPG_TIMEOUT_MS,
	    &why_not) == 0)
		return 0;
	if (why_not.kind == MT_EUNAVAIL)
		return mt_fail(err, MT_ECONF, "%s: GnuPG does not trust that the key %s is theirs "
		    "(when you know that it is: gpg --lsign-key %s)", name, key->fpr, key->fpr);
	*err = why_not;
	return -1;
}

int
mt_pgp_key_find(const char *name, enum mt_pgp_use use, struct mt_pgp_key *key,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_KEY_LIST);

	if (list(name, use, &out, err) < 0 ||
	    mt_pgp_key_choose(mt_buf_slice(&out), name, use, key, err) < 0)
		return -1;
	if (use == MT_PGP_ENCRYPT && !key->is_vouched)
		return ask_for_trust(name, key, err);
	return 0;
}
