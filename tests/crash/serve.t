#!/usr/bin/env bash
# Processes of mt-serve are killed where it matters: what was answered with 250 is in every
# Maildir, and the server goes on.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"
need strace
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'

MESSAGES=3
# As a relay does: try each message until it is taken. Prints what was acknowledged.
cat >client.py <<'END'
import smtplib, sys, time
port, messages, until = int(sys.argv[1]), int(sys.argv[2]), time.time() + 60
for i in range(messages):
    while time.time() < until:
        try:
            s = smtplib.SMTP("127.0.0.1", port, timeout=20)
            s.sendmail("eve@example.com", ["info@example.org"], "Subject: m\r\n\r\nbody %d\r\n" % i)
            print(i, flush=True)
            s.close()
            break
        except (OSError, smtplib.SMTPException) as e:
            answers = e.recipients.values() if isinstance(e, smtplib.SMTPRecipientsRefused) else [
                (getattr(e, "smtp_code", 400), b"")]
            if any(code >= 500 for code, _ in answers):
                sys.exit("refused for good: %s" % e)
            time.sleep(0.1)
END

child() # the keeper: the first child of the parent
{
	pgrep -o -P "$1"
}

parent_pid()
{
	sed -n 's/.*event=ready pid=\([0-9]*\).*/\1/p' serve.log | tail -n 1
}

# Every acknowledged message is in new/ of both, and there are no others.
all_kept()
{
	local user

	for user in ada bob; do
		cat mail/example.org/$user/new/* 2>/dev/null | sed -n 's/^body //p' | sort -un >kept
		sort -n acked | diff - kept || { echo "$user has not what was acknowledged"; return 1; }
	done
}

# killed_at CALL K: kill the keeper there, once, while messages come in.
killed_at()
{
	local parent tracer client rc

	rm -rf mail acked
	mkdir mail
	serve_start strace -D -I 2 -f -q -o "$T/strace.log" -e trace="$1" \
	    -e inject="$1:signal=SIGKILL:when=$2"
	parent=$(parent_pid)
	tracer=$(sed -n 's/^TracerPid:\t//p' "/proc/$parent/status")
	python3 client.py "$SMTP" $MESSAGES >acked 2>client.log &
	client=$!
	wait_for 60 eval "grep -q 'event=died role=keeper' serve.log || ! alive $client"
	# Whoever comes next is spared.
	kill "$tracer" 2>/dev/null
	wait $client
	rc=$?
	grep -q 'event=died role=keeper.*signal=9' serve.log && tried=$((tried + 1))
	[ $rc = 0 ] || cat client.log
	[ "$(wc -l <acked)" = $MESSAGES ] || { echo "only $(wc -l <acked) were taken"; rc=1; }
	all_kept || rc=1
	kill "$parent" && wait_for 20 eval "! alive $parent" || rc=1
	return $rc
}

serve_conf
for call in fsync renameat2 mkdir; do
	bad=0 tried=0
	for k in 1 2 3 4 5; do
		killed_at "$call" $k >"$T/.check" 2>&1 && continue
		bad=$((bad + 1))
		diag "killed at $call $k:"
		diag "$(tail -n 20 "$T/.check"; tail -n 20 serve.log)"
	done
	[ "$bad" = 0 ] && [ "$tried" -gt 0 ]
	test_line $? "the keeper is killed at $call ($tried places): what was acknowledged is kept"
done

rm -rf mail
mkdir mail
serve_start
parent=$(parent_pid)
# A session is killed in the middle of a message.
cat >half.script <<'END'
	< ^220
	> EHLO half
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> half a message
	hold half
	eof
END
before=$(mails ada)
"$TOP/tests/tools/talk" "$SMTP" <half.script >half.out 2>&1 &
talk=$!
wait_for 10 test -e half
session=$(pgrep -n -P "$parent")
[ "$session" != "$(child "$parent")" ] && kill -KILL "$session"
rm half
wait $talk
is "$? $(cat half.out)" "0 " 'a session that is killed ends its own connection'
ok 'its message is dropped' wait_for 10 eval '[ -z "$(find mail -path "*/tmp/*" -type f)" ]'
is "$(mails ada)" "$before" 'and not delivered'
like "$(grep event=died serve.log)" 'role=session .*signal=9' 'the log says so'

# The keeper is killed in the middle of a message.
"$TOP/tests/tools/talk" "$SMTP" >half.out 2>&1 <<'END' &
	< ^220
	> EHLO half
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> half a message
	hold half
	> .
	< ^421 4
	eof
END
talk=$!
wait_for 10 test -e half
kill -KILL "$(child "$parent")"
rm half
wait $talk
is "$? $(cat half.out)" "0 " 'a message whose keeper is gone gets a temporary answer'
is "$(mails ada)" "$before" 'and is not delivered'
dialogue 'a new keeper serves the next one' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> body
	> .
	< ^250
END
is "$(mails ada)" $((before + 1)) 'and delivers it'

# The parent is killed: nobody is left behind.
keeper=$(child "$parent")
"$TOP/tests/tools/talk" "$SMTP" >idle.out 2>&1 <<'END' &
	< ^220
	hold idle
	< ^421 4.3.2
	eof
END
talk=$!
wait_for 10 test -e idle
kill -KILL "$parent"
rm idle
wait $talk
is "$? $(cat idle.out)" "0 " 'when the parent is killed, waiting sessions are closed'
ok 'and the keeper ends' wait_for 10 eval "! alive $keeper"
done_testing
