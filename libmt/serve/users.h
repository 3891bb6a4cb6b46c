/* users.h - the password file: who has a mailbox here */
#ifndef MT_SERVE_USERS_H
#define MT_SERVE_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * One user a line, "ada@example.org:$y$j9T$...": address in lower case, crypt(3) hash
 * (yescrypt is what we write; any method that the system knows is understood). Mode 0600.
 */
struct mt_serve_users;

/* Read the file. MT_ECONF "file:line: ..." for a line that is none. */
struct mt_serve_users *mt_serve_users_open(const char *path, struct mt_err *err);
/* As _open(), a missing file being an empty one. */
struct mt_serve_users *mt_serve_users_open_or_new(const char *path, struct mt_err *err);
void mt_serve_users_free(struct mt_serve_users *u);
/* Read it again when it has changed. When that fails the users stay as they were; so they
   do where a file that is being written is empty or ends within a line. */
int mt_serve_users_refresh(struct mt_serve_users *u, struct mt_err *err);

bool mt_serve_users_has(const struct mt_serve_users *u, const char *address);
/* The hash, or NULL; borrowed until the next refresh or change. */
const char *mt_serve_users_hash(const struct mt_serve_users *u, const char *address);
/* All addresses, sorted; ends with NULL; g_free the array only. */
const char **mt_serve_users_list(const struct mt_serve_users *u);

/*
 * Whether this can be a user: local part of a-z 0-9 . _ - = beginning with a letter or
 * a digit, 64 bytes at most; an "@"; a domain of letters, digits, dots and hyphens. So it
 * is a safe pair of directory names, DOMAIN/USER.
 */
bool mt_serve_users_valid(const char *address);

/* Hash a password with yescrypt; g_free. An empty one, or one with a NUL, is MT_EDATA. */
char *mt_serve_users_make_hash(struct mt_slice password, struct mt_err *err);
/* Whether the password has this hash. Slow on purpose; safe in threads. hash NULL: takes as
   long, and is false, so that nobody learns from the time who exists. */
bool mt_serve_users_verify(const char *hash, const char *password);

/*
 * Change the file: it is locked and read again, changed, and replaced as a whole and
 * durably. _add: MT_EDATA when the user is there; _passwd and _remove: MT_ENOUSER when
 * not.
 */
int mt_serve_users_add(struct mt_serve_users *u, const char *address, const char *hash,
    struct mt_err *err);
int mt_serve_users_passwd(struct mt_serve_users *u, const char *address, const char *hash,
    struct mt_err *err);
int mt_serve_users_remove(struct mt_serve_users *u, const char *address,
    struct mt_err *err);

MT_AUTO_DEFINE(mt_serve_users, mt_serve_users_free);

#endif
