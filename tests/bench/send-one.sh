#!/usr/bin/env bash
# send-one - one small message from start to finish: mt-send against msmtp
#
# Both get the same finished message and hand it on; mt-send by its queue, which is durable
# (on a disk) before it sends, msmtp without one. Once to Postfix's smtp-sink as it is, once
# to mt-serve with TLS and a login; in turns.
#
#	ROUNDS=100 tests/bench/send-one.sh
export TMPDIR=/var/tmp		# on a disk: /tmp may be memory, where fsync costs nothing
. "${0%/*}/../lib.sh"
. "$TOP/tests/bench.sh"
ROUNDS=${ROUNDS:-100}

msmtp() # OPTION...
{
	LD_LIBRARY_PATH=$MSMTP_LIBS "$PEERS/msmtp/usr/bin/msmtp" --host=localhost \
	    --from=user1@example.org "$@" user1@example.org <message
}

mt_send()
{
	mt-send --sendmail user1@example.org <message
}

# both NAME OPTION...: the options are msmtp's
both()
{
	local name=$1

	shift
	for ((round = 0; round < ROUNDS; round++)); do
		timed "$name.mt-send" mt_send
		timed "$name.msmtp" msmtp "$@"
	done
	awk -v name="$name" -v a="$(median "$name.mt-send")" -v b="$(median "$name.msmtp")" \
	    'BEGIN { printf "%-16s %8.1f %8.1f %6.2f\n", name, a / 1000, b / 1000, b / a }' |
	    tee -a results
}

peer_fetch msmtp || exit 1
MSMTP_LIBS=$(peer_libs msmtp)
make_ca
smtp_sink || exit 1
SUBMISSIONS=$(free_port)
mkdir server
cat >serve.conf <<END
hostname = "mail.example.org"
mail_root = "$T/server"
domains = { "example.org" }
users = "$T/users"
user = "$(id -un)"
postmaster = "user1@example.org"
tls_certificate = "$T/cert.pem"
tls_key = "$T/key.pem"
submissions = { "127.0.0.1:$SUBMISSIONS" }
END
echo secret-1 | mt-serve -c serve.conf user add user1@example.org || exit 1
start mt-serve mt-serve -c "$T/serve.conf"
wait_port mt-serve "$SUBMISSIONS" || exit 1
plain_message 2000 1 >message

printf '%-16s %8s %8s %6s   (milliseconds, median of %s)\n' '' mt-send msmtp ratio "$ROUNDS"
client_conf '' "smtp://localhost:$SINK_PORT" 'allow_plaintext = yes'
both plain --port="$SINK_PORT" --tls=off --auth=off
client_conf '' "smtps://user1%40example.org@localhost:$SUBMISSIONS"
both tls-and-login --port="$SUBMISSIONS" --tls=on --tls-starttls=off \
    --tls-trust-file="$T/ca.pem" --auth=plain --user=user1@example.org \
    --passwordeval='echo secret-1'
awk '{ sum += log($4) } END { printf "send-one: %.2fx msmtp\n", exp(sum / NR) }' results
