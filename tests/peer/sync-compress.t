#!/usr/bin/env bash
# mt-fetch and Dovecot deflate what passes between them, where Dovecot offers it (RFC 4978)
. "${0%/*}/../lib.sh"
start_dovecot 'mail_plugins = zlib' 'protocol imap {' \
    '  mail_plugins = $mail_plugins imap_zlib' '}' || exit 1
drop=$T/dovecot/mail/user1
root=$T/Mail/test
export XDG_STATE_HOME=$T/state
port=$(free_port)
start delay delay "$port" "$DOVECOT_IMAP" 0
wait_port delay "$port" || exit 1
client_conf "" ""
sed -i "s|  from = |  imap = \"imap://user1@localhost:$port\"\n&|" mt.conf

# passed: "UP DOWN", the bytes of the last connection, once it has ended
passed() { wait_for 10 eval '[ "$(grep -vc "^0 0$" delay.log)" -gt '"$1"' ]'; tail -n 1 delay.log; }
go() # ARGUMENT...: what passed is in $up and $down
{
	local before

	before=$(grep -vc "^0 0$" delay.log)
	mt-fetch "$@" >out 2>err || { cat err; return 1; }
	read -r up down < <(passed "$before")
	echo "up $up down $down"
}
# sums FOLDER: of each message, whatever its lines end in
sums() { for f in "$1"/{cur,new}/*; do tr -d "\r" <"$f" | sha256sum; done | sort; }
text() # N WORD: a message of about N lines
{
	printf 'From: a@example.org\nSubject: %s\nMessage-ID: <%s@example.org>\n\n' "$2" "$2"
	seq -f "line %g of the text of this message, $2" "$1"
}

mkdir -p "$drop"/{cur,new,tmp}
for i in $(seq 60); do
	text 400 "m$i" >"$drop/cur/$((1700000000 + i)).M$i.there:2,S"
done
[ "$(id -u)" != 0 ] || chmod -R go+rwX "$T/dovecot"

expect 'mail that can be deflated takes less than half on the way, and comes byte for byte' '
	go
	diff <(sums "$drop") <(sums "$root/INBOX")
	[ "$(sums "$root/INBOX" | wc -l)" = 60 ]
	[ $((down * 2)) -lt "$(cat "$root/INBOX"/*/* | wc -c)" ]'
expect 'so does what goes up' '
	for i in $(seq 30); do text 400 "up$i" >"$root/INBOX/new/$((1700001000 + i)).M$i.here"; done
	go
	diff <(sums "$drop") <(sums "$root/INBOX")
	[ "$(sums "$drop" | wc -l)" = 90 ]
	[ $((up * 2)) -lt "$(cat "$root/INBOX"/new/*.here* | wc -c)" ]'
expect 'a message of 4 MB that cannot is whole, either way' '
	for to in "$drop/new/1700002000.M1.there" "$root/INBOX/new/1700002001.M1.here"; do
		{ text 1 "${to##*.}"; head -c 3000000 /dev/urandom | base64; } >"$to"
	done
	chmod go+r "$drop"/new/*
	go
	diff <(sums "$drop") <(sums "$root/INBOX")
	[ "$(sums "$root/INBOX" | wc -l)" = 92 ]'
expect 'a run that finds nothing to do' '
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0" out'
done_testing
