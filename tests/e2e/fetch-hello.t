#!/usr/bin/env bash
# What mt-fetch says first to an IMAP server, and what it does by the answers
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/imap.sh"

# offers WORD...: a server that has these, too; then LINEs of a chat may follow
offers() { reset; : >imap.log; echo "caps IMAP4rev1 LITERAL+ UIDPLUS MOVE ESEARCH $*" >chat; }
said() { grep -qx -- "$1" imap.log || { cat imap.log; return 1; }; }	# COMMAND of mt-fetch's
version=$(mt-fetch --version | sed -n '1s/.* //p')

expect 'a server that wants to know is told name and version, once, and nothing else (ID)' '
	offers ID
	mt-fetch
	both
	said "ID (\"name\" \"mt-fetch\" \"version\" \"$version\")"
	[ "$(grep -c "^ID" imap.log)" = 1 ]'
expect 'before a folder is opened' '
	grep -n "^ID\|^SELECT" imap.log | head -n 1 | grep "ID"'
expect 'a server that does not ask is told nothing' '
	offers
	mt-fetch
	both
	not grep "^ID" imap.log'
expect 'one that asks, and does not like the answer, is used all the same' '
	for answer in "> \$ NO not you" "> \$ BAD what" "> * ID NIL|> \$ OK" "> * ID (\"a\" \"b|> \$ OK"; do
		offers ID
		{ echo "< ID"; tr "|" "\\n" <<<"$answer"; } >>chat
		mt-fetch
		both
	done'
expect 'all that is said first takes one round trip' '
	offers ID NAMESPACE ENABLE CONDSTORE QRESYNC UTF8=ACCEPT
	mt-fetch
	both
	sed -n "/^ID/,/^LIST/p" imap.log >first
	diff <(cut -d" " -f1 first) <(printf "%s\n" ID more ENABLE more NAMESPACE more LIST)'
expect 'who tells what he can with the answer to the login is not asked for it' '
	for where in "> * CAPABILITY IMAP4rev1 ID|> \$ OK" "> \$ OK [CAPABILITY IMAP4rev1 ID] in"; do
		offers
		{ echo "< LOGIN"; tr "|" "\n" <<<"$where"; } >>chat
		mt-fetch
		[ "$(grep -c "^CAPABILITY" imap.log)" = 1 ]	# before the login
		grep "^ID" imap.log
	done'
expect 'what he told before it does not count' '
	offers ID
	mt-fetch
	[ "$(grep -c "^CAPABILITY" imap.log)" = 2 ]'
expect 'flags of several kinds go in one round trip' '
	offers
	mt-fetch
	for subject in a:F b: c:R d:RS; do
		f=$(grep -l "Subject: ${subject%:*}\$" Mail/test/INBOX/*/*)
		base=${f##*/}
		mv "$f" "Mail/test/INBOX/cur/${base%:2,*}:2,${subject#*:}"
	done
	: >imap.log
	mt-fetch
	both
	sed -n "/^UID STORE/,/^SELECT/p" imap.log >stores
	cat stores
	diff <(cut -c1-9 stores) <(printf "%s\n" "UID STORE" more "UID STORE" more "UID STORE" more \
	    "UID STORE" "SELECT \"T")'
expect 'messages go up one behind the other, and nobody waits between them' '
	offers
	for i in $(seq 100 170); do new u$i; done
	mt-fetch
	both
	sed -n "/^APPEND/,/^SELECT/p" imap.log | grep -c "^more" >more
	cat more
	[ "$(cat more)" -gt 60 ]
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0" out'
expect 'one that is refused among them is told, and the others are there' '
	offers
	for i in $(seq 100 170); do new u$i; done
	printf "%s\n" "< APPEND .INBOX. .. \"13-Sep-2020 12:27:08" "> \$ NO not this one" >>chat
	touch -d @1600000027 Mail/test/INBOX/new/1600000000.Mu1[0-7]*
	touch -d @1600000028 Mail/test/INBOX/new/1600000000.Mu130*
	status 65 mt-fetch --json >out 2>err
	grep "Mu130.*not this one" out
	grep "\"uploaded\":70,.*\"failed\":1" out
	rm chat
	mt-fetch
	both'
expect 'a session that ends among them: the next run sends the rest, nothing twice' '
	offers
	for i in $(seq 100 170); do new u$i; done
	printf "%s\n" "< APPEND .INBOX. .. \"13-Sep-2020 12:27:08" "close" >>chat
	touch -d @1600000027 Mail/test/INBOX/new/1600000000.Mu1[0-7]*
	touch -d @1600000028 Mail/test/INBOX/new/1600000000.Mu130*
	status 75 mt-fetch 2>err
	rm chat
	mt-fetch
	both
	[ "$(ls Mail/test/INBOX/{cur,new}/* | wc -l)" = 75 ]'

# umlauts: a folder, and a message of our own, that are not ASCII. As the fake has the bytes.
umlauts()
{
	python3 - <<-'END'
		import json
		boxes = json.load(open("box"))
		text = "Message-ID: <ä@there>\nSubject: größer & größer\n\ntext\n"
		boxes["Entwürfe & mehr"] = {"validity": 9, "next": 2,
		                            "mail": {"1": ["", text.encode().decode("latin-1")]}}
		json.dump(boxes, open("box", "w"))
	END
	printf 'Message-ID: <own@here>\nSubject: Grüße\n\ntext of ours\n' \
	    >Mail/test/INBOX/new/1600000000.Mown.here
	mkdir -p Mail/test/Neü/{cur,new,tmp}
	printf 'Message-ID: <ascii@here>\n\nthe body alone: Grüße\n' >Mail/test/Neü/new/1600000000.M1.here
}
# equal: all folders are on both sides, by these names, with the same bytes.
equal()
{
	python3 - <<-'END'
		import json, os, sys
		boxes = json.load(open("box"))
		here = [d for d in os.listdir("Mail/test")]
		if sorted(here) != sorted(boxes):
		    sys.exit(f"here {here}, there {list(boxes)}")
		for name, box in boxes.items():
		    there = sorted(text.encode("latin-1") for _, text in box["mail"].values())
		    files = [f"Mail/test/{name}/{sub}/{f}" for sub in ("cur", "new")
		             for f in os.listdir(f"Mail/test/{name}/{sub}")]
		    if sorted(open(f, "rb").read() for f in files) != there:
		        sys.exit(f"{name}: {files}, there {there}")
	END
}
expect 'folders and headers in UTF-8, both ways, with a server that takes them (UTF8=ACCEPT)' '
	offers ENABLE UTF8=ACCEPT
	umlauts
	mt-fetch
	equal
	said "ENABLE UTF8=ACCEPT"
	said "SELECT \"Entwürfe & mehr\""
	said "CREATE \"Neü\""
	grep "^APPEND \"INBOX\" () .* UTF8 (~{[0-9]*+}\$" imap.log
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0" out'
expect 'what is UTF-8 in the body alone needs no form of its own' '
	grep "^APPEND \"Neü\" () \"[^\"]*\" {[0-9]*+}\$" imap.log'
expect 'the same with one literal after the other' '
	offers ENABLE UTF8=ACCEPT
	sed -i "s/LITERAL+//" chat
	umlauts
	mt-fetch
	equal
	grep "^APPEND \"INBOX\" () .* UTF8 (~{[0-9]*}\$" imap.log'
expect 'in one word with QRESYNC' '
	offers ENABLE CONDSTORE QRESYNC UTF8=ONLY
	umlauts
	mt-fetch
	equal
	said "ENABLE QRESYNC UTF8=ACCEPT"'
expect 'a server that does not take it gets modified UTF-7, and the same mail' '
	offers ENABLE
	umlauts
	mt-fetch
	equal
	said "SELECT \"Entw&APw-rfe &- mehr\""
	said "CREATE \"Ne&APw-\""
	not grep "^ENABLE\|UTF8 (" imap.log
	rm chat
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0" out'
expect 'nor does one that offers it, and then refuses' '
	offers ENABLE UTF8=ACCEPT
	printf "%s\n" "< ENABLE" "> \$ NO not now" >>chat
	umlauts
	mt-fetch
	equal
	said "SELECT \"Entw&APw-rfe &- mehr\""'
expect 'a server that takes such a header only as it is gets it so (RFC 9755)' '
	offers ENABLE UTF8=ACCEPT
	printf "%s\n" "< ENABLE" "> * ENABLED UTF8=ACCEPT" "> \$ OK done" >>chat
	printf "Message-ID: <own@here>\nSubject: Grüße\n\ntext of ours\n" \
	    >Mail/test/INBOX/new/1600000000.Mown.here
	mt-fetch
	equal
	grep "UTF8 (~" imap.log
	[ "$(grep -c "^APPEND" imap.log)" = 2 ]'
expect 'a server of IMAP4rev2 alone knows nothing but UTF-8' '
	offers
	sed -i "s/IMAP4rev1/IMAP4rev2/" chat
	umlauts
	mt-fetch
	equal
	said "SELECT \"Entwürfe & mehr\""
	not grep "UTF8 (" imap.log'
expect 'a folder whose name would be a command is none on the server' '
	offers ENABLE UTF8=ACCEPT
	mkdir -p "Mail/test/a%0D%0AM9 DELETE Trash"/{cur,new,tmp}
	status 65 mt-fetch 2>err
	grep "no folder of the server can have this name" err
	not grep "DELETE" imap.log'

# spaces NAMESPACES FOLDER...: folders of the server, each with one message, below "."
spaces()
{
	offers NAMESPACE
	python3 - "${@:2}" <<-'END'
		import json, sys
		boxes = json.load(open("box"))
		del boxes["Trash"]
		for name in sys.argv[1:]:
		    boxes[name] = {"validity": 5, "next": 2, "mail": {
		        "1": ["", f"Message-ID: <{name}@x>\nSubject: {name}\n\n"]}}
		json.dump(boxes, open("box", "w"))
	END
	rm -r Mail/test/Trash
	{
		printf '%s\n' '< NAMESPACE' "> * NAMESPACE $1" '> $ OK done' '< LIST'
		printf '> * LIST () "." "%s"\n' INBOX "${@:2}"
		echo '> $ OK done'
	} >>chat
}
here() { find Mail/test -name cur -printf '%P\n' | sed 's|/cur$||' | sort | tr '\n' ' '; }
expect 'what is not the user'"'"'s own is left alone, unless it is named (NAMESPACE)' '
	spaces "((\"\" \".\")) ((\"user.\" \".\")) ((\"Shared.\" \".\"))" \
	    user.bob user.bob.Lists Shared Shared.News Userland
	mt-fetch
	[ "$(here)" = "INBOX Userland " ]
	mt-fetch folders >out
	grep "^test	user.bob.Lists	-	others	" out
	grep "^test	Shared.News	-	shared	" out
	mt-fetch -f user.bob.Lists
	[ "$(here)" = "INBOX Userland user/bob/Lists " ]
	[ "$(ls Mail/test/user/bob/Lists/new | wc -l)" = 1 ]
	mt-fetch
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0" out
	[ "$(here)" = "INBOX Userland user/bob/Lists " ]'
expect 'nor is it made there, or used for what is deleted' '
	spaces "((\"\" \".\")) NIL ((\"Shared.\" \".\"))" Shared.Trash
	sed -i "s/LIST () \".\" \"Shared.Trash/LIST (\\\\Trash) \".\" \"Shared.Trash/" chat
	mkdir -p Mail/test/Shared/Mine/{cur,new,tmp}
	rm "$(grep -l "Subject: a" Mail/test/INBOX/*/*)"
	status 65 mt-fetch 2>err
	grep "Shared.Mine: .*not be one.s own" err
	not grep "^CREATE\|^UID MOVE\|^UID COPY" imap.log
	grep "^UID EXPUNGE 1" imap.log'
expect 'where all lies below INBOX it does not here, and a new folder goes there' '
	spaces "((\"INBOX.\" \".\")) NIL ((\"\" \".\"))" INBOX.Work News.all
	mkdir -p Mail/test/Mine/{cur,new,tmp}
	mt-fetch
	[ "$(here)" = "INBOX Mine Work " ]
	said "CREATE \"INBOX.Mine\""'
expect 'even when there is only INBOX' '
	spaces "((\"INBOX.\" \".\")) NIL NIL"
	mkdir -p Mail/test/Mine/{cur,new,tmp}
	mt-fetch
	said "CREATE \"INBOX.Mine\""'
expect 'a folder below INBOX is there, where the server says that not all is' '
	spaces "((\"\" \".\")) NIL NIL" INBOX.Work
	mt-fetch
	[ "$(here)" = "INBOX INBOX/Work " ]'
expect 'a server that says nothing, or nonsense, is used as one that has no namespaces' '
	for answer in "NIL NIL NIL" "nonsense" "((" ; do
		spaces "$answer" INBOX.Work user.bob
		mt-fetch
		[ "$(here)" = "INBOX INBOX/Work user/bob " ]
	done'
done_testing
