/* sent_copy.c - the sender's own copy of a message that has left the queue */
#include "send/sent_copy.h"

#include <glib.h>

#include "base/file.h"
#include "base/limits.h"
#include "maildir/deliver.h"
#include "message/header.h"
#include "message/msgid.h"
#include "send/draft.h"
#include "send/strip.h"

static int
deliver_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	return mt_deliver_write(arg, p, n, err);
}

/* Whether a folder has a message whose name begins so. */
static bool
has_unique(const struct mt_maildir *dir, const char *unique)
{
	static const char *const subs[] = { "cur", "new" };

	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *path = g_build_filename(mt_maildir_path(dir), subs[i], NULL);
		g_autoptr(GDir) files = g_dir_open(path, 0, NULL);
		const char *name;

		while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
			if (g_str_has_prefix(name, unique))
				return true;
		}
	}
	return false;
}

/*
 * The message under the id by which it is known now, in a file without a name; -1 without
 * an error: it has that already, or its header is not one to change.
 */
static int
renamed(const struct mt_spool_item *item, struct mt_err *err)
{
	static const char *const names[] = { "Message-ID", NULL };
	mt_auto_value(mt_buf) head = MT_BUF_INIT(MT_MAX_HEADER);
	mt_auto_value(mt_buf) out = MT_BUF_INIT(MT_MAX_HEADER);
	const char *id = item->envelope->message_id;
	g_autofree char *written = NULL;
	struct mt_header_field f;
	mt_auto_fd int fd = -1;

	if (id == NULL || mt_draft_header(item->fd, &head, NULL) < 0 ||
	    !mt_header_find(mt_buf_slice(&head), "Message-ID", &f))
		return -1;
	written = mt_msgid_parse_one(f.raw);
	if (written == NULL || g_str_equal(written, id) ||
	    mt_buf_appendf(&out, "Message-ID: %s\nX-Original-Message-ID: %s\n", id, written) < 0 ||
	    mt_strip_append(&out, mt_buf_slice(&head), names) < 0)
		return -1;
	fd = mt_file_temp(err);
	if (fd < 0)
		return -1;
	if (mt_file_write_all(fd, out.p, out.n) < 0)
		return mt_fail(err, MT_EIO, "temporary file in %s: write: %m", g_get_tmp_dir());
	if (mt_draft_append(fd, item->fd, head.n, err) < 0)
		return -1;
	return mt_steal_fd(&fd);
}

int
mt_sent_copy_keep(const char *maildir, const char *host, const struct mt_spool_item *item,
    bool is_again, struct mt_err *err)
{
	const struct mt_envelope *e = item->envelope;
	g_autofree char *path = g_build_filename(maildir, e->copy_to, NULL);
	mt_auto(mt_maildir) dir = mt_maildir_create(path, err);
	mt_auto(mt_deliver) d = dir != NULL ? mt_deliver_begin(dir, err) : NULL;
	struct mt_slice fields = mt_slice_str(e->copy_fields);
	g_autofree char *unique = g_strdup_printf("%lld.Q%s.%s", (long long)e->created, item->id,
	    host);
	struct mt_err why = { 0 };
	mt_auto_fd int other = -1;

	if (d == NULL)
		return -1;
	g_strdelimit(unique, "/:,", '_');
	mt_maildir_sweep(dir);
	if (is_again && has_unique(dir, unique))
		return 0;
	other = renamed(item, &why);
	if (other < 0 && why.kind != MT_ENONE) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	mt_deliver_set_unique(d, mt_slice_str(unique));
	mt_deliver_set_flags(d, MT_SLICE("S"));
	if ((fields.n > 0 && mt_deliver_write(d, fields.p, fields.n, err) < 0) ||
	    mt_draft_copy_lf(other >= 0 ? other : item->fd, deliver_piece, d, err) < 0)
		return -1;
	return mt_deliver_commit(d, err);
}
