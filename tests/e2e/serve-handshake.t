#!/usr/bin/env bash
# A TLS handshake that is cut off or is no TLS ends its session with a line in the log;
# no process dies of it, and the next client is served.
. "${0%/*}/../lib.sh"

make_ca
chmod 600 key.pem
port=$(free_port) smtp=$(free_port)
mkdir server
cat >serve.conf <<END
hostname = "mail.example.org"
mail_root = "$T/server"
domains = { "example.org" }
users = "$T/users"
user = "$(id -un)"
postmaster = "user1@example.org"
tls_certificate = "$T/cert.pem"
tls_key = "$T/key.pem"
pop3s = { "127.0.0.1:$port" }
smtp = { "127.0.0.1:$smtp" }
END
echo secret-1 | mt-serve -c serve.conf user add user1@example.org
start serve mt-serve -c "$T/serve.conf"
ok 'mt-serve listens' wait_port serve "$port"

expect 'a client that says nothing and goes' '
	(exec 4<>"/dev/tcp/127.0.0.1/'"$port"'")
	wait_log serve "event=tls-failed proto=pop3s"
'
expect 'a client that does not speak TLS' '
	(exec 4<>"/dev/tcp/127.0.0.1/'"$port"'"; printf "QUIT\r\n" >&4; cat <&4 >/dev/null)
	wait_for 10 eval "[ \$(grep -c event=tls-failed serve.log) -ge 2 ]"
'
expect 'the same behind STARTTLS' '
	(exec 4<>"/dev/tcp/127.0.0.1/'"$smtp"'"
	read -r line <&4
	printf "EHLO test.example.org\r\n" >&4
	while read -r line <&4 && [[ $line == 250-* ]]; do :; done
	printf "STARTTLS\r\n" >&4
	read -r line <&4
	printf "no handshake\r\n" >&4
	cat <&4 >/dev/null)
	wait_log serve "event=tls-failed proto=smtp"
'
expect 'the server lives on, and serves' '
	printf "QUIT\r\n" | openssl s_client -quiet -connect "localhost:'"$port"'" \
	    -CAfile ca.pem -verify_return_error >greeting 2>/dev/null
	grep -q "^+OK" greeting
'
expect 'no process died' 'not grep event=died serve.log'
done_testing
