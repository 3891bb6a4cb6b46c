/* proc.c - run helpers from an argv (never a shell), and fork children on a leash */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"

uint64_t
mt_proc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
mt_proc_hide_secrets(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

char **
mt_proc_split(const char *command, struct mt_err *err)
{
	g_autoptr(GError) why = NULL;
	char **argv = NULL;

	if (g_shell_parse_argv(command, NULL, &argv, &why))
		return argv;
	/* Not the command, nor GLib's message, which quotes it: it may hold a secret. */
	if (g_error_matches(why, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
		return mt_fail_null(err, MT_ECONF, "the command is empty");
	return mt_fail_null(err, MT_ECONF, "a quote in the command has no end");
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}

/* A child's standard streams, as we see them; -1 when closed or not ours. */
struct feed {
	struct mt_slice in;
	int in_fd;
	int out_fd;
	struct mt_buf *out;
	uint64_t deadline_ms;
};

/* One round of writing and reading: 1 goes on, 0 all streams closed, -1 failed. */
static int
feed_step(struct feed *f, struct mt_err *err)
{
	struct pollfd p[2] = { { f->in_fd, POLLOUT, 0 }, { f->out_fd, POLLIN, 0 } };
	uint64_t now = mt_proc_now_ms();
	char chunk[4096];
	ssize_t n;
	int rc;

	if (f->in_fd < 0 && f->out_fd < 0)
		return 0;
	if (now >= f->deadline_ms)
		return mt_fail(err, MT_ETEMP, "no end in time; killed");
	rc = poll(p, 2, (int)MIN(f->deadline_ms - now, 60000));
	if (rc < 0 && errno != EINTR)
		return mt_fail(err, MT_ETEMP, "poll: %m");
	if (rc <= 0)
		return 1;
	if (p[0].revents != 0) {
		n = write(f->in_fd, f->in.p, f->in.n);
		if (n >= 0)
			f->in = mt_slice_from(f->in, (size_t)n);
		if ((n < 0 && errno != EAGAIN && errno != EINTR) || f->in.n == 0) {
			close(f->in_fd);
			f->in_fd = -1;
		}
	}
	if (p[1].revents != 0) {
		n = read(f->out_fd, chunk, sizeof(chunk));
		if (n > 0 && mt_buf_append(f->out, chunk, (size_t)n) < 0) {
			explicit_bzero(chunk, sizeof(chunk));
			return mt_fail(err, MT_EDATA, "printed more than %zu bytes",
			    f->out->max);
		}
		explicit_bzero(chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			close(f->out_fd);
			f->out_fd = -1;
		}
	}
	return 1;
}

/* Wait for a child whose streams are closed; SIGKILL at the deadline. */
static int
wait_until(pid_t pid, uint64_t deadline_ms, struct mt_err *err)
{
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return mt_fail(err, MT_ETEMP, "waitpid: %m");
		if (mt_proc_now_ms() >= deadline_ms) {
			kill(pid, SIGKILL);
			wait_for(pid);
			return mt_fail(err, MT_ETEMP, "no end in time; killed");
		}
		g_usleep(2000);
	}
}

static int
check_status(int status, struct mt_err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return mt_fail(err, MT_ECONF, "cannot be run (exit status 127)");
	if (WIFEXITED(status))
		return mt_fail(err, MT_EUNAVAIL, "exit status %d", WEXITSTATUS(status));
	return mt_fail(err, MT_EUNAVAIL, "died of signal %d", WTERMSIG(status));
}

static void
child_exec(char *const argv[], int in, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], g_strerror(errno));
	_exit(127);
}

int
mt_proc_run(char *const argv[], struct mt_slice in, struct mt_buf *out,
    uint32_t timeout_ms, struct mt_err *err)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	struct feed f = { in, -1, -1, out, mt_proc_now_ms() + timeout_ms };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	pid_t pid;
	int rc, status;

	if (pipe2(to, O_CLOEXEC) < 0 || (out != NULL && pipe2(from, O_CLOEXEC) < 0)) {
		mt_fail(err, MT_ETEMP, "%s: pipe: %m", argv[0]);
		goto fail;
	}
	pid = fork();
	if (pid < 0) {
		mt_fail(err, MT_ETEMP, "%s: fork: %m", argv[0]);
		goto fail;
	}
	if (pid == 0)
		child_exec(argv, to[0], out != NULL ? from[1] : STDERR_FILENO);
	close(to[0]);
	if (out != NULL)
		close(from[1]);
	f.in_fd = to[1];
	f.out_fd = from[0];
	fcntl(f.in_fd, F_SETFL, O_NONBLOCK);
	sigaction(SIGPIPE, &ignore, &old);
	if (in.n == 0) {
		close(f.in_fd);
		f.in_fd = -1;
	}
	while ((rc = feed_step(&f, err)) > 0)
		;
	sigaction(SIGPIPE, &old, NULL);
	if (f.in_fd >= 0)
		close(f.in_fd);
	if (f.out_fd >= 0)
		close(f.out_fd);
	if (rc < 0) {
		kill(pid, SIGKILL);
		wait_for(pid);
		return mt_fail_in(err, "%s", argv[0]);
	}
	status = wait_until(pid, f.deadline_ms, err);
	if (status < 0 || check_status(status, err) < 0)
		return mt_fail_in(err, "%s", argv[0]);
	return 0;
fail:
	for (size_t i = 0; i < 2; i++) {
		if (to[i] >= 0)
			close(to[i]);
		if (from[i] >= 0)
			close(from[i]);
	}
	return -1;
}

/* A standard stream of the child: ours, or the terminal where ours is none. */
static bool
put_on_terminal(int fd, int flags)
{
	int tty;

	if (isatty(fd) == 1)
		return true;
	tty = open("/dev/tty", flags);
	return tty >= 0 && dup2(tty, fd) >= 0;
}

int
mt_proc_run_on_terminal(char *const argv[], struct mt_err *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	mt_auto_fd int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct sigaction interrupt, quit;
	pid_t pid;
	int status;

	if (tty < 0)
		return mt_fail(err, MT_ENOINPUT, "%s: there is no terminal to run it on", argv[0]);
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGINT, &interrupt, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		signal(SIGPIPE, SIG_DFL);
		if (put_on_terminal(STDIN_FILENO, O_RDONLY) &&
		    put_on_terminal(STDOUT_FILENO, O_WRONLY))
			execvp(argv[0], argv);
		_exit(127);
	}
	status = pid < 0 ? -1 : wait_for(pid);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	if (pid < 0)
		return mt_fail(err, MT_ETEMP, "%s: fork: %m", argv[0]);
	return check_status(status, err) < 0 ? mt_fail_in(err, "%s", argv[0]) : 0;
}

/* The status of a child that has no thread to run anything in. */
#define NOT_BEGUN 255

struct leashed {
	int (*fn)(void *, int);
	void *arg;
	int out_fd;
	int status;
};

static void *
leashed_thread(void *p)
{
	struct leashed *l = p;

	l->status = l->fn(l->arg, l->out_fd);
	return NULL;
}

static void
limit(int which, uint64_t value)
{
	struct rlimit r = { value, value };

	if (value != 0)
		setrlimit(which, &r);
}

/* The bytes of address space that we have now. */
static uint64_t
present_memory(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* In the child: put on the limits, and run fn on a stack of the size that was asked
   for (RLIMIT_STACK does not grow a running thread's stack past its mapping). */
static int
leashed_main(struct leashed *l, const struct mt_proc_leash *leash)
{
	pthread_attr_t attr;
	pthread_t thread;

	limit(RLIMIT_CPU, leash->cpu_s);
#if !defined(__SANITIZE_ADDRESS__)
	if (leash->memory_bytes != 0)
		limit(RLIMIT_AS, present_memory() + leash->memory_bytes);
#endif
	if (leash->stack_bytes == 0)
		return l->fn(l->arg, l->out_fd);
	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, leash->stack_bytes) != 0 ||
	    pthread_create(&thread, &attr, leashed_thread, l) != 0)
		return NOT_BEGUN;
	pthread_join(thread, NULL);
	return l->status;
}

int
mt_proc_fork(int (*fn)(void *arg, int out_fd), void *arg,
    const struct mt_proc_leash *leash, struct mt_buf *out, struct mt_err *err)
{
	int pipefd[2] = { -1, -1 };
	struct mt_buf nothing = MT_BUF_INIT(0);
	struct feed f = { { NULL, 0 }, -1, -1, out != NULL ? out : &nothing, UINT64_MAX };
	pid_t pid;
	int rc, status;

	if (leash->wall_ms != 0)
		f.deadline_ms = mt_proc_now_ms() + leash->wall_ms;
	if (out != NULL && pipe2(pipefd, O_CLOEXEC) < 0)
		return mt_fail(err, MT_ETEMP, "pipe: %m");
	pid = fork();
	if (pid < 0) {
		mt_fail(err, MT_ETEMP, "fork: %m");
		if (out != NULL) {
			close(pipefd[0]);
			close(pipefd[1]);
		}
		return -1;
	}
	if (pid == 0) {
		struct leashed l = { fn, arg, pipefd[1], 0 };

		signal(SIGSEGV, SIG_DFL);
		mt_proc_hide_secrets();
		_exit(leashed_main(&l, leash));
	}
	if (out != NULL)
		close(pipefd[1]);
	f.out_fd = pipefd[0];
	while ((rc = feed_step(&f, err)) > 0)
		;
	if (f.out_fd >= 0)
		close(f.out_fd);
	if (rc < 0) {
		kill(pid, SIGKILL);
		wait_for(pid);
		return -1;
	}
	status = wait_until(pid, f.deadline_ms, err);
	if (status < 0)
		return -1;
	if (WIFSIGNALED(status))
		return mt_fail(err, MT_EDATA, "the process that read it died of signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) == NOT_BEGUN)
		return mt_fail(err, MT_ETEMP, "no thread can be made in a child");
	return WEXITSTATUS(status);
}
