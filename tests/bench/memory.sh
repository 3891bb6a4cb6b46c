#!/usr/bin/env bash
# memory - peak resident memory while one message of 50 MiB passes
#
# mt-send submits it to mt-serve, as it is and as an attachment, mt-fetch collects both;
# msmtp and fetchmail do the same for comparison. The promise is that each of ours stays below 64 MiB; the ratio is that
# ceiling over the greatest peak.
#
#	SIZE_MIB=50 tests/bench/memory.sh
export TMPDIR=/var/tmp
. "${0%/*}/../lib.sh"
. "$TOP/tests/peers"
not_a_test
SIZE_MIB=${SIZE_MIB:-50}

make_ca
chmod 600 key.pem
SMTP=$(free_port) SUBMISSIONS=$(free_port) POP3S=$(free_port)
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
smtp = { "127.0.0.1:$SMTP" }
submissions = { "127.0.0.1:$SUBMISSIONS" }
pop3s = { "127.0.0.1:$POP3S" }
size_max = 200M
END
client_conf "pop3s://user1%40example.org@localhost:$POP3S" \
    "smtps://user1%40example.org@localhost:$SUBMISSIONS"
echo secret-1 | mt-serve -c serve.conf user add user1@example.org || exit 1
head -c $((SIZE_MIB * 1024 * 1024 * 3 / 4)) /dev/urandom >large.bin
{
	printf 'From: user1@example.org\nTo: user1@example.org\nSubject: large\n'
	printf 'MIME-Version: 1.0\nContent-Type: application/octet-stream\n'
	printf 'Content-Transfer-Encoding: base64\n\n'
	base64 large.bin
} >large.eml

# watch NAME: the greatest VmHWM of any process in the process group of start()'s NAME, in
# KiB, kept in NAME.peak, until it ends. Short-lived processes are seen every 10 ms.
watch()
{
	local group peak=0 kib pid

	group=$(pid_of "$1")
	while running "$1"; do
		for pid in $(pgrep -g "$group"); do
			kib=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null)
			[ "${kib:-0}" -le "$peak" ] || { peak=$kib; echo "$peak" >"$1.peak"; }
		done
		sleep 0.01
	done
}

# peak NAME COMMAND...: its greatest resident size in KiB, in NAME.peak.
peak()
{
	local name=$1

	shift
	/usr/bin/time -f '%M' -o "$name.time" "$@" >"$name.out" 2>&1 || {
		cat "$name.out" >&2
		exit 1
	}
	tail -n 1 "$name.time" >"$name.peak"
}

start mt-serve mt-serve -c "$T/serve.conf"
wait_port mt-serve "$POP3S" || exit 1
watch mt-serve &
watcher=$!
in_maildir() # how many large messages a Maildir has
{
	find "$1" -type f -size "+$((SIZE_MIB - 1))M" -path '*/[cn]*/*' 2>/dev/null | wc -l
}

peak mt-send mt-send inject -t user1@example.org large.eml
echo text | peak 'mt-send -A' mt-send -s large -A large.bin --save none user1@example.org
[ "$(in_maildir server)" = 2 ] || { echo "memory: a message did not arrive" >&2; exit 1; }
peak mt-fetch mt-fetch --delete
[ "$(in_maildir Mail)" = 2 ] || { echo "memory: a message was not fetched" >&2; exit 1; }

# The others, against the same server.
peers=
if peer_fetch msmtp && peer_fetch fetchmail; then
	peak msmtp "$TOP/tests/peers" run msmtp msmtp --host=localhost --port="$SUBMISSIONS" \
	    --tls=on --tls-starttls=off --tls-trust-file="$T/ca.pem" --auth=plain \
	    --user=user1@example.org --passwordeval='echo secret-1' \
	    --from=user1@example.org user1@example.org <large.eml
	cat >fetchmailrc <<-END
		poll localhost protocol pop3 service $POP3S
		  user "user1@example.org" password "secret-1" ssl sslcertck
		  sslcertfile "$T/ca.pem" mda "cat >$T/fetchmail.got"
	END
	chmod 600 fetchmailrc
	peak fetchmail "$TOP/tests/peers" run fetchmail fetchmail -f fetchmailrc --fetchall
	peers="msmtp fetchmail"
fi
stop mt-serve
wait "$watcher"

printf '%-10s %10s   (one message of %s MiB)\n' process peak-MiB "$SIZE_MIB"
for name in mt-send 'mt-send -A' mt-serve mt-fetch $peers; do
	awk -v n="$name" '{ printf "%-10s %10.1f\n", n, $1 / 1024 }' "$name.peak"
done
cat mt-*.peak | sort -n | tail -n 1 |
    awk '{ printf "memory: %.2fx the 64 MiB ceiling\n", 64 * 1024 / $1 }'
