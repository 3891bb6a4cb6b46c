/* send_forward.c - any file, forwarded and bounced: what comes out can travel */
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/encode.h"
#include "message/header.h"
#include "message/prescan.h"
#include "send/compose.h"
#include "send/forward.h"
#include "send/resend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(int fd, struct mt_buf *out)
{
	g_assert(lseek(fd, 0, SEEK_SET) == 0 && mt_file_read_fd(fd, out, NULL) == 0);
}

/* No NUL, no bare CR, no long line; and nobody is told who had it in secret. */
static void
check_composed(struct mt_compose *c)
{
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MIB(64));
	struct mt_encode_facts facts = { 0 };
	struct mt_header_field f;
	struct mt_err err = { 0 };
	mt_auto_fd int fd = -1;

	g_assert(mt_compose_set_from(c, "a@x.y", &err) == 0);
	g_assert(mt_compose_add_to(c, "b@x.y", &err) == 0);
	fd = mt_compose_write(c, &err);
	g_assert(fd >= 0);
	read_all(fd, &out);
	mt_encode_look(&facts, mt_buf_slice(&out));
	mt_encode_look_end(&facts);
	g_assert(!facts.has_control && facts.longest <= 998);
	g_assert(!mt_header_find(mt_header_block(mt_buf_slice(&out)), "Bcc", &f));
}

static void
forward_inline(int fd)
{
	mt_auto(mt_compose) c = mt_compose_new();
	g_autofree char *why = NULL;
	struct mt_err err = { 0 };

	if (mt_forward_inline(c, fd, &why, &err) == 0)
		check_composed(c);
}

static void
forward_attached(int fd)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };

	if (mt_forward_attached(c, fd, &err) == 0)
		check_composed(c);
}

/* The new block stands on top, and the body is as it was. */
static void
resend(int fd, struct mt_slice message)
{
	mt_auto_value(mt_addr_list) list = { 0 };
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MIB(64));
	const struct mt_resend params = { &list, NULL, &list, 1 };
	struct mt_slice body = mt_slice_from(message, mt_header_block(message).n);
	struct mt_header_field f;
	struct mt_err err = { 0 };
	mt_auto_fd int draft = -1;

	g_assert(mt_addr_parse(MT_SLICE("a@x.y"), &list, &err) == 0);
	draft = mt_resend_write(fd, &params, &err);
	if (draft < 0)
		return;
	read_all(draft, &out);
	g_assert(g_str_has_prefix(out.p, "Resent-Date: "));
	g_assert(mt_slice_ends(mt_buf_slice(&out), body));
	g_assert(!mt_header_find(mt_header_block(mt_buf_slice(&out)), "Bcc", &f));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_fd int fd = memfd_create("message", MFD_CLOEXEC);
	enum mt_prescan found;
	struct mt_err err = { 0 };

	g_assert(fd >= 0 && mt_file_write_all(fd, data, size) == 0);
	g_assert(mt_prescan_fd(fd, &found, &err) == 0);
	resend(fd, mt_slice_mem(data, size));
	forward_attached(fd);
	if (found == MT_PRESCAN_PLAIN)
		forward_inline(fd);
	return 0;
}
