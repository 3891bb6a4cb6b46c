/* sendmail.h - take a finished message as sendmail(8) does */
#ifndef MT_SEND_SENDMAIL_H
#define MT_SEND_SENDMAIL_H

#include <stdbool.h>

#include "base/err.h"
#include "message/addr.h"

struct mt_sendmail {
	bool from_fields;		/* -t: recipients stand in the header too */
	/* Who gets what is for a name without a domain; NULL: with -t that is an error. */
	const struct mt_addr *local;
	const struct mt_addr *from;	/* for a From field, where there is none */
};

/*
 * Who of these accounts wrote the message in a draft: the index of the first whose
 * address stands in Resent-From, if there is one, or else in From; -1 for none.
 */
int mt_sendmail_find_author(int draft, const struct mt_addr_list *mine);

/*
 * Make the draft that is sent of the one that was read (draft.h; a line with a single
 * dot is a line like any other). It stays as it is, byte for byte, but:
 *
 * - Bcc and Resent-Bcc fields are taken out, with -t and without: Bcc never leaves. One
 *   behind a line that is no field may be text, too: that is MT_EDATA, with the line. So
 *   is, with -t, any field there that names recipients.
 * - Date, Message-ID and From are put in front where they are missing (RFC 5322 3.6).
 * - A name without a domain, as cron writes it, is a mailbox, since many a server refuses the
 *   other: in From, Sender and Reply-To "root (Cron Daemon)" is "Cron Daemon <from>", in To and
 *   Cc "root" is "root <local>", if there is one.
 * - An mbox "From " line in front of it is taken off.
 * - Text whose first line is no header field gets an empty line between the added
 *   fields and itself.
 *
 * With -t, *rcpts is what To, Cc and Bcc name, each once, or, in a message that is sent
 * on, the first block of Resent-To, Resent-Cc and Resent-Bcc instead (RFC 5322 3.6.6).
 * Without, it stays empty. An address that is none is MT_EDATA, which quotes it: then
 * nobody gets anything. With -t a header over MT_MAX_HEADER is MT_EDATA.
 */
int mt_sendmail_read(int raw, const struct mt_sendmail *params,
    struct mt_addr_list *rcpts, struct mt_err *err);

#endif
