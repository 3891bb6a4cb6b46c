/* prescan.h - look at a message before a library may see it */
#ifndef MT_MESSAGE_PRESCAN_H
#define MT_MESSAGE_PRESCAN_H

#include <stdbool.h>

#include "base/err.h"

/*
 * GMime recurses on nested address groups, so a header field of 90 KB kills the process
 * that reads it (libnotmuch too), one of 10 KB does where the stack is of 1 MB, and some
 * shapes cost it seconds. Such messages are
 * rare and hostile or broken; they are read in a forked child (mt_prescan_leash).
 */
enum mt_prescan {
	MT_PRESCAN_PLAIN,	/* any library may read it here */
	MT_PRESCAN_FIELD,	/* what looks like a header field, here or in the body, is
				   longer than MT_MAX_FIELD_GMIME */
	MT_PRESCAN_GROUPS,	/* a field of a header, in whatever part, has more than
				   MT_MAX_FIELD_COLONS of them */
	MT_PRESCAN_HEADER,	/* the header block is above MT_MAX_HEADER */
	MT_PRESCAN_FIELDS,	/* more than MT_MAX_HEADER_FIELDS in the headers of the message
				   and of all that looks like a part of it */
	MT_PRESCAN_PARTS,	/* more than MT_MAX_BOUNDARY_LINES lines with "--" first */
};

/*
 * Read the file once, in constant memory, up to the first thing that is wrong with it. -1
 * is MT_EIO. fd must be seekable; its offset is not moved.
 */
int mt_prescan_fd(int fd, enum mt_prescan *out, struct mt_err *err);

/* What is wrong with it, for people. */
const char *mt_prescan_word(enum mt_prescan p);

struct mt_proc_leash;
/* The leash for a child that reads such a message. */
extern const struct mt_proc_leash mt_prescan_leash;

#endif
