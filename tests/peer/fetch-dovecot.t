#!/usr/bin/env bash
# mt-fetch against Dovecot
. "${0%/*}/../lib.sh"
need sqlite3 zstd tar
start_dovecot || exit 1
drop=$T/dovecot/mail/user1
inbox=$T/Mail/test/INBOX

fill() # N: so many messages of all kinds in the maildrop
{
	local i

	rm -rf "$drop" Mail "$HOME/.local/state/mt"
	mkdir -p "$drop"/{cur,new,tmp}
	for i in $(seq "$1"); do
		printf 'Subject: %s\nX: 8-bit \xe4 bare\rCR\n\n.dot\n..\n.\nFrom me\n%s\n' "$i" \
		    "$(head -c $((i * 37 % 5000)) /dev/zero | tr '\0' "$((i % 10))")" \
		    >"$drop/new/$((1600000000 + i)).M1P1.test"
	done
	chmod -R go+rwX "$T/dovecot"
}

sums() { find "$1/new" "$1/cur" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort; }

client_conf "pop3s://user1@localhost:$DOVECOT_POP3S" ""
fill 500
expect '500 messages over TLS, every byte as it was' '
	mt-fetch
	diff <(sums "$drop") <(sums "$inbox")
	[ "$(sums "$inbox" | wc -l)" = 500 ]'
expect 'nothing comes twice' '
	mt-fetch --json >out
	grep -q "\"known\":500,\"fetched\":0" out
	[ "$(sums "$inbox" | wc -l)" = 500 ]'
expect '--delete empties the maildrop' '
	mt-fetch --delete
	[ "$(sums "$drop" | wc -l)" = 0 ]
	[ "$(sums "$inbox" | wc -l)" = 500 ]'

for mech in plain login cram-md5; do
	client_conf "pop3s://user1@localhost:$DOVECOT_POP3S" "" "auth = \"$mech\""
	fill 1
	expect "the login by $mech, when the account says so" '
		mt-fetch
		[ "$(sums "$inbox" | wc -l)" = 1 ]'
done
client_conf "pop3s://user1@localhost:$DOVECOT_POP3S" "" 'auth = "xoauth2"'
expect 'a mechanism that Dovecot does not offer: 77, and what it offers' '
	status 77 mt-fetch 2>err
	grep -i "offers no XOAUTH2 (it offers: .*PLAIN" err'

client_conf "pop3://user1@localhost:$DOVECOT_POP3" ""
expect 'STARTTLS, and deletion in the same session' '
	fill 20
	sums "$drop" >want
	mt-fetch --delete
	diff want <(sums "$inbox")
	[ "$(sums "$drop" | wc -l)" = 0 ]'
expect 'a wrong password: 77, with the words of Dovecot' '
	sed "s/secret-1/wrong/" mt.conf >wrong.conf
	status 77 mt-fetch -C wrong.conf 2>err
	cat err
	grep -q "login as user1 refused: -ERR \[AUTH\] Authentication failed" err'
expect 'killed in the middle, again and again: nothing is lost, nothing comes twice' '
	need strace
	fill 300
	sums "$drop" >want
	for k in 1 7 20 5 12; do
		status 137 strace -f -qq -o trace -e trace=renameat2 \
		    -e inject=renameat2:signal=KILL:when=$k mt-fetch --delete
	done
	mt-fetch --delete
	diff want <(sums "$inbox")
	[ "$(sums "$drop" | wc -l)" = 0 ]'

# Real mail, where it lies beside the project.
mail=$TOP/../shared/mail/pi-open-iscsi.tar.zst
if [ -e "$mail" ]; then
	expect 'real mail comes as it is' '
		fill 0
		mkdir real
		tar -C real -xf "$mail"
		find real -type f -path "*/[cn]*/*" -exec cp -t "$drop/new" {} +
		chmod -R go+rwX "$T/dovecot"
		# Dovecot ends a last line that has no end: so does POP3.
		for f in "$drop"/new/*; do
			[ -z "$(tail -c1 "$f")" ] || echo >>"$f"
		done
		sums "$drop" >want
		[ "$(wc -l <want)" -gt 100 ]
		mt-fetch
		diff want <(sums "$inbox") | head -n 5
		diff -q want <(sums "$inbox")'
else
	skip 'real mail comes as it is' 'no ../shared/mail'
fi
done_testing
