/* opt.c - option tables: what a command line means, and what a wrong one says */
#include "conf/opt.h"

#include "tap.h"

enum { ACCOUNT = 1, SUBJECT, DRY, ALL, COUNT };
enum { SEND = 1, REPLY };

static const struct mt_opt common[] = {
	{ ACCOUNT, 'a', "account", "NAME", MT_OPT_ACCOUNT, "use this account" },
	{ 0 },
};
static const struct mt_opt send_opts[] = {
	{ SUBJECT, 's', "subject", "TEXT", MT_OPT_NOTHING, "the subject" },
	{ DRY, 'n', "dry-run", NULL, MT_OPT_NOTHING, "send nothing" },
	{ COUNT, 0, "dry-count", "N", MT_OPT_NOTHING, "a number" },
	{ 0 },
};
static const struct mt_opt reply_opts[] = {
	{ ALL, 0, "all", NULL, MT_OPT_NOTHING, "to everybody" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ SEND, NULL, "TO...", MT_OPT_NOTHING, "send", send_opts },
	{ REPLY, "reply", "MSG", MT_OPT_FILE, "reply", reply_opts },
	{ 0 },
};
static const struct mt_opt_command command = { "mt-test", "1", "a test", common, verbs, NULL };
static const struct mt_opt_command strict = { "mt-test", "1", "a test", common, verbs + 1,
	NULL };

/* The command line as it was understood: "id=value" words, "!message" for an error. */
static char *
parse(const struct mt_opt_command *c, const char *line)
{
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	GString *s = g_string_new(NULL);
	struct mt_opt_parser p;
	struct mt_err err = { 0 };
	int rc;

	mt_opt_init(&p, c, (int)g_strv_length(argv), argv);
	while ((rc = mt_opt_next(&p, &err)) > 0)
		g_string_append_printf(s, "%d=%s ", p.id, p.value != NULL ? p.value : "");
	if (rc < 0)
		g_string_append_printf(s, "!%s", err.msg);
	else
		g_string_append_printf(s, "verb %d", p.verb->id);
	return g_string_free(s, FALSE);
}

static const struct {
	const char *line, *want;
} cases[] = {
	{ "mt-test a@b", "-1=a@b verb 1" },
	{ "mt-test -s hi a@b", "2=hi -1=a@b verb 1" },
	{ "mt-test -shi a@b", "2=hi -1=a@b verb 1" },
	{ "mt-test a@b -s hi", "-1=a@b 2=hi verb 1" },
	{ "mt-test --subject=hi=x a@b", "2=hi=x -1=a@b verb 1" },
	{ "mt-test --subj hi", "2=hi verb 1" },
	{ "mt-test -ns hi", "3= 2=hi verb 1" },
	{ "mt-test -- -s", "-1=-s verb 1" },
	{ "mt-test -", "-1=- verb 1" },
	{ "mt-test", "verb 1" },
	{ "mt-test reply --all x", "4= -1=x verb 2" },
	{ "mt-test -a w reply x", "1=w -1=x verb 2" },
	{ "mt-test -s hi reply", "2=hi -1=reply verb 1" },
	{ "mt-test -- reply", "-1=reply verb 1" },
	{ "mt-test reply -s hi", "!unknown option -s" },
	{ "mt-test --subjetc hi", "!unknown option --subjetc; did you mean --subject?" },
	{ "mt-test --zzzzzz", "!unknown option --zzzzzz" },
	{ "mt-test --dry", "!option --dry is ambiguous" },
	{ "mt-test --dry-run=1", "!option --dry-run takes no value" },
	{ "mt-test --subject", "!option --subject needs a value: TEXT" },
	{ "mt-test -s", "!option -s needs a value: TEXT" },
	{ "mt-test --help", "-2= verb 1" },
	{ "mt-test -h", "-2= verb 1" },
};

static void
check_values(void)
{
	struct mt_opt_parser p;
	struct mt_err err = { 0 };
	uint64_t v;

	mt_opt_init(&p, &command, 0, NULL);
	p.id = COUNT;
	p.value = "12";
	ok(mt_opt_u64(&p, 1, 20, &v, &err) == 0 && v == 12, "a number");
	p.value = "0";
	ok(mt_opt_u64(&p, 1, 20, &v, &err) < 0, "below the range: %s", err.msg);
	p.value = "12x";
	ok(mt_opt_u64(&p, 1, 20, &v, &err) < 0, "not a number: %s", err.msg);
	p.value = "10k";
	ok(mt_opt_size(&p, &v, &err) == 0 && v == 10240, "a size");
	p.value = "1G";
	ok(mt_opt_size(&p, &v, &err) == 0 && v == 1 << 30, "a large one");
	p.value = "10q";
	ok(mt_opt_size(&p, &v, &err) < 0, "a unit that is none: %s", err.msg);
	p.value = "2w";
	ok(mt_opt_days(&p, &v, &err) == 0 && v == 14, "two weeks");
	p.value = "";
	ok(mt_opt_days(&p, &v, &err) < 0, "nothing: %s", err.msg);
}

int
main(void)
{
	g_autofree char *none = parse(&strict, "mt-test"), *wrong = parse(&strict, "mt-test go");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = parse(&command, cases[i].line);

		is_str(got, cases[i].want, "%s", cases[i].line);
	}
	is_str(none, "!no command given: use reply", "a command that needs a verb");
	is_str(wrong, "!unknown command \"go\": use reply", "a verb that is none");
	check_values();
	return tap_done();
}
