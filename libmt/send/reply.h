/* reply.h - begin an answer: to whom, about what, quoting what (RFC 5322 3.6.4) */
#ifndef MT_SEND_REPLY_H
#define MT_SEND_REPLY_H

#include "base/err.h"
#include "message/addr.h"
#include "send/compose.h"

struct mt_reply {
	bool to_all;		/* --all */
	bool no_quote;
	bool to_list;				/* --list */
	struct mt_addr_list *mine;		/* never among the recipients */
};

/*
 * Fill the answer to the message in fd (seekable) into c: To and Cc, Subject,
 * In-Reply-To, References, and the quotation below what c's body already holds.
 *
 * To whom, first that is there:
 *	one	Mail-Reply-To, Reply-To, From
 *	all	Mail-Followup-To alone; else the one above, and in Cc who is in To and
 *		Cc, and the address of List-Post
 *	list	List-Post alone (RFC 2369 3.4); MT_EDATA where there is none
 *
 * To a message of one's own: to whom it went. Addresses in `mine` are left out, unless
 * nobody else is left (a note to oneself): whom c has in Cc and Bcc does not matter.
 * Nobody at all is MT_EDATA.
 *
 * References is that of the message (or its only In-Reply-To) and its Message-ID.
 */
int mt_reply_fill(struct mt_compose *c, int fd, const struct mt_reply *params,
    struct mt_err *err);

/*
 * Which of the list the message was for: the index of the first that stands in To, Cc,
 * Delivered-To, X-Original-To or (our own mail) From; -1 for none.
 */
int mt_reply_find_mine(int fd, const struct mt_addr_list *mine);

/* "Re: " and the subject, without the Re:, RE[2]:, AW:, SV:, Antw: in front. g_free. */
char *mt_reply_subject(const char *subject);

/* The References field of what continues the thread of the message with this header: its
   References, else its In-Reply-To if that is one id, and behind them its Message-ID
   (RFC 5322 3.6.4); "" when it has none. g_free. */
char *mt_reply_references(struct mt_slice head);

#endif
