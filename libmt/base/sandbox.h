/* sandbox.h - give up for good what a process will not need */
#ifndef MT_BASE_SANDBOX_H
#define MT_BASE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Nothing here can be taken back, and children inherit it. Order: limits, files, calls.
 *
 * A process under a sanitizer is not confined by files and calls: the sanitizer opens /proc and
 * starts a tracer of its own at the end.
 */

/* execve() never gains rights, no core dumps, no ptrace by others. */
int mt_sandbox_begin(struct mt_err *err);

/* Ceilings of this process; 0 leaves one as it is. */
struct mt_sandbox_limits {
	uint64_t memory_bytes;	/* address space; not under a sanitizer */
	uint64_t file_bytes;	/* longest file; more is EFBIG, not a signal */
	uint64_t files;		/* open descriptors */
};
int mt_sandbox_limit(const struct mt_sandbox_limits *limits, struct mt_err *err);

/* A directory (or file) that stays reachable, with all below it. */
struct mt_sandbox_path {
	const char *path;
	enum {
		MT_SANDBOX_READ = 1,	/* read files, list directories */
		MT_SANDBOX_REMOVE = 2,	/* and remove files */
		MT_SANDBOX_WRITE = 4,	/* and make, rename, write files and directories */
	} access;
};

/*
 * Landlock: from now on nothing can be opened but below the n paths (0: nothing at
 * all). Descriptors that are open stay usable. Best effort: 1 when the kernel enforces
 * it, 0 when it cannot (before Linux 5.13, or switched off), -1 for an error.
 */
int mt_sandbox_files(const struct mt_sandbox_path *paths, size_t n, struct mt_err *err);

/* What a process does, beyond memory, clocks, and reading and writing what is open. */
enum mt_sandbox_calls {
	MT_SANDBOX_IPC = 1,	/* send and receive on connected sockets, with descriptors */
	MT_SANDBOX_FILES = 2,	/* open, list, rename, remove, sync: what Landlock leaves */
	MT_SANDBOX_THREADS = 4,
	MT_SANDBOX_PAIRS = 8,	/* make pairs of sockets, which reach any datagram socket */
};

/*
 * seccomp: any other system call kills the process, which shows in the log. Calls
 * that libraries make in vain and live without (open, stat) fail with EPERM.
 */
int mt_sandbox_calls(unsigned calls, struct mt_err *err);

#endif
