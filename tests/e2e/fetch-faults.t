#!/usr/bin/env bash
# mt-fetch against servers that break off, refuse and lie
. "${0%/*}/../lib.sh"
need python3 sqlite3

make_ca || exit 1
port=$(free_port)
db=$HOME/.local/state/mt/fetch.sqlite
mkdir drop
start pop3 "$TOP/tests/tools/fake-pop3" --port "$port" --drop "$T/drop" --cert cert.pem \
    --key key.pem
wait_port pop3 "$port" || exit 1
client_conf "pop3://user1@localhost:$port" ""
inbox=$T/Mail/test/INBOX

# fresh N [FAULT...]: a maildrop of N messages, nothing fetched, these faults.
fresh()
{
	local i

	rm -rf drop Mail "$HOME/.local/state/mt"
	mkdir drop
	for i in $(seq "$1"); do
		printf 'Subject: message %s\r\n\r\nbody %s\r\n' "$i" "$i" \
		    >"drop/$(printf u%03d "$i")"
	done
	shift
	faults "$@"
}

faults() { rm -f drop.fault; [ $# = 0 ] || printf '%s\n' "$@" >drop.fault; }

# exactly N: the folder holds messages 1 to N, each once.
exactly()
{
	cat "$inbox"/new/* "$inbox"/cur/* 2>/dev/null | sed -n 's/^body //p' | sort -n >got
	diff <(seq "$1") got && [ -z "$(find "$inbox/tmp" -type f)" ]
}

expect 'STARTTLS is used where it is offered' '
	fresh 3
	mt-fetch
	exactly 3
	grep -q "^STLS" pop3.log'

# The connection breaks off.
expect 'broken off in a message: 75, what came before it is kept' '
	fresh 10 cut-retr=5
	status 75 mt-fetch 2>err
	cat err; grep -q "message 5: .*cut off" err
	exactly 4'
expect 'always at the same message: the others come all the same' '
	fresh 10 cut-retr=5
	status 75 mt-fetch 2>err
	status 75 mt-fetch 2>err
	cat "$inbox"/new/* | sed -n "s/^body //p" | sort -n >got
	diff <(seq 10 | grep -vx 5) got
	faults
	mt-fetch
	exactly 10'
expect 'and the next run fetches the rest, nothing twice' '
	fresh 10 cut-retr=5
	status 75 mt-fetch 2>err
	faults
	mt-fetch --json >out
	[ "$(grep -c "\"event\":\"fetched\"" out)" = 6 ]
	exactly 10'
expect 'broken off at DELE: nothing is lost, nothing comes twice' '
	fresh 5 cut-dele=3
	status 75 mt-fetch --delete 2>err
	exactly 5
	[ "$(ls drop | wc -l)" = 5 ]
	faults
	mt-fetch --delete
	exactly 5
	[ -z "$(ls drop)" ]'
expect 'broken off at QUIT: 75, and deletion is tried again' '
	fresh 5 cut-quit
	status 75 mt-fetch --delete 2>err
	grep -q "deletion was not confirmed" err
	[ "$(ls drop | wc -l)" = 5 ]
	faults
	mt-fetch --delete
	exactly 5
	[ -z "$(ls drop)" ]'
expect 'deleted, but the answer to QUIT was lost' '
	fresh 5 lose-quit
	status 75 mt-fetch --delete 2>err
	[ -z "$(ls drop)" ]
	faults
	mt-fetch --delete
	exactly 5
	[ "$(sqlite3 "$db" "SELECT count(*) FROM message WHERE gone IS NULL")" = 0 ]'
expect 'a server that hides messages for a while gives none of them twice' '
	fresh 5
	mt-fetch
	mkdir hidden
	mv drop/u00[234] hidden
	mt-fetch
	mv hidden/* drop
	mt-fetch --json >out
	grep "\"listed\":5,\"known\":5,\"fetched\":0" out
	exactly 5
	before=$(grep -c RETR pop3.log)
	mt-fetch --delete
	[ "$(grep -c RETR pop3.log)" = "$before" ]
	exactly 5
	[ -z "$(ls drop)" ]'
expect 'nor one that takes back what it has deleted' '
	fresh 5
	cp -r drop before
	mt-fetch --delete
	mt-fetch
	cp before/* drop
	mt-fetch --delete
	exactly 5
	[ -z "$(ls drop)" ]'
expect 'and another message of the same size under a UID that was hidden is fetched' '
	fresh 3
	mt-fetch
	rm drop/u002
	mt-fetch
	sed "s/body 1/body 4/" <drop/u001 >drop/u002
	mt-fetch --delete
	exactly 4
	[ -z "$(ls drop)" ]'
expect 'nor what has another size now, since the server wrote into it' '
	fresh 3
	mt-fetch
	sed -i "1a Status: RO\r" drop/u002
	mt-fetch --json >out
	grep "\"listed\":3,\"known\":3,\"fetched\":0" out
	before=$(grep -c RETR pop3.log)
	mt-fetch --delete
	[ "$(grep -c RETR pop3.log)" = "$before" ]
	exactly 3
	[ -z "$(ls drop)" ]'
expect 'another client deleted one, and its UID is that of a new message: it is fetched' '
	fresh 3
	mt-fetch
	printf "Subject: another new one\r\n\r\nbody 4\r\n" >drop/u002
	mt-fetch --delete
	exactly 4
	[ -z "$(ls drop)" ]'
expect 'and when it cannot be fetched, it is not deleted' '
	fresh 3
	mt-fetch
	printf "Subject: another new one\r\n\r\nbody 4\r\n" >drop/u002
	faults refuse-retr=2
	status 69 mt-fetch --delete
	[ "$(ls drop)" = u002 ]
	faults
	mt-fetch --delete
	exactly 4'
expect 'and a new message took the UID of one of them: it is fetched, not deleted' '
	fresh 2 lose-quit
	status 75 mt-fetch --delete 2>err
	faults
	printf "Subject: message 1\r\n\r\nbody 3\r\n" >drop/u001
	mt-fetch --delete
	exactly 3
	[ -z "$(ls drop)" ]'
expect 'QUIT refused: nothing is forgotten' '
	fresh 3 refuse-quit
	status 69 mt-fetch --delete 2>err
	grep -q -e "-ERR some deleted messages not removed" err
	faults
	mt-fetch --delete
	exactly 3'

# Single messages.
expect 'a refused message does not stop the others, and is named' '
	fresh 5 refuse-retr=2
	status 69 mt-fetch 2>err
	grep -q "RETR 2: the server says: -ERR message 2 is damaged, sorry" err
	[ "$(ls "$inbox/new" | wc -l)" = 4 ]
	faults
	mt-fetch
	exactly 5'
expect 'and is not deleted' '
	fresh 5 refuse-retr=2
	status 69 mt-fetch --delete 2>err
	[ "$(ls drop)" = u002 ]'
expect 'a message without a valid UID is named, and stays on the server' '
	fresh 5 bad-uid=3
	status 76 mt-fetch --delete 2>err
	grep -q "message 3 has no valid UID" err
	[ "$(ls drop)" = u003 ]'
expect 'a message that UIDL leaves out, too' '
	fresh 5 skip-uid=3
	status 76 mt-fetch --delete 2>err
	grep -q "message 3 has no valid UID" err
	[ "$(ls drop)" = u003 ]'
expect 'one UID for all: all are fetched, once' '
	fresh 5 same-uid
	mt-fetch
	mt-fetch
	exactly 5'
expect 'and they are deleted only in the session that fetched them' '
	fresh 5 same-uid
	mt-fetch
	mt-fetch --delete
	[ "$(ls drop | wc -l)" = 5 ]
	fresh 5 same-uid
	mt-fetch --delete
	exactly 5
	[ -z "$(ls drop)" ]'
expect 'one of them was refused, another went: what is left is fetched, then deleted' '
	fresh 2 same-uid refuse-retr=2
	status 69 mt-fetch
	rm drop/u001
	faults same-uid
	mt-fetch --delete
	exactly 2
	[ -z "$(ls drop)" ]'
expect 'and when they move up, none comes twice' '
	fresh 5 same-uid
	for i in 1 3 5; do printf "longer %s\r\n" $i >>drop/u00$i; done
	mt-fetch
	rm drop/u001
	printf "Subject: message\r\n\r\nbody 6\r\n" >drop/u006
	mt-fetch
	exactly 6'
expect 'a wrong size in LIST changes nothing' '
	fresh 5 size=1
	mt-fetch
	exactly 5
	fresh 5 size=99999999999999
	mt-fetch
	exactly 5'

# The server as a whole.
expect 'no UIDL: 69, in clear words' '
	fresh 3 no-uidl
	status 69 mt-fetch 2>err
	grep -q "cannot tell its messages apart" err'
expect 'login refused: 77, with the words of the server' '
	fresh 3 "login=-ERR [AUTH] wrong password, user1"
	status 77 mt-fetch 2>err
	grep -q "login as user1 refused: -ERR \[AUTH\] wrong password, user1" err'
expect 'login refused for now: 75' '
	fresh 3 "login=-ERR [IN-USE] locked by another session"
	status 75 mt-fetch 2>err
	grep -q -e "-ERR \[IN-USE\] locked by another session" err'
expect 'no POP3 server: 76' '
	fresh 3 "greeting=SSH-2.0-OpenSSH_9"
	status 76 mt-fetch 2>err'
expect 'a greeting that says no: 69, with the words of the server' '
	fresh 3 "greeting=-ERR go away"
	status 69 mt-fetch 2>err
	grep -q -e "-ERR go away" err'
expect 'something behind the answer to STLS: refused' '
	fresh 3 inject
	status 76 mt-fetch 2>err
	grep -q "breaks the protocol behind its words" err
	[ ! -e "$inbox/new" ] || [ -z "$(ls "$inbox/new")" ]'
expect 'nobody listens: 75' '
	stop pop3
	status 75 mt-fetch 2>err
	grep -q "localhost" err'

# Certificates.
tls=$(free_port)
start tls "$TOP/tests/tools/fake-pop3" --port "$tls" --drop "$T/drop" --cert cert.pem \
    --key key.pem --tls
wait_port tls "$tls" || exit 1
faults
client_conf "pop3s://user1@localhost:$tls" ""
expect 'cut off under TLS, without its close message: an error as any other' '
	fresh 10 cut-retr=5
	status 75 mt-fetch 2>err
	faults
	mt-fetch
	exactly 10'
expect 'an unknown authority: 69, and what the certificate is for' '
	sed -i /ca_file/d mt.conf
	status 69 mt-fetch 2>err
	grep -q "certificate is refused" err
	grep -q "expected localhost, the certificate is for localhost" err'
start other "$TOP/tests/tools/fake-pop3" --host 127.0.0.2 --port "$tls" --drop "$T/drop" \
    --cert cert.pem --key key.pem --tls
wait_for 10 port_open "$tls" 127.0.0.2
client_conf "pop3s://user1@127.0.0.2:$tls" ""
expect 'another name: 69, and both names' '
	status 69 mt-fetch 2>err
	cat err
	grep -q "expected 127.0.0.2, the certificate is for localhost, 127.0.0.1" err'
client_conf "pop3s://user1@localhost:$tls" "" "ca_file = \"$T/key.pem\""
sed -i "/ca.pem/d" mt.conf
expect 'a file of authorities that is none: 78' '
	status 78 mt-fetch 2>err; cat err'

# Our own side.
client_conf "pop3s://user1@localhost:$tls" ""
expect 'an unknown account: 78, with the names that there are' '
	status 78 mt-fetch -a nobody 2>err
	grep -q test err'
expect 'a user is missing in the URL: 78' '
	client_conf "pop3s://localhost:$tls" ""
	status 78 mt-fetch 2>err
	grep -q "names no user" err'
client_conf "pop3s://user1@localhost:$tls" ""
expect 'a damaged state is an error, never a fresh start' '
	fresh 2
	mt-fetch
	head -c 8192 /dev/urandom >"$db"
	rm -f "$db"-*
	status 74 mt-fetch 2>err
	grep -q "fetch.sqlite" err
	exactly 2'
expect 'unknown options: 64' '
	status 64 mt-fetch --nonsense
	status 64 mt-fetch --delete --keep 3
	status 64 mt-fetch --keep never
	status 64 mt-fetch argument'
if [ "$(id -u)" != 0 ]; then
	expect 'a read-only folder: 77, and nothing is deleted' '
		fresh 2
		mkdir -p Mail
		chmod a-w Mail
		status 77 mt-fetch --delete 2>err
		chmod u+w Mail
		[ "$(ls drop | wc -l)" = 2 ]'
fi
expect 'a full disk: 75, what was complete is kept, nothing is deleted' '
	fresh 3
	head -c 3000000 /dev/zero | tr "\\0" "x" >drop/u004
	( ulimit -f 1000; trap "" XFSZ; status 74 mt-fetch --delete 2>err ) ||
	( ulimit -f 1000; trap "" XFSZ; status 75 mt-fetch --delete 2>err )
	exactly 3
	[ "$(ls drop | wc -l)" = 4 ]'

done_testing
