/* send_account.c - mt-send: the account, the submission, and how it is told */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "send.h"
#include "send/draft.h"
#include "smtp/path.h"

/* The account of -a, else the one whose address this is, else the first. */
int
send_choose_account(struct send *s, const struct mt_addr *address, struct mt_err *err)
{
	const char *name = s->account_name;

	for (size_t i = 0; i < s->mine.n && name == NULL && address != NULL; i++) {
		if (mt_addr_same(&s->mine.v[i], address))
			name = s->conf->accounts[i].name;
	}
	s->account = mt_client_conf_account(s->conf, name, err);
	return s->account == NULL ? -1 : 0;
}

int
send_read_conf(struct send *s, struct mt_err *err)
{
	s->conf = mt_client_conf_read(s->config, err);
	if (s->conf == NULL)
		return -1;
	if (s->conf->local_mail != NULL &&
	    mt_addr_parse_one(mt_slice_str(s->conf->local_mail), &s->local, err) < 0)
		return -1;
	for (size_t i = 0; i < s->conf->naccounts; i++) {
		mt_auto_value(mt_addr) a = { 0 };
		/* Checked when it was read; two accounts may have one address. */
		const char *from = s->conf->accounts[i].from;

		if (mt_addr_parse_one(mt_slice_str(from), &a, err) < 0)
			return -1;
		mt_addr_list_add(&s->mine, &a);
	}
	return 0;
}

/* What mt_conn_dial() needs, with the password: to be called right before the login. */
int
send_open_account(struct send *s, struct mt_err *err)
{
	const struct mt_account *a = s->account;

	if (a->smtp == NULL)
		return mt_fail(err, MT_ECONF,
		    "%s:%u: account %s cannot send: say smtp = \"smtps://USER@HOST\"",
		    a->file, a->line, a->name);
	/* A URL without a user means a server without a login. */
	if (strchr(a->smtp, '@') != NULL) {
		s->password = mt_account_password(a, err);
		if (s->password == NULL)
			return -1;
	}
	s->server = mt_account_dial(a, a->smtp, s->password);
	return 0;
}

static int
print_piece(void *arg, const void *p, size_t n, struct mt_err *err)
{
	if (fwrite(p, 1, n, arg) != n)
		return mt_fail(err, MT_EIO, "standard output: %m");
	return 0;
}

/* "<bob@example.org>" as smtp/client.c says it, with the domain in A-labels. */
static int
append_path(GString *out, const struct mt_addr *a, struct mt_err *err)
{
	g_autofree char *spec = mt_addr_spec(a);
	struct mt_smtp_path path;

	if (mt_smtp_path_parse(mt_slice_str(spec), &path, err) < 0 ||
	    mt_smtp_path_to_ascii(&path, err) < 0)
		return mt_fail_in(err, "<%s>", spec);
	g_string_append_printf(out, "<%s>", path.text);
	return 0;
}

int
send_print_draft(const struct send *s, const struct mt_addr *from,
    const struct mt_addr_list *rcpts, int draft)
{
	g_autoptr(GString) envelope = g_string_new("MAIL FROM:");
	struct mt_err err = { 0 };

	if (from == NULL)
		g_string_append(envelope, "<>");
	else if (append_path(envelope, from, &err) < 0)
		return mt_cmd_fail(&err);
	mt_dsn_append_mail(envelope, &s->dsn);
	g_string_append_c(envelope, '\n');
	for (size_t i = 0; i < rcpts->n; i++) {
		g_autofree char *spec = mt_addr_spec(&rcpts->v[i]);

		g_string_append(envelope, "RCPT TO:");
		if (append_path(envelope, &rcpts->v[i], &err) < 0)
			return mt_cmd_fail(&err);
		mt_dsn_append_rcpt(envelope, &s->dsn, NULL, spec);
		g_string_append_c(envelope, '\n');
	}
	puts(envelope->str);
	if (mt_draft_copy_crlf(draft, print_piece, stdout, &err) < 0)
		return mt_cmd_fail(&err);
	return EX_OK;
}

/* Say who did not get it, in the server's words. The status for all of them. */
static int
report_outcomes(const struct mt_submit_result *r, const struct mt_addr_list *rcpts)
{
	size_t deferred = 0, refused = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct mt_smtp_outcome *o = &r->outcomes[i];
		g_autofree char *spec = mt_addr_spec(&rcpts->v[i]);

		if (o->fate == MT_SMTP_SENT)
			continue;
		deferred += o->fate == MT_SMTP_DEFERRED;
		refused += o->fate == MT_SMTP_REFUSED;
		mt_cmd_warn("<%s> %s: %s", spec,
		    o->fate == MT_SMTP_REFUSED ? "refused" : "not now", o->text);
	}
	if (deferred + refused == 0)
		return EX_OK;
	if (r->sent > 0)
		mt_cmd_warn("%zu of %zu recipients got the message: "
		    "send it again to the others only", r->sent, r->n);
	else if (r->is_unknown)
		mt_cmd_warn("perhaps the server has taken the message: "
		    "sent again, it may arrive twice");
	else
		mt_cmd_warn("nobody got the message, and it is not kept here");
	return refused > 0 ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

void
send_warn_no_dsn(void)
{
	mt_cmd_warn("the server promises no reports (no DSN in its answer to EHLO): that none "
	    "comes means nothing");
}

int
send_submit(struct send *s, const struct mt_submit *m)
{
	mt_auto_value(mt_submit_result) r = { 0 };
	struct mt_err err = { 0 };
	int rc = mt_submit(m, &r, &err), status;

	if (rc < 0 && r.outcomes == NULL)
		return mt_cmd_fail(&err);
	status = report_outcomes(&r, m->rcpts);
	s->is_taken = status == EX_OK;
	if (r.lacks_dsn && r.sent > 0)
		send_warn_no_dsn();
	/* Sent is sent: a status that makes a caller send again would double it. */
	if (r.copy_err.kind != MT_ENONE)
		mt_cmd_warn("the message was sent, but no copy of it was kept: %s",
		    r.copy_err.msg);
	if (rc < 0 && err.kind != MT_ETEMP && err.kind != MT_EUNAVAIL)
		return mt_cmd_fail(&err);
	return status;
}

