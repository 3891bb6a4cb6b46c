/*
 * smtp_data.c - a DATA stream in pieces: the first byte seeds where it is split. The
 * result does not depend on the splits, and what is stored goes out and in again unchanged.
 */
#include <glib.h>
#include <stdint.h>

#include "net/dot.h"
#include "smtp/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decode in pieces of 1 to 8 bytes by seed; seed 0: all at once. Bytes taken. */
static size_t
decode(struct mt_slice wire, uint32_t seed, struct mt_buf *out,
    enum mt_smtp_data_status *status)
{
	struct mt_smtp_data d;
	size_t at = 0;

	mt_smtp_data_init(&d, 0);
	*status = MT_SMTP_DATA_MORE;
	while (at < wire.n && *status == MT_SMTP_DATA_MORE) {
		size_t piece = wire.n - at, n;
		struct mt_slice in;
		char *room;

		if (seed != 0) {
			seed = seed * 1103515245 + 12345;
			piece = MIN(piece, 1 + (seed >> 16) % 8);
		}
		in = mt_slice_mem(wire.p + at, piece);
		room = g_malloc(piece);
		*status = mt_smtp_data_decode(&d, &in, room, &n);
		g_assert(n <= piece && mt_buf_append(out, room, n) == 0);
		g_free(room);
		at += piece - in.n;
	}
	return at;
}

/* What was stored has no CR or NUL, and survives the way out and in. */
static void
check_stored(struct mt_slice message)
{
	struct mt_buf wire = MT_BUF_INIT(SIZE_MAX / 8), again = MT_BUF_INIT(SIZE_MAX / 8);
	enum mt_smtp_data_status status;
	struct mt_dot dot;

	g_assert(mt_slice_find(message, '\r') == message.n);
	g_assert(mt_slice_find(message, '\0') == message.n);
	mt_dot_init(&dot, MT_DOT_SMTP);
	g_assert(mt_dot_encode(&dot, message, &wire, NULL) == 0);
	g_assert(mt_dot_finish(&dot, &wire, NULL) == 0);
	g_assert(decode(mt_buf_slice(&wire), 0, &again, &status) == wire.n);
	g_assert(status == MT_SMTP_DATA_OK || status == MT_SMTP_DATA_LOOP);
	g_assert(mt_slice_eq(mt_buf_slice(&again), message));
	mt_buf_clear(&wire);
	mt_buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mt_buf whole = MT_BUF_INIT(SIZE_MAX / 8), pieces = MT_BUF_INIT(SIZE_MAX / 8);
	enum mt_smtp_data_status status, status_of_pieces;
	struct mt_slice wire;
	size_t taken, taken_of_pieces;

	if (size == 0)
		return 0;
	wire = mt_slice_mem(data + 1, size - 1);
	taken = decode(wire, 0, &whole, &status);
	taken_of_pieces = decode(wire, data[0] + 1u, &pieces, &status_of_pieces);
	g_assert(status == status_of_pieces);
	if (status <= MT_SMTP_DATA_LOOP) {
		g_assert(taken == taken_of_pieces);
		g_assert(mt_slice_eq(mt_buf_slice(&whole), mt_buf_slice(&pieces)));
	}
	if (status == MT_SMTP_DATA_OK) {
		g_assert(taken == 3 ? memcmp(wire.p, ".\r\n", 3) == 0 :
		    memcmp(wire.p + taken - 5, "\r\n.\r\n", 5) == 0);
		check_stored(mt_buf_slice(&whole));
	}
	mt_buf_clear(&whole);
	mt_buf_clear(&pieces);
	return 0;
}
