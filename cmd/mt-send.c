/* mt-send.c - compose, reply, forward, bounce: the command over libmt/send */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "send.h"
#include "send/compose.h"
#include "send/draft.h"
#include "send/forward.h"
#include "send/page.h"
#include "send/reply.h"
#include "send/resend.h"

static int
add_all(struct mt_compose *c, const GPtrArray *texts,
    int (*add)(struct mt_compose *, const char *, struct mt_err *), struct mt_err *err)
{
	for (guint i = 0; i < texts->len; i++) {
		if (add(c, texts->pdata[i], err) < 0)
			return -1;
	}
	return 0;
}

/* The same for recipients, who may be given by name. */
static int
add_people(const struct send *s, struct mt_compose *c, const GPtrArray *texts,
    int (*add)(struct mt_compose *, const char *, struct mt_err *), struct mt_err *err)
{
	for (guint i = 0; i < texts->len; i++) {
		const char *text = texts->pdata[i];
		g_autofree char *found = NULL;

		if (send_is_name(text)) {
			found = send_find_person(s, text, err);
			if (found == NULL)
				return -1;
			text = found;
		}
		if (add(c, text, err) < 0)
			return -1;
	}
	return 0;
}

static int
fill_from_options(const struct send *s, struct mt_compose *c, struct mt_err *err)
{
	c->is_flowed = s->flowed;
	if (s->subject != NULL)
		mt_compose_set_subject(c, s->subject);
	if (add_people(s, c, s->cc, mt_compose_add_cc, err) < 0 ||
	    add_people(s, c, s->bcc, mt_compose_add_bcc, err) < 0 ||
	    add_all(c, s->fields, mt_compose_add_field, err) < 0)
		return -1;
	for (guint i = 0; i < s->attachments->len; i++)
		mt_compose_add_attachment(c, s->attachments->pdata[i]);
	for (guint i = 0; i < s->inlines->len; i++)
		mt_compose_add_inline(c, s->inlines->pdata[i]);
	return 0;
}

int
send_open_input(const char *path, struct mt_err *err)
{
	int fd = g_str_equal(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
	    open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "%s: %m", path);
	return fd;
}

/* The text; on a terminal, an editor takes it. */
static int
read_body(struct send *s, struct mt_compose *c, struct mt_err *err)
{
	const char *path = s->body_file != NULL ? s->body_file : "-";
	mt_auto_fd int fd = -1;

	if (s->edit && s->body_file == NULL && isatty(STDIN_FILENO) == 1)
		return 0;
	fd = send_open_input(path, err);
	if (fd < 0)
		return -1;
	s->is_typed = isatty(fd) == 1;
	if (s->is_typed && mt_cmd_has_terminal())
		fprintf(stderr, "Type the text; end it with Ctrl-D.\n");
	if (mt_compose_add_body(c, fd, err) < 0)
		return mt_fail_in(err, "%s",
		    s->body_file != NULL ? path : "standard input");
	return 0;
}

static bool
means_stdin(const char *path)
{
	return g_strcmp0(path, "-") == 0;
}

/* The text, and the page, without which nobody is asked for a text, too. */
static int
read_content(struct send *s, struct mt_compose *c, struct mt_err *err)
{
	bool has_text = s->body_file != NULL || s->html == NULL ||
	    (!means_stdin(s->html) && isatty(STDIN_FILENO) == 0);
	mt_auto_fd int fd = -1;

	if (s->html != NULL && s->edit)
		mt_cmd_usage("--edit changes the text, and not the page of --html beside it: say "
		    "one of them");
	if (means_stdin(s->html) && means_stdin(s->body_file))
		mt_cmd_usage("--html - and --body-file -: standard input is one of them");
	if (has_text && read_body(s, c, err) < 0)
		return -1;
	if (s->html == NULL)
		return 0;
	fd = send_open_input(s->html, err);
	if (fd < 0)
		return -1;
	return mt_page_read(c, fd, err) < 0 ? mt_fail_in(err, "%s",
	    means_stdin(s->html) ? "standard input" : s->html) : 0;
}

static int
send_new(struct send *s)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };

	if (s->args->len + s->cc->len + s->bcc->len == 0 && !s->edit && !s->draft)
		mt_cmd_usage("no recipient: say to whom the message goes");
	if (send_read_conf(s, &err) < 0 ||
	    add_people(s, c, s->args, mt_compose_add_to, &err) < 0 ||
	    fill_from_options(s, c, &err) < 0 ||
	    send_choose_sender(s, c, NULL, &err) < 0 || read_content(s, c, &err) < 0)
		return mt_cmd_fail(&err);
	return send_finish(s, c);
}

static int
send_reply(struct send *s)
{
	mt_auto(mt_compose) c = mt_compose_new();
	const struct mt_reply params = { .to_all = s->all, .to_list = s->list,
		.no_quote = s->no_quote, .mine = &s->mine };
	struct mt_err err = { 0 };
	mt_auto_fd int msg = -1;
	const char *path;
	int account;

	if (s->args->len != 1)
		mt_cmd_usage("reply: give one message: a path, - for standard input, id:... "
		    "or a query (in quotes, when it has several words)");
	path = s->args->pdata[0];
	if (means_stdin(path) && (means_stdin(s->html) ||
	    (s->body_file == NULL && s->html == NULL)))
		mt_cmd_usage("reply -: standard input is the message, so give the text "
		    "with --body-file or --html");
	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	msg = send_open_message(s, path, NULL, &err);
	if (msg < 0)
		return mt_cmd_fail(&err);
	account = mt_reply_find_mine(msg, &s->mine);
	if (send_choose_sender(s, c, account >= 0 ? &s->mine.v[account] : NULL, &err) < 0)
		return mt_cmd_fail(&err);
	if (fill_from_options(s, c, &err) < 0 || read_content(s, c, &err) < 0)
		return mt_cmd_fail(&err);
	if (mt_reply_fill(c, msg, &params, &err) < 0) {
		mt_fail_in(&err, "reply to %s", path);
		return mt_cmd_fail(&err);
	}
	return send_finish(s, c);
}

static int
add_forwarded(const struct send *s, struct mt_compose *c, int msg, struct mt_err *err)
{
	g_autofree char *why = NULL;

	if (s->whole)
		return mt_forward_attached(c, msg, err);
	if (mt_forward_inline(c, msg, &why, err) < 0)
		return -1;
	if (why != NULL)
		mt_cmd_warn("forwarded as an attachment: %s", why);
	return 0;
}

/*
 * What forward and bounce share: the message, which the first argument names, with its path
 * in *path; those who get it, in c's To; and c's sender. -1 with an error.
 */
static int
open_to_pass_on(struct send *s, const char *verb, struct mt_compose *c, const char **path,
    struct mt_err *err)
{
	mt_auto_fd int msg = -1;
	int account;

	if (s->args->len < 1)
		mt_cmd_usage("%s: give a message and to whom it goes", verb);
	*path = s->args->pdata[0];
	g_ptr_array_remove_index(s->args, 0);
	if (s->args->len + s->cc->len + s->bcc->len == 0 && !s->edit && !s->draft)
		mt_cmd_usage("%s %s: no recipient: say to whom the message goes", verb, *path);
	if (send_read_conf(s, err) < 0 || add_people(s, c, s->args, mt_compose_add_to, err) < 0)
		return -1;
	msg = send_open_message(s, *path, NULL, err);
	if (msg < 0)
		return -1;
	account = mt_reply_find_mine(msg, &s->mine);
	if (send_choose_sender(s, c, account >= 0 ? &s->mine.v[account] : NULL, err) < 0)
		return -1;
	return mt_steal_fd(&msg);
}

static int
send_forward(struct send *s)
{
	mt_auto(mt_compose) c = mt_compose_new();
	struct mt_err err = { 0 };
	const char *path;
	mt_auto_fd int msg = open_to_pass_on(s, "forward", c, &path, &err);
	bool is_stdin;

	if (msg < 0)
		return mt_cmd_fail(&err);
	/* Without a text, a forwarded message says enough. */
	is_stdin = g_str_equal(path, "-") && s->body_file == NULL;
	if (fill_from_options(s, c, &err) < 0 || (!is_stdin && read_body(s, c, &err) < 0))
		return mt_cmd_fail(&err);
	if (add_forwarded(s, c, msg, &err) < 0) {
		mt_fail_in(&err, "forward %s", path);
		return mt_cmd_fail(&err);
	}
	return send_finish(s, c);
}

static int
send_bounce(struct send *s)
{
	mt_auto(mt_compose) c = mt_compose_new();
	/* Who gets it later takes it for sent then. */
	const struct mt_resend params = { &c->from, &c->sender, &c->to,
		s->at != NULL ? s->not_before : 0 };
	const struct mt_addr *from;
	struct mt_err err = { 0 };
	const char *path;
	mt_auto_fd int msg = open_to_pass_on(s, "bounce", c, &path, &err), draft = -1;
	struct mt_submit m;

	if (msg < 0)
		return mt_cmd_fail(&err);
	if (c->to.n == 0)
		mt_cmd_usage("bounce %s: no recipient: say to whom the message goes", path);
	draft = mt_resend_write(msg, &params, &err);
	if (draft < 0) {
		mt_fail_in(&err, "bounce %s", path);
		return mt_cmd_fail(&err);
	}
	from = send_envelope_sender(c);
	if (s->dry_run)
		return send_print_draft(s, from, &c->to, draft);
	if (!s->no_queue)
		return send_enqueue(s, from, &c->to, draft, false, NULL, MT_SLICE(""));
	if (send_open_account(s, &err) < 0)
		return mt_cmd_fail(&err);
	m = (struct mt_submit){ .server = &s->server, .from = from, .rcpts = &c->to,
		.draft = draft, .dsn = &s->dsn };
	return send_submit(s, &m);
}

static int
as_sendmail(struct send *s)
{
	switch (s->mode) {
	case 'p':
		return send_mailq(s);
	case 's':
		return send_smtp(s);
	case 'q':
		return send_run_queue(s);
	case 'i':
		return EX_OK;	/* there are no aliases, and so none to rebuild */
	default:
		return send_sendmail(s);
	}
}

int
main(int argc, char **argv)
{
	struct send s;
	int status;

	send_init(&s);
	mt_proc_hide_secrets();
	switch (send_read_options(&s, argc, argv)) {
	case SEND_REPLY:
		status = send_reply(&s);
		break;
	case SEND_FORWARD:
		status = send_forward(&s);
		break;
	case SEND_BOUNCE:
		status = send_bounce(&s);
		break;
	case SEND_RESUME:
		status = send_resume(&s);
		break;
	case SEND_SENDMAIL:
		status = as_sendmail(&s);
		break;
	case SEND_QUEUE:
		status = send_queue(&s);
		break;
	case SEND_INJECT:
		status = send_inject(&s);
		break;
	default:
		status = send_new(&s);
		break;
	}
	send_clear(&s);
	return mt_cmd_end(status);
}
