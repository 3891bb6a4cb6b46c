#!/usr/bin/env bash
# mt-fetch against IMAP servers that lie, flood and break off: the chats in tests/data/chat
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/imap.sh"

# One chat: it ends as its head says, in bounded memory; what was here is here, nothing was
# written elsewhere, and with a server that behaves again both sides are equal.
play() # CHAT
{
	local want says most

	want=$(sed -n 's/^# status: //p' "$1")
	says=$(sed -n 's/^# says: *//p' "$1")
	most=$(sed -n 's/^# most: //p' "$1")
	reset
	eval "$(sed -n 's/^# first: //p' "$1")"
	cp "$1" chat
	touch err mem before after texts
	outside >before
	texts >texts
	command time -q -f %M -o mem timeout 60 mt-fetch 2>err || rc=$?
	cat err mem
	[ "${rc:-0}" = "$want" ] || { echo "status ${rc:-0}, not $want"; return 1; }
	if [ -n "$says" ]; then
		grep -Eq -- "$says" err || { echo "not said: $says"; return 1; }
	else
		[ ! -s err ]
	fi
	[ -n "${MT_SANITIZED:-}" ] || [ "$(cat mem)" -lt $((${most:-64} * 1024)) ]
	outside >after
	diff before after
	[ -z "$(texts | comm -13 - texts)" ] || { echo "something is lost"; return 1; }
	rm chat
	mt-fetch
	both
}
for chat in "$TOP"/tests/data/chat/*.imap; do
	expect "$(sed -n '1s/^# //p' "$chat")" "play '$chat'"
done
expect 'a UID is another message now: what is here stays' '
	reset
	texts >texts
	sed -i "s/text of a/another text/" box
	mt-fetch
	[ -z "$(texts | comm -13 - texts)" ]
	grep -q "text of a" Mail/test/INBOX/*/*
	rm -r state
	mt-fetch
	[ -z "$(texts | comm -13 - texts)" ]'
expect 'and in a session: the bytes of another message under the UID of one without Message-ID' '
	reset
	sed -i "s/Message-ID: <a@there>/X-No-Id: <a@there>/" box
	sed -i "s/Message-ID: <a@there>/X-No-Id: <a@there>/" "$(grep -l "of a" Mail/test/INBOX/*/*)"
	rm -r state
	cat >chat <<-END
	< UID FETCH 1 .*BODY.PEEK\\[\\]
	good ^(.*OK done)\$ => * 2 FETCH (UID 9 FLAGS () BODY[] "evil")\\r\\n\\1
	END
	mt-fetch
	both
	[ "$(texts | wc -l)" = 4 ]'
expect 'a server restored from a backup gives UIDs again: nothing is lost' '
	reset
	mailbox a x
	mt-fetch
	both
	[ "$(grep -h "^Subject" Mail/test/INBOX/*/* | sort -u | wc -l)" = 4 ]'
# What a server calls its folders.
names() # LINE...: LIST says these lines, too
{
	reset
	{
		echo "< LIST"
		for line; do printf '| * LIST () "/" %s\\r\\n\n' "$line"; done
		echo good
	} >chat
	outside >before
}
expect 'folders with names of directories that are not ours: below the root, each its own' '
	names "\"..\"" "\"../../above\"" "\"/etc/cron.d/x\"" "\".\"" "\"a/../../b\"" \
	    "\"cur\"" "\"INBOX/new/x\"" "\"x//y\"" "\"tab\\x09esc\\x1b[31m\"" \
	    "\"per%2E.cent\"" "{3}\\r\\na*b"
	touch after
	outside >before
	mt-fetch 2>&1
	outside >after
	diff before after
	(cd Mail/test; find . -name cur | sort) >got
	diff - got <<-END
	./%/etc/cron.d/x/cur
	./%2E./%2E./above/cur
	./%2E./cur
	./%2E/cur
	./%63ur/cur
	./INBOX/%6Eew/x/cur
	./INBOX/cur
	./Trash/cur
	./a*b/cur
	./a/%2E./%2E./b/cur
	./per%252E.cent/cur
	./tab%09esc%1B[31m/cur
	./x/%/y/cur
	END
'
expect 'folders with names that cannot be: the others are synchronised, 65' '
	names "{3}\\r\\na\\0b" "{4}\\r\\na\\r\\nb" "\"\\xff\\xfe\"" "\"&AC8-\"" "\"&AC4ALgAvAC4ALg-\"" \
	    "\"&\"" "\"\""
	touch after
	outside >before
	status 65 mt-fetch 2>err
	grep "7 folders of the server have names that are no modified UTF-7" err
	outside >after
	diff before after
	both'
expect 'a folder whose name is too long for a directory: the others are synchronised, 65' '
	names "\"$(printf "x%.0s" $(seq 300))\"" "\"$(printf "deep/%.0s" $(seq 1000))\""
	status 65 mt-fetch 2>err
	[ "$(grep -c "too long" err)" = 2 ]
	both'

# What comes before TLS.
make_ca || exit 1
tls=$(free_port)
start tls "$TOP/tests/tools/fake_imap.py" --port "$tls" --box "$T/box" --chat "$T/chat" \
    --cert cert.pem --key key.pem
wait_port tls "$tls" || exit 1
client_conf "" "" "imap = \"imap://user1@localhost:$tls\""
refused() # STATUS REGEX LINE...: with this chat, and no password was sent
{
	reset
	printf '%s\n' "${@:3}" >chat
	: >tls.log
	status "$1" mt-fetch 2>err
	cat err tls.log
	grep -q -- "$2" err
	[ "$(texts | wc -l)" = 3 ]
	not grep -q LOGIN tls.log
}
expect 'STARTTLS is used where it is offered' '
	reset
	mt-fetch
	grep -q STARTTLS tls.log
	both'
expect 'responses behind the answer to STARTTLS, in one packet: refused' '
	refused 76 localhost "< STARTTLS" "| \$ OK go on\\r\\n* OK injected\\r\\n" tls'
expect 'a greeting and a mailbox behind it, too' '
	refused 76 localhost "< STARTTLS" \
	    "| \$ OK go on\\r\\n* PREAUTH hello\\r\\n* 0 EXISTS\\r\\nM1 OK done\\r\\n" tls'
# What loopback may do, others may not: this is no name of it.
sed -i "s|@localhost|@0.0.0.0|" mt.conf
expect 'STARTTLS refused' '
	refused 69 "offers no TLS" "< STARTTLS" "> \$ NO not today"'
expect 'STARTTLS not offered' '
	refused 69 "offers no TLS" "< CAPABILITY" "> * CAPABILITY IMAP4rev1" "> \$ OK done"'
expect 'PREAUTH before TLS: refused' '
	refused 69 "TLS" "< GREETING" "> * PREAUTH hello"'
done_testing
