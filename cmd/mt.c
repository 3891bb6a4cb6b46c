/* mt.c - the front door: `mt send` runs mt-send; help; the accounts there are */
#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd.h"
#include "conf/account.h"

enum { CONFIG = 1, JSON, NUL };
enum { HELP = 1, ACCOUNTS };

static const struct mt_opt accounts_opts[] = {
	{ CONFIG, 'C', "config", "FILE", MT_OPT_FILE, "read this file, not mt.conf" },
	{ JSON, 0, "json", NULL, MT_OPT_NOTHING, "print one JSON object a line" },
	{ NUL, '0', "null", NULL, MT_OPT_NOTHING, "end each name with NUL, not a new line" },
	{ 0 },
};
static const struct mt_opt_verb verbs[] = {
	{ HELP, "help", "[COMMAND]", MT_OPT_NOTHING, "print the help of a command", NULL },
	{ ACCOUNTS, "accounts", "", MT_OPT_NOTHING, "list the accounts of mt.conf",
	    accounts_opts },
	{ 0 },
};

static const struct {
	const char *name, *help;
} commands[] = {
	{ "send", "compose, reply, forward, submit" },
	{ "fetch", "collect mail into a Maildir" },
	{ "serve", "receive mail: SMTP, submission, LMTP, POP3" },
	{ "index", "search and show mail" },
	{ "backup", "back mail up, restore it" },
};

static const struct mt_opt_command command = {
	"mt", "7", "the front door of the mail toolkit", NULL, verbs,
	"mt COMMAND ... runs mt-COMMAND: send, fetch, serve, index, backup.",
};

static bool
is_command(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return true;
	}
	return false;
}

/* Become mt-NAME: the one beside us, so that a build tree runs its own; else by PATH. */
static int
run(const char *name, char **argv)
{
	g_autofree char *program = g_strconcat("mt-", name, NULL);
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = g_path_get_dirname(self != NULL ? self : "/");
	const char *const dirs[] = { "", "../sbin" };

	argv[0] = program;
	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *path = g_build_filename(dir, dirs[i], program, NULL);

		execv(path, argv);
	}
	execvp(program, argv);
	mt_cmd_warn("%s: %m; is it installed?", program);
	return errno == ENOENT ? EX_UNAVAILABLE : EX_OSERR;
}

static void
print_overview(void)
{
	printf("usage: mt COMMAND [ARGUMENT]...\n       mt help [COMMAND]\n"
	    "       mt accounts [OPTION]...\n\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  mt %-8s mt-%-8s %s\n", commands[i].name, commands[i].name,
		    commands[i].help);
	printf("\nman 7 mt explains the concepts.\n");
}

static int
help(const char *name)
{
	char word[] = "--help";
	char *argv[] = { NULL, word, NULL };

	if (name == NULL) {
		print_overview();
		return EX_OK;
	}
	if (g_str_has_prefix(name, "mt-"))
		name += 3;
	if (!is_command(name))
		mt_cmd_usage("no command \"%s\": use send, fetch, serve, index or backup",
		    name);
	return run(name, argv);
}

static void
print_account(const struct mt_account *a, bool json, char end)
{
	if (!json) {
		mt_cmd_print(a->name, end);
		return;
	}
	mt_json_print(json_pack("{s:o, s:o, s:o, s:o}", "name", mt_json_text(a->name),
	    "from", mt_json_text(a->from), "pop3", mt_json_text(a->pop3), "smtp",
	    mt_json_text(a->smtp)), end, stdout);
}

static int
accounts(const char *file, bool json, char end)
{
	struct mt_err err = { 0 };
	mt_auto(mt_client_conf) conf = mt_client_conf_read(file, &err);

	if (conf == NULL)
		return mt_cmd_fail(&err);
	for (size_t i = 0; i < conf->naccounts; i++)
		print_account(&conf->accounts[i], json, end);
	return EX_OK;
}

int
main(int argc, char **argv)
{
	struct mt_opt_parser p;
	const char *file = NULL, *topic = NULL;
	bool json = false;
	char end = '\n';
	int status;

	mt_cmd_start(&command, argc, argv, &p);
	if (argc > 1 && is_command(argv[1]))
		return run(argv[1], argv + 1);
	if (argc < 2) {
		print_overview();
		return mt_cmd_end(EX_USAGE);
	}
	while (mt_cmd_next(&p) > 0) {
		if (p.id == CONFIG)
			file = p.value;
		else if (p.id == JSON)
			json = true;
		else if (p.id == NUL)
			end = '\0';
		else if (p.verb->id == HELP && topic == NULL)
			topic = p.value;
		else
			mt_cmd_usage("unexpected argument \"%s\"", p.value);
	}
	status = p.verb->id == HELP ? help(topic) : accounts(file, json, end);
	return mt_cmd_end(status);
}
