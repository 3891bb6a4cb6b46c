#!/usr/bin/env bash
# mt-fetch against mt-serve: what lies in one Maildir lies in the other
. "${0%/*}/../lib.sh"
need mt-serve python3
make_ca
pop3=$(free_port) pop3s=$(free_port)
cat >serve.conf <<END
hostname = "mail.example.org"
mail_root = "$T/server"
domains = { "example.org" }
users = "$T/users"
user = "$(id -un)"
postmaster = "user1@example.org"
tls_certificate = "$T/cert.pem"
tls_key = "$T/key.pem"
pop3 = { "127.0.0.1:$pop3" }
pop3s = { "127.0.0.1:$pop3s" }
END
mkdir server
echo secret-1 | mt-serve -c serve.conf user add user1@example.org >user.log 2>&1 ||
    diag "$(cat user.log)"
start mt-serve mt-serve -c "$T/serve.conf"
wait_port mt-serve "$pop3s" || exit 1
drop=$T/server/example.org/user1
inbox=$T/Mail/test/INBOX

fill() # N: so many generated messages in the server's Maildir
{
	local i

	rm -rf Mail "$HOME/.local/state/mt"
	mkdir -p "$drop"/{cur,new,tmp}
	rm -f "$drop"/{cur,new}/*
	for i in $(seq "$1"); do
		printf 'Subject: %s\n8-bit: \xe4, bare\rCR\n\n.dot\n..\n.\nFrom me\n%s\n' "$i" \
		    "$(head -c $((i * 37 % 5000)) /dev/zero | tr '\0' "$((i % 10))")" \
		    >"$drop/new/$((1600000000 + i)).M1P1.test"
	done
}

sums() { find "$1/new" "$1/cur" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort; }

client_conf "pop3s://user1@example.org@localhost:$pop3s" ""
expect '300 messages over TLS, every byte as it was' '
	fill 300
	mt-fetch
	[ "$(sums "$inbox" | wc -l)" = 300 ]
	diff <(sums "$drop") <(sums "$inbox")'
expect 'nothing comes twice, and the next message comes' '
	mt-fetch
	printf "Subject: new\n\nnew\n" >"$drop/new/1700000000.M1P1.test"
	mt-fetch --json >out
	[ "$(grep -c "\"event\":\"fetched\"" out)" = 1 ]
	[ "$(sums "$inbox" | wc -l)" = 301 ]'
expect '--delete empties the maildrop' '
	mt-fetch --delete
	[ "$(sums "$drop" | wc -l)" = 0 ]
	[ "$(sums "$inbox" | wc -l)" = 301 ]'
client_conf "pop3://user1@example.org@localhost:$pop3" ""
expect 'STLS, and deletion in the same session' '
	fill 20
	sums "$drop" >want
	mt-fetch --delete
	diff want <(sums "$inbox")
	[ "$(sums "$drop" | wc -l)" = 0 ]'
expect 'a wrong password: 77, with the words of the server' '
	sed "s/secret-1/wrong/" mt.conf >wrong.conf
	status 77 mt-fetch -C wrong.conf 2>err
	cat err
	grep -q "login as user1@example.org refused: -ERR" err'
expect 'killed in the middle, again and again: nothing is lost, nothing comes twice' '
	need strace
	fill 200
	sums "$drop" >want
	for k in 1 7 20 5 12; do
		status 137 strace -f -qq -o trace -e trace=renameat2 \
		    -e inject=renameat2:signal=KILL:when=$k mt-fetch --delete
	done
	mt-fetch --delete || { sleep 1; mt-fetch --delete; }
	diff want <(sums "$inbox")
	[ "$(sums "$drop" | wc -l)" = 0 ]'
expect 'the server is killed in the middle: 75, and then all is well' '
	need strace
	fill 200
	sums "$drop" >want
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e inject=renameat2:delay_enter=20000 \
	    mt-fetch --delete >out 2>&1 &
	wait_for 30 eval "[ \$(ls $inbox/new | wc -l) -ge 40 ]"
	kill -KILL -- "-$(pid_of mt-serve)"
	rc=0; wait $! || rc=$?
	[ $rc = 75 ]
	rm -f "$T/.run/mt-serve.pid"
	start mt-serve mt-serve -c "$T/serve.conf"
	wait_port mt-serve "$pop3s"
	mt-fetch --delete
	diff want <(sums "$inbox")
	[ "$(sums "$drop" | wc -l)" = 0 ]'
done_testing
