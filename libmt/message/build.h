/* build.h - write a new message: fields, text, attachments (RFC 5322, RFC 2045) */
#ifndef MT_MESSAGE_BUILD_H
#define MT_MESSAGE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "message/addr.h"

/* A further field. Text is UTF-8 without line ends; it is folded and encoded here. */
struct mt_build_field {
	const char *name;
	const char *value;
};

/* One attachment: a file, or bytes in memory when path is NULL. */
struct mt_build_attachment {
	const char *path;
	struct mt_slice content;
	const char *type;	/* "image/png"; NULL: found from the content */
	const char *charset;	/* of text; NULL: found from the content */
	const char *name;	/* that the receiver sees; NULL: path's last component */
	/* A whole MIME part, with its own fields, LF line ends and lines that can travel:
	   it is written as it is. only_7bit does nothing for it. */
	bool is_entity;
	bool is_inline;		/* to be shown where it stands, not only kept (RFC 2183 2.1) */
	/* "<...>" by which the HTML shows it (RFC 2392): it goes beside that. NULL: none.
	   Not for an entity. */
	const char *content_id;
};

/*
 * A message to be. Everything is borrowed; what is zero is left out, except where it
 * says what takes its place. Nothing in here is written as it came: values are
 * checked, folded and encoded.
 */
struct mt_build {
	const struct mt_addr_list *from;	/* at least one */
	const struct mt_addr_list *sender;	/* needed with two authors */
	const struct mt_addr_list *reply_to;
	const struct mt_addr_list *to;
	const char *to_group;			/* "Name:;" for To, when nobody is in it; or NULL */
	const struct mt_addr_list *cc;
	const struct mt_addr_list *bcc;		/* never written, only sent to */
	const char *subject;			/* UTF-8 */
	int64_t date;				/* seconds since 1970; 0: now */
	const char *message_id;			/* "<...>"; NULL: a new one */
	const char *in_reply_to;		/* "<...>", and "<...> <...>" */
	const char *references;
	const struct mt_build_field *fields;	/* further ones, in this order */
	size_t nfields;
	struct mt_slice body;			/* text; CRLF and LF both end a line */
	const char *charset;			/* of body; NULL: UTF-8, if it is */
	bool is_flowed;				/* body is as RFC 3676 has it */
	struct mt_slice html;			/* the same as a page, in UTF-8 */
	const struct mt_build_attachment *attachments;
	size_t nattachments;
	bool only_7bit;				/* also without weak line ends: to be signed */
};

/*
 * Takes the next piece of the message; 0, or -1 with an error, which ends the writing.
 */
typedef int mt_build_writer(void *arg, const void *p, size_t n, struct mt_err *err);

/*
 * Write the message, with LF line ends, in constant memory (attachments are read piece
 * by piece). Before the first byte is written every value is checked and every
 * attachment is open, so that a missing one costs nothing.
 *
 * Text and HTML are alternatives, and what the HTML shows by its Content-ID is related to
 * that: mixed(alternative(text, related(HTML, pictures)), attachments), of which is left
 * out what would have one part.
 *
 * The text is sent as 7bit or 8bit when it can be, else quoted-printable (a line above
 * 998 bytes, a NUL, a bare CR; with only_7bit also 8-bit bytes, blanks at the end of a line,
 * "From " at its beginning: RFC 3156 3, 5). Attachments are base64 and
 * arrive byte for byte; a message/rfc822 stays as it is when it can (RFC 2046 5.2.1),
 * else it travels as application/octet-stream.
 *
 * Errors: MT_EUSAGE names the field that has a line end or NUL in it, or that is
 * written by us (From, Date, MIME-Version, ...) or must not be (Bcc), that holds no
 * address, or stands there again, where it must (Reply-To, Sender); and says when there
 * is no From; MT_ENOINPUT, MT_EPERM, MT_EIO for an attachment, with its path; and
 * what the writer says. After an error what was written is not a message.
 */
int mt_build_write(const struct mt_build *b, mt_build_writer *writer, void *arg,
    struct mt_err *err);
/* The same into a descriptor. It is not synced or closed. */
int mt_build_write_fd(const struct mt_build *b, int fd, struct mt_err *err);

/* The envelope's recipients: To, Cc and Bcc, each mailbox once. */
void mt_build_recipients(const struct mt_build *b, struct mt_addr_list *out);

#endif
