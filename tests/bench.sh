# bench.sh - what benchmarks share; sourced behind lib.sh

. "$TOP/tests/peers"
not_a_test

now() # microseconds
{
	echo "${EPOCHREALTIME/[.,]/}"
}

# timed FILE COMMAND...: append the microseconds that it took to FILE; it must succeed.
timed()
{
	local to=$1 begun

	shift
	begun=$(now)
	"$@" || { echo "${0##*/}: $* failed" >&2; exit 1; }
	echo $(($(now) - begun)) >>"$to"
}

median() # FILE of numbers
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# plain_message SIZE WORD: on standard output, of that many octets
plain_message()
{
	{
		printf 'From: user1@example.org\nTo: user1@example.org\n'
		printf 'Date: Fri, 27 Nov 2026 10:00:00 +0000\n'
		printf 'Message-ID: <%s@example.org>\nSubject: message %s\n\n' "$2" "$2"
		head -c "$1" /dev/urandom | base64 -w 76
	} 2>/dev/null | head -c "$1"
}
