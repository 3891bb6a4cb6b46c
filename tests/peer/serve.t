#!/usr/bin/env bash
# mt-serve under other people's clients: Postfix's smtp-source with many sessions, swaks.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

serve_conf
sed -i "s|^lmtp.*|lmtp = { \"127.0.0.1:0\" }|" serve.conf
serve_start

smtp_source "$SMTP" -s 20 -m 300 -l 3000 -f eve@example.com -t ada@example.org >source.log 2>&1
is "$? $(cat source.log)" "0 " 'smtp-source: 300 messages, 20 sessions, a connection each'
is "$(mails ada)" 300 'all are there, each once'
is "$(grep -c event=delivered serve.log)" 300 'and in the log'
smtp_source "$SMTP" -d -s 20 -m 300 -l 3000 -f eve@example.com -t info@example.org >source.log 2>&1
is "$? $(cat source.log)" "0 " 'the same over 20 connections, to two mailboxes'
is "$(mails ada) $(mails bob)" "600 300" 'all are there'
expect 'and every one is whole: all that were sent alike have one length below the trace' '
	for f in mail/example.org/ada/new/*; do
		sed "1,/^\t.* +0000$/d" "$f" | grep -v "^Message-Id:\|^Date:" | wc -l
	done | sort -u >lengths
	[ "$(wc -l <lengths)" = 1 ]
	[ "$(cat lengths)" -gt 30 ]
'
smtp_source "$(serve_port lmtp)" -L -s 10 -m 100 -l 500 -f eve@example.com \
    -t bob@example.org >source.log 2>&1
is "$? $(cat source.log) $(mails bob)" "0  400" 'smtp-source: LMTP over TCP'
is "$(find mail -path '*/tmp/*' -type f | wc -l)" 0 'nothing is left in tmp/'

if command -v swaks >/dev/null; then
	before=$(mails bob)
	ok 'swaks: submission with STARTTLS and AUTH PLAIN' swaks --silent 2 \
	    --server 127.0.0.1 --port "$SUBMISSION" --tls --auth PLAIN --auth-user ada@example.org \
	    --auth-password secret-a --from ada@example.org --to bob@example.org
	ok 'swaks: implicit TLS and AUTH LOGIN' swaks --silent 2 \
	    --server 127.0.0.1 --port "$SUBMISSIONS" --tls-on-connect --auth LOGIN \
	    --auth-user ada@example.org --auth-password secret-a --from ada@example.org \
	    --to bob@example.org --attach @/etc/hostname
	is $(($(mails bob) - before)) 2 'both are delivered'
	expect 'swaks: a wrong password ends in its status for that' '
		status 28 swaks --silent 3 --server 127.0.0.1 --port "$SUBMISSIONS" --tls-on-connect \
		    --auth LOGIN --auth-user ada@example.org --auth-password wrong \
		    --from ada@example.org --to bob@example.org
	'
	expect 'swaks: pipelining, and a recipient that is refused' '
		status 24 swaks --silent 3 --server 127.0.0.1 --port "$SMTP" --pipeline \
		    --from eve@example.com --to nobody@example.org
		swaks --silent 2 --server 127.0.0.1 --port "$SMTP" --pipeline \
		    --from eve@example.com --to bob@example.org
	'
else
	skip 'swaks' 'no swaks here'
fi

# The keeper dies under load. smtp-source may stop at the 421 that it sees; a session logs
# a delivery when the keeper has told it, right before it says 250.
before=$(grep -c 'event=delivered.*to=ada' serve.log)
rm -rf mail/example.org/ada
smtp_source "$SMTP" -s 10 -m 2000 -l 500 -f eve@example.com -t ada@example.org \
    >source.log 2>&1 &
source=$!
wait_for 20 eval '[ "$(mails ada)" -gt 50 ]'
kill -KILL "$(pgrep -o -P "$(pid_of serve)")"
wait $source 2>/dev/null
delivered=$(($(grep -c 'event=delivered.*to=ada' serve.log) - before))
diag "delivered $delivered, there $(mails ada)"
ok 'the keeper dies under load: what was delivered is there' \
    [ "$delivered" -gt 50 -a "$(mails ada)" -ge "$delivered" ]
like "$(grep event=died serve.log)" 'role=keeper.*signal=9' 'that was the keeper'
ok 'and the server goes on' swaks --silent 2 --server 127.0.0.1 --port "$SMTP" \
    --from eve@example.com --to ada@example.org
done_testing
