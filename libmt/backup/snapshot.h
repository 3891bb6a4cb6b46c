/* snapshot.h - what a snapshot says: roots, folders and the messages in them */
#ifndef MT_BACKUP_SNAPSHOT_H
#define MT_BACKUP_SNAPSHOT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "backup/pack.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * A snapshot file is text, one record a line; in paths and names %XX stands for bytes
 * up to space, "%" and DEL:
 *
 *	mt-backup snapshot 1
 *	time SECONDS			since 1970
 *	host NAME
 *	missing COUNT			files that could not be read
 *	root PATH			absolute; folders of it follow
 *	folder PATH MESSAGES BYTES	below the root, "." is the root itself; its lists follow
 *	list ID				a blob with some of its messages
 *	end SHA256			of all bytes before this line
 *
 * A list blob is "MTL1" and for each message (little-endian): u8 directory ('n' new,
 * 'c' cur), u8 length and name of the file, u8 id[32], u64 size, u64 inode, u64 mtime
 * (seconds), u32 nanoseconds. A folder's list is cut behind ids that end in nine zero bits, so
 * that most blobs stay the same when messages come and go.
 */

/* What a snapshot file of 50,000 folders and 10 million messages needs, and more. */
#define MT_BACKUP_MAX_SNAPSHOT MT_MIB(64)
/* Messages in one list blob at most, and so the bytes of one. */
#define MT_BACKUP_MAX_LIST_ENTRIES 4096
#define MT_BACKUP_MAX_LIST (MT_BACKUP_MAX_LIST_ENTRIES * (size_t)400)

struct mt_backup_entry {
	char *name;		/* of the file, flags and all */
	bool is_new;		/* in new/, else in cur/ */
	struct mt_backup_id id;
	uint64_t size;
	uint64_t inode;
	int64_t mtime;
	uint32_t mtime_ns;
};

struct mt_backup_folder {
	char *path;		/* relative, checked: no "..", no empty component; or "." */
	uint64_t messages;
	uint64_t bytes;
	GArray *lists;		/* struct mt_backup_id */
};

struct mt_backup_root {
	char *path;		/* absolute */
	GPtrArray *folders;	/* struct mt_backup_folder */
};

struct mt_backup_snapshot {
	char *name;		/* of its file; NULL until it has one */
	int64_t time;
	char *host;
	uint64_t missing;
	GPtrArray *roots;	/* struct mt_backup_root */
};

struct mt_backup_snapshot *mt_backup_snapshot_new(void);
void mt_backup_snapshot_free(struct mt_backup_snapshot *s);
/* Append; paths are copied. The result belongs to s. */
struct mt_backup_root *mt_backup_snapshot_add_root(struct mt_backup_snapshot *s,
    const char *path);
struct mt_backup_folder *mt_backup_root_add_folder(struct mt_backup_root *r,
    const char *path);
/* The root of that path; NULL when there is none. */
const struct mt_backup_root *mt_backup_snapshot_root(const struct mt_backup_snapshot *s,
    const char *path);
const struct mt_backup_folder *mt_backup_root_folder(const struct mt_backup_root *r,
    const char *path);
/* Messages and bytes of all folders. */
void mt_backup_snapshot_sum(const struct mt_backup_snapshot *s, uint64_t *messages,
    uint64_t *bytes);

/* The file's text, and back. MT_EDATA says which line is wrong. */
int mt_backup_snapshot_write(const struct mt_backup_snapshot *s, struct mt_buf *out,
    struct mt_err *err);
struct mt_backup_snapshot *mt_backup_snapshot_parse(struct mt_slice text,
    struct mt_err *err);

/* Append an entry to a list blob (an empty one gets its magic). */
void mt_backup_list_append(struct mt_buf *blob, const struct mt_backup_entry *e);
/* Whether a list is cut behind this entry, the nth (from 1) of its blob. */
bool mt_backup_list_cuts(const struct mt_backup_entry *e, size_t n);
/* Append the entries (struct mt_backup_entry, freed by the array) of a blob. */
int mt_backup_list_parse(struct mt_slice blob, GPtrArray *out, struct mt_err *err);
/* An array that frees its entries. */
GPtrArray *mt_backup_entries_new(void);
void mt_backup_entry_free(struct mt_backup_entry *e);
/* "cur/NAME" as it is in the folder; g_free. */
char *mt_backup_entry_path(const struct mt_backup_entry *e);
/* "work/INBOX/cur/NAME", below the root; "cur/NAME" in the folder "."; g_free. */
char *mt_backup_message_path(const char *folder, const struct mt_backup_entry *e);

/* Lower-case hex into an id. */
bool mt_backup_id_parse(struct mt_slice hex, struct mt_backup_id *out);
bool mt_backup_id_same(const struct mt_backup_id *a, const struct mt_backup_id *b);
/* For GHashTable. */
guint mt_backup_id_hash(gconstpointer id);
gboolean mt_backup_id_equal(gconstpointer a, gconstpointer b);

MT_AUTO_DEFINE(mt_backup_snapshot, mt_backup_snapshot_free);

#endif
