/* sandbox.c - give up for good what a process will not need */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/proc.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

int
mt_sandbox_begin(struct mt_err *err)
{
	mt_proc_hide_secrets();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mt_fail(err, MT_ESOFTWARE, "no_new_privs: %m");
	return 0;
}

static int
limit(int which, const char *what, uint64_t value, struct mt_err *err)
{
	struct rlimit r;

	if (value == 0)
		return 0;
	if (getrlimit((__rlimit_resource_t)which, &r) < 0)
		return mt_fail(err, MT_ESOFTWARE, "limit of %s: %m", what);
	/* Only a lower limit can always be set. */
	r.rlim_max = MIN(r.rlim_max, value);
	r.rlim_cur = r.rlim_max;
	if (setrlimit((__rlimit_resource_t)which, &r) < 0)
		return mt_fail(err, MT_ESOFTWARE, "limit of %s: %m", what);
	return 0;
}

int
mt_sandbox_limit(const struct mt_sandbox_limits *limits, struct mt_err *err)
{
	if (limits->file_bytes != 0)
		signal(SIGXFSZ, SIG_IGN);
	if (limit(RLIMIT_FSIZE, "file size", limits->file_bytes, err) < 0 ||
	    limit(RLIMIT_NOFILE, "descriptors", limits->files, err) < 0)
		return -1;
	if (IS_SANITIZED)
		return 0;
	return limit(RLIMIT_AS, "memory", limits->memory_bytes, err);
}

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
/* Every right of Landlock's first version: what is not granted is denied. A rename
   between directories (tmp/ to new/) needs REFER, of the second version. */
#define FS_ALL_V1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)

static int
allow_path(int ruleset, const struct mt_sandbox_path *p, uint64_t handled,
    struct mt_err *err)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = FS_READ };
	mt_auto_fd int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", p->path);
	if (p->access & (MT_SANDBOX_REMOVE | MT_SANDBOX_WRITE))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
	if (p->access & MT_SANDBOX_WRITE)
		rule.allowed_access |= FS_WRITE | FS_REFER;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE;
	rule.allowed_access &= handled;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return mt_fail(err, MT_ESOFTWARE, "Landlock: %s: %m", p->path);
	return 0;
}

int
mt_sandbox_files(const struct mt_sandbox_path *paths, size_t n, struct mt_err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = FS_ALL_V1 };
	mt_auto_fd int ruleset = -1;
	bool writes = false;
	long version;

	if (IS_SANITIZED)
		return 0;
	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	for (size_t i = 0; i < n; i++)
		writes |= (paths[i].access & MT_SANDBOX_WRITE) != 0;
	/* The first version denies every rename from one directory to another. */
	if (version < 1 || (version == 1 && writes))
		return 0;
	if (version >= 2)
		attr.handled_access_fs |= FS_REFER;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return mt_fail(err, MT_ESOFTWARE, "Landlock: %m");
	for (size_t i = 0; i < n; i++) {
		if (allow_path(ruleset, &paths[i], attr.handled_access_fs, err) < 0)
			return -1;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return mt_fail(err, MT_ESOFTWARE, "Landlock: %m");
	return 1;
}

/* Memory, clocks, signals of our own, reading and writing what is open, and the end. */
static const int basic_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fcntl),
	SCMP_SYS(fstat), SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static const int ipc_calls[] = {
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
};

static const int file_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range),
	SCMP_SYS(utimensat),
	SCMP_SYS(flock), SCMP_SYS(fadvise64), SCMP_SYS(uname), SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
};

static const int thread_calls[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(eventfd2), SCMP_SYS(prctl),
};

static const int pair_calls[] = { SCMP_SYS(socketpair) };

/* What libraries try (locales, time zones, configuration of OpenSSL) and live without. */
static const int harmless_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(ioctl), SCMP_SYS(prctl), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};

static const struct {
	unsigned flag;
	const int *calls;
	size_t n;
} sets[] = {
	{ 0, basic_calls, G_N_ELEMENTS(basic_calls) },
	{ MT_SANDBOX_IPC, ipc_calls, G_N_ELEMENTS(ipc_calls) },
	{ MT_SANDBOX_FILES, file_calls, G_N_ELEMENTS(file_calls) },
	{ MT_SANDBOX_THREADS, thread_calls, G_N_ELEMENTS(thread_calls) },
	{ MT_SANDBOX_PAIRS, pair_calls, G_N_ELEMENTS(pair_calls) },
};

static bool
is_allowed(unsigned calls, int call)
{
	for (size_t s = 0; s < G_N_ELEMENTS(sets); s++) {
		if (sets[s].flag != 0 && !(calls & sets[s].flag))
			continue;
		for (size_t i = 0; i < sets[s].n; i++) {
			if (sets[s].calls[i] == call)
				return true;
		}
	}
	return false;
}

/* 0 or a negative errno. */
static int
add_rules(scmp_filter_ctx filter, unsigned calls)
{
	int rc = 0;

	for (size_t s = 0; s < G_N_ELEMENTS(sets); s++) {
		if (sets[s].flag != 0 && !(calls & sets[s].flag))
			continue;
		for (size_t i = 0; i < sets[s].n && rc == 0; i++)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, sets[s].calls[i], 0);
	}
	/* A signal to ourselves (abort) and to nobody else; and what is sent goes to the
	   peer that the socket has. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (rc == 0 && (calls & MT_SANDBOX_IPC))
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
		    SCMP_A4(SCMP_CMP_EQ, 0));
	for (size_t i = 0; i < G_N_ELEMENTS(harmless_calls) && rc == 0; i++) {
		if (!is_allowed(calls, harmless_calls[i]))
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
			    harmless_calls[i], 0);
	}
	return rc;
}

int
mt_sandbox_calls(unsigned calls, struct mt_err *err)
{
	scmp_filter_ctx filter;
	int rc;

	if (IS_SANITIZED)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return mt_fail(err, MT_ESOFTWARE, "seccomp: no memory");
	rc = add_rules(filter, calls);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == 0)
		return 0;
	errno = -rc;
	return mt_fail(err, MT_ESOFTWARE, "seccomp: %m");
}
