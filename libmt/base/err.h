/* err.h - the one error type: what went wrong, and what the caller should do */
#ifndef MT_BASE_ERR_H
#define MT_BASE_ERR_H

#include <stdarg.h>
#include <stdio.h>

/*
 * The kind answers "what should the caller do". cmd/ maps it to an exit status of
 * sysexits.h (mt_err_exit()); an SMTP session maps it to 4yz or 5yz.
 */
enum mt_err_kind {
	MT_ENONE = 0,	/* no error was recorded */
	MT_EUSAGE,	/* 64: the command line is wrong: mend the call */
	MT_EDATA,	/* 65: the input (a message, a file) is wrong: mend the input */
	MT_ENOINPUT,	/* 66: a named input does not exist or cannot be read */
	MT_ENOUSER,	/* 67: no such user or mailbox: final */
	MT_EUNAVAIL,	/* 69: refused for good (a 5yz reply, a missing service) */
	MT_ESOFTWARE,	/* 70: an inconsistency in ourselves or in a library */
	MT_EIO,		/* 74: the disk failed: nothing may be assumed to be stored */
	MT_ETEMP,	/* 75: try again later (network, 4yz, busy, disk full) */
	MT_EPROTO,	/* 76: the peer broke the protocol */
	MT_EPERM,	/* 77: permission or login refused */
	MT_ECONF,	/* 78: mend the configuration */
};

/*
 * Lives by value on the caller's stack and is the last parameter of every function
 * that can fail; a function that succeeds leaves it untouched. Initialise with
 * `struct mt_err err = { 0 };`.
 */
struct mt_err {
	enum mt_err_kind kind;
	char dsn[12];	/* enhanced status code (RFC 3463), "" when none is known */
	char msg[1024];	/* printable UTF-8: what, where, why; no newline at the end */
};

/*
 * Record an error. `%m` gives strerror(errno), as in syslog(3). Control characters
 * that come in through arguments are shown as \xNN, so that a hostile peer's words
 * can be printed. A message that is too long is cut at a character. err may be NULL.
 * Always returns -1, so that a function can `return mt_fail(...)`. errno is kept.
 * A `%m` about a full disk or quota sets the status code 4.3.1 (RFC 3463 3.4).
 */
int mt_fail(struct mt_err *err, enum mt_err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int mt_vfail(struct mt_err *err, enum mt_err_kind kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The same for functions that return a pointer: always NULL. */
void *mt_fail_null(struct mt_err *err, enum mt_err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As mt_fail(), with the enhanced status code (RFC 3463) that a peer gave or gets. */
int mt_fail_dsn(struct mt_err *err, enum mt_err_kind kind, const char *dsn,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Say where: prefixes the message that is already there, "folder Work: no such
 * mailbox". Kind and status code stay. Returns -1.
 */
int mt_fail_in(struct mt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The kind for a failed system call on a file, by errno: ENOENT -> MT_ENOINPUT,
 * EACCES, EPERM, EROFS -> MT_EPERM, ENOSPC, EDQUOT, EMFILE, ENOMEM... -> MT_ETEMP,
 * otherwise MT_EIO.
 */
enum mt_err_kind mt_err_kind_of_errno(int errnum);

/* The sysexits.h status for a kind; MT_ENONE gives 0. */
int mt_err_exit(enum mt_err_kind kind);

/* A short stable word for logs and JSON: "temp", "data", ... */
const char *mt_err_word(enum mt_err_kind kind);

#endif
