#!/usr/bin/env bash
# torture.t - hostile messages, broken peers and disks that fail: every command gives a
# clear error and the right exit status, and the server lives on
. "${0%/*}/../lib.sh"

need openssl python3
make_ca
smtp=$(free_port) subs=$(free_port) pop3s=$(free_port)
serve_conf()
{
	cat >"$T/serve.conf" <<-END
	hostname = "mail.example.org"
	mail_root = "$T/root"
	domains = { "example.org" }
	users = "$T/users"
	postmaster = "user1@example.org"
	tls_certificate = "$T/cert.pem"
	tls_key = "$T/key.pem"
	smtp = { "127.0.0.1:$smtp" }
	submissions = { "127.0.0.1:$subs" }
	pop3s = { "127.0.0.1:$pop3s" }
	size_max = 2G
	user = "$(id -un)"
	END
	chmod 600 "$T/key.pem"
	mkdir -p "$T/root"
	printf 'secret-1\n' | mt-serve -c "$T/serve.conf" user add user1@example.org
}
serve_conf
client_conf "pop3s://user1%40example.org@localhost:$pop3s" \
    "smtps://user1%40example.org@localhost:$subs"
start serve mt-serve -c "$T/serve.conf"
wait_port serve "$smtp" || exit 1
inbox=$T/root/example.org/user1

count() # DIR: messages in a Maildir
{
	find "$1/new" "$1/cur" -type f 2>/dev/null | wc -l
}

serve_lives() # a plain message is still taken
{
	local before after

	before=$(count "$inbox")
	printf 'Subject: still there\n\nx\n' | mt-send --sendmail user1@example.org || return
	after=$(count "$inbox")
	[ "$after" = $((before + 1)) ]
}

# --- messages ---------------------------------------------------------------------

mkdir torture
python3 - <<'END'
def deep(levels):
    out = ["Subject: deep\n", "MIME-Version: 1.0\n"]
    for i in range(levels):
        out.append('Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i))
    out.append("Content-Type: text/plain\n\nthe bottom\n")
    return "".join(out)
open("torture/deep.eml", "w").write(deep(10000))
open("torture/groups.eml", "w").write(
    "Subject: groups\nTo: " + "a:" * 100000 + "\n\nbody of the groups\n")
open("torture/long-line.eml", "w").write(
    "Subject: long\nX-Long: " + "x" * 70000 + "\n\n" + "y" * 200000 + "\n")
open("torture/eight-bit.eml", "wb").write(
    b"Subject: gr\xfc\xdfe\nFrom: \xe4 <user1@example.org>\n\n\xff\xfe\x80\n")
open("torture/no-header.eml", "w").write("\njust a body\n")
open("torture/empty-body.eml", "w").write("Subject: nothing\n\n")
open("torture/no-end.eml", "w").write("Subject: no end\n\nno line end")
open("torture/dots.eml", "w").write("Subject: dots\n\n.\n..\n...\n.x\n")
END
expect 'hostile messages go through the server unchanged' '
	for f in torture/*.eml; do
		rm -f "$inbox"/new/* "$inbox"/cur/*
		mt-send --sendmail user1@example.org <"$f"
		got=$(find "$inbox/new" -type f)
		[ -n "$got" ]
		python3 "$TOP/tests/tools/same_body.py" "$f" "$got"
	done'
expect 'a bare CR and a NUL are refused by name, and nothing is sent' '
	before=$(count "$inbox")
	printf "Subject: x\n\na\rb\n" >cr.eml
	printf "Subject: x\n\na\0b\n" >nul.eml
	status 65 mt-send --sendmail user1@example.org <cr.eml 2>err
	grep -i "CR" err
	status 65 mt-send --sendmail user1@example.org <nul.eml 2>err
	grep -i "NUL" err
	[ "$(count "$inbox")" = "$before" ]'
if [ -n "$SUITES" ]; then
	expect 'the mime suites pass through all commands' '
		rm -f "$inbox"/new/* "$inbox"/cur/*
		find "$SUITES"/mime-mime4j -name "*.msg" >list
		find "$SUITES"/mime-rfc -name "*.eml" >>list
		tr "\n" "\0" <list | mt-send inject -0 --to user1@example.org - >sent || [ $? = 65 ]
		n=$(grep -c "^sent" sent)
		[ "$n" -gt 80 ]
		[ "$(count "$inbox")" = "$n" ]
		mt-fetch --delete
		[ "$(count "$inbox")" = 0 ]
		mt-index new
		[ "$(mt-index count "*")" -gt 80 ]'
fi
expect 'mt-index survives what would kill GMime, and names it' '
	mkdir -p Mail/hostile/{cur,new,tmp}
	cp torture/deep.eml Mail/hostile/new/1700000001.deep.host
	cp torture/groups.eml Mail/hostile/new/1700000002.groups.host
	cp torture/no-end.eml Mail/hostile/new/1700000003.fine.host
	mt-index new 2>err || [ $? = 65 ]
	[ "$(mt-index count subject:\"no end\")" -ge 1 ]
	mt-index show Mail/hostile/new/1700000003.fine.host | grep "no line end"
	mt-index show Mail/hostile/new/1700000001.deep.host >out 2>&1 || [ $? = 65 ]
	mt-index show Mail/hostile/new/1700000002.groups.host >out 2>&1 || [ $? = 65 ]'
expect 'mt-backup keeps hostile messages byte for byte' '
	mt-backup -r repo init
	mt-backup -r repo create
	mt-backup -r repo verify
	mt-backup -r repo restore --to back
	(cd Mail/hostile && find . -type f | sort | xargs sha256sum) >want
	there=$(find back -type d -name hostile)
	(cd "$there" && find . -type f | sort | xargs sha256sum) >got
	diff want got'
expect 'a header line of 1 GiB is refused or taken in constant memory' '
	python3 - <<END | /usr/bin/time -o mem -f %M mt-send --sendmail user1@example.org || [ $? = 65 ] || [ $? = 69 ]
import sys
w = sys.stdout.buffer
w.write(b"Subject: huge\nX-Huge: ")
for i in range(1024):
    w.write(b"x" * (1 << 20))
w.write(b"\n\nbody\n")
END
	[ "$(tail -n 1 mem)" -lt 65536 ]'
ok 'the server lives on' serve_lives

# --- peers --------------------------------------------------------------------------

expect 'a TLS session that is cut off leaves nothing behind' '
	before=$(count "$inbox")
	python3 - "$subs" "$T/ca.pem" <<END
import base64, socket, ssl, sys
ctx = ssl.create_default_context(cafile=sys.argv[2])
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s = ctx.wrap_socket(raw, server_hostname="localhost")
f = s.makefile("rwb")
def say(line):
    f.write(line + b"\r\n"); f.flush()
    while True:
        got = f.readline()
        if got[3:4] != b"-": return got
f.readline()
say(b"EHLO c")
assert say(b"AUTH PLAIN " + base64.b64encode(b"\0user1@example.org\0secret-1"))[:3] == b"235"
assert say(b"MAIL FROM:<user1@example.org>")[:3] == b"250"
assert say(b"RCPT TO:<user1@example.org>")[:3] == b"250"
assert say(b"DATA")[:3] == b"354"
f.write(b"Subject: cut\r\n\r\nhalf a mess"); f.flush()
raw.close(); s.close()
END
	sleep 0.5
	[ "$(count "$inbox")" = "$before" ]
	[ "$(find "$inbox/tmp" -type f | wc -l)" = 0 ]'
expect 'a server that nobody trusts is refused, and the name is said' '
	sed "s/ca_file = .*/ca_file = \"\/etc\/ssl\/certs\/ca-certificates.crt\"/" mt.conf >other.conf
	MT_CONFIG=other.conf status 69 mt-send --no-queue -s x user1@example.org </dev/null 2>err
	grep localhost err'
expect 'nobody at the port is a temporary failure' '
	sed "s/localhost:$subs/localhost:1/; s/localhost:$pop3s/localhost:1/" mt.conf >none.conf
	MT_CONFIG=none.conf status 75 mt-send --no-queue -s x user1@example.org </dev/null 2>err
	MT_CONFIG=none.conf status 75 mt-fetch 2>err'
expect 'a wrong password is 77, and says where' '
	sed "s/secret-1/wrong/" mt.conf >wrong.conf
	MT_CONFIG=wrong.conf status 77 mt-send --no-queue -s x user1@example.org </dev/null 2>err
	grep 535 err
	MT_CONFIG=wrong.conf status 77 mt-fetch 2>err
	grep -- "-ERR" err'
ok 'the server lives on' serve_lives

# --- command lines and files -------------------------------------------------------

expect 'an unknown option is 64 in every command, and names the option' '
	for c in mt-send mt-fetch mt-serve mt-index mt-backup "mt help"; do
		status 64 $c --no-such-option 2>err
		grep -e "--no-such-option" err
	done'
expect 'a file that is missing is 66, or 78 for a configuration' '
	status 66 mt-send -s x -A /nonexistent/file user1@example.org </dev/null 2>err
	grep /nonexistent/file err
	status 66 mt-index show /nonexistent/message 2>err
	MT_CONFIG=/nonexistent/mt.conf status 78 mt-fetch 2>err
	grep /nonexistent/mt.conf err
	status 78 mt-serve -c /nonexistent/serve.conf 2>err
	status 66 mt-backup -r /nonexistent/repo list 2>err'
expect 'a full standard output is an error' '
	status 74 mt-send --help >/dev/full
	status 74 mt-index search "*" >/dev/full'

# --- disks ------------------------------------------------------------------------

expect 'a full disk stops mt-fetch and mt-backup with 75, and nothing is lost' '
	need_mounts
	mt-send -s large user1@example.org < <(head -c 3000000 /dev/urandom | base64)
	before=$(count "$inbox")
	mkdir -p small
	"${MOUNTS[@]}" bash -c "
		mount -t tmpfs -o size=1m none small || exit 99
		sed \"s|$T/Mail|$T/small|\" mt.conf >small.conf
		MT_CONFIG=small.conf XDG_STATE_HOME=$T/small-state mt-fetch --delete 2>err
		echo \$? >rc
		find small -path \"*/tmp/*\" -type f | wc -l >left"
	[ "$(cat rc)" = 75 ]
	grep -i "space" err
	[ "$(cat left)" = 0 ]
	XDG_STATE_HOME=$T/small-state mt-fetch --delete
	[ "$(count "$inbox")" = 0 ]'
expect 'a full disk under the server is a temporary refusal, and it goes on' '
	need_mounts
	smtp2=$(free_port) subs2=$(free_port) pop3s2=$(free_port)
	mkdir full
	sed "s/:$smtp\"/:$smtp2\"/; s/:$subs\"/:$subs2\"/; s/:$pop3s\"/:$pop3s2\"/
	    s|$T/root|$T/full|" serve.conf >full.conf
	sed "s/:$subs\"/:$subs2\"/; s/:$pop3s\"/:$pop3s2\"/" mt.conf >full-client.conf
	export MT_CONFIG=full-client.conf
	start full "${MOUNTS[@]}" sh -c "mount -t tmpfs -o size=1m,mode=700 none $T/full &&
	    exec mt-serve -c full.conf"
	wait_port full "$smtp2"
	head -c 3000000 /dev/urandom | base64 >large
	status 75 mt-send --no-queue -s large user1@example.org <large 2>err
	grep 452 err
	mt-send -s small user1@example.org </dev/null
	mt-fetch --json | grep "\"fetched\":1"
	running full
	stop full'
expect 'a folder that is read-only is 77' '
	need_mounts
	mkdir -p ro/test
	mt-send -s more user1@example.org </dev/null
	"${MOUNTS[@]}" bash -c "
		mount -t tmpfs -o ro none ro || exit 99
		sed \"s|$T/Mail|$T/ro|\" mt.conf >ro.conf
		MT_CONFIG=ro.conf XDG_STATE_HOME=$T/ro-state mt-fetch 2>err
		echo \$? >rc"
	[ "$(cat rc)" = 77 ]'
ok 'the server lives on' serve_lives
ok 'and ends when it is told to' stop serve
done_testing
