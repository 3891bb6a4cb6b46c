/* addr.h - addresses and lists of them (RFC 5322 3.4, RFC 6532, obsolete forms too) */
#ifndef MT_MESSAGE_ADDR_H
#define MT_MESSAGE_ADDR_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* One mailbox. All strings are ours (UTF-8, NUL-terminated). */
struct mt_addr {
	char *name;	/* display name, decoded; NULL when there is none */
	char *local;	/* local part without its quotes */
	char *domain;	/* as written, "[192.0.2.1]" for a literal; "" never */
};

struct mt_addr_list {
	struct mt_addr *v;
	size_t n;
	GHashTable *seen;	/* what _has() and _add_new() look in; NULL before */
};

/*
 * Parse an address list: mailboxes, groups (their members are taken), comments, quoted
 * local parts, domain literals, UTF-8; no recursion; at most MT_MAX_ADDRS. Strict: what
 * is no address is MT_EDATA, which quotes the part and says what is wrong with it: for
 * what a person typed. A name that is not UTF-8 is taken as Windows-1252.
 */
int mt_addr_parse(struct mt_slice text, struct mt_addr_list *out, struct mt_err *err);
/* The same, but names without a domain stand for the mailbox `local`, if that is not NULL:
   "root (Cron Daemon)" is "Cron Daemon <LOCAL>", "root" is "root <LOCAL>". */
int mt_addr_parse_local(struct mt_slice text, const struct mt_addr *local,
    struct mt_addr_list *out, struct mt_err *err);
/* Exactly one mailbox. */
int mt_addr_parse_one(struct mt_slice text, struct mt_addr *out, struct mt_err *err);
/*
 * For fields of received mail: takes what can be understood and passes over the rest,
 * so that there is never an address that was not written. Of a text longer than
 * MT_MAX_HEADER nothing is taken.
 */
void mt_addr_parse_lax(struct mt_slice text, struct mt_addr_list *out);

/* "local@domain", with the local part quoted where it must be; g_free. */
char *mt_addr_spec(const struct mt_addr *a);
/*
 * For a header field: "Name <spec>", the name quoted or as RFC 2047 encoded words where
 * it must be. ASCII unless the local part is not: the domain of an ASCII local part is
 * written with A-labels. g_free.
 */
char *mt_addr_format(const struct mt_addr *a);
/* For people: "Name <spec>" in UTF-8, nothing encoded; a name that could be taken for
   an address, or for two of them, is quoted. g_free. */
char *mt_addr_display(const struct mt_addr *a);
/*
 * The domain for DNS and for a peer without SMTPUTF8: lower-case ASCII, A-labels where
 * it was not (RFC 5891 by libidn2); literals as they are. NULL when it is no domain
 * name. g_free.
 */
char *mt_addr_domain_ascii(const struct mt_addr *a);
/* A host name in ASCII: labels of letters, digits, "-" and "_" (which is in use), each
   at most 63 bytes and with no "-" at its ends, MT_MAX_DOMAIN in all. */
bool mt_addr_is_domain(const char *s);
/* A byte that an atom may hold (RFC 5322 3.2.3, RFC 6532 3.2). */
bool mt_addr_is_atext(unsigned char c);
/* Same mailbox: domains compare without case, local parts too (as everybody does). */
bool mt_addr_same(const struct mt_addr *a, const struct mt_addr *b);
/* Whether it can be sent without SMTPUTF8 (RFC 6531): the local part decides. */
bool mt_addr_is_ascii(const struct mt_addr *a);

void mt_addr_clear(struct mt_addr *a);
void mt_addr_list_clear(struct mt_addr_list *list);
/* Append a copy; append only when no equal mailbox is there (then false). */
void mt_addr_list_add(struct mt_addr_list *list, const struct mt_addr *a);
bool mt_addr_list_add_new(struct mt_addr_list *list, const struct mt_addr *a);
/* Whether an equal mailbox is there: as fast in a long list as in a short one. */
bool mt_addr_list_has(struct mt_addr_list *list, const struct mt_addr *a);

MT_AUTO_VALUE_DEFINE(mt_addr, mt_addr_clear);
MT_AUTO_VALUE_DEFINE(mt_addr_list, mt_addr_list_clear);

#endif
