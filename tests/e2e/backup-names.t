#!/usr/bin/env bash
# mt-backup: how messages, folders and snapshots are named, listed and asked for
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
umask 077

# message FOLDER NAME: a message file, an hour old.
message()
{
	local file=$1/cur/$2

	case $2 in *:2,*) ;; *) file=$1/new/$2 ;; esac
	mkdir -p "$1"/{cur,new,tmp}
	printf 'Subject: %s\n\n%s\n' "$2" "$1" >"$file"
	touch -d '1 hour ago' "$file"
}

mt-backup init
message Mail/work/INBOX 1.a.h:2,S
message Mail/work/Sent 2.b.h
mt-backup create Mail >/dev/null

expect 'with -0, JSON records end in a NUL, too' '
	for arg in "" latest; do
		mt-backup list -0 --json $arg | python3 -c "
import json, sys
text = sys.stdin.read()
assert text.endswith(\"\\0\") and \"\\n\" not in text, text
[json.loads(record) for record in text.split(\"\\0\")[:-1]]"
	done'
expect 'of several directories, list prints whole paths, which restore takes' '
	message one/INBOX 1.x.h:2,S; message two/INBOX 1.x.h:2,S
	mt-backup create one two >/dev/null
	mt-backup list latest >out
	printf "%s\n" "$T"/{one,two}/INBOX/cur/1.x.h:2,S | diff - out
	mt-backup restore --to apart "$(tail -n 1 out)" >/dev/null
	[ "$(cd apart && find . -type f)" = ./two/INBOX/cur/1.x.h:2,S ]
	mt-backup list --json latest >out
	grep "{\"root\":\"$T/one\",\"path\":\"INBOX/cur/1.x.h:2,S\"," out
	grep "{\"root\":\"$T/two\",\"path\":\"INBOX/cur/1.x.h:2,S\"," out
	mt-backup create Mail >/dev/null
	mt-backup list latest | grep -x work/INBOX/cur/1.a.h:2,S'
done_testing
