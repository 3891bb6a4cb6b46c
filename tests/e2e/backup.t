#!/usr/bin/env bash
# mt-backup: what goes in comes out; damage is found, named and survived
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
umask 077

# message FOLDER NAME TEXT...: a message file, an hour old.
message()
{
	local file=Mail/$1/cur/$2

	case $2 in *:2,*) ;; *) file=Mail/$1/new/$2 ;; esac
	mkdir -p "Mail/$1"/{cur,new,tmp}
	printf 'Subject: %s\n\n%s\n' "$2" "${*:3}" >"$file"
	touch -d '1 hour ago' "$file"
}

# Every file below a directory: name, time in seconds, checksum.
tree()
{
	( cd "$1" && find . -type f -printf '%p %Ts ' -exec sha256sum {} \; | cut -d' ' -f1-3 |
	    LC_ALL=C sort )
}

is "$(mt-backup list 2>&1; echo $?)" \
    "mt-backup: $T/repo: no repository there (mt-backup init makes one)
66" 'without a repository it says how to make one'
expect 'init makes one, once' '
	mt-backup init
	status 64 mt-backup init
	mkdir full; touch full/x
	status 65 mt-backup -r full init
	status 64 env -u MT_BACKUP_REPO mt-backup list
'

message work/INBOX 1000.a.h:2,S one
message work/INBOX 1001.b.h:2,RS two
message work/INBOX '1002.c.h:2,S' two
message work/INBOX 1003.d.h three
message work/.Sent 1004.e.h:2,S four
message work/.Sent '1005.odd;name' five
message work/.Sent "1006.$(printf 'n\303\244me%%').h:2," six
mkdir -p Mail/empty/{cur,new,tmp}
: >Mail/work/INBOX/cur/1007.zero.h:2,
head -c 5000000 /dev/urandom >Mail/work/INBOX/cur/1008.big.h:2,F
mv Mail/work/.Sent/new/1005* Mail/work/.Sent/cur/
touch -d '1 hour ago' Mail/work/INBOX/cur/*
tree Mail >before

expect 'create takes a snapshot, and says what' '
	mt-backup create -v Mail >out.txt
	grep -Eq "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}: 9 messages, .*; 9 new" out.txt
'
expect 'a second run reads nothing and stores nothing' '
	mt-backup create --json Mail >out.txt
	grep -q "\"messages\":9" out.txt && grep -q "\"read\":0,\"new\":0" out.txt
'
expect 'restore brings back every byte, name, flag and time, and empty folders' '
	mt-backup restore --to out >/dev/null
	tree out | diff before -
	[ -d out/empty/cur ] && [ -d out/empty/new ]
'
expect '--to with an empty name, of a variable that is not set, restores nowhere' '
	mkdir nowhere; cd nowhere
	status 64 mt-backup restore --to ""
	[ -z "$(ls)" ]
'
expect 'restored again, nothing is written and nothing is there twice' '
	find out -type f -printf "%i %p\n" | sort >inodes
	mt-backup restore --to out --json >again
	grep -q "\"restored\":0,.*\"present\":9" again
	find out -type f -printf "%i %p\n" | sort | diff inodes -
'
expect 'where nobody watches and all is well, nothing is said, and everything with -v' '
	for verb in "create Mail" "restore --to out" verify; do
		mt-backup $verb >quiet 2>&1
		[ ! -s quiet ]
		mt-backup $verb -v >told 2>err
		[ -s told ]
		[ ! -s err ]
	done'
expect 'a person who watches is told' '
	for verb in "create Mail" "restore --to out" verify; do
		python3 -c "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))" mt-backup $verb >told
		grep -E ": 9 messages,|: restored 0 messages|: all whole" told
	done'
expect 'verify finds it whole' 'mt-backup verify -v | grep -q ": all whole$"'
expect 'list names the snapshots and the messages of one' '
	[ "$(mt-backup list | wc -l)" = 5 ]
	[ "$(mt-backup list latest | wc -l)" = 9 ]
	mt-backup list -0 latest | tr "\0" "\n" | sort | diff - <(cd Mail && find . -type f | sed "s|^./||" | sort)
	mt-backup list --json latest | grep -q "\"sha256\":\"$(sha256sum <Mail/work/INBOX/cur/1000.a.h:2,S | cut -d" " -f1)\""
'

# Mail changes: a flag, a move, a deletion, a new message.
mv Mail/work/INBOX/cur/1000.a.h:2,S Mail/work/INBOX/cur/1000.a.h:2,FS
mv Mail/work/INBOX/cur/1001.b.h:2,RS Mail/work/.Sent/cur/
rm Mail/work/.Sent/cur/1004.e.h:2,S
message work/INBOX 1009.n.h:2, new
expect 'changed flags cost no reading, a moved message no storing' '
	mt-backup create --json Mail >out.json
	grep -q "\"messages\":9,.*\"read\":2,\"new\":1" out.json
	mt-backup restore --to out2 >/dev/null
	tree out2 | diff <(tree Mail) -
'
expect 'an older snapshot still has what it had' '
	first=$(mt-backup list | head -n 1 | cut -f1)
	mt-backup restore -s "$first" --to out3 >/dev/null
	tree out3 | diff before -
	mt-backup restore -s "${first##*-}" --to out4 work/.Sent >/dev/null
	[ "$(find out4 -type f | wc -l)" = 3 ]
	status 66 mt-backup restore -s 1999 --to out5
	status 64 mt-backup restore -s 2 --to out5
'
expect 'one folder, one message, a pattern; what does not exist is said' '
	mt-backup restore --to p1 work/INBOX >/dev/null
	[ "$(find p1 -type f | wc -l)" = 6 ]
	mt-backup restore --to p2 work/INBOX/1008.big.h >/dev/null
	cmp p2/work/INBOX/cur/1008.big.h:2,F Mail/work/INBOX/cur/1008.big.h:2,F
	mt-backup restore --to p3 "*/100[02]*" >/dev/null
	[ "$(find p3 -type f | wc -l)" = 2 ]
	mt-backup restore --to p4 Mail/work/.Sent >/dev/null
	[ "$(find p4 -type f | wc -l)" = 3 ]
	status 66 mt-backup restore --to p5 nothing/here 2>err
	grep -q "nothing/here" err
'
expect 'a message that is there under another flag is not restored again' '
	cp -a out2 q
	mv q/work/INBOX/cur/1002.c.h:2,S q/work/INBOX/cur/1002.c.h:2,RS
	mt-backup restore --to q >/dev/null
	[ "$(find q -type f | wc -l)" = 9 ]
'
expect 'another message of the same name stays, and the restored one goes beside it' '
	echo other >q/work/INBOX/cur/1002.c.h:2,RS
	mt-backup restore --to q >/dev/null 2>err
	grep -q "another message has this name" err
	[ "$(cat q/work/INBOX/cur/1002.c.h:2,RS)" = other ]
	cmp q/work/INBOX/cur/1002.c.h,R=*:2,S Mail/work/INBOX/cur/1002.c.h:2,S
	mt-backup restore --to q >/dev/null 2>err
	[ ! -s err ] && [ "$(find q -type f | wc -l)" = 10 ]
'
expect 'a Maildir of which a copy left out new/ or cur/ is completed, not written over' '
	for sub in new cur; do
		rm -rf half; cp -a out2 half
		rm -r "half/work/INBOX/$sub"
		mt-backup restore --to half 2>err
		[ ! -s err ]
		tree half | diff <(tree Mail) -
	done
'
expect 'in place, deleted mail comes back and the rest stays' '
	cp -a Mail keep
	tree Mail >now
	rm -r Mail/work/INBOX
	mt-backup restore >/dev/null
	tree Mail | diff now -
	rm -rf keep
'
expect 'what a killed restore left in tmp/ goes with a later one, but not before 36 hours' '
	mkdir -p swept/work/INBOX/tmp
	echo left >swept/work/INBOX/tmp/left; touch -d "3 days ago" swept/work/INBOX/tmp/left
	mt-backup restore --to swept work/INBOX/1008.big.h
	[ -e swept/work/INBOX/tmp/left ]
	later mt-backup restore --to swept work/INBOX
	[ ! -e swept/work/INBOX/tmp/left ]
	[ "$(find swept -type f | wc -l)" = 6 ]
'
expect 'a file that cannot be read is named, the rest is saved, status 66' '
	mkdir -p odd/{cur,new,tmp}
	echo a >odd/cur/1.a:2,
	ln -s /nowhere/at/all odd/cur/2.b:2,
	ln -s /proc/self/mem odd/cur/3.c:2,
	status 66 mt-backup create odd >odd.txt 2>err
	grep -q "3.c" err
	grep -q ": 1 messages" odd.txt
	mt-backup list | tail -n 1 | grep -q "missing"
'
expect 'no Maildir there: an error, and no snapshot' '
	n=$(mt-backup list | wc -l); mkdir -p nomail
	status 66 mt-backup create nomail
	status 66 mt-backup create no/such/place
	[ "$(mt-backup list | wc -l)" = "$n" ]
'
expect 'two roots go into two directories' '
	status 66 mt-backup create odd/ Mail q
	mt-backup restore --to two >/dev/null
	[ "$(ls two | xargs)" = "Mail odd q" ]
	tree two/Mail | diff <(tree Mail) -
'
expect 'while another one writes, status 75' '
	exec 9>>repo/lock; flock 9
	status 75 mt-backup create Mail 2>err
	grep -q "another mt-backup" err
	mt-backup list >/dev/null && mt-backup verify >/dev/null
'
expect 'without -r and directory, the configuration says what to save' '
	client_conf "" ""
	mt-backup create --json | grep -q "\"messages\":9"
'
expect 'a repository of a later version is refused' '
	cp -a repo later; echo "version 2" >later/config.x
	sed "s/^version 1/version 2/" repo/config >later/config
	status 65 mt-backup -r later list
	sed "s/^cipher none/cipher chacha/" repo/config >later/config
	status 65 mt-backup -r later list
'

# --- damage -----------------------------------------------------------------------

rm -rf big repo2
python3 - <<'END'
import os, random
random.seed(7)
for f in ("a", "b"):
	for sub in ("cur", "new", "tmp"):
		os.makedirs(f"big/{f}/{sub}")
	for i in range(100):
		body = "".join(random.choice("abcdefgh \n") for _ in range(40000))
		path = f"big/{f}/cur/{i}.{f}.h:2,S"
		with open(path, "w") as out:
			out.write(f"Subject: {i}\n\n{body}\n")
		os.utime(path, (1e9, 1e9))
END
mt-backup -r repo2 init && mt-backup -r repo2 create big >/dev/null
total=200

# What comes out of a damaged copy is right, what is missing is named, and the sum is whole.
survives()
{
	local got lost

	rm -rf dmg.out
	status 65 mt-backup -r dmg verify >verify.out 2>verify.err || return
	status 65 mt-backup -r dmg restore --to dmg.out >restore.out 2>restore.err || return
	got=$(find dmg.out -path '*/cur/*' -type f 2>/dev/null | wc -l)
	lost=$(sed -n 's/.*; \([0-9]*\) lost$/\1/p' restore.out)
	( cd dmg.out && find . -type f -exec cmp -s {} ../big/{} \; -print | wc -l ) | grep -qx "$got" ||
	    { echo "wrong content"; return 1; }
	[ $((got + lost)) = "$total" ] || { echo "$got + $lost"; return 1; }
	echo "got $got, lost $lost"
	[ "$got" -ge "$1" ] && [ "$got" -lt "$total" ]
}
largest() { ls -S dmg/packs | head -n 1; }
flip() # FILE OFFSET: another byte there
{
	chmod u+w "$1"
	python3 -c 'import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1)
f.write(bytes([b[0] ^ 0x55]))' "$1" "$2"
}

expect 'a flipped byte in the data costs the messages around it' '
	rm -rf dmg; cp -a repo2 dmg; p=$(largest); flip "dmg/packs/$p" 500000
	survives 120
	grep -q "pack $p: bytes [0-9]* to [0-9]*: damaged" verify.err
	grep -Eq "[ab]/cur/[0-9]+.[ab].h:2,S .*: lost: pack $p" verify.err
'
expect 'a flipped byte in the table costs one message at most' '
	rm -rf dmg; cp -a repo2 dmg; p=$(largest); n=$(stat -c %s "dmg/packs/$p")
	flip "dmg/packs/$p" $((n - 500)); survives 199
	grep -q "pack $p: the table" verify.err
'
expect 'a cut pack, an empty one and a missing one are survived' '
	rm -rf dmg; cp -a repo2 dmg; p=$(largest); chmod u+w "dmg/packs/$p"
	truncate -s 70000 "dmg/packs/$p"; survives 1
	: >"dmg/packs/$p"; survives 1
	rm -f "dmg/packs/$p"; survives 1
'
expect 'moving the bad pack away and saving again mends it' '
	mt-backup -r dmg create big >/dev/null
	mt-backup -r dmg verify
	rm -rf dmg.out; mt-backup -r dmg restore --to dmg.out -s "$(mt-backup list -r dmg | head -n 1 | cut -f1)" >/dev/null
	tree dmg.out | diff <(tree big) -
'
expect 'a damaged snapshot is named, and the others work' '
	rm -rf dmg; cp -a repo2 dmg; mt-backup -r dmg create big >/dev/null
	s=$(ls dmg/snapshots | tail -n 1); flip "dmg/snapshots/$s" 40
	status 65 mt-backup -r dmg verify 2>err; grep -q "snapshot $s: line" err
	status 65 mt-backup -r dmg restore --to x 2>/dev/null
	mt-backup -r dmg restore -s "$(ls dmg/snapshots | head -n 1)" --to y >/dev/null
	tree y | diff <(tree big) -
'
expect 'a full disk is said, with status 75, and the repository stays good' '
	need_mounts
	mkdir -p small
	"${MOUNTS[@]}" bash -c "
		mount -t tmpfs -o size=600k none small || exit 99
		mt-backup -r small/repo init || exit
		mt-backup -r small/repo create big 2>err
		echo \$? >rc
		mt-backup -r small/repo verify"
	[ "$(cat rc)" = 75 ]
	grep -q "No space" err
'
expect 'a link to nothing is named, and a Maildir without tmp/ is saved' '
	mkdir -p seen/a/{cur,new}
	printf "Subject: x\n\nx\n" >seen/a/new/1.a.h
	ln -s nowhere seen/a/new/2.a.h
	mt-backup -r seen.repo init
	status 66 mt-backup -r seen.repo create seen 2>err
	grep "2.a.h: a symbolic link to nothing" err
	mt-backup -r seen.repo list latest | grep 1.a.h'
if [ "$(id -u)" != 0 ]; then
	expect 'a folder that cannot be read is named, and the others are saved' '
		rm seen/a/new/2.a.h
		mkdir -p seen/b/{cur,new,tmp}
		chmod 0 seen/b
		status 66 mt-backup -r seen.repo create seen 2>err; chmod 700 seen/b
		grep "seen/b.*Permission denied" err
		mt-backup -r seen.repo list latest | grep 1.a.h'
	expect 'and so is one that only hides what is below it' '
		mkdir -p seen/c/d/{cur,new,tmp} seen/e/{cur,new,tmp} seen/e/.f/{cur,new,tmp}
		cp seen/a/new/1.a.h seen/c/d/new/3.a.h; cp seen/a/new/1.a.h seen/e/.f/new/4.a.h
		chmod 311 seen/c seen/e
		status 66 mt-backup -r seen.repo create seen 2>err; chmod 700 seen/c seen/e
		grep "seen/c: Permission denied" err
		grep "seen/e: Permission denied" err
		mt-backup -r seen.repo create seen
		[ "$(mt-backup -r seen.repo list latest | wc -l)" = 3 ]'
fi
expect 'roots of one name, and of the name that would be made for it, are apart' '
	mkdir -p {x/m,y/m,z/m-2}/a/{cur,new,tmp}
	for i in x/m y/m z/m-2; do echo "Subject: $i" >$i/a/new/1.a.h; done
	mt-backup -r apart init
	mt-backup -r apart create x/m y/m z/m-2
	mt-backup -r apart restore --to out.apart
	[ "$(find out.apart -type f | wc -l)" = 3 ]'
expect 'a name that is taken, and the other name too: one that nobody has' '
	mkdir -p taken/{cur,new,tmp}
	printf "Subject: x\n\nx\n" >"taken/cur/5.a.h:2,S"
	mt-backup -r taken.repo init
	mt-backup -r taken.repo create taken
	echo other >"taken/cur/5.a.h:2,S"
	mt-backup -r taken.repo restore
	set -- taken/cur/5.a.h,R=*
	echo damaged >"$1"
	mt-backup -r taken.repo restore
	[ "$(ls taken/cur | wc -l)" = 3 ]
	[ "$(grep -l "^Subject: x" taken/cur/*:2,S | wc -l)" = 1 ]'
expect 'and one that is too long for the other name' '
	rm -rf taken
	mkdir -p taken/{cur,new,tmp}
	long=5.$(printf "%0230d" 0).h
	printf "Subject: y\n\ny\n" >"taken/new/$long"
	mt-backup -r taken.repo create taken
	echo other >"taken/new/$long"
	mt-backup -r taken.repo restore
	[ "$(grep -l "^Subject: y" taken/new/* | wc -l)" = 1 ]
	[ "$(cat "taken/new/$long")" = other ]'
expect 'a message is there in new/ or cur/, also when the other has its unique name' '
	mkdir -p both/{cur,new,tmp}
	printf "Subject: z\n\nz\n" >both/new/6.a.h
	mt-backup -r both.repo init
	mt-backup -r both.repo create both
	echo other >both/cur/6.a.h:2,S; echo third >both/cur/6.a.h:2,F
	mt-backup -r both.repo restore --json | grep "\"restored\":0,.*\"present\":1,\"renamed\":\[\]"
	mv both/new/6.a.h both/cur/6.a.h:2,R; echo fourth >both/new/6.a.h
	mt-backup -r both.repo restore --json | grep "\"restored\":0,.*\"present\":1,\"renamed\":\[\]"
	rm both/cur/6.a.h:2,R
	mt-backup -r both.repo restore 2>err
	grep "another message has this name" err
	mt-backup -r both.repo restore --json | grep "\"restored\":0,.*\"present\":1,\"renamed\":\[\]"
	[ "$(grep -l "^Subject: z" both/*/* | wc -l)" = 1 ]
	[ "$(ls both/cur both/new | grep -c 6.a)" = 4 ]'
done_testing
