/* sandbox.c - tests of base/sandbox: what was given up cannot be done any more */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static char *dir, *inside, *outside;

/* Run fn in a child: its exit status, or minus the signal that it died of. */
static int
in_child(int (*fn)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		mt_sandbox_begin(NULL);
		_exit(fn());
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
opens_a_file(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC, NULL) < 0)
		return 100;
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? 1 : 0;
}

static int
makes_a_socket(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, NULL) < 0)
		return 100;
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int
runs_a_program(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, NULL) < 0)
		return 100;
	execl("/bin/true", "true", NULL);
	return 1;
}

static int
forks(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, NULL) < 0)
		return 100;
	return fork() == 0 ? 0 : 1;
}

static int
kills_its_parent(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES | MT_SANDBOX_THREADS, NULL) < 0)
		return 100;
	return kill(getppid(), 0);
}

static int
stops_its_parent_thread(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES | MT_SANDBOX_THREADS, NULL) < 0)
		return 100;
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
makes_a_pair(void)
{
	int pair[2];

	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, NULL) < 0)
		return 100;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

static int
sends_elsewhere(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 ||
	    mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES, NULL) < 0)
		return 100;
	return (int)sendto(pair[0], "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}

static int
aborts(void)
{
	if (mt_sandbox_calls(MT_SANDBOX_IPC, NULL) < 0)
		return 100;
	abort();
}

static int
works_as_usual(void)
{
	int pair[2];
	char c = 0;

	if (mt_sandbox_calls(MT_SANDBOX_IPC | MT_SANDBOX_FILES | MT_SANDBOX_THREADS |
	    MT_SANDBOX_PAIRS, NULL) < 0)
		return 100;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 || send(pair[0], "x", 1, 0) != 1 ||
	    read(pair[1], &c, 1) != 1)
		return 1;
	g_free(g_malloc(1 << 20));
	return mt_file_replace(inside, MT_SLICE("x"), 0600, NULL) == 0 ? 0 : 2;
}

/* The rights of the three kinds of access, as bits of what failed. */
static int
tries(const char *path, int access)
{
	struct mt_sandbox_path own = { path, access };
	g_autofree char *other = g_strconcat(inside, "2", NULL);
	int rc = mt_sandbox_files(&own, 1, NULL), failed = 0;
	int fd;

	if (rc <= 0)
		return 100;
	fd = open(inside, O_RDONLY);
	failed |= fd < 0 ? 1 : 0;
	fd = open(inside, O_WRONLY);
	failed |= fd < 0 ? 2 : 0;
	failed |= rename(inside, other) < 0 || rename(other, inside) < 0 ? 4 : 0;
	fd = open(outside, O_RDONLY);
	failed |= fd < 0 ? 8 : 0;
	failed |= unlink(inside) < 0 ? 16 : 0;
	return failed;
}

static int
reads(void)
{
	return tries(dir, MT_SANDBOX_READ);
}

static int
removes(void)
{
	return tries(dir, MT_SANDBOX_REMOVE);
}

static int
writes(void)
{
	return tries(dir, MT_SANDBOX_WRITE);
}

static int
nothing(void)
{
	if (mt_sandbox_files(NULL, 0, NULL) <= 0)
		return 100;
	return open(inside, O_RDONLY) < 0 ? 0 : 1;
}

static int
opens_too_many(void)
{
	const struct mt_sandbox_limits limits = { .files = 16 };
	int n = 0;

	if (mt_sandbox_limit(&limits, NULL) < 0)
		return 100;
	while (n < 100 && dup(0) >= 0)
		n++;
	return n;
}

static void
test_files(void)
{
	static const struct {
		const char *name;
		int (*fn)(void);
		int want;
	} cases[] = {
		{ "no path: nothing can be opened", nothing, 0 },
		{ "READ: reading only, inside only", reads, 2 | 4 | 8 | 16 },
		{ "REMOVE: and removing", removes, 2 | 4 | 8 },
		{ "WRITE: all inside, nothing outside", writes, 8 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int got;

		mt_file_replace(inside, MT_SLICE("x"), 0600, NULL);
		got = in_child(cases[i].fn);
		if (got == 100)
			ok(true, "%s # SKIP no Landlock here", cases[i].name);
		else
			is_int(got, cases[i].want, "%s", cases[i].name);
	}
}

static void
test_calls(void)
{
#if defined(__SANITIZE_ADDRESS__)
	ok(true, "calls # SKIP a sanitizer is not confined");
	(void)makes_a_socket;
	(void)runs_a_program;
	(void)forks;
	(void)kills_its_parent;
	(void)opens_a_file;
	(void)stops_its_parent_thread;
	(void)makes_a_pair;
	(void)sends_elsewhere;
	(void)aborts;
#else
	is_int(in_child(opens_a_file), 1, "without FILES a file is EPERM");
	is_int(in_child(makes_a_socket), -SIGSYS, "a new connection kills");
	is_int(in_child(runs_a_program), -SIGSYS, "execve kills");
	is_int(in_child(forks), -SIGSYS, "fork kills");
	is_int(in_child(kills_its_parent), -SIGSYS, "a signal to another process kills");
	is_int(in_child(stops_its_parent_thread), -SIGSYS, "one to a thread of it, too");
	is_int(in_child(makes_a_pair), -SIGSYS, "a pair of sockets kills");
	is_int(in_child(sends_elsewhere), -SIGSYS, "a datagram to somebody else kills");
	is_int(in_child(aborts), -SIGABRT, "abort() works");
#endif
	is_int(in_child(works_as_usual), 0, "what is allowed works");
}

int
main(void)
{
	g_autofree char *top = g_dir_make_tmp("mt-sandbox.XXXXXX", NULL);

	dir = g_build_filename(top, "own", NULL);
	inside = g_build_filename(dir, "file", NULL);
	outside = g_build_filename(top, "other", NULL);
	mkdir(dir, 0700);
	mt_file_replace(outside, MT_SLICE("x"), 0600, NULL);
	test_calls();
	test_files();
	ok(in_child(opens_too_many) < 16, "descriptors have a ceiling");
	mt_file_remove_tree(top, NULL);
	g_free(dir);
	g_free(inside);
	g_free(outside);
	return tap_done();
}
