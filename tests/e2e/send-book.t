#!/usr/bin/env bash
# mt-send to a name: who that is, the mail that is there knows
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

n=0
# mail FROM TO [CC]: one message that is there
mail()
{
	n=$((n + 1))
	mkdir -p Mail/test/old/{cur,new,tmp}
	{
		printf 'From: %s\nTo: %s\n' "$1" "$2"
		[ -z "${3:-}" ] || printf 'Cc: %s\n' "$3"
		printf 'Date: Fri, 27 Nov 2026 10:00:%02d +0000\nMessage-ID: <%s@x.y>\nSubject: s\n\nx\n' \
		    "$n" "$n"
	} >"Mail/test/old/cur/$n.x:2,S"
}
library() # everything is as at the beginning
{
	fake
	mail user1@example.org 'Ada Lovelace <ada@x.y>' 'Jean Müller <jm@x.y>'
	mail user1@example.org '"Smith, Bob" <bob@x.y>, bob@other.y'
	mail 'Grace Hopper <grace@x.y>' user1@example.org
	mail 'Ada Other <ada.other@x.y>' user1@example.org
	mail 'Hopper Fan <fan@x.y>' user1@example.org
	mt-index new >/dev/null
}
expect 'a name of who was written to is an address, and it says which' '
	library
	try 0 ada
	taken 1
	grep -qx "RCPT TO:<ada@x.y>" out/1.env
	grep -q "^To: Ada Lovelace <ada@x.y>" out/1.eml
	grep "^mt-send: ada: Ada Lovelace <ada@x.y>$" err'
expect 'by several words, in any case, not only of ASCII, in To, Cc and Bcc' '
	try 0 "LOVELACE ada" -c "müller" -b jm
	taken 2
	grep -qx "RCPT TO:<ada@x.y>" out/2.env
	grep -qx "RCPT TO:<jm@x.y>" out/2.env'
expect 'who wrote, where nobody of that name was written to' '
	try 0 grace
	taken 3
	grep -qx "RCPT TO:<grace@x.y>" out/3.env'
expect 'several are listed, and nothing is sent' '
	try 64 bob
	grep "recipient \"bob\": that may be several: give the address" err
	grep "  \"Smith, Bob\" <bob@x.y>" err
	grep "  bob@other.y" err
	try 64 hopper
	taken 3'
expect 'nobody, or a part of a word only' '
	try 64 nobody
	grep "recipient \"nobody\": no @ in it, and nobody of that name" err
	try 64 love
	try 64 "ada hopper"
	taken 3'
expect '-n shows who it is; a list of addresses is no name' '
	echo x | mt-send -n -s x ada 2>/dev/null | grep -qx "RCPT TO:<ada@x.y>"
	try 64 "ada, bob@x.y"
	grep "address \"ada\": no @ in it" err
	taken 3'
expect 'words that are a query are none here' '
	try 64 "ada or grace"
	try 64 "*"
	taken 3'
expect 'without an index: it says so' '
	rm -rf Mail
	try 64 ada
	grep "recipient \"ada\": no @ in it, so a name; " err
	taken 3'
done_testing
