#!/usr/bin/env bash
# send-bulk - a full queue emptied over one connection: mt-send against msmtp
#
# MESSAGES messages of 5 KB wait in the queue of mt-send (on a disk); `queue retry` gives
# them to Postfix's smtp-sink. msmtp sends the same files, one process a message, as its
# users do. smtp-source is the yardstick for the wire: one session, and it keeps nothing.
#
#	MESSAGES=1000 ROUNDS=5 tests/bench/send-bulk.sh
export TMPDIR=/var/tmp		# on a disk: /tmp may be memory, where fsync costs nothing
. "${0%/*}/../lib.sh"
. "$TOP/tests/bench.sh"
MESSAGES=${MESSAGES:-1000} ROUNDS=${ROUNDS:-5}

# Where nobody listens, all that is sent stays in the queue.
fill()
{
	client_conf '' "smtp://localhost:$(free_port)" 'allow_plaintext = yes'
	for ((i = 0; i < MESSAGES; i++)); do
		mt-send --sendmail user1@example.org <"files/$i" 2>fill.log || {
			cat fill.log >&2
			exit 1
		}
	done
	client_conf '' "smtp://localhost:$SINK_PORT" 'allow_plaintext = yes'
}

send_by_msmtp()
{
	local LD_LIBRARY_PATH

	LD_LIBRARY_PATH=$(peer_libs msmtp)
	export LD_LIBRARY_PATH
	for ((i = 0; i < MESSAGES; i++)); do
		"$PEERS/msmtp/usr/bin/msmtp" --host=127.0.0.1 --port="$SINK_PORT" --tls=off \
		    --auth=off -f user1@example.org user1@example.org <"files/$i" || return
	done
}

rate() # FILE
{
	awk -v n="$MESSAGES" -v us="$(median "$1")" 'BEGIN { printf "%.0f\n", n * 1e6 / us }'
}

peer_fetch msmtp || exit 1
smtp_sink || exit 1
mkdir files
for ((i = 0; i < MESSAGES; i++)); do
	plain_message 5000 "$i" >"files/$i"
done
for ((round = 0; round < ROUNDS; round++)); do
	fill
	timed mt-send mt-send queue retry
	[ -z "$(mt-send queue list)" ] || { echo 'send-bulk: not all was sent' >&2; exit 1; }
	timed smtp-source smtp_source "$SINK_PORT" -d -m "$MESSAGES" -s 1 -l 5000 \
	    -f user1@example.org -t user1@example.org
	timed msmtp send_by_msmtp
done
printf '%-12s %10s   (messages a second, median of %s; milliseconds of each run)\n' \
    '' rate "$ROUNDS"
for side in mt-send msmtp smtp-source; do
	printf '%-12s %10d   (%s)\n' "$side" "$(rate $side)" \
	    "$(awk '{ printf "%s%.0f", s, $1 / 1000; s = " " }' $side)"
done
awk -v a="$(median mt-send)" -v b="$(median smtp-source)" \
    'BEGIN { printf "%.2f of the rate of smtp-source, which syncs nothing\n", b / a }'
awk -v a="$(median mt-send)" -v b="$(median msmtp)" \
    'BEGIN { printf "send-bulk: %.2fx msmtp\n", b / a }'
