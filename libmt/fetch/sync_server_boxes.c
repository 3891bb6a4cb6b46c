/* sync_server_boxes.c - mailboxes: which there are, made, removed, and waited for */
#include "fetch/sync_server_io.h"

/* --- mailboxes --------------------------------------------------------------------- */

static int
compare_boxes(const void *a, const void *b)
{
	const struct mt_sync_box *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

GPtrArray *
mt_sync_server_list(struct mt_sync_server *s, size_t *odd, struct mt_err *err)
{
	static const unsigned owners[] = { [MT_IMAP_PERSONAL] = 0,
		[MT_IMAP_OTHERS] = MT_SYNC_USE_OTHERS, [MT_IMAP_SHARED] = MT_SYNC_USE_SHARED };
	g_autoptr(GPtrArray) boxes = g_ptr_array_new_with_free_func(mt_sync_box_free);
	bool has_status = mt_imap_has(s->imap, MT_IMAP_CAP_LIST_STATUS);
	g_autoptr(GString) words = g_string_new("LIST \"\" \"*\"");
	struct mt_imap_done done;
	int rc;

	if (has_status) {
		g_string_append(words, " RETURN (");
		if (mt_imap_has(s->imap, MT_IMAP_CAP_SPECIAL_USE))
			g_string_append(words, "SPECIAL-USE ");
		g_string_append(words, "STATUS (MESSAGES UIDNEXT UIDVALIDITY");
		if (mt_imap_has(s->imap, MT_IMAP_CAP_CONDSTORE))
			g_string_append(words, " HIGHESTMODSEQ");
		g_string_append(words, "))");
	}
	s->boxes = boxes;
	s->odd = 0;
	rc = mt_sync_server_ask(s, &done, err, words->str);
	s->boxes = NULL;
	*odd = s->odd;
	if (rc < 0 || mt_sync_server_end_hello(s, err) < 0)
		return NULL;
	for (guint i = 0; i < boxes->len; i++) {
		struct mt_sync_box *b = g_ptr_array_index(boxes, i);

		b->use |= owners[mt_imap_namespaces_owner(s->namespaces, b->name)];
	}
	g_ptr_array_sort(boxes, compare_boxes);
	return g_steal_pointer(&boxes);
}

int
mt_sync_server_status(struct mt_sync_server *s, struct mt_sync_box *b, struct mt_err *err)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_autofree char *box = mt_imap_mailbox(s->imap, b->name);
	struct mt_imap_done done;
	unsigned tag = mt_imap_send(s->imap, err, "STATUS %s (MESSAGES UIDNEXT UIDVALIDITY)",
	    box);
	int rc;

	g_ptr_array_add(one, b);
	s->boxes = one;
	rc = tag == 0 ? -1 : mt_imap_wait(s->imap, tag, &done, err);
	s->boxes = NULL;
	return rc;
}

/* CLOSE would expunge. */
static int
unselect(struct mt_sync_server *s, struct mt_err *err)
{
	struct mt_imap_done done;
	const char *words = mt_imap_has(s->imap, MT_IMAP_CAP_UNSELECT) ? "UNSELECT" :
	    "EXAMINE INBOX";

	if (s->open != NULL && mt_sync_server_ask(s, &done, err, words) < 0)
		return -1;
	g_clear_pointer(&s->open, g_free);
	return 0;
}

int
mt_sync_server_delete(struct mt_sync_server *s, const char *name, struct mt_err *err)
{
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	g_autofree char *words = g_strdup_printf("DELETE %s", box);
	struct mt_imap_done done;

	/* What is open is not removed, or ends the session. */
	if (unselect(s, err) < 0)
		return -1;
	return mt_sync_server_ask(s, &done, err, words);
}

int
mt_sync_server_create(struct mt_sync_server *s, const char *name, struct mt_err *err)
{
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	struct mt_imap_done done;
	unsigned tag = mt_imap_send(s->imap, err, "CREATE %s", box);

	if (tag == 0 || mt_imap_wait(s->imap, tag, &done, err) < 0)
		return -1;
	if (done.kind == MT_IMAP_OK || done.code == MT_IMAP_CODE_ALREADYEXISTS)
		return 0;
	mt_imap_fail(&done, err);
	return mt_fail_in(err, "mailbox \"%s\" cannot be made", name);
}

/* --- waiting ------------------------------------------------------------------------- */

/* All events of all mailboxes from now on (RFC 5465): 0 also when the server refuses. */
static int
ask_notify(struct mt_sync_server *s, struct mt_err *err)
{
	struct mt_imap_done done;
	unsigned tag;

	if (s->has_notify || s->no_notify)
		return 0;
	if (!mt_imap_has(s->imap, MT_IMAP_CAP_NOTIFY) ||
	    !mt_imap_has(s->imap, MT_IMAP_CAP_UNSELECT)) {
		s->no_notify = true;
		return 0;
	}
	tag = mt_imap_send(s->imap, err, "NOTIFY SET (selected-delayed (MessageNew "
	    "MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange "
	    "MailboxName))");
	if (tag == 0 || mt_imap_wait(s->imap, tag, &done, err) < 0)
		return -1;
	s->has_notify = done.kind == MT_IMAP_OK;
	s->no_notify = !s->has_notify;
	return 0;
}

int
mt_sync_server_watch(struct mt_sync_server *s, const char *name, int other, uint32_t ms,
    bool *is_woken, struct mt_err *err)
{
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	g_autofree char *words = g_strdup_printf("EXAMINE %s", box);
	bool by_idle;
	struct mt_imap_done done;
	int rc;

	*is_woken = false;
	if (ask_notify(s, err) < 0)
		return -1;
	by_idle = !s->has_notify && mt_imap_has(s->imap, MT_IMAP_CAP_IDLE);
	if (by_idle) {
		g_clear_pointer(&s->open, g_free);
		rc = mt_sync_server_ask(s, &done, err, words);
	} else {
		rc = unselect(s, err);
	}
	if (rc < 0)
		return -1;
	s->is_woken = is_woken;
	rc = mt_imap_watch(s->imap, by_idle, is_woken, other, ms, err);
	s->is_woken = NULL;
	return rc;
}
