/* pgp.c - sign and encrypt a finished message with OpenPGP (PGP/MIME, RFC 3156) */
#include "message/pgp.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/header.h"
#include "message/pgp_key.h"

struct pgp {
	const struct mt_pgp *p;
	struct mt_pgp_key signer;
	GPtrArray *readers;	/* fingerprints */
	int from, to;
	struct mt_buf head;	/* with the empty line */
	struct mt_buf content;	/* the fields of the body, and the empty line */
	char boundary[40];
};

static int
put(struct pgp *g, const void *p, size_t n, struct mt_err *err)
{
	if (mt_file_write_all(g->to, p, n) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	return 0;
}

static int
put_str(struct pgp *g, const char *text, struct mt_err *err)
{
	return put(g, text, strlen(text), err);
}

static int
read_header(struct pgp *g, struct mt_err *err)
{
	for (;;) {
		char *room = mt_buf_room(&g->head, 4096);
		ssize_t n = room == NULL ? 0 : pread(g->from, room, 4096, (off_t)g->head.n);
		struct mt_slice block;

		if (n < 0)
			return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
		mt_buf_wrote(&g->head, (size_t)n);
		block = mt_header_block(mt_buf_slice(&g->head));
		if (block.n < g->head.n || n == 0) {
			g->head.n = block.n;
			return n == 0 && room == NULL ?
			    mt_fail(err, MT_EDATA, "the header is too long") : 0;
		}
	}
}

/* The fields of the message go to the output, those of the body to where that goes. */
static int
split_header(struct pgp *g, struct mt_err *err)
{
	struct mt_slice rest = mt_buf_slice(&g->head);
	struct mt_header_field f;
	int failed = 0;

	while (mt_header_next(&rest, &f)) {
		if (mt_slice_eq_nocase(f.name, MT_SLICE("MIME-Version")))
			continue;
		if (mt_slice_starts_nocase(f.name, MT_SLICE("Content-")))
			failed |= mt_buf_append_slice(&g->content, f.whole);
		else if (put(g, f.whole.p, f.whole.n, err) < 0)
			return -1;
	}
	failed |= mt_buf_append_char(&g->content, '\n');
	if (failed != 0)
		return mt_fail(err, MT_EDATA, "the header is too long");
	return put_str(g, "MIME-Version: 1.0\n", err);
}

/* --- the bytes that are signed or encrypted ------------------------------------------ */

/* The body as it is signed or encrypted, on its way to a file. */
struct canonical {
	int fd;
	bool is_8bit;
	bool had_cr;		/* at the end of what was added last */
};

/* With CRLF, as the receiver checks it (RFC 3156 5); where there is one, it stays. */
static int
add_canonical(struct canonical *c, struct mt_slice text, struct mt_err *err)
{
	g_autoptr(GString) out = g_string_sized_new(text.n + text.n / 32);

	for (size_t i = 0; i < text.n; i++) {
		c->is_8bit = c->is_8bit || (unsigned char)text.p[i] >= 0x80;
		if (text.p[i] == '\n' && !c->had_cr)
			g_string_append_c(out, '\r');
		g_string_append_c(out, text.p[i]);
		c->had_cr = text.p[i] == '\r';
	}
	if (mt_file_write_all(c->fd, out->str, out->len) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	return 0;
}

static int
canonical_body(struct pgp *g, struct mt_err *err)
{
	mt_auto_fd int fd = mt_file_temp(err);
	struct canonical c = { .fd = fd };
	char chunk[32768];
	off_t at = (off_t)g->head.n;
	ssize_t n;

	if (fd < 0 || add_canonical(&c, mt_buf_slice(&g->content), err) < 0)
		return -1;
	while ((n = pread(g->from, chunk, sizeof(chunk), at)) > 0) {
		if (add_canonical(&c, mt_slice_mem(chunk, (size_t)n), err) < 0)
			return -1;
		at += n;
	}
	if (n < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "read: %m");
	if (c.is_8bit && g->p->signer != NULL)
		return mt_fail(err, MT_EDATA, "cannot be signed: it has 8-bit bytes, which a "
		    "server may change (forward a message with --attach instead)");
	return mt_steal_fd(&fd);
}

/* --- what GnuPG does ------------------------------------------------------------------ */

static int
fail_gpg(GError *why, const char *what, struct mt_err *err)
{
	mt_fail(err, MT_ECONF, "%s: %s", what, why != NULL ? why->message : "GnuPG failed");
	g_clear_error(&why);
	return -1;
}

/* Everything that GnuPG gave, to the output. */
static int
put_result(struct pgp *g, GMimeStream *result, struct mt_err *err)
{
	char chunk[32768];
	ssize_t n;

	if (g_mime_stream_reset(result) < 0)
		return mt_fail(err, MT_EIO, "temporary file: %m");
	while ((n = g_mime_stream_read(result, chunk, sizeof(chunk))) > 0) {
		size_t kept = 0;

		for (ssize_t i = 0; i < n; i++) {
			if (chunk[i] != '\r')
				chunk[kept++] = chunk[i];
		}
		if (put(g, chunk, kept, err) < 0)
			return -1;
	}
	return n < 0 ? mt_fail(err, MT_EIO, "temporary file: %m") : 0;
}

static int
put_body(struct pgp *g, struct mt_err *err)
{
	char chunk[32768];
	off_t at = (off_t)g->head.n;
	ssize_t n;

	if (put(g, g->content.p, g->content.n, err) < 0)
		return -1;
	while ((n = pread(g->from, chunk, sizeof(chunk), at)) > 0) {
		if (put(g, chunk, (size_t)n, err) < 0)
			return -1;
		at += n;
	}
	return n < 0 ? mt_fail(err, MT_EIO, "read: %m") : 0;
}

/* "pgp-sha512", as micalg says it. */
static char *
micalg(GMimeCryptoContext *ctx, int digest)
{
	const char *name = g_mime_crypto_context_digest_name(ctx, (GMimeDigestAlgo)digest);

	return g_ascii_strdown(name != NULL ? name : "pgp-sha256", -1);
}

/* RFC 3156 5 */
static int
sign(struct pgp *g, GMimeCryptoContext *ctx, GMimeStream *in, struct mt_err *err)
{
	GMimeStream *signature = g_mime_stream_mem_new();
	g_autofree char *head = NULL, *middle = NULL, *end = NULL, *algorithm = NULL;
	GError *why = NULL;
	int digest, rc = -1;

	digest = g_mime_crypto_context_sign(ctx, TRUE, g->signer.fpr, in, signature, &why);
	if (digest < 0) {
		g_object_unref(signature);
		fail_gpg(why, "cannot be signed (gpg-agent has to know its passphrase, if it has "
		    "one, or a terminal to ask on, GPG_TTY)", err);
		return mt_fail_in(err, "key %s", g->signer.fpr);
	}
	algorithm = micalg(ctx, digest);
	head = g_strdup_printf("Content-Type: multipart/signed; micalg=%s;\n"
	    "\tprotocol=\"application/pgp-signature\"; boundary=\"%s\"\n\n--%s\n", algorithm,
	    g->boundary, g->boundary);
	middle = g_strdup_printf("\n--%s\nContent-Type: application/pgp-signature; "
	    "name=\"signature.asc\"\nContent-Description: OpenPGP signature\n\n", g->boundary);
	end = g_strdup_printf("\n--%s--\n", g->boundary);
	if (put_str(g, head, err) == 0 && put_body(g, err) == 0 &&
	    put_str(g, middle, err) == 0 && put_result(g, signature, err) == 0)
		rc = put_str(g, end, err);
	g_object_unref(signature);
	return rc;
}

/* RFC 3156 4, and 6.2 when it is signed too. */
static int
encrypt(struct pgp *g, GMimeCryptoContext *ctx, GMimeStream *in, struct mt_err *err)
{
	mt_auto_fd int fd = mt_file_temp(err);
	g_autofree char *head = NULL, *end = NULL;
	GMimeStream *out;
	GError *why = NULL;
	int rc = -1;

	if (fd < 0)
		return -1;
	out = g_mime_stream_fs_new_with_bounds(mt_steal_fd(&fd), 0, -1);
	if (g_mime_crypto_context_encrypt(ctx, g->p->signer != NULL, g->signer.fpr,
	    g->p->hides_readers ? GMIME_ENCRYPT_THROW_KEYIDS : GMIME_ENCRYPT_NONE, g->readers, in,
	    out, &why) < 0) {
		g_object_unref(out);
		fail_gpg(why, "cannot be encrypted", err);
		return g->p->signer != NULL ? mt_fail_in(err, "key %s", g->signer.fpr) : -1;
	}
	head = g_strdup_printf("Content-Type: multipart/encrypted;\n"
	    "\tprotocol=\"application/pgp-encrypted\"; boundary=\"%s\"\n\n--%s\n"
	    "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version\n\n"
	    "Version: 1\n\n--%s\nContent-Type: application/octet-stream; "
	    "name=\"encrypted.asc\"\nContent-Description: OpenPGP encrypted message\n"
	    "Content-Disposition: inline; filename=\"encrypted.asc\"\n\n", g->boundary,
	    g->boundary, g->boundary);
	end = g_strdup_printf("\n--%s--\n", g->boundary);
	if (put_str(g, head, err) == 0 && put_result(g, out, err) == 0)
		rc = put_str(g, end, err);
	g_object_unref(out);
	return rc;
}

/* Names stand for one key each: the one that GnuPG takes for theirs. */
static int
find_keys(struct pgp *g, struct mt_err *err)
{
	const char *const *names = g->p->readers;

	if (g->p->signer != NULL &&
	    mt_pgp_key_find(g->p->signer, MT_PGP_SIGN, &g->signer, err) < 0)
		return mt_fail_in(err, "cannot be signed");
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		struct mt_pgp_key key;

		if (mt_pgp_key_find(names[i], MT_PGP_ENCRYPT, &key, err) < 0)
			return mt_fail_in(err, "cannot be encrypted");
		g_ptr_array_add(g->readers, g_strdup(key.fpr));
	}
	return 0;
}

static int
write_with(struct pgp *g, GMimeCryptoContext *ctx, struct mt_err *err)
{
	mt_auto_fd int body = canonical_body(g, err);
	GMimeStream *in;
	int rc;

	if (body < 0 || find_keys(g, err) < 0)
		return -1;
	in = g_mime_stream_fs_new_with_bounds(mt_steal_fd(&body), 0, -1);
	if (g_mime_stream_reset(in) < 0)
		rc = mt_fail(err, MT_EIO, "temporary file: %m");
	else if (g->p->readers != NULL)
		rc = encrypt(g, ctx, in, err);
	else
		rc = sign(g, ctx, in, err);
	g_object_unref(in);
	return rc;
}

static int
write_to(struct pgp *g, struct mt_err *err)
{
	GMimeCryptoContext *ctx;
	uint64_t random[2];
	int rc = -1;

	/* 128 random bits are in no message. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return mt_fail(err, MT_ESOFTWARE, "no random bytes: %m");
	g_snprintf(g->boundary, sizeof(g->boundary), "=_%016" G_GINT64_MODIFIER "x%016"
	    G_GINT64_MODIFIER "x", random[0], random[1]);
	g_mime_init();
	ctx = g_mime_gpg_context_new();
	if (ctx == NULL)
		return mt_fail(err, MT_ECONF, "GnuPG cannot be used: is gpg installed?");
	if (read_header(g, err) == 0 && split_header(g, err) == 0)
		rc = write_with(g, ctx, err);
	g_object_unref(ctx);
	return rc;
}

int
mt_pgp_write(int fd, const struct mt_pgp *p, struct mt_err *err)
{
	g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(g_free);
	mt_auto_fd int to = mt_file_temp(err);
	struct pgp g = { .p = p, .readers = readers, .from = fd, .to = to,
		.head = MT_BUF_INIT(MT_MAX_HEADER), .content = MT_BUF_INIT(MT_MAX_HEADER) };
	int rc = to < 0 ? -1 : write_to(&g, err);

	mt_buf_clear(&g.head);
	mt_buf_clear(&g.content);
	return rc == 0 ? mt_steal_fd(&to) : -1;
}
