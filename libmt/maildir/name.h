/* name.h - names of messages in a Maildir: unique part, size, flags */
#ifndef MT_MAILDIR_NAME_H
#define MT_MAILDIR_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* NAME_MAX of every file system that we know, with its NUL. */
#define MT_MAILDIR_NAME_SIZE 256
/* Flags that we write: sorted, each once; "DFPRST" and keywords a-z. */
#define MT_MAILDIR_FLAGS_SIZE 64

/*
 * SEC.M<usec>P<pid>Q<n>R<random>.HOST: unique on this host without asking anybody
 * (time, process, count) and across hosts that share a store (random, name).
 */
void mt_maildir_name_unique(char out[MT_MAILDIR_NAME_SIZE]);

struct mt_maildir_name {
	struct mt_slice unique;	/* up to ":2,", with ",S=": stays when flags change */
	struct mt_slice flags;	/* behind ":2,"; empty when there is none */
	uint64_t size;		/* of ",S="; UINT64_MAX when the name does not say */
	int64_t time;		/* of the leading seconds; 0 when there are none */
};

/* Take a file name apart. False for names that are no message (leading dot, empty). */
bool mt_maildir_name_parse(const char *file, struct mt_maildir_name *out);

/* unique + ":2," + flags, sorted and each once. False when it does not fit. */
bool mt_maildir_name_with_flags(struct mt_slice unique, struct mt_slice flags,
    char out[MT_MAILDIR_NAME_SIZE]);
/* Whether the flags hold only letters that ":2," allows. */
bool mt_maildir_flags_valid(struct mt_slice flags);

#endif
