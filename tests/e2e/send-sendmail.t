#!/usr/bin/env bash
# mt-send as sendmail: finished messages, byte for byte
. "${0%/*}/../lib.sh"
need python3

export MT_CONFIG=$T/mt.conf
cat >mt.conf <<'END'
account test {
  from = "User One <user1@example.org>"
  smtp = "smtp://127.0.0.1:1"
}
account work {
  from = "user1@work.example"
  smtp = "smtp://127.0.0.1:1"
}
END
mkdir bin
ln -s "$MT_BUILD/bin/mt-send" bin/sendmail
whole='Date: Sat, 21 Nov 2026 10:00:00 +0100\nFrom: a@x.y\nMessage-ID: <1@x.y>\n'
body() { sed '1,/^$/d'; }

expect 'a whole message stays as it is: 8-bit fields, long lines, dots' '
	{ printf "$whole"; printf "Subject: \xe9t\xe9\nTo: b@x.y\n\n.\n..\nFrom x\n"
	  head -c 5000 /dev/zero | tr "\0" x; printf "\xff\n"; } >in.eml
	mt-send --sendmail --dry-run -t -oi <in.eml | body >out.eml
	sed "s/\$/\r/" <in.eml | cmp - out.eml
'
expect 'CRLF input gives the same bytes' '
	sed "s/\$/\r/" in.eml >crlf.eml
	mt-send sendmail -t --dry-run <crlf.eml | body | cmp crlf.eml -
'
expect '-t: recipients from the header, Bcc taken out; more on the command line' '
	printf "${whole}To: b@x.y\nBcc: c@x.y,\n d@x.y\nCc: B@X.Y\n\nx\n" |
	    mt-send --sendmail -n -t -i e@x.y >out
	printf "MAIL FROM:<user1@example.org>\n" >want
	printf "RCPT TO:<%s>\n" e@x.y b@x.y c@x.y d@x.y >>want
	sed "/^$/,\$d" out | cmp want -
	body <out >got
	not grep -qi -e bcc -e c@x.y -e d@x.y got
'
expect '-t: a name in undeclared Latin-1 is sent as it is; an address in it is refused' '
	printf "${whole}To: J\xf6rg <b@x.y>\n\nx\n" >in
	mt-send --sendmail -n -t <in >out
	grep -qx "RCPT TO:<b@x.y>" out
	body <out | tr -d "\r" | cmp in -
	printf "${whole}To: j\xf6rg@x.y\n\nx\n" | status 65 mt-send --sendmail -n -t 2>err
	grep -q "field To.*not UTF-8" err
'
expect 'without -t Bcc is taken out too' '
	printf "${whole}Bcc: c@x.y\n\nx\n" | mt-send --sendmail -n e@x.y >out
	not grep -q c@x.y out
'
expect 'called as sendmail it takes the flags of sendmail' '
	printf "$whole\nx\n" | bin/sendmail --dry-run -i -oi -oem -odi -B8BITMIME \
	    -N never -R hdrs -V id -v -f "<>" -FName -n -- b@x.y >out
	head -n 1 out | grep -qx "MAIL FROM:<> RET=HDRS ENVID=id"
	grep -qx "RCPT TO:<b@x.y> NOTIFY=NEVER ORCPT=rfc822;b@x.y" out
	printf "$whole\nx\n" | status 64 bin/sendmail -bd b@x.y
	printf "$whole\nx\n" | status 64 bin/sendmail -Z b@x.y
'
expect '-f and -r set the sender of the envelope' '
	printf "$whole\nx\n" | bin/sendmail --dry-run -f s@x.y b@x.y | grep -qx "MAIL FROM:<s@x.y>"
	printf "$whole\nx\n" | bin/sendmail --dry-run -rs@x.y b@x.y | grep -qx "MAIL FROM:<s@x.y>"
'
expect 'the account: -a, that of -f, of Resent-From, of From; else the first' '
	sender() { sendmail --dry-run "$@" b@x.y | head -n 1; }
	work="From: c@x.y, Me <USER1@work.example>"
	first="From: user1@example.org"
	[ "$(printf "$work\n\nx\n" | sender)" = "MAIL FROM:<user1@work.example>" ]
	[ "$(printf "$work\n\nx\n" | sender -a test)" = "MAIL FROM:<user1@example.org>" ]
	printf "$work\n\nx\n" | sendmail --dry-run -f user1@example.org b@x.y >out
	grep -q "^Message-ID: .*@example.org>" out
	printf "$work\n\nx\n" | sendmail --dry-run -f bounce@x.y b@x.y >out
	grep -q "^Message-ID: .*@work.example>" out
	[ "$(printf "Resent-$work\n$first\n\nx\n" | sender)" = "MAIL FROM:<user1@work.example>" ]
	[ "$(printf "From: a@x.y\n\nx\n" | sender)" = "MAIL FROM:<user1@example.org>" ]
'
expect 'text only gets a header; -F names the sender' '
	echo "hello: world" | sed s/:// | bin/sendmail --dry-run -FCronDaemon b@x.y >out
	body <out | tr -d "\r" >eml
	grep -qx "From: CronDaemon <user1@example.org>" eml
	grep -q "^Date: " eml
	grep -q "^Message-ID: <" eml
	[ "$(body <eml)" = "hello world" ]
'
expect 'a bare CR and a NUL are refused with their line, status 65' '
	printf "$whole\nx\ny\rz\n" | status 65 mt-send --sendmail -n b@x.y 2>err >out
	grep -q "line 6" err
	grep -qi "CR" err
	[ ! -s out ]
	printf "$whole\nx\0y\n" | status 65 mt-send --sendmail -n b@x.y 2>err
	grep -q "line 5" err && grep -q NUL err
'
expect 'no recipient is 64, a recipient without a domain is named' '
	printf "${whole}\nx\n" | status 64 mt-send --sendmail -t -n
	printf "${whole}\nx\n" | status 64 mt-send --sendmail
	printf "${whole}\nx\n" | status 64 mt-send --sendmail -n root 2>err; grep -q root err
	printf "${whole}To: b@x.y, root\n\nx\n" | status 65 mt-send --sendmail -n -t 2>err
	grep -q root err
'
expect 'nothing on standard input is no message' '
	status 65 mt-send --sendmail -n b@x.y </dev/null
'
expect 'a message in which the newest Resent fields count' '
	printf "Resent-From: u@x.y\nResent-To: r@x.y\nReceived: z\nResent-To: o@x.y\n${whole}To: b@x.y\n\nx\n" |
	    mt-send --sendmail -n -t | grep "^RCPT" >out
	[ "$(cat out)" = "RCPT TO:<r@x.y>" ]
'
expect 'a header line of 3 MiB is an error that says so' '
	{ printf "$whole"; printf "X: "; head -c 3000000 /dev/zero | tr "\0" x; printf "\n\nx\n"; } |
	    status 65 mt-send --sendmail -n b@x.y 2>err
	grep -q header err
'
expect 'a Bcc that would be sent as text is refused: nothing leaves' '
	for before in "\xef\xbb\xbf" ">From me\n" " \n"; do
		printf "${before}To: a@example.org\nBcc: secret@example.org\n\nx\n" >in
		status 65 sendmail -t -n --dry-run <in
		status 65 mt-send --sendmail -n a@example.org <in
	done 2>err
	grep -q "line 1 is no header field" err'
expect '-h HOPS is no call for help' '
	printf "To: a@example.org\n\nx\n" | mt-send --sendmail --dry-run -h 5 a@example.org >out
	grep -q "^x" out'
done_testing
