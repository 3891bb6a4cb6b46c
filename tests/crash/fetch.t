#!/usr/bin/env bash
# mt-fetch is killed at every system call that writes, syncs or renames: each message
# arrives, and arrives once
. "${0%/*}/../lib.sh"
. "$TOP/tests/crash/sweep.sh"
need python3 strace
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'

KILL_CALLS="write pwrite64 sendto fsync fdatasync renameat2 unlink unlinkat ftruncate mkdir"
port=$(free_port)
mkdir drop
start pop3 "$TOP/tests/tools/fake-pop3" --port "$port" --drop "$T/drop"
wait_port pop3 "$port" || exit 1
client_conf "pop3://user1@localhost:$port" ""
inbox=$T/Mail/test/INBOX
messages=4

fresh()
{
	local i

	rm -rf drop Mail "$HOME/.local/state/mt"
	mkdir drop
	for i in $(seq $messages); do
		printf 'Subject: message %s\r\n\r\nbody %s\r\n' "$i" "$i" >"drop/u$i"
	done
}

# What the next run makes of it: each message is in the Maildir, once.
exactly_once()
{
	mt-fetch "$@" || return
	cat "$inbox"/new/* "$inbox"/cur/* 2>/dev/null | sed -n 's/^body //p' | sort -n >got
	diff <(seq $messages) got
}

kept() { exactly_once; }

deleted() { exactly_once --delete && [ -z "$(ls drop)" ]; }

# The owner reads everything between the two runs.
read_meanwhile()
{
	local f

	for f in "$inbox"/new/*; do
		mv "$f" "$inbox/cur/${f##*/}:2,S"
	done
	exactly_once
}

diag 'left on the server:'
kill_each fresh kept mt-fetch
diag 'deleted on the server:'
kill_each fresh deleted mt-fetch --delete
diag 'left on the server, and read before the next run:'
KILL_CALLS="fsync renameat2"
kill_each fresh read_meanwhile mt-fetch
# All was fetched, then the server hid it, and shows it again.
fresh_again()
{
	fresh && mt-fetch && mv drop hidden && mkdir drop && mt-fetch && rmdir drop &&
	    mv hidden drop
}
diag 'fetched before, hidden by the server, and shown again:'
KILL_CALLS="pwrite64 fdatasync unlink unlinkat"
kill_each fresh_again deleted mt-fetch --delete
done_testing
