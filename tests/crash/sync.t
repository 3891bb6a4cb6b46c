#!/usr/bin/env bash
# mt-fetch is killed at every system call that changes something, in a run with changes of
# all kinds on both sides of an IMAP account: the next run makes both equal, each message once
. "${0%/*}/../lib.sh"
. "$TOP/tests/crash/sweep.sh"
need python3 strace
strace -qq -e trace=none true 2>/dev/null || skip_all 'strace is not allowed here'
case ${1:-} in
bare) caps='IMAP4rev1' ;;
*) caps= ;;
esac
start_dovecot ${caps:+"imap_capability = $caps"} \
    'namespace inbox {' '  inbox = yes' '  mailbox Trash {' '    special_use = \Trash' \
    '    auto = create' '  }' '}' || exit 1
export XDG_STATE_HOME=$T/state
client_conf "" "" "imap = \"imap://user1@localhost:$DOVECOT_IMAP\""
here=$T/Mail/test/INBOX there=$T/dovecot/mail/user1

imap() # LINE...: of Python, with m for the session
{
	python3 - "$DOVECOT_IMAP" <<-END
		import imaplib, sys
		m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
		m.login("user1", "secret-1")
		def add(box, subject, flags=""):
		    m.append(box, flags, None, f"Message-ID: <{subject}@there>\r\nSubject: {subject}\r\n\r\ntext\r\n".encode())
		$(printf '%s\n' "$@")
		m.logout()
	END
}
write() # SUBJECT [HEADER]: a message of our own
{
	printf '%sSubject: %s\n\ntext of %s\n' "${2:-}" "$1" "$1" >"$here/new/1600000000.M$1.here"
}
file() { grep -rlx "Subject: $1" "$here"/cur "$here"/new; }
flag() # SUBJECT LETTERS
{
	local f

	f=$(file "$1")
	mv "$f" "$here/cur/$(basename "${f%:2,*}"):2,$2"
}

# Both sides agree upon some messages; then both change them.
imap 'for s in "abcdefmn": add("INBOX", s)' 'm.create("Lists")' || exit 1
mt-fetch || exit 1
imap 'm.select("INBOX")' 'm.uid("STORE", "1", "+FLAGS", "(\\Answered)")' \
    'm.uid("STORE", "2", "+FLAGS", "(\\Deleted)")' 'm.expunge()' \
    'for s in "ghi": add("INBOX", s, "(\\Flagged)" if s == "h" else "")' \
    'm.uid("COPY", "7", "Lists")' 'm.uid("STORE", "7", "+FLAGS", "(\\Deleted)")' 'm.expunge()' \
    'm.create("Other")' 'add("Other", "o")' || exit 1
rm "$(file c)" "$(file d)"
mv "$(file n)" "$T/Mail/test/Lists/new"
flag e S
flag a F
write own1 $'Message-ID: <own1@here>\n'
write own2
mkdir -p "$T/Mail/test/Mine"/{cur,new,tmp} begin
printf 'Subject: mine\n\ntext\n' >"$T/Mail/test/Mine/new/1600000000.Mmine.here"
cp -a Mail state dovecot/mail begin
fresh()
{
	local i

	# A session of Dovecot's may be about to end.
	for i in 1 2 3 4 5; do
		rm -rf Mail state dovecot/mail 2>/dev/null && break
		sleep 0.2
	done
	cp -a begin/Mail begin/state .
	cp -a begin/mail dovecot
}

# Flags and text of every message of a Maildir.
messages() # FOLDER
{
	(
		cd "$1" || exit
		for f in cur/* new/*; do
			echo "$(sed -n 's/^Subject: //p' "$f") $(sed -n 's/.*:2,//p' <<<"$f" |
			    tr -d a-z) $(md5sum <"$f")"
		done
	) | sort
}
equal() # PATH HERE, PATH THERE
{
	messages "Mail/test/$1" >list.here
	messages "$there/$2" >list.there
	diff list.here list.there
}
subjects() { messages "$1" | cut -d ' ' -f 1 | tr -d '\n'; }
# Without MOVE nobody can know whether a COPY was made that was not answered: of what was to
# go to Trash, or to another folder.
is_trash() # SUBJECTS
{
	[ "$1" = cd ] && return
	[ -n "$caps" ] && [[ $1 =~ ^(ccdd|cdn)$ ]] && echo "$1" >>copies
}
same()
{
	mt-fetch || return
	mt-fetch || return	# what came to Trash is here now
	equal INBOX . && equal Trash .Trash && equal Lists .Lists && equal Mine .Mine &&
	    equal Other .Other &&
	    [ "$(subjects Mail/test/INBOX)" = aefghiown1own2 ] &&
	    is_trash "$(subjects Mail/test/Trash)" &&
	    [ "$(subjects Mail/test/Lists)" = mn ] &&
	    [ "$(subjects Mail/test/Other)" = o ] &&
	    [ "$(subjects Mail/test/Mine)" = mine ] && return
	messages Mail/test/INBOX
	messages Mail/test/Trash
	return 1
}

fresh
ok 'a run that nobody kills makes both sides equal' same
KILL_CALLS=sendto
kill_each fresh same mt-fetch
# What is done here is the same, whatever the server can do.
KILL_CALLS="write pwrite64 fsync fdatasync renameat2 unlink unlinkat ftruncate mkdir" KILL_MOST=12
[ -n "$caps" ] || kill_each fresh same mt-fetch
[ -z "$caps" ] || is "$(sort copies | tr '\n' ' ')" 'ccdd cdn ' 'each COPY is one place of that kind'
done_testing
