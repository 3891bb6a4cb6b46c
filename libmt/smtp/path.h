/* path.h - envelope addresses and what stands behind them (RFC 5321 4.1.2) */
#ifndef MT_SMTP_PATH_H
#define MT_SMTP_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/* A path as it stands between the brackets has 256 octets at most with them (RFC 5321
   4.5.3.1.3). This many bytes hold any part of one with its NUL. */
#define MT_SMTP_PATH_SIZE ((size_t)256)

/*
 * One envelope address, by value, NUL-terminated text inside. It cannot hold an invalid
 * one: no control characters, no blank or quote outside a quoted local part, UTF-8 when
 * not ASCII.
 *
 * "<>" is the null reverse path: all texts empty. "<Postmaster>" (RFC 5321 4.5.1) and
 * other addresses without a domain have an empty domain; the session decides who may
 * use one.
 */
struct mt_smtp_path {
	char text[MT_SMTP_PATH_SIZE];	/* "local@domain", quoted where it must be */
	char local[MT_SMTP_PATH_SIZE];	/* without quotes and backslashes, case kept */
	char domain[MT_SMTP_PATH_SIZE];	/* case kept; "[192.0.2.1]", "[IPv6:::1]" */
	bool is_literal;		/* the domain is an address literal */
	bool is_ascii;			/* else it needs SMTPUTF8 (RFC 6531) */
};

static inline bool
mt_smtp_path_is_null(const struct mt_smtp_path *p)
{
	return p->text[0] == '\0';
}

/*
 * Take a path with its brackets off the front of *s, as it stands in MAIL and RCPT:
 * "<>", "<a@b>", "<@relay.example:a@b>" (the source route is dropped, RFC 5321 F.2).
 * Loosened, as every server does: the brackets may be missing; the address then ends
 * at a blank. Octets in the local part beyond 64 pass, since VERP and SRS senders have
 * them, and so do underscores in a domain, since container hosts have them. MT_EDATA
 * says what is wrong; its DSN code is left empty, for it depends on the verb.
 */
int mt_smtp_path_take(struct mt_slice *s, struct mt_smtp_path *out, struct mt_err *err);
/* The same for a whole text without brackets, from a file or a person; never null. */
int mt_smtp_path_parse(struct mt_slice text, struct mt_smtp_path *out,
    struct mt_err *err);
/*
 * Turn a domain of U-labels into A-labels (RFC 5891), so that only a local part can make
 * the address non-ASCII. MT_EDATA when IDNA does not allow the domain; ASCII domains
 * are left as they are.
 */
int mt_smtp_path_to_ascii(struct mt_smtp_path *p, struct mt_err *err);

/* RFC 5321 4.1.2 Domain, or with RFC 6531 U-labels; 255 octets, labels of 63. */
bool mt_smtp_domain_valid(struct mt_slice domain);
/* RFC 5321 4.1.3 with its brackets: IPv4 or IPv6; general literals are refused. */
bool mt_smtp_literal_valid(struct mt_slice literal);

/* One parameter behind the path of MAIL or RCPT: "SIZE=1000", "SMTPUTF8". */
struct mt_smtp_param {
	struct mt_slice name;
	struct mt_slice value;	/* behind '='; empty without one */
	bool has_value;
};

/*
 * Take the next parameter off the front: 1, or 0 at the end of the line, or -1
 * (MT_EDATA, 5.5.4) for what the grammar of esmtp-param does not allow.
 */
int mt_smtp_param_next(struct mt_slice *s, struct mt_smtp_param *out,
    struct mt_err *err);

/*
 * xtext (RFC 3461 4): "+2B" is "+". Appends. False on a bad escape, on a byte that
 * xtext does not have, or past the buffer's ceiling.
 */
bool mt_smtp_xtext_decode(struct mt_slice in, struct mt_buf *out);
bool mt_smtp_xtext_encode(struct mt_slice in, struct mt_buf *out);

#endif
