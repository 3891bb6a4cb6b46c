#!/usr/bin/env bash
# mt-serve takes mail: SMTP from strangers, submission from users, LMTP.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

serve_conf
serve_start

dialogue 'a stranger delivers' "$SMTP" <<'END'
	< ^220 mail.example.org
	> EHLO client.example.com
	< STARTTLS
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> Subject: one
	>
	> ..dot
	> .
	< ^250 2
	> QUIT
	< ^221
	eof
END
is "$(mails ada)" 1 'and it is in the Maildir when the 250 comes'
expect 'with trace fields, dots unstuffed, lines ending in LF' '
	f=$(newest ada)
	sed -n 1p "$f" | grep -x "Return-Path: <eve@example.com>"
	sed -n 2p "$f" | grep -x "Delivered-To: ada@example.org"
	grep -q "^Received: from client.example.com (\[127.0.0.1\])" "$f"
	grep -q "by mail.example.org with ESMTP id" "$f"
	grep -q "for <ada@example.org>;" "$f"
	grep -qx ".dot" "$f"
	[ "$(grep -c "$(printf "\r")" "$f")" = 0 ]
'

dialogue 'AUTH is not offered in plain text, and not to strangers' "$SUBMISSION" <<END
	< ^220
	> EHLO c
	< ^(?!.*AUTH).*STARTTLS
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^5
	> MAIL FROM:<ada@example.org>
	< ^5
	> QUIT
	< ^221
END
dialogue 'TLS by STARTTLS, then AUTH LOGIN' "$SUBMISSION" <<END
	< ^220
	> EHLO c
	< STARTTLS
	> STARTTLS
	< ^220
	tls $T/ca.pem
	> EHLO c
	< ^(?!.*STARTTLS).*AUTH PLAIN LOGIN
	> MAIL FROM:<ada@example.org>
	< ^530
	> AUTH LOGIN
	< ^334 VXNlcm5hbWU6
	> $(printf ada@example.org | base64)
	< ^334 UGFzc3dvcmQ6
	> $(printf secret-a | base64)
	< ^235
	> MAIL FROM:<info@example.org>
	< ^250
	> RCPT TO:<bob@example.org>
	< ^250
	> RCPT TO:<bob@example.com>
	< ^550 5.7.1 .*relay
	> DATA
	< ^354
	> hello
	> .
	< ^250
	> QUIT
	< ^221
END
is "$(mails bob)" 1 'and the message is delivered'
expect 'which Received says' 'grep -q "with ESMTPSA id" "$(newest bob)" && grep -q "using TLSv1" "$(newest bob)"'
dialogue 'TLS from the first byte, AUTH PLAIN; only own addresses as sender' \
    -t "$T/ca.pem" "$SUBMISSIONS" <<END
	< ^220
	> EHLO c
	< AUTH PLAIN LOGIN
	> AUTH PLAIN $(plain_auth ADA@example.org secret-a)
	< ^235
	> MAIL FROM:<bob@example.org>
	< ^553 5.7.1
	> MAIL FROM:<eve@example.com>
	< ^553 5.7.1
	> MAIL FROM:<ada+tag@example.org>
	< ^250
	> RSET
	< ^250
	> MAIL FROM:<>
	< ^250
	> QUIT
	< ^221
END
dialogue 'a wrong password, an unknown user: the same answer' -t "$T/ca.pem" "$SUBMISSIONS" <<END
	< ^220
	> EHLO c
	< ^250
	> AUTH PLAIN $(plain_auth ada@example.org secret-b)
	< ^535 5.7.8
	> AUTH PLAIN $(plain_auth eve@example.org secret-b)
	< ^535 5.7.8
	> QUIT
	< ^221
END
dialogue 'bytes behind STARTTLS end the session' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	| STARTTLS\r\nMAIL FROM:<eve@example.com>\r\n
	< ^220
	eof
END

dialogue 'nobody is relayed for, unknown users are refused' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<bob@example.com>
	< ^550 5.7.1
	> RCPT TO:<nobody@example.org>
	< ^550 5.1.1
	> RCPT TO:<@example.org:bob@example.com>
	< ^550 5.7.1
	> RCPT TO:<bob%example.com@example.org>
	< ^550 5.1.1
	> RCPT TO:<"bob@example.com"@example.org>
	< ^550 5.1.1
	> RCPT TO:<../ada@example.org>
	< ^5
	> DATA
	< ^5
	> MAIL FROM:<ada@example.org>
	< ^503
	> QUIT
	< ^221
END
# A user who is removed between RCPT and DATA is no reason to refuse the others' mail.
echo secret-e | mt-serve -c serve.conf user add eve@example.org
cat >gone.script <<END
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<a@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> RCPT TO:<eve@example.org>
	< ^250
	hold $T/removing
	> DATA
	< ^451
	> RSET
	< ^250
	> MAIL FROM:<a@example.com>
	< ^250
	> RCPT TO:<eve@example.org>
	< ^550 5.1.1
	> QUIT
	< ^221
END
"$TOP/tests/tools/talk" "$SMTP" <gone.script >gone.out 2>&1 &
talker=$!
wait_for 10 test -e removing
mt-serve -c serve.conf user remove eve@example.org
rm -f removing
wait $talker
is $? 0 'a user who is removed before DATA: 451, the others lose nothing'

dialogue 'a domain of ours in U-labels is ours' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<a@example.com> SMTPUTF8
	< ^250
	> RCPT TO:<nobody@bücher.example>
	< ^550 5.1.1
	> QUIT
	< ^221
END

before_ada=$(mails ada) before_bob=$(mails bob)
dialogue 'a mailbox that is named often gets one copy' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> RCPT TO:<ADA+x@Example.ORG>
	< ^250
	> RCPT TO:<info@example.org>
	< ^250
	> RCPT TO:<Postmaster>
	< ^250
	> RCPT TO:<postmaster@example.net>
	< ^250
	> DATA
	< ^354
	> .
	< ^250
	> QUIT
	< ^221
END
is "$(($(mails ada) - before_ada)) $(($(mails bob) - before_bob))" "1 1" 'in each Maildir'
is "$(grep -c "for <" "$(newest ada)")" 0 'and it is not told of the others'

dialogue 'LMTP over a Unix socket, one answer for each recipient' "$LMTP" <<'END'
	< ^220
	> LHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> RCPT TO:<nobody@example.org>
	< ^550
	> RCPT TO:<info@example.org>
	< ^250
	> DATA
	< ^354
	> hello
	> .
	< ^250
	< ^250
	> QUIT
	< ^221
END
expect 'which the log and Received know' '
	grep -q "event=connect proto=lmtp .*ip=unix uid=$(id -u)" serve.log
	grep -q "with LMTP id" "$(newest ada)"
'

# What goes in comes out.
python3 - >hard.eml <<'END'
import sys
out = sys.stdout.buffer
out.write("Subject: schön\n".encode("latin-1"))
out.write(b"X-Long: " + b"x" * 100000 + b"\n\n")
out.write(b".\n..\n...dots\n\n" + bytes(range(1, 10)) + bytes(range(14, 256)) + b"\n")
out.write(b"y" * 1000000 + b"\nFrom here\n.\n\n\n")
END
dialogue 'long lines, dots, 8-bit bytes pass' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com> BODY=8BITMIME
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	file hard.eml
	> .
	< ^250
	> QUIT
	< ^221
END
expect 'unchanged' '
	n=$(grep -c "" hard.eml)
	tail -n "$n" "$(newest ada)" | cmp - hard.eml
'

before=$(mails ada)
for bad in 'bare LF:line\n.\n' 'LF.CRLF:line\n.\r\n' 'CRLF.LF:line\r\n.\nx' 'bare CR:li\rne\r\n' \
    'CR.CR:line\r.\r' 'NUL:li\0ne\r\n'; do
	dialogue "${bad%%:*} in a message is refused, and nothing behind it is heard" "$SMTP" <<END
		< ^220
		> EHLO c
		< ^250
		> MAIL FROM:<eve@example.com>
		< ^250
		> RCPT TO:<ada@example.org>
		< ^250
		> DATA
		< ^354
		| Subject: x\r\n\r\n${bad#*:}
		| MAIL FROM:<evil@example.com>\r\n
		< ^5
		eof
END
done
is "$(mails ada)" "$before" 'and nothing of it is delivered'
is "$(find "$T"/mail/example.org/*/tmp -type f | wc -l)" 0 'nor left in tmp/'

dialogue 'who hangs up in the middle delivers nothing' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> half
END
ok 'nothing is left of it' wait_for 5 eval '[ -z "$(find "$T"/mail/example.org/*/tmp -type f)" ]'
is "$(mails ada)" "$before" 'and nothing arrives'

expect 'every session has its lines in the log' '
	[ "$(grep -c event=connect serve.log)" -gt 10 ]
	wait_for 5 eval "[ \$(grep -c event=connect serve.log) = \$(grep -c event=disconnect serve.log) ]"
	[ -z "$(grep -v -e " ip=" -e "event=ready" serve.log)" ]
	[ -z "$(grep -e secret -e event=died serve.log)" ]
'
expect 'SIGTERM ends it' '
	kill "$(pid_of serve)"
	wait_for 10 eval "! running serve"
	grep -q event=stopped serve.log
'
done_testing
