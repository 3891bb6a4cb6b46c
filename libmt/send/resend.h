/* resend.h - send a message once more, to others, as it is (RFC 5322 3.6.6) */
#ifndef MT_SEND_RESEND_H
#define MT_SEND_RESEND_H

#include <stdint.h>

#include "base/err.h"
#include "message/addr.h"

struct mt_resend {
	const struct mt_addr_list *from;	/* who sends it once more: at least one */
	const struct mt_addr_list *sender;	/* for several of them; else not written */
	const struct mt_addr_list *to;		/* at least one */
	int64_t date;				/* seconds since 1970; 0: now */
};

/*
 * Make the draft (draft.h) that is sent of the message in fd: a new block of Resent-Date,
 * Resent-From, Resent-Sender, Resent-To and Resent-Message-ID on top of what is there,
 * earlier blocks too. Taken out are Bcc and Resent-Bcc, which never leave, Return-Path,
 * which is written by who delivers it (RFC 5321 4.4), and a leading mbox "From " line. All
 * other bytes stay as they are.
 *
 * MT_EDATA: it is no message, its header is above MT_MAX_HEADER, or mt_strip_check() finds
 * it unsure what in it is a field.
 */
int mt_resend_write(int fd, const struct mt_resend *params, struct mt_err *err);

#endif
