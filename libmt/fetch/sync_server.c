/* sync_server.c - the server's side of a synchronisation: the session, and what it says */
#include "fetch/sync_server_io.h"

#include "base/limits.h"
#include "fetch/sync_flags.h"
#include "message/header.h"
#include "message/msgid.h"

/* --- data, as it comes -------------------------------------------------------------- */

void
mt_sync_box_free(void *p)
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

void
mt_sync_server_take_copyuid(struct mt_sync_server *s, struct mt_slice args)
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
			mt_sync_server_take_copyuid(s, r->code_args);
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

int
mt_sync_server_ask(struct mt_sync_server *s, struct mt_imap_done *done, struct mt_err *err,
    const char *words)
{
	unsigned tag = mt_imap_send(s->imap, err, "%s", words);

	return tag == 0 ? -1 : mt_imap_wait_ok(s->imap, tag, done, err);
}

int
mt_sync_server_end_hello(struct mt_sync_server *s, struct mt_err *err)
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
