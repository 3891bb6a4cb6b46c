/* snapshot.c - what a snapshot says: roots, folders and the messages in them */
#include "backup/snapshot.h"

#include <string.h>

#include "base/limits.h"
#include "maildir/name.h"

#define FIRST_LINE "mt-backup snapshot 1"
static const char list_magic[4] = { 'M', 'T', 'L', '1' };
/* directory, length, id, size, inode, mtime, nanoseconds: without the name */
#define ENTRY_SIZE (1 + 1 + MT_DIGEST_SIZE + 8 + 8 + 8 + 4)

bool
mt_backup_id_same(const struct mt_backup_id *a, const struct mt_backup_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

guint
mt_backup_id_hash(gconstpointer id)
{
	guint h;

	/* A digest is as good as any hash. */
	memcpy(&h, id, sizeof(h));
	return h;
}

gboolean
mt_backup_id_equal(gconstpointer a, gconstpointer b)
{
	return mt_backup_id_same(a, b);
}

bool
mt_backup_id_parse(struct mt_slice hex, struct mt_backup_id *out)
{
	if (hex.n != 2 * sizeof(out->b))
		return false;
	for (size_t i = 0; i < sizeof(out->b); i++) {
		int high = g_ascii_xdigit_value(hex.p[2 * i]);
		int low = g_ascii_xdigit_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0 || g_ascii_isupper(hex.p[2 * i]) ||
		    g_ascii_isupper(hex.p[2 * i + 1]))
			return false;
		out->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void
folder_free(void *p)
{
	struct mt_backup_folder *f = p;

	g_free(f->path);
	g_array_unref(f->lists);
	g_free(f);
}

static void
root_free(void *p)
{
	struct mt_backup_root *r = p;

	g_free(r->path);
	g_ptr_array_unref(r->folders);
	g_free(r);
}

struct mt_backup_snapshot *
mt_backup_snapshot_new(void)
{
	struct mt_backup_snapshot *s = g_new0(struct mt_backup_snapshot, 1);

	s->roots = g_ptr_array_new_with_free_func(root_free);
	return s;
}

void
mt_backup_snapshot_free(struct mt_backup_snapshot *s)
{
	if (s == NULL)
		return;
	g_free(s->name);
	g_free(s->host);
	g_ptr_array_unref(s->roots);
	g_free(s);
}

struct mt_backup_root *
mt_backup_snapshot_add_root(struct mt_backup_snapshot *s, const char *path)
{
	struct mt_backup_root *r = g_new0(struct mt_backup_root, 1);

	r->path = g_strdup(path);
	r->folders = g_ptr_array_new_with_free_func(folder_free);
	g_ptr_array_add(s->roots, r);
	return r;
}

struct mt_backup_folder *
mt_backup_root_add_folder(struct mt_backup_root *r, const char *path)
{
	struct mt_backup_folder *f = g_new0(struct mt_backup_folder, 1);

	f->path = g_strdup(path);
	f->lists = g_array_new(FALSE, FALSE, sizeof(struct mt_backup_id));
	g_ptr_array_add(r->folders, f);
	return f;
}

const struct mt_backup_root *
mt_backup_snapshot_root(const struct mt_backup_snapshot *s, const char *path)
{
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *r = g_ptr_array_index(s->roots, i);

		if (g_str_equal(r->path, path))
			return r;
	}
	return NULL;
}

const struct mt_backup_folder *
mt_backup_root_folder(const struct mt_backup_root *r, const char *path)
{
	for (guint i = 0; i < r->folders->len; i++) {
		const struct mt_backup_folder *f = g_ptr_array_index(r->folders, i);

		if (g_str_equal(f->path, path))
			return f;
	}
	return NULL;
}

void
mt_backup_snapshot_sum(const struct mt_backup_snapshot *s, uint64_t *messages,
    uint64_t *bytes)
{
	*messages = *bytes = 0;
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *r = g_ptr_array_index(s->roots, i);

		for (guint k = 0; k < r->folders->len; k++) {
			const struct mt_backup_folder *f =
			    g_ptr_array_index(r->folders, k);

			*messages += f->messages;
			*bytes += f->bytes;
		}
	}
}

static bool
needs_escape(unsigned char c)
{
	return c <= ' ' || c == '%' || c == 0x7f;
}

static int
append_escaped(struct mt_buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		int rc = needs_escape(c) ? mt_buf_appendf(out, "%%%02X", c) :
		    mt_buf_append_char(out, *p);

		if (rc < 0)
			return -1;
	}
	return 0;
}

/* The word without its escapes (g_free); NULL when one is wrong or hides a NUL. */
static char *
unescape(struct mt_slice word)
{
	g_autofree char *out = g_malloc(word.n + 1);
	size_t n = 0;

	while (word.n > 0) {
		int c = (unsigned char)word.p[0];
		size_t take = 1;

		if (c == '%') {
			if (word.n < 3 || !g_ascii_isxdigit(word.p[1]) ||
			    !g_ascii_isxdigit(word.p[2]))
				return NULL;
			c = g_ascii_xdigit_value(word.p[1]) << 4 |
			    g_ascii_xdigit_value(word.p[2]);
			take = 3;
		}
		if (c == 0)
			return NULL;
		out[n++] = (char)c;
		word = mt_slice_from(word, take);
	}
	out[n] = '\0';
	return g_steal_pointer(&out);
}

static int
write_folder(const struct mt_backup_folder *f, struct mt_buf *out)
{
	char hex[MT_DIGEST_HEX_SIZE];

	if (mt_buf_append_str(out, "folder ") < 0 || append_escaped(out, f->path) < 0 ||
	    mt_buf_appendf(out, " %llu %llu\n", (unsigned long long)f->messages,
	    (unsigned long long)f->bytes) < 0)
		return -1;
	for (guint i = 0; i < f->lists->len; i++) {
		mt_digest_hex(g_array_index(f->lists, struct mt_backup_id, i).b, hex);
		if (mt_buf_appendf(out, "list %s\n", hex) < 0)
			return -1;
	}
	return 0;
}

static int
write_all(const struct mt_backup_snapshot *s, struct mt_buf *out)
{
	if (mt_buf_appendf(out, FIRST_LINE "\ntime %lld\nhost ", (long long)s->time) < 0 ||
	    append_escaped(out, s->host) < 0 ||
	    mt_buf_appendf(out, "\nmissing %llu\n", (unsigned long long)s->missing) < 0)
		return -1;
	for (guint i = 0; i < s->roots->len; i++) {
		const struct mt_backup_root *r = g_ptr_array_index(s->roots, i);

		if (mt_buf_append_str(out, "root ") < 0 ||
		    append_escaped(out, r->path) < 0 || mt_buf_append_char(out, '\n') < 0)
			return -1;
		for (guint k = 0; k < r->folders->len; k++) {
			if (write_folder(g_ptr_array_index(r->folders, k), out) < 0)
				return -1;
		}
	}
	return 0;
}

int
mt_backup_snapshot_write(const struct mt_backup_snapshot *s, struct mt_buf *out,
    struct mt_err *err)
{
	uint8_t sum[MT_DIGEST_SIZE];
	char hex[MT_DIGEST_HEX_SIZE];

	if (write_all(s, out) < 0)
		goto too_long;
	mt_digest_sha256(out->p, out->n, sum);
	mt_digest_hex(sum, hex);
	if (mt_buf_appendf(out, "end %s\n", hex) == 0)
		return 0;
too_long:
	return mt_fail(err, MT_EDATA, "snapshot: longer than %zu bytes", out->max);
}

/* A path that stays below the folder where it is restored. */
static bool
is_safe_relative(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **p = parts; *p != NULL; p++) {
		if (**p == '\0' || g_str_equal(*p, ".") || g_str_equal(*p, ".."))
			return false;
	}
	return parts[0] != NULL;
}

/* The parser's state: what the lines so far have opened. */
struct parse {
	struct mt_backup_snapshot *s;
	struct mt_backup_root *root;
	struct mt_backup_folder *folder;
};

static bool
parse_time(struct parse *p, struct mt_slice rest)
{
	uint64_t v;

	if (!mt_slice_take_u64(&rest, INT64_MAX, &v) || rest.n != 0)
		return false;
	p->s->time = (int64_t)v;
	return true;
}

static bool
parse_host(struct parse *p, struct mt_slice rest)
{
	g_free(p->s->host);
	p->s->host = unescape(rest);
	return p->s->host != NULL;
}

static bool
parse_missing(struct parse *p, struct mt_slice rest)
{
	return mt_slice_take_u64(&rest, UINT64_MAX, &p->s->missing) && rest.n == 0;
}

static bool
parse_root(struct parse *p, struct mt_slice rest)
{
	g_autofree char *path = unescape(rest);

	if (path == NULL || path[0] != '/' ||
	    (path[1] != '\0' && !is_safe_relative(path + 1)))
		return false;
	p->root = mt_backup_snapshot_add_root(p->s, path);
	p->folder = NULL;
	return true;
}

static bool
parse_folder(struct parse *p, struct mt_slice rest)
{
	g_autofree char *path = NULL;
	struct mt_slice word;
	uint64_t messages, bytes;

	if (p->root == NULL || !mt_slice_take_word(&rest, &word))
		return false;
	path = unescape(word);
	if (path == NULL || (!g_str_equal(path, ".") && !is_safe_relative(path)) ||
	    !mt_slice_take_u64(&rest, INT64_MAX, &messages) ||
	    !mt_slice_take_char(&rest, ' ') ||
	    !mt_slice_take_u64(&rest, INT64_MAX, &bytes) || rest.n != 0)
		return false;
	p->folder = mt_backup_root_add_folder(p->root, path);
	p->folder->messages = messages;
	p->folder->bytes = bytes;
	return true;
}

static bool
parse_list(struct parse *p, struct mt_slice rest)
{
	struct mt_backup_id id;

	if (p->folder == NULL || !mt_backup_id_parse(rest, &id))
		return false;
	g_array_append_val(p->folder->lists, id);
	return true;
}

static bool
parse_line(struct parse *p, struct mt_slice line)
{
	static const struct {
		const char *word;
		bool (*parse)(struct parse *, struct mt_slice);
	} words[] = {
		{ "time ", parse_time },
		{ "host ", parse_host },
		{ "missing ", parse_missing },
		{ "root ", parse_root },
		{ "folder ", parse_folder },
		{ "list ", parse_list },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (mt_slice_take(&line, mt_slice_str(words[i].word)))
			return words[i].parse(p, line);
	}
	return false;
}

static bool
check_end(struct mt_slice text, const char *line, struct mt_slice sum)
{
	uint8_t want[MT_DIGEST_SIZE];
	struct mt_backup_id id;

	mt_digest_sha256(text.p, (size_t)(line - text.p), want);
	return mt_backup_id_parse(sum, &id) && memcmp(id.b, want, sizeof(want)) == 0;
}

struct mt_backup_snapshot *
mt_backup_snapshot_parse(struct mt_slice text, struct mt_err *err)
{
	mt_auto(mt_backup_snapshot) s = mt_backup_snapshot_new();
	struct parse p = { s, NULL, NULL };
	struct mt_slice rest = text, line;
	unsigned n = 1;

	if (!mt_slice_take_line(&rest, &line) || !mt_slice_eq(line, MT_SLICE(FIRST_LINE)))
		return mt_fail_null(err, MT_EDATA,
		    "line 1: damaged, or of a later version");
	while (n++, mt_slice_take_line(&rest, &line)) {
		const char *start = line.p;

		if (mt_slice_take(&line, MT_SLICE("end "))) {
			if (rest.n != 0 || !check_end(text, start, line))
				break;
			if (s->host == NULL)
				s->host = g_strdup("");
			return mt_steal(&s);
		}
		if (!parse_line(&p, line))
			return mt_fail_null(err, MT_EDATA, "line %u: damaged", n);
	}
	return mt_fail_null(err, MT_EDATA, "line %u: the checksum is wrong", n);
}

void
mt_backup_entry_free(struct mt_backup_entry *e)
{
	if (e == NULL)
		return;
	g_free(e->name);
	g_free(e);
}

GPtrArray *
mt_backup_entries_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)mt_backup_entry_free);
}

char *
mt_backup_entry_path(const struct mt_backup_entry *e)
{
	return g_strconcat(e->is_new ? "new/" : "cur/", e->name, NULL);
}

char *
mt_backup_message_path(const char *folder, const struct mt_backup_entry *e)
{
	g_autofree char *sub = mt_backup_entry_path(e);

	return g_str_equal(folder, ".") ? g_steal_pointer(&sub) :
	    g_strconcat(folder, "/", sub, NULL);
}

static void
append_number(struct mt_buf *blob, uint64_t v, size_t n)
{
	v = GUINT64_TO_LE(v);
	mt_buf_append(blob, &v, n);
}

void
mt_backup_list_append(struct mt_buf *blob, const struct mt_backup_entry *e)
{
	size_t n = strlen(e->name);

	g_assert(n > 0 && n < MT_MAILDIR_NAME_SIZE);
	if (blob->n == 0)
		mt_buf_append(blob, list_magic, sizeof(list_magic));
	append_number(blob, e->is_new ? 'n' : 'c', 1);
	append_number(blob, n, 1);
	mt_buf_append(blob, e->name, n);
	mt_buf_append(blob, e->id.b, sizeof(e->id.b));
	append_number(blob, e->size, 8);
	append_number(blob, e->inode, 8);
	append_number(blob, (uint64_t)e->mtime, 8);
	append_number(blob, e->mtime_ns, 4);
}

bool
mt_backup_list_cuts(const struct mt_backup_entry *e, size_t n)
{
	return n >= MT_BACKUP_MAX_LIST_ENTRIES ||
	    (e->id.b[31] == 0 && (e->id.b[30] & 1) == 0);
}

/* Take n bytes of a number; the caller has checked that they are there. */
static uint64_t
take_number(struct mt_slice *s, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, s->p, n);
	*s = mt_slice_from(*s, n);
	return GUINT64_FROM_LE(v);
}

static struct mt_backup_entry *
parse_entry(struct mt_slice *s)
{
	struct mt_maildir_name parsed;
	struct mt_backup_entry *e;
	uint64_t sub, n;
	char *name;

	if (s->n < ENTRY_SIZE)
		return NULL;
	sub = take_number(s, 1);
	n = take_number(s, 1);
	if ((sub != 'n' && sub != 'c') || s->n < n + ENTRY_SIZE - 2)
		return NULL;
	name = mt_slice_dup(mt_slice_first(*s, n));
	if (memchr(name, 0, n) != NULL || !mt_maildir_name_parse(name, &parsed)) {
		g_free(name);
		return NULL;
	}
	*s = mt_slice_from(*s, n);
	e = g_new0(struct mt_backup_entry, 1);
	e->name = name;
	e->is_new = sub == 'n';
	memcpy(e->id.b, s->p, sizeof(e->id.b));
	*s = mt_slice_from(*s, sizeof(e->id.b));
	e->size = take_number(s, 8);
	e->inode = take_number(s, 8);
	e->mtime = (int64_t)take_number(s, 8);
	e->mtime_ns = (uint32_t)take_number(s, 4);
	return e;
}

int
mt_backup_list_parse(struct mt_slice blob, GPtrArray *out, struct mt_err *err)
{
	struct mt_slice rest = blob;

	if (!mt_slice_take(&rest, mt_slice_mem(list_magic, sizeof(list_magic))))
		return mt_fail(err, MT_EDATA, "list: damaged, or of a later version");
	while (rest.n > 0) {
		size_t at = blob.n - rest.n;
		struct mt_backup_entry *e = parse_entry(&rest);

		if (e == NULL)
			return mt_fail(err, MT_EDATA, "list: byte %zu: damaged", at);
		g_ptr_array_add(out, e);
	}
	return 0;
}
