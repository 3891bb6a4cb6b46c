#!/usr/bin/env bash
# mt-send --notify, --ret and --envid: what servers are asked to report, and what we do
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

fake --ext PIPELINING --ext DSN
expect 'what is asked for is said to a server with DSN, for each recipient' '
	try 0 --notify success,failure --ret hdrs --envid "id+1" b@x.y c+d@x.y
	taken 1
	grep -qx "MAIL FROM:<user1@example.org> RET=HDRS ENVID=id+2B1" out/1.env
	grep -qx "RCPT TO:<b@x.y> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x.y" out/1.env
	grep -qx "RCPT TO:<c+d@x.y> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bd@x.y" out/1.env
	[ ! -s err ]'
expect 'sendmail -N, -R and -V, and without a queue' '
	fake --ext DSN
	printf "Subject: x\n\nx\n" | mt-send --sendmail -N never -R full -V 77 b@x.y
	grep -qx "RCPT TO:<b@x.y> NOTIFY=NEVER ORCPT=rfc822;b@x.y" out/1.env
	try 0 --no-queue --notify delay b@x.y
	grep -q "NOTIFY=DELAY" out/2.env'
expect 'who asks for nothing says nothing' '
	fake --ext DSN
	try 0 b@x.y
	not grep -q "NOTIFY\|RET\|ENVID" out/1.env'
expect 'a server without DSN gets the message all the same, and it is said' '
	fake
	try 0 --notify success b@x.y
	taken 1
	not grep -q NOTIFY out/1.env
	grep "promises no reports" err
	queued 0; in_dir "$inbox" 1
	grep -qx "Action: relayed" "$inbox"/new/*
	grep -qx "Status: 2.1.9" "$inbox"/new/*
	grep -qx "Subject: Passed on: b@x.y" "$inbox"/new/*
	python3 "$TOP/tests/tools/strict_mail.py" "$inbox"/new/*
	try 0 --no-queue --notify success b@x.y
	grep "promises no reports" err
	try 0 --notify failure b@x.y
	[ ! -s err ]'
expect 'that report is kept in the queue until it can be stored' '
	fake
	mkdir -p Mail/test
	: >"$inbox"
	try 0 --notify success --save none b@x.y
	grep "the report could not be stored" err
	taken 1; queued 1
	rm "$inbox"
	edit "e[\"next\"] = now"
	mt-send queue run
	taken 1; queued 0; in_dir "$inbox" 1'
expect 'it waits in the queue with the message' '
	fake --ext DSN --reply "MAIL=451 4.2.0 later"
	try 0 --notify success --envid x b@x.y
	taken 0
	now --ext DSN
	mt-send queue retry
	grep -q "ENVID=x" out/1.env
	grep -q "NOTIFY=SUCCESS" out/1.env'
expect 'our own report: its Original-Envelope-Id; with hdrs the header only' '
	fake --ext DSN --reply "RCPT=550 5.1.1 no such user"
	try 69 --envid my-id --ret hdrs b@x.y
	in_dir "$inbox" 1
	grep -qx "Original-Envelope-Id: my-id" "$inbox"/new/*
	grep -qx "Content-Type: text/rfc822-headers" "$inbox"/new/*
	grep -qx "Subject: hello" "$inbox"/new/*
	not grep -qx text "$inbox"/new/*
	python3 "$TOP/tests/tools/strict_mail.py" "$inbox"/new/*'
expect 'who wants no report of a failure gets none, but the status tells' '
	fake --ext DSN --reply "RCPT=550 5.1.1 no such user"
	try 69 --notify never b@x.y
	grep "refused: .*550 5.1.1" err
	not grep "INBOX" err
	queued 0; in_dir "$inbox" 0'
expect 'nor of a delay, if he says so' '
	fake --ext DSN --reply "RCPT=451 4.2.0 later"
	try 0 --notify failure b@x.y
	edit "e[\"created\"] = now - 4*3600 - 60; e[\"next\"] = now"
	mt-send queue run
	queued 1; in_dir "$inbox" 0
	edit "e[\"created\"] = now - 5*86400; e[\"next\"] = now"
	mt-send queue run
	queued 0; in_dir "$inbox" 1'
expect 'a server that has gone between two transactions of one message is no trouble' '
	fake --once "GREET=220 fake.example ESMTP" --reply "GREET=421 4.3.2 busy" \
	    --reply "END=421 4.3.2 closing"
	try 0 --notify success $(seq -f "r%g@x.y" 101)
	grep "queued: " err
	queued 1'
expect 'what is no such wish is 64' '
	fake
	try 64 --notify always b@x.y
	try 64 --notify never,success b@x.y
	try 64 --ret some b@x.y
	try 64 --envid "" b@x.y
	taken 0'
expect '-n shows what is asked of the servers' '
	try 0 -n --notify success,failure --ret hdrs --envid "a b" b@x.y
	head -n 2 stdout >envelope
	printf "%s\n" "MAIL FROM:<user1@example.org> RET=HDRS ENVID=a+20b" \
	    "RCPT TO:<b@x.y> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x.y" | diff - envelope'
expect 'a draft keeps no such wish, and says so' '
	try 64 --draft --notify never b@x.y
	grep "give them to mt-send resume" err
	[ ! -e Mail/test/Drafts ]'
done_testing
