#!/usr/bin/env bash
# mt-send --no-queue against a server that refuses, breaks off and lies
. "${0%/*}/../lib.sh"
need python3 openssl

make_ca || exit 1
sent=$T/Mail/test/Sent
port=$(free_port)
mkdir out; : >options
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/out" \
    --options "$T/options"
wait_port fake "$port" || exit 1
fake() # OPTION...: from now on the server has these faults; nothing was sent so far
{
	rm -rf out Mail
	mkdir out
	: >fake.log
	[ $# = 0 ] && : >options || printf '%s\n' "$@" >options
}
# try STATUS ARGUMENT...: send a message; errors in err
try()
{
	local want=$1

	shift
	echo text | status "$want" mt-send --no-queue -s "$want" "$@" >stdout 2>err || { cat err; return 1; }
}
taken() { [ "$(find out -name '*.eml' | wc -l)" = "$1" ]; }	# N: messages that the server has
copies() { [ "$(find "$sent/cur" "$sent/new" -type f 2>/dev/null | wc -l)" = "$1" ]; }
# What must hold after any failure: no copy of what was not taken, and no rubbish.
nothing_kept() { copies 0 && [ -z "$(find Mail -path '*/tmp/*' -type f 2>/dev/null)" ]; }

client_conf "" "smtp://127.0.0.1:$port"

fake
expect 'a message is taken, and its copy is in Sent, seen, with its Bcc' '
	try 0 b@x.y -b hidden@x.y
	taken 1; copies 1
	[ ! -s err ]
	[ ! -s stdout ]
	tr -d "\r" <out/1.eml >want
	grep -v "^Bcc: " "$sent"/cur/* | cmp want -
	grep -qx "Bcc: hidden@x.y" "$sent"/cur/*
	not grep -q hidden out/1.eml
	grep -qi "RCPT TO:<hidden@x.y>" out/1.env
	ls "$sent/cur" | grep -q ":2,S$"
'
expect '--save none keeps none; sendmail keeps none' '
	rm -rf Mail
	try 0 --save none b@x.y
	printf "Subject: x\n\nx\n" | mt-send --sendmail b@x.y
	taken 3; copies 0
'
expect 'a message goes byte for byte, by DATA and by BDAT' '
	{ printf "Date: x\nFrom: a@x.y\nMessage-ID: <1@x>\nSubject: \xe9\n\n.\n..\n.x\n"
	  head -c 100000 /dev/urandom | base64 -w 0; printf "\n\xff\n."; } >in.eml
	mt-send --sendmail b@x.y <in.eml
	{ cat in.eml; echo; } | sed "s/\$/\r/" | cmp - out/4.eml
'
fake --ext PIPELINING --ext 8BITMIME --ext CHUNKING
expect 'the same by BDAT' '
	mt-send --sendmail b@x.y <in.eml
	{ cat in.eml; echo; } | sed "s/\$/\r/" | cmp - out/1.eml
	grep -q "^BDAT" fake.log
'
fake --no-ext
expect 'a server without extensions gets 7 bits, and the same text' '
	echo "grün" | mt-send --no-queue -s x b@x.y
	taken 1; copies 1
	not env LC_ALL=C grep -q "[^ -~[:cntrl:]]" out/1.eml
	python3 "$TOP/tests/tools/mime_parts.py" out/1.eml | grep -qF "grün\\n"
	tr -d "\r" <out/1.eml | cmp - "$sent"/cur/*
'

fake --reply 'RCPT TO:<bad=550 5.1.1 no such user here'
expect 'some refused: the others get it, each refused one is named with the reply, 69' '
	try 69 good@x.y -c bad1@x.y -b bad2@x.y
	taken 1; copies 1
	grep -q "<bad1@x.y> refused: .*550.*5.1.1 no such user here" err
	grep -q "<bad2@x.y> refused: .*no such user" err
	grep -q "1 of 3 recipients got" err
	not grep -q "<good" err
'
expect 'all refused: 69, nobody got it' '
	rm -rf Mail
	try 69 bad@x.y
	taken 1; nothing_kept
	grep -q "nobody got" err
'
fake --reply 'RCPT TO:<busy=451 4.2.0 mailbox busy'
expect 'one of three deferred: 75, the others get it' '
	try 75 a@x.y b@x.y busy@x.y
	taken 1; copies 1
	grep -q "<busy@x.y> not now: .*mailbox busy" err
	[ "$(grep -c RCPT out/1.env)" = 2 ]
'
expect 'refused weighs more than deferred' '
	fake --reply "RCPT TO:<busy=451 later" --reply "RCPT TO:<bad=550 no"
	try 69 a@x.y busy@x.y bad@x.y
'
for reply in '451 4.3.0 try later=75' '554 5.7.1 spam=69' '421 4.3.2 shutting down=75'; do
	text=${reply%=*} want=${reply##*=}
	for verb in MAIL RCPT DATA END; do
		fake --reply "$verb=$text"
		expect "$verb answered by ${text%% *}: status $want, nothing is kept" "
			try $want b@x.y
			taken 0; nothing_kept
			grep -qF '${text#* }' err
		"
	done
done
for verb in GREET EHLO MAIL RCPT DATA END; do
	fake --reply "$verb="
	expect "the connection is lost at $verb: 75, nothing is kept" "
		try 75 b@x.y
		taken 0; nothing_kept
	"
done
fake --reply 'GREET=554 5.3.2 no service'
expect 'a greeting that refuses: 69' 'try 69 b@x.y; nothing_kept; grep -q "no service" err'
fake --close-in-body 100000
head -c 300000 /dev/urandom >big
expect 'the connection is lost in the middle of the body: 75' '
	try 75 -A big b@x.y; taken 0; nothing_kept
'
# "250 2.0.0 taken" CR LF, broken off after each byte.
for n in $(seq 0 16); do
	fake --cut "$n"
	expect "the final reply breaks off after $n bytes: 75, doubt is told, no copy" '
		try 75 b@x.y
		nothing_kept
		grep -q "may have taken\|has taken\|twice" err
	'
done
fake --cut 17
expect 'the whole final reply, and then nothing: sent' 'try 0 b@x.y; copies 1'

fake --reply 'MAIL=nonsense'
expect 'what is no reply is a broken protocol: 76' '
	try 76 b@x.y; taken 0; nothing_kept
'
stop fake
expect 'no server: 75' 'try 75 b@x.y; nothing_kept'
client_conf "" "smtp://no-such-host.invalid"
expect 'no such host is no reason to give up: 75, and it is named' '
	try 75 b@x.y; grep -q no-such-host.invalid err
'

# --- the copy -------------------------------------------------------------------

client_conf "" "smtp://127.0.0.1:$port"
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/out" \
    --options "$T/options"
wait_port fake "$port" || exit 1
fake
expect 'what a crash left in tmp/ of Sent is removed, but not before 36 hours' '
	mkdir -p "$sent"/{cur,new,tmp}; echo left >"$sent/tmp/left"
	touch -d "3 days ago" "$sent/tmp/left"
	try 0 b@x.y
	[ -e "$sent/tmp/left" ]
	# The new copy is as old by that clock, and is swept too.
	echo text | later mt-send -s x b@x.y
	[ ! -e "$sent/tmp/left" ]
	taken 2
	fake
'
expect 'Sent cannot be written: nothing is sent' '
	mkdir -p Mail/test; : >Mail/test/Sent
	try 66 b@x.y; taken 0
	grep -q "nothing was sent" err
'
expect 'the copy fails after the server has taken it: a warning, status 0' '
	rm -rf Mail
	need strace
	# A leak check cannot run under strace.
	echo text | ASAN_OPTIONS=detect_leaks=0 status 0 strace -f -o trace -e trace=renameat2 \
	    -e inject=renameat2:error=EIO mt-send --no-queue -s x b@x.y 2>err
	taken 1; copies 0
	grep -q "was sent, but no copy" err
'

# --- TLS and login --------------------------------------------------------------

fake --tls --cert cert.pem --key key.pem --auth
client_conf "" "smtps://user1@localhost:$port"
expect 'TLS from the first byte, and a login' 'try 0 b@x.y; taken 1; grep -q "AUTH user user1" fake.log'
expect 'a wrong password: 77, nothing is kept' '
	sed -i "s/echo secret-1/echo wrong/" mt.conf
	rm -rf Mail; try 77 b@x.y; nothing_kept; taken 1
	grep -q "wrong password" err
	not grep -q "echo" err
'
expect 'a password command that fails: perhaps it works later' '
	sed -i "s/echo wrong/false/" mt.conf
	try 75 b@x.y; grep -q password_command err
'
fake --tls --cert cert.pem --key key.pem --auth
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=other -keyout other.key -out other.pem >openssl.log 2>&1
client_conf "" "smtps://user1@localhost:$port"
sed -i "s|ca_file = .*|ca_file = \"$T/other.pem\"|" mt.conf
expect 'a certificate of nobody we trust: 69, nothing is sent, the host is named' '
	try 69 b@x.y; taken 0; nothing_kept
	grep -q localhost err
	grep -qi certificate err
	not grep -q AUTH fake.log
'
fake --starttls --cert other.pem --key other.key --auth
client_conf "" "smtp://user1@localhost:$port"
sed -i "s|ca_file = .*|ca_file = \"$T/other.pem\"|" mt.conf
expect 'a certificate for another name: 69, and it says which name' '
	try 69 b@x.y; taken 0; grep -q localhost err
	not grep -q AUTH fake.log
'
fake --starttls --cert cert.pem --key key.pem --auth
client_conf "" "smtp://user1@localhost:$port"
expect 'STARTTLS where it is offered, the login behind it' '
	try 0 b@x.y; taken 1
	[ "$(grep -n STARTTLS fake.log | head -1 | cut -d: -f1)" -lt \
	    "$(grep -n AUTH fake.log | head -1 | cut -d: -f1)" ]
'
fake --starttls --inject --cert cert.pem --key key.pem --auth
client_conf "" "smtp://user1@localhost:$port"
expect 'a reply injected before TLS: nothing is sent, no password is said' '
	try 76 b@x.y
	taken 0; nothing_kept; not grep -q AUTH fake.log
'
done_testing
