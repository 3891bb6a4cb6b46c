/* proc.h - run helpers from an argv (never a shell), and fork children on a leash */
#ifndef MT_BASE_PROC_H
#define MT_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Split a command line of the configuration into an argv as a shell would (quotes and
 * backslashes, nothing else: no expansion, no pipes). g_strfreev. MT_ECONF when a
 * quote is not closed or there is no word.
 */
char **mt_proc_split(const char *command, struct mt_err *err);

/*
 * Run argv (found on PATH) with `in` on its standard input, and append its standard
 * output to *out; standard error is ours. Waits timeout_ms at most, then kills it.
 * MT_ECONF when it cannot be run, MT_ETEMP on a timeout, MT_EUNAVAIL when it ends
 * with another status than 0. out may be NULL: its output goes to our stderr.
 */
int mt_proc_run(char *const argv[], struct mt_slice in, struct mt_buf *out,
    uint32_t timeout_ms, struct mt_err *err);

/*
 * Run argv (found on PATH) on the user's terminal, for as long as it takes: its standard
 * input and output are ours, or /dev/tty where ours is no terminal. Ctrl-C there is its,
 * not ours. MT_ENOINPUT without a terminal; else as mt_proc_run().
 */
int mt_proc_run_on_terminal(char *const argv[], struct mt_err *err);

/*
 * What a child may use, for work on input that may crash or hang a library. 0 means
 * "as we have it".
 */
struct mt_proc_leash {
	uint64_t stack_bytes;	/* soft RLIMIT_STACK for the thread that runs fn */
	uint64_t memory_bytes;	/* beyond what we have (RLIMIT_AS); not under a sanitizer */
	uint32_t cpu_s;		/* RLIMIT_CPU */
	uint32_t wall_ms;	/* then SIGKILL */
};

/*
 * Fork; the child runs fn(arg, out_fd) on a stack of its own and exits with what it
 * returns (0 to 254). What it writes to out_fd is appended to *out (NULL: no pipe,
 * out_fd is -1). Returns the child's exit status, or -1 with MT_EDATA when it died of a
 * signal or the limits ("died of signal 11") and MT_ETEMP when it could not be made.
 */
int mt_proc_fork(int (*fn)(void *arg, int out_fd), void *arg,
    const struct mt_proc_leash *leash, struct mt_buf *out, struct mt_err *err);

/* Milliseconds of the monotonic clock: for deadlines. */
uint64_t mt_proc_now_ms(void);

/* No core dumps and no ptrace by others: for a process that holds secrets. */
void mt_proc_hide_secrets(void);

#endif
