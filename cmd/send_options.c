/* send_options.c - the options of mt-send: one table for parsing and help */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/when.h"
#include "send.h"
#include "send/inject.h"

enum {
	ACCOUNT = 'a',
	CONFIG = 'C',
	SUBJECT = 's',
	CC = 'c',
	BCC = 'b',
	ATTACH = 'A',
	HEADER = 'H',
	FROM = 'f',
	DRY_RUN = 'n',
	NUL_ENDS = '0',
	JOBS = 'j',
	TO = 't',
	AS_SENDMAIL = 256,
	BODY_FILE,
	SAVE,
	EDIT,
	SIGN,
	NO_SIGN,
	ENCRYPT,
	DRAFT,
	NO_QUEUE,
	NO_QUOTE,
	ALL,
	LIST,
	JSON,
	KEEP_BCC,
	FROM_FIELDS,
	FULL_NAME,
	NO_ALIAS,
	BODY_MODE,
	RUN_QUEUE,
	VERBOSE,
	AT,
	UNDO,
	NOTIFY,
	RET,
	ENVID,
	INLINE,
	WHOLE,
	NO_CHECK,
	HTML,
	INLINE_FILE,
	FLOWED,
	IGNORED,
};

static const struct mt_opt common_opts[] = {
	{ ACCOUNT, 'a', "account", "NAME", MT_OPT_ACCOUNT,
	    "send by this account of mt.conf, not by the first" },
	{ CONFIG, 'C', "config", "FILE", MT_OPT_FILE,
	    "read this file instead of ~/.config/mt/mt.conf" },
	{ DRY_RUN, 'n', "dry-run", NULL, MT_OPT_NOTHING,
	    "send nothing: print the envelope and the message (inject: check them)" },
	{ 0 },
};

/* What a new message and a reply share. */
#define QUEUE_OPTS \
	{ NO_QUEUE, 0, "no-queue", NULL, MT_OPT_NOTHING, \
	    "keep nothing: what cannot be sent now is status 75, and yours" }, \
	{ AT, 0, "at", "TIME", MT_OPT_NOTHING, \
	    "send it then: +2h, 18:00, \"fri 9:00\", \"2026-12-24 18:00\"" }, \
	{ UNDO, 0, "undo", "SECONDS", MT_OPT_NOTHING, \
	    "send it after so many seconds, in which it can be taken back" }, \
	{ NOTIFY, 0, "notify", "WHEN", MT_OPT_NOTHING, \
	    "ask servers for a report: never, or some of success,failure,delay" }, \
	{ RET, 0, "ret", "WHAT", MT_OPT_NOTHING, \
	    "a report returns the full message, or hdrs: its header" }, \
	{ ENVID, 0, "envid", "ID", MT_OPT_NOTHING, "reports quote this id" }, \
	{ JSON, 0, "json", NULL, MT_OPT_NOTHING, "tell the result as a JSON object" }

#define KEEP_OPTS \
	{ SAVE, 0, "save", "FOLDER", MT_OPT_NOTHING, \
	    "keep the copy there; \"none\": keep none; \"auto\": as the account says" }, \
	{ EDIT, 0, "edit", NULL, MT_OPT_NOTHING, "open it in $VISUAL or $EDITOR first" }, \
	{ DRAFT, 0, "draft", NULL, MT_OPT_NOTHING, "do not send it: keep it as a draft" }

#define PGP_OPTS \
	{ SIGN, 0, "sign", NULL, MT_OPT_NOTHING, "sign it with your OpenPGP key" }, \
	{ NO_SIGN, 0, "no-sign", NULL, MT_OPT_NOTHING, "do not, though the account says so" }, \
	{ ENCRYPT, 0, "encrypt", NULL, MT_OPT_NOTHING, \
	    "encrypt it with the OpenPGP keys of those who get it" }

#define COMPOSE_OPTS \
	QUEUE_OPTS, \
	KEEP_OPTS, \
	{ SUBJECT, 's', "subject", "TEXT", MT_OPT_NOTHING, "the subject" }, \
	{ CC, 'c', "cc", "ADDRESS", MT_OPT_NOTHING, "a copy to this address" }, \
	{ BCC, 'b', "bcc", "ADDRESS", MT_OPT_NOTHING, \
	    "a copy that the others do not see" }, \
	{ HEADER, 'H', "header", "FIELD", MT_OPT_NOTHING, \
	    "a further header field, \"Name: value\"" }, \
	{ FROM, 'f', "from", "MAILBOX", MT_OPT_NOTHING, \
	    "write as this, not as the account's \"from\"" }, \
	{ BODY_FILE, 0, "body-file", "FILE", MT_OPT_FILE, \
	    "take the text from a file, not from standard input" }, \
	{ FLOWED, 0, "flowed", NULL, MT_OPT_NOTHING, \
	    "let readers wrap the text anew, paragraph by paragraph" }, \
	PGP_OPTS, \
	{ NO_CHECK, 0, "no-check", NULL, MT_OPT_NOTHING, \
	    "send a text that speaks of an attachment without one" }

/* With forward, --attach and --inline say how, and the text is not all there is. */
#define FILE_OPTS \
	{ ATTACH, 'A', "attach", "FILE[:TYPE]", MT_OPT_FILE, "attach a file" }, \
	{ HTML, 0, "html", "FILE", MT_OPT_FILE, \
	    "the text as a page of HTML, too; alone, the text is made from it" }, \
	{ INLINE_FILE, 0, "inline", "FILE[:TYPE]", MT_OPT_FILE, \
	    "a file to be shown; in the HTML where that says cid:FILE" }

static const struct mt_opt new_opts[] = {
	COMPOSE_OPTS,
	FILE_OPTS,
	{ AS_SENDMAIL, 0, "sendmail", NULL, MT_OPT_NOTHING,
	    "behave as sendmail(8); the same as the command sendmail" },
	{ 0 },
};
static const struct mt_opt reply_opts[] = {
	COMPOSE_OPTS,
	FILE_OPTS,
	{ ALL, 0, "all", NULL, MT_OPT_NOTHING, "answer to everybody" },
	{ LIST, 0, "list", NULL, MT_OPT_NOTHING, "answer to the mailing list only" },
	{ NO_QUOTE, 0, "no-quote", NULL, MT_OPT_NOTHING, "do not quote the message" },
	{ 0 },
};
static const struct mt_opt forward_opts[] = {
	COMPOSE_OPTS,
	{ ATTACH, 'A', NULL, "FILE[:TYPE]", MT_OPT_FILE, "attach a file" },
	{ INLINE, 0, "inline", NULL, MT_OPT_NOTHING,
	    "its text below yours, its attachments attached (the default)" },
	{ WHOLE, 0, "attach", NULL, MT_OPT_NOTHING, "attach it whole, byte for byte" },
	{ 0 },
};
static const struct mt_opt bounce_opts[] = {
	QUEUE_OPTS,
	{ FROM, 'f', "from", "MAILBOX", MT_OPT_NOTHING,
	    "resend it as this, not as the account's \"from\"" },
	{ 0 },
};
static const struct mt_opt resume_opts[] = {
	QUEUE_OPTS,
	KEEP_OPTS,
	PGP_OPTS,
	{ 0 },
};
static const struct mt_opt sendmail_opts[] = {
	QUEUE_OPTS,
	{ FROM_FIELDS, 't', NULL, NULL, MT_OPT_NOTHING,
	    "take recipients from To, Cc and Bcc too" },
	{ FROM, 'f', NULL, "ADDRESS", MT_OPT_NOTHING,
	    "the envelope's sender; \"<>\" for none" },
	{ FROM, 'r', NULL, "ADDRESS", MT_OPT_NOTHING, "the same as -f" },
	{ FULL_NAME, 'F', NULL, "NAME", MT_OPT_NOTHING,
	    "the name for a From field that is missing" },
	{ NO_ALIAS, 'n', NULL, NULL, MT_OPT_NOTHING,
	    "under the name sendmail ignored, else the same as --dry-run" },
	{ BODY_MODE, 'b', NULL, "MODE", MT_OPT_NOTHING,
	    "m: read a message (the default); p: list the queue, as mailq; s: speak SMTP; "
	    "i: do nothing, as newaliases" },
	{ RUN_QUEUE, 'q', NULL, NULL, MT_OPT_NOTHING,
	    "send what is due in the queue, once (-q15m and the like, too)" },
	{ VERBOSE, 'v', NULL, NULL, MT_OPT_NOTHING, "say what the server answered" },
	{ IGNORED, 'i', NULL, NULL, MT_OPT_NOTHING,
	    "accepted: a line with a single dot never ends the message" },
	{ IGNORED, 'o', NULL, "OPTION", MT_OPT_NOTHING, "accepted (-oi, -oem, -odi)" },
	{ IGNORED, 'e', NULL, "MODE", MT_OPT_NOTHING, "accepted (-em)" },
	{ IGNORED, 'B', NULL, "TYPE", MT_OPT_NOTHING, "accepted (-B8BITMIME)" },
	{ IGNORED, 'h', NULL, "HOPS", MT_OPT_NOTHING, "accepted" },
	{ NOTIFY, 'N', NULL, "WHEN", MT_OPT_NOTHING, "the same as --notify" },
	{ RET, 'R', NULL, "WHAT", MT_OPT_NOTHING, "the same as --ret" },
	{ ENVID, 'V', NULL, "ID", MT_OPT_NOTHING, "the same as --envid" },
	{ IGNORED, 'O', NULL, "OPTION", MT_OPT_NOTHING, "accepted" },
	{ IGNORED, 'L', NULL, "TAG", MT_OPT_NOTHING, "accepted" },
	{ IGNORED, 'm', NULL, NULL, MT_OPT_NOTHING, "accepted" },
	{ IGNORED, 'U', NULL, NULL, MT_OPT_NOTHING, "accepted" },
	{ IGNORED, 'G', NULL, NULL, MT_OPT_NOTHING, "accepted" },
	{ 0 },
};
static const struct mt_opt inject_opts[] = {
	{ TO, 't', "to", "ADDRESS", MT_OPT_NOTHING, "to whom every message goes" },
	{ FROM, 'f', "from", "ADDRESS", MT_OPT_NOTHING,
	    "the envelope's sender; \"<>\" for none" },
	{ JOBS, 'j', "jobs", "N", MT_OPT_NOTHING,
	    "connections at once, 4 unless said; 1 keeps the order" },
	{ NUL_ENDS, '0', "null", NULL, MT_OPT_NOTHING,
	    "paths on standard input end in NUL" },
	{ KEEP_BCC, 0, "keep-bcc", NULL, MT_OPT_NOTHING,
	    "send messages that have a Bcc field, with it" },
	{ JSON, 0, "json", NULL, MT_OPT_NOTHING, "one JSON object a line" },
	{ 0 },
};
static const struct mt_opt queue_opts[] = {
	{ NUL_ENDS, '0', "null", NULL, MT_OPT_NOTHING, "list: ids only, each ended by a NUL" },
	{ JSON, 0, "json", NULL, MT_OPT_NOTHING, "one JSON object a line" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ SEND_NEW, NULL, "TO...", MT_OPT_NOTHING,
	    "send the text on standard input as a new message", new_opts },
	{ SEND_REPLY, "reply", "MSG", MT_OPT_FILE,
	    "answer a message: a file, - (standard input), id:... or a query", reply_opts },
	{ SEND_FORWARD, "forward", "MSG TO...", MT_OPT_FILE,
	    "send a message on, with your text above it", forward_opts },
	{ SEND_BOUNCE, "bounce", "MSG TO...", MT_OPT_FILE,
	    "send a message once more, unchanged, to others", bounce_opts },
	{ SEND_RESUME, "resume", "DRAFT", MT_OPT_FILE, "send a draft", resume_opts },
	{ SEND_SENDMAIL, "sendmail", "[RCPT]...", MT_OPT_NOTHING,
	    "send the finished message on standard input", sendmail_opts },
	{ SEND_QUEUE, "queue", "[list|show|why|run|retry|hold|release|rm] [ID]...",
	    MT_OPT_NOTHING, "see to the messages that wait", queue_opts },
	{ SEND_INJECT, "inject", "[PATH]...", MT_OPT_FILE,
	    "send finished messages (files, Maildirs, mboxes) unchanged", inject_opts },
	{ 0 },
};
static const struct mt_opt_command command = {
	.name = "mt-send",
	.section = "1",
	.summary = "compose, reply, forward, and hand mail to the submission server",
	.opts = common_opts,
	.verbs = verbs,
};

void
send_init(struct send *s)
{
	*s = (struct send){ .jobs = 4 };
	s->cc = g_ptr_array_new();
	s->bcc = g_ptr_array_new();
	s->attachments = g_ptr_array_new();
	s->inlines = g_ptr_array_new();
	s->fields = g_ptr_array_new();
	s->to = g_ptr_array_new();
	s->args = g_ptr_array_new();
}

void
send_clear(struct send *s)
{
	GPtrArray *lists[] = { s->cc, s->bcc, s->attachments, s->inlines, s->fields,
		s->to, s->args };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		g_ptr_array_free(lists[i], TRUE);
	g_free(s->argv);
	g_free(s->draft_text);
	g_free(s->edited);
	mt_secret_free(s->password);
	mt_addr_clear(&s->local);
	mt_addr_list_clear(&s->mine);
	mt_client_conf_free(s->conf);
}

static void
take_flag(struct send *s, int id)
{
	switch (id) {
	case DRY_RUN:
		s->dry_run = true;
		break;
	case NO_ALIAS:
		s->dry_run = s->dry_run || !s->is_sendmail;
		break;
	case SIGN:
		s->sign = true;
		break;
	case NO_SIGN:
		s->no_sign = true;
		break;
	case ENCRYPT:
		s->encrypt = true;
		break;
	case EDIT:
		s->edit = true;
		break;
	case DRAFT:
		s->draft = true;
		break;
	case FLOWED:
		s->flowed = true;
		break;
	case NO_CHECK:
		s->no_check = true;
		break;
	case NO_QUEUE:
		s->no_queue = true;
		break;
	case NO_QUOTE:
		s->no_quote = true;
		break;
	case INLINE:
		s->whole = false;
		break;
	case WHOLE:
		s->whole = true;
		break;
	case ALL:
		s->all = true;
		break;
	case LIST:
		s->list = true;
		break;
	case FROM_FIELDS:
		s->from_fields = true;
		break;
	case JSON:
		s->json = true;
		break;
	case KEEP_BCC:
		s->keep_bcc = true;
		break;
	case NUL_ENDS:
		s->nul_ends = true;
		break;
	case RUN_QUEUE:
		s->mode = 'q';
		break;
	case VERBOSE:
		s->verbose = true;
		break;
	case AS_SENDMAIL:
		mt_cmd_usage("write --sendmail in full");
	default:
		break;
	}
}

static bool
take_word(struct send *s, int id, const char *value)
{
	const struct {
		int id;
		const char **one;
		GPtrArray *many;
	} places[] = {
		{ ACCOUNT, &s->account_name, NULL },
		{ CONFIG, &s->config, NULL },
		{ FROM, &s->from, NULL },
		{ FULL_NAME, &s->full_name, NULL },
		{ BODY_FILE, &s->body_file, NULL },
		{ HTML, &s->html, NULL },
		{ AT, &s->at, NULL },
		{ SAVE, &s->save, NULL },
		{ SUBJECT, &s->subject, NULL },
		{ CC, NULL, s->cc },
		{ BCC, NULL, s->bcc },
		{ ATTACH, NULL, s->attachments },
		{ INLINE_FILE, NULL, s->inlines },
		{ HEADER, NULL, s->fields },
		{ TO, NULL, s->to },
		{ MT_OPT_ARG, NULL, s->args },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (places[i].id != id)
			continue;
		if (places[i].one != NULL)
			*places[i].one = value;
		else
			g_ptr_array_add(places[i].many, (void *)(uintptr_t)value);
		return true;
	}
	return false;
}

/* --at and --undo as the time that they mean. */
static void
choose_time(struct send *s)
{
	int64_t now = time(NULL);
	struct mt_err err = { 0 };

	if (s->at == NULL && s->undo_s == 0)
		return;
	if (s->no_queue)
		mt_cmd_usage("%s needs the queue: leave out --no-queue",
		    s->at != NULL ? "--at" : "--undo");
	if (s->at != NULL && s->undo_s > 0)
		mt_cmd_usage("--at and --undo: say one of them");
	if (s->at == NULL)
		s->not_before = now + (int64_t)s->undo_s;
	else if (mt_when_parse(s->at, now, &s->not_before, &err) < 0)
		mt_cmd_usage("--at %s", err.msg);
	else if (s->not_before < now)
		mt_cmd_usage("--at \"%s\": that is over", s->at);
	else if (s->not_before - now > SEND_AT_MAX_S)
		mt_cmd_usage("--at \"%s\": that is more than a hundred years ahead", s->at);
}

/* --notify, --ret and --envid; whether it was one of them. */
static bool
take_dsn(struct send *s, const struct mt_opt_parser *p)
{
	struct mt_err err = { 0 };

	if (p->id == NOTIFY) {
		if (mt_dsn_notify_parse(p->value, &s->dsn.notify, &err) < 0)
			mt_cmd_usage("--notify %s", err.msg);
	} else if (p->id == RET) {
		if (mt_dsn_ret_parse(p->value, &s->dsn.ret, &err) < 0)
			mt_cmd_usage("--ret %s", err.msg);
	} else if (p->id == ENVID) {
		if (!mt_dsn_is_envid(p->value))
			mt_cmd_usage("--envid \"%s\": 1 to %d printable ASCII characters",
			    p->value, MT_DSN_ENVID_MAX);
		s->dsn.envid = p->value;
	} else {
		return false;
	}
	return true;
}

/* "mt-send -s x reply MSG": meant is a verb, and not somebody of that name. */
static void
check_is_no_verb(const struct send *s, const struct mt_opt_parser *p)
{
	if (p->verb->id != SEND_NEW || s->args->len > 0)
		return;
	for (const struct mt_opt_verb *v = verbs; v->help != NULL; v++) {
		if (g_strcmp0(v->name, p->value) == 0)
			mt_cmd_usage("%s comes first: mt-send %s %s [OPTION]...", v->name,
			    v->name, v->args);
	}
}

static void
read_options(struct send *s, struct mt_opt_parser *p)
{
	struct mt_err err = { 0 };

	while (mt_cmd_next(p) > 0) {
		if (p->id == MT_OPT_ARG)
			check_is_no_verb(s, p);
		if (take_word(s, p->id, p->value) || take_dsn(s, p))
			continue;
		if (p->id == JOBS) {
			if (mt_opt_u64(p, 1, MT_INJECT_JOBS_MAX, &s->jobs, &err) < 0)
				mt_cmd_usage("%s", err.msg);
		} else if (p->id == UNDO) {
			if (mt_opt_u64(p, 1, SEND_UNDO_MAX_S, &s->undo_s, &err) < 0)
				mt_cmd_usage("%s", err.msg);
		} else if (p->id == BODY_MODE) {
			if (p->value[0] == '\0' || p->value[1] != '\0' ||
			    strchr("mpsi", p->value[0]) == NULL)
				mt_cmd_usage("-b%s: only -bm, -bp, -bs and -bi are known here; "
				    "mt-send hands mail to a server and is none",
				    p->value);
			s->mode = p->value[0];
		} else {
			take_flag(s, p->id);
		}
	}
	if (s->all && s->list)
		mt_cmd_usage("--all answers to everybody, --list to the list only: say one");
	if (s->json && s->no_queue)
		mt_cmd_usage("--json tells what the queue has: leave out --no-queue");
	choose_time(s);
	if (s->draft && (s->dsn.notify != 0 || s->dsn.ret != MT_DSN_RET_UNSAID ||
	    s->dsn.envid != NULL))
		mt_cmd_usage("--notify, --ret and --envid say how it is sent, which a draft is "
		    "not: give them to mt-send resume");
	if (s->save != NULL && !mt_account_is_folder(s->save))
		mt_cmd_usage("--save \"%s\": name a folder below maildir, none or auto", s->save);
}

/* "-q15m" and "-qf" are "-q": a run each quarter of an hour is for a timer. */
static char *
plain_q(char *word)
{
	static char q[] = "-q";

	if (!g_str_has_prefix(word, q) || word[2] == '\0')
		return word;
	return g_str_equal(word + 2, "f") || (g_ascii_isdigit(word[2]) &&
	    strspn(word + 2, "0123456789smhdw") == strlen(word + 2)) ? q : word;
}

/*
 * "--sendmail" anywhere before "--", or the name sendmail, is the verb: one table then
 * holds all that sendmail knows. Gives a new argv with the verb in it (g_free; the words
 * are those of the old one), or NULL when it is neither.
 */
static char **
as_sendmail(int *argc, char **argv, bool by_name)
{
	static char verb[] = "sendmail";
	char **out = g_new0(char *, (size_t)*argc + 2);
	int at = 1, n = 0;
	bool found = by_name;

	out[n++] = argv[0];
	out[n++] = verb;
	for (; at < *argc && !g_str_equal(argv[at], "--"); at++) {
		if (!by_name && g_str_equal(argv[at], "--sendmail"))
			found = true;
		else
			out[n++] = plain_q(argv[at]);
	}
	for (; at < *argc; at++)
		out[n++] = argv[at];
	if (!found) {
		g_free(out);
		return NULL;
	}
	*argc = n;
	return out;
}

int
send_read_options(struct send *s, int argc, char **argv)
{
	g_autofree char *name = g_path_get_basename(argc > 0 ? argv[0] : command.name);
	struct mt_opt_parser p;

	s->mode = g_str_equal(name, "mailq") ? 'p' : g_str_equal(name, "newaliases") ? 'i' : 'm';
	s->is_sendmail = s->mode != 'm' || g_str_equal(name, "sendmail");
	s->argv = as_sendmail(&argc, argv, s->is_sendmail);
	mt_cmd_start(&command, argc, s->argv != NULL ? s->argv : argv, &p);
	read_options(s, &p);
	return p.verb->id;
}
