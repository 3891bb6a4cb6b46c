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
		[ ! -s out ] && grep -q "performing query" err
	done
	status 64 mt-index search date:nonsense.. 2>err
'
done_testing
