#!/usr/bin/env bash
# mt-send --flowed: a decoder of format=flowed gets the paragraphs back; quoting such text
. "${0%/*}/../lib.sh"
need python3

port=$(free_port)
mkdir fake
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/fake" --ext PIPELINING
wait_port fake "$port" || exit 1
client_conf "" "smtp://127.0.0.1:$port"
# flow TEXT ARGUMENT...: the message in eml, and its paragraphs, as they are read, in got
flow()
{
	local text=$1

	shift
	mt-send "$@" -n --flowed <"$text" >out || return
	sed '1,/^$/d' out >eml
	python3 "$TOP/tests/tools/flowed.py" eml >got
}
# came TEXT: what was read is the text
came() { flow "$1" -s x b@x.y || return; cmp "$1" got; }

python3 - <<'END'
import random
random.seed(3)
words = ["a", "word", "From", ">", ">>", "--", "-", "grün", "你好", "e\u0301", "x" * 90, "Lorem",
         "ipsum", "", " ", "http://example.org/" + "y" * 60, "\U0001f600", "\t"]


def paragraph():
    text = " ".join(random.choice(words) for _ in range(random.choice((0, 1, 5, 40, 300))))
    return text.rstrip(" ")


for i in range(40):
    with open("random.%d" % i, "w") as f:
        for _ in range(20):
            depth = random.choice((0, 0, 0, 1, 2, 7))
            text = paragraph()
            # A paragraph that is not quoted cannot be told from one that is.
            text = text.lstrip(">") if depth == 0 else text
            if depth and text.replace(" ", "").startswith(">"):
                text = "x" + text
            f.write(">" * depth + (" " if depth and text else "") + text + "\n")
        f.write("-- \nAda\n")
END
expect 'long paragraphs, quotations, a signature: all come as they were' '
	{
		printf "%s\n\n" "$(seq -s " " 200)"
		printf "From here\n  indented\n> %s\n>> b\n-- \nAda\n" "$(seq -s " " 100)"
	} >text
	came text
	[ "$(grep -c " $(printf "\r")$" eml)" -gt 8 ]
	grep -q "^ From here" eml
	grep -q "^-- .$" eml
	not grep -q "^> 1 .* 100" eml
'
expect 'so do forty texts of every kind' '
	for i in $(seq 0 39); do
		came "random.$i"
	done
'
expect 'a text without a long line is what it was, but may be flowed' '
	printf "Hello,\n\nsee you.\n" >text
	came text
	printf "Hello,\r\n\r\nsee you.\r\n" | cmp - <(sed "1,/^\r$/d" eml)
'
expect 'lines that an editor wrapped, with a space at their ends, are one paragraph' '
	printf "Hello \nworld.\n\nBye \n-- \nAda\n" | flow /dev/stdin -s x b@x.y
	printf "Hello world.\n\nBye\n-- \nAda\n" | cmp - got
'
expect 'a server without 8BITMIME gets it so that every space arrives' '
	printf "ü %s\n-- \nAda\n" "$(seq -s " " 200)" >text
	mt-send --flowed -s x b@x.y <text
	not grep -q " .$" fake/*.eml
	python3 "$TOP/tests/tools/flowed.py" fake/*.eml >got
	cmp text got
'
expect 'with HTML, the plain text beside it flows' '
	{ printf "<p>"; seq -s " " 200; printf "</p><p>b</p>"; } >p.html
	flow /dev/null -s x --html p.html b@x.y
	{ seq -s " " 200; printf "\nb\n"; } | cmp - got
'
cat >flowed.eml <<END
From: Bob <bob@example.net>
To: user1@example.org
Subject: plan
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <1@example.net>
Content-Type: text/plain; charset=us-ascii; format=Flowed

This is 
one paragraph.
 From here
>> older, 
>> too
> newer
$(seq -s ' ' 1 20) 
$(seq -s ' ' 21 39)
-- 
Bob
END
sed 's/format=Flowed/format=flowed; delsp=yes/' flowed.eml >delsp.eml
expect 'flowed text is shown in lines, with its paragraphs put together' '
	mt-index show flowed.eml >out
	grep -qx "This is one paragraph." out
	grep -qx "From here" out
	grep -qx ">> older, too" out
	grep -qx "$(seq -s " " 1 27)" out
	mt-index show delsp.eml >out
	grep -qx "This isone paragraph." out
'
expect 'and quoted so, with one more mark' '
	echo Yes. | mt-send -n reply flowed.eml | tr -d "\r" >out
	grep -qx "> This is one paragraph." out
	grep -qx "> From here" out
	grep -qx ">>> older, too" out
	grep -qx ">> newer" out
	grep -qx "> $(seq -s " " 1 27)" out
	not grep -q "Bob$\| $" out
'
expect 'a flowed reply, and a flowed forward, keep the lines of others as lines' '
	printf "From: b@x.y\nSubject: x\nMessage-ID: <1@x>\n\na \nb\n" >fixed.eml
	printf "I \nsay" >text
	flow text reply fixed.eml
	printf "I say\n\nb@x.y wrote:\n> a\n> b\n" | cmp - got
	flow text forward fixed.eml c@x.y
	head -n 3 got | cmp - <(printf "I say\n\n---------- Forwarded message ----------\n")
	tail -n 2 got | cmp - <(printf "a\nb\n")
'
done_testing
