/* pop3.h - collect one maildrop over POP3 into a Maildir: never twice, never lost */
#ifndef MT_FETCH_POP3_H
#define MT_FETCH_POP3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "net/conn.h"

/* What happens, as it happens. */
enum mt_fetch_what {
	MT_FETCH_PLANNED,	/* once: messages and bytes that will be fetched */
	MT_FETCH_RECEIVED,	/* bytes came in since the last time */
	MT_FETCH_DELIVERED,	/* a message is durable */
	MT_FETCH_FAILED,	/* a message was not fetched; others go on */
	MT_FETCH_WOULD_FETCH,	/* with dry_run */
	MT_FETCH_WOULD_DELETE,
	MT_FETCH_DELETED,	/* the server has confirmed */
};

struct mt_fetch_event {
	enum mt_fetch_what what;
	uint64_t messages;	/* PLANNED */
	uint64_t bytes;		/* PLANNED, RECEIVED: since the last; of this message */
	uint32_t number;	/* of this message on the server, in this session */
	const char *uid;	/* or NULL */
	const char *path;	/* DELIVERED: the file */
	const struct mt_err *err;	/* FAILED */
};

struct mt_fetch_params {
	struct mt_conn_dial dial;	/* but for the password */
	const char *maildir;		/* made where it is missing */
	const char *state_dir;		/* where fetch.sqlite lies */
	/* Delete on the server what was fetched so many seconds ago; 0 deletes all that
	   is ours, -1 nothing. */
	int64_t delete_after_s;
	bool dry_run;			/* list only: nothing is fetched or deleted */
	/* Called for each event, which is borrowed during the call: the caller shows it.
	   A callback, since the session below is straight-line code. */
	void (*report)(void *arg, const struct mt_fetch_event *ev);
	void *report_arg;
};

/* What came of it: all are counts but bytes. */
struct mt_fetch_result {
	uint64_t listed;
	uint64_t known;		/* fetched by an earlier run */
	uint64_t fetched;
	uint64_t bytes;		/* of what was fetched, as stored */
	uint64_t failed;
	uint64_t deleted;
	uint64_t recovered;	/* that a run which was killed had stored */
	struct mt_err failure;	/* the first message that failed, or MT_ENONE */
};

struct mt_fetch;

/*
 * Take the maildrop's lock, open its state and the Maildir, and finish what a killed run left.
 * params is borrowed until mt_fetch_free(). MT_ETEMP when another process is at it.
 */
struct mt_fetch *mt_fetch_new(const struct mt_fetch_params *params, struct mt_err *err);
void mt_fetch_free(struct mt_fetch *f);

/*
 * Connect and do it. 0 when the session went well to its end, even if single messages
 * failed (result->failed). *result tells in any case what was done, since all that was
 * reported as delivered stays so.
 */
int mt_fetch_run(struct mt_fetch *f, const char *password, struct mt_fetch_result *result,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_fetch, mt_fetch_free);

#endif
