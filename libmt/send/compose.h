/* compose.h - from what a person typed to a message that can be sent */
#ifndef MT_SEND_COMPOSE_H
#define MT_SEND_COMPOSE_H

#include <glib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "message/build.h"
#include "send/wish.h"

/* The text of a message: beyond it, it is a file to attach. */
#define MT_COMPOSE_BODY_MAX MT_MIB(16)

/*
 * A message in the making. `build` is ready for mt_build_write() at any time; what it
 * points to is owned here.
 */
struct mt_compose {
	struct mt_build build;
	struct mt_addr_list from, sender, to, cc, bcc;
	struct mt_buf body, html;
	size_t own;		/* bytes of body that the author wrote; others wrote the rest */
	bool is_flowed;		/* send the text as format=flowed (RFC 3676) */
	struct mt_buf flowed;	/* then the body as it is sent */
	struct mt_wish wish;	/* to be signed or encrypted; the caller does it */
	GArray *fields;		/* struct mt_build_field */
	GArray *attachments;	/* struct mt_build_attachment */
	GPtrArray *strings;
	GPtrArray *files;	/* GMappedFile */
};

struct mt_compose *mt_compose_new(void);
void mt_compose_free(struct mt_compose *c);

/*
 * Each takes text as it was typed, checks it and adds it. MT_EUSAGE, with the text and
 * what is wrong with it. A list may hold several addresses with commas between.
 */
int mt_compose_set_from(struct mt_compose *c, const char *list, struct mt_err *err);
int mt_compose_add_from(struct mt_compose *c, const char *list, struct mt_err *err);
/* Who sends it when there are several authors (RFC 5322 3.6.2), unless a Sender field is
   added. With one author it is not written. */
int mt_compose_set_sender(struct mt_compose *c, const char *mailbox, struct mt_err *err);
int mt_compose_add_to(struct mt_compose *c, const char *list, struct mt_err *err);
int mt_compose_add_cc(struct mt_compose *c, const char *list, struct mt_err *err);
int mt_compose_add_bcc(struct mt_compose *c, const char *list, struct mt_err *err);
/* "Name: value" */
int mt_compose_add_field(struct mt_compose *c, const char *field, struct mt_err *err);
/*
 * "FILE" or "FILE:TYPE". What stands behind the last colon is a type when it looks like
 * one (image/png) and no file has the whole name. The file is opened and read by
 * mt_compose_write().
 */
void mt_compose_add_attachment(struct mt_compose *c, const char *spec);
/* The same for one that is to be shown in the text (page.h: in the HTML). */
void mt_compose_add_inline(struct mt_compose *c, const char *spec);
/*
 * Attach all that an open file holds, which is not to be changed; the descriptor may be
 * closed then. `like` gives the type, the name and the rest.
 */
int mt_compose_add_content(struct mt_compose *c, int fd,
    const struct mt_build_attachment *like, struct mt_err *err);
void mt_compose_set_subject(struct mt_compose *c, const char *subject);
/* What it answers to: an id, or NULL (what forwards a message answers none); and ids with
   blanks between or "". */
void mt_compose_set_thread(struct mt_compose *c, const char *in_reply_to,
    const char *references);
/* Append text from a descriptor: MT_EDATA above MT_COMPOSE_BODY_MAX. */
int mt_compose_add_body(struct mt_compose *c, int fd, struct mt_err *err);

/* Forget what was set and added, but not attachments that are no files or are shown in
   the text, Date and Message-ID, and the Sender. */
void mt_compose_reset(struct mt_compose *c);

/* Nobody would want to get it: no subject, no text, no attachment. */
bool mt_compose_is_blank(const struct mt_compose *c);

/*
 * Write it to a draft (draft.h), when everything is set. Date and Message-ID are the
 * same however often it is written.
 */
int mt_compose_write(struct mt_compose *c, struct mt_err *err);

/* The Bcc field for the sender's own copy, "Bcc: ..." LF; empty without any. */
int mt_compose_bcc_field(const struct mt_compose *c, struct mt_buf *out,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_compose, mt_compose_free);

#endif
