#!/usr/bin/env bash
# mt-fetch and the namespaces of Dovecot: the user's own is synchronised (RFC 2342)
. "${0%/*}/../lib.sh"
start_dovecot 'namespace inbox {' '  inbox = yes' '  prefix = INBOX.' '  separator = .' '}' \
    'namespace public {' '  type = public' '  prefix = Public.' '  separator = .' \
    "  location = maildir:$T/public" '  subscriptions = no' '}' || exit 1
root=$T/Mail/test
export XDG_STATE_HOME=$T/state
client_conf "" ""
sed -i "s|  from = |  imap = \"imap://user1@localhost:$DOVECOT_IMAP\"\n&|" mt.conf

mail() { mkdir -p "$1"/{cur,new,tmp}; printf 'Subject: %s\n\n' "$2" >"$1/new/1700000000.M$2.there"; }
mail dovecot/mail/user1 inbox
mail dovecot/mail/user1/.Work work
mail public/.News news
[ "$(id -u)" != 0 ] || chmod -R go+rwX dovecot public
here() { grep -rh '^Subject: ' "$root" | cut -c 10- | sort | tr '\n' ' '; }

expect 'what is public is left alone; what lies below INBOX does not here' '
	mt-fetch
	[ "$(here)" = "inbox work " ]
	[ -d "$root/Work/cur" ]
	mt-fetch folders >out
	grep "^test	Public.News	-	shared	1" out
	grep "^test	INBOX.Work	$root/Work	-	1" out'
expect 'a folder that is made here is made below INBOX there' '
	mail "$root/Mine" mine
	mt-fetch
	[ -d dovecot/mail/user1/.Mine/cur ]
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0" out'
expect 'what is public comes when it is named, and stays afterwards' '
	mt-fetch -f Public.News
	[ "$(here)" = "inbox mine news work " ]
	mt-fetch --json >out
	grep "\"fetched\":0,\"uploaded\":0,.*\"deleted_here\":0" out
	[ "$(here)" = "inbox mine news work " ]'
done_testing
