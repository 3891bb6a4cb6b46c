#!/usr/bin/env bash
# What mt-fetch says first to an IMAP server, and what it does by the answers
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/imap.sh"

# offers WORD...: a server that has these, too; then LINEs of a chat may follow
offers() { reset; : >imap.log; echo "caps IMAP4rev1 LITERAL+ UIDPLUS MOVE ESEARCH $*" >chat; }
said() { grep -qx -- "$1" imap.log || { cat imap.log; return 1; }; }	# COMMAND of mt-fetch's
version=$(mt-fetch --version | sed -n '1s/.* //p')

expect 'a server that wants to know is told name and version, once, and nothing else (ID)' '
	offers ID
	mt-fetch
	both
	said "ID (\"name\" \"mt-fetch\" \"version\" \"$version\")"
	[ "$(grep -c "^ID" imap.log)" = 1 ]'
expect 'before a folder is opened' '
	grep -n "^ID\|^SELECT" imap.log | head -n 1 | grep "ID"'
expect 'a server that does not ask is told nothing' '
	offers
	mt-fetch
	both
	not grep "^ID" imap.log'
expect 'one that asks, and does not like the answer, is used all the same' '
	for answer in "> \$ NO not you" "> \$ BAD what" "> * ID NIL|> \$ OK" "> * ID (\"a\" \"b|> \$ OK"; do
		offers ID
		{ echo "< ID"; tr "|" "\\n" <<<"$answer"; } >>chat
		mt-fetch
		both
	done'
done_testing
