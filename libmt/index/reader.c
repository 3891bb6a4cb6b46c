/* reader.c - read the index in a child, whose death is not ours */
#include "index/reader.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/proc.h"

/* Xapian keeps the revision that is read until the second commit after it. */
#define MAX_TRIES 5

/* What the child returns; when it has failed, it sends its struct mt_err. */
enum { ANSWERED, FAILED };

struct attempt {
	mt_index_reader *reader;
	void *arg;
	int answer, words;	/* files in memory: the child's stdout and stderr */
	bool is_mute;		/* it died, without a word */
};

/* In the child. */
static int
read_index(void *p, int out_fd)
{
	const struct attempt *a = p;
	struct mt_err err = { 0 };
	int rc = 0;

	if (dup2(a->answer, STDOUT_FILENO) < 0 || dup2(a->words, STDERR_FILENO) < 0)
		rc = mt_fail(&err, MT_ETEMP, "dup2: %m");
	if (rc == 0)
		rc = a->reader(a->arg, &err);
	if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = mt_fail(&err, MT_ETEMP, "writing what was found: %m");
	if (rc == 0)
		return ANSWERED;
	mt_file_write_all(out_fd, &err, sizeof(err));
	return FAILED;
}

/* Of a child that died: the last words of the C++ library, or of libnotmuch, say why. */
static int
died(int words, struct mt_err *err)
{
	char text[1000];
	ssize_t n = pread(words, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = '\0';
	if (strstr(text, "DatabaseModifiedError") != NULL)
		return mt_fail(err, MT_ETEMP, "the index changed while it was read; try again");
	return mt_fail(err, MT_ESOFTWARE, "libnotmuch failed; the index may be damaged%s%.*s",
	    n > 0 ? ": " : "", (int)strcspn(text, "\n"), text);
}

static int
try_once(struct attempt *a, struct mt_err *err)
{
	static const struct mt_proc_leash none = { 0 };
	mt_auto_value(mt_buf) sent = MT_BUF_INIT(sizeof(struct mt_err));
	struct mt_err why = { 0 };
	int status = mt_proc_fork(read_index, a, &none, &sent, &why);

	if (status == ANSWERED)
		return 0;
	if (status < 0 && why.kind == MT_EDATA) {
		a->is_mute = lseek(a->words, 0, SEEK_END) == 0;
		return died(a->words, err);
	}
	if (status == FAILED && sent.n == sizeof(why))
		memcpy(&why, sent.p, sizeof(why));
	else if (status >= 0)
		return mt_fail(err, MT_ESOFTWARE, "the index was not read: status %d", status);
	*err = why;
	return -1;
}

int
mt_index_read(mt_index_reader *reader, void *arg, struct mt_err *err)
{
	struct mt_err why = { 0 }, changed = { 0 };

	fflush(stdout);
	for (int i = 0; i < MAX_TRIES; i++) {
		mt_auto_fd int answer = memfd_create("answer", MFD_CLOEXEC);
		mt_auto_fd int words = memfd_create("words", MFD_CLOEXEC);
		struct attempt a = { reader, arg, answer, words, false };

		if (answer < 0 || words < 0)
			return mt_fail(err, MT_ETEMP, "memfd: %m");
		if (try_once(&a, &why) == 0 && lseek(answer, 0, SEEK_SET) == 0)
			return mt_steal_fd(&answer);
		if (why.kind == MT_ETEMP)
			changed = why;
		else if (!a.is_mute)
			break;
	}
	/* Once it has changed, no death of libnotmuch says that it is damaged. */
	if (why.kind == MT_ESOFTWARE && changed.kind != MT_ENONE)
		why = changed;
	return mt_fail(err, why.kind, "%s", why.msg);
}
