/* select.h - which folders and messages of a snapshot a person has named */
#ifndef MT_BACKUP_SELECT_H
#define MT_BACKUP_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/repo.h"
#include "base/auto.h"

/*
 * A word names, below any root of the snapshot,
 *
 *	work/INBOX		a folder, with all below it
 *	work/INBOX/cur/NAME	a message
 *	work/INBOX/NAME		the same, with or without its flags
 *	cur/NAME, NAME		a message of a root that is a Maildir itself
 *
 * What is there under exactly this name is meant; when nothing is, the word is a shell
 * pattern (fnmatch(3)) in which "*" also stands for slashes. A folder that it begins with
 * is no part of the pattern.
 *
 * A word that begins with "/", "./" or "../", or finds nothing as a name, is a path of the
 * file system, which leads to where the mail was. So no name in the snapshot means
 * anything else in another working directory.
 */
struct mt_backup_select;

/*
 * What the words mean in this snapshot, whose lists are read for that where the folders
 * do not tell. Paths are relative to cwd. MT_ENOINPUT when a word names nothing; another
 * kind when it may name a message of a folder whose list cannot be read.
 */
struct mt_backup_select *mt_backup_select_new(struct mt_backup_repo *r,
    const struct mt_backup_snapshot *s, const char *const *words, size_t nwords,
    const char *cwd, struct mt_err *err);
void mt_backup_select_free(struct mt_backup_select *sel);

/* Whether a word names the folder, or one above it; root is its index. */
bool mt_backup_select_has_folder(const struct mt_backup_select *sel, size_t root,
    const struct mt_backup_folder *f);
/* Whether a word names this message of it. */
bool mt_backup_select_has_entry(const struct mt_backup_select *sel, size_t root,
    const struct mt_backup_folder *f, const struct mt_backup_entry *e);

MT_AUTO_DEFINE(mt_backup_select, mt_backup_select_free);

#endif
