#!/usr/bin/env bash
# smuggle.t - no message can be smuggled into mt-serve inside another one
#
# Some servers take other bytes than CRLF.CRLF for the end of a message. When a sender's
# server passes such bytes through, what stands behind them is a second message with any
# sender. Each sequence is sent whole and byte by byte, to SMTP, submission and LMTP: the
# first message is refused with 521, the connection is closed, nothing is delivered.
#
# The same with commands: what a stranger puts behind STARTTLS in plain text must not be
# taken for something that was said inside TLS (RFC 3207 6).
. "${0%/*}/../lib.sh"
need python3 openssl mt-serve
PORT=$(free_port) SUBMISSIONS=$(free_port) POP3=$(free_port)
make_ca
cat >serve.conf <<END
hostname = "mail.example.org"
mail_root = "$T/server"
domains = { "example.org" }
users = "$T/users"
user = "$(id -un)"
postmaster = "user1@example.org"
tls_certificate = "$T/cert.pem"
tls_key = "$T/key.pem"
smtp = { "127.0.0.1:$PORT" }
submissions = { "127.0.0.1:$SUBMISSIONS" }
lmtp = { "unix:$T/lmtp" }
pop3 = { "127.0.0.1:$POP3" }
connections_per_address = 400
END
mkdir server
echo secret-1 | mt-serve -c serve.conf user add user1@example.org >user.log 2>&1
start mt-serve mt-serve -c "$T/serve.conf"
wait_port mt-serve "$PORT"

smuggle()
{
	"$TOP/tests/tools/smtp_smuggle.py" "$@"
}

names=() sequences=()
while read -r name sequence; do
	names+=("$name") sequences+=("$sequence")
done <<'END'
LF.LF		\n.\n
LF.CRLF		\n.\r\n
CRLF.LF		\r\n.\n
CR.CR		\r.\r
CR.CRLF		\r.\r\n
CRLF.CR		\r\n.\r
LF.CR		\n.\r
CR.LF		\r.\n
CRLF.CRCRLF	\r\n.\r\r\n
CRCRLF.CRLF	\r\r\n.\r\n
CRLFNUL.CRLF	\r\n\x00.\r\n
CRLF.NULCRLF	\r\n.\x00\r\n
CRNULLF.CRLF	\r\x00\n.\r\n
CRLF.CRNULLF	\r\n.\r\x00\n
END

# One refusal behind the 354, and the end, for each sequence.
for how in whole bytewise; do
	smuggle smtp "$PORT" $how "${sequences[@]}" >smtp.$how
	smuggle submission "$SUBMISSIONS" $how "${sequences[@]}" >submission.$how
	smuggle lmtp "$T/lmtp" $how "${sequences[@]}" >lmtp.$how
done
for i in "${!names[@]}"; do
	for f in {smtp,submission,lmtp}.{whole,bytewise}; do
		sed -n "$((i + 1))p" $f
	done >got
	is "$(grep -cE '^521 5\.5\.2 [^/]* / closed$' got)" 6 \
	    "${names[i]} is no end of a message" || diag "$(cat got)"
done
delivered()
{
	find server -path '*/new/*' -type f | wc -l
}

is "$(delivered)" 0 'no message of all these was delivered'

# What the sequences are measured by: the true end is one, and the second message is then
# a message of its own, whose sender the server can judge.
like "$(smuggle smtp "$PORT" whole '\r\n.\r\n')" '^250 .* / 354 .* / 250 ' \
    'CRLF.CRLF ends a message'
is "$(delivered)" 2 'and what stands behind it is the next one'
like "$(smuggle submission "$SUBMISSIONS" whole '\r\n.\r\n')" '^250 [^/]* / 55[03] ' \
    'with a sender that was not logged in, it is refused'
is "$(delivered)" 3 'so that only the first is delivered'
like "$(smuggle smtp "$PORT" whole '\r\n..\r\n')" '^250 [^/]* / 5' \
    'a stuffed dot is text: all is one message'
expect 'with its text' '
	[ "$(grep -rlE "^MAIL FROM:<smuggler" server | wc -l)" = 1 ]
	[ "$(grep -rlx "[.]" server | wc -l)" = 1 ]'

inject()
{
	"$TOP/tests/tools/starttls_inject.py" "$@"
}

like "$(inject smtp "$PORT")" $'^220 .*\ntls 250 ' 'STARTTLS works'
is "$(inject smtp "$PORT" NOOP | tail -n 1)" closed \
    'a command behind STARTTLS ends the connection'
like "$(inject pop3 "$POP3")" $'^[+]OK .*\ntls -ERR log in' 'STLS works'
is "$(inject pop3 "$POP3" CAPA | tail -n 1)" closed \
    'a command behind STLS ends the connection'
ok 'the server lives on' running mt-serve
done_testing
