#!/usr/bin/env bash
# mt-index new is killed at every system call that writes, syncs or renames: the next run
# makes the index what it should be, and notmuch agrees
. "${0%/*}/../lib.sh"
. "$TOP/tests/crash/sweep.sh"
need strace notmuch
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'

KILL_CALLS="write pwrite64 fsync fdatasync rename unlink mkdir ftruncate"
KILL_MOST=${KILL_MOST:-15}
client_conf "" ""
printf '[database]\npath=%s\n' "$T/Mail" >nm.conf

message() # FOLDER NAME
{
	mkdir -p "Mail/$1"/{cur,new,tmp}
	printf 'From: a@example.org\nMessage-ID: <%s@x>\nSubject: %s\n\nx\n' "${2%%:*}" "$2" \
	    >"Mail/$1/cur/$2"
}

for i in 1 2 3 4 5 6 7 8; do
	message in "10$i.h:2,S"
done
cp -a Mail Mail.none
mt-index new >/dev/null && mt-index count >/dev/null || exit 1
NOTMUCH_CONFIG=$T/nm.conf notmuch tag +mine -- id:101.h@x
cp -a Mail Mail.old

first() { rm -rf Mail; cp -a Mail.none Mail; }

# Eight messages are indexed; one gets another flag, one goes, two come.
second()
{
	rm -rf Mail
	cp -a Mail.old Mail
	mv Mail/in/cur/101.h:2,S Mail/in/cur/101.h:2,FS
	rm Mail/in/cur/102.h:2,S
	message in 109.h:2,
	message other 110.h:2,
}

whole() # COUNT
{
	mt-index new || return
	[ "$(mt-index count)" = "$1" ] || { mt-index search '*'; return 1; }
	[ "$(mt-index count -o files '*')" = "$1" ] || return
	[ "$(NOTMUCH_CONFIG=$T/nm.conf notmuch count '*')" = "$1" ] || return
	NOTMUCH_CONFIG=$T/nm.conf notmuch new | grep -q 'No new mail'
}

first_holds() { whole 8; }

second_holds()
{
	whole 9 && [ "$(mt-index search -o messages tag:mine and tag:flagged)" = id:101.h@x ]
}

diag 'the first run:'
kill_each first first_holds mt-index new
diag 'a run with news:'
kill_each second second_holds mt-index new
done_testing
