/* mailbox.h - the process that has one user's Maildir, for one reading session */
#ifndef MT_SERVE_MAILBOX_H
#define MT_SERVE_MAILBOX_H

#include "serve/serve.h"

/*
 * Answer the session at session_fd about the Maildir at path until it closes: lists the
 * messages (at most MT_MAX_POP3_MESSAGES), hands out read-only descriptors, removes. Locked against
 * other mailbox processes (RFC 1939 4). Confines itself to that directory first. Gives the
 * exit status.
 */
int mt_serve_mailbox_main(int session_fd, const char *path);

#endif
