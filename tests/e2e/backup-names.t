#!/usr/bin/env bash
# mt-backup: how messages, folders and snapshots are named, listed and asked for
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
umask 077

# message FOLDER NAME: a message file, an hour old.
message()
{
	local file=$1/cur/$2

	case $2 in *:2,*) ;; *) file=$1/new/$2 ;; esac
	mkdir -p "$1"/{cur,new,tmp}
	printf 'Subject: %s\n\n%s\n' "$2" "$1" >"$file"
	touch -d '1 hour ago' "$file"
}

mt-backup init
message Mail/work/INBOX 1.a.h:2,S
message Mail/work/Sent 2.b.h
mt-backup create Mail >/dev/null

expect 'with -0, JSON records end in a NUL, too' '
	for arg in "" latest; do
		mt-backup list -0 --json $arg | python3 -c "
import json, sys
text = sys.stdin.read()
assert text.endswith(\"\\0\") and \"\\n\" not in text, text
[json.loads(record) for record in text.split(\"\\0\")[:-1]]"
	done'
expect 'of several directories, list prints whole paths, which restore takes' '
	message one/INBOX 1.x.h:2,S; message two/INBOX 1.x.h:2,S
	mt-backup create one two >/dev/null
	mt-backup list latest >out
	printf "%s\n" "$T"/{one,two}/INBOX/cur/1.x.h:2,S | diff - out
	mt-backup restore --to apart "$(tail -n 1 out)" >/dev/null
	[ "$(cd apart && find . -type f)" = ./two/INBOX/cur/1.x.h:2,S ]
	mt-backup list --json latest >out
	grep "{\"root\":\"$T/one\",\"path\":\"INBOX/cur/1.x.h:2,S\"," out
	grep "{\"root\":\"$T/two\",\"path\":\"INBOX/cur/1.x.h:2,S\"," out
	mt-backup create Mail >/dev/null
	mt-backup list latest | grep -x work/INBOX/cur/1.a.h:2,S'
files() # DIR: those below it, on one line
{
	(cd "$1" && find . -type f | LC_ALL=C sort | xargs -r)
}

message 'g/[Gmail]' 1.g.h; message 'g/[Gmail]/Sent [1]' 2.g.h; message g/G 3.g.h
message g/G/Sent 4.g.h; message 'g/[Gmail]' '5[67].g.h:2,'; message 'g/[Gmail]' 56.g.h:2,
message g/a 1.g.h; message 'g/*b/c' 7.g.h; message g/bb 8.g.h
expect 'a name that is there is no pattern, and a folder brings what is below it' '
	mt-backup create g >/dev/null
	mt-backup restore --to g1 "[Gmail]" >/dev/null
	[ "$(files g1)" = "$(cd g && find . -path "*Gmail*" -type f | LC_ALL=C sort | xargs)" ]
	mt-backup restore --to g2 "[Gmail]/Sent [1]/" >/dev/null
	[ "$(files g2)" = "./[Gmail]/Sent [1]/new/2.g.h" ]
	mt-backup restore --to g3 "*b" >/dev/null
	[ "$(files g3)" = "./*b/c/new/7.g.h" ]
	mt-backup restore --to g4 "[Gmail]/5[67].g.h" >/dev/null
	[ "$(files g4)" = "./[Gmail]/cur/5[67].g.h:2," ]
	mt-backup restore --to g5 "[Gmail]/cur/5[67].g.h:2," "$PWD/g/[Gmail]/Sent [1]" >/dev/null
	[ "$(files g5)" = "./[Gmail]/Sent [1]/new/2.g.h ./[Gmail]/cur/5[67].g.h:2," ]'
expect 'behind such a name a pattern is one, and so it is where no name is' '
	mt-backup restore --to g6 "[Gmail]/S*" >/dev/null
	[ "$(files g6)" = "./[Gmail]/Sent [1]/new/2.g.h" ]
	mt-backup restore --to g7 "[Gmail]/*/2*" >/dev/null
	[ "$(files g7)" = "./[Gmail]/Sent [1]/new/2.g.h" ]
	mt-backup restore --to g8 "[A-G]" >/dev/null
	[ "$(files g8)" = "./G/Sent/new/4.g.h ./G/new/3.g.h" ]
	status 66 mt-backup restore --to g9 a "[Gmail]/nothing*" 2>err
	grep -F "called \"[Gmail]/nothing*\"" err
	[ ! -e g9 ]'
message box 1.r.h:2,S; message box 2.r.h; message box/.Sub 3.r.h
expect 'a message of a directory that is a Maildir itself is named like any other' '
	mt-backup create box >/dev/null
	mt-backup list latest >out
	printf "%s\n" .Sub/new/3.r.h cur/1.r.h:2,S new/2.r.h | diff - <(LC_ALL=C sort out)
	n=0
	for name in cur/1.r.h:2,S 1.r.h:2,S 1.r.h "$PWD/box/cur/1.r.h:2,S" "$PWD/box/1.r.h" "1.*"; do
		n=$((n + 1))
		mt-backup restore --to "r$n" "$name" >/dev/null
		[ "$(files r$n)" = ./cur/1.r.h:2,S ]
	done
	mt-backup restore --to whole "$PWD/box" >/dev/null
	[ "$(files whole)" = "./.Sub/new/3.r.h ./cur/1.r.h:2,S ./new/2.r.h" ]
	mt-backup create box one >/dev/null
	mt-backup list latest | grep -Fx "$PWD/box/cur/1.r.h:2,S"
	mt-backup list latest --json | grep -F "\"path\":\"cur/1.r.h:2,S\""'
message deep/work/INBOX 1.d.h; message deep/work/work/INBOX 2.d.h; message deep/other 3.d.h
expect 'a name in the snapshot is one wherever the command runs, and whatever lies there' '
	mt-backup create deep >/dev/null
	( cd deep/work && mt-backup restore --to "$T/d1" work/INBOX >/dev/null )
	[ "$(files d1)" = ./work/INBOX/new/1.d.h ]
	( cd deep/work && mt-backup restore --to "$T/d2" other >/dev/null )
	[ "$(files d2)" = ./other/new/3.d.h ]
	( cd deep/work && mt-backup restore --to "$T/d3" "w*/INBOX/1*" >/dev/null )
	[ "$(files d3)" = ./work/INBOX/new/1.d.h ]'
expect 'what begins with / ./ or ../, or names nothing there, is a path' '
	( cd deep/work
	mt-backup restore --to "$T/d4" ./work/INBOX >/dev/null
	mt-backup restore --to "$T/d5" ../other/ >/dev/null
	mt-backup restore --to "$T/d6" . >/dev/null
	mt-backup restore --to "$T/d7" INBOX >/dev/null
	cd INBOX/new
	mt-backup restore --to "$T/d8" 1.* >/dev/null
	status 66 mt-backup restore --to "$T/d9" ./work/INBOX
	status 66 mt-backup restore --to "$T/d9" "" )
	[ "$(files d4)" = ./work/work/INBOX/new/2.d.h ]
	[ "$(files d5)" = ./other/new/3.d.h ]
	[ "$(files d6)" = "./work/INBOX/new/1.d.h ./work/work/INBOX/new/2.d.h" ]
	[ "$(files d7)" = ./work/INBOX/new/1.d.h ]
	[ "$(files d8)" = ./work/INBOX/new/1.d.h ]
	rm -r deep/work
	mt-backup restore deep/work >/dev/null
	[ "$(files deep/work)" = "./INBOX/new/1.d.h ./work/INBOX/new/2.d.h" ]'
bad=$(printf 'x\33[2J\302\233m\342\200\256\342\201\246\233y')
clean() # FILE...: nothing that drives a terminal, or turns the text around
{
	python3 -c '
import re, sys
for name in sys.argv[1:]:
    text = open(name, "rb").read().decode()
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), (name, text)
' "$@"
}
expect 'names that would drive a terminal are shown, not sent to it' '
	message "evil/$bad/$bad" 1.e.h; message "evil/$bad" "2.$bad.h"
	mt-backup -r evil.repo init
	mt-backup -r evil.repo create "evil/$bad" >out1 2>&1
	mt-backup -r evil.repo list >out2
	mt-backup -r evil.repo list latest >out3
	grep -F "x\\x1B[2J\\xC2\\x9Bm\\xE2\\x80\\xAE\\xE2\\x81\\xA6\\x9By/new/1.e.h" out3
	status 66 mt-backup -r evil.repo restore --to out.evil "no/$bad" 2>out4
	mt-backup -r evil.repo list -0 latest | tr "\0" "\n" | grep -aFx "$bad/new/1.e.h"
	mv evil.repo/snapshots/*[0-9a-f] "evil.repo/snapshots/20$bad"
	mt-backup -r evil.repo list >out5
	mt-backup -r evil.repo restore --to out.evil -s 20 >out6 2>&1
	rm -f evil.repo/packs/*
	status 65 mt-backup -r evil.repo verify >out7 2>&1
	status 65 mt-backup -r evil.repo restore --to out.evil2 >out8 2>&1
	clean out[1-8]'
done_testing
