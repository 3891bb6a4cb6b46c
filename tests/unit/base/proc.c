/* proc.c - helpers from an argv, and children on a leash */
#include "base/proc.h"

#include <signal.h>

#include "tap.h"

static int
write_hello(void *arg, int out_fd)
{
	return write(out_fd, arg, 5) == 5 ? 3 : 1;
}

static int
die(void *arg, int out_fd)
{
	(void)arg;
	(void)out_fd;
	raise(SIGKILL);
	return 0;
}

static int
hang(void *arg, int out_fd)
{
	(void)arg;
	(void)out_fd;
	while (getppid() != 0)
		pause();
	return 0;
}

static void
check_run(void)
{
	struct mt_err err = { 0 };
	mt_auto_value(mt_buf) out = MT_BUF_INIT(100);
	char *cat[] = { "cat", NULL }, *no[] = { "/nonexistent/helper", NULL };
	char *bad[] = { "false", NULL }, *slow[] = { "sleep", "20", NULL };
	char *much[] = { "yes", NULL };

	ok(mt_proc_run(cat, MT_SLICE("in and out"), &out, 5000, &err) == 0, "run cat");
	is_str(out.p, "in and out", "it gets its input and gives its output");
	ok(mt_proc_run(no, MT_SLICE(""), &out, 5000, &err) < 0, "what is not there");
	is_int(err.kind, MT_ECONF, "is a matter of the configuration: %s", err.msg);
	ok(mt_proc_run(bad, MT_SLICE("x"), NULL, 5000, &err) < 0, "status 1");
	is_int(err.kind, MT_EUNAVAIL, "is an error: %s", err.msg);
	ok(mt_proc_run(slow, MT_SLICE(""), &out, 50, &err) < 0, "one that hangs is killed");
	is_int(err.kind, MT_ETEMP, "and that is temporary: %s", err.msg);
	ok(mt_proc_run(much, MT_SLICE(""), &out, 5000, &err) < 0, "too much output: %s",
	    err.msg);
}

static void
check_fork(void)
{
	struct mt_err err = { 0 };
	mt_auto_value(mt_buf) out = MT_BUF_INIT(100);
	struct mt_proc_leash loose = { .wall_ms = 5000 }, tight = { .wall_ms = 50 };
	struct mt_proc_leash deep = { .stack_bytes = 64 << 20, .wall_ms = 5000 };
	struct mt_proc_leash vast = { .stack_bytes = 1ULL << 50, .wall_ms = 5000 };
	char hello[] = "hello";

	is_int(mt_proc_fork(write_hello, hello, &loose, &out, &err), 3, "a child's status");
	is_str(out.p, "hello", "and its output");
	is_int(mt_proc_fork(write_hello, hello, &deep, &out, &err), 3, "on a stack of its own");
	ok(mt_proc_fork(die, NULL, &loose, NULL, &err) < 0, "a child that dies");
	is_int(err.kind, MT_EDATA, "is an error of the data: %s", err.msg);
	err = (struct mt_err){ 0 };
	ok(mt_proc_fork(write_hello, hello, &vast, NULL, &err) < 0, "a stack that nobody has");
	is_int(err.kind, MT_ETEMP, "is nothing to blame on the data: %s", err.msg);
	ok(mt_proc_fork(hang, NULL, &tight, &out, &err) < 0, "one that hangs is killed: %s",
	    err.msg);
}

int
main(void)
{
	struct mt_err err = { 0 };
	g_auto(GStrv) argv = mt_proc_split("pass show 'mail/my work'", &err);

	ok(argv != NULL && g_strv_length(argv) == 3, "a command line is split");
	is_str(argv[2], "mail/my work", "quotes are understood");
	ok(mt_proc_split("echo 'open", &err) == NULL, "an open quote: %s", err.msg);
	ok(strstr(err.msg, "open") == NULL, "what may be a secret is not quoted");
	ok(mt_proc_split("", &err) == NULL, "nothing at all: %s", err.msg);
	check_run();
	check_fork();
	return tap_done();
}
