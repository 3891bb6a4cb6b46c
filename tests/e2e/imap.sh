# imap.sh - an account on a fake IMAP server: sourced behind lib.sh
#
# Three messages (a, b, c) are on both sides; a fourth (d) has come since. reset makes it so
# again, and the server behaves; a file "chat" says how it does not (tests/tools/fake_imap.py).

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
move() # SUBJECT FOLDER: as a mail reader does it
{
	mv "$(grep -rl "Subject: $1" Mail/test/INBOX)" "Mail/test/$2/cur"
}
reset() # as it was; no chat
{
	rm -rf Mail state box chat
	cp -a begin/. .
}
