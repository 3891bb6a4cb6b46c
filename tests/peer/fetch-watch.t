#!/usr/bin/env bash
# mt-fetch --watch: what changes on one side is soon on the other; with NOTIFY, with IDLE
. "${0%/*}/../lib.sh"
need python3
case ${1:-} in
idle) caps='IMAP4rev1 LITERAL+ UIDPLUS MOVE CONDSTORE ENABLE ESEARCH LIST-STATUS IDLE' ;;
*) caps= ;;
esac
start_dovecot ${caps:+"imap_capability = $caps"} || exit 1
root=$T/Mail/test
export XDG_STATE_HOME=$T/state

imap() # MAILBOX SUBJECT | MAILBOX UID FLAGS
{
	python3 - "$DOVECOT_IMAP" "$@" >imap.out 2>&1 <<-'END'
		import imaplib, sys
		m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
		m.login("user1", "secret-1")
		box = sys.argv[2]
		if len(sys.argv) == 4:
		    m.create(box)
		    m.append(box, "", None, b"Message-ID: <%b@there>\r\nSubject: %b\r\n\r\nx\r\n" %
		        (sys.argv[3].encode(), sys.argv[3].encode()))
		else:
		    m.select(box)
		    if sys.argv[4] != "?":
		        m.uid("STORE", sys.argv[3], "+FLAGS", sys.argv[4])
		    print(m.uid("FETCH", sys.argv[3], "(FLAGS)"))
		m.logout()
	END
}
file() { grep -rlx "Subject: $2" "$root/$1"/cur "$root/$1"/new 2>/dev/null; }	# FOLDER SUBJECT
flagged() { file "$1" "$2" | grep -q ":2,$3\$"; }		# FOLDER SUBJECT LETTERS
there() { imap "$1" "$2" "?"; grep -q "$3" imap.out; }		# FOLDER UID PATTERN
log() { grep -q "$1" watch.log; }

printf '#!/bin/sh\necho "$MT_ACCOUNT got $MT_NEW" >>%s\n' "$T/new.out" >new.sh
printf '#!/bin/sh\necho "$MT_ACCOUNT: $MT_ERROR" >>%s\n' "$T/error.out" >error.sh
chmod +x new.sh error.sh
client_conf "" ""
sed -i "s|  from = |  imap = \"imap://user1@localhost:$DOVECOT_IMAP\"\n  on_new = \"$T/new.sh\"\n\
  on_error = \"'$T/error.sh'\"\n&|" mt.conf
imap INBOX a
imap Lists l
start watch mt-fetch --watch --json
expect 'at first all that is there is made equal, and on_new is told' '
	wait_for 10 file INBOX a
	wait_for 10 file Lists l
	wait_for 10 grep -qx "test got 2" new.out'
expect 'new mail comes at once' '
	imap INBOX b
	wait_for 5 file INBOX b
	wait_for 5 grep -qx "test got 1" new.out'
[ -n "$caps" ] || expect 'in other folders, too, and in new ones' '
	imap Lists l2
	wait_for 5 file Lists l2
	imap Later x1
	wait_for 5 file Later x1'
expect 'flags that change there change here' '
	imap INBOX 1 "(\\Flagged)"
	wait_for 5 flagged INBOX a F'
expect 'flags that change here change there; what is written here is sent' '
	f=$(file INBOX a)
	mv "$f" "${f%F}FS"
	wait_for 5 there INBOX 1 Seen
	printf "Message-ID: <own@here>\nSubject: own\n\nx\n" >"$root/Lists/new/1.own"
	wait_for 5 there Lists 2 UID || wait_for 1 there Lists 3 UID'
expect 'a folder that is made here is watched, too' '
	mkdir -p "$root/Own"/{cur,new,tmp}
	wait_for 5 there Own 1 "OK"
	printf "Message-ID: <own2@here>\nSubject: own\n\nx\n" >"$root/Own/new/1.own2"
	wait_for 5 there Own 1 "UID 1"'
expect 'it sleeps when nothing happens' '
	sleep 3
	before=$(ps -o cputimes= -p "$(pid_of watch)")
	runs=$(grep -c . watch.log)
	sleep 2
	[ "$(ps -o cputimes= -p "$(pid_of watch)")" = "$before" ]
	[ "$(grep -c . watch.log)" = "$runs" ]'
expect 'another run is told that this one has the account' '
	status 75 mt-fetch 2>err
	grep -i "test" err'
expect 'a server that goes away is told of once; when it is back, so is all' '
	stop dovecot
	wait_for 10 [ -s error.out ]
	sleep 1
	start dovecot "$PEERS_TOP/tests/peers" overlay dovecot /usr/sbin/dovecot -F \
	    -c "$T/dovecot/dovecot.conf"
	wait_port dovecot "$DOVECOT_IMAP"
	imap INBOX c
	wait_for 30 file INBOX c
	[ "$(wc -l <error.out)" = 1 ]
	log "; it is tried again"
	log "it works again"'
expect 'a password that is refused ends it, with status 77' '
	stop watch
	sed "s/secret-1/wrong/" mt.conf >wrong.conf
	timeout 20 mt-fetch --watch -C wrong.conf 2>err && rc=0 || rc=$?
	[ "$rc" = 77 ]
	grep -q "login" err'
done_testing
