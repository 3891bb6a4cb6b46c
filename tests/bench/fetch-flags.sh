#!/usr/bin/env bash
# fetch-flags - 1,000 flag changes are pushed: mt-fetch against mbsync, on Dovecot
#
# Each has a mailbox of its own there, with the same messages, and the same flags change. What
# both have made of them is compared, on the server and here.
#
#	MESSAGES=20000 ROUNDS=5 DELAY= tests/bench/fetch-flags.sh
export TMPDIR=${TMPDIR:-/var/tmp}	# on a disk: /tmp may be memory
. "${0%/*}/../lib.sh"
. "$TOP/tests/tools/bench_sync.sh"
MESSAGES=${MESSAGES:-20000} ROUNDS=${ROUNDS:-5}

# change SEED FOLDER: a flag of 1,000 messages, one of S, R, F and D, is set or cleared
change()
{
	python3 - "$@" <<-'END'
		import os, random, re, sys
		seed, folder = sys.argv[1:]
		files = {}
		for sub in "cur", "new":
		    for e in os.scandir(os.path.join(folder, sub)):
		        with open(e.path, "rb") as f:
		            files[int(re.search(rb"Message-ID: <(\d+)", f.read(2000)).group(1))] = e.path
		rand = random.Random(seed)
		for number in rand.sample(sorted(files), 1000):
		    base, _, old = os.path.basename(files[number]).partition(":2,")
		    new = "".join(sorted(set(old) ^ {rand.choice("SRFD")}))
		    os.rename(files[number], os.path.join(folder, "cur", base + ":2," + new))
	END
}
# flags: of all messages, in the four places; one line where they are the same
flags()
{
	python3 - "$DOVECOT_IMAP" "$T/Mail/test/INBOX" "$T/mbsync/INBOX" <<-'END'
		import imaplib, os, re, sys
		letters = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Draft": "D"}
		seen = set()
		for user in "user1", "user2":
		    m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
		    m.login(user, "secret-1")
		    m.select(readonly=True)
		    found = []
		    data = m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]
		    for d in data:
		        if isinstance(d, tuple):
		            words = re.search(r"FLAGS \(([^)]*)\)", d[0].decode()).group(1).split()
		            found.append((int(re.search(rb"<(\d+)", d[1]).group(1)),
		                          "".join(sorted(letters.get(w, "") for w in words))))
		    seen.add(str(sorted(found)))
		for folder in sys.argv[2:]:
		    found = []
		    for sub in "cur", "new":
		        for e in os.scandir(os.path.join(folder, sub)):
		            with open(e.path, "rb") as f:
		                number = re.search(rb"Message-ID: <(\d+)", f.read(2000)).group(1)
		            found.append((int(number), "".join(sorted(e.name.partition(":2,")[2]))))
		    seen.add(str(sorted(found)))
		print("\n".join(s[:300] for s in seen))
	END
}

fill "$MESSAGES"
cp -a "$drop" "$T/dovecot/mail/user2"
mt_conf "$BENCH_PORT"
mbsync_conf yes "$BENCH_PORT" user2
# Both are given all messages, and then see twice that there is nothing more.
for i in 1 2 3; do
	mt_fetch
	mbsync
	sleep 3
done
same
for ((round = 0; round < ROUNDS; round++)); do
	change "$round" "$T/Mail/test/INBOX"
	change "$round" mbsync/INBOX
	sync
	timed ours mt_fetch
	sync
	timed theirs mbsync
	[ "$(flags | wc -l)" = 1 ] || { echo "the flags are not the same:" >&2; flags >&2; exit 1; }
done
printf '1,000 of %s messages, milliseconds: mt-fetch %s, mbsync %s\n' "$MESSAGES" \
    "$(awk '{ printf "%.1f ", $1 / 1e3 }' ours)" "$(awk '{ printf "%.1f ", $1 / 1e3 }' theirs)"
awk -v a="$(median ours)" -v b="$(median theirs)" \
    -v name="fetch-flags${DELAY:+-$((DELAY * 2))ms}" \
    'BEGIN { printf "%s: %.2fx mbsync\n", name, b / a }'
