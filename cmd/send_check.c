/* send_check.c - ask before a text goes that speaks of a file which is not there */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "send.h"
#include "send/compose.h"
#include "send/forgotten.h"

/* Attach what the user named; false, and said why, when it cannot be read. */
static bool
attach(struct mt_compose *c, const char *spec)
{
	const struct mt_build_attachment *a;

	mt_compose_add_attachment(c, spec);
	a = &g_array_index(c->attachments, struct mt_build_attachment,
	    c->attachments->len - 1);
	if (access(a->path, R_OK) == 0)
		return true;
	mt_cmd_warn("%s: %s", a->path, g_strerror(errno));
	g_array_set_size(c->attachments, c->attachments->len - 1);
	return false;
}

/* Whether it goes: as it is, or with a file that is attached now. */
static bool
ask(FILE *terminal, struct mt_compose *c)
{
	char line[PATH_MAX + 100];

	for (;;) {
		const char *answer;

		fputs("Send it as it is? [y/N, or a file to attach] ", stderr);
		if (fgets(line, sizeof(line), terminal) == NULL) {
			fputc('\n', stderr);
			return false;
		}
		answer = g_strstrip(line);
		if (answer[0] == '\0' || g_ascii_strcasecmp(answer, "n") == 0 ||
		    g_ascii_strcasecmp(answer, "no") == 0)
			return false;
		if (g_ascii_strcasecmp(answer, "y") == 0 ||
		    g_ascii_strcasecmp(answer, "yes") == 0 || attach(c, answer))
			return true;
	}
}

int
send_check_attached(const struct send *s, struct mt_compose *c, struct mt_err *err)
{
	struct mt_slice text = mt_slice_first(mt_buf_slice(&c->body), c->own);
	g_autofree char *word = NULL;
	struct mt_forgotten found;
	FILE *terminal;
	bool goes;

	if (s->no_check || c->attachments->len > 0 || !mt_forgotten_find(text, &found))
		return 0;
	word = found.word;
	/* Standard input may be the text. */
	terminal = mt_cmd_has_terminal() ? fopen("/dev/tty", "re") : NULL;
	if (terminal == NULL)
		return mt_fail(err, MT_EDATA, "line %zu of the text says \"%s\", but nothing "
		    "is attached: attach it with -A, or say --no-check", found.line, word);
	mt_cmd_warn("line %zu of the text says \"%s\", but nothing is attached", found.line,
	    word);
	goes = ask(terminal, c);
	fclose(terminal);
	return goes ? 0 : mt_fail(err, MT_EDATA, "not sent");
}
