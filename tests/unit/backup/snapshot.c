/* snapshot.c - tests of libmt/backup/snapshot.c */
#include "tap.h"

#include "backup/snapshot.h"

static struct mt_backup_entry *
entry(const char *name, bool is_new, uint8_t seed)
{
	struct mt_backup_entry *e = g_new0(struct mt_backup_entry, 1);

	e->name = g_strdup(name);
	e->is_new = is_new;
	memset(e->id.b, seed, sizeof(e->id.b));
	e->size = 1234567890123;
	e->inode = UINT64_MAX;
	e->mtime = -5;
	e->mtime_ns = 999999999;
	return e;
}

static void
check_list(void)
{
	mt_auto_value(mt_buf) blob = MT_BUF_INIT(MT_BACKUP_MAX_LIST);
	g_autoptr(GPtrArray) in = mt_backup_entries_new();
	g_autoptr(GPtrArray) out = mt_backup_entries_new();
	g_autofree char *longest = g_strnfill(255, 'n');
	struct mt_err err = { 0 };
	size_t cuts = 0, same = 0;

	g_ptr_array_add(in, entry("1.a:2,S", false, 1));
	g_ptr_array_add(in, entry("x", true, 2));
	g_ptr_array_add(in, entry(longest, false, 3));
	for (guint i = 0; i < in->len; i++)
		mt_backup_list_append(&blob, g_ptr_array_index(in, i));
	ok(mt_backup_list_parse(mt_buf_slice(&blob), out, &err) == 0, "a list is read");
	is_int(out->len, 3, "with all its entries");
	for (guint i = 0; i < out->len; i++) {
		const struct mt_backup_entry *a = g_ptr_array_index(in, i);
		const struct mt_backup_entry *b = g_ptr_array_index(out, i);

		same += g_str_equal(a->name, b->name) && a->is_new == b->is_new &&
		    mt_backup_id_same(&a->id, &b->id) && a->size == b->size &&
		    a->inode == b->inode && a->mtime == b->mtime &&
		    a->mtime_ns == b->mtime_ns;
	}
	is_int(same, 3, "as they went in");
	for (size_t n = 0; n < blob.n; n++) {
		g_autoptr(GPtrArray) some = mt_backup_entries_new();
		char *exact = tap_exact(blob.p, n);
		int rc = mt_backup_list_parse(mt_slice_mem(exact, n), some, &err);

		/* Between two entries a cut cannot be seen: the hash of the blob tells. */
		cuts += rc == 0 && n != 4 && n != 4 + 62 + 7 && n != 4 + 62 + 7 + 62 + 1;
		free(exact);
	}
	is_int(cuts, 0, "a list that is cut inside an entry is refused");
}

static void
check_bad_names(void)
{
	static const struct {
		const char *name;
		const char *promise;
	} cases[] = {
		{ "../x", "a name that climbs" },
		{ "a/b", "a name with a slash" },
		{ ".hidden", "a hidden name" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		mt_auto_value(mt_buf) blob = MT_BUF_INIT(MT_BACKUP_MAX_LIST);
		g_autoptr(GPtrArray) out = mt_backup_entries_new();
		struct mt_backup_entry *e = entry(cases[i].name, false, 1);
		struct mt_err err = { 0 };

		mt_backup_list_append(&blob, e);
		ok(mt_backup_list_parse(mt_buf_slice(&blob), out, &err) < 0 &&
		    err.kind == MT_EDATA, "%s is refused", cases[i].promise);
		mt_backup_entry_free(e);
	}
}

static void
check_cutting(void)
{
	struct mt_backup_entry *e = entry("a", false, 0xff);
	bool zeros;

	ok(!mt_backup_list_cuts(e, 1), "a list is not cut anywhere");
	ok(mt_backup_list_cuts(e, MT_BACKUP_MAX_LIST_ENTRIES), "but when it is full");
	e->id.b[31] = 0;
	e->id.b[30] = 0xfe;
	zeros = mt_backup_list_cuts(e, 1);
	ok(zeros, "and behind an id that ends in nine zero bits");
	mt_backup_entry_free(e);
}

/* The text of a snapshot with this path for its folder; g_free. */
static char *
text_of(const char *folder)
{
	mt_auto(mt_backup_snapshot) s = mt_backup_snapshot_new();
	mt_auto_value(mt_buf) text = MT_BUF_INIT(MT_BACKUP_MAX_SNAPSHOT);
	struct mt_backup_folder *f;
	struct mt_backup_id id;
	struct mt_err err = { 0 };

	memset(id.b, 0xab, sizeof(id.b));
	s->time = 1790000000;
	s->host = g_strdup("host name");
	s->missing = 7;
	f = mt_backup_root_add_folder(mt_backup_snapshot_add_root(s, "/home/a b%\n"), folder);
	f->messages = 3;
	f->bytes = 99;
	g_array_append_val(f->lists, id);
	mt_backup_snapshot_write(s, &text, &err);
	return g_strndup(text.p, text.n);
}

static void
check_text(void)
{
	g_autofree char *text = text_of("work/IN\tBOX \xc3\xa4\x7f");
	struct mt_err err = { 0 };
	mt_auto(mt_backup_snapshot) s = mt_backup_snapshot_parse(mt_slice_str(text), &err);
	const struct mt_backup_root *r;
	const struct mt_backup_folder *f;
	uint64_t messages, bytes;

	ok(s != NULL, "a snapshot is read: %s", err.msg);
	if (s == NULL)
		return;
	is_int(s->time, 1790000000, "its time");
	is_int(s->missing, 7, "what is missing");
	is_str(s->host, "host name", "its host");
	r = mt_backup_snapshot_root(s, "/home/a b%\n");
	ok(r != NULL, "a root with any byte in its path");
	f = mt_backup_root_folder(r, "work/IN\tBOX \xc3\xa4\x7f");
	ok(f != NULL && f->lists->len == 1 && f->bytes == 99, "and a folder");
	mt_backup_snapshot_sum(s, &messages, &bytes);
	is_int(messages, 3, "the sum of its messages");
	ok(mt_backup_snapshot_root(s, "/home") == NULL, "no root that is not there");
}

static void
check_damage(void)
{
	g_autofree char *text = text_of("a");
	size_t n = strlen(text), taken = 0;

	for (size_t i = 0; i < n; i++) {
		char *copy = tap_exact(text, n);
		struct mt_backup_snapshot *s;

		copy[i] = (char)(copy[i] ^ 1);
		s = mt_backup_snapshot_parse(mt_slice_mem(copy, n), NULL);
		taken += s != NULL;
		mt_backup_snapshot_free(s);
		free(copy);
		copy = tap_exact(text, i);
		s = mt_backup_snapshot_parse(mt_slice_mem(copy, i), NULL);
		/* Without its last line end it says as much. */
		taken += s != NULL && i != n - 1;
		mt_backup_snapshot_free(s);
		free(copy);
	}
	is_int(taken, 0, "a byte that is changed or missing is seen");
}

static void
check_bad_folders(void)
{
	static const char *const bad[] = { "..", "../x", "a/../b", "/abs", "a//b", "",
		"a/", "./a", "a/." };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = text_of(bad[i]);
		mt_auto(mt_backup_snapshot) s =
		    mt_backup_snapshot_parse(mt_slice_str(text), NULL);

		ok(s == NULL, "a folder called \"%s\" is refused", bad[i]);
	}
}

static void
check_ids(void)
{
	struct mt_backup_id id;
	g_autofree char *good = g_strnfill(64, 'a');

	ok(mt_backup_id_parse(mt_slice_str(good), &id), "64 digits are an id");
	ok(!mt_backup_id_parse(mt_slice_first(mt_slice_str(good), 63), &id), "63 are not");
	good[5] = 'A';
	ok(!mt_backup_id_parse(mt_slice_str(good), &id), "nor are capitals");
	good[5] = 'g';
	ok(!mt_backup_id_parse(mt_slice_str(good), &id), "nor are other letters");
}

int
main(void)
{
	check_list();
	check_bad_names();
	check_cutting();
	check_text();
	check_damage();
	check_bad_folders();
	check_ids();
	return tap_done();
}
