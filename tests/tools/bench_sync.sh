# bench_sync.sh - what the benchmarks of mt-fetch over IMAP share: Dovecot, mail, mbsync

. "$TOP/tests/bench.sh"
export XDG_STATE_HOME=$T/state
drop=$T/dovecot/mail/user1

# fill N: so many messages of 1 to 10 KB in the INBOX on the server
fill()
{
	mkdir -p "$drop"/{cur,new,tmp}
	python3 - "$drop/cur" "$1" <<-'END'
		import os, random, sys
		rand = random.Random(1)
		words = [b"%x" % rand.getrandbits(40) for _ in range(5000)]
		for i in range(int(sys.argv[2])):
		    size = rand.randint(1000, 10000)
		    head = (b"From: a@example.org\nTo: user1@example.org\nDate: Fri, 27 Nov 2026 10:00:00 +0000\n"
		            b"Message-ID: <%d@example.org>\nSubject: message %d\n\n" % (i, i))
		    body = b""
		    while len(head) + len(body) < size:
		        body += b" ".join(rand.choices(words, k=7)) + b"\n"
		    with open(os.path.join(sys.argv[1], "%d.M%d.bench:2,%s" % (1700000000 + i, i, "S" if i % 3 else "")), "wb") as f:
		        f.write(head + body)
	END
	[ "$(id -u)" != 0 ] || chmod -R go+rwX "$T/dovecot"
}

# mbsync's configuration, with FSync as it is by default or as $1 says; port $2, user $3. As
# mt-fetch it uses STARTTLS.
mbsync_conf()
{
	cat >mbsyncrc <<-END
		FSync ${1:-yes}

		IMAPAccount bench
		Host localhost
		Port $2
		User ${3:-user1}
		Pass secret-1
		SSLType STARTTLS
		CertificateFile $T/ca.pem
		AuthMechs PLAIN

		IMAPStore there
		Account bench

		MaildirStore here
		Path $T/mbsync/
		Inbox $T/mbsync/INBOX
		SubFolders Verbatim

		Channel all
		Far :there:
		Near :here:
		Patterns INBOX
		Create Near
		Sync All
		Expunge Both
		SyncState $T/mbsync-state/
	END
	mkdir -p mbsync mbsync-state
}
mbsync() { LD_LIBRARY_PATH=$MBSYNC_LIBS "$PEERS/isync/usr/bin/mbsync" -q -c mbsyncrc all; }

mt_conf() # PORT [SCHEME]
{
	client_conf '' ''
	sed -i "s|  from = |  imap = \"${2:-imap}://user1@localhost:$1\"\n  allow_plaintext = yes\n&|" mt.conf
}
mt_fetch() { mt-fetch -q -f INBOX; }

# contents FOLDER...: one line for each, equal where the messages are, byte for byte. mbsync
# writes a field of its own into what it fetches.
contents()
{
	python3 - "$@" <<-'END'
		import hashlib, os, re, sys
		for folder in sys.argv[1:]:
		    sums = []
		    for sub in "cur", "new":
		        for e in os.scandir(os.path.join(folder, sub)):
		            with open(e.path, "rb") as f:
		                text = re.sub(rb"^X-TUID: [^\n]*\n", b"", f.read(), 1, re.M)
		            sums.append(hashlib.sha256(text).digest())
		    print(len(sums), hashlib.sha256(b"".join(sorted(sums))).hexdigest())
	END
}
same() # both have the messages of the server
{
	local n

	n=$(contents "$drop" "$T/Mail/test/INBOX" mbsync/INBOX | sort -u | wc -l)
	[ "$n" = 1 ] && return
	echo "not the same: server, mt-fetch, mbsync:" >&2
	contents "$drop" "$T/Mail/test/INBOX" mbsync/INBOX >&2
	exit 1
}

peer_fetch isync || exit 1
MBSYNC_LIBS=$(peer_libs isync)
start_dovecot "mail_fsync = never" || exit 1
# Both go through a proxy that delays each way by so many milliseconds.
BENCH_PORT=$DOVECOT_IMAP
if [ -n "${DELAY:-}" ]; then
	BENCH_PORT=$(free_port)
	start delay delay "$BENCH_PORT" "$DOVECOT_IMAP" "$DELAY"
	wait_port delay "$BENCH_PORT" || exit 1
fi
