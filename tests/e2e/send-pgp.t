#!/usr/bin/env bash
# mt-send --sign and --encrypt: what arrives verifies and decrypts; without a key nothing goes
. "${0%/*}/../lib.sh"
need gpg gpgconf gpg-connect-agent script
. "$TOP/tests/e2e/queue.sh"

# The agent, which gpg starts, ends with its folder.
export GNUPGHOME=$T/gpg
mkdir -m 700 gpg
new_key() # ADDRESS [EXPIRES [OPTION...]]
{
	gpg --batch --quiet --pinentry-mode loopback --passphrase '' "${@:3}" --quick-gen-key "$1" \
	    ed25519 sign "${2:-never}" 2>gpg.log &&
	gpg --batch --quiet --pinentry-mode loopback --passphrase '' "${@:3}" --quick-add-key \
	    "$(gpg --list-keys --with-colons "$1" | awk -F: '/^fpr/ { print $10; exit }')" \
	    cv25519 encr "${2:-never}" 2>>gpg.log
}
ok 'keys are made' new_key user1@example.org
new_key b@x.y && new_key c@x.y && new_key hid@x.y || diag "$(cat gpg.log)"
head -c 3000 /dev/urandom >bytes.bin

# verify FILE: the signature is of the exact bytes, with CRLF, between the boundaries.
cat >verify.py <<'END'
import email, email.policy, re, subprocess, sys
raw = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
m = email.message_from_bytes(raw, policy=email.policy.strict)
assert m.get_content_type() == "multipart/signed", m.get_content_type()
assert m.get_param("protocol") == "application/pgp-signature"
assert re.fullmatch("pgp-sha[0-9]+", m.get_param("micalg")), m.get_param("micalg")
line = b"\r\n--" + m.get_boundary().encode() + b"\r\n"
head, signed, rest = raw.split(line, 2)
open("signed", "wb").write(signed)
open("signature", "wb").write(rest.split(b"\r\n\r\n", 1)[1].split(line[:-2] + b"--")[0])
body = signed.split(b"\r\n\r\n", 1)[1]
assert max(raw) < 128, "8-bit bytes"
for l in signed.split(b"\r\n"):
    assert not l.endswith((b" ", b"\t")), l
    assert not l.startswith(b"From "), l
END
verify()
{
	python3 verify.py "$1"
	gpg --batch --verify signature signed 2>gpg.log || { cat gpg.log; false; }
	grep -q 'Good signature from "user1@example.org"' gpg.log
	python3 "$TOP/tests/tools/strict_mail.py" "$1"
}

weak='grün \nFrom here\n.\n..\n-- \nme\t\n'
fake
expect 'a signed message verifies, whatever its lines look like' '
	printf "$weak" | mt-send --sign --no-check -s "grün" -A bytes.bin b@x.y
	taken 1
	verify out/1.eml
	grep -q "^Subject: =?" out/1.eml
	python3 - <<-END
		import email, email.policy
		m = email.message_from_binary_file(open("out/1.eml", "rb"), policy=email.policy.strict)
		mixed = m.get_payload(0)
		text, file = mixed.iter_parts()
		assert text.get_content() == "grün \nFrom here\n.\n..\n-- \nme\t", repr(text.get_content())
		assert file.get_content() == open("bytes.bin", "rb").read()
	END'
expect 'the copy in Sent is what was signed' '
	sed 1,/^$/d "$sent"/cur/* | cmp - <(tr -d "\r" <out/1.eml | sed 1,/^$/d)'
expect 'at a server without 8BITMIME, too, and without a queue, and flowed' '
	fake --no-ext
	printf "$weak" | mt-send --sign -s x b@x.y
	verify out/1.eml
	printf "$weak" | mt-send --sign --no-queue -s x b@x.y
	verify out/2.eml
	printf "$weak a paragraph of some more words that does not fit into one line of text at all\n" |
	    mt-send --sign --flowed -s x b@x.y
	verify out/3.eml'
expect 'a reply and a forwarded message are signed alike' '
	fake
	printf "From: z@x.y\nTo: user1@example.org\nSubject: q\nMIME-Version: 1.0\n%s\n\n" \
	    "Content-Type: text/plain; charset=utf-8" >q.eml
	printf "grün \n" >>q.eml
	echo text | mt-send reply --sign q.eml
	verify out/1.eml
	echo text | mt-send forward --attach --sign q.eml b@x.y
	verify out/2.eml'
expect 'a forwarded message of 7 bits with weak lines, in every way' '
	fake
	printf "From: z@x.y\nTo: user1@example.org\nSubject: q\nMIME-Version: 1.0\n%s\n\n" \
	    "Content-Type: multipart/mixed; boundary=b" >weak.eml
	printf -- "--b\nContent-Type: text/plain\n\nhi\nFrom me \n-- \nz\n--b\n%s\n%s\n\n%s\n--b--\n" \
	    "Content-Type: text/x-patch" "Content-Disposition: attachment; filename=a.patch" \
	    "trail 
From x
-- 
2.3" >>weak.eml
	echo text | mt-send forward --inline --sign weak.eml b@x.y
	verify out/1.eml
	echo text | mt-send forward --attach --sign weak.eml b@x.y
	verify out/2.eml
	echo text | mt-send -s x --sign -A weak.eml b@x.y
	verify out/3.eml
	python3 - out/1.eml out/2.eml out/3.eml <<-END
		import email, email.policy, sys
		want = email.message_from_binary_file(open("weak.eml", "rb"), policy=email.policy.default)
		want = list(want.iter_parts())[1].get_content().rstrip("\n")
		m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
		got = [p for p in m.walk() if p.get_filename() == "a.patch"][0].get_content()
		assert got.rstrip("\n") == want, repr(got)
		for name in sys.argv[2:]:
		    m = email.message_from_binary_file(open(name, "rb"), policy=email.policy.default)
		    got = [p for p in m.walk() if (p.get_filename() or "").endswith(".eml")][0]
		    assert got.get_payload(decode=True) == open("weak.eml", "rb").read(), name
	END'
expect '--sign by the account, and --no-sign' '
	fake
	sed "s/^}/  sign = yes\n}/" mt.conf >sign.conf
	echo x | mt-send -C sign.conf -s x b@x.y
	verify out/1.eml
	echo x | mt-send -C sign.conf --no-sign -s x b@x.y
	grep -q "^Content-Type: text/plain" out/2.eml'

# decrypt FILE [ADDRESS]: into "plain"
cat >decrypt.py <<'END'
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.strict)
assert m.get_content_type() == "multipart/encrypted", m.get_content_type()
assert m.get_param("protocol") == "application/pgp-encrypted"
version, data = m.iter_parts()
assert version.get_content_type() == "application/pgp-encrypted"
assert version.get_payload(decode=True).strip() == b"Version: 1"
assert data.get_content_type() == "application/octet-stream"
open("cipher", "wb").write(data.get_payload(decode=True))
END
decrypt()
{
	python3 decrypt.py "$1"
	gpg --batch --decrypt cipher >plain 2>gpg.log || { cat gpg.log; false; }
}
trust() { for a in "$@"; do echo "$(gpg --list-keys --with-colons "$a" | awk -F: '/^fpr/ { print $10; exit }'):6:"; done | gpg --batch --quiet --import-ownertrust; }
trust b@x.y c@x.y hid@x.y
expect 'an encrypted message can be read by those who get it, and by ourselves' '
	fake
	printf "$weak" | mt-send --encrypt --no-check -s open -A bytes.bin -c c@x.y b@x.y
	taken 1
	not grep -q "here" out/1.eml
	decrypt out/1.eml
	[ "$(gpg --batch --list-packets cipher 2>/dev/null | grep -c "pubkey enc packet")" = 3 ]
	not grep -q "^gpg: Good signature" gpg.log
	python3 - <<-END
		import email, email.policy
		m = email.message_from_binary_file(open("plain", "rb"), policy=email.policy.strict)
		text, file = m.iter_parts()
		assert text.get_content() == "grün \nFrom here\n.\n..\n-- \nme\t"
		assert file.get_content() == open("bytes.bin", "rb").read()
	END
	grep -q "^Subject: open" out/1.eml'
expect '--sign --encrypt: signed inside' '
	fake
	echo x | mt-send --sign --encrypt -s x b@x.y
	decrypt out/1.eml
	grep -q "Good signature from .user1@example.org" gpg.log
	printf "$weak" | mt-send --sign --encrypt -s x b@x.y
	decrypt out/2.eml
	not grep -q "[^ -~]" <(LC_ALL=C tr -d "\r\t" <plain)'
expect 'who gets it in secret stays secret: no key ids' '
	fake
	echo "not for all" | mt-send --encrypt -s x -b hid@x.y b@x.y
	taken 1
	python3 decrypt.py out/1.eml
	# It tries its keys in turn, and those that fail make its status.
	gpg --batch --decrypt cipher >plain 2>gpg.log || true
	grep -q "not for all" plain
	gpg --batch --list-packets cipher 2>/dev/null >packets || true
	[ "$(grep -c "keyid 0000000000000000" packets)" = 3 ]
	not grep "pubkey enc.*keyid .*[1-9A-F]" packets'

nothing() # STATUS PATTERN ARGUMENTS...: nothing is sent, queued or kept
{
	fake
	mkdir -p "$T/Mail"
	printf 'secret text\n' | status "$1" mt-send -s x "${@:3}" 2>err || { cat err; return 1; }
	grep "$2" err || { cat err; return 1; }
	taken 0
	[ ! -d "$queue/env" ] || queued 0
	[ ! -d "$sent" ] || in_dir "$sent" 0
	not grep -rq "secret text" "$T/state" "$T/Mail"
}
expect 'a key that is missing: nothing is sent, and it says whose' '
	nothing 78 "cannot be encrypted: .*nokey@x.y" --encrypt b@x.y nokey@x.y'
expect 'one address is not taken for another that begins or ends with it' '
	nothing 78 "cannot be encrypted" --encrypt "x.y <bb@x.y>"
	nothing 78 "cannot be encrypted" --encrypt "b@x.yy"'
fpr() { gpg --list-keys --with-colons "$1" 2>>gpg.log | awk -F: '/^fpr/ { print $10; exit }'; }
# elsewhere COMMAND...: with the keys of somebody else
elsewhere()
{
	mkdir -p -m 700 elsewhere
	GNUPGHOME=$T/elsewhere "$@" || return 1
	GNUPGHOME=$T/elsewhere gpgconf --kill all
}
# theirs ADDRESS [EXPIRES [OPTION...]]: a key that was made elsewhere and imported, in fpr.ADDRESS
theirs()
{
	rm -rf elsewhere
	elsewhere new_key "$@" || { cat gpg.log; return 1; }
	elsewhere gpg --export "$1" >"key.$1"
	elsewhere fpr "$1" >"fpr.$1"
	gpg --batch --quiet --import "key.$1"
}
expect 'a key that is not trusted is refused as GnuPG does, and it says whose and which' '
	theirs d@x.y
	nothing 78 "cannot be encrypted: <d@x.y>: .*does not trust.*$(cat fpr.d@x.y)" --encrypt d@x.y
	grep "There is no assurance this key belongs to the named user" err
	nothing 78 "<d@x.y>" --encrypt b@x.y d@x.y c@x.y
	echo "$(cat fpr.d@x.y):2:" | gpg --batch --quiet --import-ownertrust
	gpg --batch --quiet --check-trustdb
	nothing 78 "<d@x.y>: .*does not trust" --encrypt d@x.y'
expect 'the trust-model that GnuPG is configured for holds' '
	theirs always@x.y
	echo "trust-model always" >"$GNUPGHOME/gpg.conf"
	fake
	echo x | mt-send -s x --encrypt always@x.y
	taken 1
	rm "$GNUPGHOME/gpg.conf"
	nothing 78 "<always@x.y>: .*does not trust" --encrypt always@x.y'
expect 'a trusted key is not trusted for other addresses that its owner put on it' '
	rm -rf elsewhere
	elsewhere new_key "Eve <eve@x.y>"
	elsewhere gpg --batch --quiet --pinentry-mode loopback --passphrase "" --quick-add-uid \
	    eve@x.y "Vic <vic@x.y>"
	elsewhere gpg --export eve@x.y | gpg --batch --quiet --import
	gpg --batch --quiet --pinentry-mode loopback --passphrase "" --default-key user1@example.org \
	    --quick-lsign-key "$(fpr eve@x.y)" "Eve <eve@x.y>"
	fake
	echo x | mt-send -s x --encrypt eve@x.y
	taken 1
	nothing 78 "cannot be encrypted: <vic@x.y>: .*does not trust" --encrypt vic@x.y'
expect 'of two keys for an address the trusted one is taken, whichever is listed first' '
	theirs dup@x.y
	mv fpr.dup@x.y fpr.bad
	theirs dup@x.y
	for i in "$(cat fpr.bad)" "$(cat fpr.dup@x.y)"; do
		printf "%s:6:\n" "$i" | gpg --batch --quiet --import-ownertrust
		fake
		echo x | mt-send -s x --encrypt dup@x.y
		python3 decrypt.py out/1.eml
		gpg --batch --list-packets cipher 2>/dev/null >packets || true
		sub=$(gpg --list-keys --with-colons "$i" | awk -F: "/^sub/ { print \$5; exit }")
		grep "keyid $sub" packets
		printf "%s:2:\n" "$i" | gpg --batch --quiet --import-ownertrust
	done'
expect 'a key that has expired, or has been revoked, is refused and it says why' '
	theirs old@x.y 1d --faked-system-time 20200101T000000
	nothing 78 "cannot be encrypted: <old@x.y>: the key $(cat fpr.old@x.y) has expired" \
	    --encrypt old@x.y
	theirs gone@x.y
	sed "s/^:---/---/" "elsewhere/openpgp-revocs.d/$(cat fpr.gone@x.y).rev" |
	    gpg --batch --quiet --import
	nothing 78 "cannot be encrypted: <gone@x.y>: the key $(cat fpr.gone@x.y) has been revoked" \
	    --encrypt gone@x.y'
expect 'no GnuPG: nothing is sent' '
	mkdir nogpg
	printf "#!/bin/sh\nexit 127\n" | tee nogpg/gpg >nogpg/gpgconf
	chmod +x nogpg/*
	old=$PATH PATH=$T/nogpg:$PATH
	nothing 78 "gpg" --sign b@x.y
	nothing 78 "gpg" --encrypt b@x.y
	PATH=$old'
expect 'what -n prints is signed, and nothing is sent' '
	fake
	echo x | mt-send -n --sign -s x b@x.y >printed
	sed 1,/^$/d printed >printed.eml
	verify printed.eml
	taken 0'
expect 'no key of ones own: neither signed nor encrypted' '
	nothing 78 "cannot be signed: .*other@x.y" --sign -f other@x.y b@x.y
	nothing 78 "cannot be encrypted" --encrypt -f other@x.y b@x.y'
expect 'a passphrase that nobody can be asked for' '
	gpg --batch --quiet --pinentry-mode loopback --passphrase locked --quick-gen-key lock@x.y \
	    ed25519 sign never 2>/dev/null
	gpgconf --kill gpg-agent
	echo "pinentry-program /bin/false" >"$GNUPGHOME/gpg-agent.conf"
	nothing 78 "key $(fpr lock@x.y): cannot be signed (gpg-agent has to know" --sign -f lock@x.y b@x.y
	rm "$GNUPGHOME/gpg-agent.conf"
	gpgconf --kill gpg-agent'
expect 'pgp_key of the account names the key' '
	fake
	sed "s/^}/  pgp_key = \"<b@x.y>\"\n}/" mt.conf >key.conf
	echo x | mt-send -C key.conf --sign -s x c@x.y
	python3 verify.py out/1.eml
	gpg --batch --verify signature signed 2>gpg.log
	grep "Good signature from .b@x.y" gpg.log'
drafts=$T/Mail/test/Drafts
draft() { find "$drafts" -type f; }
expect 'a draft that was to be encrypted is sent so, and the field that says so is not sent' '
	fake
	echo "for two" | mt-send --encrypt --sign --draft -s x -b c@x.y b@x.y
	grep -q "^X-Mt-PGP: sign encrypt$" "$(draft)"
	mt-send resume "$(draft)"
	taken 1
	not grep -qi "x-mt-pgp" out/1.eml
	not grep -qi "x-mt-pgp" "$sent"/cur/*
	not grep -rq "for two" out
	python3 decrypt.py out/1.eml
	gpg --batch --decrypt cipher >plain 2>gpg.log || true
	grep -q "for two" plain
	grep -q "Good signature from .user1@example.org" gpg.log
	gpg --batch --list-packets cipher 2>/dev/null >packets || true
	not grep "pubkey enc.*keyid .*[1-9A-F]" packets
	[ -z "$(draft)" ]'
expect 'without its key it stays a draft, and nothing is sent' '
	fake
	echo x | mt-send --encrypt --draft -s x nokey@x.y
	status 78 mt-send resume "$(draft)" 2>err
	grep "cannot be encrypted: <nokey@x.y>" err
	taken 0
	[ ! -d "$queue/env" ] || queued 0
	[ -n "$(draft)" ]'
expect 'what was edited and has no key is kept as a draft that will be encrypted' '
	fake
	printf "#!/bin/sh\necho edited text >>\"\$1\"\n" >editor
	chmod +x editor
	EDITOR=$T/editor script -qec "mt-send --encrypt --edit -s x nokey@x.y" /dev/null >screen \
	    </dev/null || true
	grep "cannot be encrypted: <nokey@x.y>" screen
	grep "mt-send resume --edit" screen
	taken 0
	grep -q "^X-Mt-PGP: encrypt" "$(draft)"
	grep -q "^edited text" "$(draft)"
	status 78 mt-send resume "$(draft)" 2>err
	taken 0'
expect 'a draft is signed as it is, whatever its lines look like, when resume says so' '
	fake
	printf "From: user1@example.org\nTo: b@x.y\nSubject: q\nMIME-Version: 1.0\n\nhi \nFrom me\n-- \nz\n" >plain.eml
	mt-send resume --sign plain.eml
	verify out/1.eml
	mt-send resume --encrypt plain.eml
	decrypt out/2.eml
	grep -q "^From me" plain
	mt-send resume -n --encrypt plain.eml >printed
	grep -q "^-----BEGIN PGP MESSAGE" printed
	taken 2'
expect 'a draft with CRLF is encrypted with CRLF, and no CR more' '
	fake
	{ printf "From: user1@example.org\nTo: b@x.y\nSubject: q\nMIME-Version: 1.0\n"
	  printf "Content-Type: text/plain\n\n"; yes "line of text" | head -n 20000; } |
	    sed "s/$/\r/" >crlf.eml
	mt-send resume --encrypt crlf.eml
	decrypt out/1.eml
	grep -c "^line of text.$" plain | grep -qx 20000
	not grep -q "$(printf "\r\r")" plain'
expect 'a draft whose wish cannot be understood is not sent' '
	fake
	sed "1i X-Mt-PGP: encrpyt" plain.eml >slip.eml
	status 65 mt-send resume slip.eml 2>err
	grep "encrpyt" err
	taken 0'
expect 'an address as pgp_key is that address, and no part of another' '
	new_key ab@x.y
	sed "s/^}/  pgp_key = \"ab@x.y\"\n}/" mt.conf >key.conf
	gpg --batch --yes --quiet --delete-secret-and-public-key "$(fpr ab@x.y)"
	new_key xab@x.y
	nothing 78 "cannot be signed: <ab@x.y>: GnuPG has no secret key" -C key.conf --sign c@x.y'
expect 'our own reader shows what was signed' '
	fake
	echo "read me" | mt-send --sign -s x b@x.y
	mt-index show out/1.eml | grep "read me"'
gpgconf --kill all
done_testing
