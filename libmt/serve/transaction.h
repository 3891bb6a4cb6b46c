/* transaction.h - one message in the keeper's hands: the files that it is written to */
#ifndef MT_SERVE_TRANSACTION_H
#define MT_SERVE_TRANSACTION_H

#include "base/auto.h"
#include "serve/ipc.h"
#include "serve/serve.h"
#include "serve/users.h"

/* Maildirs that stay open between messages: one for each mailbox in use. */
struct mt_serve_boxes;

struct mt_serve_boxes *mt_serve_boxes_new(const struct mt_serve_params *params);
void mt_serve_boxes_free(struct mt_serve_boxes *b);
/* Make sure that the user's Maildir is there. */
int mt_serve_boxes_make(struct mt_serve_boxes *b, const char *user, struct mt_err *err);

/*
 *	state		held by the keeper		ends by
 *	open		a delivery in tmp/ for each	COMMIT; ABORT, the session's end or
 *			mailbox				its death: the files are removed
 *	committing	the same, in the committer	all fates are known
 *
 * A mailbox that is named twice (aliases, case, tags) has one file. What is durable
 * stays when the session is gone before its answer: the sender tries again, a duplicate.
 */
struct mt_serve_transaction;

/* Open a file for every mailbox behind the recipients. Never fails: *out says what
   became of each recipient. fds[out->files] are borrowed. */
struct mt_serve_transaction *mt_serve_transaction_open(struct mt_serve_boxes *b,
    const struct mt_serve_users *users, const struct mt_serve_ipc_open *in,
    struct mt_serve_ipc_opened *out, int fds[MT_SERVE_FILES_MAX]);
/* Why the first of those that could not be opened was not; NULL: all were. */
const struct mt_err *mt_serve_transaction_trouble(const struct mt_serve_transaction *t);
/* Drop the files that are not to be kept. False when the counts differ. */
bool mt_serve_transaction_keep(struct mt_serve_transaction *t,
    const struct mt_serve_ipc_commit *keep);
/* Make many durable, sharing the barriers: for a worker; jobs are transactions. */
void mt_serve_transaction_commit_all(void *const jobs[], size_t n);
/* After the commit: the fate of each file, and the first error for the log, or NULL. */
const struct mt_err *mt_serve_transaction_result(const struct mt_serve_transaction *t,
    struct mt_serve_ipc_committed *out);
void mt_serve_transaction_free(struct mt_serve_transaction *t);

/* For the owner's bookkeeping while the committer has it. */
void mt_serve_transaction_set_owner(struct mt_serve_transaction *t, void *owner);
void *mt_serve_transaction_owner(const struct mt_serve_transaction *t);

MT_AUTO_DEFINE(mt_serve_transaction, mt_serve_transaction_free);
MT_AUTO_DEFINE(mt_serve_boxes, mt_serve_boxes_free);

#endif
