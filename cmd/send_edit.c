/* send_edit.c - mt-send: the message in the user's editor */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "send.h"
#include "send/edit.h"

/* The file that is edited. It is durable where an editor's own recovery finds it again. */
struct edited {
	char *path;
	struct mt_buf before;	/* as the editor got it */
	struct mt_buf after;
};

static void
edited_clear(struct edited *e)
{
	g_free(e->path);
	mt_buf_clear(&e->before);
	mt_buf_clear(&e->after);
}

MT_AUTO_VALUE_DEFINE(edited, edited_clear);

static int
begin(const struct send *s, struct edited *e, const struct mt_compose *c, struct mt_err *err)
{
	g_autofree char *state = mt_cmd_state_dir();
	g_autofree char *dir = g_build_filename(state, "edit", NULL);
	mt_auto_fd int fd = -1;

	if (s->draft_text != NULL ? mt_buf_append_str(&e->before, s->draft_text) < 0 :
	    mt_edit_write(c, &e->before, err) < 0)
		return -1;
	if (mt_file_mkdirs(dir, 0700, err) < 0)
		return -1;
	e->path = g_build_filename(dir, "mt-send-XXXXXX.eml", NULL);
	fd = g_mkstemp_full(e->path, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", e->path);
	if (mt_file_write_all(fd, e->before.p, e->before.n) < 0) {
		mt_fail(err, mt_err_kind_of_errno(errno), "%s: write: %m", e->path);
		unlink(e->path);
		return -1;
	}
	return 0;
}

/* $VISUAL, $EDITOR, what the system has for one, vi. */
static int
run_editor(const char *path, struct mt_err *err)
{
	static const char *const names[] = { "VISUAL", "EDITOR" };
	const char *command = NULL;
	g_autofree char *found = NULL, *line = NULL, *quoted = g_shell_quote(path);
	g_auto(GStrv) argv = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names) && command == NULL; i++) {
		command = getenv(names[i]);
		if (command != NULL && command[0] == '\0')
			command = NULL;
	}
	if (command == NULL) {
		found = g_find_program_in_path("editor");
		command = found != NULL ? found : "vi";
	}
	line = g_strdup_printf("%s %s", command, quoted);
	argv = mt_proc_split(line, err);
	if (argv == NULL)
		return mt_fail_in(err, "editor \"%s\"", command);
	return mt_proc_run_on_terminal(argv, err) < 0 ?
	    mt_fail_in(err, "editor (set VISUAL or EDITOR to another)") : 0;
}

/* Whether the user, who watches, wants to edit it again. */
static bool
ask_again(const char *why)
{
	g_autofree char *line = NULL;
	size_t room = 0;
	FILE *tty;
	bool yes;

	mt_cmd_warn("%s", why);
	if (!mt_cmd_has_terminal())
		return false;
	tty = fopen("/dev/tty", "re");
	if (tty == NULL)
		return false;
	fputs("Edit it again? [Y/n] ", stderr);
	yes = getline(&line, &room, tty) > 0 && strchr("yY\n", line[0]) != NULL;
	fclose(tty);
	return yes;
}

/* Whether there is nothing in it to send: c is filled from it. */
static bool
is_blank(struct mt_compose *c, const struct mt_buf *text, struct mt_err *err)
{
	return mt_edit_read(c, mt_buf_slice(text), err) == 0 && mt_compose_is_blank(c);
}

/*
 * The text as it was left, in the drafts; in its file when that is not possible. Who
 * emptied it does not want to send it: what there was before is the draft.
 */
static void
keep(struct send *s, struct mt_compose *c, const struct edited *e)
{
	g_autofree char *path = NULL;
	struct mt_err err = { 0 };
	bool is_emptied = is_blank(c, &e->after, &err);

	/* The draft that it came from is still there. */
	if ((s->is_resumed && (is_emptied ||
	    mt_slice_eq(mt_buf_slice(&e->before), mt_buf_slice(&e->after)))) ||
	    (is_emptied && is_blank(c, &e->before, &err))) {
		unlink(e->path);
		return;
	}
	if (err.kind == MT_ENONE && c->from.n == 0)
		mt_fail(&err, MT_EDATA, "no From");
	if (err.kind == MT_ENONE && send_store_draft(s, c, &path, &err) == 0) {
		unlink(e->path);
		mt_cmd_warn("the draft is kept: mt-send resume --edit %s", path);
		return;
	}
	mt_cmd_warn("the text is kept in %s: mt-send resume --edit %s", e->path, e->path);
}

static int
read_back(struct edited *e, struct mt_err *err)
{
	mt_buf_reset(&e->after);
	return mt_file_read(e->path, &e->after, err);
}

/* Whether it can be sent, or is blank. */
static int
take(struct send *s, struct mt_compose *c, const struct edited *e, struct mt_err *err)
{
	if (mt_edit_read(c, mt_buf_slice(&e->after), err) < 0)
		return -1;
	if (mt_compose_is_blank(c))
		return 0;
	if (c->from.n == 0)
		return mt_fail(err, MT_EDATA, "no From: who writes?");
	if (send_follow_author(s, c, err) < 0)
		return -1;
	if (!s->draft && c->to.n + c->cc.n + c->bcc.n == 0)
		return mt_fail(err, MT_EDATA, "no recipient: fill in To, Cc or Bcc");
	return 0;
}

int
send_edit(struct send *s, struct mt_compose *c)
{
	mt_auto_value(edited) e = { NULL, MT_BUF_INIT(MT_EDIT_MAX), MT_BUF_INIT(MT_EDIT_MAX) };
	struct mt_err err = { 0 };
	int status = EX_DATAERR;

	if (begin(s, &e, c, &err) < 0)
		return mt_cmd_fail(&err);
	for (;;) {
		err = (struct mt_err){ 0 };
		if (run_editor(e.path, &err) < 0) {
			status = mt_cmd_fail(&err);
			if (read_back(&e, &err) < 0)
				return status;
			break;
		}
		if (read_back(&e, &err) < 0)
			return mt_cmd_fail(&err);
		if (mt_slice_eq(mt_buf_slice(&e.before), mt_buf_slice(&e.after))) {
			mt_cmd_warn("nothing was changed, and nothing is sent");
			break;
		}
		if (take(s, c, &e, &err) == 0) {
			if (mt_compose_is_blank(c)) {
				mt_cmd_warn("the message is empty, and nothing is sent");
				break;
			}
			s->is_typed = true;
			s->edited = g_steal_pointer(&e.path);
			return EX_OK;
		}
		if (!ask_again(err.msg))
			break;
	}
	keep(s, c, &e);
	return status;
}
