#!/usr/bin/env bash
# smtp-dialogs.t - the dialogues of the public suite, played against mt-serve
#
# They were written for another server. Where ours answers otherwise the list below says
# what and why; everything else is as the dialogue wants it.
. "${0%/*}/../lib.sh"
need python3 openssl mt-serve
need_suite smtp-dialogs
SMTP=$(free_port) SUBMISSION=$(free_port) SUBMISSIONS=$(free_port)
make_ca
cat >serve.conf <<END
hostname = "mail.testserver"
mail_root = "$T/server"
domains = { "testserver" }
users = "$T/users"
user = "$(id -un)"
postmaster = "user@testserver"
tls_certificate = "$T/cert.pem"
tls_key = "$T/key.pem"
smtp = { "127.0.0.1:$SMTP" }
submission = { "127.0.0.1:$SUBMISSION" }
submissions = { "127.0.0.1:$SUBMISSIONS" }
size_max = 1M
END
mkdir server
echo secretpassword | mt-serve -c serve.conf user add user@testserver >user.log 2>&1
start mt-serve mt-serve -c "$T/serve.conf"
wait_port mt-serve "$SMTP"

# FILE | what the dialogue wants | what we answer (a regex)
cat >differences <<'END'
# Our last keyword of EHLO is SMTPUTF8, not HELP.
auth_multi_dialog.cmy | 250 HELP | ^250 SMTPUTF8$
auth_not_tls.cmy | 250 HELP | ^250 SMTPUTF8$
auth_too_many_failures.cmy | 250 HELP | ^250 SMTPUTF8$
bad_data_dot.cmy | 250 HELP | ^250 SMTPUTF8$
bad_data_dot_2.cmy | 250 HELP | ^250 SMTPUTF8$
bad_data_dot_on_message_too_big.cmy | 250 HELP | ^250 SMTPUTF8$
data_dot_stuffing.cmy | 250 HELP | ^250 SMTPUTF8$
message_too_big.cmy | 250 HELP | ^250 SMTPUTF8$
sendmail.cmy | 250 HELP | ^250 SMTPUTF8$
unknown_command.cmy | 250 HELP | ^250 SMTPUTF8$

# An unknown mechanism is 504 5.5.4 (RFC 4954 4); 534 says "too weak".
auth_multi_dialog.cmy | 534 | ^504 5\.5\.4
# The same codes in other words.
auth_multi_dialog.cmy | 501 5.5.2 Error decoding AUTH response | ^501 5\.5\.2
auth_multi_dialog.cmy | 535 5.7.8 Incorrect user or password | ^535 5\.7\.8
auth_multi_dialog.cmy | 235 2.7.0 Authentication successful | ^235 2\.7\.0
auth_multi_dialog.cmy | 503 5.5.1 You are already wearing that! | ^503 5\.5\.1
unknown_command.cmy | 500 5.5.1 Unknown command | ^500 5\.5\.1
message_too_big.cmy | 552 5.3.4 Message too big | ^552 5\.3\.4
bad_data.cmy | 503 5.5.1 Invisible customers are not welcome! | ^503 5\.5\.1
bad_data.cmy | 503 5.5.1 Sender not yet given | ^503 5\.5\.1
bad_data_dot.cmy | 521 5.5.2 Error reading DATA: invalid line ending | ^521 5\.5\.2
bad_data_dot_2.cmy | 521 5.5.2 Error reading DATA: invalid line ending | ^521 5\.5\.2
bad_data_dot_on_message_too_big.cmy | 521 5.5.2 Error reading DATA: invalid line ending | ^521 5\.5\.2
wrong_proto.cmy | 502 5.7.0 You hear someone cursing shoplifters | ^502 5\.7\.0

# AUTH outside of TLS is 538 5.7.11 (RFC 4954 6).
auth_not_tls.cmy | 503 5.7.10 You feel vulnerable | ^538 5\.7\.11
# Too many failed logins is a matter of security: 4.7.0.
auth_too_many_failures.cmy | 421 4.5.0 Too many errors, bye | ^421 4\.7\.0

# A header that cannot be parsed is no reason to refuse a message: it is stored as it came.
bad_data.cmy | 554 5.6.0 Error parsing message | ^250 2\.0\.0

# MAIL and RCPT are known, what stands behind them is wrong: 501 (RFC 5321 4.2.2).
bad_mail_from.cmy | 500 5.5.2 Unknown command | ^501 5\.5\.4
bad_mail_from.cmy | 500 | ^501 5\.1\.7
bad_rcpt_to.cmy | 500 5.5.2 Unknown command | ^501 5\.5\.4
bad_rcpt_to.cmy | 500 | ^501 5\.1\.3
# A domain of the wrong form is wrong syntax of an address: 5.1.7 for a sender, 5.1.3 for
# a recipient (RFC 3463 3.2).
bad_mail_from.cmy | 501 5.1.8 Malformed sender domain (IDNA conversion failed) | ^501 5\.1\.7
bad_rcpt_to.cmy | 501 5.1.2 Malformed destination domain (IDNA conversion failed) | ^501 5\.1\.3
bad_mail_from.cmy | 501 5.1.7 Sender address too long | ^501 5\.1\.7
bad_rcpt_to.cmy | 501 5.1.3 Destination address too long | ^501 5\.1\.3
# Such an address is good, but the client did not ask for SMTPUTF8 (RFC 6531 3.5).
bad_rcpt_to.cmy | 550 5.1.3 Destination address is invalid | ^553 5\.6\.7

# A name over 255 octets is a wrong argument of HELO: 501. 554 would be no syntax error.
line_too_long.cmy | 554 | ^501 5\.5\.4
END

play() # FILE PLAIN-PORT
{
	"$TOP/tests/tools/smtp_dialog.py" -d "$T/differences" "$2" "$SUBMISSIONS" "$1"
}

for f in "$SUITE"/*.cmy; do
	port=$SMTP
	# The one about AUTH: at our port 25 there is none at all.
	[ "${f##*/}" != auth_not_tls.cmy ] || port=$SUBMISSION
	ok "${f##*/}" play "$f" "$port"
done

# Three of them are accepted and stored, and nothing else is.
is "$(find server -path '*/new/*' -type f | wc -l)" 3 'what was accepted is in the Maildir'
printf 'From: Mailer daemon <somewhere@horns.com>\nSubject: %s\n\n%s' \
    "I've come to haunt you" $'Muahahahaha\n\n.x\n\n.\n\nThis is stuffy.\n\n' >want
expect 'stuffed dots are undone, everything else is as it came' '
	f=$(grep -rl stuffy server)
	sed -n "/^From: /,\$p" "$f" | cmp - want'
ok 'the server lives on' running mt-serve
done_testing
