#!/usr/bin/env bash
# What a session process of mt-serve has, were it taken over by its peer
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"
need python3

serve_conf
for i in $(seq 1 200); do
	echo "user$i@example.org:\$y\$j9T\$salt$i\$hashhashhash$i"
done >>users
serve_start
pid=$(sed -n 's/.*event=ready pid=\([0-9]*\).*/\1/p' serve.log)
# search.py PORT PID: a session of PID's, and the password hashes in its memory. Who is not
# allowed to look (only root is) has seen a wall, too.
cat >search.py <<'END'
import re
import socket
import sys

peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
peer.recv(100)
children = open("/proc/%s/task/%s/children" % (sys.argv[2], sys.argv[2])).read().split()
searched = 0
for child in children:
    if len(open("/proc/%s/task/%s/children" % (child, child)).read()) > 0:
        continue
    try:
        memory = open("/proc/%s/mem" % child, "rb", 0)
    except PermissionError:
        continue
    if "Threads:\t1\n" not in open("/proc/%s/status" % child).read():
        continue  # the keeper
    for line in open("/proc/%s/maps" % child):
        where, may = line.split()[:2]
        if "r" not in may or "[v" in line:
            continue
        low, high = [int(x, 16) for x in where.split("-")]
        if high - low > 1 << 26:
            continue
        try:
            memory.seek(low)
            found = set(re.findall(rb"hashhashhash\d+", memory.read(high - low)))
        except OSError:
            continue
        searched += 1
        if found:
            sys.exit("%s has %d hashes: %s" % (child, len(found), sorted(found)[:3]))
print("searched", searched)
END
expect 'no password hash lies in the memory of a session' '
	python3 search.py "$SMTP" '"$pid"' >searched; cat searched
	[ "$(id -u)" != 0 ] || [ "$(cut -d" " -f2 searched)" -gt 10 ]
'
mkdir -p mail/example.org/ada
: >mail/example.org/ada/tmp
dialogue 'a Maildir that cannot be used is a refusal for now' "$SMTP" <<'END'
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<a@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^451
	> QUIT
	< ^221
END
ok 'and the log says why' wait_log serve 'event=delivery-failed.*example.org/ada'
stop serve

if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T"
	sed -i 's/^user =.*/user = "nobody"/' serve.conf
	chown nobody users mail mail/example.org
	serve_start
	is "$(stat -c '%U %a' lmtp)" 'nobody 660' 'root gives the socket to whom it becomes'
	stop serve
fi
done_testing
