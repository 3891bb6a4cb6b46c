#!/usr/bin/env bash
# mt-send: HTML with pictures beside a text, as other programs read it, by the queue to mt-serve
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

serve_conf
serve_start
export MT_CONFIG=$T/mt.conf XDG_STATE_HOME=$T/state
cat >mt.conf <<END
maildir = "$T/Mail"
account test {
  from = "Ada <ada@example.org>"
  smtp = "smtps://ada%40example.org@localhost:$SUBMISSIONS"
  ca_file = "$T/ca.pem"
  password_command = "echo secret-a"
}
END
tree() { rm -rf parts; mkdir parts; python3 "$TOP/tests/tools/mime_tree.py" "$1" parts >got; }
# bob ARGUMENT...: send a message to bob; what he got is in eml, and its parts in parts/
bob()
{
	rm -rf mail/example.org/bob
	mt-send -s page "$@" bob@example.org || return
	[ "$(mails bob)" = 1 ] || return
	cp "$(newest bob)" eml
	tree eml
}
# gmime WANT: the attachments that GMime sees in eml, with their types
gmime() { mt-index show eml >shown; grep -qF "[attachment: $1" shown || { cat shown; return 1; }; }

printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0' >logo.png
head -c 70000 /dev/urandom >>logo.png
{ printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x08\x06\0\0\0'; echo x; } >"Bild ü.png"
python3 -c 'import random, sys
random.seed(7)
sys.stdout.buffer.write(random.randbytes(50000))' >data.bin
cat >page.html <<'END'
<!DOCTYPE html>
<html><head><meta charset="utf-8"><style>td { background: url(cid:logo.png) }</style></head>
<body><p>Grüße &amp; so</p><p><img alt="Our logo" src="logo.png"></p>
<img src='cid:Bild%20ü.png'> From here
.
</body></html>
END

expect 'text, HTML, pictures and files are nested as RFC 2046 has it, and come byte for byte' '
	printf "Grüße\n" | bob --html page.html --inline logo.png --inline "Bild ü.png" -A data.bin
	head -n 1 got | grep -qxF "mixed(alternative(plain,related(html,png,png)),octet-stream)"
	grep -qxF "image/png None None base64 inline Bild ü.png" got
	grep -qxF "application/octet-stream None None base64 attachment data.bin" got
	for f in logo.png "Bild ü.png" data.bin; do cmp "$f" "parts/$f"; done
	grep -qx "Grüße" parts/text.plain
	grep -q "^<p>Grüße\|<p>Grüße &amp; so</p>" parts/text.html
'
expect 'GMime sees the same' '
	gmime "Bild ü.png, image/png, "
	gmime "data.bin, application/octet-stream, 50.0"
	gmime "logo.png, image/png, "
'
expect 'the HTML is as it was but for what refers to its pictures' '
	sed "s/cid:[0-9a-z.]*@example.org/CID/g" parts/text.html >have
	sed "s/cid:logo.png/CID/; s/\"logo.png\"/\"CID\"/; s/cid:Bild%20ü.png/CID/" page.html >page.want
	cmp page.want have
'
expect 'the copy in Sent is the message' '
	cp Mail/test/Sent/cur/* sent.eml
	tree sent.eml
	head -n 1 got | grep -qxF "mixed(alternative(plain,related(html,png,png)),octet-stream)"
	cmp logo.png parts/logo.png
'
expect 'without a text, or with an empty one, it is made from the HTML' '
	bob --html page.html --inline logo.png --inline "Bild ü.png"
	head -n 1 got | grep -qxF "alternative(plain,related(html,png,png))"
	grep -qx "Grüße & so" parts/text.plain
	grep -qxF "[Our logo]" parts/text.plain
	echo "<p>On standard input</p>" | bob --html -
	head -n 1 got | grep -qxF "alternative(plain,html)"
	grep -qx "On standard input" parts/text.plain
	echo "<img src=https://x.y/pixel.png>" | bob --html -
	head -n 1 got | grep -qxF html
'
expect 'a text that is given beside HTML on standard input' '
	echo "My text" >text
	echo "<p>My page</p>" | bob --html - --body-file text
	grep -qx "My text" parts/text.plain
	grep -qx "<p>My page</p>" parts/text.html
	echo x | status 64 mt-send -s x --html - --body-file - bob@example.org
'
expect 'long lines and controls in HTML travel, and stay' '
	python3 -c "print(\"<p>\" + \"x\" * 2000 + \"ü\r y\" + \"</p>\")" >long.html
	bob --html long.html
	grep -q "^text/html utf-8 None quoted-printable" got
	cmp long.html parts/text.html
'
expect 'HTML in another charset becomes UTF-8, and says so' '
	printf "<meta charset=iso-8859-15><p>10 \xa4</p>\n" | bob --html -
	grep -q "^text/html utf-8 " got
	grep -qxF "<meta charset=utf-8><p>10 €</p>" parts/text.html
	grep -qx "10 €" parts/text.plain
'
# refused WORD ARGUMENT...: 65 with the word, and nothing is sent
refused()
{
	local word=$1

	shift
	status 65 mt-send -s x "$@" bob@example.org >out 2>err || return
	grep -qF "$word" err || { cat err; return 1; }
	[ ! -s out ]
	[ -z "$(find state/mt/queue/env -type f)" ]
}
expect 'what the page shows and nobody has, or has and does not show: 65, by name' '
	refused "page.html: it shows \"cid:Bild ü.png\"" --html page.html --inline logo.png
	refused "page.html: it does not show the inline file data.bin" \
	    --html page.html --inline logo.png --inline "Bild ü.png" --inline data.bin
	echo "<img src=pic/1.png>" >1.html
	refused "1.html: it shows \"pic/1.png\"" --html 1.html
'
expect 'a page in an unknown charset, an empty one: 65; one that is not there: 66' '
	printf "gr\xfc\xdf" >1.html; refused "1.html: it is not UTF-8" --html 1.html
	: >1.html; refused "1.html: it is empty" --html 1.html
	status 66 mt-send -s x --html none.html bob@example.org 2>err
	grep -q "none.html" err
	echo "<img src=none.png>" >1.html
	status 66 mt-send -s x --html 1.html --inline none.png bob@example.org 2>err
	grep -q "none.png" err
'
expect 'without HTML, an inline file stands behind the text, to be shown' '
	echo text | bob --inline logo.png -A data.bin
	head -n 1 got | grep -qxF "mixed(plain,octet-stream,png)"
	grep -qxF "image/png None None base64 inline logo.png" got
	cmp logo.png parts/logo.png
	echo text | bob --inline logo.png:image/x-logo
	grep -qxF "image/x-logo None None base64 inline logo.png" got
'
cat >orig.eml <<'END'
From: Bob <bob@example.org>
To: ada@example.org
Subject: plan
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <1@example.org>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Is 1 < 2 & schön?
END
expect 'a reply in HTML quotes in both' '
	rm -rf mail/example.org/bob
	echo "<html><body><p>Yes.</p></body></html>" >yes.html
	mt-send reply --html yes.html orig.eml
	cp "$(newest bob)" eml
	tree eml
	head -n 1 got | grep -qxF "alternative(plain,html)"
	printf "Yes.\n\nOn Sat, 21 Nov 2026 10:00:00 +0100, Bob wrote:\n> Is 1 < 2 & schön?\n" >want
	cmp want parts/text.plain
	grep -q "<p>On Sat.* wrote:</p>" parts/text.html
	grep -q "Is 1 &lt; 2 &amp; schön?" parts/text.html
	[ "$(tail -n 1 parts/text.html)" = "</body></html>" ]
	mt-send -n reply - --html yes.html <orig.eml >out
	grep -q "^> Is 1" out
	status 64 mt-send reply - --html - <orig.eml
	mt-send -n reply --no-quote --html yes.html orig.eml >out
	not grep -q schön out
'
expect 'an inline file is an attachment to who speaks of one' '
	echo "The logo is attached" | bob --inline logo.png
	echo "<p>The logo is enclosed" >1.html
	refused "enclosed" --html 1.html
'
stop serve
port=$(free_port)
mkdir fake
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/fake" --ext PIPELINING
wait_port fake "$port" || exit 1
sed -i "s|^  smtp = .*|  smtp = \"smtp://127.0.0.1:$port\"|" mt.conf
expect 'to a server without 8BITMIME it goes in seven bits, and is the same' '
	printf "Grüße\n" | mt-send -s page --html page.html --inline logo.png \
	    --inline "Bild ü.png" -A data.bin bob@example.org
	cp fake/*.eml eml
	tr -d "\r" <eml >lf
	LC_ALL=C not grep -q "[^ -~]" lf
	tree eml
	head -n 1 got | grep -qxF "mixed(alternative(plain,related(html,png,png)),octet-stream)"
	for f in logo.png "Bild ü.png" data.bin; do cmp "$f" "parts/$f"; done
	sed "s/cid:[0-9a-z.]*@example.org/CID/g" parts/text.html | tr -d "\r" >have
	cmp page.want have
	grep -q "^Grüße" parts/text.plain
'
done_testing
