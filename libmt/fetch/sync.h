/* sync.h - an account and its Maildirs made equal, both ways, over IMAP */
#ifndef MT_FETCH_SYNC_H
#define MT_FETCH_SYNC_H

#include "base/auto.h"
#include "base/err.h"
#include "fetch/sync_plan.h"
#include "net/conn.h"

enum mt_sync_event_kind {
	MT_SYNC_FOLDER,		/* work on a folder begins: what its plan is */
	MT_SYNC_RECEIVED,	/* bytes came in since the last time */
	MT_SYNC_DONE,		/* one action is done, and durable */
	MT_SYNC_FAILED,		/* one message, or a folder; others go on */
	MT_SYNC_HELD,		/* so many deletions are not made without force */
	MT_SYNC_WOULD,		/* with dry_run: an action */
	MT_SYNC_LOOK,		/* a folder that is looked at */
};

/* What is known of a folder. */
struct mt_sync_look {
	unsigned use;		/* sync_server.h */
	bool is_wanted;		/* by a run that names no folders */
	int64_t remote;		/* messages on the server; -1: it does not say */
	int64_t local;		/* and here */
	int64_t success;	/* when it was last synchronised to its end; 0: never */
};

struct mt_sync_event {
	enum mt_sync_event_kind kind;
	const char *folder;	/* its name on the server */
	const char *from;	/* of a move: the one that it was in */
	enum mt_sync_what what;	/* DONE, WOULD, HELD, FAILED */
	uint32_t uid;		/* 0: not known */
	const char *name;	/* of the file: its unique part, or NULL */
	const char *path;	/* DONE of a message that came: the file */
	unsigned flags;		/* of both sides then */
	uint64_t bytes;		/* RECEIVED; DONE of a message that came or went */
	uint64_t messages;	/* HELD; FOLDER: that come and go */
	uint64_t of;		/* HELD: of so many */
	const struct mt_err *err;
	const struct mt_sync_look *look;	/* LOOK: with folder and path */
};

struct mt_sync_params {
	const char *account;	/* for the name of its state */
	const char *version;	/* ours, for the server */
	struct mt_conn_dial dial;	/* but for the password */
	const char *root;	/* the directory of the account's Maildirs */
	const char *state_dir;
	const char *const *folders;	/* names on the server, NULL at the end; NULL: all */
	bool no_pull, no_push;	/* leave this side as it is */
	bool dry_run;
	/* With dry_run: a LOOK for each folder at the end, or at once for each of the server. */
	enum { MT_SYNC_LOOKS_NOT, MT_SYNC_LOOKS_AT_ALL, MT_SYNC_LOOKS_AT_NAMES } looks;
	bool force;		/* make deletions that look like a mistake */
	bool delete_folders;	/* also of folders that hold messages */
	unsigned connections;	/* at most, over which folders are spread; 0 is 1 */
	bool stays;		/* the session is kept after a run, for mt_sync_watch() */
	void (*report)(void *arg, const struct mt_sync_event *ev);
	void *report_arg;
};

/* What came of it. */
struct mt_sync_result {
	uint64_t folders;
	uint64_t done[MT_SYNC_NWHAT];
	uint64_t bytes;		/* of messages that came */
	uint64_t joined;	/* both had them, and no row said so */
	uint64_t held;		/* deletions */
	uint64_t failed;
	uint64_t recovered;	/* that a run which was killed had stored */
	struct mt_err failure;	/* the first of those, or MT_ENONE */
};

struct mt_sync;

/* Take the account's lock and open its state: MT_ETEMP when another process has it. params is
   borrowed until mt_sync_free(). */
struct mt_sync *mt_sync_new(const struct mt_sync_params *params, struct mt_err *err);
void mt_sync_free(struct mt_sync *s);

/*
 * Connect, unless the session was kept (password may be NULL then), and do it. 0 when the
 * session went well to its end, even if messages failed or deletions are held. *result tells in
 * any case what was done.
 */
int mt_sync_run(struct mt_sync *s, const char *password, struct mt_sync_result *result,
    struct mt_err *err);

/*
 * Wait until something changes on either side, or for ms: then run it again. On the server by
 * NOTIFY, else by IDLE for one folder: INBOX, or the first of params; here by inotify. -1 when the
 * session is over, also since the machine was asleep: hang up, and run it again.
 */
int mt_sync_watch(struct mt_sync *s, uint32_t ms, struct mt_err *err);
bool mt_sync_is_connected(const struct mt_sync *s);
/* Forget the session. */
void mt_sync_hang_up(struct mt_sync *s);

/* Forget what was agreed upon, of the folders of params: the next run compares both sides, and
   deletes nothing. Their names: a GPtrArray of char *, or NULL. */
GPtrArray *mt_sync_repair(struct mt_sync *s, struct mt_err *err);

MT_AUTO_DEFINE(mt_sync, mt_sync_free);

#endif
