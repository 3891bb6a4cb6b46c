#!/usr/bin/env bash
# mt-send in the place of a system's sendmail: mailq, -q, -bs, -v, cron's mail to root
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

letter='From: user1@example.org\nTo: b@x.y\nSubject: hello\n\ntext\n'
fake
expect 'mailq of an empty queue' '
	[ "$(mailq)" = "Mail queue is empty" ]
	[ "$(sendmail -bp)" = "Mail queue is empty" ]'
fake --reply "RCPT=451 4.2.0 later, please"
expect 'mailq lists what waits as people know it' '
	printf "$letter" | sendmail b@x.y c@x.y 2>/dev/null
	printf "$letter" | sendmail -f "<>" d@x.y 2>/dev/null
	mt-send queue hold "$(mt-send queue --json | jq -r "select(.from == \"\").id")"
	mailq >list
	[ "$(grep -c "451 4.2.0 later, please)$" list)" = 3 ]
	grep -E "^[0-9a-f]{14} +[0-9]+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} ..:..:..  user1@example.org$" list
	grep -E "^[0-9a-f]{14}! .*MAILER-DAEMON$" list
	grep -x " \{41\}c@x.y" list
	tail -n 1 list | grep -x -e "-- 1 Kbytes in 2 Requests[.]"'
expect 'sendmail -q, -q15m and -qf send what is due, once' '
	now
	edit "e[\"next\"] = now"
	mt-send queue release "$(mt-send queue --json | jq -r "select(.from == \"\").id")"
	sendmail -q15m
	[ "$(find out -name "*.eml" | wc -l)" -ge 1 ]
	sendmail -q
	sendmail -qf
	status 64 sendmail -qx'
expect 'newaliases and -bi succeed and say nothing: Debian has every mail server have them' '
	[ -z "$(newaliases 2>&1)" ]
	[ -z "$(sendmail -bi 2>&1)" ]'
fake
expect 'sendmail -v says what the server answered' '
	printf "$letter" | sendmail -v b@x.y 2>err
	grep "<b@x.y> sent: .*250" err'

smtp() { printf "%b" "$@" | sendmail -bs >answers 2>err; }
fake
expect '-bs: a dialogue with CRLF; the message is in the queue before its 250' '
	smtp "EHLO me\r\nMAIL FROM:<user1@example.org> BODY=8BITMIME\r\nRCPT TO:<b@x.y>\r\nRCPT TO:<c@x.y>\r\n" \
	    "DATA\r\nSubject: by SMTP\r\nBcc: hidden@x.y\r\n\r\n..dot\r\ngrün\r\n.\r\nQUIT\r\n"
	[ "$(cut -c1-4 answers | tr -d "\n" | sed "s/250-//g")" = "220 250 250 250 250 354 250 221 " ]
	taken 1; queued 0
	[ "$(grep -c "^RCPT" out/1.env)" = 2 ]
	grep -q "^[.]dot" out/1.eml
	grep -q "^Message-ID: <" out/1.eml
	grep -q "^Date: " out/1.eml
	not grep -q "^Bcc" out/1.eml'
expect '-bs: LF ends a line as CRLF does, and so does LF.LF the message' '
	fake
	smtp "HELO me\nMAIL FROM:<>\nRCPT TO:<b@x.y>\nDATA\nSubject: one\n\ntext\n.\n" \
	    "MAIL FROM:<user1@example.org>\nRCPT TO:<c@x.y>\nDATA\nSubject: two\n\ntext\n.\nQUIT\n"
	taken 2; queued 0
	grep -q "^Subject: one" out/1.eml
	grep -q "^MAIL FROM:<>" out/1.env'
expect '-bs: whoever began with CRLF does not end a message by LF.LF' '
	fake
	smtp "HELO me\r\nMAIL FROM:<user1@example.org>\r\nRCPT TO:<b@x.y>\r\nDATA\r\nSubject: one\r\n\r\n" \
	    "text\n.\nMAIL FROM:<user1@example.org>\nRCPT TO:<smuggled@x.y>\nDATA\nx\n.\r\nQUIT\r\n"
	tail -n 1 answers | grep "^521 5.5.2"
	taken 0
	[ ! -e "$queue/env" ] || queued 0'
expect '-bs: DSN, for each recipient as asked; -N, -R and -V are for who does not say' '
	fake --ext DSN
	printf "%b" "EHLO me\r\nMAIL FROM:<user1@example.org> ENVID=an+2Bid\r\n" \
	    "RCPT TO:<b@x.y> NOTIFY=NEVER\r\nRCPT TO:<c@x.y> ORCPT=rfc822;old+2B1@x.y\r\nRCPT TO:<b@x.y>\r\n" \
	    "DATA\r\nSubject: by SMTP\r\n\r\nx\r\n.\r\nQUIT\r\n" |
	    sendmail -bs -N delay -R hdrs -V other >answers
	grep "^250-DSN" answers
	taken 1
	[ "$(wc -l <out/1.env)" = 3 ]
	grep -qx "MAIL FROM:<user1@example.org> RET=HDRS ENVID=an+2Bid" out/1.env
	grep -qx "RCPT TO:<b@x.y> NOTIFY=NEVER ORCPT=rfc822;b@x.y" out/1.env
	grep -qx "RCPT TO:<c@x.y> NOTIFY=DELAY ORCPT=rfc822;old+2B1@x.y" out/1.env'
expect '-bs: each recipient is reported as he was asked for, and as who he was at first' '
	fake --ext DSN --reply "RCPT=550 5.1.1 no such user"
	printf "%b" "EHLO me\r\nMAIL FROM:<user1@example.org>\r\n" \
	    "RCPT TO:<b@x.y> NOTIFY=NEVER\r\nRCPT TO:<c@x.y> NOTIFY=FAILURE ORCPT=rfc822;old+2B1@x.y\r\n" \
	    "DATA\r\nSubject: by SMTP\r\n\r\nx\r\n.\r\nQUIT\r\n" | status 69 sendmail -bs
	in_dir "$inbox" 1
	queued 0
	grep -qx "Original-Recipient: rfc822; old+1@x.y" "$inbox"/new/*
	not grep -q "b@x.y" "$inbox"/new/*'
expect '-bs alone: no recipients, nothing that would mix with its answers' '
	status 64 sendmail -bs b@x.y
	status 64 sendmail -bs --json
	status 64 mt-send sendmail -bs -n'
expect '-bs: without the end of the message nothing is queued' '
	fake
	smtp "HELO me\r\nMAIL FROM:<user1@example.org>\r\nRCPT TO:<b@x.y>\r\nDATA\r\nSubject: x\r\n\r\nhalf"
	taken 0
	[ ! -e "$queue/env" ] || queued 0
	not grep -q "^250 2.0.0 OK.*queued" answers'
expect '-bs: a bare CR is refused, a queue that cannot be made is a 4yz' '
	fake
	smtp "HELO me\r\nMAIL FROM:<user1@example.org>\r\nRCPT TO:<b@x.y>\r\nDATA\r\nSubject: x\r\n\r\na\rb\r\n.\r\n"
	tail -n 1 answers | grep "^5"
	: >file
	XDG_STATE_HOME=$T/file smtp "HELO me\r\n" || true
	taken 0'
expect '-bs: what has to wait is queued, with status 0' '
	fake --reply "RCPT=451 4.2.0 later"
	smtp "HELO me\r\nMAIL FROM:<user1@example.org>\r\nRCPT TO:<b@x.y>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n"
	tail -n 2 answers | head -n 1 | grep "^250"
	queued 1
	grep "queued: .*451" err'

cron='From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> run-parts\nContent-Type: text/plain; charset=UTF-8\n\noutput\n'
fake
expect 'mail for root, as cron sends it: an error that says how to have it' '
	printf "$cron" | status 64 sendmail -i -FCronDaemon -B8BITMIME -oem root 2>err
	grep "root.*no @ in it; say in mt.conf who gets mail for such names: local_mail = " err
	taken 0'
expect 'with local_mail it goes there, by name and by header' '
	sed -i "1i local_mail = \"admin@x.y\"" mt.conf
	printf "$cron" | sendmail -i -FCronDaemon -B8BITMIME -oem root
	taken 1
	grep -q "^RCPT TO:<admin@x.y>" out/1.env
	grep -q "^From: Cron Daemon <user1@example.org>" out/1.eml
	grep -q "^To: root <admin@x.y>" out/1.eml
	python3 "$TOP/tests/tools/strict_mail.py" out/1.eml
	printf "$cron" | sendmail -t -i -f root
	taken 2
	grep -q "^RCPT TO:<admin@x.y>" out/2.env
	grep -q "^MAIL FROM:<admin@x.y>" out/2.env'
expect 'mixed with addresses, too, each mailbox once' '
	fake
	printf "To: root, <daemon>, \"A B\" <c@x.y>, admin@x.y\n\nx\n" | sendmail -t
	taken 1
	[ "$(grep -c "^RCPT" out/1.env)" = 2 ]
	printf "To: a b\n\nx\n" | status 65 sendmail -t'
expect 'a local_mail that is no address is an error of the configuration' '
	sed -i "1s/.*/local_mail = \"root\"/" mt.conf
	printf "$letter" | status 78 sendmail b@x.y 2>err
	grep "mt.conf:1: local_mail" err'
done_testing
