/*
 * replay.c - main() for fuzz targets without a fuzzer: runs every file of the corpora
 * that are named (files, or directories of them) through the target, as TAP.
 */
#include <stdint.h>

#include "tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
replay(const char *path)
{
	g_autofree char *content = NULL;
	char *exact;
	gsize n;

	if (!g_file_get_contents(path, &content, &n, NULL))
		return false;
	exact = tap_exact(content, n);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, n);
	free(exact);
	return true;
}

/* Also every beginning of the file, up to 4 KiB: where parsers meet the end too early. */
static void
replay_cut(const char *path)
{
	g_autofree char *content = NULL;
	gsize n;

	if (!g_file_get_contents(path, &content, &n, NULL))
		return;
	for (gsize cut = 0; cut < MIN(n, 4096); cut++) {
		char *exact = tap_exact(content, cut);

		LLVMFuzzerTestOneInput((const uint8_t *)exact, cut);
		free(exact);
	}
}

static void
replay_dir(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;
	size_t n = 0;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		printf("# %s\n", file);
		fflush(stdout);
		if (replay(file)) {
			replay_cut(file);
			n++;
		}
	}
	if (dir != NULL)
		g_dir_close(dir);
	ok(n > 0, "%zu inputs of %s, and all their beginnings", n, path);
}

int
main(int argc, char **argv)
{
	ok(argc > 1, "a corpus is named");
	for (int i = 1; i < argc; i++) {
		if (g_file_test(argv[i], G_FILE_TEST_IS_DIR))
			replay_dir(argv[i]);
		else
			ok(replay(argv[i]), "%s", argv[i]);
	}
	return tap_done();
}
