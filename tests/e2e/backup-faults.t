#!/usr/bin/env bash
# mt-backup where the disk, the clock or the repository is not what it should be
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
umask 077
mkdir -p Mail/{a,b}/{cur,new,tmp}
for i in 1 2 3; do
	printf 'Subject: %s\n\nmessage %s\n' $i $i >"Mail/a/cur/$i.a.h:2,S"
	printf 'Subject: %s\n\nmore %s\n' $i $i >"Mail/b/cur/$i.b.h:2,S"
done
find Mail -type f -exec touch -d '1 hour ago' {} +
mt-backup init && mt-backup create Mail >/dev/null

expect 'a configuration of a repository without its version or cipher is refused' '
	cp -a repo short
	for word in version cipher; do
		sed "/^$word/d" repo/config >short/config
		status 65 mt-backup -r short list 2>err
		grep "short/config: no \"$word\" line" err
	done
	head -n 1 repo/config >short/config
	status 65 mt-backup -r short create Mail'

# rewrite REPO FROM TO [NAME]: the newest snapshot with other text and a right checksum,
# under its name or another.
rewrite()
{
	chmod -R u+w "$1" && python3 -c '
import hashlib, os, sys
repo, old, new, name = sys.argv[1:]
snapshots = repo + "/snapshots/"
path = max((snapshots + f for f in os.listdir(snapshots)), key=os.path.getmtime)
text = open(path).read()
assert old in text, text
text = text[:text.rindex("end ")].replace(old, new)
os.remove(path)
with open(snapshots + name if name else path, "w") as out:
    out.write(text + "end " + hashlib.sha256(text.encode()).hexdigest() + "\n")
' "$1" "$2" "$3" "${4:-}"
}

# --- the clock --------------------------------------------------------------------

# ahead SECONDS NAME: the newest snapshot was made when the clock said so.
ahead()
{
	local was

	was=$(mt-backup -r clock list --json | sed -n 's/.*"time":\([0-9]*\).*/\1/p' | tail -n 1)
	rewrite clock "time $was" "time $1" "$2"
}
expect 'a snapshot made while the clock was ahead is not the latest for ever' '
	cp -a repo clock
	ahead 4070908800 20990101T000000Z-00000001
	echo one >Mail/b/new/7.b.h
	mt-backup -r clock create Mail 2>err
	grep "clock.*20990101T000000Z-00000001" err
	mt-backup -r clock list latest | grep -x b/new/7.b.h
	mt-backup -r clock restore --to clock.out
	[ -e clock.out/b/new/7.b.h ]
	sleep 1; rm Mail/b/new/7.b.h; echo two >Mail/b/new/8.b.h
	mt-backup -r clock create Mail 2>err
	[ ! -s err ]
	mt-backup -r clock list | cut -f1 >names
	sed -n 1p names | grep -x 20990101T000000Z-00000001
	[ "$(sed -n "2,\$p" names | grep -Ec "^20[0-9]{6}T[0-9]{6}Z\.1-[0-9a-f]{8}\$")" = 2 ]
	mt-backup -r clock list latest | grep -x b/new/8.b.h
	mt-backup -r clock list "$(sed -n 2p names)" | grep -x b/new/7.b.h
	[ "$(mt-backup -r clock list 2099 | wc -l)" = 6 ]
	mt-backup -r clock verify'
expect 'and not when that happens again; a clock that is set by seconds is not worth a word' '
	ahead 4070908800 20990101T000000Z.1-00000002
	mt-backup -r clock create Mail 2>err
	grep "clock.*20990101T000000Z.1-00000002" err
	mt-backup -r clock list | tail -n 1 | grep -E "^20[0-9]{6}T[0-9]{6}Z\.2-"
	t=$(($(date +%s) + 20)); ahead "$t" "$(date -u -d "@$t" +%Y%m%dT%H%M%SZ).2-00000003"
	mt-backup -r clock create Mail 2>err
	[ ! -s err ]
	mt-backup -r clock list --json | tail -n 1 | grep "\"time\":$((t + 1)),"
	mt-backup -r clock list | tail -n 1 | grep -E "Z\.2-"
	rm Mail/b/new/8.b.h'

# --- the disk ---------------------------------------------------------------------

# inject FAULT COMMAND...: run it under strace, which spoils system calls of it.
inject()
{
	need strace
	strace -qq -e trace=none true 2>/dev/null || skip_all "strace is not allowed here"
	# A leak check cannot run under strace.
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e inject="$1" "${@:2}"
}

expect 'a disk that turns out full when the data is flushed is 75, another fault 74' '
	echo new >Mail/a/new/4.a.h
	for k in 1 2 3 4 5; do
		rm -rf flush
		cp -a repo flush
		status 75 inject "fsync:error=ENOSPC:when=$k" mt-backup -r flush create Mail 2>err
		grep "No space" err
	done
	status 74 inject "fsync:error=EIO:when=1" mt-backup -r flush create Mail
	mt-backup -r flush create Mail
	mt-backup -r flush verify
	rm Mail/a/new/4.a.h'
# The first reads are those of the tables, three for each pack.
packs=(repo/packs/*) tables=$((3 * ${#packs[@]}))
expect 'what the disk does not give is not lost: named, status 74, the rest restored' '
	for k in 1 2 $((tables + 1)) $((tables + 2)); do
		rm -rf out
		status 74 inject "pread64:error=EIO:when=$k" "${packs[@]/#/-P$T/}" \
		    mt-backup restore --to out --json >json 2>err
		grep "Input/output error" err
		grep "\"lost\":\[\],\"unread\":\[\"" json
	done
	[ "$(find out -type f | wc -l)" = 3 ]
	mt-backup restore --to out
	[ "$(find out -type f | wc -l)" = 6 ]'
# What names a pack's path is told from damage, and the repository is left as it is.
unread() # STATUS-OF-VERIFY: its output in said, err
{
	grep "$T/repo/packs/[0-9a-f]*: .*$1" err
	not grep -v "$1" err
	grep "\"lost\":0,\"damage\":\[\],\"unread\":\[\"" said
	find repo -type f -printf "%p %m %s %T@\n" | sort | cmp - files
}
find repo -type f -printf '%p %m %s %T@\n' | sort >files
expect 'verify tells a pack that the disk does not give from a damaged one: status 74' '
	inject pread64:delay_enter=0 "${packs[@]/#/-P$T/}" mt-backup verify
	for k in $(seq "$(grep -c pread64 trace)"); do
		status 74 inject "pread64:error=EIO:when=$k" "${packs[@]/#/-P$T/}" \
		    mt-backup verify --json >said 2>err
		unread "Input/output error"
	done
	for pack in "${packs[@]}"; do
		status 74 inject read:error=EIO:when=1 -P "$T/$pack" mt-backup verify --json >said 2>err
		unread "Input/output error"
	done'
expect 'nor is one damaged that may not be read' '
	for pack in "${packs[@]}"; do
		status 74 inject openat:error=EACCES -P "$T/$pack" mt-backup verify --json >said 2>err
		unread "Permission denied"
	done
	status 74 inject openat:error=EACCES "${packs[@]/#/-P$T/}" mt-backup verify >said 2>err
	grep "not all could be read; 0 messages are whole, 0 are lost" said'
expect 'a damaged pack beside one that cannot be read is damaged' '
	cp -a repo both
	damaged=both/${packs[0]#repo/}
	chmod u+w "$damaged"; truncate -s 20 "$damaged"
	status 74 inject openat:error=EACCES -P "$T/both/${packs[1]#repo/}" \
	    mt-backup -r $T/both verify >said 2>err
	grep "pack ${packs[0]##*/}" err
	grep "both/packs/.*Permission denied" err
	grep "damaged, and not all could be read" said'
expect 'create does without a pack that cannot be read, and says so: status 74' '
	rm -rf both; cp -a repo both
	for pack in "${packs[@]}"; do
		status 74 inject openat:error=EACCES -P "$T/both/${pack#repo/}" \
		    mt-backup -r $T/both create Mail 2>err
		grep "both/packs/.*Permission denied" err
	done
	mt-backup -r both verify'
expect 'what is there already is durable, too, when restore says so' '
	inject fsync:delay_enter=0 -y mt-backup restore --to out
	for dir in "" /a /a/new /a/cur /b/cur; do
		grep -c "fsync([0-9]*<$T/out$dir>) *= 0" trace
	done
	status 74 inject fsync:error=EIO:when=1 mt-backup restore --to out 2>err
	grep "fsync: Input/output error" err'

# --- a hostile repository ---------------------------------------------------------

expect 'paths that climb are refused, and nothing is written outside of --to' '
	mkdir -p jail/deep
	for path in "root /.." "root /../up" "root /a/../../up" "root /a/.." "root up" \
	    "root /%2E%2E/up" "root /a/%2E%2E" "root /a//up" "root /." "root "; do
		rm -rf evil; cp -a repo evil; rewrite evil "root $T/Mail" "$path"
		status 65 mt-backup -r evil restore --to jail/deep/out
		rm -rf evil; cp -a repo evil
		rewrite evil "root $T/Mail" "root /fine
$path"
		status 65 mt-backup -r evil restore --to jail/deep/out
	done
	for path in .. ../a a/../../../up /up %2E%2E/up %2Fup a//b ""; do
		rm -rf evil; cp -a repo evil; rewrite evil "folder a " "folder $path "
		status 65 mt-backup -r evil restore --to jail/deep/out
	done
	[ "$(find jail | xargs)" = "jail jail/deep" ] && [ ! -e /up ]'
expect 'nor do roots of odd names leave it' '
	rm -rf evil; cp -a repo evil
	rewrite evil "root $T/Mail" "root /
folder x 0 0
root /...
folder y 0 0
root /x%0A/%1B
folder z 0 0
root $T/Mail"
	mt-backup -r evil restore --to jail/deep/out
		[ "$(find jail -type f | wc -l)" = 6 ]
	[ "$(find jail -mindepth 1 -maxdepth 2 | LC_ALL=C sort | xargs)" = "jail/deep jail/deep/out" ]
	[ -d jail/deep/out/.../y/cur ]
	[ ! -e /x ]'
done_testing
