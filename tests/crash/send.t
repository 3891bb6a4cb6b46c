#!/usr/bin/env bash
# mt-send is killed at every system call that writes, syncs, renames or sends: what it
# acknowledged was taken, Sent holds nothing that was not, nothing is half there, and what
# was in the queue arrives
. "${0%/*}/../lib.sh"
. "$TOP/tests/crash/sweep.sh"
need python3 strace
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'

KILL_CALLS="write sendto fsync renameat2 mkdir"
KILL_MOST=15
port=$(free_port)
mkdir out
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/out"
wait_port fake "$port" || exit 1
client_conf "" "smtp://127.0.0.1:$port"
sent=$T/Mail/test/Sent
export XDG_STATE_HOME=$T/state
queue=$T/state/mt/queue
head -c 5000 /dev/urandom >file.bin
echo 'a text' >text
for i in 1 2 3 4; do
	printf 'Subject: message %s\n\nbody %s\n' $i $i >m$i.eml
done

fresh()
{
	rm -rf out Mail "$queue"
	mkdir out
}
quiet() # until the server has dealt with what it got
{
	local before after

	after=$(ls -l out)
	until [ "$after" = "${before-}" ] && [ -z "$(find out -name "*.part")" ]; do
		before=$after
		sleep 0.02
		after=$(ls -l out)
	done
}
taken() { find out -name '*.eml' | wc -l; }

# What is in the queue is there for the next run, which leaves one copy in Sent and nothing
# in the queue. It is sent again only where nobody can know: when the server has it and the
# envelope does not say so yet.
queued_message()
{
	local before in_queue recorded

	quiet
	before=$(taken) in_queue=$(find "$queue/env" -name '??????????????' | wc -l)
	recorded=$(cat "$queue"/env/?????????????? 2>/dev/null | grep -c '"fate":"sent"')
	mt-send queue retry || return
	quiet
	[ "$before$in_queue" = 00 ] && { nothing_in_queue; return; }
	[ "$(taken)" -ge 1 ] || { echo "lost: $in_queue in the queue, $before taken"; return 1; }
	[ "$(taken)" -le $((before + in_queue)) ] || { echo "taken $(taken) times"; return 1; }
	[ "$recorded" = 0 ] || [ "$(taken)" = "$before" ] || { echo "sent again"; return 1; }
	[ "$(find "$sent/cur" -type f | wc -l)" = 1 ] || { echo "not one copy"; return 1; }
	tr -d '\r' <out/1.eml | cmp - "$sent"/cur/* || return
	nothing_in_queue
}
nothing_in_queue() # but what is swept
{
	[ -z "$(mt-send queue list)" ] && [ -z "$(find "$queue/corrupt" -type f)" ]
}

# A killed mt-send acknowledges nothing. At most one message is out, and it is whole;
# a copy is there only if it is out, and is the same message.
new_message()
{
	local copies

	quiet
	[ "$(taken)" -le 1 ] || { echo "taken $(taken) times"; return 1; }
	copies=$(find Mail -path '*/cur/*' -o -path '*/new/*' | wc -l)
	[ "$copies" -le "$(taken)" ] || { echo "a copy of what was not taken"; return 1; }
	[ "$copies" = 0 ] || tr -d '\r' <out/1.eml | cmp - "$sent"/cur/* || return
	[ "$(taken)" = 0 ] || python3 "$TOP/tests/tools/mime_parts.py" out/1.eml >/dev/null ||
	    return
	# And it works afterwards, whatever was left.
	mt-send -s x -A file.bin --body-file text b@x.y
}

# What "sent" was said of was taken; nothing was taken twice.
many_messages()
{
	local path n body

	quiet
	for path in $(sed -n 's/^sent\t//p' killed.log); do
		n=${path//[!0-9]/} body="body $n"
		grep -qx "$body"$'\r' out/*.eml || { echo "$path was said to be sent"; return 1; }
	done
	body=$(cat out/*.eml | grep '^body' | sort | uniq -d)
	[ -z "$body" ] || { echo "twice: $body"; return 1; }
}

diag 'a new message, by the queue:'
KILL_CALLS="write sendto fsync link rename renameat2 unlink mkdir flock"
kill_each fresh queued_message mt-send -s x -A file.bin --body-file text b@x.y
diag 'a new message, without it:'
KILL_CALLS="write sendto fsync renameat2 mkdir"
kill_each fresh new_message mt-send --no-queue -s x -A file.bin --body-file text b@x.y
diag 'a reply:'
KILL_CALLS="sendto fsync renameat2"
printf 'From: b@x.y\nSubject: hello\n\nhi\n' >orig.eml
kill_each fresh new_message mt-send reply --no-queue orig.eml --body-file text
diag 'many messages, over two connections:'
KILL_CALLS="write sendto"
kill_each fresh many_messages mt-send inject -j 2 -t b@x.y m1.eml m2.eml m3.eml m4.eml
done_testing
