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

# mbsync's configuration, with FSync as it is by default or as $1 says; port $2.
mbsync_conf()
{
	cat >mbsyncrc <<-END
		FSync ${1:-yes}

		IMAPAccount bench
		Host localhost
		Port $2
		User user1
		Pass secret-1
		SSLType ${3:-None}
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

sums() { find "$1/new" "$1/cur" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort | sha256sum; }
same() # both have the messages of the server, byte for byte
{
	[ "$(sums "$T/Mail/test/INBOX")" = "$(sums "$drop")" ] || { echo "mt-fetch: not the same" >&2; exit 1; }
	# mbsync writes a field of its own into what it fetches.
	[ "$(find mbsync/INBOX/cur mbsync/INBOX/new -type f | wc -l)" = "$(find "$drop/cur" "$drop/new" -type f | wc -l)" ] || {
		echo "mbsync: not as many" >&2; exit 1; }
}

peer_fetch isync || exit 1
MBSYNC_LIBS=$(peer_libs isync)
start_dovecot "mail_fsync = never" || exit 1
