/* verb_mail.c - STAT, LIST, UIDL, RETR, TOP, DELE, RSET: the mailbox (RFC 1939 5) */
#include <glib.h>

#include "base/limits.h"
#include "pop3/verb.h"

enum mt_pop3_event
mt_pop3_verb_stat(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "STAT stands alone");
	return mt_pop3_say(s, "+OK %zu %" G_GUINT64_FORMAT "\r\n", s->left_n,
	    s->left_size);
}

/* Take the number of a message that is there; *index counts from 0. */
static bool
take_number(struct mt_pop3_session *s, struct mt_slice *args, size_t *index)
{
	uint64_t number;

	if (!mt_slice_take_u64(args, s->list_n, &number) || number == 0)
		return false;
	if (args->n > 0 && mt_slice_skip_blank(args) == 0)
		return false;
	*index = (size_t)(number - 1);
	return !s->deleted[*index];
}

/* Not counted: readers ask for what they deleted. */
static enum mt_pop3_event
no_such_message(struct mt_pop3_session *s)
{
	return mt_pop3_say(s, "-ERR no such message\r\n");
}

/* One number that ends the line. */
static bool
take_last_number(struct mt_pop3_session *s, struct mt_slice args, size_t *index)
{
	return take_number(s, &args, index) && args.n == 0;
}

static void
say_entry(struct mt_pop3_session *s, const char *before, size_t i)
{
	const struct mt_pop3_message *m = &s->list[i];

	if (s->lists_uidl)
		mt_pop3_say(s, "%s%zu %.*s\r\n", before, i + 1, (int)MT_MAX_UIDL,
		    m->uidl);
	else
		mt_pop3_say(s, "%s%zu %" G_GUINT64_FORMAT "\r\n", before, i + 1,
		    m->size);
}

static enum mt_pop3_event
list_part(struct mt_pop3_session *s)
{
	size_t i = s->next;

	for (; i < s->list_n && s->out.n < MT_POP3_PART_SIZE; i++) {
		if (!s->deleted[i])
			say_entry(s, "", i);
	}
	s->next = i;
	if (i < s->list_n)
		return mt_pop3_ask(s, MT_POP3_WAIT_MORE, MT_POP3_MORE);
	s->wait = MT_POP3_WAIT_LINE;
	return mt_pop3_say(s, ".\r\n");
}

enum mt_pop3_event
mt_pop3_session_more(struct mt_pop3_session *s)
{
	g_assert(s->wait == MT_POP3_WAIT_MORE);
	mt_pop3_say(s, "%s", "");
	return list_part(s);
}

static enum mt_pop3_event
listing(struct mt_pop3_session *s, struct mt_slice args, bool uidl)
{
	size_t index;

	s->lists_uidl = uidl;
	if (args.n > 0) {
		if (!take_last_number(s, args, &index))
			return no_such_message(s);
		say_entry(s, "+OK ", index);
		return MT_POP3_GO_ON;
	}
	mt_pop3_say(s, "+OK %zu messages\r\n", s->left_n);
	s->next = 0;
	return list_part(s);
}

enum mt_pop3_event
mt_pop3_verb_list(struct mt_pop3_session *s, struct mt_slice args)
{
	return listing(s, args, false);
}

enum mt_pop3_event
mt_pop3_verb_uidl(struct mt_pop3_session *s, struct mt_slice args)
{
	return listing(s, args, true);
}

enum mt_pop3_event
mt_pop3_verb_retr(struct mt_pop3_session *s, struct mt_slice args)
{
	if (!take_last_number(s, args, &s->number))
		return no_such_message(s);
	s->lines = -1;
	return mt_pop3_ask(s, MT_POP3_WAIT_SEND, MT_POP3_SEND);
}

enum mt_pop3_event
mt_pop3_verb_top(struct mt_pop3_session *s, struct mt_slice args)
{
	uint64_t lines;

	if (!take_number(s, &args, &s->number))
		return no_such_message(s);
	if (!mt_slice_take_u64(&args, INT64_MAX, &lines) || args.n > 0)
		return mt_pop3_mistake(s, "say TOP, a message and how many lines");
	s->lines = (int64_t)lines;
	return mt_pop3_ask(s, MT_POP3_WAIT_SEND, MT_POP3_SEND);
}

enum mt_pop3_event
mt_pop3_verb_dele(struct mt_pop3_session *s, struct mt_slice args)
{
	size_t index;

	if (!take_last_number(s, args, &index))
		return no_such_message(s);
	s->deleted[index] = 1;
	s->left_n--;
	s->left_size -= s->list[index].size;
	return mt_pop3_say(s, "+OK message %zu will be deleted\r\n", index + 1);
}

void
mt_pop3_undelete_all(struct mt_pop3_session *s)
{
	s->left_n = s->list_n;
	s->left_size = 0;
	for (size_t i = 0; i < s->list_n; i++) {
		s->deleted[i] = 0;
		s->left_size += s->list[i].size;
	}
}

enum mt_pop3_event
mt_pop3_verb_rset(struct mt_pop3_session *s, struct mt_slice args)
{
	if (args.n > 0)
		return mt_pop3_mistake(s, "RSET stands alone");
	mt_pop3_undelete_all(s);
	return mt_pop3_say(s, "+OK %zu messages\r\n", s->left_n);
}
