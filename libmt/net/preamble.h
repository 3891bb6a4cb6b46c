/* preamble.h - what a server says before it hands over: refusals, mechanisms, reasons */
#ifndef MT_NET_PREAMBLE_H
#define MT_NET_PREAMBLE_H

#include "base/err.h"
#include "base/slice.h"

/*
 * Here "said" is what mt_conn_preamble() gives: the lines of an SMTP, POP3 or IMAP server,
 * LF-separated. All of it is hostile; slices point into it.
 */

/* What the last line says. */
struct mt_refusal {
	enum mt_err_kind kind;		/* MT_ETEMP, MT_EPERM, or MT_ENONE: it refuses nothing */
	char dsn[12];			/* the enhanced code (RFC 2034 4), or "" */
	struct mt_slice line;
};

/* "454 4.7.0 later", "-ERR [SYS/TEMP] later" (RFC 3206), "A1 NO [UNAVAILABLE]" (RFC 5530). */
void mt_preamble_refusal(struct mt_slice said, struct mt_refusal *out);

/*
 * The SASL mechanisms that are in force, as the server writes them, with a blank between
 * two: those of the last answer to EHLO (RFC 4954 3), CAPA (RFC 5034 6) or CAPABILITY, since
 * what was offered before STARTTLS does not count (RFC 3207 4.2). NULL: none; g_free.
 */
char *mt_preamble_mechanisms(struct mt_slice said);

/*
 * Why an access token is refused is said before the refusal: JSON in base64 behind "334 "
 * or "+ " (RFC 7628 3.2.2). NULL when it is not; g_free. It may hold any byte but NUL.
 */
char *mt_preamble_token_reason(struct mt_slice said);

#endif
