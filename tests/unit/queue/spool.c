/* spool.c - the directory of the queue: added, locked, changed, removed, swept */
#include "queue/spool.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static char *dir;

static int
message(const char *text)
{
	int fd = mt_file_temp(NULL);

	if (mt_file_write_all(fd, text, strlen(text)) < 0)
		g_error("no message");
	return fd;
}

static void
put(const char *sub, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, sub, name, NULL);

	if (!g_file_set_contents(path, text, -1, NULL))
		g_error("no %s", path);
}

static bool
is_there(const char *sub, const char *name)
{
	g_autofree char *path = g_build_filename(dir, sub, name, NULL);

	return access(path, F_OK) == 0;
}

static unsigned
count(struct mt_spool *s)
{
	g_autoptr(GPtrArray) ids = mt_spool_list(s, NULL);

	return ids->len;
}

static void
add(struct mt_spool *s, const char *text, char id[MT_QUEUE_ID_SIZE])
{
	mt_auto(mt_envelope) e = mt_envelope_new("work", "a@b.example", time(NULL));
	mt_auto(mt_spool_item) item = NULL;
	mt_auto_fd int fd = message(text);
	struct mt_err err = { 0 };

	mt_envelope_add(e, "c@d.example");
	if (mt_spool_add(s, e, fd, &item, &err) < 0)
		g_error("%s", err.msg);
	g_strlcpy(id, item->id, MT_QUEUE_ID_SIZE);
}

static void
test_life(struct mt_spool *s)
{
	static const char text[] = "Subject: x\n\nbody\n";
	mt_auto(mt_spool_item) item = NULL;
	mt_auto(mt_spool_item) other = NULL;
	mt_auto(mt_envelope) seen = NULL;
	mt_auto(mt_envelope) none = NULL;
	char id[MT_QUEUE_ID_SIZE], bytes[100];
	struct mt_err err = { 0 };
	bool busy = true;

	add(s, text, id);
	is_int(count(s), 1, "a message is in the queue");
	ok(!is_there("tmp", id), "with nothing left in tmp/");
	ok(mt_spool_take(s, id, &item, &busy, &err) == 1 && !busy, "it can be taken");
	if (item == NULL)
		g_error("%s", err.msg);
	is_int(pread(item->fd, bytes, sizeof(bytes), 0), strlen(text), "with all its bytes");
	ok(memcmp(bytes, text, strlen(text)) == 0, "and no others");
	ok(mt_spool_take(s, id, &other, &busy, &err) == 0 && busy, "by one at a time");
	item->envelope->tries = 7;
	ok(mt_spool_save(item, &err) == 0, "its envelope is changed");
	seen = mt_spool_peek(s, id, &err);
	ok(seen != NULL && seen->tries == 7, "as everybody sees");
	ok(mt_spool_remove(item, &err) == 0, "it is removed");
	ok(mt_spool_take(s, id, &other, &busy, &err) == 0 && !busy, "and then gone");
	none = mt_spool_peek(s, id, &err);
	ok(none == NULL && err.kind == MT_ENOINPUT, "for who looks, too");
	ok(mt_spool_flush(s, &err) == 0, "for good");
	ok(!is_there("msg", id) && count(s) == 0, "with its message");
}

/* More than one: a thread sees to it that they are gone for good. */
static void
test_many(struct mt_spool *s)
{
	char ids[20][MT_QUEUE_ID_SIZE];
	struct mt_err err = { 0 };
	unsigned left = 0;
	bool busy;

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		add(s, "A: b\n\n", ids[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		mt_auto(mt_spool_item) item = NULL;

		if (mt_spool_take(s, ids[i], &item, &busy, &err) <= 0 ||
		    mt_spool_remove(item, &err) < 0)
			g_error("%s", err.msg);
		left += is_there("env", ids[i]);
	}
	is_int(left, 0, "whatever is removed is gone for everybody at once");
	ok(mt_spool_flush(s, &err) == 0, "and for good in the end");
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		left += is_there("msg", ids[i]);
	is_int(left, 0, "with the messages");
	ok(mt_spool_flush(s, &err) == 0, "nothing is left to do then");
}

/* A queue whose directory went away cannot say that anything is gone for good. */
static void
test_flush_fails(void)
{
	g_autofree char *other = g_build_filename(dir, "other", NULL);
	g_autofree char *env = g_build_filename(other, "env", NULL);
	g_autofree char *away = g_build_filename(dir, "away", NULL);
	mt_auto(mt_spool) s = mt_spool_open(other, NULL);
	mt_auto(mt_spool_item) item = NULL;
	char id[MT_QUEUE_ID_SIZE];
	struct mt_err err = { 0 };
	bool busy;

	add(s, "A: b\n\n", id);
	ok(mt_spool_take(s, id, &item, &busy, &err) == 1 && mt_spool_remove(item, &err) == 0,
	    "a message leaves");
	rename(env, away);
	ok(mt_spool_flush(s, &err) < 0, "what cannot be synced is an error");
	ok(strstr(err.msg, "/env") != NULL, "that names the directory");
	ok(mt_spool_flush(s, &err) == 0, "told once");
}

/* Who waited for the lock finds the message done, not the one he had listed. */
static void
test_race(struct mt_spool *s)
{
	mt_auto(mt_spool_item) item = NULL;
	char id[MT_QUEUE_ID_SIZE];
	struct mt_err err = { 0 };
	bool busy;

	add(s, "A: b\n\n", id);
	g_autofree char *env = g_build_filename(dir, "env", id, NULL);
	unlink(env);
	ok(mt_spool_take(s, id, &item, &busy, &err) == 0 && !busy && item == NULL,
	    "a message without an envelope is no message");
	ok(is_there("msg", id), "and stays, for it may be on its way in");
	ok(mt_spool_sweep(s, time(NULL), &err) == 0 && is_there("msg", id), "for hours");
	ok(mt_spool_sweep(s, time(NULL) + 37 * 3600, &err) == 0 && !is_there("msg", id),
	    "not for days");
}

static void
test_corrupt(struct mt_spool *s)
{
	static const char alone[] = "0123456789abcd";
	mt_auto(mt_spool_item) item = NULL;
	char id[MT_QUEUE_ID_SIZE];
	g_autofree char *name = NULL;
	struct mt_err err = { 0 };
	bool busy;

	add(s, "A: b\n\n", id);
	put("env", id, "{\"version\":1");
	ok(mt_spool_take(s, id, &item, &busy, &err) < 0 && err.kind == MT_EDATA,
	    "an envelope that is none is an error");
	ok(strstr(err.msg, "corrupt/") != NULL && strstr(err.msg, "envelope: byte") != NULL,
	    "which says why, and where it is");
	name = g_strconcat(id, ".msg", NULL);
	ok(is_there("corrupt", name) && !is_there("env", id), "and it is out of the way");
	memset(&err, 0, sizeof(err));
	put("env", alone, "{\"version\":1,\"route\":\"w\",\"from\":\"\",\"message_id\":null,"
	    "\"copy_to\":null,\"copy_fields\":null,\"created\":5,\"not_before\":0,\"next\":5,"
	    "\"told_delay\":0,\"tries\":0,\"held\":false,\"ours\":true,"
	    "\"rcpts\":[{\"to\":\"c@d\",\"fate\":"
	    "\"waiting\",\"unknown\":false,\"dsn\":\"\",\"text\":null}]}");
	ok(mt_spool_take(s, alone, &item, &busy, &err) < 0 && err.kind == MT_EDATA &&
	    strstr(err.msg, "no message") != NULL, "an envelope without its message is one");
	is_int(count(s), 0, "the queue goes on without them");
}

static void
test_strays(struct mt_spool *s)
{
	static const char *const names[] = { "..", "../env/0123456789abcd", "", "x",
		"0123456789abcd.new12-00000000", "0123456789ABCD", "0123456789abcde" };
	mt_auto(mt_spool_item) item = NULL;
	struct mt_err err = { 0 };
	char id[MT_QUEUE_ID_SIZE];
	bool busy;

	add(s, "A: b\n\n", id);
	put("env", "0123456789abcd.new12-00000000", "half");
	put("tmp", "0123456789abcd", "half");
	is_int(count(s), 1, "what a crash left in env/ is no message");
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		ok(mt_spool_take(s, names[i], &item, &busy, &err) == 0, "nor is \"%s\"", names[i]);
	ok(mt_spool_sweep(s, time(NULL) + 37 * 3600, &err) == 0, "swept");
	ok(!is_there("env", "0123456789abcd.new12-00000000") && !is_there("tmp", "0123456789abcd"),
	    "what was left is gone");
	ok(is_there("env", id) && is_there("msg", id), "and the message is not");
}

static void
test_modes(void)
{
	struct mt_err err = { 0 };
	mt_auto(mt_spool) s = NULL;
	struct stat st;

	ok(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700, "nobody else may read it");
	if (chmod(dir, 0770) < 0)
		g_error("chmod");
	s = mt_spool_open(dir, &err);
	ok(s == NULL && err.kind == MT_EPERM, "a queue that a group may write to is refused");
}

int
main(void)
{
	g_autofree char *top = g_dir_make_tmp("mt-spool-XXXXXX", NULL);
	mt_auto(mt_spool) s = NULL;
	struct mt_err err = { 0 };

	dir = g_build_filename(top, "state", "queue", NULL);
	s = mt_spool_open(dir, &err);
	ok(s != NULL, "a queue is made");
	if (s != NULL) {
		test_life(s);
	test_many(s);
	test_flush_fails();
		test_race(s);
		test_corrupt(s);
		test_strays(s);
		test_modes();
	}
	mt_file_remove_tree(top, NULL);
	g_free(dir);
	return tap_done();
}
