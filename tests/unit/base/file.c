/* file.c - files: replaced whole, read to a ceiling, removed */
#include "base/file.h"

#include <sys/stat.h>

#include "tap.h"

int
main(void)
{
	struct mt_err err = { 0 };
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "mt-unit-XXXXXX", NULL);
	const char *root = g_mkdtemp(template);
	g_autofree char *deep = g_build_filename(root, "a/b/c", NULL);
	g_autofree char *file = g_build_filename(root, "a/b/c/file", NULL);
	g_autofree char *fifo = g_build_filename(root, "a/fifo", NULL);
	g_autofree char *home = NULL, *plain = NULL, *other = NULL;
	mt_auto_value(mt_buf) b = MT_BUF_INIT(100), small = MT_BUF_INIT(3);
	struct stat st;
	int fd;

	ok(mt_file_mkdirs(deep, 0700, &err) == 0, "directories are made");
	ok(mt_file_mkdirs(deep, 0700, &err) == 0, "and may be there");
	ok(mt_file_replace(file, MT_SLICE("one"), 0600, &err) == 0, "a new file");
	ok(mt_file_replace(file, MT_SLICE("two\n"), 0600, &err) == 0, "is replaced");
	ok(mt_file_read(file, &b, &err) == 0, "and read");
	is_str(b.p, "two\n", "with the new content");
	ok(mt_file_read(file, &small, &err) < 0, "one over the ceiling is refused");
	is_int(err.kind, MT_EDATA, "as data: %s", err.msg);
	ok(mt_file_mkdirs(file, 0700, &err) < 0, "a file is no directory: %s", err.msg);
	ok(mt_file_replace(deep, MT_SLICE("x"), 0600, &err) < 0, "a directory is not replaced");
	ok(mt_file_read("/nonexistent/x", &b, &err) < 0, "missing");
	is_int(err.kind, MT_ENOINPUT, "is a missing input");
	fd = mt_file_open_regular(file, &err);
	ok(fd >= 0, "a file is opened");
	close(fd);
	ok(mt_file_open_regular(deep, &err) < 0, "a directory is not");
	is_int(err.kind, MT_ENOINPUT, "as a missing input: %s", err.msg);
	ok(mkfifo(fifo, 0600) == 0 && mt_file_open_regular(fifo, &err) < 0,
	    "nor is a FIFO, and nobody waits for it");
	is_int(err.kind, MT_ENOINPUT, "as a missing input: %s", err.msg);
	fd = mt_file_temp(&err);
	ok(fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0, "a temporary file has no name");
	close(fd);
	g_setenv("HOME", "/h", TRUE);
	home = mt_file_expand_home("~/Mail");
	is_str(home, "/h/Mail", "~/Mail");
	plain = mt_file_expand_home("~");
	is_str(plain, "/h", "~");
	other = mt_file_expand_home("~user/x");
	is_str(other, "~user/x", "another user's home is not guessed");
	ok(mt_file_remove_tree(root, &err) == 0 && stat(root, &st) < 0, "a tree is removed");
	ok(mt_file_remove_tree(root, &err) == 0, "one that is not there is fine");
	return tap_done();
}
