/* submit.h - hand one message to the submission server, and keep a copy (RFC 6409) */
#ifndef MT_SEND_SUBMIT_H
#define MT_SEND_SUBMIT_H

#include "base/err.h"
#include "base/slice.h"
#include "message/addr.h"
#include "net/conn.h"
#include "smtp/client.h"

/*
 * Nothing is queued: either the server has taken the message when this returns, or it
 * is the caller's again. What a SIGKILL costs:
 *
 *	state		what there is		a crash here costs
 *	written		a temporary file	nothing: nobody got anything, the
 *			without a name		caller was told nothing
 *	copying		and a file in the	the same; tmp/ is swept after 36 h
 *			tmp/ of Sent
 *	offered		and a part of the	the same: a server drops a message
 *			message on the wire	without its end
 *	asked		all of it on the wire,	unknown: the server may have taken it.
 *			the reply not read	No copy in Sent, nobody is told "sent";
 *						sent again, it may double (RFC 1047)
 *	accepted	the reply; the copy	delivered, without a copy in Sent; the
 *			still in tmp/		caller saw no status 0: as "asked"
 *	kept		the copy in cur/	nothing
 *
 * The copy is written, but not yet visible, before the server is asked: a full disk or
 * a read-only folder is seen while it is not too late to send nothing.
 */
struct mt_submit {
	const struct mt_conn_dial *server;
	const struct mt_addr *from;	/* the envelope's sender; NULL: "<>" */
	const struct mt_addr_list *rcpts;
	int draft;			/* draft.h */
	/* Written by us: for a server without 8BITMIME it is converted (message/seven.h); the
	   copy is always what was sent. */
	bool is_ours;
	const char *sent_dir;		/* Maildir for the copy; NULL: none */
	const struct mt_dsn *dsn;	/* what the sender wants to hear; NULL: nothing */
	struct mt_slice sent_fields;	/* fields that only the copy has: Bcc */
};

struct mt_submit_result {
	struct mt_smtp_outcome *outcomes;	/* one for each recipient */
	size_t n;
	size_t sent;			/* how many of them the server has taken */
	bool lacks_dsn;			/* a report is wanted that the server cannot promise */
	bool is_unknown;		/* for one it is not known (RFC 1047) */
	struct mt_err copy_err;		/* sent, but the copy was not kept: why */
};

/*
 * Returns 0 when the server took it for at least one recipient: look at the others, and
 * at copy_err. -1 when for none: MT_ETEMP when trying again may help. outcomes is NULL
 * when it did not come to the recipients.
 */
int mt_submit(const struct mt_submit *s, struct mt_submit_result *out,
    struct mt_err *err);
void mt_submit_result_clear(struct mt_submit_result *r);

MT_AUTO_VALUE_DEFINE(mt_submit_result, mt_submit_result_clear);

#endif
