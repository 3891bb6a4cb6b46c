#!/usr/bin/env bash
# mt-backup while mail readers are at work: a message that is there all the time is in
# every snapshot, whatever its name and its folder are at the moment
. "${0%/*}/../lib.sh"
need python3

export MT_BACKUP_REPO=$T/repo
mkdir -p Mail/{a,b,c}/{cur,new,tmp}
python3 - <<'END'
import os
for i in range(300):
	path = f"Mail/a/new/{1000 + i}.m{i}.h"
	with open(path, "w") as f:
		f.write(f"Subject: {i}\n\nmessage {i}\n" + "x" * 2000)
	os.utime(path, (1e9, 1e9))
END
cat >busy.py <<'END'
# Rename messages as readers do: new to cur, flags, other folders. One rename at a time,
# so that every message is somewhere all the time.
import os, random, sys, time
random.seed(int(sys.argv[1]))
where = {}
for f in "abc":
	for sub in ("new", "cur"):
		for name in os.listdir(f"Mail/{f}/{sub}"):
			where[name.split(":")[0]] = f"Mail/{f}/{sub}/{name}"
names = list(where)
print("ready", flush=True)
while not os.path.exists("stop"):
	for n in random.sample(names, 20):
		flags = "".join(sorted(random.sample("DFRST", random.randint(0, 3))))
		to = f"Mail/{random.choice('abc')}/cur/{n}:2,{flags}"
		os.rename(where[n], to)
		where[n] = to
	time.sleep(float(sys.argv[2]))
END

# every SNAPSHOT: all 300 messages are in it.
every()
{
	local n

	n=$(mt-backup list "$1" | sed 's|.*/||; s/:.*//' | sort -u | wc -l)
	[ "$n" = 300 ] || { echo "$1: $n of 300"; return 1; }
}

mt-backup init
for pause in 0.5 0.03 0.001; do
	rm -f stop
	start busy python3 busy.py 1 "$pause"
	wait_log busy ready
	expect "renames every $pause s: no message is missed" '
		for i in 1 2 3 4; do
			mt-backup create Mail >/dev/null
			every latest
		done
		running busy
	'
	touch stop
	wait_for 10 eval '! running busy'
	stop busy
done
expect 'when all is quiet, the snapshot is what is there, each message once' '
	mt-backup create Mail >/dev/null
	mt-backup list latest | sort | diff - <(cd Mail && find . -type f | sed "s|^./||" | sort)
	mt-backup verify >/dev/null
	mt-backup restore --to out >/dev/null
	diff -r Mail out
'
done_testing
