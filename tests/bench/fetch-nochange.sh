#!/usr/bin/env bash
# fetch-nochange - a run that finds nothing to do, in a mailbox of 100,000 messages
#
#	MESSAGES=100000 ROUNDS=5 tests/bench/fetch-nochange.sh
export TMPDIR=${TMPDIR:-/var/tmp}	# on a disk: /tmp may be memory
. "${0%/*}/../lib.sh"
. "$TOP/tests/tools/bench_sync.sh"
MESSAGES=${MESSAGES:-100000} ROUNDS=${ROUNDS:-5}

fill "$MESSAGES"
mt_conf "$BENCH_PORT"
mbsync_conf no "$BENCH_PORT"
# Both are given all messages, and then see twice that there is nothing more.
for i in 1 2 3; do
	mt_fetch
	mbsync
	sleep 3
done
same
for ((round = 0; round < ROUNDS; round++)); do
	timed ours mt_fetch
	timed theirs mbsync
done
printf '%s messages, milliseconds: mt-fetch %s, mbsync %s\n' "$MESSAGES" \
    "$(awk '{ printf "%.1f ", $1 / 1e3 }' ours)" "$(awk '{ printf "%.1f ", $1 / 1e3 }' theirs)"
awk -v a="$(median ours)" -v b="$(median theirs)" \
    'BEGIN { printf "fetch-nochange: %.2fx mbsync\n", b / a }'
