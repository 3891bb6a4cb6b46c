/* text.c - any file as a message: what comes out cannot drive a terminal */
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/file.h"
#include "message/charset.h"
#include "message/prescan.h"
#include "message/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *text, bool one_line)
{
	if (text == NULL)
		return;
	g_assert(g_utf8_validate(text, -1, NULL));
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
		g_assert(!mt_charset_is_control(g_utf8_get_char(p)) ||
		    (!one_line && (*p == '\n' || *p == '\t')));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mt_auto_fd int fd = memfd_create("message", MFD_CLOEXEC);
	mt_auto_value(mt_text) t = { 0 };
	struct mt_err err = { 0 };
	enum mt_prescan found;

	g_assert(fd >= 0 && mt_file_write_all(fd, data, size) == 0);
	g_assert(mt_prescan_fd(fd, &found, &err) == 0);
	/* A child for each of these would be slow; GMime is not what we test. */
	if (found != MT_PRESCAN_PLAIN || mt_text_read(fd, &t, &err) < 0)
		return 0;
	check(t.subject, true);
	check(t.from, true);
	check(t.body, false);
	for (size_t i = 0; i < t.nattachments; i++) {
		check(t.attachments[i].name, true);
		check(t.attachments[i].type, true);
	}
	return 0;
}
