/* cmd.h - what every command shares: help, version, errors, exit status */
#ifndef MT_CMD_H
#define MT_CMD_H

#include "base/err.h"
#include "conf/opt.h"

#define MT_VERSION "0.1"

/*
 * First call of every main(): locale, signals (SIGPIPE is ignored: a closed pipe is an
 * error like any other), umask 077, the name for messages.
 */
void mt_cmd_start(const struct mt_opt_command *command, int argc, char **argv,
    struct mt_opt_parser *p);

/*
 * As mt_opt_next(), but --help, --version and --print-options are answered (then the
 * process ends with status 0) and a usage error is printed (status 64).
 * 1 with p->id and p->value, 0 at the end.
 */
int mt_cmd_next(struct mt_opt_parser *p);

/* Print "mt-send: text" to standard error. */
void mt_cmd_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print the error, and give the exit status for its kind. */
int mt_cmd_fail(const struct mt_err *err);
/* A usage error: print it with a hint at --help, exit 64. */
_Noreturn void mt_cmd_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Print one record of text that may hold any bytes (names of files, ids of messages) to
 * standard output: as it is when it ends in a NUL, else with control characters shown as
 * \\xNN, so that it stays one line and cannot drive a terminal.
 */
void mt_cmd_print(const char *text, char end);
/* The same without the end, which only says how it is shown. */
void mt_cmd_print_text(const char *text, char end);

/*
 * Last call of every main(): flush standard output and turn an error there (a full
 * disk behind a redirection) into status 74. Gives the status for main() to return.
 */
int mt_cmd_end(int status);

/* $XDG_STATE_HOME/mt or ~/.local/state/mt; a relative path there is to be ignored (XDG
   Base Directory). g_free. */
char *mt_cmd_state_dir(void);

/* Whether a person watches: progress may be shown on standard error. */
bool mt_cmd_has_terminal(void);

#endif
