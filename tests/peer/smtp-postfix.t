#!/usr/bin/env bash
# smtp-postfix.t - our SMTP client against a real Postfix: BDAT, DATA, one step at a time
#
# Postfix reads its settings anew for each connection here (max_use = 1), so that what it
# offers is changed between messages. Its log counts the commands of a session.
. "${0%/*}/../lib.sh"
need_users
need mt-send
start_postfix 'max_use = 1'
export MT_CONFIG=$T/mt.conf
cat >mt.conf <<END
maildir = "$T/Mail"
account test {
  from = "User One <user1@example.org>"
  smtp = "smtp://127.0.0.1:$POSTFIX_PORT"
}
END
cp postfix/etc/main.cf main.cf

# What a careless client would change: dots, an 8-bit header, long lines, a "From " line.
{
	printf 'Date: Sat, 21 Nov 2026 10:00:00 +0100\nFrom: user1@example.org\n'
	printf 'Message-ID: <%s@example.org>\nSubject: \xe9t\xe9\n\n.\n..\n.x\n\n' @ID@
	printf 'From here\n'
	head -c 5000 /dev/zero | tr '\0' x
	printf '\n \t \n\xff\xfe\n.\n'
} >pattern.eml

offer() # [KEYWORD, ...]: Postfix does not offer these from now on
{
	{ cat main.cf; echo "smtpd_discard_ehlo_keywords = $*"; } >main.new
	cat main.new >postfix/etc/main.cf
}

message() # ID: in ID.eml
{
	sed "s/@ID@/$1/" <pattern.eml >"$1.eml"
}

arrived() # ID: the file in the Maildir, when it is there
{
	grep -rlF "<$1@example.org>" postfix/Maildir/new
}

copies() # ID N: N of them are there
{
	[ "$(arrived "$1" | wc -l)" = "$2" ]
}

# Everything below the fields that Postfix put on top is what was sent.
unchanged() # ID [COPIES]
{
	local f

	wait_for 20 copies "$1" "${2:-1}" || return
	for f in $(arrived "$1"); do
		tail -c "$(wc -c <"$1.eml")" "$f" | cmp - "$1.eml" || return
	done
}

# The commands of the last session.
session_was() # REGEX
{
	wait_for 10 eval "grep 'disconnect from' postfix/log | tail -n 1 | grep -E '$1'" ||
	    { tail -n 20 postfix/log; return 1; }
}

small_to() # ID RCPT...
{
	message "$1"
	mt-send sendmail -f user2@example.org "${@:2}" <"$1.eml"
}

offer
expect 'BDAT: a message arrives as it was' '
	small_to bdat user1@example.org
	unchanged bdat
	session_was "mail=1 rcpt=1 bdat=1 quit=1"'
expect 'a message of 3 MB by BDAT' '
	message large
	for i in {1..500}; do sed 1,6d pattern.eml; done >>large.eml
	mt-send sendmail -f user2@example.org user1@example.org <large.eml
	unchanged large
	session_was "bdat=1"'
expect 'BDAT: who is refused is named, the others get it' '
	status 69 small_to partly user1@example.org a@elsewhere.example \
	    user2@example.org 2>err
	grep -q "a@elsewhere.example.*554 5.7.1 .*Relay access denied" err
	unchanged partly 2
	session_was "rcpt=2/3 bdat=1"'
expect 'BDAT: when all are refused nothing arrives' '
	status 69 small_to nobody a@elsewhere.example b@elsewhere.example 2>err
	grep -q "Relay access denied" err
	session_was "rcpt=0/2 bdat=0/1"'

offer chunking
expect 'DATA: a message arrives as it was' '
	small_to data user1@example.org
	unchanged data
	session_was "mail=1 rcpt=1 data=1 quit=1"'
expect 'DATA: who is refused is named, the others get it' '
	status 69 small_to partly-data user1@example.org a@elsewhere.example 2>err
	grep -q "a@elsewhere.example.*Relay access denied" err
	unchanged partly-data
	session_was "rcpt=1/2 data=1"'
expect 'DATA: when all are refused nothing arrives' '
	status 69 small_to nobody-data a@elsewhere.example 2>err
	session_was "rcpt=0/1 data=0/1"'

offer chunking, pipelining
expect 'one step at a time' '
	small_to steps user1@example.org
	unchanged steps
	session_was "mail=1 rcpt=1 data=1 quit=1"'
offer chunking, pipelining, 8bitmime, size
expect 'without 8BITMIME 8-bit text goes as it is' '
	small_to eight user1@example.org
	unchanged eight'
echo 'message_size_limit = 2000' >>main.cf
offer
expect 'a message over SIZE is not sent, and it is said why' '
	status 69 small_to big user1@example.org 2>err
	grep -q "the server takes 2000" err
	session_was "ehlo=[0-9]+ quit=1"'
expect 'nothing else arrived' '
	[ "$(ls postfix/Maildir/new | wc -l)" = 8 ]
	not arrived nobody
	not arrived nobody-data
	not arrived big'
done_testing
