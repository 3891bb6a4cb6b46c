#!/usr/bin/env bash
# mt-send: which message a verb is about, when it is named by a path, an id or a query
. "${0%/*}/../lib.sh"

export MT_CONFIG=$T/mt.conf
printf 'maildir = "%s"\naccount work { from = "ada@example.org" }\n' "$T/Mail" >mt.conf
box=$T/Mail/work/INBOX
mkdir -p "$box"/{cur,new,tmp}
# mail N ID SUBJECT: a message that lies in the mailbox
mail()
{
	printf 'From: Bob %s <bob%s@example.net>\nTo: ada@example.org\nSubject: %s\n' "$1" "$1" "$3"
	printf 'Date: Sat, 21 Nov 2026 10:0%s:00 +0000\nMessage-ID: <%s>\n\ntext of %s\n' \
	    "$1" "$2" "$1"
} >"$box/cur/$1.host:2,S"
# reply MSG: to whom a reply to it would go
reply() { echo ok | mt-send -n reply "$1" 2>err | sed -n 's/^RCPT TO://p'; }

expect 'without an index, a name that is no file is 66, and says what to do' '
	status 66 mt-send -n reply id:1@x </dev/null 2>err
	grep -q "mt-index new" err
	status 66 mt-send -n reply lunch </dev/null 2>err
	grep -q "lunch: there is no such file.*mt-index new" err
'
mail 1 1@example.net 'lunch today'
mail 2 2@example.net 'lunch tomorrow'
mail 3 'a(b)+c"d@example.net' 'tea'
mail 4 4@example.net 'walk'
mail 5 5@example.net 'walk'
for i in 6 7 8; do mail $i $i@example.net 'walk'; done
mt-index new >/dev/null

expect 'an id finds its message, with and without brackets, whatever is in it' '
	[ "$(reply id:1@example.net)" = "<bob1@example.net>" ]
	[ "$(reply "id:<2@example.net>")" = "<bob2@example.net>" ]
	[ "$(reply "id:\"2@example.net\"")" = "<bob2@example.net>" ]
'
expect 'so does a query with one answer' '
	[ "$(reply "subject:lunch and from:bob2")" = "<bob2@example.net>" ]
	[ "$(reply tea)" = "<bob3@example.net>" ]
	[ "$(reply "id:1@example.net or id:none@x")" = "<bob1@example.net>" ]
'
expect 'several answers: 65, with their ids, and nothing is printed' '
	echo ok | status 65 mt-send -n reply lunch >out 2>err
	[ ! -s out ]
	grep -q "2026-11-21 10:01  Bob 1 <bob1@example.net>  lunch today  id:1@example.net" err
	grep -q "lunch tomorrow  id:2@example.net" err
	grep -q "lunch: several messages match" err
	not grep -q "and more" err
'
expect 'of many answers a few are listed, the newest first' '
	echo ok | status 65 mt-send -n reply "from:bob" >out 2>err
	[ "$(grep -c id: err)" = 5 ]
	head -n 1 err | grep -q id:8@example.net
	grep -q "and more" err
'
expect 'no answer is 66, and says how to find it' '
	echo ok | status 66 mt-send -n reply id:none@example.net >out 2>err
	[ ! -s out ]
	grep -q "id:none@example.net: no message.*mt-index" err
	echo ok | status 66 mt-send -n reply none.eml 2>err
	grep -q "none.eml: there is no such file, and no message" err
	echo ok | status 66 mt-send -n reply ./none.eml 2>err
	not grep -q index err
	echo ok | status 64 mt-send -n reply ""
'
expect 'a query that cannot be read is 64, and quoted' '
	echo ok | status 64 mt-send -n reply "date:xyzzy..abc" 2>err
	grep -q "date:xyzzy" err
'
expect 'an existing file wins over a query' '
	sed s/bob1/file/ "$box/cur/1.host:2,S" >tea
	[ "$(reply tea)" = "<file@example.net>" ]
	rm tea
'
expect 'a pipe is a file, too' '
	[ "$(reply <(cat "$box/cur/1.host:2,S"))" = "<bob1@example.net>" ]
'
expect 'a deleted message is found when there is no other' '
	printf "[database]\npath=%s\n[search]\nexclude_tags=deleted\n" "$T/Mail" >nm.conf
	export NOTMUCH_CONFIG=$T/nm.conf
	command -v notmuch >/dev/null || skip_all "no notmuch here"
	notmuch tag +deleted -- id:1@example.net
	[ "$(reply lunch)" = "<bob2@example.net>" ]
	[ "$(reply id:1@example.net)" = "<bob1@example.net>" ]
	notmuch tag -deleted -- id:1@example.net
'
expect 'of two files of one message one is enough' '
	mkdir -p "$T/Mail/work/Old"/{cur,new,tmp}
	cp "$box/cur/4.host:2,S" "$T/Mail/work/Old/cur/4.copy:2,S"
	mt-index new >/dev/null
	rm "$box/cur/4.host:2,S"
	[ "$(reply id:4@example.net)" = "<bob4@example.net>" ]
'
expect 'a message whose file has gone is 66, and says so' '
	rm "$T/Mail/work/Old/cur/4.copy:2,S"
	echo ok | status 66 mt-send -n reply id:4@example.net 2>err
	grep -q "id:4@example.net: .*file has gone.*mt-index new" err
'
done_testing
