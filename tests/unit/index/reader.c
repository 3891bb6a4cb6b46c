/* reader.c - the index is read in a child, whose death is not ours */
#include "index/reader.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "tap.h"

/* How the first children end; the last one answers. */
enum ending { ANSWERS, CHANGED, CAUGHT, DAMAGED, DIES, WRONG, SILENT };

struct play {
	enum ending ending;
	int failures;		/* so many children end so */
	int *tries;		/* shared with the children */
};

static void
last_words(const char *text)
{
	fputs(text, stderr);
	abort();
}

static int
reader(void *arg, struct mt_err *err)
{
	const struct play *p = arg;

	printf("try %d\n", ++*p->tries);
	if (*p->tries > p->failures)
		return 0;
	fflush(stdout);
	switch (p->ending) {
	case CHANGED:
		return mt_fail(err, MT_ETEMP, "it changed");
	case CAUGHT:
		last_words("terminate called after throwing an instance of "
		    "'Xapian::DatabaseModifiedError'\n");
		break;
	case DAMAGED:
		last_words("terminate called after throwing an instance of "
		    "'Xapian::DatabaseCorruptError'\n");
		break;
	case DIES:
		kill(getpid(), SIGKILL);
		break;
	case WRONG:
		return mt_fail(err, MT_EUSAGE, "query: wrong");
	case SILENT:
		_exit(1);
	case ANSWERS:
		break;
	}
	return 0;
}

static const struct {
	const char *name;
	enum ending ending;
	int failures;
	enum mt_err_kind want;
	int tries;		/* that are made */
	const char *msg;	/* in the error */
} plays[] = {
	{ "an answer", ANSWERS, 0, MT_ENONE, 1, "" },
	{ "a change that is reported", CHANGED, 2, MT_ENONE, 3, "" },
	{ "a change that kills", CAUGHT, 4, MT_ENONE, 5, "" },
	{ "changes without end", CHANGED, 99, MT_ETEMP, 5, "it changed" },
	{ "deaths by change without end", CAUGHT, 99, MT_ETEMP, 5, "try again" },
	{ "death by damage", DAMAGED, 1, MT_ESOFTWARE, 1, "DatabaseCorruptError" },
	{ "a mute death", DIES, 1, MT_ENONE, 2, "" },
	{ "mute deaths without end", DIES, 99, MT_ESOFTWARE, 5, "libnotmuch failed" },
	{ "a wrong query", WRONG, 1, MT_EUSAGE, 1, "query: wrong" },
	{ "an end without an error", SILENT, 1, MT_ESOFTWARE, 1, "status 1" },
};

int
main(void)
{
	int *tries = mmap(NULL, sizeof(*tries), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < G_N_ELEMENTS(plays); i++) {
		struct play p = { plays[i].ending, plays[i].failures, tries };
		mt_auto_value(mt_buf) text = MT_BUF_INIT(1000);
		g_autofree char *want = g_strdup_printf("try %d\n", plays[i].tries);
		struct mt_err err = { 0 };
		mt_auto_fd int fd = -1;

		*tries = 0;
		fd = mt_index_read(reader, &p, &err);
		is_int(err.kind, plays[i].want, "%s: %s", plays[i].name, err.msg);
		is_int(*tries, plays[i].tries, "so many tries");
		ok(strstr(err.msg, plays[i].msg) != NULL, "says \"%s\"", plays[i].msg);
		is_int(fd >= 0, plays[i].want == MT_ENONE, "a file, or an error");
		if (fd >= 0)
			ok(mt_file_read_fd(fd, &text, &err) == 0 && strcmp(text.p, want) == 0,
			    "what the last child printed, and nothing else");
	}
	return tap_done();
}
