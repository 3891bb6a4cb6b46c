#!/usr/bin/env bash
# mt-send bounce: a message goes to others as it is, under a block of Resent fields
. "${0%/*}/../lib.sh"
need python3

export MT_CONFIG=$T/mt.conf XDG_STATE_HOME=$T/state
port=$(free_port)
cat >mt.conf <<END
maildir = "$T/Mail"
account first {
  from = "Ada Lövelace <ada@example.org>"
  smtp = "smtp://127.0.0.1:$port"
}
account work {
  from = "ada@work.example"
  smtp = "smtp://127.0.0.1:$port"
}
END
mkdir server; : >options
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/server" \
    --options "$T/options"
wait_port fake "$port" || exit 1

# What a mailbox has: trace fields, 8 bits here and there, lines of any length.
printf 'Return-Path: <bob@example.net>\nDelivered-To: ada@work.example\n' >trace
cat >rest <<'END'
Received: from a.example by b.example; Sat, 21 Nov 2026 10:00:00 +0100
Resent-From: carol@example.net
Resent-To: ada@work.example
From: =?utf-8?q?B=C3=B8b?= <bob@example.net>
To: list@example.net
cc:frank@example.net
Subject:  Grüße
X-Empty:
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <2@example.net>
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: 8bit

END
{ printf 'Sch\xf6n.\n.\n..\nFrom me\nBcc: nobody\n'; printf 'x%.0s' $(seq 1500); printf '\n\n\n'; } >>rest
{ head -n 1 trace; echo 'Bcc: hidden@example.net'; tail -n 1 trace; cat rest; } >orig.eml
tail -n 1 trace | cat - rest >want

# bounce ARGUMENT...: bounce; what the server has in got, split into block and below
bounce()
{
	rm -f server/*
	mt-send bounce "$@" 2>err || { cat err; return 1; }
	cat server/*.env >envelope
	tr -d '\r' <server/*.eml >got
	head -c -"$(wc -c <want)" got >block
	tail -c "$(wc -c <want)" got >below
}

expect 'a block on top, and every other byte as it was; no Bcc, no Return-Path' '
	for queue in "" --no-queue; do
		bounce $queue orig.eml "Eve <eve@example.net>" frank@example.net
		cmp want below
		[ "$(cut -d: -f1 block | xargs)" = "Resent-Date Resent-From Resent-To Resent-Message-ID" ]
		grep -qx "Resent-From: ada@work.example" block
		grep -qx "Resent-To: Eve <eve@example.net>, frank@example.net" block
		not grep -q hidden got
	done
'
expect 'it goes to those I name and nobody else, from the account that got it' '
	bounce orig.eml eve@example.net
	grep -q "^MAIL FROM:<ada@work.example>" envelope
	[ "$(grep -c "^RCPT" envelope)" = 1 ]
	grep -q "^RCPT TO:<eve@example.net>" envelope
	bounce -a first orig.eml eve@example.net
	grep -q "^MAIL FROM:<ada@example.org>" envelope
	grep -q "^Resent-From: =?UTF-8?.*<ada@example.org>" block
	bounce -f "z@x.y, ada@example.org" orig.eml eve@example.net
	grep -qx "Resent-From: z@x.y, ada@example.org" block
	grep -q "^Resent-Sender: .*<ada@example.org>" block
	grep -q "^MAIL FROM:<ada@example.org>" envelope
'
expect 'no copy is kept in Sent, and nothing in the queue' '
	[ -z "$(find Mail -type f)" ]
	[ -z "$(mt-send queue list)" ]
'
expect 'from CRLF, from an mbox and from standard input it is the same' '
	sed "s/\$/\r/" orig.eml >crlf.eml
	bounce crlf.eml eve@example.net
	cmp want below
	{ echo "From bob Sat Nov 21 10:00:00 2026"; cat orig.eml; } >mbox.eml
	bounce mbox.eml eve@example.net
	cmp want below
	not grep -q "^From bob" got
	bounce - eve@example.net <orig.eml
	cmp want below
'
expect 'a server without 8BITMIME gets it as it is: it is not ours to change' '
	echo "--ext=PIPELINING" >options
	for queue in "" --no-queue; do
		bounce $queue orig.eml eve@example.net
		cmp want below
	done
	: >options
'
expect 'bounced once more, the newest block is on top' '
	bounce orig.eml eve@example.net
	cp got again.eml
	mt-send -n bounce again.eml frank@example.net | tr -d "\r" >out
	grep ^Resent-To: out | tr "\n" " " >order
	grep -q "^Resent-To: frank.* Resent-To: eve.* Resent-To: ada" order
'
expect 'Python reads it without complaint, with the newest block first' '
	sed "s/^cc:/Cc: /; s/Grüße/x/; /^xxx/d" want >nice.eml
	mt-send -n bounce nice.eml eve@example.net | sed "1,/^\$/d" >nice.out
	python3 -c "
import email, email.policy
m = email.message_from_binary_file(open(\"nice.out\", \"rb\"),
    policy=email.policy.default.clone(raise_on_defect=True))
assert m.get_all(\"Resent-To\")[0] == \"eve@example.net\"
assert m[\"Message-ID\"] == \"<2@example.net>\""
'
expect '--json says what became of it; a refusal is 69' '
	bounce --json orig.eml eve@example.net >json
	grep -q "\"result\": *\"sent\"" json
	printf "%s\n" "--reply=RCPT TO:<eve=550 5.1.1 no" >options
	status 69 mt-send bounce orig.eml eve@example.net 2>err
	grep -q "<eve@example.net> refused" err
	: >options
'
expect 'what waits in the queue is sent later as it was' '
	echo "--reply=MAIL=451 4.3.0 later" >options
	rm -f server/*
	mt-send bounce orig.eml eve@example.net 2>err
	grep -q queued: err
	: >options
	mt-send queue retry
	tr -d "\r" <server/*.eml | tail -c "$(wc -c <want)" | cmp want -
'
expect 'with --at, it is dated as it will be sent' '
	mt-send -n bounce --at "2099-12-24 18:00" orig.eml eve@example.net | tr -d "\r" >out
	grep -q "^Resent-Date: Thu, 24 Dec 2099 18:00:00 +0000" out
	grep -q "^Date: Sat, 21 Nov 2026 10:00:00 +0100" out
'
expect 'no recipient, no message: 64, 65, 66, and nothing is sent' '
	rm -f server/*
	status 64 mt-send bounce orig.eml 2>err
	grep -q "no recipient" err
	status 64 mt-send bounce orig.eml "undisclosed-recipients:;" 2>err
	grep -q "no recipient" err
	status 64 mt-send bounce
	status 64 mt-send bounce orig.eml "not an address"
	echo text >none.txt
	status 65 mt-send bounce none.txt eve@example.net 2>err
	grep -q "none.txt: it is no message" err
	status 66 mt-send bounce ./none.eml eve@example.net
	printf "From: a@b\nno field\nBcc: c@d\n\nx\n" >unsure.eml
	status 65 mt-send bounce unsure.eml eve@example.net 2>err
	grep -q "line 2 is no header field" err
	printf "From: a@b\n\nx\0y\n" >nul.eml
	status 65 mt-send bounce nul.eml eve@example.net
	status 65 mt-send bounce --no-queue nul.eml eve@example.net
	[ -z "$(ls server)" ]
	[ -z "$(mt-send queue list)" ]
'
done_testing
