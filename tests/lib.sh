# shellcheck shell=bash
# lib.sh - TAP for shell tests, a private folder, processes that end, certificates
#
# A test begins with
#
#	#!/usr/bin/env bash
#	. "${0%/*}/../lib.sh"
#
# and ends with done_testing. It runs with T (also HOME and the working directory) in a
# fresh temporary folder that is removed at the end; everything that start() started is
# stopped at the end, however the test ends. Nothing here needs root. What is exported:
#
#	TOP		the source tree
#	MT_BUILD	the build under test (default: TOP/build); its bin/ is first on PATH
#	MT_NO_SKIP=1	skip_all fails instead: for a machine that must have everything
#	MT_KEEP=1	keep the temporary folder, and say where it is
#	SUITES		the public conformance suites, or "" where they are not

set -u
shopt -s nullglob
TOP=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
MT_BUILD=$(cd "$TOP" && cd "${MT_BUILD:-build}" && pwd -P) || exit 1
SUITES=$(cd "$TOP/../shared/suites" 2>/dev/null && pwd -P)
SELF=$(realpath "$0")
T=$(mktemp -d "${TMPDIR:-/tmp}/mt-test.XXXXXX") || exit 1
export TOP MT_BUILD T HOME=$T/home TMPDIR=$T/tmp LC_ALL=C.UTF-8 TZ=UTC
export PATH=$MT_BUILD/bin:$MT_BUILD/tools:$PATH:/usr/sbin:/sbin
unset MT_CONFIG XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME \
    NOTMUCH_CONFIG NOTMUCH_PROFILE NOTMUCH_DATABASE MAILDIR
mkdir "$HOME" "$TMPDIR" "$T/.run"
cd "$T" || exit 1
exec 7>&1	# TAP, where standard output is redirected
test_count=0 test_failed=0 test_planned=
trap test_end EXIT
trap 'exit 130' INT TERM HUP

# --- promises -------------------------------------------------------------------

test_line() # 0|1 PROMISE: one line of TAP
{
	test_count=$((test_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $test_count - $2"
	else
		echo "not ok $test_count - $2"
		test_failed=$((test_failed + 1))
	fi
	return "$1"
}

diag() # TEXT: a comment in the TAP stream
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# blame PROMISE TEXT...: why it was not kept, in one write to standard error, which prove
# shows also when it shows nothing else. Always 1.
blame()
{
	local text

	text=$(printf '%s\n' "$0: $1" "${@:2}" | sed 's/^/# /')
	printf '%s\n' "$text" >&2
	return 1
}

# expect 'promise' 'body': the body runs under set -e in a subshell (variables that it
# sets are lost, files stay); its output is shown when it fails.
expect()
{
	local rc

	rm -f "$T/.skip"
	( set -e; eval "$2" ) >"$T/.out" 2>&1 </dev/null
	rc=$(($? != 0))
	if [ $rc = 1 ] && [ -e "$T/.skip" ] && [ -z "${MT_NO_SKIP:-}" ]; then
		skip "$1" "$(cat "$T/.skip")"
		return
	fi
	test_line $rc "$1" && return
	blame "$1" "$2" "--- gave:" "$(tail -n 40 "$T/.out")"
}

# As expect, for a promise about memory or stack, which a sanitizer takes more of.
expect_plain()
{
	if [ -z "${MT_SANITIZED:-}" ]; then
		expect "$@"
	else
		skip "$1" "a sanitizer takes more memory"
	fi
}

ok() # PROMISE COMMAND...: the command succeeds
{
	local promise=$1

	shift
	"$@" >"$T/.out" 2>&1 </dev/null
	test_line $(($? != 0)) "$promise" && return
	blame "$promise" "$*" "--- gave:" "$(tail -n 40 "$T/.out")"
}

is() # GOT WANT PROMISE
{
	[ "$1" = "$2" ]
	test_line $(($? != 0)) "$3" && return
	blame "$3" " got: $1" "want: $2"
}

like() # GOT EXTENDED-REGEX PROMISE
{
	[[ $1 =~ $2 ]]
	test_line $(($? != 0)) "$3" && return
	blame "$3" " got: $1" "want: $2"
}

# status WANT COMMAND...: true when the command ends with that exit status. For expect.
status()
{
	local want=$1 rc=0

	shift
	"$@" || rc=$?
	[ "$rc" -eq "$want" ] || { echo "status $rc, not $want: $*"; return 1; }
}

# not COMMAND...: true when its answer is no: status 1, and not that of a grep without its
# file or of a command that died. For expect, where set -e does not see a command behind !.
not()
{
	status 1 "$@"
}

# later COMMAND...: with a clock that is 37 hours ahead, since a file's ctime, at which who
# sweeps tmp/ looks, cannot be set. For expect.
later()
{
	need gcc
	gcc -shared -fPIC -x c -o "$T/later.so" - <<-END || return
		#include <time.h>
		time_t time(time_t *t)
		{
			struct timespec ts;

			clock_gettime(CLOCK_REALTIME, &ts);
			ts.tv_sec += 37 * 3600;
			if (t != NULL)
				*t = ts.tv_sec;
			return ts.tv_sec;
		}
	END
	ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$T/later.so "$@"
}

skip() # PROMISE WHY: one test that cannot run here
{
	test_count=$((test_count + 1))
	echo "ok $test_count - $1 # SKIP $2"
}

# skip_all WHY: ends the test here; inside expect, only that one promise.
skip_all()
{
	if [ "$BASHPID" != $$ ]; then
		echo "$1" >"$T/.skip"
		exit 1
	fi
	test_planned=1
	if [ -n "${MT_NO_SKIP:-}" ]; then
		test_line 1 "not skipped: $1"
	elif [ "$test_count" = 0 ]; then
		echo "1..0 # SKIP $1"
		exit 0
	else
		skip "the rest" "$1"
	fi
	echo "1..$test_count"
	exit $((test_failed != 0))
} >&7

need() # COMMAND...: skip the test where one is missing
{
	local c

	for c; do
		command -v "$c" >/dev/null || skip_all "no $c here"
	done
}

# need_mounts: sets MOUNTS to a command that runs another where it may mount, unseen by
# everybody else, and where an ordinary user stays the one he is.
need_mounts()
{
	MOUNTS=(unshare --mount)
	[ "$(id -u)" = 0 ] || MOUNTS+=(--map-current-user --keep-caps)
	"${MOUNTS[@]}" true 2>/dev/null || skip_all "no mount namespaces here"
}

# go_inside COMMAND...: the whole test goes on in what COMMAND runs its arguments in.
go_inside()
{
	[ -z "${MT_INSIDE:-}" ] || return 0
	cd / && rm -rf "$T"
	MT_INSIDE=1 TMPDIR=${T%/*} exec "$@" "$SELF"
}

need_suite() # NAME: skip where the public suites are not; sets SUITE
{
	SUITE=$SUITES/$1
	[ -n "$SUITES" ] && [ -d "$SUITE" ] && return
	test_planned=1
	echo "1..0 # SKIP no ../shared/suites/$1"
	exit 0
}

# For a benchmark, which uses this file and promises nothing.
not_a_test()
{
	test_planned=1
}

done_testing()
{
	test_planned=1
	echo "1..$test_count"
	exit $((test_failed != 0))
}

test_end()
{
	local rc=$? f

	trap - EXIT INT TERM HUP
	[ -n "$test_planned" ] || { diag "ended before done_testing"; rc=1; }
	for f in "$T"/.run/*.pid; do
		stop "$(basename "$f" .pid)"
	done
	for f in "$T"/.run/port-*; do
		rmdir "/tmp/mt-port-${f##*-}" 2>/dev/null
	done
	cd /
	if [ -n "${MT_KEEP:-}" ]; then
		diag "kept: $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	exit "$rc"
}

# --- processes and ports --------------------------------------------------------

# start NAME COMMAND...: in the background, in a process group of its own, output in
# $T/NAME.log, pid in $T/.run/NAME.pid.
start()
{
	local name=$1

	shift
	setsid "$@" >>"$T/$name.log" 2>&1 </dev/null 7>&- &
	echo $! >"$T/.run/$name.pid"
}

pid_of() # NAME
{
	cat "$T/.run/$1.pid"
}

alive() # PID: not even a zombie that nobody has waited for
{
	[[ $(ps -o stat= -p "$1") == [!Z]* ]]
}

running() # NAME: whether it still runs
{
	local pid

	pid=$(cat "$T/.run/$1.pid" 2>/dev/null) && alive "$pid"
}

stop() # NAME [SIGNAL]: end it, at the latest after 10 s by SIGKILL; its group too
{
	local name=$1 pid

	pid=$(cat "$T/.run/$name.pid" 2>/dev/null) || return 0
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
	wait_for 10 eval "! running $name" || diag "$name had to be killed"
	kill -s KILL -- "-$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	rm -f "$T/.run/$name.pid"
}

wait_for() # SECONDS COMMAND...: until it succeeds; 1 when it never did
{
	local end=$((SECONDS + $1 + 1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

port_open() # PORT [HOST]: whether somebody listens
{
	(exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null
}

# wait_port NAME PORT: until the process that start() started listens there; its log is
# shown when it does not.
wait_port()
{
	wait_for 20 eval "port_open $2 || ! running $1"
	running "$1" && port_open "$2" && return
	diag "$1 does not listen on port $2:"
	tail -n 20 "$T/$1.log" | sed 's/^/# /'
	return 1
}

wait_log() # NAME REGEX [SECONDS]: until the log of NAME holds such a line
{
	wait_for "${3:-10}" grep -Eq -- "$2" "$T/$1.log"
}

# free_port: print a loopback port that nobody uses, below the range that the kernel
# hands out. The folder in /tmp keeps tests that run at the same time apart.
free_port()
{
	local port

	while port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000)); do
		mkdir "/tmp/mt-port-$port" 2>/dev/null || continue
		mkdir "$T/.run/port-$port"
		port_open "$port" || break
	done
	echo "$port"
}

# --- certificates and configurations --------------------------------------------

# make_ca [HOST...]: a throw-away authority $T/ca.pem, and a server certificate
# $T/cert.pem with $T/key.pem for localhost, 127.0.0.1 and the hosts.
make_ca()
{
	local san=DNS:localhost,IP:127.0.0.1 host

	for host; do
		san+=,DNS:$host
	done
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		    -days 2 -subj "/CN=throw-away test CA" -keyout "$T/ca.key" \
		    -out "$T/ca.pem" -addext keyUsage=critical,keyCertSign &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		    -subj /CN=localhost -keyout "$T/key.pem" -out "$T/cert.csr" &&
		printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$san" \
		    >"$T/cert.ext" &&
		openssl x509 -req -in "$T/cert.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" \
		    -set_serial 2 -days 2 -extfile "$T/cert.ext" -out "$T/cert.pem"
	} >"$T/openssl.log" 2>&1 || { cat "$T/openssl.log"; return 1; }
}

# client_conf POP3-URL SMTP-URL [LINE...]: an mt.conf with one account "test" of
# user1@example.org, whose password is "secret-1", and MT_CONFIG that names it. Mail
# lies in $T/Mail. More lines go into the account; "" leaves a URL out.
client_conf()
{
	export MT_CONFIG=$T/mt.conf
	{
		printf 'maildir = "%s"\naccount test {\n' "$T/Mail"
		printf '  from = "User One <user1@example.org>"\n'
		[ -z "$1" ] || printf '  pop3 = "%s"\n' "$1"
		[ -z "$2" ] || printf '  smtp = "%s"\n' "$2"
		[ ! -e "$T/ca.pem" ] || printf '  ca_file = "%s"\n' "$T/ca.pem"
		printf '  password_command = "echo secret-1"\n'
		[ $# -le 2 ] || printf '  %s\n' "${@:3}"
		printf '}\n'
	} >"$MT_CONFIG"
}

# The peers (Dovecot, Postfix and its tools): see tests/peers.
start_dovecot() { . "$TOP/tests/peers"; peer_dovecot "$@"; }
start_postfix() { . "$TOP/tests/peers"; peer_postfix "$@"; }
need_users() { . "$TOP/tests/peers"; peer_need_users; }
smtp_sink() { . "$TOP/tests/peers"; peer_smtp_sink "$@"; }
smtp_source() { . "$TOP/tests/peers"; peer_smtp_source "$@"; }
