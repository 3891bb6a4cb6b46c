/* cmd.c - what every command shares: help, version, errors, exit status */
#include "cmd.h"

#include <glib.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "message/charset.h"

static const char *name = "mt";

void
mt_cmd_start(const struct mt_opt_command *command, int argc, char **argv,
    struct mt_opt_parser *p)
{
	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	name = command->name;
	mt_opt_init(p, command, argc, argv);
}

static void
print_version(void)
{
	printf("%s " MT_VERSION "\n"
	    "License GPL-3.0-or-later. There is no warranty, as far as the law allows.\n",
	    name);
}

int
mt_cmd_next(struct mt_opt_parser *p)
{
	struct mt_err err = { 0 };
	int rc = mt_opt_next(p, &err);

	if (rc < 0)
		mt_cmd_usage("%s", err.msg);
	if (rc == 0 || p->id > 0 || p->id == MT_OPT_ARG)
		return rc;
	if (p->id == MT_OPT_HELP)
		mt_opt_print_help(p->command, p->verb, stdout);
	else if (p->id == MT_OPT_VERSION)
		print_version();
	else
		mt_opt_print_table(p->command, stdout);
	exit(mt_cmd_end(EX_OK));
}

/* The text with control characters shown as \xNN; g_free. */
static char *
escape(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct mt_slice rest = mt_slice_str(text), bytes;
	uint32_t c;

	while (mt_slice_take_utf8(&rest, &bytes, &c)) {
		if (c != MT_SLICE_NO_CHAR && !mt_charset_is_control(c)) {
			g_string_append_len(out, bytes.p, (gssize)bytes.n);
			continue;
		}
		for (size_t i = 0; i < bytes.n; i++)
			g_string_append_printf(out, "\\x%02X",
			    (unsigned char)bytes.p[i]);
	}
	return g_strdup(out->str);
}

void
mt_cmd_warn(const char *fmt, ...)
{
	struct mt_err text = { 0 };
	g_autofree char *shown = NULL;
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(&text, MT_ENONE, fmt, ap);
	va_end(ap);
	shown = escape(text.msg);
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", name, shown);
}

int
mt_cmd_fail(const struct mt_err *err)
{
	mt_cmd_warn("%s", err->msg);
	return mt_err_exit(err->kind);
}

void
mt_cmd_usage(const char *fmt, ...)
{
	struct mt_err text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	mt_vfail(&text, MT_EUSAGE, fmt, ap);
	va_end(ap);
	mt_cmd_warn("%s", text.msg);
	fprintf(stderr, "Try \"%s --help\".\n", name);
	exit(EX_USAGE);
}

void
mt_cmd_print_text(const char *text, char end)
{
	g_autofree char *shown = end == '\0' ? NULL : escape(text);

	fputs(shown != NULL ? shown : text, stdout);
}

void
mt_cmd_print(const char *text, char end)
{
	mt_cmd_print_text(text, end);
	putchar(end);
}

int
mt_cmd_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	mt_cmd_warn("standard output: %m");
	return status == EX_OK ? EX_IOERR : status;
}

char *
mt_cmd_state_dir(void)
{
	const char *xdg = g_getenv("XDG_STATE_HOME");

	if (xdg != NULL && g_path_is_absolute(xdg))
		return g_build_filename(xdg, "mt", NULL);
	return mt_file_expand_home("~/.local/state/mt");
}

bool
mt_cmd_has_terminal(void)
{
	return isatty(STDERR_FILENO) == 1;
}
