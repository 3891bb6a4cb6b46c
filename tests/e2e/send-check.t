#!/usr/bin/env bash
# mt-send: a text that speaks of an attachment, and there is none
. "${0%/*}/../lib.sh"
need python3

client_conf "" "smtp://127.0.0.1:1"
printf 'Hello,\n\nthe plan is attached.\n' >text
echo plan >plan.txt
cat >orig.eml <<'END'
From: Bob <bob@example.net>
To: user1@example.org
Subject: plan
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <1@example.net>

I have attached the plan.
END
# asked STATUS ANSWERS ARGUMENT...: mt-send -n on a terminal, where ANSWERS are given; what
# would be sent is in out, what was shown in err.
asked()
{
	local want=$1

	printf "$2" >answers
	shift 2
	status "$want" python3 "$TOP/tests/tools/on_terminal.py" text answers \
	    mt-send -n -s x "$@" >out 2>err || { cat err; return 1; }
}

expect 'without a terminal nothing is sent, and the word and its line are named: 65' '
	status 65 mt-send -s x b@x.y <text >out 2>err
	grep -q "^mt-send: line 3 of the text says \"attached\", but nothing is attached: .*-A.*--no-check$" err
	[ ! -s out ]
	[ ! -e "$HOME/.local/state/mt/queue/env" ] || [ -z "$(ls "$HOME/.local/state/mt/queue/env")" ]
'
expect 'with an attachment, or --no-check, it goes' '
	mt-send -n -s x -A plan.txt b@x.y <text >out
	grep -q "^the plan is attached" out
	mt-send -n -s x --no-check b@x.y <text >out
	grep -q "^the plan is attached" out
'
expect 'what is quoted, forwarded or a signature is not what the author says' '
	printf "> attached\nFine.\n-- \nattached\n" | mt-send -n -s x b@x.y >out
	grep -q "^Fine" out
	echo Fine. | mt-send -n reply orig.eml >out
	grep -q "^> I have attached" out
	echo Fine. | mt-send -n forward orig.eml c@x.y >out
	grep -q "^I have attached" out
'
expect 'the text of a reply and above a forwarded message counts' '
	status 65 mt-send reply orig.eml <text >out 2>err
	grep -q "line 3" err
	status 65 mt-send forward orig.eml c@x.y <text >out 2>err
	grep -q "line 3" err
	mt-send -n forward --attach orig.eml c@x.y <text >out
	mt-send -n reply --no-check orig.eml <text >out
	grep -q "^the plan is attached" out
'
expect 'finished messages are nobody'"'"'s business' '
	printf "From: a@x.y\nTo: b@x.y\nSubject: x\n\nattached\n" >done.eml
	mt-send -n sendmail b@x.y <done.eml >out
	grep -q "^attached" out
'
expect 'on a terminal it asks, and yes sends it' '
	asked 0 "y\n" b@x.y
	grep -q "line 3 of the text says \"attached\"" err
	grep -qF "[y/N, or a file to attach]" err
	grep -q "^the plan is attached" out
	asked 0 "Yes\n" b@x.y
'
expect 'no, nothing and an end of file do not: 65' '
	for a in "n\n" "\n" ""; do
		asked 65 "$a" b@x.y
		[ ! -s out ]
		grep -q "not sent" err
	done
'
expect 'a file that is named gets attached; one that is not there is asked for again' '
	asked 0 "none.txt\nplan.txt\n" b@x.y
	grep -q "none.txt: No such file" err
	grep -q "filename=plan.txt" out
	not grep -q none.txt out
	asked 0 "plan.txt:text/x-plan\n" b@x.y
	grep -q "^Content-Type: text/x-plan" out
'
done_testing
