/* set.c - sets of message numbers and UIDs: "1:5,7,9:12" (RFC 9051 9, sequence-set) */
#include "imap/set.h"

bool
mt_imap_range_take(struct mt_slice *s, struct mt_imap_range *out)
{
	struct mt_slice rest = *s;
	uint64_t from, to;

	if (!mt_slice_take_u64(&rest, UINT32_MAX, &from) || from == 0)
		return false;
	to = from;
	if (mt_slice_take_char(&rest, ':') &&
	    (!mt_slice_take_u64(&rest, UINT32_MAX, &to) || to == 0))
		return false;
	if (rest.n > 0 && (!mt_slice_take_char(&rest, ',') || rest.n == 0))
		return false;
	*out = (struct mt_imap_range){ (uint32_t)MIN(from, to), (uint32_t)MAX(from, to) };
	*s = rest;
	return true;
}

void
mt_imap_set_clear(struct mt_imap_set *set)
{
	g_free(set->v);
	*set = (struct mt_imap_set){ 0 };
}

/* The first range that ends at number or behind it. */
static size_t
find(const struct mt_imap_set *set, uint32_t number)
{
	size_t low = 0, high = set->n;

	if (set->n > 0 && set->v[set->n - 1].to < number)
		return set->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->v[middle].to < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Put `to` ranges where `from` were, at that index; the new ones are not filled in. */
static void
splice(struct mt_imap_set *set, size_t at, size_t from, size_t to)
{
	size_t behind = set->n - at - from;

	if (set->n + to > set->cap) {
		set->cap = MAX(16, 2 * set->cap);
		set->v = g_renew(struct mt_imap_range, set->v, set->cap);
	}
	if (from != to && behind > 0)
		memmove(set->v + at + to, set->v + at + from, behind * sizeof(*set->v));
	set->n = set->n - from + to;
}

void
mt_imap_set_add(struct mt_imap_set *set, uint32_t from, uint32_t to)
{
	/* A neighbour melts into it, too. */
	size_t first = find(set, from > 1 ? from - 1 : from), last = first;

	for (; last < set->n && (set->v[last].from <= to || set->v[last].from - 1 == to); last++) {
		from = MIN(from, set->v[last].from);
		to = MAX(to, set->v[last].to);
	}
	splice(set, first, last - first, 1);
	set->v[first] = (struct mt_imap_range){ from, to };
}

bool
mt_imap_set_parse(struct mt_imap_set *set, struct mt_slice text)
{
	struct mt_imap_range r;

	if (text.n == 0)
		return false;
	while (mt_imap_range_take(&text, &r))
		mt_imap_set_add(set, r.from, r.to);
	return text.n == 0;
}

bool
mt_imap_set_has(const struct mt_imap_set *set, uint32_t number)
{
	size_t at = find(set, number);

	return at < set->n && set->v[at].from <= number;
}

uint64_t
mt_imap_set_count(const struct mt_imap_set *set)
{
	uint64_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += (uint64_t)set->v[i].to - set->v[i].from + 1;
	return n;
}

bool
mt_imap_set_text(const struct mt_imap_set *set, size_t *at, size_t max, GString *out)
{
	size_t start = out->len;

	if (*at >= set->n)
		return false;
	for (; *at < set->n && out->len - start < max; (*at)++) {
		const struct mt_imap_range *r = &set->v[*at];

		g_string_append_printf(out, "%s%u", out->len > start ? "," : "", r->from);
		if (r->to > r->from)
			g_string_append_printf(out, ":%u", r->to);
	}
	return true;
}
