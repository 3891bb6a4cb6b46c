/* send_finish.c - mt-send: a message that is filled in goes to the queue, or to the drafts */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "maildir/deliver.h"
#include "send.h"
#include "send/compose.h"
#include "send/draft.h"
#include "send/edit.h"

/* The first author who has an account, or NULL. */
static const struct mt_addr *
author_with_account(struct send *s, const struct mt_compose *c)
{
	for (size_t i = 0; i < c->from.n; i++) {
		if (mt_addr_list_has(&s->mine, &c->from.v[i]))
			return &c->from.v[i];
	}
	return NULL;
}

int
send_choose_sender(struct send *s, struct mt_compose *c, const struct mt_addr *other,
    struct mt_err *err)
{
	const struct mt_addr *author;

	if (s->from != NULL && mt_compose_set_from(c, s->from, err) < 0)
		return -1;
	author = author_with_account(s, c);
	if (send_choose_account(s, author != NULL ? author : other, err) < 0)
		return -1;
	if (s->from == NULL && mt_compose_set_from(c, s->account->from, err) < 0)
		return -1;
	return mt_compose_set_sender(c, s->account->from, err);
}

int
send_follow_author(struct send *s, struct mt_compose *c, struct mt_err *err)
{
	const struct mt_addr *author = author_with_account(s, c);

	if (author != NULL && send_choose_account(s, author, err) < 0)
		return -1;
	return mt_compose_set_sender(c, s->account->from, err);
}

const char *
send_copy_folder(const struct send *s)
{
	const char *folder = s->account->sent;

	if (s->save != NULL && g_str_equal(s->save, "none"))
		return NULL;
	if (s->save != NULL && !g_str_equal(s->save, "auto"))
		folder = s->save;
	return folder[0] != '\0' ? folder : NULL;
}

/* --- drafts ------------------------------------------------------------------------- */

static int
deliver_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	return mt_deliver_write(arg, p, n, err);
}

/*
 * The whole message with its Bcc; as the text of an editor when it cannot be written as a
 * message yet, say because an attachment is missing.
 */
static int
write_draft(struct mt_compose *c, struct mt_deliver *d, struct mt_err *err)
{
	mt_auto_value(mt_buf) bcc = MT_BUF_INIT(MT_MAX_FIELD);
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_EDIT_MAX);
	mt_auto_fd int fd = mt_compose_write(c, NULL);

	if (fd >= 0 && mt_wish_append(&bcc, &c->wish) == 0 &&
	    mt_compose_bcc_field(c, &bcc, NULL) == 0)
		return mt_deliver_write(d, bcc.p, bcc.n, err) < 0 ? -1 :
		    mt_draft_copy_lf(fd, deliver_piece, d, err);
	if (mt_edit_write(c, &text, err) < 0)
		return -1;
	return mt_deliver_write(d, text.p, text.n, err);
}

int
send_store_draft(const struct send *s, struct mt_compose *c, char **path, struct mt_err *err)
{
	g_autofree char *folder = g_build_filename(s->conf->maildir, s->account->drafts, NULL);
	mt_auto(mt_maildir) dir = mt_maildir_create(folder, err);
	mt_auto(mt_deliver) d = dir != NULL ? mt_deliver_begin(dir, err) : NULL;

	if (d == NULL)
		return -1;
	send_add_wish(s, &c->wish);
	mt_deliver_set_flags(d, MT_SLICE("DS"));
	if (write_draft(c, d, err) < 0 || mt_deliver_commit(d, err) < 0)
		return mt_fail_in(err, "%s", folder);
	*path = g_build_filename(folder, mt_deliver_subdir(d), mt_deliver_name(d), NULL);
	return 0;
}

/* --draft */
static int
keep_as_draft(struct send *s, struct mt_compose *c)
{
	g_autofree char *path = NULL;
	struct mt_err err = { 0 };

	if (send_store_draft(s, c, &path, &err) < 0)
		return mt_cmd_fail(&err);
	s->is_taken = true;
	if (s->json)
		mt_json_print(json_pack("{s:s, s:o}", "result", "draft", "path",
		    mt_json_text(path)), '\n', stdout);
	else
		mt_cmd_print(path, '\n');
	return EX_OK;
}

/* What was typed and could not be sent is not lost: whether it is a draft now. */
static bool
save_typed(const struct send *s, struct mt_compose *c)
{
	g_autofree char *path = NULL;
	struct mt_err err = { 0 };

	if (send_store_draft(s, c, &path, &err) == 0) {
		mt_cmd_warn("what you wrote is kept as a draft: mt-send resume --edit %s", path);
		return true;
	}
	mt_cmd_warn("what you wrote could not be kept as a draft: %s", err.msg);
	if (s->edited != NULL)
		mt_cmd_warn("it is in %s: mt-send resume --edit %s", s->edited, s->edited);
	return false;
}

/* --- the message -------------------------------------------------------------------- */

const struct mt_addr *
send_envelope_sender(const struct mt_compose *c)
{
	return c->from.n > 1 ? &c->sender.v[0] : &c->from.v[0];
}

static int
submit(struct send *s, struct mt_compose *c)
{
	mt_auto_value(mt_buf) bcc = MT_BUF_INIT(MT_MAX_FIELD);
	mt_auto_value(mt_addr_list) rcpts = { 0 };
	const struct mt_addr *from = send_envelope_sender(c);
	const char *folder = send_copy_folder(s);
	struct mt_wish wish = send_whole_wish(s, &c->wish);
	struct send_pgp pgp = { wish, from, &rcpts, c->bcc.n > 0 };
	bool is_pgp = wish.sign || wish.encrypt;
	g_autofree char *sent = NULL;
	mt_auto_fd int draft = -1;
	struct mt_err err = { 0 };
	struct mt_submit m;

	/* Who gets it later takes it for written then. */
	if (s->at != NULL)
		c->build.date = s->not_before;
	mt_build_recipients(&c->build, &rcpts);
	/* A draft needs none. */
	if (rcpts.n == 0 && !s->draft) {
		mt_fail(&err, MT_EUSAGE, "no recipient: say to whom the message goes");
		return mt_cmd_fail(&err);
	}
	/* What is signed stays as it is on every way (RFC 3156 3). */
	c->build.only_7bit = wish.sign;
	draft = mt_compose_write(c, &err);
	if (draft >= 0 && is_pgp)
		draft = send_protect(s, &pgp, draft, &err);
	if (draft < 0 || mt_compose_bcc_field(c, &bcc, &err) < 0)
		return mt_cmd_fail(&err);
	if (s->dry_run)
		return send_print_draft(s, from, &rcpts, draft);
	if (!s->no_queue)
		return send_enqueue(s, from, &rcpts, draft, !is_pgp, folder,
		    mt_buf_slice(&bcc));
	if (send_open_account(s, &err) < 0)
		return mt_cmd_fail(&err);
	if (folder != NULL)
		sent = g_build_filename(s->conf->maildir, folder, NULL);
	m = (struct mt_submit){
		.server = &s->server,
		.from = from,
		.rcpts = &rcpts,
		.draft = draft,
		.is_ours = !is_pgp,
		.dsn = &s->dsn,
		.sent_dir = sent,
		.sent_fields = mt_buf_slice(&bcc),
	};
	return send_submit(s, &m);
}

/* What leaves us; the status. */
static int
check_and_submit(struct send *s, struct mt_compose *c)
{
	struct mt_err err = { 0 };

	if (send_check_attached(s, c, &err) < 0)
		return mt_cmd_fail(&err);
	return submit(s, c);
}

int
send_finish(struct send *s, struct mt_compose *c)
{
	int status = EX_OK;
	bool is_safe;

	send_add_wish(s, &c->wish);
	if (s->edit && (status = send_edit(s, c)) != EX_OK)
		return status;
	send_add_wish(s, &c->wish);
	if (!s->draft && mt_compose_is_blank(c))
		mt_cmd_usage("the message is empty: no subject, no text, "
		    "no attachment; give -s to send it without text");
	if (s->draft && !s->dry_run)
		status = keep_as_draft(s, c);
	else
		status = check_and_submit(s, c);
	is_safe = s->dry_run ? s->edited == NULL : s->is_taken;
	if (!is_safe && s->is_typed)
		is_safe = save_typed(s, c);
	if (is_safe && s->edited != NULL)
		unlink(s->edited);
	return status;
}
