#!/usr/bin/env bash
# mt-send logs in: the best of what is offered, or what the account says
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

# account LINE...: with a login, and what mt.conf says besides
account() { client_conf "" "smtp://me%40x.y@127.0.0.1:$port" 'allow_plaintext = yes' "$@"; }
token() { sed -i 's/secret-1/'"$1"'/' mt.conf; }
logged_in() { grep -qx "AUTH $1" fake.log; grep -qx "AUTH user me@x.y" fake.log; }

account
fake --auth
expect 'PLAIN, where it is offered' '
	try 0 b@x.y
	taken 1
	logged_in PLAIN'
for mech in PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER; do
	account "auth = \"$(tr 'A-Z' 'a-z' <<<"$mech")\""
	fake --auth --mech "PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER"
	expect "auth = $mech: that and no other" "
		try 0 b@x.y
		taken 1
		logged_in $mech
		[ \"\$(grep -c '^AUTH [A-Z]' fake.log)\" = 1 ]
	"
	fake --auth --mech 'GSSAPI SCRAM-SHA-1'
	expect "$mech, which the server lacks: it says what there is, and shows no password" "
		try 77 --no-queue b@x.y
		grep 'the server offers no $mech (it offers: GSSAPI SCRAM-SHA-1)' err
		not grep -q AUTH fake.log
		taken 0
	"
done
for mech in PLAIN LOGIN; do
	account "auth = \"$mech\""
	token wrong
	fake --auth --mech 'PLAIN LOGIN CRAM-MD5'
	expect "a password that is refused by $mech is not tried by another" "
		try 77 --no-queue b@x.y
		grep 'login as me@x.y refused: 535 5.7.8 wrong password' err
		[ \"\$(grep -c '^AUTH [A-Z]' fake.log)\" = 1 ]
	"
done
for mech in XOAUTH2 OAUTHBEARER; do
	account "auth = \"$mech\""
	token wrong
	fake --auth --mech "PLAIN $mech"
	expect "$mech: a token that is refused: 77, with what the server says of it" "
		try 77 --no-queue b@x.y
		grep 'me@x.y: the access token is refused: .*\"status\":\"401\"' err
		not grep -q 'AUTH PLAIN' fake.log
		try 0 b@x.y
		grep 'queued: .*the access token is refused' err
		queued 1
	"
done
expect 'the token is asked for anew at each login' '
	echo "token-1" >token
	sed -i "s/password_command = .*/password_command = \"cat $(sed "s,/,\\\\/,g" <<<"$T")\/token\"/" mt.conf
	fake --auth --mech OAUTHBEARER
	echo wrong >token
	try 0 b@x.y
	queued 1
	echo token-2 >token
	mt-send queue retry
	queued 0
	taken 1'
expect 'a word that is no mechanism is an error of the configuration' '
	account "auth = \"scram\""
	try 78 b@x.y
	grep "mt.conf:.*auth: \"scram\" is not plain, login, cram-md5, xoauth2 or oauthbearer" err'
done_testing
