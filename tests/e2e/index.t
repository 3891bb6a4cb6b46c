#!/usr/bin/env bash
# mt-index: what notmuch would make of it, and what would kill notmuch
. "${0%/*}/../lib.sh"
need notmuch python3

client_conf "" ""
export MT_CONFIG
root=$T/Mail
export NOTMUCH_CONFIG=

# message FOLDER NAME SUBJECT [LINE...]: a message, an hour old, as the folder then is.
message()
{
	local file=$root/$1/cur/$2

	case $2 in *:2,*) ;; *) file=$root/$1/new/$2 ;; esac
	mkdir -p "$root/$1"/{cur,new,tmp}
	{
		printf 'From: Ada Lovelace <ada@example.org>\nTo: grace@example.org\n'
		printf 'Date: Mon, 01 Jun 2026 10:00:00 +0000\nMessage-ID: <%s@example.org>\n' "${2%%:*}"
		printf 'Subject: %s\n' "$3"
		[ $# -lt 4 ] && printf '\nbody of %s\n' "$2" || printf '%s\n' "${@:4}"
	} >"$file"
}

# Make the folders look as if nothing had happened in them for an hour.
settle()
{
	find "$root" -type d -not -path '*/.notmuch*' -exec touch -d '1 hour ago' {} +
}

# As notmuch(1) sees the same database.
nm()
{
	printf '[database]\npath=%s\n' "$root" >nm.conf
	NOTMUCH_CONFIG=$T/nm.conf notmuch "$@"
}

expect 'without an index it says how to make one' '
	mkdir -p Mail
	status 66 mt-index search "*" 2>err; grep -q "mt-index new" err
	status 66 mt-index count
'
message work/INBOX 1000.a.h:2,S 'one' '' 'the quick brown fox'
message work/INBOX 1001.b.h:2, '=?UTF-8?Q?Gr=C3=BC=C3=9Fe?= aus Wien' 'In-Reply-To: <1000.a.h@example.org>' '' 'hallo'
message work/INBOX 1002.c.h 'three'
message work/.Sent 1003.d.h:2,FS 'four'
echo '# no mail' >Mail/notes.txt

expect 'new indexes every message of every folder' '
	mt-index new >out 2>&1; [ ! -s out ]
	[ "$(mt-index count)" = 4 ]
	[ "$(mt-index count -o threads "*")" = 3 ]
'
expect 'tags follow the flags: read, flagged, new' '
	[ "$(mt-index search -o messages tag:unread | sort | xargs)" = \
	    "id:1001.b.h@example.org id:1002.c.h@example.org" ]
	[ "$(mt-index search -o messages tag:flagged)" = "id:1003.d.h@example.org" ]
	[ "$(mt-index count tag:inbox)" = 4 ]
'
expect 'a record a line: date, sender, subject, tags, id' '
	[ "$(mt-index search subject:Wien)" = "$(printf "2026-06-01 10:00\tAda Lovelace <ada@example.org>\tGrüße aus Wien\tinbox unread\tid:1001.b.h@example.org")" ]
'
expect 'files, threads, tags, JSON, NUL, limit and order' '
	[ "$(mt-index search -o files quick)" = "$root/work/INBOX/cur/1000.a.h:2,S" ]
	[ "$(mt-index search -0 -o files "*" | tr -cd "\0" | wc -c)" = 4 ]
	mt-index search -o threads id:1000.a.h@example.org | grep -q "	1/2	"
	[ "$(mt-index search -o tags "*" | xargs)" = "flagged inbox replied unread" ] ||
	    [ "$(mt-index search -o tags "*" | xargs)" = "flagged inbox unread" ]
	mt-index search --json quick | python3 -c "
import json, sys
m = json.loads(sys.stdin.read())
assert m[\"id\"] == \"1000.a.h@example.org\" and len(m[\"files\"]) == 1, m"
	[ "$(mt-index search -n 2 "*" | wc -l)" = 2 ]
	[ "$(mt-index search --sort oldest -o messages "*" | tac)" != "" ]
	status 64 mt-index search -o nonsense "*"
	status 64 mt-index search --sort backwards "*"
	status 64 mt-index search
'
expect 'nothing found: nothing printed, status 0; a wrong query: status 64' '
	[ -z "$(mt-index search nosuchwordanywhere)" ]
	mt-index search nosuchwordanywhere
	status 64 mt-index search date:nonsense.. 2>err
	grep -q "date specification" err && [ "$(wc -l <err)" = 1 ]
'
expect 'notmuch reads the same database, and has nothing to add' '
	[ "$(nm count "*")" = 4 ]
	[ "$(nm search --output=files quick)" = "$root/work/INBOX/cur/1000.a.h:2,S" ]
	nm new | grep -q "No new mail"
	nm tag +mine -- id:1000.a.h@example.org
	[ "$(mt-index count tag:mine)" = 1 ]
'
settle; mt-index new >/dev/null
expect 'a second run finds nothing, and says nothing' '[ -z "$(mt-index new -v 2>&1)" ]'
# Run new with a terminal for standard error; what it prints is in out.
watched()
{
	python3 - >out <<'END'
import os, pty, subprocess
ours, theirs = pty.openpty()
p = subprocess.Popen(["mt-index", "new"], stderr=theirs)
os.close(theirs)
try:
	while os.read(ours, 4096):
		pass
except OSError:
	pass
assert p.wait() == 0, p
END
}
message work/INBOX 1005.f.h:2,S 'six'
expect 'what was done is said to who watches, and to who asks; cron gets no mail' '
	watched; grep -q "^1 new messages$" out
	rm "$root/work/INBOX/cur/1005.f.h:2,S"
	mt-index new --verbose >out 2>err; [ ! -s err ]
	grep -q "^0 new messages, 1 removed$" out
'
settle; mt-index new

mv "$root/work/INBOX/cur/1001.b.h:2," "$root/work/INBOX/cur/1001.b.h:2,S"
mv "$root/work/INBOX/cur/1000.a.h:2,S" "$root/work/.Sent/cur/1000.a.h:2,"
rm "$root/work/INBOX/new/1002.c.h"
message work/New 1004.e.h 'five'
expect 'renamed, moved, deleted and new files are followed; tags stay' '
	mt-index new --json >out
	grep -q "\"added\":1,\"files\":3,\"removed\":1,\"removed_files\":3" out
	[ "$(mt-index count)" = 4 ]
	[ "$(mt-index search -o messages tag:mine and tag:unread)" = "id:1000.a.h@example.org" ]
	[ "$(mt-index count id:1001.b.h@example.org and not tag:unread)" = 1 ]
	[ "$(mt-index search -o files tag:mine)" = "$root/work/.Sent/cur/1000.a.h:2," ]
	[ "$(nm count "*")" = 4 ]
'
mv "$root/work" "$root/job"
expect 'a folder that was renamed keeps its tags' '
	mt-index new >/dev/null
	[ "$(mt-index search -o files tag:mine)" = "$root/job/.Sent/cur/1000.a.h:2," ]
	[ "$(mt-index count)" = 4 ]
'
rm -r "$root/job/New"
expect 'a folder that was deleted is forgotten' '
	mt-index new >/dev/null
	[ "$(mt-index count)" = 3 ] && [ "$(nm count "*")" = 3 ]
'

# --- show ----------------------------------------------------------------------------

message job/INBOX 1010.m.h:2,S 'a letter' 'MIME-Version: 1.0' \
    'Content-Type: multipart/mixed; boundary=xx' '' '--xx' \
    'Content-Type: text/html; charset=utf-8' '' '<p>Hello <b>world</b></p><script>no</script>' \
    '--xx' 'Content-Type: application/pdf; name="a.pdf"' 'Content-Disposition: attachment; filename="a.pdf"' \
    'Content-Transfer-Encoding: base64' '' 'AAAA' '--xx--'
message job/INBOX 1011.x.h:2,S "$(printf 'evil \033]0;owned\007 \342\200\256tac')" '' "$(printf 'red \033[31m')"
mt-index new >/dev/null
expect 'show renders a message by path, by id and by query' '
	mt-index show "$root/job/INBOX/cur/1010.m.h:2,S" >a
	mt-index show id:1010.m.h@example.org >b
	mt-index show subject:letter and from:ada >c
	cmp a b
	cmp a c
	grep -q "^From: Ada Lovelace <ada@example.org>$" a
	grep -q "^Subject: a letter$" a
	grep -q "Hello world" a
	not grep -q script a
	not grep -q "no$" a
	grep -q "^\[attachment: a.pdf, application/pdf, 3 bytes\]$" a
	mt-index show --json id:1010.m.h@example.org | python3 -c "
import json, sys
m = json.loads(sys.stdin.read())
assert m[\"attachments\"][0][\"name\"] == \"a.pdf\" and m[\"body_type\"] == \"text/html\", m"
'
expect 'no answer and many answers to a query are errors' '
	status 66 mt-index show id:none@nowhere
	status 64 mt-index show from:ada 2>err; grep -q "messages match" err
	status 66 mt-index show /no/such/file
	status 66 mt-index show ./nofile
	status 64 mt-index show
'
expect 'what is no file does not make it wait: not a FIFO, not one that the index knows' '
	mkfifo fifo
	status 66 timeout 10 mt-index show ./fifo 2>err; grep -q "not a regular file" err
	status 66 timeout 10 mt-index show "$root" 2>err; grep -q "not a regular file" err
	f=$root/job/INBOX/cur/1010.m.h:2,S
	mv "$f" kept; mkfifo "$f"
	status 66 timeout 10 mt-index show id:1010.m.h@example.org 2>err
	grep -q "not a regular file" err
	rm "$f"
	status 66 timeout 10 mt-index show id:1010.m.h@example.org 2>err
	grep -q "mt-index new" err
	mv kept "$f"
'
expect 'a message cannot drive the terminal' '
	{ mt-index search "*"; mt-index search -o threads "*"; mt-index show id:1011.x.h@example.org
	  mt-index search --json "*"; } >out
	not env LC_ALL=C grep -q "[[:cntrl:]]" <(tr -d "\n\t" <out)
	not grep -q "$(printf "\342\200\256")" out
'

# --- what cannot be read ---------------------------------------------------------------

# As somebody whom permissions bind.
BOUND=()
[ "$(id -u)" != 0 ] || BOUND=(setpriv "--bounding-set=-dac_override,-dac_read_search")

message closed/INBOX 1020.k.h:2,S 'in a closed folder'
message closed/INBOX/sub 1021.k.h:2,S 'in a folder of a closed folder'
message linked 1022.k.h:2,S 'behind a link'
mkdir hidden; mv "$root/linked" hidden; ln -s "$T/hidden/linked" "$root/linked"
settle
mt-index new >/dev/null
# unreadable MODE FOLDER: new names it, and goes on; what it knew of it stays.
unreadable()
{
	local known=("$root"/open/cur/*)

	message open "103${#known[@]}.k.h:2,S" 'beside a closed folder'
	touch "$root/closed/INBOX/cur" "$root"/closed/INBOX/{,sub/} "$root"
	chmod "$1" "$2"
	status 66 "${BOUND[@]}" mt-index new >out 2>err || { chmod 700 "$2"; return 1; }
	chmod 700 "$2"
	grep -q "^1 new messages$" out
	grep -q "Permission denied" err
	[ "$(mt-index count id:1020.k.h@example.org)" = 1 ]
	[ "$(mt-index count id:1021.k.h@example.org)" = 1 ]
	[ "$(mt-index count id:1022.k.h@example.org)" = 1 ]
}
expect 'a directory that cannot be read is named, the others are indexed: status 66' '
	unreadable 0 "$root/closed/INBOX"; grep -q "^mt-index: $root/closed/INBOX: " err
	unreadable 300 "$root/closed/INBOX/cur"; grep -q "^mt-index: $root/closed/INBOX/cur: " err
'
expect 'so is one that only hides what is in it, and a link into such a one' '
	unreadable 600 "$root/closed/INBOX"; grep -q "^mt-index: $root/closed/INBOX/sub: " err
	unreadable 0 "$T/hidden"; grep -q "^mt-index: $root/linked: " err
	message closed/INBOX 1040.k.h:2,S "new in a folder that hides it"
	unreadable 600 "$root/closed/INBOX/cur"
	grep -q "1040.k.h:2,S: Permission denied" err
'
expect 'later all is well' '
	mt-index new >/dev/null 2>err; [ ! -s err ]
	[ "$(mt-index count id:1040.k.h@example.org)" = 1 ]
	[ "$(nm count id:1040.k.h@example.org or id:1021.k.h@example.org)" = 2 ]
'
rm -r "$root/closed" "$root/linked" "$root/open"
expect 'and what has really gone is forgotten' '
	mt-index new >/dev/null
	[ "$(mt-index count id:1020.k.h@example.org or id:1022.k.h@example.org)" = 0 ]
'

# --- what would kill libnotmuch ---------------------------------------------------------

message trap 2000.ok.h:2, 'harmless'
python3 - "$root/trap/cur" <<'END'
import sys
def write(name, *parts):
	with open(f"{sys.argv[1]}/{name}:2,", "wb") as f:
		for p in parts:
			f.write(p)
write("2001.groups.h", b"From: a@b\nTo: ", b"a:" * 100000, b"\nSubject: groups\nMessage-ID: <g@x>\n\nx\n")
write("2002.inner.h", b"From: a@b\nSubject: inner\nMessage-ID: <i@x>\n"
	b"Content-Type: message/rfc822\n\nReply-To: ", b"a:" * 100000, b"\n\nx\n")
write("2003.nest.h", b"From: a@b\nSubject: nest\nMessage-ID: <n@x>\nContent-Type: multipart/mixed; boundary=b0\n\n",
	*[b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(10000)])
write("2004.line.h", b"From: a@b\nX-Long: ", b"x" * 3000000, b"\nSubject: line\nMessage-ID: <l@x>\n\nx\n")
write("2005.nul.h", b"From: a@b\nSubject: nul\0nul\nMessage-ID: <nul@x>\n\n\0\0\0\n")
write("2006.empty.h")
END
expect 'dangerous messages are skipped and named, all others indexed: status 65' '
	status 65 mt-index new >out 2>err
	grep -q "2001.groups.h.*died of signal" err
	grep -q "2002.inner.h.*died of signal" err
	[ "$(grep -c skipped: err)" = 2 ]
	not grep -v skipped: err
	[ "$(mt-index count folder:trap)" -ge 4 ]
	[ "$(mt-index count id:2000.ok.h@example.org)" = 1 ]
'
expect 'they are not tried again, also under other flags' '
	mt-index new >out 2>err
	[ ! -s err ]
	mv "$root/trap/cur/2001.groups.h:2," "$root/trap/cur/2001.groups.h:2,S"
	mt-index new >out 2>err && [ ! -s err ]
'
python3 - "$root/trap/cur" <<'END'
import sys
with open(f"{sys.argv[1]}/2007.fields.h:2,", "wb") as f:
	f.write(b"From: a@b\nSubject: fields\nMessage-ID: <f@x>\n"
		b"Content-Type: message/rfc822\n\n" + b"X:\n" * 2000000 + b"\nx\n")
END
expect_plain 'nor does a message take all memory with the header fields of a part' '
	status 65 mt-index new >out 2>err
	grep -q "2007.fields.h.*more than 50,000 header fields.*died of signal" err
'
mkdir -p flat/mail/cur
printf 'maildir = "%s"\n' "$T/flat" >flat.conf
python3 - flat/mail/cur <<'END'
import sys
message = b"Content-Type: message/rfc822\n\n"
# Some of them would fit into 1 MB, but not beside an environment of 120 KB.
for n in 999, 3000, 6000, 30000, *range(4000, 5200, 100):
	for name, inner in ("top", b""), ("part", message), ("deep", message * 3):
		with open(f"{sys.argv[1]}/{name}.{n}:2,", "wb") as f:
			f.write(b"From: a@b\nSubject: groups\nMessage-ID: <%s.%d@x>\n%sTo: %s\n\nhello\n" %
				(name.encode(), n, inner, b"a:" * n))
END
expect_plain 'nor do groups in groups kill it where the stack is of 1 MB, in whatever part' '
	ulimit -s 1024
	PAD=$(printf "%0120000d" 0) status 65 mt-index -C flat.conf new >out 2>err
	[ "$(grep -c "30000.*colons.*died of signal" err)" = 3 ]
	for what in top part deep; do
		[ "$(mt-index -C flat.conf count "id:$what.999@x")" = 1 ]
		for n in 999 6000; do
			mt-index show "flat/mail/cur/$what.$n:2," 2>err | grep -q "^Subject: groups$"
			[ "$n" = 999 ] || grep -q "more than 1,000 colons" err
		done
	done
'
mkdir -p full/mail/cur
printf 'maildir = "%s"\n' "$T/full" >full.conf
cp flat/mail/cur/top.4000:2, full/mail/cur
printf 'From: a@b\nSubject: x\nMessage-ID: <plain@x>\n\nx\n' >full/mail/cur/plain:2,
# without CALL COMMAND...: its system call, and those of its children, fail.
without()
{
	need strace
	strace -qq -e trace=none true 2>/dev/null || skip_all "strace is not allowed here"
	# A leak check cannot run under strace.
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e inject="$1:error=EAGAIN" "${@:2}"
}
expect 'without a process to spare a message is neither skipped nor called damaged: status 75' '
	for call in clone clone3; do
		status 75 without $call mt-index -C full.conf new >out 2>err
		grep -q "^mt-index: $T/full/mail/cur/top.4000:2,: .*colons: " err
		not grep -q skipped err out
		[ "$(mt-index -C full.conf count id:plain@x)" = 1 ]
		[ "$(mt-index -C full.conf count id:top.4000@x)" = 0 ]
		status 75 without $call mt-index show full/mail/cur/top.4000:2, >out 2>err
		[ ! -s out ]
		grep -q "colons: " err
	done
	status 75 without dup mt-index show full/mail/cur/top.4000:2, 2>err
	grep -q "colons and cannot be read now" err
	mt-index -C full.conf new
	[ "$(mt-index -C full.conf count id:top.4000@x)" = 1 ]
'
expect 'show lives on: it shows what it can, or says why not' '
	for f in "$root"/trap/cur/*; do
		rc=0; mt-index show "$f" >out 2>err || rc=$?
		echo "$f $rc"; [ $rc = 0 ] || [ $rc = 65 ]
		[ $rc = 0 ] || [ -s err ]
		not grep -q "the rest is not shown" out || [ $rc = 65 ]
	done
'
expect 'notmuch itself would have died on it' '
	mkdir -p alone/mail/cur; cp "$root"/trap/cur/2001* alone/mail/cur
	printf "[database]\npath=%s\n" "$T/alone" >alone.conf
	rc=0; NOTMUCH_CONFIG=$T/alone.conf notmuch new || rc=$?
	[ $rc -gt 128 ]
'

# --- other programs, other configurations ----------------------------------------------

expect 'while another program writes: status 75 at once' '
	python3 - "$root/.notmuch/xapian/flintlock" <<END
import fcntl, os, subprocess, sys
f = open(sys.argv[1], "r+b"); fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
p = subprocess.run(["mt-index", "new"], stderr=subprocess.PIPE, timeout=20)
assert p.returncode == 75 and b"another program" in p.stderr, p
assert subprocess.run(["mt-index", "count"], stdout=subprocess.DEVNULL).returncode == 0
END
'
mkdir -p other/{a,b}/{cur,new,tmp}
printf 'From: a@b\nSubject: x\nMessage-ID: <o1@x>\n\nx\n' >other/a/new/1.a.h
printf 'From: a@b\nSubject: x\nMessage-ID: <o2@x>\n\nx\n' >other/b/cur/2.a.h:2,
printf '[database]\npath=%s\n[new]\ntags=fresh;\nignore=a;/^never/\n[maildir]\nsynchronize_flags=false\n[search]\nexclude_tags=gone;\n' "$T/other" >other.conf
expect 'a notmuch configuration is honoured: root, tags, ignore, flags, excluded tags' '
	export NOTMUCH_CONFIG=$T/other.conf
	mt-index new -v | grep -q "^1 new messages"
	[ "$(mt-index search -o tags "*")" = fresh ]
	[ -d other/.notmuch ]
	notmuch tag +gone -- "*"
	[ "$(mt-index count)" = 0 ] && [ "$(mt-index count tag:gone)" = 1 ]
'
expect 'show finds a message that has an excluded tag, unless another is meant' '
	export NOTMUCH_CONFIG=$T/other.conf
	[ -z "$(mt-index search id:o2@x)" ]
	mt-index show id:o2@x | grep -q "^Subject: x$"
	mt-index show subject:x | grep -q "^From: a@b$"
	sed "s/o2@x/o3@x/; s/a@b/c@d/" other/b/cur/2.a.h:2, >other/b/cur/3.a.h:2,
	mt-index new
	mt-index show subject:x | grep -q "^From: c@d$"
	mt-index show id:o2@x | grep -q "^From: a@b$"
	status 64 mt-index show id:o2@x or id:o3@x and tag:gone or tag:fresh
'
expect 'a notmuch configuration that is not there is an error' '
	export NOTMUCH_CONFIG=$T/no.conf
	status 78 mt-index count 2>err; grep -q "no.conf" err
'
expect 'NOTMUCH_DATABASE alone names another mail root' '
	mkdir -p third/x/{cur,new,tmp}; cp other/b/cur/2.a.h:2, third/x/cur/
	unset NOTMUCH_CONFIG
	export NOTMUCH_DATABASE=$T/third
	mt-index new -v | grep -q "^1 new messages" && [ -d third/.notmuch ]
'
expect 'a mail root that is not there is an error' '
	rm -rf "$T/Mail"; mkdir "$HOME/mail"
	status 66 mt-index new 2>err; grep -q "$T/Mail: No such file" err
	status 66 mt-index search "*" 2>err; grep -q "$T/Mail: no index" err
'
expect 'a folder of mail that is called xapian is a folder of mail' '
	rm -rf "$root"
	message INBOX 1.a.h one
	message xapian 2.a.h two
	mt-index new
	[ "$(mt-index count "*")" = 2 ]
	[ -e "$root/xapian/new/2.a.h" ]'
expect 'nor is anything removed that lies where the database belongs' '
	rm -rf "$root"
	message INBOX 1.a.h one
	message .notmuch/xapian 2.a.h two
	status 65 mt-index new 2>err
	grep -q "neither a Xapian database nor" err
	[ -e "$root/.notmuch/xapian/new/2.a.h" ]
	rm -rf "$root/.notmuch"
	mkdir -p "$root/.notmuch/xapian"
	touch "$root/.notmuch/xapian"/{flintlock,postlist.glass}
	mt-index new
	[ "$(mt-index count "*")" = 1 ]'
expect 'a link that is cut within a character is shown, and whole' '
	{
		printf "From: a@example.org\nContent-Type: text/html; charset=utf-8\n\n"
		for i in $(seq 50); do
			printf "<a href=\"http:"; printf "%%01994d" 0; printf "😀xx\">x</a>\n"
		done
	} >links.eml
	mt-index show links.eml >out
	iconv -f utf-8 -t utf-8 out >/dev/null
	grep -q "^\[50\] http:" out'
done_testing
