#!/usr/bin/env bash
# mt-serve hands out mail: POP3 over TLS, deletion at QUIT only, one reader at a time.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

# Put a message into a Maildir as another delivery agent would.
put() # FOLDER NAME
{
	mkdir -p "$T"/mail/example.org/ada/{cur,new,tmp}
	cat >"$T/mail/example.org/ada/$1/$2"
}

serve_conf
printf 'Subject: one\n\n.dot\n..\nlast' | put new 1700000001.M1P1Q1R1.h,S=26
printf 'Subject: two\r\n\r\ncrlf\r\n' | put cur 1700000002.M1P1Q1R1.h,S=22:2,S
printf 'Subject: three\n\nthree\n' | put new "$(printf '1700000003.%080d' 7).h"
serve_start

dialogue 'no password in plain text; STLS; the list, the messages' "$POP3" <<END
	< ^\+OK
	> CAPA
	< ^\+OK
	. ^(?!.*USER)(?!.*SASL).*STLS
	> USER ada@example.org
	< ^-ERR
	> STLS
	< ^\+OK
	tls $T/ca.pem
	> CAPA
	< ^\+OK
	. ^(?!.*STLS).*USER
	> USER ada@example.org
	< ^\+OK
	> PASS secret-b
	< ^-ERR \[AUTH\]
	> USER ada@example.org
	< ^\+OK
	> PASS secret-a
	< ^\+OK
	> STAT
	< ^\+OK 3 $((32 + 22 + 25))$
	> LIST
	< ^\+OK
	. ^1 32\n2 22\n3 25$
	> UIDL
	< ^\+OK
	. ^1 1700000001.M1P1Q1R1.h,S=26\n2 1700000002.M1P1Q1R1.h,S=22\n3 [0-9a-f]{64}$
	> RETR 1
	< ^\+OK
	. ^Subject: one\n\n\.dot\n\.\.\nlast$
	> TOP 2 0
	< ^\+OK
	. ^Subject: two\n$
	> RETR 2
	< ^\+OK
	. ^Subject: two\n\ncrlf$
	> RETR 4
	< ^-ERR
	> DELE 1
	< ^\+OK
	> RSET
	< ^\+OK
	> QUIT
	< ^\+OK
	eof
END
is "$(mails ada)" 3 'RSET takes a deletion back'

dialogue 'a connection that ends without QUIT' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^\+OK
	> DELE 1
	< ^\+OK
END
is "$(mails ada)" 3 'deletes nothing'

cat >hold.script <<END
	< ^\+OK
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^\+OK
	> DELE 2
	< ^\+OK
	hold $T/held
	> RETR 1
	< ^\+OK
	. ^Subject: one
	> QUIT
	< ^\+OK
END
"$TOP/tests/tools/talk" -t "$T/ca.pem" "$POP3S" <hold.script >holder.out 2>&1 &
holder=$!
wait_for 10 test -e held
dialogue 'a second reader is told that the maildrop is in use' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> USER ada@example.org
	< ^\+OK
	> PASS secret-a
	< ^-ERR \[IN-USE\]
	> QUIT
	< ^\+OK
END
# Another program moves a message while the session is open.
mv "$T/mail/example.org/ada/new/1700000001.M1P1Q1R1.h,S=26" \
    "$T/mail/example.org/ada/cur/1700000001.M1P1Q1R1.h,S=26:2,S"
rm held
wait $holder
is "$? $(cat holder.out)" "0 " 'a message that was moved is found again'
is "$(cd "$T/mail/example.org/ada" && echo {new,cur}/*0002*)" "" 'QUIT deletes what was marked'
is "$(mails ada)" 2 'and nothing else'

# Two messages of one unique name: the one that is named is read and removed, though another
# reader renames it meanwhile; and a message whose last byte is a CR.
cat >doubles.py <<'END'
import os
import poplib
import ssl

box = "mail/example.org/bob/"
pop = poplib.POP3_SSL("localhost", int(os.environ["POP3S"]),
                      context=ssl.create_default_context(cafile="ca.pem"))
pop.user("bob@example.org")
pop.pass_("secret-b")
texts = {}
for line in pop.list()[1]:
    number, size = map(int, line.split())
    text = pop.retr(number)
    assert text[2] == size, (line, text)
    texts[b" ".join(text[1])] = number
os.rename(box + "cur/3.c:2,S", box + "cur/3.c:2,RS")
assert b"seen" in b" ".join(pop.retr(texts[b"Subject: c  seen"])[1])
os.rename(box + "cur/3.c:2,RS", box + "cur/3.c:2,RST")
pop.dele(texts[b"Subject: c  seen"])
pop.quit()
END
expect 'of two messages of one name the right one goes' '
	mkdir -p mail/example.org/bob/{cur,new,tmp}
	printf "Subject: c\n\nseen" >mail/example.org/bob/cur/3.c:2,S
	printf "Subject: c\n\nunseen" >mail/example.org/bob/new/3.c
	printf "Subject: a\r\n\r\nend with cr\r" >mail/example.org/bob/cur/1.a:2,
	python3 doubles.py
	[ -e mail/example.org/bob/new/3.c ]
	[ ! -e mail/example.org/bob/cur/3.c:2,RST ]
	rm -r mail/example.org/bob
'

dialogue 'an empty maildrop of somebody who never got mail' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> USER bob@example.org
	< ^\+OK
	> PASS secret-b
	< ^\+OK
	> STAT
	< ^\+OK 0 0
	> UIDL
	< ^\+OK
	. ^$
	> QUIT
	< ^\+OK
END
echo secret-c | mt-serve -c serve.conf user add cyd@example.org
echo secret-d | mt-serve -c serve.conf user passwd bob@example.org
mt-serve -c serve.conf user remove ada@example.org
dialogue 'changes of users count at once' -t "$T/ca.pem" "$POP3S" <<END
	< ^\+OK
	> AUTH PLAIN $(plain_auth ada@example.org secret-a)
	< ^-ERR \[AUTH\]
	> AUTH PLAIN $(plain_auth bob@example.org secret-d)
	< ^\+OK
	> QUIT
	< ^\+OK
END
if command -v curl >/dev/null; then
	printf 'Subject: for curl\n\nx\n' >m.eml
	expect 'curl submits and collects' '
		curl -sS --cacert ca.pem --url "smtps://localhost:$SUBMISSIONS" -u bob@example.org:secret-d \
		    --mail-from bob@example.org --mail-rcpt cyd@example.org --crlf -T m.eml
		curl -sS --cacert ca.pem --url "pop3s://localhost:$POP3S/1" -u cyd@example.org:secret-c >got.eml
		grep -q "Subject: for curl" got.eml
		curl -sS --cacert ca.pem --ssl-reqd --url "pop3://localhost:$POP3/1" -u cyd@example.org:secret-c |
		    cmp - got.eml
	'
fi
is "$(grep -c -e event=died -e secret serve.log)" 0 'no process died, no secret is in the log'
done_testing
