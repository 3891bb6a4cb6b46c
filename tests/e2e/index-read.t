#!/usr/bin/env bash
# mt-index reads a database that is damaged, or that another program writes to
. "${0%/*}/../lib.sh"
need notmuch python3

client_conf "" ""
export MT_CONFIG NOTMUCH_CONFIG=
root=$T/Mail
xapian=$root/.notmuch/xapian

mkdir -p "$root/INBOX"/{cur,new,tmp}
python3 - "$root/INBOX/cur" <<'END_PYTHON'
import sys
for i in range(2000):
	with open(f"{sys.argv[1]}/{1000 + i}.a.h:2,S", "w") as f:
		f.write("From: Ada <ada@example.org>\nDate: Mon, 01 Jun 2026 10:00:00 +0000\n"
			f"Message-ID: <{i}@example.org>\nSubject: message {i} of many\n\nbody of {i}\n")
END_PYTHON
mt-index new >/dev/null || exit
cp -r "$xapian" whole

# damage TABLE...: overwrite all blocks of the tables of a fresh database but their roots.
damage()
{
	rm -r "$xapian" && cp -r whole "$xapian"
	python3 - "${@/#/$xapian/}" <<'END_PYTHON'
import sys
for name in sys.argv[1:]:
	with open(name + ".glass", "r+b") as f:
		blocks = [f.read(8192)]
		while blocks[-1]:
			blocks.append(f.read(8192))
		root = max(b[4] for b in blocks[:-1] if b[4] < 128)
		for i, b in enumerate(blocks[:-1]):
			if b[4] != root:
				f.seek(i * 8192)
				f.write(b"\xff" * 8192)
END_PYTHON
}

expect 'a database that is damaged is no wrong query: status 70' '
	damage position
	for verb in search count "search -o threads"; do
		status 70 mt-index $verb "\"message 7 of many\"" >out 2>err
		[ ! -s out ]
		grep -q "performing query" err
	done
	status 64 mt-index search date:nonsense.. 2>err
'
expect 'whatever is damaged, nothing dies without a word, and nothing is half printed' '
	for table in postlist termlist docdata position; do
		damage $table
		for verb in search "search -o threads" "search -o files" "search -o tags" count show; do
			for query in "*" subject:/x/ "\"message 7 of many\""; do
				rc=0; mt-index $verb "$query" >out 2>err || rc=$?
				echo "$table $verb $query: $rc"
				[ $rc = 0 ] || [ $rc = 70 ] || [[ "$verb $rc" =~ ^show.6[46]$ ]]
				[ $rc = 0 ] || [ ! -s out ]
				[ $rc = 0 ] || [ "$(wc -l <err)" = 1 ]
			done
		done
	done
'
rm -r "$xapian" && cp -r whole "$xapian"

# change N: as many transactions as make Xapian give up every older revision.
change()
{
	local i

	printf '[database]\npath=%s\n' "$root" >nm.conf
	for ((i = 0; i < $1; i++)); do
		NOTMUCH_CONFIG=$T/nm.conf notmuch tag +busy -- '*'
		NOTMUCH_CONFIG=$T/nm.conf notmuch tag -busy -- '*'
	done
}

expect 'an index that changes while the answer is printed does no harm' '
	for what in summary threads files; do
		status 0 mt-index search -o $what "*" | { head -c 1; change 2; cat; } >out
		[ "${PIPESTATUS[0]}" = 0 ]
		[ "$(wc -l <out)" = 2000 ]
	done
'
start changes bash -c "$(declare -f change); cd $T; root=$root; change 1000"
expect 'nor does one that changes while it is read: all is printed, or status 75' '
	wait_for 10 eval "[ -e nm.conf ]"
	for i in $(seq 10); do
		for what in summary threads files; do
			rc=0; mt-index search -o $what "*" >out 2>err || rc=$?
			echo "$what $rc"
			if [ $rc = 0 ]; then
				[ "$(wc -l <out)" = 2000 ]
				[ ! -s err ]
			else
				[ $rc = 75 ]
				[ ! -s out ]
				grep -q "try again" err
			fi
			rc=0; mt-index show id:7@example.org >out 2>err || rc=$?
			echo "show $rc"
			if [ $rc = 0 ]; then
				grep -q "body of 7" out
			else
				[ $rc = 75 ]
				grep -q "try again" err
			fi
		done
	done
	running changes
'
stop changes
done_testing
