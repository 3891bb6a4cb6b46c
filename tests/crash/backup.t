#!/usr/bin/env bash
# mt-backup is killed at every system call that writes, syncs or renames: what was saved
# stays, and the next run saves, verifies and restores everything
. "${0%/*}/../lib.sh"
. "$TOP/tests/crash/sweep.sh"
need strace
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'

KILL_CALLS="write fsync rename renameat2 unlink unlinkat mkdir"
KILL_MOST=${KILL_MOST:-25}
export MT_BACKUP_REPO=$T/repo

for f in a b; do
	mkdir -p Mail/$f/{cur,new,tmp}
	for i in 1 2 3; do
		printf 'Subject: %s\n\nmessage %s of %s\n' $i $i $f >"Mail/$f/cur/$i.$f.h:2,S"
	done
done
find Mail -exec touch -d '1 hour ago' {} +
mt-backup init && mt-backup create Mail >/dev/null
first=$(mt-backup list | cut -f1)
cp -a Mail Before
cp -a repo repo.first
# New since: messages, one of them large, flags, a folder.
printf 'Subject: new\n\nnew\n' >Mail/a/new/4.a.h
head -c 1200000 /dev/urandom >Mail/a/cur/5.a.h:2,
mv Mail/b/cur/1.b.h:2,S Mail/b/cur/1.b.h:2,RS
mkdir -p Mail/c/{cur,new,tmp}
cp Mail/a/cur/1.a.h:2,S Mail/c/cur/6.c.h:2,
find Mail -exec touch -d '1 hour ago' {} +

same() # DIR DIR: the same messages in cur/ and new/
{
	diff <(cd "$1" && find . -path '*/tmp' -prune -o -type f -exec sha256sum {} + | sort) \
	    <(cd "$2" && find . -path '*/tmp' -prune -o -type f -exec sha256sum {} + | sort)
}

fresh() { chmod -R u+w repo; rm -rf repo; cp -a repo.first repo; }

# Everything that any snapshot says is there; the first is; and the next run does it all.
holds()
{
	local s

	mt-backup verify || return
	mt-backup list >snapshots || return
	grep -q "^$first" snapshots || return
	for s in $(cut -f1 snapshots); do
		rm -rf out
		mt-backup restore -s "$s" --to out || return
		if [ "$s" = "$first" ]; then same Before out; else same Mail out; fi || return
	done
	mt-backup create Mail && mt-backup verify || return
	[ -z "$(ls repo/tmp)" ] || { echo "left in tmp: $(ls repo/tmp)"; return 1; }
	rm -rf out
	mt-backup restore --to out && same Mail out
}

diag 'create:'
kill_each fresh holds mt-backup create Mail

no_out() { rm -rf out; }

restored()
{
	mt-backup restore --to out && same Mail out
}

fresh
mt-backup create Mail >/dev/null
diag 'restore:'
kill_each no_out restored mt-backup restore --to out

no_repo() { rm -rf fresh; }

usable()
{
	[ -f fresh/config ] || mt-backup -r fresh init || return
	mt-backup -r fresh create Mail && mt-backup -r fresh verify
}

diag 'init:'
kill_each no_repo usable mt-backup -r fresh init
done_testing
