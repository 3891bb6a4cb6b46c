#!/usr/bin/env bash
# mt-fetch against a server that does everything right
. "${0%/*}/../lib.sh"
need python3 sqlite3

make_ca || exit 1
port=$(free_port)
mkdir drop
# The messages as they are on the wire, and as they must be stored.
for i in 01 02 03; do
	printf 'Subject: m%s\r\n\r\n.dot\r\n..two\r\nbare\rcr, nul\0, 8-bit \xe4\r\n\r\n' $i >drop/m$i
done
printf 'no line end' >drop/m04
printf '\r\n' >drop/m05
: >drop/m06
printf '.\r\n' >drop/m07
head -c 300000 /dev/zero | tr '\0' x >drop/m08
printf 'a\n.\nb\r\n' >drop/m09
mkdir want
for f in drop/*; do sed 's/\r$//' "$f" >"want/${f#drop/}"; done
printf '\n' >>want/m04
printf '\n' >want/m06
printf '\n' >>want/m08
rm -f want/m0[579]
printf '\n' >want/m05
printf '.\n' >want/m07
printf 'a\n.\nb\n' >want/m09

start pop3 "$TOP/tests/tools/fake-pop3" --port "$port" --drop "$T/drop" --cert cert.pem \
    --key key.pem --tls
wait_port pop3 "$port" || exit 1
client_conf "pop3s://user1@localhost:$port" ""
inbox=$T/Mail/test/INBOX

sums() # of all files below $1, without their names
{
	find "$1" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort
}

expect '-n says what would be fetched' '
	mt-fetch -n >out
	[ "$(grep -c ^would-fetch out)" = 9 ]
	[ "$(cut -f4 out | head -n1)" = m01 ]
	[ ! -e Mail ]'
expect '-n --delete says that what would be fetched would be deleted, too; --keep keeps it' '
	mt-fetch -n --delete >out
	[ "$(grep -c ^would-fetch out)" = 9 ]
	[ "$(grep -c ^would-delete out)" = 9 ]
	mt-fetch -n --keep 1 >out
	not grep would-delete out
	[ "$(ls drop | wc -l)" = 9 ]'
expect 'nine messages are fetched, silently' '
	mt-fetch >out 2>&1
	[ ! -s out ]
	[ "$(ls "$inbox/new" | wc -l)" = 9 ]
	[ -z "$(find "$inbox/tmp" "$inbox/cur" -type f)" ]'
expect 'every byte is what was sent, with LF for CRLF' '
	diff <(sums want) <(sums "$inbox")'
expect 'the names give the right sizes' '
	for f in "$inbox"/new/*; do
		[ "${f##*,S=}" = "$(stat -c %s "$f")" ]
	done'
expect 'the second run fetches nothing' '
	mt-fetch --json >out
	[ "$(wc -l <out)" = 1 ]
	grep -q "\"known\":9,\"fetched\":0" out
	[ "$(ls "$inbox/new" | wc -l)" = 9 ]'
expect 'nor when the messages have been read, moved or removed' '
	for f in "$inbox"/new/*; do mv "$f" "$inbox/cur/${f##*/}:2,S"; done
	set -- "$inbox"/cur/*
	rm "$1"
	mt-fetch
	[ "$(ls "$inbox/new" | wc -l)" = 0 ]'
expect 'a new one is fetched, and only that' '
	printf "new\r\n" >drop/m10
	mt-fetch --json >out
	[ "$(grep -c "\"event\":\"fetched\"" out)" = 1 ]
	path=$(sed -n "s/.*\"path\":\"\([^\"]*\)\".*/\1/p" out)
	[ "$(cat "$path")" = new ]'
expect '--keep deletes nothing that is younger' '
	mt-fetch --keep 2
	[ "$(ls drop | wc -l)" = 10 ]'
expect '--keep deletes what was fetched so long ago' '
	sqlite3 "$HOME/.local/state/mt/fetch.sqlite" \
	    "UPDATE message SET time = time - 3 * 86400 WHERE uid IN (\"m01\", \"m02\")"
	mt-fetch -n --keep 2 >out
	[ "$(grep -c would-delete out)" = 2 ]
	mt-fetch --keep 2
	[ "$(ls drop | tr "\n" " ")" = "m03 m04 m05 m06 m07 m08 m09 m10 " ]'
expect '--delete deletes all that has arrived' '
	printf "newest\r\n" >drop/m11
	mt-fetch --delete --json >out
	[ -z "$(ls drop)" ]
	[ "$(grep -c "\"event\":\"deleted\"" out)" = 9 ]
	[ "$(sqlite3 "$HOME/.local/state/mt/fetch.sqlite" \
	    "SELECT count(*) FROM message WHERE gone IS NULL")" = 0 ]'
expect 'a UID that the server uses again is a new message' '
	printf "again m01\r\n" >drop/m01
	mt-fetch
	[ "$(cat "$inbox"/new/* | grep -c "again m01")" = 1 ]'
expect 'the state is for its owner only' '
	[ "$(stat -c %a "$HOME/.local/state/mt/fetch.sqlite")" = 600 ]'
expect 'XDG_STATE_HOME says where the state lies' '
	XDG_STATE_HOME=$T/state mt-fetch -n >/dev/null
	[ -e state/mt/fetch.sqlite ]'
expect 'a second mt-fetch on the same maildrop says so, and ends with 75' '
	echo slow=3 >drop.fault
	mt-fetch &
	wait_log pop3 "^UIDL" 10
	sleep 0.2
	status 75 mt-fetch 2>err
	grep -q "another mt-fetch is at work on user1@localhost" err
	wait
	rm drop.fault'

# Fifty commands in flight where the server allows it, else one.
expect 'RETR is pipelined' '
	for i in $(seq 100 299); do printf "message %s\r\n" $i >drop/p$i; done
	mt-fetch --json --delete >out
	[ "$(grep -c "\"event\":\"fetched\"" out)" = 200 ]
	[ -z "$(ls drop)" ]'
expect 'and not where the server does not offer it' '
	for i in $(seq 100 120); do printf "one %s\r\n" $i >drop/q$i; done
	echo "capa=UIDL USER" >drop.fault
	mt-fetch --json --delete >out
	rm drop.fault
	[ "$(grep -c "\"event\":\"fetched\"" out)" = 21 ]
	[ -z "$(ls drop)" ]'

# Memory: a message of 50 MiB.
head -c 40000000 /dev/urandom | base64 -w 76 | sed 's/$/\r/' >drop/big
cat >rss.py <<'END'
import resource, subprocess, sys
rc = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(rc)
END
expect 'a message of 50 MiB passes, byte for byte' '
	python3 rss.py mt-fetch >rss
	set -- $(find "$inbox/new" -size +50M)
	[ $# = 1 ]
	[ "$(sed "s/\r\$//" drop/big | sha256sum)" = "$(sha256sum <"$1")" ]'
if [ -n "$(nm "$MT_BUILD/bin/mt-fetch" | grep __asan_init)" ]; then
	skip 'in less than 64 MiB of memory' 'a sanitizer takes its own'
else
	expect 'in less than 64 MiB of memory' '[ "$(cat rss)" -lt 65536 ]; cat rss'
fi
done_testing
