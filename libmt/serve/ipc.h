/* ipc.h - packets between the processes of mt-serve, with descriptors */
#ifndef MT_SERVE_IPC_H
#define MT_SERVE_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "smtp/path.h"

/*
 * SOCK_SEQPACKET pairs; a packet is its type and one struct. Nobody trusts the sender: a
 * packet that was cut, has a wrong length, an unknown type, a text without its NUL, a
 * count out of range or descriptors that nobody asked for ends that connection.
 *
 *	session -> keeper	LOGIN	-> LOGGED_IN (POP3: with a descriptor to the mailbox)
 *				SENDER	-> VERDICT
 *				RCPT	-> VERDICT
 *				OPEN	-> OPENED, with the descriptors of the files
 *				COMMIT	-> COMMITTED
 *				ABORT	-> VERDICT
 *	parent -> keeper	SESSION, with the keeper's end of the pair
 *	keeper -> parent	MAILBOX, with the mailbox's end of the pair
 *	session -> mailbox	LIST	-> LISTED..., the last one empty
 *				FETCH	-> FETCHED, with a read-only descriptor
 *				DELETE, for each; EXPUNGE -> EXPUNGED
 */
enum mt_serve_ipc_type {
	MT_SERVE_IPC_SESSION = 1,
	MT_SERVE_IPC_MAILBOX,
	MT_SERVE_IPC_LOGIN,
	MT_SERVE_IPC_LOGGED_IN,
	MT_SERVE_IPC_SENDER,
	MT_SERVE_IPC_RCPT,
	MT_SERVE_IPC_VERDICT,
	MT_SERVE_IPC_OPEN,
	MT_SERVE_IPC_OPENED,
	MT_SERVE_IPC_COMMIT,
	MT_SERVE_IPC_COMMITTED,
	MT_SERVE_IPC_ABORT,
	MT_SERVE_IPC_LIST,
	MT_SERVE_IPC_LISTED,
	MT_SERVE_IPC_FETCH,
	MT_SERVE_IPC_FETCHED,
	MT_SERVE_IPC_DELETE,
	MT_SERVE_IPC_EXPUNGE,
	MT_SERVE_IPC_EXPUNGED,
};

/* Files of one transaction: recipients, and what aliases make of them. Below SCM_MAX_FD
   (253), so that all fit into one packet. */
#define MT_SERVE_FILES_MAX 200
/* Which recipient is served by which file: more pairs than files, since aliases overlap. */
#define MT_SERVE_PAIRS_MAX 1000
#define MT_SERVE_PEER_SIZE 64
#define MT_SERVE_SECRET_SIZE 1024

struct mt_serve_ipc_session {
	uint64_t id;
	uint32_t protocol;			/* enum mt_serve_protocol */
	char peer[MT_SERVE_PEER_SIZE];		/* address, or "unix" */
};

struct mt_serve_ipc_mailbox {
	uint64_t id;				/* of the session */
	char user[MT_SMTP_PATH_SIZE * 2];
};

struct mt_serve_ipc_login {
	char user[MT_SMTP_PATH_SIZE * 2];
	char secret[MT_SERVE_SECRET_SIZE];
};

enum mt_serve_login {
	MT_SERVE_LOGIN_OK,
	MT_SERVE_LOGIN_WRONG,
	MT_SERVE_LOGIN_LOCKED,			/* too many failures from that address */
	MT_SERVE_LOGIN_TEMP,
	MT_SERVE_LOGINS
};

struct mt_serve_ipc_logged_in {
	uint32_t result;			/* enum mt_serve_login */
	char user[MT_SMTP_PATH_SIZE * 2];	/* the mailbox: "ada@example.org" */
};

struct mt_serve_ipc_path {
	char local[MT_SMTP_PATH_SIZE];
	char domain[MT_SMTP_PATH_SIZE];
};

struct mt_serve_ipc_verdict {
	uint32_t verdict;			/* enum mt_serve_verdict */
};

/* Only the first n of rcpts are sent. */
struct mt_serve_ipc_open {
	uint32_t n;
	struct mt_serve_ipc_path rcpts[MT_MAX_RCPTS];
};

/* What became of a file, or of a recipient. */
enum mt_serve_fate {
	MT_SERVE_FATE_GOOD,
	MT_SERVE_FATE_NO_SPACE,			/* disk or quota: 452 */
	MT_SERVE_FATE_NO_USER,			/* removed since RCPT: 550 */
	MT_SERVE_FATE_TOO_MANY,			/* files for one transaction: 452 */
	MT_SERVE_FATE_TEMP,			/* anything else: 451 */
	MT_SERVE_FATES
};

/* Only the first `files` of mailboxes are sent. */
struct mt_serve_ipc_opened {
	uint32_t rcpts, files, pairs;
	uint8_t fate[MT_MAX_RCPTS];		/* of each recipient */
	struct mt_serve_ipc_pair {
		uint8_t rcpt, file;
	} pair[MT_SERVE_PAIRS_MAX];
	char mailboxes[MT_SERVE_FILES_MAX][MT_SMTP_PATH_SIZE * 2];
};

/* Which of the files are whole; the others are dropped. */
struct mt_serve_ipc_commit {
	uint32_t files;
	uint8_t keep[MT_SERVE_FILES_MAX];	/* 0 or 1 */
};

struct mt_serve_ipc_committed {
	uint32_t files;
	uint8_t fate[MT_SERVE_FILES_MAX];	/* GOOD: durable */
};

#define MT_SERVE_LISTED_MAX 256
struct mt_serve_ipc_listed {
	uint32_t n;				/* 0: that was all */
	uint32_t failed;			/* 1: the mailbox cannot be read; 2: in use */
	struct mt_serve_ipc_message {
		uint64_t size;
		char uidl[MT_MAX_UIDL + 2];
	} list[MT_SERVE_LISTED_MAX];
};

struct mt_serve_ipc_index {
	uint32_t index;
};

struct mt_serve_ipc_result {
	uint32_t ok;				/* 0 or 1 */
};

/* The largest packet, rounded up. */
#define MT_SERVE_IPC_MAX ((size_t)(120 * 1024))

struct mt_serve_packet {
	uint32_t type;
	uint32_t n;				/* bytes of the body */
	int fds[MT_SERVE_FILES_MAX];		/* yours: mt_serve_ipc_drop() closes the rest */
	size_t nfds;
	union {
		struct mt_serve_ipc_session session;
		struct mt_serve_ipc_mailbox mailbox;
		struct mt_serve_ipc_login login;
		struct mt_serve_ipc_logged_in logged_in;
		struct mt_serve_ipc_path path;
		struct mt_serve_ipc_verdict verdict;
		struct mt_serve_ipc_open open;
		struct mt_serve_ipc_opened opened;
		struct mt_serve_ipc_commit commit;
		struct mt_serve_ipc_committed committed;
		struct mt_serve_ipc_listed listed;
		struct mt_serve_ipc_index index;
		struct mt_serve_ipc_result result;
		char bytes[MT_SERVE_IPC_MAX];
	} body;
};

/* A connected pair, blocking and close-on-exec. -1 with errno. */
int mt_serve_ipc_pair(int fds[2]);

/*
 * Send one packet, with nfds descriptors (which stay ours too). Waits for room while the
 * other side does not read; _post() does not, and is MT_ETEMP then.
 */
int mt_serve_ipc_send(int fd, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds, struct mt_err *err);
int mt_serve_ipc_post(int fd, uint32_t type, const void *body, size_t n, const int *fds,
    size_t nfds, struct mt_err *err);

/*
 * Receive one packet and check it by its type: lengths, ranges, NULs, the number of
 * descriptors. 1; 0 when the other side has closed; -1: MT_EPROTO for a bad packet (its
 * descriptors are closed), MT_ETEMP when nothing came within timeout_ms (0: is there).
 */
int mt_serve_ipc_recv(int fd, struct mt_serve_packet *p, uint32_t timeout_ms,
    struct mt_err *err);
/* Take descriptor i out of the packet. */
int mt_serve_ipc_take_fd(struct mt_serve_packet *p, size_t i);
/* Close the descriptors that were not taken, overwrite the body. */
void mt_serve_ipc_drop(struct mt_serve_packet *p);

/* Bytes of a packet that holds n of its array's elements. */
size_t mt_serve_ipc_open_size(uint32_t n);
size_t mt_serve_ipc_opened_size(uint32_t files);
size_t mt_serve_ipc_listed_size(uint32_t n);

#endif
