#!/usr/bin/env bash
# Other people's mail programs send through our sendmail: into mt-serve, and into Postfix
. "${0%/*}/../lib.sh"
need_users
. "$TOP/tests/e2e/serve.sh"
need git s-nail neomutt
[ -x "$(git --exec-path)/git-send-email" ] || skip_all 'no git send-email (git-email)'

sendmail=$MT_BUILD/bin/sendmail
export XDG_STATE_HOME=$T/state GIT_CONFIG_NOSYSTEM=1 MAILRC=/dev/null LC_ALL=C.UTF-8
head -c 100000 /dev/urandom >'a file.bin'
git init -q work
git -C work config user.name 'Ada Lovelace'
git -C work config user.email ada@example.org
for i in 1 2; do
	printf 'line %s\nFrom here\n.\ngrün\n' "$i" >>work/file
	git -C work add file
	git -C work commit -qm "change $i: grün

A line that begins with From:
From me.
."
done
git -C work format-patch -q --root --cover-letter -o ../patches >/dev/null
sed -i 's/\*\*\* SUBJECT HERE \*\*\*/Two changes/; s/\*\*\* BLURB HERE \*\*\*/Both./' patches/0000*

# arrived N: so many messages are there, and nothing is left in the queue
arrived()
{
	wait_for 20 eval "[ \$(ls '$box' 2>/dev/null | wc -l) = $1 ]"
	[ "$(mailq)" = 'Mail queue is empty' ]
}
# what arrived is read by Python without a complaint, and by us (GMime)
all_sound()
{
	local f

	python3 "$TOP/tests/tools/strict_mail.py" "$box"/* >names
	for f in "$box"/*; do
		mt-index show "$f" >/dev/null
	done
}

clients() # NAME: how the server is called
{
	expect "git send-email into $1: a series, in its thread, its patches whole" '
		rm -rf "$box"/*
		(cd work && git -c sendemail.smtpserver="$sendmail" send-email --quiet \
		    --confirm=never --no-chain-reply-to --thread --from=ada@example.org \
		    --to="$to" ../patches/*) >git.log 2>&1 || { cat git.log; false; }
		arrived 3
		all_sound
		cover=$(grep -l "^Subject: \[PATCH 0/2\]" "$box"/*)
		id=$(sed -n "s/^Message-I[dD]: //p" "$cover")
		[ "$(grep -lF "In-Reply-To: $id" "$box"/* | wc -l)" = 2 ]
		git init -q again
		python3 -c "
import email, email.policy, glob, sys
for path in sorted(glob.glob(sys.argv[1] + \"/*\"),
    key=lambda p: [l for l in open(p, errors=\"replace\") if l.startswith(\"Subject\")][0]):
    m = email.message_from_binary_file(open(path, \"rb\"), policy=email.policy.default)
    if \"0/2\" not in m[\"Subject\"]:
        open(m[\"Subject\"].split()[1].strip(\"[]\").replace(\"/\", \"of\") + \".patch\", \"wb\").write(
            open(path, \"rb\").read())" "$box"
		git -C again -c user.name=x -c user.email=x@example.org am -q ../1of2.patch ../2of2.patch
		cmp work/file again/file
		rm -rf again
	'
	expect "s-nail into $1: text and an attachment, byte for byte" '
		rm -rf "$box"/*
		printf "grün\n.\nFrom here\n" | s-nail -n -Smta="$sendmail" -Sttycharset=utf-8 -Ssendwait \
		    -Sfrom=ada@example.org -s "s-nail: grün" -a "a file.bin" "$to"
		arrived 1
		all_sound
		grep -qx "a file.bin" names
		python3 -c "
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], \"rb\"), policy=email.policy.strict)
text, file = m.iter_parts()
assert \"grün\" in m[\"Subject\"], m[\"Subject\"]
assert text.get_content().splitlines()[:3] == [\"grün\", \".\", \"From here\"], text.get_content()
assert file.get_content() == open(\"a file.bin\", \"rb\").read()" "$box"/*
	'
	expect "s-nail -t into $1: recipients from the header, Bcc gone" '
		rm -rf "$box"/*
		printf "To: $to\nBcc: $other\nSubject: by -t\n\ntext\n" |
		    s-nail -n -Smta="$sendmail" -Ssendwait -Sfrom=ada@example.org -t
		arrived "$both"
		not grep -qi "^Bcc" "$box"/*
	'
	expect "neomutt into $1: in batch, text and an attachment" '
		rm -rf "$box"/*
		echo "from neomutt" | neomutt -n -F /dev/null -e "set sendmail=\"$sendmail -oem -oi\"" \
		    -e "set from=ada@example.org use_from use_envelope_from copy=no" \
		    -e "set hostname=example.org" -s "neomutt: hello" -a "a file.bin" -- "$to"
		arrived 1
		all_sound
		python3 -c "
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], \"rb\"), policy=email.policy.strict)
text, file = m.iter_parts()
assert file.get_content() == open(\"a file.bin\", \"rb\").read()" "$box"/*
	'
	expect "ourselves into $1: what people send, sound for others" '
		rm -rf "$box"/*
		printf "<p>grün <img src=\"cid:dot.png\"></p>" >page.html
		printf "\211PNG\r\n\032\nrest" >dot.png
		echo "grün, see below" | mt-send --no-check -s "Grüße: €" -A "a file.bin" --html page.html \
		    --inline dot.png "\"Grün, A.\" <$to>"
		echo "plain" | mt-send --flowed -s "a long subject $(seq -s " " 60)" "$to"
		arrived 2
		all_sound
		grep -qx "a file.bin" names
	'
}

serve_conf
serve_start
client_conf '' "smtps://ada%40example.org@localhost:$SUBMISSIONS"
sed -i 's/user1@/ada@/; s/secret-1/secret-a/' mt.conf
box=$T/mail/example.org/bob/new to=bob@example.org other=ada@example.org both=1
clients mt-serve

ok 'Postfix starts' start_postfix
client_conf '' "smtp://localhost:$POSTFIX_PORT"
sed -i 's/user1@/ada@/' mt.conf
box=$T/postfix/Maildir/new to=user2@example.org other=user3@example.org both=2
clients Postfix
done_testing
