/* walk.c - tests of libmt/send/walk.c */
#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "send/walk.h"

static char *root;

static void
put(const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *dir = g_path_get_dirname(full);

	if (mt_file_mkdirs(dir, 0700, NULL) < 0 ||
	    !g_file_set_contents(full, text, -1, NULL))
		abort();
}

static void
make_maildir(const char *path)
{
	static const char *const subs[] = { "tmp", "new", "cur" };

	for (size_t i = 0; i < 3; i++) {
		g_autofree char *full = g_build_filename(root, path, subs[i], NULL);

		if (mt_file_mkdirs(full, 0700, NULL) < 0)
			abort();
	}
}

static void
add(struct mt_walk *w, const char *path)
{
	g_autofree char *full = g_build_filename(root, path, NULL);

	mt_walk_add(w, full);
}

/* "name=content name=content name!" without the root; "!" for what cannot be read. */
static char *
walk_all(struct mt_walk *w)
{
	GString *s = g_string_new(NULL);
	struct mt_walk_entry e;

	while (mt_walk_next(w, &e) > 0) {
		mt_auto_value(mt_buf) text = MT_BUF_INIT(1000);
		const char *name = e.name + (g_str_has_prefix(e.name, root) ?
		    strlen(root) + 1 : 0);

		g_string_append_printf(s, "%s%s", s->len > 0 ? " " : "", name);
		if (e.fd >= 0 && lseek(e.fd, 0, SEEK_SET) == 0 &&
		    mt_file_read_fd(e.fd, &text, NULL) == 0)
			g_string_append_printf(s, "=%s", text.n > 0 ? text.p : "");
		else
			g_string_append(s, e.err.msg[0] != '\0' ? "!" : "?");
		mt_walk_entry_clear(&e);
	}
	return g_string_free(s, FALSE);
}

static void
is_walk(const char *path, const char *want, const char *promise)
{
	mt_auto(mt_walk) w = mt_walk_new();
	g_autofree char *got = NULL;

	add(w, path);
	got = walk_all(w);
	is_str(got, want, "%s", promise);
}

static void
test_list(char end)
{
	mt_auto(mt_walk) w = mt_walk_new();
	g_autofree char *text = g_strdup_printf("%s/dir/a.eml%c%c%s/none%c%s/dir/b.eml",
	    root, end, end, root, end, root);
	size_t n = strlen(root) * 3 + strlen("/dir/a.eml" "/none" "/dir/b.eml") + 3;
	FILE *f = fmemopen(text, n, "r");
	g_autofree char *got = NULL;

	mt_walk_set_list(w, f, end);
	got = walk_all(w);
	fclose(f);
	is_str(got, "dir/a.eml=A none! dir/b.eml=B", "paths of a stream, ending in \\%o",
	    (unsigned)end);
}

int
main(void)
{
	g_autofree char *link = NULL, *gone = NULL, *round = NULL;

	root = g_dir_make_tmp("mt-XXXXXX", NULL);
	put("dir/b.eml", "B");
	put("dir/a.eml", "A");
	put("dir/.hidden", "H");
	put("dir/sub/c.eml", "C");
	make_maildir("md");
	make_maildir("md/.Sent");
	make_maildir("md/Work");
	put("md/new/1.x", "N");
	put("md/.Sent/cur/2.x:2,S", "S");
	put("md/Work/cur/3.x:2,", "W");
	put("md/tmp/4.x", "T");
	put("md/index.tsv", "I");
	put("box", "From a Sat Nov 21 10:00:00 2026\nA: 1\n\nx\n\n"
	    "From b Sat Nov 21 10:00:00 2026\nB: 2\n\n>From y\n");
	link = g_build_filename(root, "dir", "loop", NULL);
	gone = g_build_filename(root, "links", "gone", NULL);
	round = g_build_filename(root, "links", "round", NULL);
	put("links/a", "A");
	if (symlink("..", link) < 0 || symlink("none", gone) < 0 ||
	    symlink("round", round) < 0)
		abort();

	is_walk("dir/b.eml", "dir/b.eml=B", "a file is a message");
	is_walk("dir", "dir/a.eml=A dir/b.eml=B dir/sub/c.eml=C",
	    "a directory, by name; no hidden file, no link to a directory");
	is_walk("md", "md/new/1.x=N md/.Sent/cur/2.x:2,S=S md/Work/cur/3.x:2,=W",
	    "a Maildir and the folders in it; not tmp/, not a stray file");
	is_walk("box", "box:1=A: 1\n\nx\n box:2=B: 2\n\nFrom y\n",
	    "the messages of an mbox, unquoted");
	is_walk("links", "links/a=A links/gone! links/round!",
	    "links that lead nowhere are told");
	is_walk("none", "none!", "a path that is not there is told");
	test_list('\n');
	test_list('\0');
	mt_file_remove_tree(root, NULL);
	g_free(root);
	return tap_done();
}
