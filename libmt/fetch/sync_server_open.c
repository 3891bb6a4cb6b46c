/* sync_server_open.c - a mailbox is opened, and what has changed in it found out */
#include "fetch/sync_server_io.h"

/* --- opening, and what has changed ---------------------------------------------------- */

static int
compare_remote(const void *a, const void *b)
{
	const struct mt_sync_remote *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

/* By uid, each once: the last that was said counts. */
static void
sort_remote(GArray *list)
{
	guint n = 0;

	g_array_sort(list, compare_remote);
	for (guint i = 0; i < list->len; i++) {
		struct mt_sync_remote m = g_array_index(list, struct mt_sync_remote, i);

		if (n > 0 && g_array_index(list, struct mt_sync_remote, n - 1).uid == m.uid)
			n--;
		g_array_index(list, struct mt_sync_remote, n++) = m;
	}
	g_array_set_size(list, n);
}

/* All there is, with its flags. A message that the server does not list although it says that
   it is there must not be taken for one that is gone. */
static int
list_all(struct mt_sync_server *s, struct mt_sync_selected *sel, struct mt_err *err)
{
	uint32_t n = sel->exists;
	struct mt_imap_done done;

	g_array_set_size(sel->remote, 0);
	mt_imap_set_clear(&sel->gone);
	if (n == 0)
		return 0;
	s->removed = 0;
	if (mt_sync_server_ask(s, &done, err, "UID FETCH 1:* (UID FLAGS)") < 0)
		return -1;
	sort_remote(sel->remote);
	if (sel->remote->len + s->removed < n)
		return mt_fail(err, MT_EPROTO, "the server says that there are %u messages, and "
		    "lists only %u", n, sel->remote->len);
	return 0;
}

/* Which UIDs there are. */
static int
list_uids(struct mt_sync_server *s, struct mt_imap_set *present, struct mt_err *err)
{
	struct mt_imap_done done;
	int rc;

	s->found = present;
	rc = mt_sync_server_ask(s, &done, err, mt_imap_has(s->imap, MT_IMAP_CAP_ESEARCH) ?
	    "UID SEARCH RETURN (ALL) ALL" : "UID SEARCH ALL");
	s->found = NULL;
	return rc;
}

/* How many there would be, if the changes are all. */
static size_t
expected(const struct mt_sync_known *known, const struct mt_sync_selected *sel)
{
	size_t n = known->nrows, at = 0;

	for (guint i = 0; i < sel->remote->len; i++) {
		uint32_t uid = g_array_index(sel->remote, struct mt_sync_remote, i).uid;

		while (at < known->nrows && known->rows[at].uid < uid)
			at++;
		n += at >= known->nrows || known->rows[at].uid != uid;
	}
	for (size_t i = 0; i < known->nrows; i++)
		n -= mt_imap_set_has(&sel->gone, known->rows[i].uid);
	return n;
}

/* Rows that are not among those that are present are gone. */
static void
find_gone(const struct mt_sync_known *known, const struct mt_imap_set *present,
    struct mt_imap_set *gone)
{
	mt_imap_set_clear(gone);
	for (size_t i = 0; i < known->nrows; i++) {
		uint32_t uid = known->rows[i].uid;

		if (!mt_imap_set_has(present, uid))
			mt_imap_set_add(gone, uid, uid);
	}
}

/* Look at all, whatever was said. */
static int
compare_all(struct mt_sync_server *s, const struct mt_sync_known *known,
    struct mt_sync_selected *sel, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) present = { 0 };

	if (list_all(s, sel, err) < 0)
		return -1;
	for (guint i = 0; i < sel->remote->len; i++) {
		uint32_t uid = g_array_index(sel->remote, struct mt_sync_remote, i).uid;

		mt_imap_set_add(&present, uid, uid);
	}
	find_gone(known, &present, &sel->gone);
	return 0;
}

/* What was said to be gone and was never known is not news. */
static void
drop_unknown(const struct mt_sync_known *known, struct mt_imap_set *gone)
{
	mt_auto_value(mt_imap_set) all = *gone;

	*gone = (struct mt_imap_set){ 0 };
	for (size_t i = 0; i < known->nrows; i++) {
		if (mt_imap_set_has(&all, known->rows[i].uid))
			mt_imap_set_add(gone, known->rows[i].uid, known->rows[i].uid);
	}
}

static int
changes(struct mt_sync_server *s, const struct mt_sync_known *known, bool by_qresync,
    struct mt_sync_selected *sel, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) present = { 0 };
	struct mt_imap_done done;
	g_autofree char *since = NULL;

	if (known->validity == 0 || sel->is_reset)
		return list_all(s, sel, err);
	if (known->modseq == 0 || sel->modseq < known->modseq)
		return compare_all(s, known, sel, err);
	if (!by_qresync && sel->modseq != known->modseq && sel->exists > 0) {
		since = g_strdup_printf("UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %llu)",
		    (unsigned long long)known->modseq);
		if (mt_sync_server_ask(s, &done, err, since) < 0)
			return -1;
	}
	sort_remote(sel->remote);
	drop_unknown(known, &sel->gone);
	if (expected(known, sel) == sel->exists)
		return 0;
	if (!by_qresync) {
		if (list_uids(s, &present, err) < 0)
			return -1;
		find_gone(known, &present, &sel->gone);
		if (expected(known, sel) == sel->exists)
			return 0;
	}
	/* Something was left out, by us or by the server. */
	return compare_all(s, known, sel, err);
}

/* What SELECT must have said (RFC 9051 6.3.2). */
static int
check_selected(const struct mt_sync_known *known, struct mt_sync_selected *sel,
    struct mt_err *err)
{
	if (sel->validity == 0)
		return mt_fail(err, MT_EPROTO, "the server says no UIDVALIDITY");
	if (!sel->has_exists)
		return mt_fail(err, MT_EPROTO, "the server does not say how many messages there "
		    "are");
	sel->is_reset = known->validity != 0 && (known->validity != sel->validity ||
	    (sel->uidnext != 0 && sel->uidnext < known->uidnext));
	return 0;
}

int
mt_sync_server_select(struct mt_sync_server *s, const char *name,
    const struct mt_sync_known *known, struct mt_sync_selected *out, struct mt_err *err)
{
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	g_autofree char *words = NULL;
	bool by_qresync = mt_imap_is_enabled(s->imap, MT_IMAP_CAP_QRESYNC) &&
	    known->validity != 0 && known->modseq != 0;
	struct mt_imap_done done;
	int rc;

	*out = (struct mt_sync_selected){ .remote = g_array_new(FALSE, FALSE,
	    sizeof(struct mt_sync_remote)) };
	if (by_qresync)
		words = g_strdup_printf("SELECT %s (QRESYNC (%u %llu))", box, known->validity,
		    (unsigned long long)known->modseq);
	else
		words = g_strdup_printf("SELECT %s%s", box,
		    mt_imap_has(s->imap, MT_IMAP_CAP_CONDSTORE) ? " (CONDSTORE)" : "");
	s->selected = out;
	g_clear_pointer(&s->open, g_free);
	rc = mt_sync_server_ask(s, &done, err, words);
	if (rc == 0)
		rc = check_selected(known, out, err);
	if (rc == 0) {
		s->open = g_strdup(name);
		out->is_readonly = done.code == MT_IMAP_CODE_READ_ONLY;
		rc = changes(s, known, by_qresync, out, err);
	}
	sort_remote(out->remote);
	s->selected = NULL;
	return rc;
}

int
mt_sync_server_open(struct mt_sync_server *s, const char *name, uint32_t validity,
    struct mt_err *err)
{
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	g_autofree char *words = g_strdup_printf("SELECT %s", box);
	struct mt_sync_selected sel = { 0 };
	struct mt_imap_done done;
	int rc;

	if (g_strcmp0(s->open, name) == 0)
		return 0;
	sel.remote = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_remote));
	g_clear_pointer(&s->open, g_free);
	s->selected = &sel;
	rc = mt_sync_server_ask(s, &done, err, words);
	s->selected = NULL;
	if (rc == 0 && sel.validity != validity)
		rc = mt_fail(err, MT_ETEMP, "its UIDs have just changed");
	if (rc < 0)
		mt_fail_in(err, "mailbox \"%s\"", name);
	else
		s->open = g_strdup(name);
	mt_sync_selected_clear(&sel);
	return rc;
}

void
mt_sync_selected_clear(struct mt_sync_selected *sel)
{
	if (sel->remote != NULL)
		g_array_free(sel->remote, TRUE);
	mt_imap_set_clear(&sel->gone);
	*sel = (struct mt_sync_selected){ 0 };
}
