#!/usr/bin/env bash
# What mt-serve takes from one peer: size, recipients, errors, time, connections, guesses.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

serve_conf 'size_max = 100k' 'recipients_max = 3' 'errors_max = 4' 'timeout_command = 2s' \
    'connections_per_address = 3' 'auth_failures_max = 3' 'auth_lockout = 4s'
serve_start
head -c 150000 /dev/zero | tr '\0' x | fold -w 70 >big.eml

dialogue 'a size that is too large, announced or sent; too many recipients' "$SMTP" <<END
	< ^220
	> EHLO c
	< SIZE 102400
	> MAIL FROM:<eve@example.com> SIZE=102401
	< ^552
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> RCPT TO:<bob@example.org>
	< ^250
	> RCPT TO:<info@example.org>
	< ^250
	> RCPT TO:<postmaster@example.org>
	< ^452 4.5.3
	> DATA
	< ^354
	file big.eml
	> .
	< ^552
	> NOOP
	< ^250
	> QUIT
	< ^221
END
is "$(mails ada)" 0 'and nothing is delivered'
dialogue 'too many wrong commands' "$SMTP" <<END
	< ^220
	> XYZZY
	< ^5
	> XYZZY
	< ^5
	> XYZZY
	< ^5
	> XYZZY
	< ^421
	eof
END
dialogue 'a peer that says nothing' "$SMTP" <<END
	< ^220
	sleep 3
	< ^421 4.4.2
	eof
END
dialogue 'a peer that stops within a message' "$SMTP" <<END
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> hello
	sleep 3
	< ^421
	eof
END
is "$(mails ada) $(find mail -path '*/tmp/*' -type f | wc -l)" "0 0" 'which is not delivered'
dialogue 'a POP3 reader who is logged in may take her time' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^\+OK
	sleep 3
	> NOOP
	< ^\+OK
	> QUIT
	< ^\+OK
END
dialogue 'a POP3 peer that says nothing is closed without a word' "$POP3" <<END
	< ^\+OK
	sleep 3
	eof
END

stop serve
sed -i 's/^timeout_command.*/timeout_command = 1m/' serve.conf
serve_start
holders=
for i in 1 2 3; do
	printf '< ^220\nhold %s\n> QUIT\n< ^(221|421)\n' "$T/held$i" >"hold$i"
	"$TOP/tests/tools/talk" "$SMTP" <"hold$i" >/dev/null 2>&1 &
	holders+=" $!"
done
wait_for 10 eval '[ -e held1 ] && [ -e held2 ] && [ -e held3 ]'
dialogue 'a connection too many from one address' "$SMTP" <<END
	< ^421 4.3.2
	eof
END
dialogue 'POP3 says it in its own words' "$POP3" <<END
	< ^-ERR \[SYS/TEMP\]
	eof
END
rm held*
# shellcheck disable=SC2086	# a list
wait $holders
ok 'when they have gone it is served' wait_for 10 eval \
    'printf "< ^220\n> QUIT\n< ^221\n" | "$TOP/tests/tools/talk" "$SMTP"'

begin=$(date +%s%N)
dialogue 'failed logins are answered slowly' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> AUTH PLAIN $(plain_auth ada@example.org guess1)
	< ^-ERR \[AUTH\]
	> AUTH PLAIN $(plain_auth bob@example.org guess2)
	< ^-ERR \[AUTH\]
	> QUIT
	< ^\+OK
END
ok 'at least a second and a half for two' [ $((($(date +%s%N) - begin) / 1000000)) -ge 1400 ]
dialogue 'then the address is locked out, for the right password too' -t "$T/ca.pem" \
    "$SUBMISSIONS" <<END
	< ^220
	> EHLO c
	< ^250
	> AUTH PLAIN $(plain_auth ada@example.org guess3)
	< ^535
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^454 4.7.0
	> QUIT
	< ^221
END
sleep 4.5
dialogue 'for a while' -t "$T/ca.pem" "$SUBMISSIONS" <<END
	< ^220
	> EHLO c
	< ^250
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^235
	> QUIT
	< ^221
END
is "$(grep -c event=died serve.log)" 0 'no process died'

# The end of the server: what is under way is finished.
cat >drain.script <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> hello
	hold drain
	> .
	< ^250
	< ^421 4.3.2
	eof
END
"$TOP/tests/tools/talk" "$SMTP" <drain.script >drain.out 2>&1 &
talk=$!
wait_for 10 test -e drain
kill "$(pid_of serve)"
wait_log serve event=stopping
ok 'SIGTERM: nobody is let in' eval '! port_open "$SMTP"'
rm drain
wait $talk
is "$? $(cat drain.out)" "0 " 'a message under way is finished, then the session is closed'
is "$(mails ada)" 1 'and delivered'
ok 'then the server ends' wait_for 10 eval '! running serve'
done_testing
