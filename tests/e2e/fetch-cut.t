#!/usr/bin/env bash
# mt-fetch is cut off from its IMAP server behind each byte that the server says
. "${0%/*}/../lib.sh"

# Such a session is short, and waits more than it works: four of us take turns. It is cut off
# here and there; CUT_EACH=1 does it behind each byte, in a quarter of an hour.
PARTS=4
if [ $# = 0 ]; then
	for caps in 'caps IMAP4rev1' ''; do
		for part in $(seq $PARTS); do
			"$SELF" "$part" "$caps" >"part$part.out" 2>&1 &
			pids[part]=$!
		done
		for part in $(seq $PARTS); do
			wait "${pids[part]}"
			rc=$?
			[ "$rc" = 0 ] || diag "$(grep -v '^ok' "part$part.out")"
			is "$rc" 0 "cut off by a server with ${caps:-all that we know} ($part of $PARTS)"
		done
	done
	done_testing
fi

. "$TOP/tests/e2e/imap.sh"
part=$1 caps=$2
# In this session there is something of every kind to do.
changes()
{
	local f

	reset
	sed -i 's/"1": \[""/"1": ["\\\\Flagged"/' box
	new own
	rm "$(grep -l 'Subject: c' Mail/test/INBOX/*/*)"
	f=$(grep -l 'Subject: b' Mail/test/INBOX/*/*)
	mv "$f" "Mail/test/INBOX/cur/$(basename "${f%:2,*}"):2,RS"
}
subjects() # of both folders here
{
	grep -rh '^Subject: ' Mail/test/INBOX Mail/test/Trash | cut -c 10- | sort | tr -d '\n'
}
cut_off() # BYTES
{
	changes
	printf '%s\n' "$caps" "cut $1" >chat
	status 75 mt-fetch 2>err || both
	echo "$caps" >chat
	mt-fetch
	both
	# Without MOVE nobody can know whether a COPY was made that was not answered.
	[[ $(subjects) =~ ^abc(c?)down$ ]]
	[ -z "${BASH_REMATCH[1]}" ] || [ -n "$caps" ]
}
changes
echo "$caps" >chat
mt-fetch || exit 1
both || exit 1
length=$(sed -n '$s/^sent //p' imap.log)
each=${CUT_EACH:-$([ -z "$caps" ] && echo 19 || echo 41)}
for n in $(seq $((part * each)) $((PARTS * each)) "$length"); do
	expect "cut off behind $n of $length bytes" "cut_off $n"
done
done_testing
