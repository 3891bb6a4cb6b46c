#!/usr/bin/env bash
# mt-fetch against IMAP servers that lie, flood and break off: the chats in tests/data/chat
. "${0%/*}/../lib.sh"
need python3 sqlite3

port=$(free_port)
client_conf "" "" "imap = \"imap://user1@localhost:$port\"" 'allow_plaintext = "yes"'
export XDG_STATE_HOME=$T/state

# mailbox SUBJECT...: INBOX with messages of these subjects, and an empty Trash.
mailbox()
{
	python3 - "$@" >box <<-'END'
		import json, sys
		mail = {i: ["\\Seen" if s == "b" else "",
		            f"Message-ID: <{s}@there>\nSubject: {s}\n\ntext of {s}\n"]
		        for i, s in enumerate(sys.argv[1:], 1)}
		print(json.dumps({"INBOX": {"validity": 7, "next": len(mail) + 1, "mail": mail},
		                  "Trash": {"validity": 8, "next": 1, "mail": {}}}))
	END
}
# Both sides have the same messages, with the same flags, each once.
both()
{
	python3 - <<-'END'
		import json, os, sys
		letters = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Deleted": "T"}
		boxes = json.load(open("box"))
		for name, box in boxes.items():
		    there = sorted(("".join(sorted(letters[f] for f in flags.split())), text)
		                   for flags, text in box["mail"].values())
		    here = []
		    for sub in "cur", "new":
		        for f in os.listdir(f"Mail/test/{name}/{sub}"):
		            here.append((f.partition(":2,")[2],
		                         open(f"Mail/test/{name}/{sub}/{f}").read()))
		    if sorted(here) != there:
		        sys.exit(f"{name}: here {sorted(here)}, there {there}")
	END
}
texts() { find Mail -type f -not -path '*/tmp/*' -exec sha256sum {} + | cut -c1-64 | sort; }
outside() { find . -path ./Mail -prune -o -path ./state -prune -o -print | sort; }

# Three messages are on both sides; a fourth has come since.
mailbox a b c
start imap "$TOP/tests/tools/fake_imap.py" --port "$port" --box "$T/box" --chat "$T/chat"
wait_port imap "$port" || exit 1
mt-fetch || exit 1
mailbox a b c d
mkdir begin
cp -a Mail state box begin
modseq() # what the server counted then
{
	sqlite3 state/mt/sync-test.sqlite "UPDATE folder SET modseq = $1 WHERE name = 'INBOX'"
}
new() # SUBJECT: a message of our own
{
	printf 'Message-ID: <%s@here>\nSubject: %s\n\ntext of %s\n' "$1" "$1" "$1" \
	    >"Mail/test/INBOX/new/1600000000.M$1.here"
}
reset()
{
	rm -rf Mail state box chat
	cp -a begin/. .
}

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
expect 'a server restored from a backup gives UIDs again: nothing is lost' '
	reset
	mailbox a x
	mt-fetch
	both
	[ "$(grep -h "^Subject" Mail/test/INBOX/*/* | sort -u | wc -l)" = 4 ]'
done_testing
