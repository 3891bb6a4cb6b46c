#!/usr/bin/env bash
# mt-send: what a message looks like, seen by Python's email package, and what -n prints
. "${0%/*}/../lib.sh"
need python3

export MT_CONFIG=$T/mt.conf
cat >mt.conf <<'END'
maildir = "~/Mail"
account first {
  from = "Ada Lövelace <ada@example.org>"
  smtp = "smtp://127.0.0.1:1"
}
account work {
  from = "ada@work.example"
}
END
parts() { python3 "$TOP/tests/tools/mime_parts.py" "$@"; }
# dry ARGUMENT...: what would be sent: the envelope in envelope, the message in eml.
dry()
{
	mt-send "$@" >out || return
	sed '/^$/,$d' out >envelope
	tail -c +$(($(wc -c <envelope) + 2)) out >eml
}

head -c 100000 /dev/urandom >"$T/Bild ü.png"
printf 'bare\rCR, NUL \0 and a last line' >odd.bin
printf '%%PDF-1.4\n%%\xe2\xe3\n' >a.pdf

expect 'subject, name and text are UTF-8, and come out as they went in' '
	printf "Grüße\n.\n..two dots\nFrom here\n" |
	    dry -n -s "Grüße, 你好 — und noch viel mehr Text, damit es mehrere Wörter sind" \
	    "Bøb <bob@example.net>" -c carol@example.net
	parts eml >got
	grep -qxF "From: Ada Lövelace <ada@example.org>" got
	grep -qxF "To: Bøb <bob@example.net>" got
	grep -qxF "Cc: carol@example.net" got
	grep -qxF "Subject: Grüße, 你好 — und noch viel mehr Text, damit es mehrere Wörter sind" got
	grep -qF "Grüße\\n.\\n..two dots\\nFrom here\\n" got
'
expect 'attachments arrive byte for byte, with their names and types' '
	echo text | dry -n -s x -A "Bild ü.png" -A odd.bin:application/x-odd --attach a.pdf b@x.y
	mkdir -p parts; parts eml parts >got
	cmp "Bild ü.png" "parts/Bild ü.png"
	cmp odd.bin parts/odd.bin
	cmp a.pdf parts/a.pdf
	grep -q "^part application/x-odd attachment odd.bin" got
	grep -q "^part application/pdf attachment a.pdf" got
'
expect 'a file has the name that it had, whatever that is' '
	mkdir names parts2
	set -- "a b.txt" "a\"b\\c.txt" "it'"'"'s.txt" "100%.txt" "%41.txt" "a*b.txt" \
	    "=?utf-8?q?x?=.txt" "(c).txt" "a,b;c.txt" "..a" "é ; =.txt" "$(printf "a\tb\nc")" \
	    "$(printf "x%.0s" {1..220}).txt" "$(printf "长%.0s" {1..70})" "e$(printf "\xcc\x81").txt"
	for name; do
		echo "$name" >"names/$name"
		dry -n -s x -A "names/$name" b@x.y </dev/null
		rm -rf parts2/*
		parts eml parts2 >got
		cmp "names/$name" "parts2/$name"
	done
'
expect 'every line that is sent ends in CRLF and is short' '
	python3 -c "
b = open(\"eml\", \"rb\").read()
assert b.endswith(b\"\r\n\") and b.count(b\"\n\") == b.count(b\"\r\n\") == b.count(b\"\r\")
assert max(map(len, b.split(b\"\r\n\"))) <= 998"
'
expect '-n prints the envelope, and Bcc is only there' '
	echo text | dry -n -s x b@x.y -b hidden@x.y --bcc "Hid <h2@x.y>"
	printf "MAIL FROM:<ada@example.org>\nRCPT TO:<b@x.y>\n" >want
	printf "RCPT TO:<hidden@x.y>\nRCPT TO:<h2@x.y>\n" >>want
	cmp want envelope
	not grep -qi -e hidden -e h2@x.y -e ^bcc eml
'
expect '-n prints the envelope as it would be sent: A-labels; what cannot be is 65' '
	echo text | dry -n -s x "B <b@bücher.example>" "\"a b\"@x.y" X@EXAMPLE.org
	printf "RCPT TO:<%s>\n" b@xn--bcher-kva.example "\"a b\"@x.y" X@EXAMPLE.org >want
	grep ^RCPT envelope | cmp want -
	echo text | status 65 mt-send -n -s x "b@[192.0.2.300]" >out 2>err
	grep -q "192.0.2.300" err
	[ ! -s out ]
'
expect 'an attachment that cannot be read is named, status 66' '
	echo text | status 66 mt-send -n -s x -A none.pdf b@x.y >out 2>err
	grep -q none.pdf err && [ ! -s out ]
'
expect 'header fields: ours stand, reserved ones and line ends are refused' '
	echo text | dry -n -s x -H "X-Note: grün" -H "Reply-To: r@x.y" b@x.y
	grep -q "^Reply-To: r@x.y" eml
	for h in "Bcc: e@x.y" "From: e@x.y" "Subject:" "Reply-To:" "Sender: a" "nocolon" "X: a
Bcc: e@x.y"; do
		echo text | status 64 mt-send -n -s x -H "$h" b@x.y >out
		[ ! -s out ]
	done
	echo text | status 64 mt-send -n -s "x
Bcc: e@x.y" b@x.y
'
expect 'no recipient, a bad one, an unknown option: 64, and the word is named' '
	status 64 mt-send reply --all --list x.eml 2>err </dev/null
	grep -e "--all .*--list" err
	status 64 mt-send -s x 2>err; grep -q recipient err
	echo | status 64 mt-send -s x "not an address" 2>err; grep -q "not an address" err
	status 64 mt-send --subjekt x b@x.y 2>err; grep -q -- --subject err
'
expect 'a verb behind an option is no name: it says where it stands' '
	echo | status 64 mt-send -s x reply msg.eml 2>err
	grep "reply comes first: mt-send reply MSG" err
'
expect 'a group with nobody in it stands in To' '
	echo t | dry -n -s x -b hid@x.y "undisclosed-recipients:;"
	grep -q "^To: undisclosed-recipients:;.$" eml
	grep -q "<hid@x.y>" envelope
	echo t | dry -n -s x "undisclosed-recipients:;" b@x.y
	grep -q "^To: b@x.y.$" eml
	echo t | status 64 mt-send -n -s x "undisclosed-recipients:;" 2>err
	grep -q "recipient" err
	echo t | status 64 mt-send -n -s x "(a:b)" b@x.y 2>err
	grep -q "\"(a:b)\": no address" err
'
expect 'a draft without a recipient can be looked at' '
	echo t | dry -n --draft -s x
	grep -q "^Subject: x" eml
'
expect 'an empty text needs a subject' '
	status 64 mt-send -n b@x.y 2>err
	grep -q -- -s err
	dry -n -s "job done" b@x.y
'
expect 'the account: named, by the sender, the first; an unknown one lists those there are' '
	echo t | dry -n -s x -a work b@x.y; grep -q "<ada@work.example>" envelope
	echo t | dry -n -s x -f "A <ada@work.example>" b@x.y; grep -q "^From: A <ada@work" eml
	echo t | dry -n -s x b@x.y; grep -q "<ada@example.org>" envelope
	echo t | status 78 mt-send -a none -s x b@x.y 2>err; grep -q "first, work" err
'
expect 'several authors: the account of one sends it, and Sender says so' '
	echo t | dry -n -s x -f "c@x.y, Ada <ada@work.example>" b@x.y
	grep -q "^From: c@x.y, Ada <ada@work.example>" eml
	grep -q "^Sender: ada@work.example" eml
	grep -q "MAIL FROM:<ada@work.example>" envelope
'
expect 'an account that cannot send says where and what to do' '
	echo t | status 78 mt-send -a work -s x b@x.y 2>err
	grep -q "mt.conf:6: account work.*smtp = " err
'
cat >orig.eml <<'END'
From: Bøb <bob@example.net>
To: ada@work.example, Carol <carol@example.net>
Cc: "Ada" <ADA@example.org>
Subject: =?utf-8?q?RE=3A_Gr=C3=BC=C3=9Fe?=
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <2@example.net>
References: <1@example.net>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Sch=C3=B6n.

> alt
--=20
Bob
END
expect 'a reply continues the thread, quotes, and leaves me out' '
	echo Danke | dry -n reply --all orig.eml
	parts eml >got
	printf "MAIL FROM:<ada@work.example>\nRCPT TO:<bob@example.net>\n" >want
	printf "RCPT TO:<carol@example.net>\n" >>want
	cmp want envelope
	grep -qxF "Subject: Re: Grüße" got
	grep -qxF "In-Reply-To: <2@example.net>" got
	grep -qxF "References: <1@example.net> <2@example.net>" got
	grep -qF "Danke\\n\\nOn Sat, 21 Nov 2026 10:00:00 +0100, Bøb wrote:\\n> Schön.\\n>\\n>> alt\\n" got
	not grep -q "> Bob" got
'
expect 'a reply as somebody without an account goes by that which got the message' '
	echo t | dry -n reply -f alias@x.y orig.eml
	grep -qx "MAIL FROM:<alias@x.y>" envelope
	echo t | status 78 mt-send reply -f alias@x.y orig.eml 2>err
	grep -q "account work cannot send" err
'
expect 'a reply to standard input takes its text from a file' '
	echo Danke >text
	mt-send -n reply - --body-file text <orig.eml | grep -q "^> Sch"
	status 64 mt-send reply - <orig.eml
	mt-send -n reply --no-quote orig.eml </dev/null >out
	not grep -q Sch out
'
expect 'a reply to nothing, to a file that is not there' '
	status 66 mt-send reply none.eml 2>err; grep -q none.eml err
	: >empty.eml; echo t | status 65 mt-send reply empty.eml
	echo t | status 64 mt-send reply
'
expect 'a hostile header cannot put fields into a reply' '
	printf "From: b@x.y\nSubject: =?utf-8?q?x=0D=0ABcc=3A_evil=40x.y?=\n" >evil.eml
	printf "Reply-To: =?utf-8?q?=0ABcc=3A?= <r@x.y>\nMessage-ID: <a\x01b@c>\n\nx\n" >>evil.eml
	echo t | dry -n reply evil.eml
	not grep -qi "^bcc" eml
	[ "$(cat envelope)" = "MAIL FROM:<ada@example.org>
RCPT TO:<r@x.y>" ]
'
python3 -c 'print("From: b@x.y\nTo: " + "a:" * 100000 + "\n\nx")' >groups.eml
expect 'a reply to nested groups that overflow a stack' '
	echo t | dry -n reply --all groups.eml
	grep -q "b@x.y" envelope
'
expect 'a full disk behind standard output is status 74' '
	echo t | status 74 mt-send -n -s x b@x.y >/dev/full
'
done_testing
