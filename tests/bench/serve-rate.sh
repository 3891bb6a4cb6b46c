#!/usr/bin/env bash
# serve-rate - durable deliveries a second: mt-serve against Postfix (smtpd and local)
#
# The same smtp-source sends the same messages to both, in turns, over 1, 10 and 50
# sessions. The clock stops when every message is in the Maildir. Postfix runs with its
# own settings but for two that would hold it back here: no in_flow_delay, and 20
# deliveries at once into the one mailbox instead of 2.
#
#	MESSAGES=400 ROUNDS=3 SESSIONS="1 10 50" tests/bench/serve-rate.sh
export TMPDIR=/var/tmp		# on a disk: /tmp may be memory, where fsync costs nothing
. "${0%/*}/../lib.sh"
need_users
not_a_test
MESSAGES=${MESSAGES:-400} ROUNDS=${ROUNDS:-3} SESSIONS=${SESSIONS:-1 10 50}
SIZE=6500		# the median of real mail

start_mt_serve()
{
	MT_PORT=$(free_port)
	mkdir "$T/server"
	cat >serve.conf <<-END
		hostname = "mail.example.org"
		mail_root = "$T/server"
		domains = { "example.org" }
		users = "$T/users"
		user = "$(id -un)"
		postmaster = "user1@example.org"
		smtp = { "127.0.0.1:$MT_PORT" }
		connections_per_address = 100
	END
	echo secret-1 | mt-serve -c serve.conf user add user1@example.org &&
	start mt-serve mt-serve -c "$T/serve.conf" && wait_port mt-serve "$MT_PORT"
}

delivered() # MAILDIR COUNT
{
	[ "$(find "$1/new" -type f 2>/dev/null | wc -l)" -ge "$2" ]
}

# one_run PORT MAILDIR SESSIONS: prints messages per second, all in the Maildir.
one_run()
{
	local start stop

	rm -rf "$2"/new/* "$2"/cur/*
	start=${EPOCHREALTIME/[.,]/}
	smtp_source "$1" -d -m "$MESSAGES" -s "$3" -l "$SIZE" -f user2@example.org \
	    -t user1@example.org >source.log 2>&1 || { cat source.log >&2; exit 1; }
	until delivered "$2" "$MESSAGES"; do
		sleep 0.01
		[ $((${EPOCHREALTIME/[.,]/} - start)) -lt 120000000 ] || {
			echo "serve-rate: messages did not arrive in $2" >&2
			exit 1
		}
	done
	stop=${EPOCHREALTIME/[.,]/}
	awk -v n="$MESSAGES" -v us=$((stop - start)) 'BEGIN { printf "%.0f\n", n * 1e6 / us }'
}

median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

start_mt_serve || exit 1
start_postfix 'in_flow_delay = 0' 'local_destination_concurrency_limit = 20' || exit 1
printf '%8s %10s %10s %8s   (messages a second in the Maildir, median of %s; each run)\n' \
    sessions mt-serve postfix ratio "$ROUNDS"
for s in $SESSIONS; do
	: >mt.rates
	: >postfix.rates
	for ((round = 0; round < ROUNDS; round++)); do
		one_run "$MT_PORT" server/example.org/user1 "$s" >>mt.rates || exit 1
		one_run "$POSTFIX_PORT" postfix/Maildir "$s" >>postfix.rates || exit 1
	done
	a=$(median <mt.rates) b=$(median <postfix.rates)
	awk -v s="$s" -v a="$a" -v b="$b" -v x="$(xargs <mt.rates)" -v y="$(xargs <postfix.rates)" \
	    'BEGIN { printf "%8d %10d %10d %8.2f   (%s | %s)\n", s, a, b, a / b, x, y }'
	echo "$a $b" >>ratios
done
awk '{ sum += log($1 / $2) } END { printf "serve-rate: %.2fx Postfix\n", exp(sum / NR) }' ratios
