/* sync_server.c - the server's side of a synchronisation: what it has, and changes to it */
#include "fetch/sync_server.h"

#include <stdlib.h>

#include "base/limits.h"
#include "fetch/sync_flags.h"
#include "message/header.h"
#include "message/msgid.h"

/* UIDs in one command: servers need take no more than 8,000 octets in a line (RFC 7162 4). */
#define SET_MAX 6000
/* So many commands are under way at once: a server that stops reading while nobody reads what
   it says must not find us writing for ever. */
#define COMMANDS_MAX 8

struct mt_sync_server {
	struct mt_imap *imap;
	/* Where data goes that comes now; NULL: nobody has asked for it. */
	GArray *namespaces;
	GPtrArray *boxes;
	size_t odd;
	struct mt_sync_selected *selected;
	uint64_t removed;		/* messages, while `selected` was there */
	GArray *meta;
	GHashTable *asked;		/* UIDs of meta that were not answered yet */
	const struct mt_sync_bodies *bodies;
	struct mt_imap_set *found;	/* of a search */
	GArray *moved;			/* struct mt_sync_moved */
	uint64_t moved_max;		/* so many were to be moved */
	char *open;			/* the mailbox that is, or NULL */
	bool *is_woken;			/* while we only wait */
	bool has_notify, no_notify;	/* it was asked for; it was refused */
	unsigned hello[3];		/* commands that nobody has waited for yet; 0: none */
};

/* --- data, as it comes -------------------------------------------------------------- */

static void
box_free(void *p)
{
	struct mt_sync_box *b = p;

	g_free(b->name);
	g_free(b);
}

static char *
name_of(const struct mt_sync_server *s, const struct mt_imap_value *v)
{
	char *name = mt_imap_mailbox_name(s->imap, v);

	/* RFC 9051 5.1: in any case. */
	if (name != NULL && g_ascii_strcasecmp(name, "INBOX") == 0)
		memcpy(name, "INBOX", 5);
	return name;
}

static struct mt_sync_box *
find_box(const GPtrArray *boxes, const char *name)
{
	for (guint i = 0; i < boxes->len; i++) {
		struct mt_sync_box *b = g_ptr_array_index(boxes, i);

		if (g_str_equal(b->name, name))
			return b;
	}
	return NULL;
}

static int
take_list(struct mt_sync_server *s, const struct mt_imap_response *r, struct mt_err *err)
{
	static const struct {
		const char *name;
		unsigned use;
	} uses[] = {
		{ "\\All", MT_SYNC_USE_ALL },
		{ "\\Archive", MT_SYNC_USE_ARCHIVE },
		{ "\\Drafts", MT_SYNC_USE_DRAFTS },
		{ "\\Flagged", MT_SYNC_USE_FLAGGED },
		{ "\\Important", MT_SYNC_USE_IMPORTANT },
		{ "\\Junk", MT_SYNC_USE_JUNK },
		{ "\\Sent", MT_SYNC_USE_SENT },
		{ "\\Trash", MT_SYNC_USE_TRASH },
	};
	struct mt_slice attributes = r->list.attributes, word;
	g_autofree char *name = name_of(s, &r->name);
	struct mt_sync_box *b;
	unsigned use = 0;

	while (mt_slice_take_word(&attributes, &word)) {
		if (mt_slice_eq_nocase(word, MT_SLICE("\\Noselect")) ||
		    mt_slice_eq_nocase(word, MT_SLICE("\\NonExistent")))
			return 0;
		for (size_t i = 0; i < G_N_ELEMENTS(uses); i++) {
			if (mt_slice_eq_nocase(word, mt_slice_str(uses[i].name)))
				use |= uses[i].use;
		}
	}
	if (name == NULL) {
		s->odd++;
		return 0;
	}
	if (find_box(s->boxes, name) != NULL)
		return 0;
	if (s->boxes->len >= MT_MAX_IMAP_MAILBOXES)
		return mt_fail(err, MT_EPROTO, "the server has more than %zu folders",
		    MT_MAX_IMAP_MAILBOXES);
	b = g_new0(struct mt_sync_box, 1);
	b->name = g_steal_pointer(&name);
	b->delimiter = r->list.delimiter;
	b->use = use;
	g_ptr_array_add(s->boxes, b);
	return 0;
}

static void
take_status(struct mt_sync_server *s, const struct mt_imap_response *r)
{
	g_autofree char *name = name_of(s, &r->name);
	struct mt_sync_box *b;

	if (name == NULL)
		return;
	b = find_box(s->boxes, name);
	if (b != NULL)
		b->status = r->status;
}

static void
take_selected_status(struct mt_sync_selected *sel, const struct mt_imap_response *r)
{
	struct mt_slice args = r->code_args;
	uint64_t n;

	if (r->code == MT_IMAP_CODE_NOMODSEQ)
		sel->modseq = 0;
	else if (r->code == MT_IMAP_CODE_UIDVALIDITY && mt_slice_take_u64(&args, UINT32_MAX, &n))
		sel->validity = (uint32_t)n;
	else if (r->code == MT_IMAP_CODE_UIDNEXT && mt_slice_take_u64(&args, UINT32_MAX, &n))
		sel->uidnext = (uint32_t)n;
	else if (r->code == MT_IMAP_CODE_HIGHESTMODSEQ &&
	    mt_slice_take_u64(&args, INT64_MAX, &n))
		sel->modseq = n;
	else if (r->code == MT_IMAP_CODE_CLOSED) {
		/* What came up to here was about the mailbox before (RFC 7162 3.2.11). */
		g_array_set_size(sel->remote, 0);
		mt_imap_set_clear(&sel->gone);
		sel->has_exists = false;
	}
}

static int
take_exists(struct mt_sync_selected *sel, uint32_t n, struct mt_err *err)
{
	if (n > MT_MAX_IMAP_MESSAGES)
		return mt_fail(err, MT_EPROTO, "the server says that there are %u messages; more "
		    "than %zu are not taken", n, MT_MAX_IMAP_MESSAGES);
	sel->exists = n;
	sel->has_exists = true;
	return 0;
}

/* The number of a message, once it is known how many there are. */
static int
check_number(const struct mt_sync_selected *sel, const struct mt_imap_response *r,
    struct mt_err *err)
{
	if (!sel->has_exists || (r->number > 0 && r->number <= sel->exists))
		return 0;
	return mt_fail(err, MT_EPROTO, "the server speaks of message %u of %u", r->number,
	    sel->exists);
}

static int
take_expunge(struct mt_sync_server *s, const struct mt_imap_response *r, struct mt_err *err)
{
	if (!s->selected->has_exists)
		return 0;
	if (check_number(s->selected, r, err) < 0)
		return -1;
	s->selected->exists--;
	s->removed++;
	return 0;
}

static int
take_vanished(struct mt_sync_server *s, const struct mt_imap_response *r, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) uids = { 0 };
	struct mt_sync_selected *sel = s->selected;
	uint64_t n;

	if (!mt_imap_set_parse(&uids, r->data))
		return mt_fail(err, MT_EPROTO, "VANISHED without a set of UIDs");
	for (size_t i = 0; i < uids.n; i++)
		mt_imap_set_add(&sel->gone, uids.v[i].from, uids.v[i].to);
	if (!r->is_earlier) {
		n = MIN(mt_imap_set_count(&uids), sel->exists);
		sel->exists -= (uint32_t)n;
		s->removed += n;
	}
	return 0;
}

static int
take_flags(struct mt_sync_server *s, const struct mt_imap_response *r, struct mt_err *err)
{
	const struct mt_imap_fetch *f = &r->fetch;
	struct mt_sync_remote m = { .uid = f->uid };

	if (check_number(s->selected, r, err) < 0)
		return -1;
	if ((f->has & (MT_IMAP_HAS_UID | MT_IMAP_HAS_FLAGS)) !=
	    (MT_IMAP_HAS_UID | MT_IMAP_HAS_FLAGS))
		return 0;
	if (s->selected->remote->len >= MT_MAX_IMAP_MESSAGES)
		return mt_fail(err, MT_EPROTO, "the server lists more than %zu messages",
		    MT_MAX_IMAP_MESSAGES);
	m.flags = mt_sync_flags_of_imap(f->flags, &m.keywords);
	g_array_append_val(s->selected->remote, m);
	return 0;
}

static void
take_meta(struct mt_sync_server *s, const struct mt_imap_fetch *f)
{
	struct mt_sync_meta m = { .uid = f->uid, .size = f->size, .date = f->date };
	struct mt_header_field field;

	if ((f->has & MT_IMAP_HAS_UID) == 0 || (f->has & MT_IMAP_HAS_RFC822_SIZE) == 0 ||
	    !g_hash_table_remove(s->asked, GUINT_TO_POINTER(f->uid)))
		return;
	if (mt_header_find(f->header, "Message-ID", &field))
		m.msgid = mt_msgid_parse_one(field.raw);
	g_array_append_val(s->meta, m);
}

static int
take_search(struct mt_sync_server *s, const struct mt_imap_response *r)
{
	struct mt_slice rest = r->data, word;
	uint64_t n;

	if (r->kind == MT_IMAP_ESEARCH)
		return rest.n == 0 || mt_imap_set_parse(s->found, rest) ? 0 : -1;
	mt_slice_skip_blank(&rest);
	while (mt_slice_take_word(&rest, &word)) {
		if (mt_slice_starts(word, MT_SLICE("(")))
			break;
		if (!mt_slice_take_u64(&word, UINT32_MAX, &n) || n == 0 || word.n > 0)
			return -1;
		mt_imap_set_add(s->found, (uint32_t)n, (uint32_t)n);
	}
	return 0;
}

/* "VALIDITY FROM TO": two sets, of which each goes with each in their order (RFC 4315 3). */
static void
take_copyuid(struct mt_sync_server *s, struct mt_slice args)
{
	struct mt_imap_range from = { 1, 0 }, to = { 1, 0 };
	struct mt_slice word, old;
	uint64_t validity;

	if (!mt_slice_take_word(&args, &word) ||
	    !mt_slice_take_u64(&word, UINT32_MAX, &validity) || word.n > 0 ||
	    !mt_slice_take_word(&args, &old))
		return;
	while (s->moved->len < s->moved_max) {
		struct mt_sync_moved m;

		if ((from.from > from.to && !mt_imap_range_take(&old, &from)) ||
		    (to.from > to.to && !mt_imap_range_take(&args, &to)))
			return;
		m = (struct mt_sync_moved){ from.from, (uint32_t)validity, to.from };
		g_array_append_val(s->moved, m);
		/* A range that ends with the last number there is. */
		if (from.from == UINT32_MAX || to.from == UINT32_MAX)
			return;
		from.from++;
		to.from++;
	}
}

/* Whether it tells of a change: "* OK Still here" does not. */
static bool
is_change(const struct mt_imap_response *r)
{
	switch (r->kind) {
	case MT_IMAP_EXISTS:
	case MT_IMAP_EXPUNGE:
	case MT_IMAP_VANISHED:
	case MT_IMAP_FETCH:
	case MT_IMAP_LIST:
	case MT_IMAP_STATUS:
		return true;
	default:
		return false;
	}
}

static int
on_data(void *arg, const struct mt_imap_response *r, struct mt_err *err)
{
	struct mt_sync_server *s = arg;

	if (s->is_woken != NULL)
		*s->is_woken = *s->is_woken || is_change(r);
	switch (r->kind) {
	case MT_IMAP_LIST:
		return s->boxes != NULL ? take_list(s, r, err) : 0;
	case MT_IMAP_NAMESPACE:
		g_clear_pointer(&s->namespaces, g_array_unref);
		s->namespaces = mt_imap_namespaces_parse(s->imap, r->data);
		return 0;
	case MT_IMAP_STATUS:
		if (s->boxes != NULL)
			take_status(s, r);
		return 0;
	case MT_IMAP_OK:
		if (s->selected != NULL)
			take_selected_status(s->selected, r);
		if (s->moved != NULL && r->code == MT_IMAP_CODE_COPYUID)
			take_copyuid(s, r->code_args);
		return 0;
	case MT_IMAP_EXISTS:
		return s->selected != NULL ? take_exists(s->selected, r->number, err) : 0;
	case MT_IMAP_EXPUNGE:
		return s->selected != NULL ? take_expunge(s, r, err) : 0;
	case MT_IMAP_VANISHED:
		return s->selected != NULL ? take_vanished(s, r, err) : 0;
	case MT_IMAP_SEARCH:
	case MT_IMAP_ESEARCH:
		if (s->found != NULL && take_search(s, r) < 0)
			return mt_fail(err, MT_EPROTO, "the answer to SEARCH is no set of UIDs");
		return 0;
	case MT_IMAP_FETCH:
		if (s->bodies != NULL && (r->fetch.has & MT_IMAP_HAS_BODY))
			return s->bodies->end(s->bodies->arg, &r->fetch, err);
		if (s->meta != NULL)
			take_meta(s, &r->fetch);
		return s->selected != NULL ? take_flags(s, r, err) : 0;
	default:
		return 0;
	}
}

/* --- the session ------------------------------------------------------------------- */

/* One command that is to succeed. */
static int
ask(struct mt_sync_server *s, struct mt_imap_done *done, struct mt_err *err, const char *words)
{
	unsigned tag = mt_imap_send(s->imap, err, "%s", words);

	return tag == 0 ? -1 : mt_imap_wait_ok(s->imap, tag, done, err);
}

/* A server that offers something and then refuses does without. */
static int
end_hello(struct mt_sync_server *s, struct mt_err *err)
{
	struct mt_imap_done done;

	for (size_t i = 0; i < G_N_ELEMENTS(s->hello); i++) {
		unsigned tag = s->hello[i];

		s->hello[i] = 0;
		if (tag != 0 && mt_imap_wait(s->imap, tag, &done, err) < 0)
			return -1;
	}
	return 0;
}

/* What follows is LIST: all go in one round trip, but that nothing may follow COMPRESS. */
static int
hello(struct mt_sync_server *s, const char *version, struct mt_err *err)
{
	/* RFC 2971: some servers let in only those who say what they are. */
	if (mt_imap_has(s->imap, MT_IMAP_CAP_ID) && (s->hello[0] = mt_imap_send(s->imap, err,
	    "ID (\"name\" \"mt-fetch\" \"version\" \"%s\")", version)) == 0)
		return -1;
	/* Without UTF8 a message with such a header may be given otherwise than it is (RFC 6855
	   7). */
	if (mt_imap_has(s->imap, MT_IMAP_CAP_ENABLE) &&
	    mt_imap_has(s->imap, MT_IMAP_CAP_QRESYNC | MT_IMAP_CAP_UTF8) &&
	    (s->hello[1] = mt_imap_send(s->imap, err, "ENABLE%s%s",
	    mt_imap_has(s->imap, MT_IMAP_CAP_QRESYNC) ? " QRESYNC" : "",
	    mt_imap_has(s->imap, MT_IMAP_CAP_UTF8) ? " UTF8=ACCEPT" : "")) == 0)
		return -1;
	if (mt_imap_has(s->imap, MT_IMAP_CAP_NAMESPACE) &&
	    (s->hello[2] = mt_imap_send(s->imap, err, "NAMESPACE")) == 0)
		return -1;
	return mt_imap_compress(s->imap, err);
}

struct mt_sync_server *
mt_sync_server_new(struct mt_conn *c, const char *name, const char *version,
    struct mt_err *err)
{
	mt_auto(mt_sync_server) s = g_new0(struct mt_sync_server, 1);

	s->imap = mt_imap_new(c, name, err);
	if (s->imap == NULL)
		return NULL;
	mt_imap_set_on_data(s->imap, on_data, s);
	return hello(s, version, err) == 0 ? mt_steal(&s) : NULL;
}

void
mt_sync_server_free(struct mt_sync_server *s)
{
	if (s == NULL)
		return;
	mt_imap_free(s->imap);
	g_clear_pointer(&s->namespaces, g_array_unref);
	g_free(s->open);
	g_free(s);
}

void
mt_sync_server_logout(struct mt_sync_server *s)
{
	mt_imap_logout(s->imap);
}

const GArray *
mt_sync_server_namespaces(const struct mt_sync_server *s)
{
	return s->namespaces;
}

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
	g_autoptr(GPtrArray) boxes = g_ptr_array_new_with_free_func(box_free);
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
	rc = ask(s, &done, err, words->str);
	s->boxes = NULL;
	*odd = s->odd;
	if (rc < 0 || end_hello(s, err) < 0)
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

	if (s->open != NULL && ask(s, &done, err, mt_imap_has(s->imap, MT_IMAP_CAP_UNSELECT) ?
	    "UNSELECT" : "EXAMINE INBOX") < 0)
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
	return ask(s, &done, err, words);
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
	if (ask(s, &done, err, "UID FETCH 1:* (UID FLAGS)") < 0)
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
	rc = ask(s, &done, err, mt_imap_has(s->imap, MT_IMAP_CAP_ESEARCH) ?
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
		if (ask(s, &done, err, since) < 0)
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
	rc = ask(s, &done, err, words);
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
	rc = ask(s, &done, err, words);
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

/* --- messages ---------------------------------------------------------------------- */

/* That command has ended. *rc is -1 when one was refused, and *err says why the first was. */
static int
end_command(struct mt_sync_server *s, unsigned tag, int *rc, struct mt_err *err)
{
	struct mt_err ignored = { 0 };
	struct mt_imap_done done;

	if (mt_imap_wait(s->imap, tag, &done, *rc < 0 ? &ignored : err) < 0) {
		if (*rc < 0)
			*err = ignored;
		return -1;
	}
	if (done.kind != MT_IMAP_OK && *rc == 0) {
		mt_imap_fail(&done, err);
		*rc = -1;
	}
	if (s->moved != NULL && done.code == MT_IMAP_CODE_COPYUID)
		take_copyuid(s, mt_slice_str(done.args));
	return 0;
}

/* Commands of which some are under way at once. What they say comes to no other, since all
   have ended when end_batch() returns. */
struct batch {
	unsigned tags[COMMANDS_MAX];
	size_t sent, ended;
	int rc;			/* -1: one was refused */
};

/* Begin those for all of a set, some UIDs in each. */
static int
add_to_batch(struct mt_sync_server *s, struct batch *b, const struct mt_imap_set *uids,
    const char *before, const char *behind, struct mt_err *err)
{
	g_autoptr(GString) text = g_string_new(NULL);
	size_t at = 0;

	while (mt_imap_set_text(uids, &at, SET_MAX, text)) {
		unsigned tag = mt_imap_send(s->imap, err, "%s %s%s", before, text->str, behind);

		if (tag == 0)
			return -1;
		b->tags[b->sent++ % COMMANDS_MAX] = tag;
		if (b->sent - b->ended == COMMANDS_MAX &&
		    end_command(s, b->tags[b->ended++ % COMMANDS_MAX], &b->rc, err) < 0)
			return -1;
		g_string_truncate(text, 0);
	}
	return 0;
}

static int
end_batch(struct mt_sync_server *s, struct batch *b, struct mt_err *err)
{
	while (b->ended < b->sent) {
		if (end_command(s, b->tags[b->ended++ % COMMANDS_MAX], &b->rc, err) < 0)
			return -1;
	}
	return b->rc;
}

static int
for_set(struct mt_sync_server *s, const struct mt_imap_set *uids, const char *before,
    const char *behind, struct mt_err *err)
{
	struct batch b = { .sent = 0 };

	return add_to_batch(s, &b, uids, before, behind, err) < 0 ? -1 : end_batch(s, &b, err);
}

static void
meta_clear(void *p)
{
	struct mt_sync_meta *m = p;

	g_free(m->msgid);
}

static int
compare_meta(const void *a, const void *b)
{
	const struct mt_sync_meta *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

GArray *
mt_sync_server_meta(struct mt_sync_server *s, const struct mt_imap_set *uids,
    struct mt_err *err)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct mt_sync_meta));
	g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);
	int rc;

	for (size_t i = 0; i < uids->n; i++) {
		for (uint64_t uid = uids->v[i].from; uid <= uids->v[i].to; uid++)
			g_hash_table_add(asked, GUINT_TO_POINTER((unsigned)uid));
	}
	g_array_set_clear_func(list, meta_clear);
	s->meta = list;
	s->asked = asked;
	rc = for_set(s, uids, "UID FETCH",
	    " (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])", err);
	s->meta = NULL;
	if (rc < 0)
		return NULL;
	g_array_sort(list, compare_meta);
	return g_steal_pointer(&list);
}

int
mt_sync_server_present(struct mt_sync_server *s, const struct mt_imap_set *uids,
    struct mt_imap_set *out, struct mt_err *err)
{
	int rc;

	s->found = out;
	rc = for_set(s, uids, "UID SEARCH UID", "", err);
	s->found = NULL;
	return rc;
}

int
mt_sync_server_fetch(struct mt_sync_server *s, const struct mt_imap_set *uids,
    const struct mt_sync_bodies *bodies, struct mt_err *err)
{
	const struct mt_imap_sink sink = { bodies->begin, bodies->write, bodies->arg };
	int rc;

	s->bodies = bodies;
	mt_imap_set_sink(s->imap, &sink);
	rc = for_set(s, uids, "UID FETCH", " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])",
	    err);
	mt_imap_set_sink(s->imap, NULL);
	s->bodies = NULL;
	return rc;
}

/* All that get, or lose, just these. */
static int
store_flags(struct mt_sync_server *s, struct batch *b, const struct mt_sync_change *changes,
    size_t n, bool is_add, unsigned flags, struct mt_err *err)
{
	g_autoptr(GString) words = g_string_new(is_add ? " +FLAGS.SILENT (" :
	    " -FLAGS.SILENT (");
	mt_auto_value(mt_imap_set) uids = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (flags == (is_add ? changes[i].add : changes[i].remove))
			mt_imap_set_add(&uids, changes[i].uid, changes[i].uid);
	}
	mt_sync_flags_to_imap(flags, words);
	g_string_append_c(words, ')');
	return add_to_batch(s, b, &uids, "UID STORE", words->str, err);
}

int
mt_sync_server_store(struct mt_sync_server *s, const struct mt_sync_change *changes, size_t n,
    struct mt_err *err)
{
	struct batch b = { .sent = 0 };

	for (unsigned flags = 1; flags <= MT_SYNC_ALL_FLAGS; flags++) {
		if (store_flags(s, &b, changes, n, true, flags, err) < 0 ||
		    store_flags(s, &b, changes, n, false, flags, err) < 0)
			return -1;
	}
	return end_batch(s, &b, err);
}

/* They are marked as deleted: away with them, and with nothing that others have marked. */
static int
expunge(struct mt_sync_server *s, const struct mt_imap_set *uids, bool *left,
    struct mt_err *err)
{
	mt_auto_value(mt_imap_set) marked = { 0 };
	struct mt_imap_done done;
	int rc;

	if (mt_imap_has(s->imap, MT_IMAP_CAP_UIDPLUS))
		return for_set(s, uids, "UID EXPUNGE", "", err);
	s->found = &marked;
	rc = ask(s, &done, err, "UID SEARCH DELETED");
	s->found = NULL;
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < marked.n; i++) {
		for (uint64_t uid = marked.v[i].from; uid <= marked.v[i].to; uid++)
			*left = *left || !mt_imap_set_has(uids, (uint32_t)uid);
	}
	return *left ? 0 : ask(s, &done, err, "EXPUNGE");
}

static int
move_or_copy(struct mt_sync_server *s, const struct mt_imap_set *uids, const char *to,
    const char *command, struct mt_err *err)
{
	g_autofree char *quoted = mt_imap_mailbox(s->imap, to);
	g_autofree char *box = g_strconcat(" ", quoted, NULL);

	return for_set(s, uids, command, box, err);
}

static int
copy(struct mt_sync_server *s, const struct mt_imap_set *uids, const struct mt_imap_set *copied,
    const char *to, struct mt_err *err)
{
	mt_auto_value(mt_imap_set) rest = { 0 };

	for (size_t i = 0; i < uids->n; i++) {
		for (uint64_t uid = uids->v[i].from; uid <= uids->v[i].to; uid++) {
			if (copied == NULL || !mt_imap_set_has(copied, (uint32_t)uid))
				mt_imap_set_add(&rest, (uint32_t)uid, (uint32_t)uid);
		}
	}
	return move_or_copy(s, &rest, to, "UID COPY", err);
}

int
mt_sync_server_move(struct mt_sync_server *s, const struct mt_imap_set *uids,
    const struct mt_imap_set *copied, const char *to, bool *left, GArray *moved,
    struct mt_err *err)
{
	bool has_move = mt_imap_has(s->imap, MT_IMAP_CAP_MOVE);
	int rc = 0;

	*left = false;
	s->moved = moved;
	s->moved_max = mt_imap_set_count(uids);
	if (to != NULL)
		rc = has_move ? move_or_copy(s, uids, to, "UID MOVE", err) :
		    copy(s, uids, copied, to, err);
	s->moved = NULL;
	if (rc < 0 || (to != NULL && has_move))
		return rc;
	if (for_set(s, uids, "UID STORE", " +FLAGS.SILENT (\\Deleted)", err) < 0)
		return -1;
	return expunge(s, uids, left, err);
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
		rc = ask(s, &done, err, words);
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

/* --- appending --------------------------------------------------------------------- */

bool
mt_sync_server_takes_utf8(const struct mt_sync_server *s)
{
	return mt_imap_is_enabled(s->imap, MT_IMAP_CAP_UTF8);
}

int
mt_sync_server_append(struct mt_sync_server *s, const char *name,
    const struct mt_sync_upload *m, unsigned *tag, struct mt_err *err)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	g_autofree char *box = mt_imap_mailbox(s->imap, name);
	g_autoptr(GString) words = g_string_new(NULL);
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(m->date);
	struct mt_imap_done refused;

	mt_sync_flags_to_imap(m->flags, words);
	if (time != NULL)
		g_string_append_printf(words, ") \"%2d-%s-%04d %02d:%02d:%02d +0000\"",
		    g_date_time_get_day_of_month(time),
		    months[g_date_time_get_month(time) - 1], g_date_time_get_year(time),
		    g_date_time_get_hour(time), g_date_time_get_minute(time),
		    g_date_time_get_second(time));
	else
		g_string_append_c(words, ')');
	*tag = (m->is_utf8 ? mt_imap_send_utf8 : mt_imap_send_literal)(s->imap, m->size,
	    &refused, err, "APPEND %s (%s", box, words->str);
	if (*tag != 0)
		return 0;
	return refused.kind != MT_IMAP_OK ? 1 : -1;
}

int
mt_sync_server_piece(struct mt_sync_server *s, const void *p, size_t n, struct mt_err *err)
{
	return mt_imap_write(s->imap, p, n, err);
}

int
mt_sync_server_append_end(struct mt_sync_server *s, const struct mt_sync_upload *m,
    struct mt_err *err)
{
	if (m->is_utf8 && mt_imap_write(s->imap, ")", 1, err) < 0)
		return -1;
	return mt_imap_end(s->imap, err);
}

int
mt_sync_server_append_wait(struct mt_sync_server *s, unsigned tag, uint32_t validity,
    uint32_t *uid, struct mt_err *err)
{
	uint64_t n;
	struct mt_imap_range range;
	struct mt_imap_done done;
	struct mt_slice args, word;

	*uid = 0;
	if (mt_imap_wait(s->imap, tag, &done, err) < 0)
		return -1;
	if (done.kind != MT_IMAP_OK) {
		mt_imap_fail(&done, err);
		return 1;
	}
	args = mt_slice_str(done.args);
	if (done.code == MT_IMAP_CODE_APPENDUID && mt_slice_take_word(&args, &word) &&
	    mt_slice_take_u64(&word, UINT32_MAX, &n) && word.n == 0 && n == validity &&
	    mt_imap_range_take(&args, &range) && args.n == 0 && range.from == range.to)
		*uid = range.from;
	return 0;
}
