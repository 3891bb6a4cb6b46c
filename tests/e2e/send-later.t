#!/usr/bin/env bash
# mt-send --at and --undo: what is to be sent later, and a queue that nobody sees to
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

fake
expect '--at keeps a message back, and says until when and how it is taken back' '
	try 0 --at +2h b@x.y
	taken 0; queued 1; in_dir "$sent" 0
	grep "queued: $(id), for 20..-..-.. ..:..:.. (mt-send queue rm $(id) takes it back)" err
	mt-send queue list | grep "later"
	mt-send queue run
	mt-send queue retry
	taken 0; queued 1'
expect 'its Date is the time when it is sent' '
	at=$(mt-send queue --json | jq .next)
	date=$(mt-send queue show "$(id)" | sed -n "s/^Date: //p")
	[ "$(date -d "$date" +%s)" = "$at" ]'
expect 'when its time has come it is sent by the next run' '
	edit "e[\"not_before\"] = now"
	mt-send queue run
	taken 1; queued 0; in_dir "$sent" 1'
expect 'who names it can send it at once' '
	fake
	try 0 --at 2099-01-01T00:00Z b@x.y
	grep "for 2098-12-31\|for 2099-01-01" err
	mt-send queue retry "$(id)"
	taken 1; queued 0'
expect 'the time of a message counts from then on: it is not late, and not given up' '
	fake --reply "RCPT=451 4.2.0 later"
	try 0 --at +9d b@x.y
	edit "e[\"created\"] -= 9*86400; e[\"not_before\"] = now - 60"
	mt-send queue run
	queued 1; in_dir "$inbox" 0'
fake
expect 'sendmail takes --at and --undo, too' '
	printf "Subject: x\n\ntext\n" | mt-send --sendmail --at +1h b@x.y 2>err
	grep "queued: " err
	printf "Subject: x\n\ntext\n" | mt-send --sendmail --undo 9 b@x.y 2>err
	queued 2; taken 0'
expect 'sendmail -bs, too' '
	fake
	printf "%s\r\n" "EHLO x" "MAIL FROM:<a@x.y>" "RCPT TO:<b@x.y>" DATA "Subject: x" "" . \
	    QUIT | mt-send sendmail -bs --at +1h 2>err
	grep "queued: $(id), for " err
	queued 1; taken 0'
expect 'a time that is none, or over, or without a queue is 64, and nothing is queued' '
	fake
	try 64 --at yesterday b@x.y
	grep -- "--at \"yesterday\" is no time: write +2h" err
	try 64 --at "today 00:00" b@x.y || [ "$(date +%H%M)" = 0000 ]
	grep "that is over" err
	try 64 --at +99999w b@x.y
	grep "more than a hundred years ahead" err
	try 64 --at +1h --no-queue b@x.y
	grep "needs the queue" err
	try 64 --at +1h --undo 5 b@x.y
	try 64 --undo 0 b@x.y
	try 64 --undo 99999 b@x.y
	taken 0
	[ ! -d "$queue/env" ] || queued 0'
expect '--undo without a terminal does not wait: a run sends it when the time is over' '
	fake
	try 0 --undo 600 b@x.y
	queued 1; taken 0
	grep "queued: " err
	edit "e[\"not_before\"] = now"
	mt-send queue run
	taken 1; queued 0; in_dir "$sent" 1'
expect 'the seconds of --undo begin when the text is there' '
	fake
	{ sleep 2; echo text; } | mt-send --undo 100 -s x b@x.y 2>err
	[ "$(mt-send queue --json | jq ".next - .created")" = 100 ]'

# on_terminal SECONDS ACTION: mt-send --undo on a terminal; after the first countdown the
# Python ACTION is taken (ours is the terminal, q the id). Its screen is in screen.
on_terminal()
{
	python3 - "$1" "$2" >screen 2>&1 <<-'END'
		import os, pty, subprocess, sys
		ours, theirs = pty.openpty()
		p = subprocess.Popen(["mt-send", "--undo", sys.argv[1], "-s", "hello", "--body-file",
		    "/dev/null", "b@x.y"], stdin=theirs, stdout=theirs, stderr=theirs,
		    start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(
		    0, __import__("termios").TIOCSCTTY, 0))
		os.close(theirs)
		screen = b""
		acted = False
		while True:
		    try:
		        piece = os.read(ours, 4096)
		    except OSError:
		        break
		    screen += piece
		    if b"Sending in" in screen and not acted:
		        acted = True
		        q = subprocess.run(["mt-send", "queue", "list", "-0"],
		            capture_output=True, text=True).stdout.rstrip("\0")
		        exec(sys.argv[2])
		print(screen.decode().replace("\r", "\n"))
		sys.exit(p.wait())
	END
}
fake
expect '--undo on a terminal counts down, and sends' '
	on_terminal 1 pass
	grep "Sending in 1 s; Ctrl-C holds it back" screen
	taken 1; queued 0; in_dir "$sent" 1'
expect 'Ctrl-C holds it back, and says how to go on' '
	fake
	on_terminal 600 "os.write(ours, b\"\\x03\")"
	grep "held back: mt-send queue release $(id) sends it" screen
	taken 0; queued 1
	mt-send queue list | grep held
	mt-send queue run
	taken 0
	mt-send queue release "$(id)"
	mt-send queue run
	taken 1; queued 0'
expect 'what is removed or held from elsewhere meanwhile is not sent' '
	fake
	on_terminal 2 "subprocess.run([\"mt-send\", \"queue\", \"rm\", q])"
	grep "not in the queue any more" screen
	taken 0; queued 0
	on_terminal 2 "subprocess.run([\"mt-send\", \"queue\", \"hold\", q])"
	grep "held back" screen
	taken 0; queued 1'
expect 'killed while it waits it stays, and goes with the next run' '
	fake
	on_terminal 600 "p.kill()" || true
	taken 0; queued 1
	edit "e[\"not_before\"] = now"
	mt-send queue run
	taken 1; queued 0; in_dir "$sent" 1'

fake --reply "RCPT=451 4.2.0 later"
expect 'what stays in a queue that nobody sees to: it says so, and how to mend it' '
	try 0 b@x.y
	grep "nobody sees to the queue: .*mt-send.timer.*mt-send queue run" err
	mt-send queue run
	try 0 b@x.y
	not grep "nobody" err
	touch -d "-2 hours" "$queue/last-run"
	try 0 b@x.y
	grep "nobody" err'
done_testing
