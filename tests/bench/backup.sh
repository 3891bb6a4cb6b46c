#!/usr/bin/env bash
# backup - mt-backup against restic: first run, run without news, restore, size
#
# MAIL is a directory with Maildirs (default: 5,000 generated messages). Both read it from
# the page cache and write to the same disk; restic runs with compression, as it comes.
#
#	MAIL=~/Mail ROUNDS=3 tests/bench/backup.sh
export TMPDIR=/var/tmp
. "${0%/*}/../lib.sh"
. "$TOP/tests/peers"
not_a_test
ROUNDS=${ROUNDS:-3}
COUNT=${COUNT:-5000}
# restore verifies what restic only does when asked, and makes it durable.
export RESTIC_PASSWORD=x RESTIC_CACHE_DIR=$T/cache

if [ -z "${MAIL:-}" ] || [ ! -d "${MAIL:-}" ]; then
	MAIL=$T/Mail
	mkdir -p eml "$MAIL/list"/{cur,new,tmp}
	"$TOP/tests/tools/generate_mail.py" --count "$COUNT" eml >/dev/null || exit 1
	for f in eml/*; do
		mv "$f" "$MAIL/list/cur/1${f//[!0-9]/}.M1P1.bench:2,S"
	done
fi
peer_fetch restic || exit 1
find "$MAIL" -type f -exec cat {} + >/dev/null

restic() { (peer_run restic restic -q "$@"); }

# timed FILE COMMAND...: append the milliseconds that it took.
timed()
{
	local start=${EPOCHREALTIME/[.,]/} to=$1

	shift
	"$@" >/dev/null || { echo "backup: $* failed" >&2; exit 1; }
	echo $(((${EPOCHREALTIME/[.,]/} - start) / 1000)) >>"$to"
}

bytes() { du -s --apparent-size -B1 "$1" | cut -f1; }

for ((round = 0; round < ROUNDS; round++)); do
	rm -rf mt restic.repo out
	mt-backup -r mt init
	restic -r restic.repo init >/dev/null || exit 1
	timed first.mt mt-backup -r mt create "$MAIL"
	timed first.peer restic -r restic.repo backup "$MAIL"
	timed again.mt mt-backup -r mt create "$MAIL"
	timed again.peer restic -r restic.repo backup "$MAIL"
	timed verify.mt mt-backup -r mt verify
	timed verify.peer restic -r restic.repo check --read-data
	timed restore.mt mt-backup -r mt restore --to out
	rm -rf out
	timed restore.peer restic -r restic.repo restore latest --target out --verify
	bytes mt >>size.mt
	bytes restic.repo >>size.peer
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

printf '%-8s %12s %12s %8s   (ms, bytes: medians of %s; each run)\n' what mt-backup restic \
    ratio "$ROUNDS"
for what in first again verify restore size; do
	a=$(median $what.mt) b=$(median $what.peer)
	awk -v w=$what -v a="$a" -v b="$b" -v x="$(xargs <$what.mt)" -v y="$(xargs <$what.peer)" \
	    'BEGIN { printf "%-8s %12d %12d %8.2f   (%s | %s)\n", w, a, b, b / a, x, y }'
	echo "$a $b" >>ratios
done
awk '{ sum += log($2 / $1) } END { printf "backup: %.2fx restic\n", exp(sum / NR) }' ratios
