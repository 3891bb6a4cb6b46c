/* send_resume.c - mt-send: a draft is sent, as it is or after another edit */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "send.h"
#include "send/compose.h"
#include "send/draft.h"
#include "send/edit.h"
#include "send/resume.h"
#include "send/sendmail.h"
#include "smtp/scan.h"

/* Whether a file is a draft, and not some message whose name was given by mistake: by its
   flag, or by where it is. */
static bool
is_draft(const struct send *s, const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *sub = g_path_get_dirname(path), *dir = g_path_get_dirname(sub);
	g_autofree char *drafts = g_build_filename(s->conf->maildir, s->account->drafts, NULL);
	g_autofree char *state = mt_cmd_state_dir();
	g_autofree char *edit = g_build_filename(state, "edit", NULL);
	const char *flags = strstr(name, ":2,");

	return (flags != NULL && strchr(flags, 'D') != NULL) || g_str_equal(dir, drafts) ||
	    g_str_equal(sub, edit);
}

/* It was sent, or another draft took its place. */
static void
remove_draft(const struct send *s, const char *path)
{
	g_autofree char *dir = path != NULL ? g_path_get_dirname(path) : NULL;
	struct mt_err err = { 0 };

	if (path == NULL)
		return;
	if (!is_draft(s, path))
		mt_cmd_warn("%s: stays, for it has no draft's flag and is not in %s", path,
		    s->account->drafts);
	else if (unlink(path) < 0)
		mt_cmd_warn("%s: the draft was sent, but cannot be removed: %m", path);
	else if (mt_file_sync_dir(dir, &err) < 0)
		mt_cmd_warn("%s", err.msg);
}

/*
 * Whether it is as we write it: then 8-bit bytes of its header are those of addresses, and
 * need SMTPUTF8. The header of another program's draft goes as it is.
 */
static bool
is_ours(int draft, const struct mt_addr *author, const struct mt_addr_list *rcpts)
{
	struct mt_smtp_scan scan = { 0 };

	if (mt_smtp_scan(draft, &scan, NULL) == 0 && !scan.header_is_8bit)
		return true;
	for (size_t i = 0; i < rcpts->n; i++) {
		if (!g_str_is_ascii(rcpts->v[i].local))
			return true;
	}
	return !g_str_is_ascii(author->local);
}

/* As it is. */
static int
send_as_is(struct send *s, int raw)
{
	mt_auto_value(mt_buf) bcc = MT_BUF_INIT(MT_MAX_FIELD);
	mt_auto_value(mt_addr_list) rcpts = { 0 };
	mt_auto_value(mt_addr) author = { 0 };
	struct send_pgp pgp = { .author = &author, .rcpts = &rcpts };
	struct mt_sendmail params = { true, NULL, &author };
	int mine = mt_sendmail_find_author(raw, &s->mine);
	mt_auto_fd int whole = -1, draft = -1;
	g_autofree char *sent = NULL;
	const char *folder;
	struct mt_err err = { 0 };
	struct mt_submit m;
	bool is_pgp, ours;

	if (send_choose_account(s, mine >= 0 ? &s->mine.v[mine] : NULL, &err) < 0 ||
	    mt_addr_parse_one(mt_slice_str(s->account->from), &author, &err) < 0)
		return mt_cmd_fail(&err);
	whole = mt_resume_read(raw, &bcc, &pgp.wish, &err);
	if (whole >= 0)
		draft = mt_sendmail_read(whole, &params, &rcpts, &err);
	if (draft < 0) {
		mt_fail_in(&err, "%s", (const char *)s->args->pdata[0]);
		return mt_cmd_fail(&err);
	}
	if (rcpts.n == 0) {
		mt_cmd_warn("%s: no To, Cc or Bcc: resume --edit fills one in",
		    (const char *)s->args->pdata[0]);
		return EX_DATAERR;
	}
	send_add_wish(s, &pgp.wish);
	pgp.wish = send_whole_wish(s, &pgp.wish);
	pgp.has_bcc = bcc.n > 0;
	is_pgp = pgp.wish.sign || pgp.wish.encrypt;
	if (is_pgp && (draft = send_protect(s, &pgp, draft, &err)) < 0)
		return mt_cmd_fail(&err);
	ours = !is_pgp && is_ours(draft, &author, &rcpts);
	if (s->dry_run)
		return send_print_draft(s, &author, &rcpts, draft);
	folder = send_copy_folder(s);
	if (!s->no_queue)
		return send_enqueue(s, &author, &rcpts, draft, ours, folder,
		    mt_buf_slice(&bcc));
	if (send_open_account(s, &err) < 0)
		return mt_cmd_fail(&err);
	if (folder != NULL)
		sent = g_build_filename(s->conf->maildir, folder, NULL);
	m = (struct mt_submit){ .server = &s->server, .from = &author, .rcpts = &rcpts,
		.draft = draft, .is_ours = ours, .dsn = &s->dsn,
		.sent_dir = sent, .sent_fields = mt_buf_slice(&bcc) };
	return send_submit(s, &m);
}

/* In the editor again. */
static int
send_edited(struct send *s, int raw)
{
	mt_auto(mt_compose) c = mt_compose_new();
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_EDIT_MAX);
	struct mt_err err = { 0 }, ignored = { 0 };
	const char *path = s->args->pdata[0];

	s->is_resumed = true;
	if (mt_resume_is_text(raw)) {
		/* As it was left, with what is wrong in it. */
		if (lseek(raw, 0, SEEK_SET) < 0 || mt_file_read_fd(raw, &text, &err) < 0)
			return mt_cmd_fail(&err);
		s->draft_text = mt_slice_dup(mt_buf_slice(&text));
		(void)mt_edit_read(c, mt_buf_slice(&text), &ignored);
	} else if (mt_resume_fill(c, raw, &err) < 0) {
		mt_fail_in(&err, "%s", path);
		return mt_cmd_fail(&err);
	}
	if (send_choose_account(s, NULL, &err) < 0 || send_follow_author(s, c, &err) < 0)
		return mt_cmd_fail(&err);
	return send_finish(s, c);
}

int
send_resume(struct send *s)
{
	g_autofree char *path = NULL;
	struct mt_err err = { 0 };
	mt_auto_fd int raw = -1;
	int status;

	if (s->args->len != 1)
		mt_cmd_usage("resume: give one draft: a path, - for standard input, id:... or a "
		    "query");
	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	raw = send_open_message(s, s->args->pdata[0], &path, &err);
	if (raw < 0)
		return mt_cmd_fail(&err);
	if (!s->edit && mt_resume_is_text(raw)) {
		mt_cmd_warn("%s: the text of an editor, which is no message yet: say --edit",
		    (const char *)s->args->pdata[0]);
		return EX_DATAERR;
	}
	status = s->edit ? send_edited(s, raw) : send_as_is(s, raw);
	if (s->is_taken)
		remove_draft(s, path);
	return status;
}
