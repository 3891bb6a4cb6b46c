#!/usr/bin/env bash
# fetch-first - a mailbox for the first time: mt-fetch against mbsync, on Dovecot
#
# Both durable, as they are by default, and in turns. What has come is compared.
#
#	MESSAGES=20000 ROUNDS=3 DELAY= tests/bench/fetch-first.sh
export TMPDIR=${TMPDIR:-/var/tmp}	# on a disk: /tmp may be memory
. "${0%/*}/../lib.sh"
. "$TOP/tests/tools/bench_sync.sh"
MESSAGES=${MESSAGES:-20000} ROUNDS=${ROUNDS:-3}

fill "$MESSAGES"
mt_conf "$BENCH_PORT"
mbsync_conf yes "$BENCH_PORT"
mt_fetch		# Dovecot's own index is made by whoever comes first
for ((round = 0; round < ROUNDS; round++)); do
	# ext4 is slow where much was deleted just before: both go to new places.
	mkdir "old$round"
	mv state Mail mbsync mbsync-state "old$round"
	mkdir -p mbsync mbsync-state
	sync
	timed ours mt_fetch
	sync
	timed theirs mbsync
	same
done
printf '%s messages, seconds: mt-fetch %s, mbsync %s\n' "$MESSAGES" \
    "$(awk '{ printf "%.2f ", $1 / 1e6 }' ours)" "$(awk '{ printf "%.2f ", $1 / 1e6 }' theirs)"
awk -v a="$(median ours)" -v b="$(median theirs)" \
    -v name="fetch-first${DELAY:+-$((DELAY * 2))ms}" \
    'BEGIN { printf "%s: %.2fx mbsync\n", name, b / a }'
