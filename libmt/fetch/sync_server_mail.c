/* sync_server_mail.c - messages of the server: fetched, marked, moved, removed, given to it */
#include "fetch/sync_server_io.h"

#include "fetch/sync_flags.h"

/* UIDs in one command: servers need take no more than 8,000 octets in a line (RFC 7162 4). */
#define SET_MAX 6000
/* So many commands are under way at once: a server that stops reading while nobody reads what
   it says must not find us writing for ever. */
#define COMMANDS_MAX 8

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
		mt_sync_server_take_copyuid(s, mt_slice_str(done.args));
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
	rc = mt_sync_server_ask(s, &done, err, "UID SEARCH DELETED");
	s->found = NULL;
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < marked.n; i++) {
		for (uint64_t uid = marked.v[i].from; uid <= marked.v[i].to; uid++)
			*left = *left || !mt_imap_set_has(uids, (uint32_t)uid);
	}
	return *left ? 0 : mt_sync_server_ask(s, &done, err, "EXPUNGE");
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
