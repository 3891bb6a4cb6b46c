/* listen.c - tests of net/listen: addresses to listen on, stale sockets, networks */
#include "net/listen.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static const struct {
	const char *text, *want;	/* NULL: refused */
} addresses[] = {
	{ "127.0.0.1:0", "127.0.0.1:" },
	{ "localhost:0", "127.0.0.1:" },
	{ "[::1]:0", "[::1]:" },
	{ "127.0.0.1", NULL },
	{ "127.0.0.1:", NULL },
	{ "127.0.0.1:65536", NULL },
	{ "127.0.0.1:25x", NULL },
	{ "127.0.0.1:-1", NULL },
	{ "::1:25", NULL },
	{ "[::1:25", NULL },
	{ "[127.0.0.1]:25", NULL },
	{ "example.org:25", NULL },
	{ ":25", NULL },
	{ "*:25", NULL },
	{ "", NULL },
	{ "unix:relative", NULL },
	{ "unix:", NULL },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		struct mt_listen_addr addr;
		struct mt_err err = { 0 };
		char name[MT_LISTEN_NAME_SIZE];
		int rc = mt_listen_parse(addresses[i].text, &addr, &err);
		int fd;

		if (addresses[i].want == NULL) {
			ok(rc < 0 && err.kind == MT_ECONF, "refused: \"%s\": %s",
			    addresses[i].text, err.msg);
			continue;
		}
		fd = rc < 0 ? -1 : mt_listen_open(&addr, &err);
		if (!ok(fd >= 0, "listens: %s %s", addresses[i].text, err.msg))
			continue;
		mt_listen_name(fd, name);
		ok(g_str_has_prefix(name, addresses[i].want) && !g_str_has_suffix(name, ":0"),
		    "on %s", name);
		close(fd);
	}
}

static void
test_taken(void)
{
	struct mt_listen_addr addr;
	struct mt_err err = { 0 };
	char name[MT_LISTEN_NAME_SIZE];
	int fd;

	mt_listen_parse("127.0.0.1:0", &addr, &err);
	fd = mt_listen_open(&addr, &err);
	mt_listen_name(fd, name);
	mt_listen_parse(name, &addr, &err);
	is_int(mt_listen_open(&addr, &err), -1, "a port that is taken");
	is_int(err.kind, MT_ETEMP, "is not the configuration's fault");
	close(fd);
}

static void
test_unix(const char *dir)
{
	g_autofree char *text = g_strdup_printf("unix:%s/s", dir);
	g_autofree char *file = g_strdup_printf("unix:%s/file", dir);
	struct mt_listen_addr addr;
	struct mt_err err = { 0 };
	struct stat st;
	int fd, other;

	is_int(mt_listen_parse(text, &addr, &err), 0, "a Unix socket");
	fd = mt_listen_open(&addr, &err);
	ok(fd >= 0 && stat(text + 5, &st) == 0 && (st.st_mode & 0777) == 0660,
	    "with mode 0660");
	is_int(mt_listen_open(&addr, &err), -1, "somebody listens there");
	is_int(err.kind, MT_ETEMP, "so it is taken");
	close(fd);
	other = mt_listen_open(&addr, &err);
	ok(other >= 0, "what a dead process left is replaced");
	close(other);
	mt_file_replace(file + 5, MT_SLICE("precious"), 0600, &err);
	mt_listen_parse(file, &addr, &err);
	is_int(mt_listen_open(&addr, &err), -1, "a file is no socket");
	ok(stat(file + 5, &st) == 0 && st.st_size == 8, "and is not touched");
}

static void
test_network(void)
{
	char out[MT_LISTEN_NAME_SIZE];

	mt_listen_network("192.0.2.1", out);
	is_str(out, "192.0.2.1", "IPv4: the address");
	mt_listen_network("2001:db8:1:2:3:4:5:6", out);
	is_str(out, "2001:db8:1:2::", "IPv6: its /64");
	mt_listen_network("unix", out);
	is_str(out, "unix", "a Unix socket");
}

int
main(void)
{
	g_autofree char *dir = g_dir_make_tmp("mt-listen.XXXXXX", NULL);

	test_parse();
	test_taken();
	test_unix(dir);
	test_network();
	mt_file_remove_tree(dir, NULL);
	return tap_done();
}
