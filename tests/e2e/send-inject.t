#!/usr/bin/env bash
# mt-send inject: many finished messages, unchanged
. "${0%/*}/../lib.sh"
need python3

port=$(free_port)
mkdir out; : >options
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/out" \
    --options "$T/options"
wait_port fake "$port" || exit 1
client_conf "" "smtp://127.0.0.1:$port"
fake() # OPTION...
{
	rm -rf out; mkdir out; : >fake.log
	[ $# = 0 ] && : >options || printf '%s\n' "$@" >options
}
taken() { [ "$(find out -name '*.eml' | wc -l)" = "$1" ]; }
# One digest for each message, whatever its line ends and its name.
digests()
{
	for f; do tr -d '\r' <"$f" | sha256sum; done | sort
}
connections() { [ "$(grep -c '^EHLO' fake.log)" -le "$1" ]; }

mkdir -p md/{cur,new,tmp} md/Work/{cur,new,tmp} eml
for i in $(seq 1 40); do
	printf 'Subject: message %s\nTo: stranger@x.y\n\n.body \xe9 %s\n..\n' "$i" "$i" \
	    >"md/cur/$i.x:2,S"
done
printf 'From: a@b.c\n\nsub\n' >md/Work/new/41.x
printf 'X: y\r\n\r\ncrlf\r\n' >eml/a.eml
{ printf 'Subject: long\n\n'; head -c 200000 /dev/zero | tr '\0' y; printf '\n'; } >eml/b.eml

expect 'a Maildir with its folders goes to the given recipients, byte for byte' '
	mt-send inject -t b@x.y --to c@x.y -f s@x.y md >log
	[ "$(grep -c "^sent	md/" log)" = 41 ]
	[ "$(wc -l <log)" = 41 ]
	[ "$(digests out/*.eml)" = "$(digests md/cur/* md/Work/new/*)" ]
	not grep -q stranger out/*.env
	for e in out/*.env; do
		[ "$(sed "s/ SIZE=.*//; s/ BODY=.*//" "$e" | xargs)" = \
		    "MAIL FROM:<s@x.y> RCPT TO:<b@x.y> RCPT TO:<c@x.y>" ]
	done
	connections 4
'
expect 'with one job, over one connection, in order' '
	fake
	printf "%s\n" eml/b.eml eml/a.eml md/Work/new/41.x | mt-send inject -j 1 -t b@x.y >log
	[ "$(cut -f 2 log | xargs)" = "eml/b.eml eml/a.eml md/Work/new/41.x" ]
	connections 1
	tr -d "\r" <out/1.eml | cmp - eml/b.eml
	cmp out/2.eml eml/a.eml
'
expect 'an mbox, a directory, and paths that end in NUL' '
	fake
	printf "From a Sat Nov 21 10:00:00 2026\nA: 1\n\n>From x\n\nFrom b Sat Nov 21 10:00:00 2026\nB: 2\n\ny\n" >box
	printf "box\0eml\0" | mt-send inject -0 -j 1 -t b@x.y - >log
	[ "$(cut -f 2 log | xargs)" = "box:1 box:2 eml/a.eml eml/b.eml" ]
	printf "A: 1\r\n\r\nFrom x\r\n" | cmp - out/1.eml
'
printf 'A: b\n\nx\ry\n' >cr
printf 'A: b\n\nx\0y\n' >nul
printf 'A: b\nBcc: hidden@x.y\n\nx\n' >bcc
printf 'A: b\r\n\nx\n' >mixed
printf 'A: b\n\nx' >open
: >empty
expect 'what SMTP cannot carry is named and counted apart; the rest goes on: 65' '
	fake
	status 65 mt-send inject -j 1 -t b@x.y cr nul bcc empty eml >log 2>err
	[ "$(cut -f 1,2 log | xargs)" = "unfit cr unfit nul unfit bcc unfit empty sent eml/a.eml sent eml/b.eml" ]
	grep -q "^unfit	cr	.*CR.*line 3" log
	grep -q "^unfit	nul	.*NUL.*line 3" log
	grep -q "2 sent.*4 unfit" err
	taken 2
'
expect '--keep-bcc sends a Bcc field as it is' '
	fake
	mt-send inject -t b@x.y --keep-bcc bcc
	tr -d "\r" <out/1.eml | cmp - bcc
'
expect 'line ends that the wire cannot show are told' '
	mt-send inject -j 1 -t b@x.y mixed open >log
	grep -q "^sent	mixed	mixed line ends" log && grep -q "^sent	open	no line end" log
'
expect 'a file that cannot be read: 66, the rest goes on' '
	status 66 mt-send inject -j 1 -t b@x.y none eml/a.eml /dev/null >log
	[ "$(cut -f 1 log | xargs)" = "unreadable sent unreadable" ]
'
expect 'a directory, a link, a list that cannot be read: named, the rest goes on' '
	need strace
	fake; mkdir -p bad/sub; cp eml/a.eml bad; ln -s none bad/gone.eml; : >bad/sub/x
	status 66 mt-send inject -n -j 1 -t b@x.y bad >log
	grep -q "^unreadable	bad/gone.eml	No such file" log
	grep -q "^fit	bad/a.eml" log
	# Only root reads the paths of a process that hides its secrets, and reads any directory.
	if [ "$(id -u)" = 0 ]; then
		ASAN_OPTIONS=detect_leaks=0 status 66 strace -f -o trace -P "bad/sub" \
		    -e inject=newfstatat,openat:error=EIO mt-send inject -n -j 1 -t b@x.y bad >log
	else
		chmod 0 bad/sub
		status 66 mt-send inject -n -j 1 -t b@x.y bad >log
		chmod 700 bad/sub
	fi
	grep -qE "^unreadable	bad/sub	(Input/output|Permission denied)" log
	grep -q "^fit	bad/a.eml" log
	ASAN_OPTIONS=detect_leaks=0 status 66 strace -f -o trace \
	    -e inject=getdents64:error=EIO:when=1 mt-send inject -n -j 1 -t b@x.y bad >log
	grep -q "^unreadable	bad	.*Input/output" log
	status 66 mt-send inject -n -t b@x.y - <bad >log
	grep -q "^unreadable	the list of paths	" log
'
expect '--json' '
	mt-send inject -j 1 --json -t b@x.y eml/a.eml >log
	[ "$(cat log)" = "{\"result\":\"sent\",\"path\":\"eml/a.eml\",\"size\":14,\"text\":null}" ]
'
expect '-n checks without a connection' '
	fake
	status 65 mt-send inject -n -j 1 -t b@x.y eml cr >log
	[ "$(cut -f 1 log | xargs)" = "fit fit unfit" ]
	[ ! -s fake.log ]
'
expect 'refused and deferred: 69, 75, with the reply; the rest goes on' '
	fake --once "END=554 5.7.1 spam"
	status 69 mt-send inject -j 1 -t b@x.y eml >log
	grep -q "^refused	eml/a.eml	<b@x.y>: .*554 5.7.1 spam" log
	grep -q "^sent	eml/b" log
	fake --once "MAIL=451 later"
	status 75 mt-send inject -j 1 -t b@x.y eml >log
	grep -q "^deferred	eml/a.eml	.*later" log
	grep -q "^sent	eml/b" log
	fake "--reply" "RCPT TO:<c@=550 no"
	status 69 mt-send inject -j 1 -t b@x.y -t c@x.y eml/a.eml >log
	grep -q "^partly	eml/a.eml	<c@x.y>: .*550 no$" log
'
expect 'a lost connection is made again, and the message in doubt is not sent twice' '
	fake --once "END="
	status 75 mt-send inject -j 1 -t b@x.y md/cur/1.x:2,S md/cur/2.x:2,S md/cur/3.x:2,S >log
	[ "$(cut -f 1 log | xargs)" = "deferred sent sent" ]
	taken 2
'
expect 'a server that always hangs up is given up soon' '
	fake --reply "MAIL="
	status 75 timeout 30 mt-send inject -t b@x.y md >log
	[ "$(grep -c ^deferred log)" = 41 ]
	connections 20
'
expect 'a server that takes fewer connections gets all over those that it takes' '
	fake --most 1 --delay 20
	mt-send inject -t b@x.y md >log
	[ "$(grep -c ^sent log)" = 41 ]
	taken 41
	[ "$(grep -c "^EHLO" fake.log)" = 1 ]
'
expect 'a server that ends the session between messages is dialled again' '
	fake --per 10
	mt-send inject -j 1 -t b@x.y md >log
	[ "$(grep -c ^sent log)" = 41 ]
	taken 41
	[ "$(grep -c "^EHLO" fake.log)" = 5 ]
'
expect 'a server that takes no message is not asked for ever' '
	fake --per 0
	status 75 timeout 30 mt-send inject -j 2 -t b@x.y md >log
	[ "$(grep -c "^deferred.*421 4.7.0 enough" log)" -gt 2 ]
	connections 6
'
expect 'usage: no recipient, no message' '
	status 64 mt-send inject eml
	status 64 mt-send inject -t "not one" eml
	status 64 mt-send inject -j 0 -t b@x.y eml
'
stop fake
expect 'no server: all are deferred' '
	status 75 mt-send inject -t b@x.y md >log
	[ "$(grep -c ^deferred log)" = 41 ]
'
done_testing
