#!/usr/bin/env bash
# mt-send forward: everything of the message arrives, seen by Python's email package
. "${0%/*}/../lib.sh"
need python3

export MT_CONFIG=$T/mt.conf XDG_STATE_HOME=$T/state
port=$(free_port)
cat >mt.conf <<END
maildir = "$T/Mail"
account first {
  from = "Ada Lövelace <ada@example.org>"
  smtp = "smtp://127.0.0.1:$port"
}
account work {
  from = "ada@work.example"
  smtp = "smtp://127.0.0.1:$port"
}
END
parts() { python3 "$TOP/tests/tools/mime_parts.py" "$@"; }
same_parts() { python3 "$TOP/tests/tools/same_parts.py" "$@"; }
# dry ARGUMENT...: what would be sent: the envelope in envelope, the message in eml and,
# taken apart, in got
dry()
{
	mt-send -n forward "$@" >out 2>err || { cat err; return 1; }
	sed '/^$/,$d' out >envelope
	tail -c +$(($(wc -c <envelope) + 2)) out >eml
	parts eml >got
}

# Of everything one: made byte by byte, so that nothing is nicer than in the wild.
cat >make.py <<'END'
import base64, os

def b64(data):
    return base64.encodebytes(data)

def part(fields, body):
    return fields.encode("utf-8", "surrogateescape") + b"\n\n" + body

def multi(kind, boundary, *inner):
    out = b""
    for p in inner:
        out += b"--" + boundary + b"\n" + p + b"\n"
    return ("Content-Type: multipart/%s; boundary=\"%s\"" % (kind, boundary.decode())).encode() + \
        b"\n\n" + out + b"--" + boundary + b"--\n"

def save(name, body, crlf=False, fields=b""):
    head = b"""From: =?utf-8?q?B=C3=B8b?= <bob@example.net>
To: ada@work.example, Carol <carol@example.net>
Cc: dan@example.net
Bcc: hidden@example.net
Subject: =?utf-8?q?Fw=3A_WG=3A_Gr=C3=BC=C3=9Fe?=
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <2@example.net>
References: <1@example.net>
In-Reply-To: <1@example.net>
MIME-Version: 1.0
""" + fields
    data = head + body
    with open(name, "wb") as f:
        f.write(data.replace(b"\n", b"\r\n") if crlf else data)

text = part("Content-Type: text/plain; charset=iso-8859-1\n"
            "Content-Transfer-Encoding: quoted-printable", b"Sch=F6n.\n--=20\nBob")
same = part("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit",
            "<p>Schön.</p>--<br>Bob".encode())
more = part("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit",
            "<p>Schön. Und noch viel mehr als das.</p>".encode())
png = part("Content-Type: image/png\nContent-ID: <p@x>\nContent-Disposition: inline;\n"
           " filename*=utf-8''Bild%20%C3%BC.png\nContent-Transfer-Encoding: base64",
           b64(os.urandom(70000)))
inner = b"From: eve@example.net\nSubject: inner\nMIME-Version: 1.0\n" + multi(
    "mixed", b"in", part("Content-Type: text/plain", b"inner text"), part(
        "Content-Type: application/x-inner; name=inner.bin\nContent-Transfer-Encoding: base64",
        b64(os.urandom(300))))
everything = [
    text, png,
    part("Content-Type: application/x-odd; name=odd.bin\nContent-Transfer-Encoding: base64",
         b64(b"bare\rCR, NUL \0 and a last line")),
    part("Content-Type: text/x-patch; charset=iso-8859-1; name=a.diff\n"
         "Content-Disposition: attachment; filename=a.diff\n"
         "Content-Transfer-Encoding: 8bit", b"+\xfc\n-u"),
    part("Content-Type: text/html; charset=iso-8859-1; name=long.html\n"
         "Content-Transfer-Encoding: 8bit", b"<p>" + b"\xfc" * 3000),
    part("Content-Type: text/plain; name=inline.txt", b"inline text"),
    part("Content-Type: application/octet-stream; name=raw.bin\n"
         "Content-Transfer-Encoding: binary", bytes(range(128, 256)) + b"a\r\nb\nc\r\n"),
    part("Content-Type: application/pdf; name=\"gr\u00fcn.pdf\"\n"
         "Content-Transfer-Encoding: base64", b64(b"%PDF")),
    part("Content-Type: message/rfc822", inner),
    part("Content-Type: application/x-empty; name=empty", b""),
]
for crlf in False, True:
    n = "crlf" if crlf else "lf"
    body = everything
    if crlf:	# no binary part can be made CRLF
        body = [p for p in everything if b"raw.bin" not in p and b"long.html" not in p]
    save("all-%s.eml" % n, multi("mixed", b"=out", *body), crlf)
save("plain.eml", text)
save("same.eml", multi("alternative", b"a", text, same))
save("more.eml", multi("alternative", b"a", text, more))
save("invite.eml", multi("alternative", b"a", text, same, part(
    "Content-Type: text/calendar; method=REQUEST; charset=utf-8", b"BEGIN:VCALENDAR")))
save("html.eml", more)
related = multi("related", b"r", part("Content-Type: text/html", b"<img src=cid:p@x>hello"), png)
save("related.eml", related)
open("related.part", "wb").write(related)
signed = multi("signed; micalg=pgp-sha256; protocol=\"application/pgp-signature\"", b"s", part(
    "Content-Type: text/plain;\n  charset=us-ascii", b"signed  \n text"), part(
    "Content-Type: application/pgp-signature; name=signature.asc", b"x"))
save("signed.eml", signed)
open("signed.part", "wb").write(signed)
save("encrypted.eml", multi("encrypted; protocol=\"application/pgp-encrypted\"", b"e", part(
    "Content-Type: application/pgp-encrypted", b"Version: 1"), part(
    "Content-Type: application/octet-stream; name=encrypted.asc", b"secret")))
save("smime.eml", part("Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\n"
     " name=smime.p7m\nContent-Transfer-Encoding: base64", b64(os.urandom(500))))
save("eight.eml", part("Content-Type: text/plain; charset=utf-8\n"
     "Content-Transfer-Encoding: 8bit", "Grün\n".encode()), fields="X-Note: ü\n".encode())
save("nul.eml", part("Content-Type: text/plain", b"a\0b\r\nc\n"))
END
python3 make.py || exit 1

expect 'the text of the original stands below mine, with who, when, what and to whom' '
	echo "Please see below." | dry plain.eml eve@example.net
	[ "$(grep -c ^part got)" = 1 ]
	cat >want <<-END
		text "Please see below.
		
		---------- Forwarded message ----------
		From: Bøb <bob@example.net>
		Date: Sat, 21 Nov 2026 10:00:00 +0100
		Subject: Fw: WG: Grüße
		To: ada@work.example, Carol <carol@example.net>
		Cc: dan@example.net
		
		Schön.
		-- 
		Bob
		"
	END
	python3 -c "print(eval(open(\"got\").read().split(\"\ntext \")[1]), end=\"\")" >text
	sed "s/^text \"//; /^\"\$/d" want | cmp - text
	not grep -qi hidden eml
'
expect 'the subject says Fwd: once, the thread goes on, and nobody is answered' '
	dry plain.eml eve@example.net </dev/null
	grep -qxF "Subject: Fwd: Grüße" got
	grep -qxF "References: <1@example.net> <2@example.net>" got
	not grep -q ^In-Reply-To got
	dry plain.eml -s mine eve@example.net </dev/null
	grep -qx "Subject: mine" got
'
expect 'the account is the one that got it; the envelope is whom I name, nobody else' '
	dry plain.eml "Eve <eve@example.net>" -c frank@example.net </dev/null
	printf "%s\n" "MAIL FROM:<ada@work.example>" "RCPT TO:<eve@example.net>" \
	    "RCPT TO:<frank@example.net>" | cmp - envelope
	grep -qx "From: ada@work.example" got
	dry -a first plain.eml eve@example.net </dev/null
	grep -q "<ada@example.org>" envelope
'
expect 'every part arrives with its type, its name and its bytes' '
	for m in all-lf all-crlf; do
		echo hello | dry $m.eml eve@example.net
		same_parts --strict $m.eml eml
		[ ! -s err ]
		grep -q "^part application/x-odd .*odd.bin" got
		grep -qF "Bild ü.png" got
	done
	grep -q "charset=iso-8859-1; name=a.diff" eml	# parameters too
'
expect 'and travels soundly: CRLF, no line above 998' '
	python3 -c "
b = open(\"eml\", \"rb\").read()
assert b.endswith(b\"\r\n\") and b.count(b\"\n\") == b.count(b\"\r\n\") == b.count(b\"\r\")
assert b\"\0\" not in b and max(map(len, b.split(b\"\r\n\"))) <= 998"
'
expect 'files of mine go along' '
	echo "%PDF-1.4" >my.pdf
	dry -A my.pdf:application/x-mine all-lf.eml eve@example.net </dev/null
	grep -q "^part application/x-mine attachment my.pdf" got
	same_parts --strict all-lf.eml eml
'
expect 'HTML that says what the text says is left out; what says more is attached' '
	dry same.eml eve@example.net </dev/null
	[ "$(grep -c ^part got)" = 1 ]
	dry more.eml eve@example.net </dev/null
	grep -q "^part text/html attachment message.html" got
	dry invite.eml eve@example.net </dev/null
	grep -q "^part text/calendar attachment invite.ics" got
	grep -q "method=REQUEST" eml
	not grep -q "text/html" got
'
expect 'a message that is only HTML is shown as text, with the HTML attached' '
	dry html.eml eve@example.net </dev/null
	grep -q "Schön. Und noch viel mehr als das." got
	grep -q "^part text/html attachment message.html" got
	same_parts --strict html.eml eml
'
# inside PART: the bytes of it stand in the message as they are
inside() { python3 -c '
import sys
assert open(sys.argv[1], "rb").read() in open("eml", "rb").read().replace(b"\r\n", b"\n")' "$1"; }
expect 'HTML and its pictures stay together; so does what is signed, and its signature' '
	dry related.eml eve@example.net </dev/null
	inside related.part
	dry signed.eml eve@example.net </dev/null
	inside signed.part
	grep -q "signed" got
'
expect 'what is encrypted goes whole, and it is said' '
	for m in encrypted smime; do
		dry $m.eml eve@example.net </dev/null
		grep -q "forwarded as an attachment: the message is encrypted" err
		grep -av ^Bcc: $m.eml >want
		inside want
		grep -q "^part message/rfc822" got
	done
'
expect '--attach: byte for byte, also with 8 bits, also from CRLF' '
	for m in plain eight all-crlf signed; do
		echo "See this." | dry --attach $m.eml eve@example.net
		tr -d "\r" <$m.eml | grep -av ^Bcc: >want
		inside want
		grep -q "^part message/rfc822" got
		grep -q "See this" got
		[ ! -s err ]
	done
	grep -qxF "References: <1@example.net> <2@example.net>" got
'
expect '--attach: what a message/rfc822 cannot hold goes as bytes' '
	dry --attach nul.eml eve@example.net </dev/null
	grep -q "^part application/octet-stream attachment message.eml" got
	mkdir -p d
	parts eml d >/dev/null
	grep -av ^Bcc: nul.eml | cmp - d/message.eml
'
expect 'a message on standard input; its text comes from --body-file' '
	dry - eve@example.net <plain.eml
	grep -q "Schön" got
	echo Hello >text
	dry --body-file text - eve@example.net <plain.eml
	grep -q "Hello.n.n------" got
'
expect 'an mbox line is no part of it' '
	{ echo "From bob Sat Nov 21 10:00:00 2026"; cat plain.eml; } >mbox.eml
	dry --attach mbox.eml eve@example.net </dev/null
	not grep -q "^From bob" eml
	grep -v ^Bcc: plain.eml >want
	inside want
'
expect 'a hostile header is not read, but goes along' '
	python3 -c "print(\"From: b@x.y\nTo: \" + \"a:\" * 100000 + \"\n\nx\")" >groups.eml
	dry groups.eml eve@example.net </dev/null
	grep -q "forwarded as an attachment: the message has" err
	mkdir -p d
	parts eml d >/dev/null
	cmp groups.eml d/message.eml
'
expect 'no recipient, no message, what is none: 64, 64, 65' '
	status 64 mt-send -n forward plain.eml </dev/null 2>err
	grep -q "no recipient" err
	status 64 mt-send -n forward </dev/null
	status 65 mt-send -n forward make.py eve@example.net </dev/null 2>err
	grep -q "make.py: it is no message" err
	: >empty.eml
	status 65 mt-send -n forward empty.eml eve@example.net </dev/null
	status 66 mt-send -n forward ./none.eml eve@example.net </dev/null
	status 64 mt-send -n forward plain.eml "not an address" </dev/null
'
expect 'the public suites of odd messages: no part of any is lost' '
	[ -n "$SUITES" ] || skip_all "no ../shared/suites"
	n=0
	for m in "$SUITES"/mime-mime4j/*.msg "$SUITES"/mime-rfc/*/*.eml; do
		rc=0
		mt-send -n forward "$m" eve@example.net >out 2>err </dev/null || rc=$?
		if [ $rc = 65 ] && grep -q "does not begin with a header field" err; then
			continue
		fi
		[ $rc = 0 ]
		sed "1,/^\$/d" out >eml
		same_parts "$m" eml || { echo "$m"; exit 1; }
		n=$((n + 1))
	done
	[ $n -gt 80 ]
'

mkdir server; : >options
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/server" \
    --options "$T/options"
wait_port fake "$port" || exit 1
# taken ARGUMENT...: forward it; what the server has in eml
taken()
{
	rm -f server/*
	mt-send forward "$@" </dev/null 2>err || { cat err; return 1; }
	cat server/*.eml >eml
}
expect 'it goes by the queue, with a copy in Sent' '
	taken --json all-lf.eml eve@example.net >json
	grep -q "\"result\": *\"sent\"" json
	same_parts --strict all-lf.eml eml
	[ "$(cat server/*.env | grep -c RCPT)" = 1 ]
	tr -d "\r" <eml >want
	cmp want Mail/work/Sent/cur/*
'
expect 'a server without 8BITMIME gets no 8-bit byte, and every part as it was' '
	echo "--ext=PIPELINING" >options
	for queue in "" --no-queue; do
		for m in eight all-lf more; do
			taken $queue $m.eml eve@example.net
			not env LC_ALL=C grep -qP "[\x80-\xff]" eml
			same_parts --strict $m.eml eml
			taken $queue --attach $m.eml eve@example.net
			not env LC_ALL=C grep -qP "[\x80-\xff]" eml
			mkdir -p d
			parts eml d >got
			grep -av ^Bcc: $m.eml | cmp - d/message.eml
		done
	done
'
done_testing
