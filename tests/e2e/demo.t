#!/usr/bin/env bash
# The demo does what it says, on a folder and on an mbox, leaves nothing running and
# nothing lying about, and says so when mail is lost.
. "${0%/*}/../lib.sh"

need openssl python3 jq
generate=$TOP/tests/tools/generate_mail.py
compare=$TOP/tests/tools/compare_mail.py
"$generate" --count 40 --seed 7 "$T/mail/eml"
mkdir -p "$T"/mail/Maildir/{cur,new,tmp,.Work/cur,.Work/new,.Work/tmp}
"$generate" --count 12 --seed 8 "$T/more"
for f in more/0001.eml more/0002.eml more/0003.eml; do
	cp "$f" "mail/Maildir/cur/1.${f##*/}.host:2,S"
	cp "$f" "mail/Maildir/.Work/new/2.${f##*/}.host"
done
for f in more/0001.eml more/0005.eml more/0010.eml; do
	echo "From user1@example.org Mon Jan  1 00:00:00 2024"
	sed -E 's/^(>*From )/>\1/' "$f"
	echo
done >box

# run_demo MAIL: its output is in demo.out.
run_demo()
{
	"$TOP/etc/demo.sh" "$1" >demo.out 2>&1
}

nothing_runs() # below our temporary folder
{
	local cwd

	for cwd in /proc/[0-9]*/cwd; do
		case $(readlink "$cwd" 2>/dev/null) in
		"$TMPDIR"/mt-demo*) return 1 ;;
		esac
	done
}

if ! ok 'the demo passes on a folder of .eml files and a Maildir' run_demo "$T/mail"; then
	tail -n 30 demo.out | sed 's/^/# /'
fi
for step in send receive fetch index backup restore; do
	expect "$step: 44 messages in, 44 out" "grep -Eq '^$step +44 +44 ' demo.out"
done
expect 'two messages that SMTP cannot carry are named with the reason' '
	grep -q "a NUL" demo.out
	grep -q "a bare CR" demo.out
	grep -q "^2 more counted apart" demo.out
'
ok 'nothing stays running' nothing_runs
is "$(ls "$TMPDIR")" "" 'nothing is left lying about'

if ! ok 'a second run passes, on an mbox' run_demo "$T/box"; then
	tail -n 30 demo.out | sed 's/^/# /'
fi
expect 'three messages in, three out' "grep -Eq '^restore +3 +3 ' demo.out"

# The comparison that all of this rests on can fail.
mkdir out
cp mail/eml/*.eml out/
ok 'equal folders are equal' "$compare" mail/eml out
printf 'x' >>out/0003.eml
expect 'one byte more is seen' 'not "$compare" mail/eml out'
cp mail/eml/0003.eml out/
printf 'Received: by test\nX-Other: field\n' | cat - mail/eml/0004.eml >out/0004.eml
expect 'a field on top that is no trace field is seen' 'not "$compare" mail/eml out'
printf 'Received: by test;\n\tnow\n' | cat - mail/eml/0004.eml >out/0004.eml
ok 'trace fields on top are not a change' "$compare" mail/eml out
cp mail/eml/0005.eml out/twice.eml
expect 'a message that came twice is seen' 'not "$compare" mail/eml out'
done_testing
