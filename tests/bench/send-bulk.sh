#!/usr/bin/env bash
# send-bulk - a full queue emptied over one connection: mt-send against msmtp and smtp-source
#
# MESSAGES messages of 5 KB wait in the queue of mt-send (on a disk); `queue retry` gives
# them to Postfix's smtp-sink. msmtp sends the same files, one process a message, as its
# users do. smtp-source is the yardstick for the wire: one session, and it keeps nothing.
#
#	MESSAGES=1000 ROUNDS=5 tests/bench/send-bulk.sh
export TMPDIR=/var/tmp		# on a disk: /tmp may be memory, where fsync costs nothing
. "${0%/*}/../lib.sh"
not_a_test
need msmtp
MESSAGES=${MESSAGES:-1000} ROUNDS=${ROUNDS:-5} SIZE=5000

median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

rate() # SECONDS_BEGUN: messages per second until now
{
	awk -v n="$MESSAGES" -v us=$((${EPOCHREALTIME/[.,]/} - $1)) \
	    'BEGIN { printf "%.0f\n", n * 1e6 / us }'
}

now()
{
	echo "${EPOCHREALTIME/[.,]/}"
}

mkdir files
for ((i = 0; i < MESSAGES; i++)); do
	{
		printf 'From: user1@example.org\nTo: user2@example.org\n'
		printf 'Date: Fri, 27 Nov 2026 10:00:00 +0000\n'
		printf 'Message-ID: <%s@example.org>\nSubject: message %s\n\n' "$i" "$i"
		head -c $((SIZE * 3 / 4)) /dev/urandom | base64 -w 76
	} | head -c "$SIZE" >"files/$i"
done

fill()
{
	client_conf '' "smtp://localhost:$(free_port)" 'allow_plaintext = yes'
	for ((i = 0; i < MESSAGES; i++)); do
		mt-send --sendmail user2@example.org <"files/$i" 2>fill.log || {
			cat fill.log >&2
			exit 1
		}
	done
	client_conf '' "smtp://localhost:$SINK_PORT" 'allow_plaintext = yes'
}

run_mt()
{
	local begun

	fill
	begun=$(now)
	mt-send queue retry || exit 1
	rate "$begun" >>mt.rates
	[ -z "$(mt-send queue list)" ] || { echo 'not all was sent' >&2; exit 1; }
}

run_msmtp()
{
	local begun

	begun=$(now)
	for ((i = 0; i < MESSAGES; i++)); do
		msmtp --host=127.0.0.1 --port="$SINK_PORT" --tls=off --auth=off \
		    -f user1@example.org user2@example.org <"files/$i" || exit 1
	done
	rate "$begun" >>msmtp.rates
}

run_source()
{
	local begun

	begun=$(now)
	smtp_source "$SINK_PORT" -d -m "$MESSAGES" -s 1 -l "$SIZE" -f user1@example.org \
	    -t user2@example.org || exit 1
	rate "$begun" >>source.rates
}

smtp_sink || exit 1
for ((round = 0; round < ROUNDS; round++)); do
	run_mt
	run_msmtp
	run_source
done
printf '%-12s %10s   (messages a second, median of %s; each run)\n' '' rate "$ROUNDS"
for side in mt msmtp source; do
	printf '%-12s %10d   (%s)\n' "$side" "$(median <$side.rates)" "$(xargs <$side.rates)"
done
a=$(median <mt.rates) b=$(median <msmtp.rates) c=$(median <source.rates)
awk -v a="$a" -v c="$c" 'BEGIN { printf "of the rate of smtp-source, which syncs nothing: %.2f\n", a / c }'
awk -v a="$a" -v b="$b" 'BEGIN { printf "send-bulk: %.2fx msmtp\n", a / b }'
