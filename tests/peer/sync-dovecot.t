#!/usr/bin/env bash
# mt-fetch keeps Maildirs in step with Dovecot, by QRESYNC (or with less: sync-*.t)
. "${0%/*}/../lib.sh"
need sqlite3 python3
case ${1:-} in
condstore) caps='IMAP4rev1 LITERAL+ UIDPLUS MOVE CONDSTORE ENABLE ESEARCH LIST-STATUS LIST-EXTENDED SPECIAL-USE' ;;
bare) caps='IMAP4rev1' ;;
parallel) caps= ;;
*) caps= ;;
esac
jobs=()
[ "${1:-}" != parallel ] || jobs=(-j 4)
start_dovecot ${caps:+"imap_capability = $caps"} \
    'namespace inbox {' '  inbox = yes' '  mailbox Trash {' '    special_use = \Trash' \
    '    auto = create' '  }' '  mailbox Sent {' '    auto = create' '  }' '}' || exit 1
drop=$T/dovecot/mail/user1
root=$T/Mail/test
export XDG_STATE_HOME=$T/state

imap() # COMMAND...: commands of IMAP on the server, beside mt-fetch; the answers in imap.out
{
	python3 - "$DOVECOT_IMAP" "$@" >imap.out 2>&1 <<-'END'
		import imaplib, sys
		m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
		m.login("user1", "secret-1")
		for c in sys.argv[2:]:
		    words = c.split(" ", 1)
		    if words[0] == "SELECT":
		        print(m.select(words[1]))
		    elif words[0] == "APPEND":
		        box, text = words[1].split(" ", 1)
		        print(m.append(box, "", None, text.encode().decode("unicode_escape").encode("latin-1")))
		    elif words[0] == "UID":
		        print(m.uid(*words[1].split(" ", 2)))
		    elif words[0] == "EXPUNGE":
		        print(m.expunge())
		    else:
		        print(getattr(m, words[0].lower())(*words[1].split(" ")))
		m.logout()
	END
}
both() # FOLDER [PATH]: flags and bytes of all messages, the same on both sides
{
	python3 - "$DOVECOT_IMAP" "$1" "$root/${2:-$1}" <<-'END'
		import hashlib, imaplib, os, re, sys
		m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
		m.login("user1", "secret-1")
		m.select('"' + sys.argv[2] + '"', readonly=True)
		there = []
		typ, data = m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
		letters = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Deleted": "T", "\\Draft": "D", "$Forwarded": "P"}
		for i, d in enumerate(data or []):
		    if isinstance(d, tuple):
		        head = d[0].decode() + (data[i + 1].decode() if isinstance(data[i + 1], bytes) else "")
		        flags = re.search(r"FLAGS \(([^)]*)\)", head).group(1).split()
		        there.append(("".join(sorted(letters.get(f, "") for f in flags)),
		                      hashlib.sha256(d[1].replace(b"\r\n", b"\n")).hexdigest()))
		here = []
		for sub in "cur", "new":
		    for f in os.listdir(os.path.join(sys.argv[3], sub)):
		        with open(os.path.join(sys.argv[3], sub, f), "rb") as fd:
		            here.append((f.partition(":2,")[2], hashlib.sha256(fd.read()).hexdigest()))
		if sorted(there) != sorted(here):
		    print("there", sorted(there)); print("here", sorted(here)); sys.exit(1)
		print(len(here))
	END
}
count() { find "$root/$1"/cur "$root/$1"/new -type f | wc -l; }
file() { grep -rlx "Subject: $2" "$root/$1"/cur "$root/$1"/new; }	# FOLDER SUBJECT
flag() # FOLDER SUBJECT LETTERS: as a mail reader does it
{
	local f base

	f=$(file "$1" "$2") base=${f##*/}
	mv "$f" "$root/$1/cur/${base%:2,*}:2,$3"
}
write() # FOLDER SUBJECT [FLAGS]: a message of our own
{
	local sub=new tail=

	[ -z "${3:-}" ] || { sub=cur; tail=:2,$3; }
	mkdir -p "$root/$1"/{cur,new,tmp}
	printf 'Message-ID: <%s@here>\nSubject: %s\n\ntext of %s\n' "$2" "$2" "$2" \
	    >"$root/$1/$sub/$(date +%s).M$2.here$tail"
}
mail() { printf 'Message-ID: <%s@there>\\r\\nSubject: %s\\r\\n\\r\\ntext of %s\\r\\n' "$1" "$1" "$1"; }
go() { status "${want:-0}" mt-fetch "$@" "${jobs[@]}" >out 2>err || { cat out err; return 1; }; }

client_conf "" ""
sed -i "s|  from = |  imap = \"imap://user1@localhost:$DOVECOT_IMAP\"\n&|" mt.conf
imap "APPEND INBOX $(mail a)" "APPEND INBOX $(mail b)" "APPEND INBOX $(mail c)" \
    "CREATE Lists" "APPEND Lists $(mail l1)" "SELECT INBOX" 'UID STORE 1 +FLAGS (\Seen $Forwarded)' 'UID STORE 2 +FLAGS (\Flagged kw)'
expect 'all folders come, with flags, byte for byte' '
	go
	[ "$(both INBOX)" = 3 ]
	[ "$(both Lists)" = 1 ]
	[ -d "$root/Sent/cur" ]
	[ ! -s out ] && [ ! -s err ]'
expect 'a second run finds nothing to do' '
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0,\"flags_here\":0,\"flags_there\":0,\"deleted_here\":0" out
	[ "$(both INBOX)" = 3 ]'
expect 'flags that change there change here' '
	imap "SELECT INBOX" "UID STORE 1 -FLAGS (\\Seen)" "UID STORE 3 +FLAGS (\\Answered)"
	go
	[ "$(both INBOX)" = 3 ]
	file INBOX c | grep -q ":2,R\$"'
expect 'flags that change here change there; both sides at once, in one message' '
	flag INBOX a PS
	flag INBOX b FS
	flag INBOX c RT
	imap "SELECT INBOX" "UID STORE 3 +FLAGS (\\Flagged)"
	go
	[ "$(both INBOX)" = 3 ]
	file INBOX c | grep -q ":2,RFT\$\|:2,FRT\$"
	flag INBOX c R
	go
	[ "$(both INBOX)" = 3 ]'
expect 'new mail on both sides' '
	imap "APPEND INBOX $(mail d)"
	write INBOX mine FS
	go
	[ "$(both INBOX)" = 5 ]
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0" out'
expect 'what is removed there goes here' '
	imap "SELECT INBOX" "UID STORE 4 +FLAGS (\\Deleted)" "EXPUNGE x"
	go
	[ "$(both INBOX)" = 4 ]
	not file INBOX d'
expect 'what is removed here goes to Trash there' '
	rm "$(file INBOX b)"
	go
	[ "$(both INBOX)" = 3 ]
	go
	[ "$(both Trash)" = 1 ]
	file Trash b'
expect 'a folder that is made here is made there' '
	write Neu/Ordner-ä x
	go
	[ "$(both "Neu.Ordner-&AOQ-" Neu/Ordner-ä)" = 1 ]'
expect 'a run that is told to pull leaves the server as it is, and the next one does the rest' '
	imap "APPEND INBOX $(mail e)"
	write INBOX mine2
	flag INBOX a S
	go --pull
	[ "$(count INBOX)" = 5 ]
	imap "SELECT INBOX"
	grep -q "4" imap.out
	go
	[ "$(both INBOX)" = 5 ]'
expect 'a run that is told to push leaves the Maildir as it is' '
	imap "APPEND INBOX $(mail f)" "SELECT INBOX" "UID STORE 1 +FLAGS (\\Answered)"
	write INBOX mine3
	go --push
	[ "$(count INBOX)" = 6 ]
	go
	[ "$(both INBOX)" = 7 ]'
expect '-n prints what would be done, and does nothing' '
	imap "APPEND INBOX $(mail g)"
	write INBOX mine4
	rm "$(file INBOX e)"
	go -n
	grep -q "^would-fetch	test	INBOX	" out
	grep -q "^would-upload	test	INBOX	" out
	grep -q "^would-delete-there	test	INBOX	" out
	[ "$(count INBOX)" = 7 ]
	go
	[ "$(both INBOX)" = 8 ]'
expect 'what is moved there moves here: it is not fetched again' '
	flag INBOX a FS
	go
	name=$(basename "$(file INBOX a)") name=${name%%:2,*}
	imap "SELECT INBOX" "UID COPY 1 Lists" "UID STORE 1 +FLAGS (\\Deleted)" "EXPUNGE x"
	go -n
	grep -q "^would-move-here	test	Lists	.*$name" out
	go --json
	grep -q "\"event\":\"moved-here\".*\"folder\":\"Lists\",\"from\":\"INBOX\"" out
	grep -q "\"fetched\":0,\"uploaded\":0,.*\"deleted_here\":0,\"deleted_there\":0,\"moved_here\":1" out
	[ "$(both INBOX)" = 7 ]
	[ "$(both Lists)" = 2 ]
	ls "$root/Lists/cur" | grep -q "^$name:2,.*F.*S"
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0,.*\"moved_here\":0" out'
expect 'what is moved here moves there, with new flags: it is not sent again' '
	f=$(file Lists a)
	mv "$f" "$root/INBOX/cur/$(basename "${f%:2,*}"):2,RS"
	write Lists other
	rm "$(file Lists l1)"
	go -n
	grep -q "^would-move-there	test	INBOX	" out
	go --json
	grep -q "\"event\":\"moved-there\".*\"folder\":\"INBOX\",\"from\":\"Lists\"" out
	grep -q "\"fetched\":1,\"uploaded\":1,.*\"deleted_there\":1,.*\"moved_there\":1" out
	[ "$(both INBOX)" = 8 ]
	[ "$(both Lists)" = 1 ]
	go --json
	grep -q "\"uploaded\":0" out
	[ "$(both Trash)" -ge 2 ]'
expect 'a file that a mail reader saves under another name has moved, too' '
	f=$(file INBOX a)
	cp "$f" "$root/Lists/cur/1.new.name:2,S"
	rm "$f"
	go --json
	grep -q "\"uploaded\":0,.*\"deleted_there\":0,.*\"moved_there\":1" out
	[ "$(both Lists)" = 2 ]
	mv "$root/Lists/cur/1.new.name:2,S" "$root/INBOX/cur/1.new.name:2,S"
	go
	[ "$(both INBOX)" = 8 ]'
expect 'sixty that are moved here are no deletions, and nothing of them is held back' '
	for i in $(seq 60); do write Lists sixty$i S; done
	go
	mv "$root"/Lists/cur/*sixty* "$root/Sent/cur/"
	go --json
	grep -q "\"moved_there\":60,.*\"held\":0" out
	[ "$(both Sent)" = 60 ]
	[ "$(both Lists)" = 1 ]
	rm "$root"/Sent/cur/*sixty*
	go --force
	[ "$(both Sent)" = 0 ]'
expect 'a lost state is healed: nothing comes twice, nothing is deleted' '
	go	# what the run before has moved to Trash
	before=$(both INBOX)
	rm -r state
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0,.*\"deleted_there\":0" out
	[ "$(both INBOX)" = "$before" ]'
expect 'new UIDs for all are healed: nothing comes twice, nothing is deleted' '
	before=$(both INBOX)
	rm -f "$drop"/dovecot-uidlist "$drop"/dovecot.index*
	sleep 1
	imap "APPEND INBOX $(mail h)"
	go --json
	grep -q "\"event\":\"fetched\".*\"path\":\"$root/INBOX/new/" out
	[ "$(both INBOX)" = $((before + 1)) ]
	[ "$(count INBOX)" = $((before + 1)) ]'
expect 'a Maildir that has lost its mail stops the deletions, in both directions' '
	for i in $(seq 60); do printf "%s\n" "APPEND Lists $(mail many$i)"; done >cmds
	mapfile -t cmds <cmds
	imap "${cmds[@]}"
	go
	[ "$(both Lists)" = 61 ]
	mv "$root/Lists" away
	want=65 go
	grep -q "Lists: .*Lists is gone; 61 messages are in the folder on the server" err
	[ ! -e "$root/Lists" ]
	want=65 go
	imap "SELECT Lists"
	grep -q 61 imap.out
	mkdir -p "$root/Lists"/{cur,new,tmp}
	want=65 go
	grep -q "Lists: 61 of 61 messages are gone here; they are not deleted on the server" err
	rm -r "$root/Lists"; mv away "$root/Lists"
	go
	[ "$(both Lists)" = 61 ]
	imap "SELECT Lists" "UID STORE 1:* +FLAGS (\\Deleted)" "EXPUNGE x"
	want=65 go
	[ "$(count Lists)" = 61 ]
	go --force
	[ "$(both Lists)" = 0 ]'
expect 'a root without any mail stops it all' '
	mv "$root" away
	want=65 go
	grep -q "Mail/test: there is no mail, where [0-9]* messages were" err
	rm -rf "$root"; mv away "$root"
	go'
expect 'one folder alone' '
	imap "APPEND INBOX $(mail i)" "APPEND Sent $(mail s)"
	go -f Sent
	[ "$(both Sent)" = 1 ]
	not file INBOX i
	want=64 go -f Nowhere
	grep -q "no folder \"Nowhere\"" err'
expect 'a folder that is renamed on one side has the other name on both' '
	imap "CREATE Old" "CREATE Old.Sub" "APPEND Old $(mail o1)" "APPEND Old $(mail o2)" "APPEND Old.Sub $(mail o3)"
	go
	[ "$(both Old)" = 2 ]
	imap "RENAME Old Fresh"
	go -n
	grep -q "^would-rename-folder-here	test	Fresh	" out
	[ -d "$root/Old/cur" ]
	go --json
	grep -q "\"event\":\"renamed-folder-here\".*\"folder\":\"Fresh\",\"from\":\"Old\"" out
	grep -q "\"fetched\":0,\"uploaded\":0,.*\"deleted_here\":0,.*\"folders_renamed_here\":2" out
	[ "$(both Fresh)" = 2 ]
	[ "$(both Fresh.Sub Fresh/Sub)" = 1 ]
	[ ! -e "$root/Old" ]
	mv "$root/Fresh" "$root/Third"
	go --json
	grep -q "\"fetched\":0,\"uploaded\":0,.*\"deleted_there\":0,.*\"moved_there\":3" out
	[ "$(both Third)" = 2 ]
	[ "$(both Third.Sub Third/Sub)" = 1 ]
	go
	imap "LIST \"\" *"
	not grep Fresh imap.out
	[ ! -e "$root/Fresh" ]'
expect 'an empty folder that one side removes goes on the other' '
	imap "CREATE Empty1" "CREATE Empty2"
	go
	[ -d "$root/Empty1/cur" ]
	rm -r "$root/Empty1"
	imap "DELETE Empty2"
	go
	[ ! -e "$root/Empty1" ]
	[ ! -e "$root/Empty2" ]
	imap "LIST \"\" *"
	not grep Empty imap.out'
expect 'one with messages stays, until --delete-folders is said' '
	imap "CREATE Full1" "CREATE Full2" "APPEND Full1 $(mail f1)" "APPEND Full2 $(mail f2)"
	go
	rm -r "$root/Full1"
	imap "DELETE Full2"
	want=65 go
	want=65 go
	grep "Full1: .*Full1 is gone; 1 messages are in the folder on the server" err
	grep "Full2: .*--delete-folders" err
	[ "$(count Full2)" = 1 ]
	imap "SELECT Full1"; grep -q "OK.*1" imap.out
	write Full2 never-there
	want=65 go --delete-folders
	grep "Full2: .*never had some" err
	[ "$(count Full2)" = 2 ]
	imap "LIST \"\" *"
	not grep Full1 imap.out
	rm "$(file Full2 never-there)"
	go --delete-folders
	[ ! -e "$root/Full2" ]
	go
	file Trash f1'
expect 'new mail in a folder that was removed here is not removed with it' '
	imap "CREATE Late" "APPEND Late $(mail t1)"
	go
	rm -r "$root/Late"
	imap "APPEND Late $(mail t2)"
	want=65 go --delete-folders
	imap "SELECT Late"; grep -q "OK.*2" imap.out
	imap "DELETE Late"
	go
	[ ! -e "$root/Late" ]'
expect 'folders and status say what there is on both sides; repair brings a Maildir back' '
	imap "CREATE Show" "APPEND Show $(mail w1)" "APPEND Show $(mail w2)"
	mt-fetch folders >out
	grep -qx "test	Show	$root/Show	-	2" out
	grep -q "^test	Trash	$root/Trash	trash	" out || [ "${caps:+x}" = x ]
	mt-fetch folders -0 | tr "\\0" "\\n" | grep -qx Show
	mt-fetch folders --json | grep -q "\"folder\":\"Show\".*\"remote\":2"
	mt-fetch status | grep -qx "test	Show	0	2	2	never"
	go
	write Show here1
	mt-fetch status | grep -qx "test	Show	3	2	1	20..-..-.. ..:..:.."
	mt-fetch status --json | grep -q "\"folder\":\"Show\".*\"remote\":2,\"local\":3,\"pending\":1"
	go
	rm -r "$root/Show"
	want=65 go
	status 0 mt-fetch repair -f Show >out
	grep -qx "test	Show" out
	go --json
	grep -q "\"fetched\":3,\"uploaded\":0,.*\"deleted_there\":0" out
	[ "$(both Show)" = 3 ]
	status 64 mt-fetch repair -f Nowhere'
[ ${#jobs[@]} = 0 ] || expect 'with -j each of several folders has a connection of its own' '
	imap "CREATE P1" "CREATE P2" "CREATE P3" "APPEND P1 $(mail p1)" "APPEND P2 $(mail p2)" "APPEND P3 $(mail p3)"
	logins() { grep -c "imap-login: Info: Login" "$T/dovecot/log"; }
	sleep 1	# the log is another process of its
	before=$(logins)
	go
	wait_for 5 eval "[ \$((\$(logins) - before)) = 3 ]"
	[ "$(both P1)" = 1 ] && [ "$(both P2)" = 1 ] && [ "$(both P3)" = 1 ]'
done_testing
