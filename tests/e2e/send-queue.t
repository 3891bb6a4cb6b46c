#!/usr/bin/env bash
# mt-send by its queue: what waits is kept and sent once, what fails is told
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

fake
expect 'what is sent at once leaves nothing in the queue, and is silent' '
	try 0 b@x.y -b hidden@x.y
	taken 1; queued 0; in_dir "$sent" 1; in_dir "$inbox" 0
	[ ! -s err ]
	[ ! -s stdout ]
	grep -qx "Bcc: hidden@x.y" "$sent"/cur/*
	not grep -q hidden out/1.eml
	ls "$sent/cur" | grep -q ":2,S$"
	[ "$(stat -c %a "$queue")" = 700 ]'
for reply in MAIL RCPT DATA END GREET; do
	fake --reply "$reply=451 4.3.0 try later"
	expect "$reply answered by 451: queued, status 0, sent by the next run that is due" "
		try 0 b@x.y
		grep -q 'queued: .*451 4.3.0 try later' err
		taken 0; queued 1; in_dir '$sent' 0
		mt-send queue run
		taken 0; queued 1
		now
		edit 'e[\"next\"] = now'
		rm -rf '$queue/route'
		mt-send queue run >stdout 2>err
		[ ! -s stdout ]
		[ ! -s err ]
		taken 1; queued 0; in_dir '$sent' 1; in_dir '$inbox' 0
	"
done
fake --reply "END="
expect 'a connection that is lost at the end is tried again, and said to be in doubt' '
	try 0 b@x.y
	queued 1; in_dir "$sent" 0
	mt-send queue why | grep "b@x.y.*waiting.*a server may have taken it"'
fake --reply "GREET="
expect 'a connection that is lost at the beginning is told as that' '
	try 0 b@x.y
	grep "queued: 127.0.0.1: the connection was lost at its beginning" err'
fake
expect 'no server: queued; retry sends it' '
	sed "s/:$port/:1/" mt.conf >down.conf
	try 0 -C down.conf b@x.y
	grep "queued: .*127.0.0.1" err
	mt-send queue retry "$(id)"
	taken 1; queued 0; in_dir "$sent" 1'
expect 'a server that cannot be reached is tried once for all that waits, then later' '
	fake
	for i in 1 2 3; do try 0 -C down.conf b@x.y; done
	[ "$(mt-send queue --json | jq -s "map(.tries) | add")" = 0 ]
	rm "$queue"/route/*
	strace -qq -e trace=none true 2>/dev/null || skip_all "strace is not allowed here"
	dials() { ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e trace=connect \
	    mt-send queue "$@" -C down.conf; grep -c "htons(1)" trace; }
	dials run >count || true
	[ "$(cat count)" -ge 1 ]
	[ "$(cat count)" -le 2 ]
	[ "$(mt-send queue --json | jq -s "map(.next > now) | all")" = true ]
	dials run >count || true
	[ "$(cat count)" = 0 ]
	queued 3'
expect 'when it is reached again all of it goes with the next run' '
	sed -i "s/\"next\":[0-9]*/\"next\":1/" "$queue"/route/to-test
	mt-send queue run
	taken 3; queued 0
	[ -z "$(ls "$queue/route")" ]'
expect 'a message that is late is told, though the server cannot be reached yet' '
	fake
	try 0 -C down.conf b@x.y
	edit "e[\"created\"] = now - 4*3600 - 60"
	mt-send queue run -C down.conf
	queued 1; in_dir "$inbox" 1'
expect 'a note of a way that is no note, or of a clock that went back, holds nothing up' '
	mt-send queue rm "$(id)"
	try 0 -C down.conf b@x.y
	echo "{" >"$queue/route/to-test"
	mt-send queue run
	taken 1
	try 0 -C down.conf b@x.y
	sed -i "s/\"next\":[0-9]*/\"next\":9999999999/" "$queue"/route/to-test
	mt-send queue run
	taken 2; queued 0'
expect 'a password that cannot be had: queued, with the reason' '
	rm -rf Mail
	{ sed "s,smtp://,smtp://me@,; /password_command/d" mt.conf | sed "/^}/d"
	  echo "password_command = \"false\""; echo "}"; } >locked.conf
	try 0 -C locked.conf b@x.y
	grep "queued: .*false" err
	queued 1
	mt-send queue rm "$(id)"
	queued 0'
fake --reply 'END=250 2.0.0 OK <theirs@prod.example> [Hostname=AB.prod.example]'
expect 'a Message-ID that the server gives instead of ours is that of the copy' '
	echo text | mt-send --json -s hello -b hid@x.y b@x.y >json
	[ "$(jq -r .message_id json)" = "<theirs@prod.example>" ]
	ours=$(tr -d "\r" <out/1.eml | sed -n "s/^Message-ID: //p")
	[ -n "$ours" ]
	grep -qx "Message-ID: <theirs@prod.example>" "$sent"/cur/*
	grep -qx "X-Original-Message-ID: $ours" "$sent"/cur/*
	[ "$(grep -ci "^message-id:" "$sent"/cur/*)" = 1 ]
	grep -qx "Bcc: hid@x.y" "$sent"/cur/*
	grep -qx "text" "$sent"/cur/*
	queued 0'
fake --reply 'RCPT TO:<bad=550 5.1.1 no such user here'
expect 'some refused: status 69, the others get it, and the INBOX has a report of it' '
	try 69 good@x.y bad@x.y
	taken 1; queued 0; in_dir "$sent" 1; in_dir "$inbox" 1
	grep "<bad@x.y> refused: .*550 5.1.1 no such user here" err
	not grep "<good" err
	python3 - "$inbox"/new/* <<-END
		import email, email.policy, sys
		m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.strict)
		assert m.get_content_type() == "multipart/report", m.get_content_type()
		text, status, whole = m.iter_parts()
		assert "<bad@x.y>" in text.get_content() and "good@" not in text.get_content()
		fields = status.get_payload()
		assert len(fields) == 2 and fields[1]["Action"] == "failed", fields
		assert fields[1]["Status"] == "5.1.1"
		assert "550 5.1.1 no such user here" in fields[1]["Diagnostic-Code"]
		assert whole.get_payload()[0]["Subject"] == "hello"
	END'
fake --reply 'RCPT TO:<busy=451 4.2.0 mailbox busy'
expect 'one of three deferred: the others get it once, he gets it later, one copy' '
	try 0 a@x.y b@x.y busy@x.y
	taken 1; queued 1; in_dir "$sent" 1
	[ "$(grep -c RCPT out/1.env)" = 2 ]
	now
	mt-send queue retry
	taken 2; queued 0; in_dir "$sent" 1
	[ "$(grep -c RCPT out/2.env)" = 1 ]
	grep -i "busy@x.y" out/2.env'
fake --reply "RCPT=451 4.2.0 later"
expect 'after four hours its sender is told once, after five days it is given up' '
	try 0 b@x.y
	edit "e[\"created\"] = now - 4*3600 - 60; e[\"next\"] = now"
	mt-send queue run
	queued 1; in_dir "$inbox" 1
	grep "^Subject: Not delivered yet: b@x.y" "$inbox"/new/*
	edit "e[\"next\"] = now"
	mt-send queue run
	in_dir "$inbox" 1
	edit "e[\"created\"] = now - 5*86400; e[\"next\"] = now"
	mt-send queue run
	taken 0; queued 0; in_dir "$inbox" 2
	grep "^Status: 4.4.7" "$inbox"/new/*
	grep "given up after 5 days; last: .*451 4.2.0 later" "$inbox"/new/*'
expect 'a clock that was set back makes nothing wait for ever' '
	fake --reply "RCPT=451 later"
	try 0 b@x.y
	edit "e[\"created\"] = e[\"next\"] = now + 400*86400"
	now
	mt-send queue run
	taken 1; queued 0'
fake --reply "RCPT=451 4.2.0 later"
expect 'held is not sent, also by a run that would; released is' '
	try 0 b@x.y
	mt-send queue hold "$(id)"
	mt-send queue list | grep "held"
	now
	edit "e[\"next\"] = now"
	mt-send queue run
	mt-send queue retry
	taken 0; queued 1
	mt-send queue release "$(id)"
	mt-send queue run
	taken 1; queued 0'
expect 'held until a time, it still waits for that when it is released; then no more' '
	fake
	try 0 --at +2h b@x.y
	mt-send queue hold "$(id)"
	mt-send queue release "$(id)"
	mt-send queue run
	mt-send queue list | grep later
	taken 0; queued 1
	mt-send queue release "$(id)"
	mt-send queue run
	taken 1; queued 0'
fake --reply "RCPT TO:<b=250 ok" --reply "RCPT TO:<c=451 4.2.0 later"
expect 'when only some wait, it is told how many, and the list has only those' '
	try 0 b@x.y c@x.y
	grep "queued: 1 of 2 recipients, .*queue why $(id)): .*451 4.2.0" err
	mt-send queue list | grep -P "<user1@example.org> -> <c@x.y>\t"'
fake --reply "RCPT=451 4.2.0 later \"today\""
expect 'what waits is listed for people, for programs, and for xargs -0' '
	try 0 b@x.y c@x.y
	mt-send queue list | grep -P "^$(id)\twaiting\t.*<user1@example.org> -> <b@x.y> and 1 more\t.*451 4.2.0"
	mt-send queue --json | python3 -c "
import json, sys
e, = map(json.loads, sys.stdin)
assert e[\"state\"] == \"waiting\" and e[\"tries\"] == 1 and e[\"account\"] == \"test\", e
assert [r[\"address\"] for r in e[\"recipients\"]] == [\"b@x.y\", \"c@x.y\"], e
assert \"later \\\"today\\\"\" in e[\"reason\"], e"
	mt-send queue list -0 | xargs -0 mt-send queue show >shown
	grep "^Subject: hello" shown
	grep "<c@x.y>.*waiting.*451" shown'
expect 'an id that is none is 66, a verb that is none 64' '
	status 66 mt-send queue rm 00000000000000 2>err
	grep "00000000000000: not in the queue" err
	status 66 mt-send queue show ../../x
	for id in 00000000000000 x; do
		status 66 mt-send queue why $id 2>err
		[ "$(cat err)" = "mt-send: $id: not in the queue" ]
	done
	status 64 mt-send queue eat 2>err
	grep "eat" err
	status 64 mt-send queue rm
	queued 1'
expect 'with --dry-run nothing is sent, changed or removed' '
	fake --reply "RCPT=451 4.2.0 later"
	try 0 b@x.y
	now
	edit "e[\"next\"] = now"
	cp "$queue/env/$(id)" before
	for verb in run retry hold release rm; do
		status 64 mt-send queue $verb -n "$(id)" 2>err
		grep "queue $verb: not with --dry-run" err
	done
	status 64 mt-send sendmail -q -n
	cmp "$queue/env/$(id)" before
	mt-send queue show -n "$(id)" | grep "^Subject: hello"
	taken 0; queued 1'
expect 'one that another process sends is left to it' '
	exec 9<"$queue/msg/$(id)"
	flock 9
	status 75 mt-send queue retry "$(id)" 2>err
	grep "another process" err
	now
	edit "e[\"next\"] = now"
	mt-send queue run
	taken 0; queued 1
	exec 9<&-
	mt-send queue run
	taken 1; queued 0'
expect 'a server that takes two messages of a client gets the next on a new connection' '
	fake --reply "RCPT=451 4.2.0 later"
	for i in 1 2 3 4 5; do try 0 b@x.y; done
	: >fake.log
	now --per 2
	mt-send queue retry
	taken 5; queued 0
	[ "$(grep -c "^EHLO" fake.log)" = 3 ]
	now --per 0
	try 0 b@x.y
	grep "queued: 421 4.7.0 enough" err'
fake --reply "RCPT=451 4.2.0 later"
expect 'two runs at once send each message once, over one connection each' '
	for i in 1 2 3 4 5 6; do try 0 b@x.y; done
	queued 6
	now
	: >fake.log
	mt-send queue retry & mt-send queue retry; wait %1
	taken 6; queued 0; in_dir "$sent" 6
	[ "$(grep -ci "EHLO" fake.log)" -le 2 ]'
fake
expect 'an envelope that is broken is moved out of the way, and told' '
	now --reply "RCPT=451 later"
	try 0 b@x.y
	try 0 c@x.y
	broken=$(id)
	echo "{" >"$queue/env/$broken"
	now
	status 65 mt-send queue retry 2>err
	grep "$broken" err
	[ -e "$queue/corrupt/$broken.msg" ]
	[ -e "$queue/corrupt/$broken.env" ]
	taken 1'
fake
fake
expect 'where no queue can be made nothing is sent, and it says why' '
	: >file
	XDG_STATE_HOME=$T/file try 74 b@x.y
	grep "nothing was sent: queue: $T/file.*Not a directory" err
	taken 0; in_dir "$sent" 0'
fake --reply "RCPT=451 4.2.0 later"
expect 'when the disk is full behind it, what is in the queue stays there: status 0' '
	need strace
	strace -qq -e trace=none true 2>/dev/null || skip_all "strace is not allowed here"
	for when in 2 3; do
		echo text | ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace \
		    -e inject=rename:error=ENOSPC:when=$when mt-send -s x b@x.y 2>err || cat err
		[ "${PIPESTATUS[1]}" = 0 ]
		grep "queue: .*No space left" err
		grep "queued: .*451" err
	done
	queued 2
	now
	mt-send queue retry
	taken 2; queued 0'
fake
expect 'with no room to record what becomes of it, a message is not sent: a run says so' '
	now --reply "RCPT=451 4.2.0 later"
	try 0 b@x.y
	now
	for i in 1 2; do
		rm -rf "$queue/route"
		edit "e[\"next\"] = now"
		ASAN_OPTIONS=detect_leaks=0 status 75 strace -f -qq -o trace \
		    -e inject=fallocate:error=ENOSPC mt-send queue run 2>err
		grep "not sent, since the queue could not record it: .*No space left" err
	done
	taken 0; queued 1
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e inject=fallocate:error=ENOSPC \
	    mt-send -s x c@x.y <mt.conf 2>err
	[ "$(grep -c "queued: not sent, since the queue could not" err)" = 1 ]
	taken 0; queued 2
	[ "$(find "$queue/env" -name "*.new")" = "" ]
	mt-send queue retry
	taken 2; queued 0'
fake
expect 'a file system that cannot reserve is written to instead, for a few and then for many' '
	now --reply "RCPT=451 4.2.0 later"
	try 0 --save none b@x.y
	few=$(id)
	mapfile -t many < <(seq -f "r%g@x.y" 120)
	try 0 "${many[@]}"
	mapfile -t ids < <(mt-send queue list -0 | tr "\0" "\n" | grep -v "$few")
	now
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace \
	    -e inject=fallocate:error=EOPNOTSUPP mt-send queue retry "$few" "${ids[@]}"
	taken 3; queued 0'
fake
expect 'what came of a hundred recipients is recorded before the next hundred are asked' '
	printf "r%d@x.y\n" $(seq 150) >rcpts
	echo text | ASAN_OPTIONS=detect_leaks=0 xargs -a rcpts strace -f -qq -o trace \
	    -e inject=fallocate:error=ENOSPC:when=2 mt-send -s x --body-file mt.conf 2>err
	grep "queued: 50 of 150 recipients.*sent to no more of them, since the queue" err
	taken 1
	mt-send queue retry
	taken 2; queued 0
	[ "$(grep -ho "^X-Rcpt: .*\|RCPT TO:<[^>]*>" fake.log | sort | uniq -d | wc -l)" = 0 ]'
fake --reply "RCPT TO:<busy=451 4.2.0 mailbox busy" --reply "RCPT TO:<gone=550 5.1.1 no such user"
expect 'the reason to wait is that of one who waits, and no refusal of the next hundred' '
	mapfile -t others < <(seq -f "r%g@x.y" 99)
	try 69 busy@x.y "${others[@]}" gone@x.y
	grep "queued: 1 of 101 recipients, .*: 451 4.2.0 mailbox busy$" err'
fake
expect 'what nobody got is not told as sent while its report cannot be stored' '
	now --reply "RCPT=550 5.1.1 no"
	mkdir -p Mail/test
	: >"$inbox"
	try 69 b@x.y
	grep "the report could not be stored" err
	mt-send queue list | grep -P "^$(id)\tfailed\t"
	[ "$(mt-send queue --json | jq -r .state)" = failed ]
	[ "$(mt-send queue retry --json | jq -r .result)" = failed ]
	rm "$inbox"
	mt-send queue retry
	taken 0; queued 0; in_dir "$inbox" 1'
fake --reply "RCPT TO:<bad=550 5.1.1 no" --reply "RCPT TO:<later=451 4.2.0 wait"
expect 'who was refused is told of once, and not by each retry for the others' '
	echo x | status 69 mt-send -s x bad@x.y later@x.y 2>err
	grep "<bad@x.y> refused" err
	mt-send queue retry 2>err
	not grep bad@x.y err
	grep "queued: 1 of 2 recipients" err'
fake --no-ext
expect 'a server without extensions gets 7 bits of what we wrote; the copy is as it was' '
	echo "grün" | mt-send -s x b@x.y
	taken 1; in_dir "$sent" 1
	not env LC_ALL=C grep -q "[^ -~[:cntrl:]]" out/1.eml
	python3 "$TOP/tests/tools/mime_parts.py" out/1.eml | grep -qF "grün\\n"
	grep -q "^grün" "$sent"/cur/*'
fake --reply "RCPT TO:<later=451 4.2.0 wait" --reply "RCPT TO:<bad=550 5.1.1 no"
expect '--json tells the result: sent, queued, failed' '
	echo x | mt-send --json -s x b@x.y | grep "\"result\":\"sent\""
	echo x | mt-send --json -s x later@x.y 2>/dev/null >json
	grep "\"result\":\"queued\"" json
	grep "\"reason\":\".*451 4.2.0 wait" json
	echo x | status 69 mt-send --json -s x bad@x.y 2>/dev/null >json
	grep "\"result\":\"failed\"" json
	echo x | status 64 mt-send --json --no-queue -s x b@x.y 2>err
	grep "leave out --no-queue" err'
expect 'what SMTP cannot carry is refused before it is queued' '
	fake
	printf "Subject: x\n\na\rb\n" | status 65 mt-send --sendmail b@x.y 2>err
	grep "bare CR" err
	[ ! -d "$queue/env" ] || queued 0'
expect 'queue with -a sees to the messages of that account only' '
	fake --reply "MAIL=451 later"
	cp mt.conf two.conf
	sed "s/account test/account other/; s/user1@/user2@/" mt.conf >>two.conf
	sed -i "2,\$ { /^maildir/d; /^local_mail/d; }" two.conf
	try 0 -C two.conf -a test b@x.y
	try 0 -C two.conf -a other c@x.y
	now
	[ "$(mt-send queue list -C two.conf -a other -0 | tr "\\0" "\\n" | wc -l)" = 1 ]
	mt-send queue retry -C two.conf -a other
	taken 1; queued 1
	mt-send queue retry -C two.conf -a test
	taken 2; queued 0'
expect 'an account of another file: it waits, and says how it is sent' '
	fake --reply "MAIL=451 later"
	try 0 b@x.y
	sed "s/account test/account other/" mt.conf >other.conf
	mt-send -C other.conf queue retry 2>err
	queued 1
	grep "of another file (mt-send -C FILE queue run): other.conf: no account \"test\"" err'
expect 'why tells that the server is not reached, which is no try of the message' '
	fake
	sed -i "s/:$port/:1/" mt.conf
	try 0 b@x.y
	sed -i "s/:1\"/:$port\"/" mt.conf
	mt-send queue why "$(id)" >why
	grep "offered 0 times to the server, which was not reached since 2" why
	grep "127.0.0.1: no connection to port 1: Connection refused" why'
done_testing
