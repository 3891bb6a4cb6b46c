#!/usr/bin/env bash
# mt-backup where the disk, the clock or the repository is not what it should be
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
umask 077
mkdir -p Mail/{a,b}/{cur,new,tmp}
for i in 1 2 3; do
	printf 'Subject: %s\n\nmessage %s\n' $i $i >"Mail/a/cur/$i.a.h:2,S"
	printf 'Subject: %s\n\nmore %s\n' $i $i >"Mail/b/cur/$i.b.h:2,S"
done
find Mail -type f -exec touch -d '1 hour ago' {} +
mt-backup init && mt-backup create Mail >/dev/null

expect 'a configuration of a repository without its version or cipher is refused' '
	cp -a repo short
	for word in version cipher; do
		sed "/^$word/d" repo/config >short/config
		status 65 mt-backup -r short list 2>err
		grep "short/config: no \"$word\" line" err
	done
	head -n 1 repo/config >short/config
	status 65 mt-backup -r short create Mail'
done_testing
