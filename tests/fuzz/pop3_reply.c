/* pop3_reply.c - what any server may say to our POP3 client */
#include <glib.h>
#include <stdint.h>

#include "pop3/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decode all of it in pieces of a size; what came out, and the rest in *in. */
static GString *
decode(struct mt_slice *in, size_t step, enum mt_pop3_body_state *end)
{
	struct mt_pop3_body b = MT_POP3_BODY_INIT;
	GString *all = g_string_new(NULL);
	char out[16];

	while (in->n > 0 && b.state != MT_POP3_BODY_END) {
		struct mt_slice piece = mt_slice_first(*in, step);
		size_t had = piece.n, n;

		n = mt_pop3_body_decode(&b, &piece, out, sizeof(out));
		g_assert(n <= sizeof(out) && (n > 0 || piece.n < had));
		g_string_append_len(all, out, (gssize)n);
		*in = mt_slice_from(*in, had - piece.n);
	}
	*end = b.state;
	return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_slice all = mt_slice_mem(data, size), rest = all, line, uid, one, many;
	struct mt_pop3_capa capa = { false };
	struct mt_pop3_reply reply;
	enum mt_pop3_body_state end_one, end_many;
	GString *by_one, *by_many;
	uint32_t number;
	uint64_t octets;

	while (mt_slice_take_line(&rest, &line)) {
		if (mt_pop3_reply_parse(line, &reply))
			g_assert(reply.code.n + reply.text.n <= line.n &&
			    mt_pop3_reply_kind(&reply) != MT_ENONE);
		if (mt_pop3_uidl_parse(line, &number, &uid))
			g_assert(number > 0 && mt_pop3_uid_is_valid(uid));
		if (mt_pop3_list_parse(line, &number, &octets))
			g_assert(number > 0);
	}
	mt_pop3_capa_find(all, &capa);
	/* A message is the same however the network cuts it. */
	one = many = all;
	by_one = decode(&one, 1, &end_one);
	by_many = decode(&many, SIZE_MAX, &end_many);
	g_assert(end_one == end_many && one.n == many.n && g_string_equal(by_one, by_many));
	g_assert(by_one->len <= size);
	g_string_free(by_one, TRUE);
	g_string_free(by_many, TRUE);
	return 0;
}
