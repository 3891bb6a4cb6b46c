/* send_finished.c - mt-send: finished messages, one as sendmail does, or many */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "send.h"
#include "send/draft.h"
#include "send/inject.h"
#include "send/sendmail.h"

/* An address of the envelope: *is_null for "<>" and "". */
static int
parse_sender(const struct send *s, const char *text, struct mt_addr *out, bool *is_null,
    struct mt_err *err)
{
	*is_null = text[0] == '\0' || g_str_equal(text, "<>");
	/* "-f root" of a program that knows only local users. */
	if (!*is_null && strchr(text, '@') == NULL && s->local.local != NULL)
		text = s->conf->local_mail;
	if (*is_null || mt_addr_parse_one(mt_slice_str(text), out, err) == 0)
		return 0;
	err->kind = MT_EUSAGE;
	return mt_fail_in(err, "sender \"%s\"", text);
}

/* Who gets what is for names without a domain, or NULL. */
static const struct mt_addr *
local_of(const struct send *s)
{
	return s->local.local != NULL ? &s->local : NULL;
}

/* "root" and the like are for somebody, but nobody has said for whom. */
static int
hint_at_local_mail(const struct send *s, const char *text, struct mt_err *err)
{
	if (s->local.local == NULL && strchr(text, '@') == NULL)
		return mt_fail(err, err->kind, "%s; say in mt.conf who gets mail for such names: "
		    "local_mail = \"you@example.org\"", err->msg);
	return -1;
}

static int
parse_recipients(const struct send *s, const GPtrArray *texts, struct mt_addr_list *out,
    struct mt_err *err)
{
	for (guint i = 0; i < texts->len; i++) {
		mt_auto_value(mt_addr_list) list = { 0 };
		const char *text = texts->pdata[i];

		if (mt_addr_parse_local(mt_slice_str(text), local_of(s), &list, err) < 0) {
			err->kind = MT_EUSAGE;
			mt_fail_in(err, "recipient \"%s\"", text);
			return hint_at_local_mail(s, text, err);
		}
		for (size_t at = 0; at < list.n; at++)
			mt_addr_list_add_new(out, &list.v[at]);
	}
	return 0;
}

/* The envelope of a finished message, and the account that it belongs to: that of -f,
   else the author's (NULL: nobody knows whose). */
static int
read_envelope(struct send *s, const GPtrArray *texts, const struct mt_addr *author,
    struct mt_addr *from, bool *is_null, struct mt_addr_list *rcpts,
    struct mt_err *err)
{
	*is_null = false;
	if (s->from != NULL && parse_sender(s, s->from, from, is_null, err) < 0)
		return -1;
	if (from->local != NULL && mt_addr_list_has(&s->mine, from))
		author = from;
	if (send_choose_account(s, author, err) < 0 ||
	    parse_recipients(s, texts, rcpts, err) < 0)
		return -1;
	if (s->from == NULL)
		return mt_addr_parse_one(mt_slice_str(s->account->from), from, err);
	return 0;
}

int
send_sendmail(struct send *s)
{
	mt_auto_value(mt_addr_list) rcpts = { 0 }, named = { 0 };
	mt_auto_value(mt_addr) from = { 0 }, author = { 0 };
	struct mt_sendmail params = { s->from_fields, NULL, &author };
	struct mt_err err = { 0 };
	mt_auto_fd int raw = -1, draft = -1;
	struct mt_submit m;
	bool is_null;
	int mine;

	if (s->args->len == 0 && !s->from_fields)
		mt_cmd_usage("no recipient: name one, or use -t");
	if (send_read_conf(s, &err) < 0)
		return mt_cmd_fail(&err);
	raw = mt_draft_spool(STDIN_FILENO, &err);
	if (raw < 0) {
		mt_fail_in(&err, "standard input");
		return mt_cmd_fail(&err);
	}
	mine = mt_sendmail_find_author(raw, &s->mine);
	if (read_envelope(s, s->args, mine >= 0 ? &s->mine.v[mine] : NULL, &from, &is_null,
	    &rcpts, &err) < 0 ||
	    mt_addr_parse_one(mt_slice_str(s->account->from), &author, &err) < 0)
		return mt_cmd_fail(&err);
	if (s->full_name != NULL) {
		g_free(author.name);
		author.name = g_strdup(s->full_name);
	}
	params.local = local_of(s);
	draft = mt_sendmail_read(raw, &params, &named, &err);
	if (draft < 0) {
		mt_fail_in(&err, "standard input");
		return mt_cmd_fail(&err);
	}
	for (size_t i = 0; i < named.n; i++)
		mt_addr_list_add_new(&rcpts, &named.v[i]);
	if (rcpts.n == 0) {
		mt_cmd_warn("no recipient: the message has no To, Cc or Bcc");
		return EX_USAGE;
	}
	if (s->dry_run)
		return send_print_draft(s, is_null ? NULL : &from, &rcpts, draft);
	if (!s->no_queue)
		return send_enqueue(s, is_null ? NULL : &from, &rcpts, draft, false,
		    NULL, MT_SLICE(""));
	if (send_open_account(s, &err) < 0)
		return mt_cmd_fail(&err);
	m = (struct mt_submit){ .server = &s->server, .from = is_null ? NULL : &from,
		.rcpts = &rcpts, .draft = draft, .dsn = &s->dsn };
	return send_submit(s, &m);
}

static void
print_result(const struct send *s, const struct mt_inject_result *r)
{
	struct mt_err shown = { 0 };

	if (!s->json) {
		/* As an error, a name is shown without what would drive a terminal. */
		mt_fail(&shown, MT_EDATA, "%s", r->name);
		printf("%s\t%s%s%s\n", mt_inject_word(r->fate), shown.msg,
		    r->text != NULL ? "\t" : "", r->text != NULL ? r->text : "");
		return;
	}
	mt_json_print(json_pack("{s:s, s:o, s:o, s:o}", "result", mt_inject_word(r->fate),
	    "path", mt_json_text(r->name), "size", mt_json_count(r->size), "text",
	    mt_json_text(r->text)), '\n', stdout);
}

/* The status for many messages: what needs the user's hand first comes first. */
static int
injected_status(const uint64_t counts[MT_INJECT_FATES])
{
	if (counts[MT_INJECT_DEFERRED] > 0)
		return EX_TEMPFAIL;
	if (counts[MT_INJECT_REFUSED] + counts[MT_INJECT_PARTLY] > 0)
		return EX_UNAVAILABLE;
	if (counts[MT_INJECT_UNREADABLE] > 0)
		return EX_NOINPUT;
	return counts[MT_INJECT_UNFIT] > 0 ? EX_DATAERR : EX_OK;
}

static int
run_inject(const struct send *s, const struct mt_inject_params *params)
{
	uint64_t counts[MT_INJECT_FATES] = { 0 };
	mt_auto(mt_inject) inject = NULL;
	g_autoptr(GString) summary = NULL;
	struct mt_inject_result r;
	struct mt_err err = { 0 };
	int status;

	/* Who is killed has told what was sent. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	inject = mt_inject_new(params, &err);
	if (inject == NULL)
		return mt_cmd_fail(&err);
	while (mt_inject_next(inject, &r) > 0) {
		print_result(s, &r);
		counts[r.fate]++;
		mt_inject_result_clear(&r);
	}
	status = injected_status(counts);
	if (status == EX_OK)
		return EX_OK;
	summary = g_string_new(NULL);
	for (int i = 0; i < MT_INJECT_FATES; i++) {
		if (counts[i] == 0)
			continue;
		g_string_append_printf(summary, "%s%llu %s", summary->len == 0 ? "" : ", ",
		    (unsigned long long)counts[i],
		    mt_inject_word((enum mt_inject_fate)i));
	}
	mt_cmd_warn("%s", summary->str);
	return status;
}

int
send_inject(struct send *s)
{
	mt_auto_value(mt_addr_list) rcpts = { 0 };
	mt_auto_value(mt_addr) from = { 0 };
	mt_auto(mt_walk) walk = mt_walk_new();
	struct mt_inject_params params;
	struct mt_err err = { 0 };
	bool is_null, listed = s->args->len == 0;

	if (s->to->len == 0)
		mt_cmd_usage("no recipient: say --to; what stands in the messages is "
		    "never used");
	if (listed && isatty(STDIN_FILENO) == 1)
		mt_cmd_usage("no message: give files, Maildirs or mboxes, "
		    "or their paths on standard input");
	if (send_read_conf(s, &err) < 0 ||
	    read_envelope(s, s->to, NULL, &from, &is_null, &rcpts, &err) < 0)
		return mt_cmd_fail(&err);
	if (rcpts.n > MT_MAX_RCPTS)
		mt_cmd_usage("more than %zu recipients", MT_MAX_RCPTS);
	if (!s->dry_run && send_open_account(s, &err) < 0)
		return mt_cmd_fail(&err);
	for (guint i = 0; i < s->args->len; i++) {
		if (g_str_equal(s->args->pdata[i], "-"))
			listed = true;
		else
			mt_walk_add(walk, s->args->pdata[i]);
	}
	if (listed)
		mt_walk_set_list(walk, stdin, s->nul_ends ? '\0' : '\n');
	params = (struct mt_inject_params){
		.server = s->dry_run ? NULL : &s->server,
		.from = is_null ? NULL : &from,
		.rcpts = &rcpts,
		.walk = walk,
		.jobs = (unsigned)s->jobs,
		.keep_bcc = s->keep_bcc,
	};
	return run_inject(s, &params);
}
