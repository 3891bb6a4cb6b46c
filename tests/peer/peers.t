#!/usr/bin/env bash
# The foreign servers that other tests lean on do what those tests think they do.
. "${0%/*}/../lib.sh"

need_users
need openssl swaks
make_ca
swaks() { command swaks --to user1@example.org --from user2@example.org --helo test "$@"; }

expect 'smtp-source delivers to smtp-sink, which keeps every message' '
	smtp_sink -d "$T/sink/%M."
	smtp_source "$SINK_PORT" -c -m 5 -s 2 -f user2@example.org -t user1@example.org
	[ "$(ls sink | wc -l)" = 5 ]
'
ok 'Dovecot starts' start_dovecot
mkdir -p dovecot/mail/user1/{cur,new,tmp}
printf 'Subject: hello\n\nbody\n' >dovecot/mail/user1/new/1.1.test
expect 'Dovecot gives a message by POP3 with TLS' '
	printf "USER user1\r\nPASS secret-1\r\nRETR 1\r\nQUIT\r\n" | openssl s_client -quiet \
	    -connect "localhost:$DOVECOT_POP3S" -CAfile ca.pem -verify_return_error |
	    tee got
	grep -q "Subject: hello" got
'
expect 'Dovecot refuses a wrong password' '
	printf "USER user1\r\nPASS wrong\r\nQUIT\r\n" | openssl s_client -quiet \
	    -connect "localhost:$DOVECOT_POP3S" -CAfile ca.pem | grep -q "^-ERR"
'
expect 'Dovecot speaks IMAP' '
	printf "a LOGIN user1 secret-1\r\nb SELECT INBOX\r\nc LOGOUT\r\n" |
	    openssl s_client -quiet -connect "localhost:$DOVECOT_IMAPS" |
	    grep -q "[*] 1 EXISTS"
'
ok 'Postfix starts' start_postfix
expect 'Postfix delivers into a Maildir' '
	swaks --server "127.0.0.1:$POSTFIX_PORT" --body postfix-was-here
	wait_for 10 grep -qr postfix-was-here postfix/Maildir/new
'
expect 'Postfix offers STARTTLS with our certificate, and AUTH by Dovecot behind it' '
	swaks --server "localhost:$POSTFIX_PORT" --tls-verify --tls-ca-path ca.pem --tls \
	    --auth PLAIN --auth-user user2@example.org --auth-password secret-1
'
expect 'Postfix refuses a wrong password' '
	status 28 swaks --server "localhost:$POSTFIX_PORT" --tls --auth PLAIN \
	    --auth-user user2@example.org --auth-password wrong
'
expect 'Postfix does not relay for strangers' '
	status 24 swaks --server "localhost:$POSTFIX_PORT" --to user1@example.net
'
expect 'all of them stop' '
	stop postfix
	stop dovecot
	not port_open "$POSTFIX_PORT"
	not port_open "$DOVECOT_POP3S"
'
done_testing
