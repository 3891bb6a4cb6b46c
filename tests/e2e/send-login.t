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
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=me@x.y -keyout client.key -out client.pem 2>openssl.log
certificate() { account "auth = \"external\"" "cert_file = \"$T/$1\"" "${@:2}"; }
fake_tls() { fake --starttls --cert "$T/cert.pem" --key "$T/key.pem" --auth "$@"; }
certificate client.pem "key_file = \"$T/client.key\""
sed -i /password_command/d mt.conf
fake_tls --client-ca "$T/client.pem" --mech 'PLAIN EXTERNAL'
expect 'external: the certificate is the login, and there is no password' '
	try 0 b@x.y
	taken 1
	logged_in EXTERNAL
	[ "$(grep -c "^AUTH [A-Z]" fake.log)" = 1 ]'
expect 'certificate and key may be in one file' '
	cat client.key client.pem >both.pem
	certificate both.pem
	try 0 b@x.y
	taken 2'
expect 'external at a server that has no such thing: no password is shown' '
	fake_tls --mech "PLAIN LOGIN"
	try 77 --no-queue b@x.y
	grep "offers no EXTERNAL (it offers: PLAIN LOGIN)" err
	not grep "^AUTH" fake.log
	taken 0'
expect 'a certificate that cannot be read is an error of the configuration' '
	certificate none.pem
	try 78 --no-queue b@x.y
	grep "none.pem" err
	taken 0'
expect 'external without a certificate, and a key without one, are refused' '
	account "auth = \"external\""
	try 78 b@x.y
	grep "mt.conf:.*auth: external needs a cert_file" err
	account "key_file = \"$T/client.key\""
	try 78 b@x.y
	grep "mt.conf:.*key_file: a key without a cert_file" err'
expect 'a login that is refused for now is a temporary error, with a token too' '
	account
	fake --auth --reply "AUTH=454 4.7.0 later"
	try 75 --no-queue b@x.y
	grep "login as me@x.y refused: 454 4.7.0 later" err
	account "auth = \"oauthbearer\""
	token wrong
	fake --auth --mech OAUTHBEARER --reply "AUTH=454 4.7.0 later"
	try 75 --no-queue b@x.y
	grep "the access token is refused: .* 454 4.7.0 later" err'
expect 'a word that is no mechanism is an error of the configuration' '
	account "auth = \"scram\""
	try 78 b@x.y
	grep "mt.conf:.*auth: \"scram\" is not plain, login, cram-md5, xoauth2, oauthbearer or external" err'
expect 'a message that waits for a login says what to mend, and how to go on' '
	account
	token wrong
	fake --auth
	try 0 b@x.y
	queued 1
	grep "queued: .*: 535 5.7.8 wrong password" err
	grep "password_command of account test ($T/mt.conf:2), then mt-send queue retry" err'
done_testing
