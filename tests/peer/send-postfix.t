#!/usr/bin/env bash
# mt-send against Postfix: its smtp-sink, and a whole one with TLS and a login
. "${0%/*}/../lib.sh"
need_users
need python3 openssl

make_ca
parts() { python3 "$TOP/tests/tools/mime_parts.py" "$@"; }
head -c 200000 /dev/urandom >file.bin
# below FILE: the message under the trace fields that Postfix adds.
below() { sed '1,/^X-Ours: /{/^X-Ours: /!d}' "$1"; }

smtp_sink -d "$T/sink/%M." || exit 1
client_conf "" "smtp://127.0.0.1:$SINK_PORT"
expect 'smtp-sink gets a message with an attachment, as it was written' '
	echo "Grüße" | mt-send -s "Übersicht" -A file.bin user2@example.org
	[ "$(find sink -type f | wc -l)" = 1 ]
	sed -n "/^Date:/,\$p" sink/* >got.eml
	mkdir -p parts; parts got.eml parts >got
	cmp file.bin parts/file.bin
	grep -qx "Subject: Übersicht" got
'
ok 'Dovecot starts, for logins' start_dovecot
ok 'Postfix starts' start_postfix 'smtpd_recipient_restrictions = check_recipient_access
	inline:{ { bad@example.org = REJECT nobody here } }'
client_conf "" "smtp://user1@localhost:$POSTFIX_PORT"

printf 'X-Ours: 1\nFrom: User One <user1@example.org>\nTo: user2@example.org\n' >in.eml
printf 'Date: Sat, 21 Nov 2026 10:00:00 +0100\nMessage-ID: <1@example.org>\n' >>in.eml
printf 'Subject: \xe9t\xe9\n\n.\n..dots\nFrom here\n\xff\xfe\n' >>in.eml
expect 'by STARTTLS and a login, a finished message passes byte for byte' '
	mt-send --sendmail -oi user2@example.org <in.eml
	wait_for 20 eval "[ -n \"\$(ls postfix/Maildir/new)\" ]"
	below postfix/Maildir/new/* | cmp - in.eml
	rm postfix/Maildir/new/*
'
expect 'a new message and its reply: the same thread, the attachment whole' '
	echo text | mt-send -s hello -A file.bin -b user3@example.org user2@example.org
	wait_for 20 eval "[ \$(ls postfix/Maildir/new | wc -l) = 2 ]"
	other=$(grep -L "Delivered-To: user3" postfix/Maildir/new/*)
	not grep -q user3 "$other"
	first=$(ls postfix/Maildir/new/* | head -n 1)
	mkdir -p more; parts "$first" more >got; cmp file.bin more/file.bin
	id=$(sed -n "s/^Message-ID: //p" "$first")
	echo answer | mt-send reply "$first"
	wait_for 20 grep -qr "^In-Reply-To: $id" postfix/Maildir/new
	rm postfix/Maildir/new/*
'
for i in $(seq 50); do
	sed "s/^X-Ours: 1/X-Ours: $i/" in.eml >"m$i.eml"
done
expect 'many messages over a few connections arrive, each once and unchanged' '
	printf "%s\n" m*.eml | mt-send inject -t user4@example.org >log
	[ "$(grep -c ^sent log)" = 50 ]
	wait_for 60 eval "[ \$(ls postfix/Maildir/new | wc -l) = 50 ]"
	for f in postfix/Maildir/new/*; do
		below "$f" | cmp - "m$(sed -n "s/^X-Ours: //p" "$f").eml"
	done
'
expect 'Postfix refuses one recipient of two: the other gets it' '
	rm -f postfix/Maildir/new/*
	echo text | status 69 mt-send -s x user5@example.org bad@example.org 2>err
	grep -q "<bad@example.org> refused: .*554 5.7.1.*nobody here" err
	grep -q "1 of 2 recipients" err
	wait_for 20 grep -qr "^Delivered-To: user5@" postfix/Maildir/new
'
expect 'a wrong password is refused: 77' '
	sed -i "s/echo secret-1/echo wrong/" mt.conf
	echo text | status 77 mt-send --no-queue -s x user2@example.org
'
done_testing
