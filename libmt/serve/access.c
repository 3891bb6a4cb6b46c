/* access.c - failed logins by address: who is slowed down, who is locked out */
#include "serve/access.h"

#include <glib.h>

#include "net/listen.h"

/* Addresses that are remembered; an attacker with more starts at zero now and then. */
#define ADDRESSES_MAX 20000
#define DELAY_MS 500
#define DELAY_MAX_MS 5000

struct entry {
	unsigned failures;
	unsigned pending;	/* passwords that are being checked */
	uint64_t last_ms;
};

struct mt_serve_access {
	unsigned max;
	uint64_t lockout_ms;
	GHashTable *entries;	/* network -> struct entry */
};

struct mt_serve_access *
mt_serve_access_new(unsigned max, uint64_t lockout_ms)
{
	struct mt_serve_access *a = g_new0(struct mt_serve_access, 1);

	a->max = max;
	a->lockout_ms = lockout_ms;
	a->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return a;
}

void
mt_serve_access_free(struct mt_serve_access *a)
{
	if (a == NULL)
		return;
	g_hash_table_unref(a->entries);
	g_free(a);
}

static bool
is_over(const struct mt_serve_access *a, const struct entry *e, uint64_t now_ms)
{
	return now_ms - e->last_ms >= a->lockout_ms;
}

static struct entry *
find(const struct mt_serve_access *a, const char *peer)
{
	char network[MT_LISTEN_NAME_SIZE];

	mt_listen_network(peer, network);
	return g_hash_table_lookup(a->entries, network);
}

bool
mt_serve_access_is_locked(const struct mt_serve_access *a, const char *peer,
    uint64_t now_ms)
{
	const struct entry *e = find(a, peer);

	return e != NULL &&
	    (is_over(a, e, now_ms) ? 0 : e->failures) + e->pending >= a->max;
}

static void
make_room(struct mt_serve_access *a, uint64_t now_ms)
{
	GHashTableIter it;
	void *e;

	if (g_hash_table_size(a->entries) < ADDRESSES_MAX)
		return;
	g_hash_table_iter_init(&it, a->entries);
	while (g_hash_table_iter_next(&it, NULL, &e)) {
		if (is_over(a, e, now_ms) && ((struct entry *)e)->pending == 0)
			g_hash_table_iter_remove(&it);
	}
	if (g_hash_table_size(a->entries) >= ADDRESSES_MAX)
		g_hash_table_remove_all(a->entries);
}

void
mt_serve_access_begin(struct mt_serve_access *a, const char *peer, uint64_t now_ms)
{
	char network[MT_LISTEN_NAME_SIZE];
	struct entry *e = find(a, peer);

	if (e == NULL) {
		make_room(a, now_ms);
		mt_listen_network(peer, network);
		e = g_new0(struct entry, 1);
		g_hash_table_insert(a->entries, g_strdup(network), e);
	}
	e->pending++;
}

void
mt_serve_access_right(struct mt_serve_access *a, const char *peer)
{
	struct entry *e = find(a, peer);

	/* Room may have been made of it meanwhile. */
	if (e != NULL && e->pending > 0)
		e->pending--;
}

uint32_t
mt_serve_access_failed(struct mt_serve_access *a, const char *peer, uint64_t now_ms)
{
	struct entry *e;

	mt_serve_access_right(a, peer);
	e = find(a, peer);
	if (e == NULL)
		return DELAY_MS;
	if (is_over(a, e, now_ms))
		e->failures = 0;
	e->last_ms = now_ms;
	e->failures += e->failures < G_MAXUINT;
	return (uint32_t)MIN((uint64_t)e->failures * DELAY_MS, DELAY_MAX_MS);
}
