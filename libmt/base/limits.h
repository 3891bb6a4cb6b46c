/* limits.h - every ceiling that a parser or a buffer has, with its reason */
#ifndef MT_BASE_LIMITS_H
#define MT_BASE_LIMITS_H

#define MT_KIB(n) ((size_t)(n) * 1024)
#define MT_MIB(n) ((size_t)(n) * 1024 * 1024)

/* SMTP command line with CRLF: 512 (RFC 5321 4.5.3.1.4) plus what extensions add;
   AUTH lines reach 12,288 (RFC 4954 4). */
#define MT_MAX_SMTP_LINE MT_KIB(12)
/* One line of a reply from a server: 512 by RFC 5321 4.5.3.1.5; real ones are longer. */
#define MT_MAX_SMTP_REPLY_LINE MT_KIB(4)
/* All lines of one reply: an EHLO answer with forty extensions is below 4 KiB. */
#define MT_MAX_SMTP_REPLY MT_KIB(64)
/* Envelope address: local part 64, domain 255, brackets, source route tolerance. */
#define MT_MAX_PATH ((size_t)512)
#define MT_MAX_LOCAL_PART ((size_t)64)
#define MT_MAX_DOMAIN ((size_t)255)
/* Recipients of one transaction: at least 100 by RFC 5321 4.5.3.1.8. Each costs one
   descriptor in the session and one in the keeper. */
#define MT_MAX_RCPTS ((size_t)100)
/* Users behind one alias: a message for it has to fit into one transaction. */
#define MT_MAX_ALIAS ((size_t)200)
/* Received fields after which a message is in a loop (RFC 5321 6.3). */
#define MT_MAX_HOPS ((size_t)50)

/* A message header block that we look at. Real ones stay below 100 KB; beyond this
   the message still passes, but only its first part is scanned. */
#define MT_MAX_HEADER MT_MIB(1)
/* One unfolded field that we keep. To: with 2,000 addresses is 64 KiB. */
#define MT_MAX_FIELD MT_KIB(256)
/* GMime dies on nested groups in a field of 80 KB: longer goes to a forked child. */
#define MT_MAX_FIELD_GMIME MT_KIB(64)
/* And colons in one: each may nest a group (RFC 5322 3.4), which takes GMime 200 bytes of
   stack. A field with a few hundred was never seen. */
#define MT_MAX_FIELD_COLONS ((size_t)1000)
/* Fields in the headers of all parts: GMime takes 800 bytes for one of 5 bytes. A digest of
   200 messages has 10,000; above this a message goes to a forked child. */
#define MT_MAX_HEADER_FIELDS ((size_t)50000)
/* Addresses in one field, and nested comments in one address. */
#define MT_MAX_ADDRS ((size_t)10000)
#define MT_MAX_COMMENT_DEPTH 50
/* References that a reply carries: the first and the last of longer chains. */
#define MT_MAX_REFERENCES ((size_t)50)
/* Nested MIME parts that we follow; mail seen in the wild stays under 10. */
#define MT_MAX_MIME_DEPTH 100
/* Parts of one message that we list; a digest of a busy list has 200. */
#define MT_MAX_MIME_PARTS ((size_t)10000)
/* Lines that begin with "--" before GMime is given a message in a child only. */
#define MT_MAX_BOUNDARY_LINES ((size_t)10000)
/* HTML of one part, and nested elements in it: an end tag that fits none makes libxml2 look
   at all that are open. Real newsletters stay below 1 MB and 100. */
#define MT_MAX_HTML MT_MIB(4)
#define MT_MAX_HTML_DEPTH 500
/* Links that are listed below it. */
#define MT_MAX_HTML_LINKS ((size_t)1000)
/* Text that `show` renders of one message. */
#define MT_MAX_TEXT MT_MIB(16)

/* One POP3 command line: 255 by RFC 2449 4; a SASL initial response needs more. */
#define MT_MAX_POP3_LINE MT_KIB(12)
/* One line of a POP3 reply that is not message content: 512 by RFC 2449 4. */
#define MT_MAX_POP3_REPLY_LINE MT_KIB(4)
/* Messages in one maildrop: 1 million UIDL lines are 70 MB on the wire. */
#define MT_MAX_POP3_MESSAGES ((size_t)1000000)
/* And all the bytes of the answer to UIDL or to LIST. */
#define MT_MAX_POP3_LIST MT_MIB(96)
/* UIDL: 1 to 70 characters (RFC 1939 7). Of other servers we take longer ones. */
#define MT_MAX_UIDL ((size_t)70)
#define MT_MAX_UIDL_TAKEN ((size_t)255)

/* One response of an IMAP server without the bodies, which are streamed: a set of 500,000
   scattered UIDs is 5 MB. A literal in it is a name, or a header. */
#define MT_MAX_IMAP_RESPONSE MT_MIB(16)
#define MT_MAX_IMAP_LITERAL MT_MIB(1)
/* A message: no provider takes more than 150 MB. */
#define MT_MAX_IMAP_MESSAGE ((uint64_t)MT_MIB(1024))
/* Messages in one mailbox: each costs 16 bytes while it is compared. */
#define MT_MAX_IMAP_MESSAGES ((size_t)2000000)
/* Mailboxes of one account. */
#define MT_MAX_IMAP_MAILBOXES ((size_t)10000)
/* Namespaces, one's own, those of others and those that are shared; three are usual. */
#define MT_MAX_IMAP_NAMESPACES ((size_t)1000)
/* All the keywords of a run, which are kept until it ends. */
#define MT_MAX_IMAP_KEYWORDS MT_MIB(4)

/* What a connection holds back for its reader, and gathers before it writes. */
#define MT_MAX_CONN_IN MT_KIB(64)
#define MT_MAX_CONN_OUT MT_KIB(64)

/* Configuration and small state files that are read whole. */
#define MT_MAX_CONF MT_MIB(1)
#define MT_MAX_PASSWD_FILE MT_MIB(16)
/* The envelope of a queued message: MT_MAX_ADDRS recipients, each with a reply. */
#define MT_MAX_ENVELOPE MT_MIB(32)
/* What GnuPG lists for one name. Thousands of user ids on one key were seen (an attack). */
#define MT_MAX_KEY_LIST MT_MIB(4)
/* A secret: password, token. */
#define MT_MAX_SECRET MT_KIB(16)

#endif
